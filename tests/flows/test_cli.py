"""The ``techconverge`` command: the library's commands, and ``serve``."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from cases import PROJECT


def run(place: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, in an empty folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment |= {"PYTHONPATH": str(PROJECT)} | settings
    return subprocess.run([sys.executable, *words], cwd=place, env=environment, capture_output=True, text=True)


def test_it_starts_without_prefect_and_leaves_nothing_behind(tmp_path: Path) -> None:
    code = "import sys, flows.cli; print(sorted({'prefect', 'pandas', 'torch'} & set(sys.modules)))"
    assert run(tmp_path, "-c", code).stdout == "[]\n"
    told = run(tmp_path, "-m", "flows.cli", "--help")
    assert " serve " in told.stdout and " forecast " in told.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_library_by_itself_has_no_serve(tmp_path: Path) -> None:
    assert " serve " not in run(tmp_path, "-m", "pipeline", "--help").stdout


@pytest.mark.slow
def test_what_cannot_be_served_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        told = run(tmp_path, "-m", "flows.cli", "serve", PREFECT_SERVER_API_PORT=port)
    assert told.returncode == 2
    (line,) = [line for line in told.stderr.splitlines() if "error" in line]
    assert line.startswith(f"error: port {port} is taken: set PREFECT_API_URL=http://127.0.0.1:{port}/api if")
    told = run(tmp_path, "-m", "flows.cli", "serve", "--schedule", "weekly")
    assert told.returncode == 2 and told.stderr.startswith("error: --schedule weekly: no such deployment")
