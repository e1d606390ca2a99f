"""The flows with a judge, watched: no connection leaves the machine, and the judge's key is in nothing they write."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from cases import PROJECT
from judge.case import TWO
from judge.server import fair, serving
from runs import FEW_BLOCKS, FIRM, asked, stored

from pipeline.corpus.readers import SourceTable

pytestmark = pytest.mark.slow

KEY = "sk-planted-7c1f0a9e55"
# loaded by every Python process that the flows start: connections elsewhere are noted and refused
WATCH = """
import ipaddress, os, sys

def _elsewhere(host):
    if host in (None, "", b"", "localhost", b"localhost"):
        return False
    try:
        return not ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
    except ValueError:
        return True

def _hook(event, about):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = about[0]
    elif event in ("socket.connect", "socket.sendto", "socket.bind") and isinstance(about[1], tuple):
        host = about[1][0] or ("0.0.0.0" if event == "socket.bind" else "")
    else:
        return
    _tell(event, host, "OUT" if _elsewhere(host) else "in")
    if _elsewhere(host):
        raise OSError(f"a connection to {host}")

def _tell(*words):
    with open(os.environ["WATCHED"], "a") as told:
        print(*words, os.getpid(), file=told)

sys.modules["uvloop"] = None  # its sockets are not Python's, and would not be seen
_tell("started", *sys.orig_argv[1:])
sys.addaudithook(_hook)
"""
PROGRAM = """
import json, os, sys
from flows.opportunities import opportunities_flow
from flows.run import run_flow
asked, opportunities = json.load(open("asked.json"))
print(run_flow("forecast", asked, "run", "parts"))
print(opportunities_flow(opportunities, "run"))
"""


@pytest.fixture(scope="module")
def watched(sample_rows: SourceTable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which forecast, opportunities with a judge and report were run through Prefect."""
    home = tmp_path_factory.mktemp("silent")
    (home / "watch").mkdir()
    (home / "watch" / "sitecustomize.py").write_text(WATCH)
    few = {"members": ["logistic/none"], "training_origins": 1}
    request = asked(
        "forecast",
        stored(sample_rows, home / "corpus"),
        "2016-12-31",
        firm=FIRM,
        features=FEW_BLOCKS,
        ensemble=few,
        task={"level": "class"},
    )
    with serving(fair) as server:
        judge = {"judges": ["openai:scripted"], "base_url": server.url, "rubric": str(TWO), "repeats": 1, "evidence": 0}
        config = {"topics": {"top_pairs": 2}, "judge": judge, "judged": 2}
        opportunities = {"run": str(home / "run"), "firm": FIRM, "config": config}
        (home / "asked.json").write_text(json.dumps([request.model_dump(mode="json"), opportunities]))
        settings = os.environ | {
            "PYTHONPATH": f"{home / 'watch'}{os.pathsep}{PROJECT}",
            "WATCHED": str(home / "watch" / "told"),
            "PREFECT_HOME": str(home / "prefect"),
            "TECHCONVERGE_CACHE": str(home / "cache"),
            "OPENAI_API_KEY": KEY,
        }
        program = [sys.executable, "-c", PROGRAM]
        done = subprocess.run(program, cwd=home, env=settings, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        assert server.requests
        assert all(KEY in str(request.headers) for request in server.requests)
    (home / "log").write_text(done.stdout + done.stderr)
    return home


def test_nothing_is_connected_to_or_served_but_on_this_machine(watched: Path) -> None:
    told = (watched / "watch" / "told").read_text().splitlines()
    assert [line for line in told if " OUT " in line] == []
    assert any(line.startswith("started") and "prefect.server" in line for line in told)  # the server is watched too
    for what in ("connect", "bind"):
        assert any(line.startswith(f"socket.{what} 127.0.0.1 in") for line in told)


def readable(path: Path) -> bytes:
    """A file's bytes, and what it holds compressed."""
    content = path.read_bytes()
    if path.suffix == ".parquet":
        return content + pd.read_parquet(path).to_json(date_format="iso").encode()
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return content + b"".join(archive.read(name) for name in archive.namelist())
    return content


def test_the_judges_key_is_in_no_file_log_or_database(watched: Path) -> None:
    written = [path for path in watched.rglob("*") if path.is_file()]
    assert {"firm-report.xlsx", "transcript.jsonl", "log", "prefect.db"} <= {path.name for path in written}
    assert [path for path in written if KEY.encode() in readable(path)] == []
