# make demo: the whole pipeline on the embedded simulated corpus.   make test: the test-suite.
PYTHON ?= python3
VENV := .venv
INSTALLED := $(VENV)/.installed

.PHONY: demo test check benchmark benchmark-forecast benchmark-ablation benchmark-network benchmark-knowledge benchmark-judge fault-sweep audit clean fuzz

demo: $(INSTALLED)
	$(VENV)/bin/python -m flows.demo

test: $(INSTALLED)
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(INSTALLED)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy pipeline flows

# how big, how fast: every stage at growing sizes; about an hour on two cores
benchmark: $(INSTALLED)
	$(VENV)/bin/python benchmarks/benchmark.py

benchmark-forecast: $(INSTALLED)
	$(VENV)/bin/python benchmarks/forecast.py

benchmark-ablation: $(INSTALLED)
	$(VENV)/bin/python benchmarks/ablation.py

benchmark-network: $(INSTALLED)
	$(VENV)/bin/python benchmarks/network.py

benchmark-knowledge: $(INSTALLED)
	$(VENV)/bin/python benchmarks/knowledge.py

benchmark-judge: $(INSTALLED)
	$(VENV)/bin/python benchmarks/judge.py

# the whole flow killed at 200 points and started again, Prefect's flows at 40: about an hour on two cores
fault-sweep: $(INSTALLED)
	$(VENV)/bin/python benchmarks/fault_sweep.py
	$(VENV)/bin/python benchmarks/fault_sweep.py 40 --flows

# a million damaged inputs for the readers: about an hour on one core
fuzz: $(INSTALLED)
	$(VENV)/bin/python benchmarks/fuzz.py

# known vulnerabilities of the pinned packages, red also where one could not be looked up; connects to a package index
# and an advisory database
audit:
	$(PYTHON) -m venv build/audit
	build/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit \
		|| { echo "make audit needs the network: pip-audit cannot be installed" >&2; exit 1; }
	build/audit/bin/pip-audit --strict --requirement constraints.txt --no-deps --disable-pip \
		|| { echo "make audit: the above is vulnerable, or could not be looked up without the network" >&2; exit 1; }

# an upgraded pip resolves the stack in seconds, the one that comes with Python may take half an hour
$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) data/demo data/prefect
