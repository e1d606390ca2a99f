"""Chroma as the index: the same evidence, made anew whenever it is not known to be whole, and bounded on the disk."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from factories import corpus_from
from knowledge.bases import ENCODER, FIRM, added, day, row, written

from pipeline.config import KnowledgeConfig
from pipeline.corpus.timeline import Corpus
from pipeline.errors import KnowledgeError
from pipeline.knowledge import chroma
from pipeline.knowledge.chroma import ChromaIndex
from pipeline.knowledge.dense import ExactIndex
from pipeline.knowledge.retrieve import open_base, retrieve

SUBJECTS = ("heat pump", "battery fan", "pizza oven", "rain radar", "glider wing")
ROWS = [
    row(
        f"US{number}",
        f"{2000 + number % 12}-01-01",
        f"A {SUBJECTS[number % 5]} of kind {number} with part {number % 7}.",
    )
    for number in range(60)
]
CHROMA = KnowledgeConfig(index="chroma")
QUERIES = ("heat pump with part 3", "our rain radar plans", "pizza")


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return corpus_from(ROWS)


@pytest.fixture
def folder(corpus: Corpus, tmp_path: Path) -> Path:
    added(tmp_path / "base", corpus, written(tmp_path, ours="Our rain radar plans."))
    return tmp_path / "base"


def evidence(folder: Path, cutoff: str) -> list[str]:
    base = open_base(folder, ENCODER, CHROMA)
    table = retrieve(base, "our rain radar plans", day(cutoff), {FIRM}, 12)
    assert isinstance(base.dense, ChromaIndex)
    base.dense.close()
    return table["source"].tolist()


def assert_as_exact(folder: Path, config: KnowledgeConfig = CHROMA) -> None:
    """The same rows, in the same order but for those that are equally near up to rounding."""
    exact, base = open_base(folder, ENCODER), open_base(folder, ENCODER, config)
    assert isinstance(exact.dense, ExactIndex)
    assert isinstance(base.dense, ChromaIndex)
    scope = exact.scope(day("2010-12-31"), {"", FIRM})
    queries = ENCODER.encode(QUERIES)
    for query, ours, theirs in zip(
        queries, exact.dense.nearest(queries, scope, 99), base.dense.nearest(queries, scope, 99), strict=True
    ):
        assert set(ours) == set(theirs) == set(np.flatnonzero(scope.seen))
        np.testing.assert_allclose(exact.dense.vectors[theirs] @ query, exact.dense.vectors[ours] @ query, atol=1e-4)
    assert retrieve(base, QUERIES[1], day("2010-12-31"), {FIRM}, 1)["source"].tolist() == ["ours.md"]
    base.dense.close()


def note(folder: Path) -> dict[str, object]:
    return json.loads((folder / chroma.NOTE).read_text())


def test_it_finds_what_exact_search_finds_and_follows_changes(corpus: Corpus, folder: Path, tmp_path: Path) -> None:
    assert_as_exact(folder)
    first = note(folder)
    assert first["closed"] is True
    added(folder, corpus, written(tmp_path, ours="Our new rain radar plans.", more="More of a pizza oven."))
    assert_as_exact(folder)
    assert note(folder)["collection"] == first["collection"]  # brought up to date, not made anew
    assert note(folder)["content_hash"] != first["content_hash"]


def test_a_date_that_changes_moves_what_is_seen(corpus: Corpus, folder: Path, tmp_path: Path) -> None:
    assert "ours.md" in evidence(folder, "2010-12-31")
    added(folder, corpus, written(tmp_path, ours="Our rain radar plans."), date="2011-06-01")
    assert "ours.md" not in evidence(folder, "2010-12-31")
    assert "ours.md" in evidence(folder, "2011-06-01")


@pytest.mark.parametrize("harm", ["unclosed", "note lost", "note broken", "of another place"])
def test_what_was_not_closed_is_thrown_away_unopened(folder: Path, harm: str) -> None:
    assert_as_exact(folder)
    before = note(folder)
    texts = {
        "unclosed": json.dumps(before | {"closed": False}),
        "note broken": "{",
        "of another place": json.dumps(before | {"place": "http://127.0.0.1:1"}),
    }
    if harm == "note lost":
        (folder / chroma.NOTE).unlink()
    else:
        (folder / chroma.NOTE).write_text(texts[harm])
    (folder / chroma.FOLDER / "chroma.sqlite3").write_bytes(b"broken: opening this would fail")
    assert_as_exact(folder)
    assert note(folder)["collection"] != before["collection"]


def test_an_index_that_lost_its_content_says_so_and_is_made_anew(folder: Path) -> None:
    assert_as_exact(folder)
    shutil.rmtree(folder / chroma.FOLDER)
    with pytest.raises(KnowledgeError, match="is not whole: ask again"):
        open_base(folder, ENCODER, CHROMA)
    assert_as_exact(folder)


def test_an_index_that_outgrows_its_vectors_is_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chroma, "SPARE", 10_000)
    monkeypatch.setattr(chroma, "GROWTH", 0)
    with pytest.raises(KnowledgeError) as refused:
        open_base(folder, ENCODER, CHROMA)
    assert "index: exact" in str(refused.value)
    assert "\n" not in str(refused.value)
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file() and chroma.FOLDER in path.parts]
    assert sum(sizes) <= 10_000
    monkeypatch.undo()
    assert_as_exact(folder)


def test_a_full_disk_is_said_beforehand(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chroma, "SPARE", 2**60)
    with pytest.raises(KnowledgeError, match="MB free, which Chroma may need"):
        open_base(folder, ENCODER, CHROMA)
    assert not (folder / chroma.FOLDER).exists()


@pytest.mark.parametrize("url", ["ftp://x", "http://user:secret@x", "x:8000", "http://x/path?y=1"])
def test_a_server_is_a_plain_url(url: str) -> None:
    with pytest.raises(ValueError, match="server"):
        KnowledgeConfig(index="chroma", server=url)


def test_a_server_that_does_not_answer_is_one_line(folder: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"Chroma at http://127\.0\.0\.1:9 failed: [^\n]*$"):
        open_base(folder, ENCODER, KnowledgeConfig(index="chroma", server="http://127.0.0.1:9"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Chroma's own server on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("chroma"), "run", "--path", tmp_path / "server", "--host", "127.0.0.1"]
    with subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        run.terminate()


@pytest.mark.slow
def test_a_server_serves_as_the_embedded_one_does(corpus: Corpus, folder: Path, tmp_path: Path, server: str) -> None:
    config = KnowledgeConfig(index="chroma", server=server)
    assert_as_exact(folder, config)
    assert not (folder / chroma.FOLDER).exists()
    (folder / chroma.NOTE).write_text(json.dumps(note(folder) | {"closed": False}))
    assert_as_exact(folder, config)
    added(folder, corpus, written(tmp_path, ours="Our new rain radar plans."))
    assert_as_exact(folder, config)
