"""The fault sweep, a short one: killed at ten points and started again, the flow ends as if nobody had disturbed it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cases import PROJECT


@pytest.mark.slow
def test_ten_points_end_as_an_undisturbed_run(tmp_path: Path) -> None:
    program = [sys.executable, PROJECT / "benchmarks" / "fault_sweep.py", "10", "--out", tmp_path / "faults.md"]
    settings = os.environ | {"PYTHONPATH": str(PROJECT), "TMPDIR": str(tmp_path)}
    done = subprocess.run(list(map(str, program)), env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "faults.md").read_text()
    assert "| a write boundary | 5 | 1 | 0 | 5 |" in page
    assert "| a moment of the running time | 5 | 2 | 0 | 5 |" in page
