"""Corpora that grow: the same as all at once, one writer at a time, corrections with their history."""

import dataclasses
import errno
import multiprocessing
import os
import signal
from pathlib import Path

import pandas as pd
import pytest
from cases import names
from factories import flat_rows
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline.corpus.grow
import pipeline.corpus.readers
import pipeline.corpus.store
from pipeline import artifacts
from pipeline.artifacts import locked
from pipeline.corpus import spill
from pipeline.corpus.aliases import read_aliases
from pipeline.corpus.grow import append, create
from pipeline.corpus.ingest import Cleaning, ingest_tables
from pipeline.corpus.readers import SourceTable
from pipeline.corpus.sources import read_cleaning, read_sources, write_sources
from pipeline.corpus.store import TABLES, load_corpus, load_manifest, load_quarantine, save_corpus
from pipeline.errors import ArtifactError, CorpusError

HEADER = "patent_id,date,ipc,title,family_id,assignees\n"
FIRST = (
    HEADER + "US1,2010-01-05,F25B 41/20,one,F,A\nUS2,2011-01-05,F25B,two,,B\nUS3,2012-01-05,,three,,\nUS4,2013-01-05\n"
)
SECOND = HEADER + "US5,2014-01-05,H01L,five,F,A\nUS2,2011-01-05,G06F,corrected,,B\nUS1,2015-01-05,A01B,too late,,\n"


def quiet(message: str) -> None:
    """Progress nobody listens to."""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return write(tmp_path / "first.csv", FIRST)


@pytest.fixture
def second(tmp_path: Path) -> Path:
    return write(tmp_path / "second.csv", SECOND)


def contents(corpus: Path) -> dict[str, pd.DataFrame]:
    return {name: pd.read_parquet(corpus / f"{name}.parquet") for name in TABLES}


def assert_same(one: Path, other: Path) -> None:
    left, right = contents(one), contents(other)
    for name in TABLES:
        pd.testing.assert_frame_equal(left[name], right[name], obj=name)
    for key in ("account", "sources", "warnings", "content_hash", "coverage", "notes", "families", "aliases"):
        assert load_manifest(one)[key] == load_manifest(other)[key], key


def test_a_corpus_that_grew_is_the_one_of_all_files_at_once(first: Path, second: Path, tmp_path: Path) -> None:
    create([first, second], tmp_path / "at_once", Cleaning(), quiet)
    create([first], tmp_path / "grown", Cleaning(), quiet)
    grown = append([second], tmp_path / "grown", quiet)
    assert grown.changed
    assert_same(tmp_path / "at_once", tmp_path / "grown")
    assert grown.manifest["account"] == {
        "read": 7, "kept": 2, "merged_families": 1, "exact_repeats": 0, "quarantined": 3, "replaced": 1,
    }  # fmt: skip


_FIELDS = st.fixed_dictionaries(
    {
        "patent_id": st.sampled_from(["US1", "US2", "us-2", "EP3", "7", ""]),
        "date": st.sampled_from(["2010-01-05", "2011", "2012-02", "03/04/2012", "15/04/2012", "soon"]),
        "ipc": st.sampled_from(["F25B 41/20", "G06F 3/00;?", "", "H01L"]),
        "title": st.sampled_from(["", "one", "MÃ¼ller", "\ufffd"]),
        "family_id": st.sampled_from(["", "F"]),
        "cited_ids": st.sampled_from(["", "US1", "us 2;EP3"]),
    }
)


@given(st.lists(st.lists(_FIELDS, max_size=4), min_size=2, max_size=3))
@settings(max_examples=5, deadline=None)
def test_what_is_stored_and_read_again_makes_the_same_corpus(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[dict[str, str]]]
) -> None:
    sound = flat_rows([{"patent_id": "US99", "date": "2009-01-05", "ipc": "F25B"}])
    tables = [sound, *(named(rows, number) for number, rows in enumerate(files))]
    at_once = ingest_tables(tables)
    folder = tmp_path_factory.mktemp("grown")
    save_corpus(ingest_tables(tables[:1]), folder / "corpus")
    stored = read_sources(folder / "corpus", load_manifest(folder / "corpus"))
    grown = ingest_tables([*stored, *tables[1:]])
    assert grown.account == at_once.account
    pd.testing.assert_frame_equal(grown.quarantine, at_once.quarantine)
    pd.testing.assert_frame_equal(grown.history, at_once.history)
    for table in ("patents", "patent_codes", "citations", "parties", "members"):
        pd.testing.assert_frame_equal(getattr(grown.corpus, table), getattr(at_once.corpus, table), obj=table)


