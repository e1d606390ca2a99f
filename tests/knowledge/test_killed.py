"""An addition that is killed: the base is the old one or the new one, whole, and the next addition ends the work."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cases import PROJECT
from factories import corpus_from
from knowledge.bases import ENCODER, FIRM, added, contents, day, row, written

from pipeline.knowledge.retrieve import open_base, retrieve
from pipeline.knowledge.store import load_chunks, load_manifest

OLD = [row(f"US{number}", "2008-01-01", f"Heat pump number {number}.") for number in range(6)]
NEW = [*OLD, *(row(f"EP{number}", "2009-01-01", f"Battery fan number {number}.") for number in range(6))]

# adds the new corpus and a document, and kills itself before a rename as told, or around the swap of a folder
PROGRAM = """
import os, pathlib, signal, sys
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests"]
from factories import corpus_from
from knowledge.bases import added
from knowledge.test_killed import NEW
from pipeline import artifacts
rename = os.replace
def replace(source, target):
    if sys.argv[3] in str(target):
        os.kill(os.getpid(), signal.SIGKILL)
    rename(source, target)
os.replace = replace
swap = artifacts.exchanged
def exchanged(one, other):
    if sys.argv[3] == "before the swap of " + other.name:
        os.kill(os.getpid(), signal.SIGKILL)
    done = swap(one, other)
    if sys.argv[3] == "after the swap of " + other.name:
        os.kill(os.getpid(), signal.SIGKILL)
    return done
artifacts.exchanged = exchanged
home = pathlib.Path(sys.argv[2])
added(home / "base", corpus_from(NEW), [home / "plan.md"])
"""


def texts(base: Path) -> set[str]:
    return set(load_chunks(base, load_manifest(base))["text"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "is_new"),
    [
        ("base/chunks/", False),
        ("base/manifest.json", False),
        ("before the swap of search", True),
        ("after the swap of search", True),
    ],
)
def test_a_killed_addition_leaves_a_whole_base(tmp_path: Path, point: str, is_new: bool) -> None:
    base, notes = tmp_path / "base", written(tmp_path, plan="We build heat pumps.")
    added(base, corpus_from(OLD))
    before = texts(base)
    program = [sys.executable, "-c", PROGRAM, str(PROJECT), str(tmp_path), point]
    assert subprocess.run(program, env=os.environ | {"OMP_NUM_THREADS": "1"}).returncode == -signal.SIGKILL

    after = {item["abstract"] for item in NEW} | {"We build heat pumps."}
    assert texts(base) == (after if is_new else before)
    found = retrieve(open_base(base, ENCODER), "heat pump", day("2012-12-31"), {FIRM}, 50)
    assert ("plan.md" in found["source"].tolist()) == is_new

    added(base, corpus_from(NEW), notes)
    added(tmp_path / "whole" / "base", corpus_from(NEW), notes)
    assert contents(base) == contents(tmp_path / "whole" / "base")
