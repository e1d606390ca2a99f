"""A corpus on disk: the same bytes for the same input, and damage is noticed."""

import json
from pathlib import Path

import pandas as pd
import pytest
from cases import real_data
from factories import ingested_from

from pipeline.corpus.entry_dates import load_entry_dates
from pipeline.corpus.ingest import Ingested, ingest
from pipeline.corpus.store import TABLES, load_corpus, load_manifest, save_corpus
from pipeline.errors import ArtifactError, CorpusError


@pytest.fixture
def ingested() -> Ingested:
    return ingested_from(
        [
            {"patent_id": "US1", "date": "2010-01-05", "ipc": "F25B 41/20;?", "family_id": "F", "claims_count": "7"},
            {"patent_id": "US2", "date": "2012-02-29", "ipc": "G06F", "family_id": "F", "title": "x"},
            {"patent_id": "US3", "date": "2011-06-01", "cpc": "Y02E 10/50", "cited_ids": "US2;US1", "title": "東芝"},
            {"patent_id": "US4", "date": "2011-06-01"},
        ]
    )


def assert_round_trip(ingested: Ingested, folder: Path) -> None:
    save_corpus(ingested, folder)
    loaded = load_corpus(folder)
    assert loaded.cutoff == ingested.corpus.cutoff
    pd.testing.assert_frame_equal(loaded.entry_dates, load_entry_dates())
    for table in TABLES.keys() - {"quarantine", "history"}:
        pd.testing.assert_frame_equal(getattr(loaded, table), getattr(ingested.corpus, table), obj=table)


def test_what_is_saved_is_what_is_loaded(ingested: Ingested, tmp_path: Path) -> None:
    assert_round_trip(ingested, tmp_path / "corpus")


def test_a_real_corpus_survives_the_round_trip(tmp_path: Path) -> None:
    assert_round_trip(ingest([real_data("corpora/dpl_google.parquet")]), tmp_path / "corpus")


def test_the_same_input_gives_the_same_bytes(ingested: Ingested, tmp_path: Path) -> None:
    save_corpus(ingested, tmp_path / "one")
    save_corpus(ingested, tmp_path / "two")
    names = sorted(file.name for file in (tmp_path / "one").iterdir())
    assert names == sorted([*(f"{name}.parquet" for name in TABLES), "manifest.json", "sources"])
    files = [str(file.relative_to(tmp_path / "one")) for file in (tmp_path / "one").rglob("*.*") if file.is_file()]
    assert {"sources/0001.parquet", "sources/0001.faults.parquet", "manifest.json"} < set(files)
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_the_manifest_says_what_is_in_it(ingested: Ingested, tmp_path: Path) -> None:
    manifest = save_corpus(ingested, tmp_path / "corpus", simulated=True)
    assert manifest == load_manifest(tmp_path / "corpus")
    assert manifest["simulated"] is True
    assert manifest["families"] == "merge"
    account = {"read": 4, "kept": 2, "merged_families": 1, "exact_repeats": 0, "quarantined": 1, "replaced": 0}
    assert manifest["account"] == account
    assert (manifest["first_knowledge_date"], manifest["last_knowledge_date"]) == ("2010-01-05", "2012-02-29")
    assert {name: table["rows"] for name, table in manifest["tables"].items()} == {
        "patents": 2,
        "patent_codes": 2,
        "citations": 2,
        "parties": 0,
        "members": 3,
        "history": 0,
        "quarantine": 2,
    }
    coverage = manifest["coverage"]
    assert {name for name, share in coverage.items() if share == 0.5} == {
        "title", "family_id", "claims_count", "ipc", "cpc", "citations",
    }  # fmt: skip
    assert {share for share in coverage.values()} == {0.0, 0.5}


def test_a_change_of_content_changes_the_content_hash(ingested: Ingested, tmp_path: Path) -> None:
    other = ingested_from([{"patent_id": "US1", "date": "2010-01-05", "ipc": "F25B"}])
    one, two = (save_corpus(item, tmp_path / "corpus")["content_hash"] for item in (ingested, other))
    assert one != two


@pytest.mark.parametrize("name", TABLES)
def test_a_damaged_or_missing_table_is_noticed(ingested: Ingested, tmp_path: Path, name: str) -> None:
    save_corpus(ingested, tmp_path / "corpus")
    file = tmp_path / "corpus" / f"{name}.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ArtifactError, match=f"{name}.parquet is damaged"):
        load_corpus(tmp_path / "corpus")
    file.unlink()
    with pytest.raises(ArtifactError, match=f"{name}.parquet is missing"):
        load_corpus(tmp_path / "corpus")


@pytest.mark.parametrize(
    ("edit", "error", "message"),
    [
        ({"schema_version": 99}, CorpusError, "schema version 99"),
        ({"content_hash": "0"}, ArtifactError, "content hash"),
        ({"tables": {}}, ArtifactError, "does not describe every table"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    ingested: Ingested, tmp_path: Path, edit: dict[str, object], error: type[Exception], message: str
) -> None:
    manifest = save_corpus(ingested, tmp_path / "corpus")
    (tmp_path / "corpus" / "manifest.json").write_text(json.dumps(manifest | edit))
    with pytest.raises(error, match=message):
        load_corpus(tmp_path / "corpus")


def test_a_folder_that_is_no_corpus_is_neither_read_nor_overwritten(ingested: Ingested, tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_text("precious")
    with pytest.raises(CorpusError, match="is not a corpus"):
        load_corpus(tmp_path)
    with pytest.raises(ArtifactError, match="choose another"):
        save_corpus(ingested, tmp_path)
    assert (tmp_path / "holiday.jpg").read_text() == "precious"