def test_how_many_rows_are_held_at_once_changes_not_a_byte(first: Path, second: Path, tmp_path: Path) -> None:
    third = write(
        tmp_path / "third.csv",
        "patent_id,date,ipc,title,family_id,cited_ids,inventors\n"
        "US7,2011,F25B,MÃ¼ller,F,US1;US2,Lüders;?\nUS8,03/04/2012,H01L;?,\ufffd,G,us-7;EP5,MÃ¼ller\n"
        "US9,2010-01-05,H01L,nine,G,US8,A;B\nUS9,2010-01-05,H01L,nine,G,US8,A;B\n",
    )
    create([first, second, third], tmp_path / "at_once", Cleaning(), quiet)
    account = load_manifest(tmp_path / "at_once")["account"]
    assert min(account.values()) >= 1, account  # there is some of everything
    for most in (1, 2, 5):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pipeline.corpus.spill.PIECE", most)
            create([first, second], tmp_path / "pieces", Cleaning(), quiet)
            append([third], tmp_path / "pieces", quiet)
        assert written(tmp_path / "pieces") == written(tmp_path / "at_once")


def written(corpus: Path) -> dict[str, bytes]:
    """The content of every file of a folder."""
    return {path.relative_to(corpus).as_posix(): path.read_bytes() for path in corpus.rglob("*") if path.is_file()}


def named(rows: list[dict[str, str]], number: int) -> SourceTable:
    table = flat_rows(rows or [{"patent_id": ""}])
    return dataclasses.replace(table, name=f"file {number}", sha256=str(number))


def test_a_file_that_is_in_already_changes_not_a_byte(first: Path, second: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    create([first], corpus, Cleaning(), quiet)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in corpus.rglob("*.*") if path.is_file()}
    copy = write(tmp_path / "the same under another name.csv", FIRST)
    for files in ([first], [copy], [first, copy], []):
        grown = append(files, corpus, quiet)
        assert not grown.changed
        assert len(grown.known) == len(files)
    assert before == {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in corpus.rglob("*.*") if p.is_file()}
    assert append([second, second, first], corpus, quiet).known == ("second.csv", "first.csv")
    assert [source["name"] for source in load_manifest(corpus)["sources"]] == ["first.csv", "second.csv"]


def test_a_correction_replaces_and_its_history_says_what_whence_and_when(
    first: Path, second: Path, tmp_path: Path
) -> None:
    create([first, second], tmp_path / "corpus", Cleaning(), quiet)
    patents = contents(tmp_path / "corpus")["patents"].set_index("patent_id")
    assert patents["title"].to_dict() == {"US1": "one", "US2": "corrected"}
    history = contents(tmp_path / "corpus")["history"]
    assert history[["patent_id", "field", "before", "after"]].to_numpy().tolist() == [
        ["US2", "title", "two", "corrected"],
        ["US2", "ipc", "F25B", "G06F"],
    ]
    places = history[["source_before", "row_before", "source_after", "row_after"]].drop_duplicates()
    assert places.to_numpy().tolist() == [["first.csv", 2, "second.csv", 2]]
    assert history["known_before"].astype(str).unique().tolist() == ["2011-01-05"]
    late = load_quarantine(tmp_path / "corpus").query("source == 'second.csv'")
    assert late[["row", "patent_id", "reason"]].to_numpy().tolist() == [
        [3, "US1", "an earlier file has this patent_id with other content and an earlier date, which stands"]
    ]


def test_a_correction_dated_later_leaves_the_past_as_it_was(first: Path, second: Path, tmp_path: Path) -> None:
    create([first], tmp_path / "before", Cleaning(), quiet)
    create(
        [first, write(tmp_path / "late.csv", HEADER + "US2,2014-01-05,H01L,later,,\n")],
        tmp_path / "after",
        Cleaning(),
        quiet,
    )
    day = pd.Timestamp("2011-06-30").as_unit("s")
    one = load_corpus(tmp_path / "before")
    one = dataclasses.replace(one, cutoff=max(one.cutoff, day)).as_of(day)
    other = load_corpus(tmp_path / "after")
    other = dataclasses.replace(other, cutoff=max(other.cutoff, day)).as_of(day)
    pd.testing.assert_frame_equal(one.patents, other.patents)
    pd.testing.assert_frame_equal(one.patent_codes, other.patent_codes)


def test_how_a_corpus_was_cleaned_stays_and_can_be_changed_later(first: Path, second: Path, tmp_path: Path) -> None:
    groups = read_aliases(write(tmp_path / "groups.yaml", "B: A\n"))
    corpus = tmp_path / "corpus"
    create([first], corpus, Cleaning(families="keep"), quiet)
    assert contents(corpus)["parties"]["party_id"].tolist() == ["a", "b"]
    assert append([], corpus, quiet, aliases=groups).changed
    assert contents(corpus)["parties"]["party_id"].tolist() == ["a", "a"]
    manifest = append([second], corpus, quiet).manifest
    assert manifest["families"] == "keep"
    assert manifest["aliases"] == {"name": "groups.yaml", "sha256": groups.sha256, "keys": {"b": "a"}}
    assert read_cleaning(corpus, manifest) == Cleaning(families="keep", aliases=groups)
    assert contents(corpus)["parties"]["party_id"].tolist() == ["a", "a", "a"]


# --- faults ---------------------------------------------------------------------------------------------------------


