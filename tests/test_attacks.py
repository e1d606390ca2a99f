"""Folders that an attacker made: whoever reads them runs no code, writes nowhere else, and says one line."""

import hashlib
import io
import json
import os
import pickle
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from factories import corpus_from, ingested_from
from knowledge.bases import ENCODER, added, row
from report.firm_fixtures import FIRM, write_firm_run

from pipeline.api.runs import Forecast
from pipeline.artifacts import read_json, write_json
from pipeline.corpus.store import load_corpus, load_quarantine, save_corpus
from pipeline.encoders.cache import EmbeddingCache
from pipeline.errors import TechconvergeError
from pipeline.export.run import export_run
from pipeline.export.tables import run_tables
from pipeline.fusion.storage import reading, write_fusion
from pipeline.judge.store import AnswerStore, Question
from pipeline.knowledge.retrieve import open_base
from pipeline.knowledge.store import load_chunks, load_manifest, load_vectors
from pipeline.parts import intact
from pipeline.ranking.prior_ranker import SHIPPED, load_prior_ranker
from pipeline.report.firm.render import render_firm_report
from pipeline.report.firm.tables import firm_folder, load_firm_run
from pipeline.report.render import render_report
from pipeline.run import load_request

ROWS = [row(f"US{number}", "2008-01-01", f"Heat pump number {number}.") for number in range(6)]


class Bomb:
    """What makes a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.marker,)


def payloads(marker: Path, name: str) -> Iterator[bytes]:
    """A bomb, bare and in every wrapping that its loader might open; and promises of more than is there."""
    bomb, buffer = Bomb(marker), io.BytesIO()
    yield pickle.dumps(bomb)
    if name.endswith(".npy"):
        np.save(buffer, np.array([bomb], dtype=object), allow_pickle=True)
        yield buffer.getvalue()
        shape = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000,)}"
        yield b"\x93NUMPY\x01\x00v\x00" + shape.ljust(118)
    if name.endswith(".safetensors"):
        torch.save(bomb, buffer)
        yield buffer.getvalue()
        yield struct.pack("<Q", 2**63) + b"{}"  # a header of 8 EiB
    if name.endswith(".parquet"):
        extension = {
            b"ARROW:extension:name": b"arrow.py_extension_type",
            b"ARROW:extension:metadata": pickle.dumps(bomb),
        }
        field = pa.field("x", pa.int64(), metadata=extension)
        pq.write_table(pa.table([[1]], schema=pa.schema([field], metadata={b"pandas": b'{"columns": 7}'})), buffer)
        yield buffer.getvalue()
    if name.endswith(".json"):
        yield b"[" * 100_000


def test_the_payloads_do_go_off_where_a_loader_unpickles(tmp_path: Path) -> None:
    pickle.loads(next(payloads(tmp_path / "marker", "")))
    assert (tmp_path / "marker").is_dir()


def said(read: Callable[[], Any]) -> None:
    """Read: it works, or it is one line."""
    try:
        read()
    except TechconvergeError as error:
        assert "\n" not in str(error), error


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that users may hand to each other, whole: a run, a corpus, a base, a cache, a ranker, a fusion."""
    home = tmp_path_factory.mktemp("shared")
    write_firm_run(home / "run", judged=True, pairs=3)
    save_corpus(ingested_from(ROWS), home / "corpus")
    (home / "base").mkdir()
    added(home / "base", corpus_from(ROWS))
    open_base(home / "base", ENCODER)
    EmbeddingCache(home / "cache").add("x", ["k"], np.ones((1, 4)))
    write_fusion(home / "fusion", {"kind": "attention"}, {"w": torch.ones(3)})
    shutil.copy(SHIPPED, home / "ranker.json")
    (home / "part").mkdir()
    write_json(home / "part" / "part.json", {"outputs": {}})
    store = AnswerStore(home / "answers")
    question = Question({"a": 1})
    store.write(question, store.read(question))
    return home


def readers(home: Path) -> list[Callable[[], Any]]:
    """Everything in the library that reads what is shared."""
    run, base = home / "run", home / "base"

    def fusion() -> None:
        with reading(home / "fusion", "attention") as (_, tensors):
            assert set(tensors) == {"w"}

    def chunks() -> None:
        manifest = load_manifest(base)
        load_chunks(base, manifest)
        list(load_vectors(base, manifest))

    return [
        lambda: run_tables(run, {}),
        lambda: load_firm_run(firm_folder(run, FIRM)),
        lambda: load_request(run),
        lambda: Forecast.open(run).pairs,
        lambda: load_corpus(home / "corpus"),
        lambda: load_quarantine(home / "corpus"),
        chunks,
        lambda: open_base(base, ENCODER),
        lambda: EmbeddingCache(home / "cache").find("x", ["k"]),
        lambda: load_prior_ranker(home / "ranker.json"),
        lambda: intact(home / "part"),
        lambda: AnswerStore(home / "answers").read(Question({"a": 1})),
        fusion,
    ]