def test_a_second_writer_is_told_and_nothing_is_left_behind(first: Path, second: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    create([first], home / "corpus", Cleaning(), quiet)
    with locked(home / "corpus"):
        with pytest.raises(ArtifactError, match=r"another process is writing .*corpus: wait"):
            append([second], home / "corpus", quiet)
        with pytest.raises(ArtifactError, match="another process is writing"):
            create([first], home / "corpus", Cleaning(), quiet)
    assert append([second], home / "corpus", quiet).changed
    assert names(home) == ["corpus"]


def _killed_while_writing(first: Path, second: Path, corpus: Path, when: str) -> None:
    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if when == "before the swap":
        artifacts.exchanged = die  # type: ignore[assignment]
    elif when == "reading":
        pipeline.corpus.grow.spilled = die  # type: ignore[attr-defined]
        pipeline.corpus.readers.spilled = die  # type: ignore[attr-defined]
    elif when == "putting in order":
        spill.Ordered.__iter__ = die  # type: ignore[method-assign, assignment]
    else:
        pipeline.corpus.store.write_sources = die  # type: ignore[assignment]
    append([second], corpus, quiet)


@pytest.mark.parametrize("when", ["reading", "putting in order", "half written", "before the swap"])
def test_a_killed_writer_leaves_the_old_corpus_whole_and_the_next_one_clears_up(
    first: Path, second: Path, tmp_path: Path, when: str
) -> None:
    home = tmp_path / "home"
    create([first], home / "corpus", Cleaning(), quiet)
    before = load_manifest(home / "corpus")
    writer = multiprocessing.get_context("fork").Process(
        target=_killed_while_writing, args=(first, second, home / "corpus", when)
    )
    writer.start()
    writer.join()
    assert writer.exitcode == -signal.SIGKILL
    # the corpus, the rows as read, the lock nobody holds, and what was half written
    assert len(names(home)) == 3 + (when != "reading")
    assert load_manifest(home / "corpus") == before
    assert len(load_corpus(home / "corpus").patents) == 2
    assert append([second], home / "corpus", quiet).changed
    assert names(home) == ["corpus"]


@pytest.mark.parametrize("full", ["pipeline.corpus.readers.spilled", "pipeline.corpus.spill.Ordered.add"])
def test_a_disk_that_has_no_room_for_the_rows_is_one_line_and_nothing_is_left(
    first: Path, second: Path, tmp_path: Path, full: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    home = tmp_path / "home"
    create([first], home / "corpus", Cleaning(), quiet)
    before = written(home / "corpus")
    monkeypatch.setattr(full, no_room)
    with pytest.raises(ArtifactError, match=r"^cannot write [^\n]*: No space left on device$"):
        append([second], home / "corpus", quiet)
    assert written(home / "corpus") == before
    assert names(home) == ["corpus"]


def test_a_corpus_left_between_two_names_is_put_back(first: Path, second: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    create([first], home / "corpus", Cleaning(), quiet)
    (home / ".corpus.old.abcd1234").mkdir()
    (home / "corpus").replace(home / ".corpus.old.abcd1234" / "old")
    assert append([second], home / "corpus", quiet).changed
    assert names(home) == ["corpus"]


@pytest.mark.parametrize("swap", [True, False])
def test_folders_are_swapped_with_and_without_the_systems_help(
    first: Path, second: Path, tmp_path: Path, swap: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not swap:
        monkeypatch.setattr(artifacts, "exchanged", lambda one, other: False)
    create([first], tmp_path / "corpus", Cleaning(), quiet)
    append([second], tmp_path / "corpus", quiet)
    assert load_manifest(tmp_path / "corpus")["account"]["read"] == 7
    assert names(tmp_path) == ["corpus", "first.csv", "second.csv"]


def test_damaged_or_missing_rows_are_noticed_before_anything_is_written(
    first: Path, second: Path, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus"
    create([first], corpus, Cleaning(), quiet)
    rows = corpus / "sources" / "0001.parquet"
    whole = rows.read_bytes()
    rows.write_bytes(whole[:-1] + b"?")
    with pytest.raises(ArtifactError, match=r"0001.parquet is damaged: ingest all files again"):
        append([second], corpus, quiet)
    rows.unlink()
    with pytest.raises(ArtifactError, match=r"0001.parquet is missing"):
        append([second], corpus, quiet)


def test_there_must_be_a_corpus_to_add_to(first: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="is not a corpus: make one with"):
        append([first], tmp_path / "none", quiet)


def test_sources_come_back_as_their_readers_gave_them(first: Path, tmp_path: Path) -> None:
    table = dataclasses.replace(flat_rows([{"patent_id": "US1", "title": "東芝"}]), ignored=("a", "b"), sha256="x")
    (tmp_path / "corpus").mkdir()
    digests = write_sources(tmp_path / "corpus", [table], tmp_path, 0)
    (back,) = read_sources(tmp_path / "corpus", {"sources": [{"stored": digests[0]}]})
    pd.testing.assert_frame_equal(pd.concat(back.pieces()), table.frame, check_index_type=False)
    assert (back.name, back.format, back.ignored, back.sha256) == (table.name, table.format, table.ignored, "x")
    assert list(back.faults.columns) == list(table.faults.columns)