def of_which(path: str, home: Path) -> list[Callable[[], Any]]:
    """The readers that may come across a file."""
    first = path.partition("/")[0]
    all_ = readers(home)
    return {
        "run": all_[:4],
        "corpus": all_[4:6],
        "base": all_[6:8],
        "cache": all_[8:9],
        "ranker.json": all_[9:10],
        "part": all_[10:11],
        "answers": all_[11:12],
        "fusion": all_[12:],
    }[first]


@pytest.mark.slow
def test_a_bomb_in_place_of_any_file_does_not_go_off(shared: Path, tmp_path: Path) -> None:
    home, marker = tmp_path / "home", tmp_path / "marker"
    shutil.copytree(shared, home)
    files = [path.relative_to(home).as_posix() for path in sorted(home.rglob("*")) if path.is_file()]
    assert len(files) > 40
    for name in files:
        kept = (home / name).read_bytes()
        for payload in payloads(marker, name):
            (home / name).write_bytes(payload)
            for read in of_which(name, home):
                said(read)
            assert not marker.exists(), name
        (home / name).write_bytes(kept)
    for read in readers(home):
        said(read)


@pytest.mark.parametrize("number", [1, 2])
def test_a_bomb_in_the_cache_under_its_own_hash_is_thrown_away(tmp_path: Path, number: int) -> None:
    cache = EmbeddingCache(tmp_path / "cache")
    cache.add("x", ["k"], np.ones((1, 4)))
    (whole,) = (tmp_path / "cache").rglob("*.npy")
    payload = list(payloads(tmp_path / "marker", ".npy"))[number]
    bomb = whole.with_stem(hashlib.sha256(payload).hexdigest())
    bomb.write_bytes(payload)
    vectors, found = cache.find("x", ["k", "other"])
    assert found.tolist() == [True, False] and vectors is not None and vectors[0].tolist() == [1, 1, 1, 1]
    assert not bomb.exists() and whole.exists() and not (tmp_path / "marker").exists()


def spoilt(value: Any, text: str, number: float) -> Any:
    """A record with every text and every number replaced, keys of tables too."""
    if isinstance(value, dict):
        return {key: spoilt(inside, text, number) for key, inside in value.items()} | {text: text}
    if isinstance(value, list):
        return [spoilt(inside, text, number) for inside in value]
    return text if isinstance(value, str) else number if isinstance(value, int | float) else value


SPOILT = {
    "the record of a run": "run/run.json",
    "its metrics": "run/metrics.json",
    "the record of a firm": f"run/{firm_folder(Path(), FIRM).name}/topics.json",
    "the record of a judge": f"run/{firm_folder(Path(), FIRM).name}/judge.json",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SPOILT.values(), ids=SPOILT.keys())
def test_paths_and_huge_numbers_in_a_record_lead_nowhere(shared: Path, tmp_path: Path, name: str) -> None:
    for number, (text, size) in enumerate((("../../../../evil", 10**30), ("/dev/zero", -1))):
        home = tmp_path / str(number) / "deep" / "er"
        shutil.copytree(shared / "run", home / "run")
        write_json(home / name, spoilt(read_json(home / name), text, size))
        before = {path for path in tmp_path.rglob("*") if home not in path.parents}
        said(lambda home=home: render_report(home / "run"))
        said(lambda home=home: render_firm_report(firm_folder(home / "run", FIRM)))
        said(lambda home=home: export_run(home / "run", home / "out", ["csv"]))
        said(lambda home=home: load_request(home / "run"))
        assert {path for path in tmp_path.rglob("*") if home not in path.parents} == before


def test_a_firm_whose_name_is_a_path_has_a_folder_in_the_run(tmp_path: Path) -> None:
    for name in ("../../evil", "/etc/passwd", "a/../../b", "..", ".", "con\0x", "\u202e"):
        assert firm_folder(tmp_path, name).parent == tmp_path
        assert firm_folder(tmp_path, name).name.startswith("firm-")


def test_a_record_of_outputs_that_points_elsewhere_is_no_finished_run(tmp_path: Path, shared: Path) -> None:
    shutil.copytree(shared / "part", tmp_path / "part")
    for outputs in ({"/dev/zero": "x"}, {"../../etc/passwd": "x"}, [], "x", {"predictions.parquet": None}, None):
        (tmp_path / "part" / "part.json").write_text(json.dumps({"outputs": outputs}))
        assert not intact(tmp_path / "part")
