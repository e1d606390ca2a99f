"""The summary of a background corpus: at any cutoff it counts what the corpus itself would, and nothing later."""

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases import names, real_data
from factories import corpus_from, ingested_from
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.background.summary import (
    SCHEMA_VERSION,
    Snapshot,
    Summary,
    background_hash,
    load_background,
    load_summary,
    load_summary_manifest,
    save_summary,
    summarise,
)
from pipeline.corpus.ingest import ingest
from pipeline.corpus.store import load_corpus, save_corpus
from pipeline.corpus.timeline import Corpus
from pipeline.errors import ArtifactError, CorpusError

SYMBOLS = ["A01B 1/00", "A01B 3/00", "A01C 1/00", "F25B 41/20", "F25D", "G06F 3/00", "H01"]


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text).as_unit("s")


def patent(number: int, date: str, codes: list[str]) -> dict[str, Any]:
    return {"patent_id": f"US{number}", "date": date, "ipc": codes}


DATES = st.dates(pd.Timestamp("2007-01-01").date(), pd.Timestamp("2008-06-30").date())


@st.composite
def corpora(draw: st.DrawFn) -> Corpus:
    """Up to 25 patents of a year and a half with one to four of seven symbols, one of them only a class."""
    carried = st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=4, unique=True)
    drawn = draw(st.lists(st.tuples(DATES, carried), max_size=24))
    rows = [patent(n, f"{date}", codes) for n, (date, codes) in enumerate(drawn)]
    return corpus_from([patent(99, "2007-03-31", ["G06F 3/00"]), *rows])


def assert_counts_are_those_of(corpus: Corpus, cutoff: pd.Timestamp, got: Snapshot) -> None:
    """Equal, to the last patent, to the history's own incidence."""
    history = corpus.as_of(cutoff)
    incidence = history.incidence("ipc", "subclass")
    assert got.codes.tolist() == incidence.codes.tolist()
    np.testing.assert_array_equal(got.counts, incidence.counts())
    np.testing.assert_array_equal(got.joint.toarray(), incidence.joint().toarray())
    assert got.patents == np.count_nonzero(incidence.matrix.sum(axis=1))


def assert_same(left: Summary, right: Summary) -> None:
    assert (left.scheme, left.level) == (right.scheme, right.level)
    assert (left.first_day, left.last_day) == (right.first_day, right.last_day)
    assert left.codes.tolist() == right.codes.tolist()
    for table in ("months", "activity", "joint"):
        pd.testing.assert_frame_equal(getattr(left, table), getattr(right, table), obj=table)


@settings(max_examples=15, deadline=None)
@given(corpora(), st.integers(0, 27))
def test_up_to_any_day_it_counts_what_the_corpus_counted_at_its_last_whole_month(corpus: Corpus, after: int) -> None:
    summary = summarise(corpus, "ipc", "subclass")
    for month in pd.date_range("2006-11-30", "2008-08-31", freq="3ME", unit="s"):
        counted = summary.counted_until(month + pd.Timedelta(days=after))
        assert counted == min(month, corpus.cutoff)
        assert_counts_are_those_of(corpus, counted, summary.until(month + pd.Timedelta(days=after)))


@settings(max_examples=15, deadline=None)
@given(corpora(), DATES)
def test_what_comes_later_changes_nothing(corpus: Corpus, date: Any) -> None:
    cutoff = max(pd.Timestamp(date), day("2007-03-31"))
    whole = summarise(corpus, "ipc", "subclass").until(cutoff)
    alone = summarise(corpus.as_of(min(cutoff, corpus.cutoff)), "ipc", "subclass").until(cutoff)
    assert whole.codes.tolist() == alone.codes.tolist()
    np.testing.assert_array_equal(whole.counts, alone.counts)
    np.testing.assert_array_equal(whole.joint.toarray(), alone.joint.toarray())
    assert whole.patents == alone.patents


@settings(max_examples=10, deadline=None)
@given(corpora(), st.sampled_from(["2006-12-31", "2007-01-31", "2007-06-30", "2008-02-29"]))
def test_a_window_counts_its_own_months_over_the_codes_of_the_cutoff(corpus: Corpus, since: str) -> None:
    summary = summarise(corpus, "ipc", "subclass")
    got = summary.until(corpus.cutoff, day(since))
    assert got.codes.tolist() == summary.until(corpus.cutoff).codes.tolist()
    dates = corpus.patents.set_index("patent_id")["knowledge_date"]
    table = corpus.patent_codes[corpus.patent_codes["patent_id"].map(dates) > day(since)]
    fine = table[table["symbol"].str.len() >= 4]
    carried = [{symbol[:4] for symbol in symbols} for _, symbols in fine.groupby("patent_id")["symbol"]]
    counts = Counter(code for codes in carried for code in codes)
    joint = Counter(pair for codes in carried for pair in itertools.permutations(codes, 2))
    assert got.counts.tolist() == [counts[code] for code in got.codes]
    assert got.joint.toarray().tolist() == [[joint[x, y] for y in got.codes] for x in got.codes]
    assert got.patents == len(carried)


@pytest.fixture
def corpus() -> Corpus:
    rows = [
        patent(1, "2007-01-15", ["A01B 1/00", "A01C 1/00"]),
        patent(2, "2007-01-31", ["A01B 1/00", "A01C 1/00", "G06F 3/00"]),
        patent(3, "2007-03-01", ["G06F 3/00"]),
        patent(4, "2007-05-10", ["H01"]),
    ]
    return corpus_from(rows)


def test_a_month_that_is_not_over_does_not_count(corpus: Corpus) -> None:
    summary = summarise(corpus, "ipc", "subclass")
    assert summary.until(day("2007-01-30")).patents == 0
    assert summary.until(day("2007-01-30")).codes.tolist() == []
    assert summary.until(day("2007-01-31")).patents == 2
    assert summary.until(day("2007-03-30")).patents == 2
    assert summary.counted_until(day("2007-03-30")) == day("2007-02-28")


def test_a_corpus_cut_within_a_month_is_summarised_up_to_the_month_before(corpus: Corpus) -> None:
    cut = summarise(corpus.as_of(day("2007-03-10")), "ipc", "subclass")
    assert cut.last_day == day("2007-02-28")
    assert cut.until(day("2030-12-31")).patents == 2
    assert cut.counted_until(day("2030-12-31")) == day("2007-02-28")


def test_patents_without_a_code_of_the_level_do_not_exist_for_it(corpus: Corpus) -> None:
    assert summarise(corpus, "ipc", "subclass").until(corpus.cutoff).patents == 3
    assert summarise(corpus, "ipc", "class").until(corpus.cutoff).patents == 4
    assert summarise(corpus, "ipc", "maingroup").codes.tolist() == ["A01B 1/00", "A01C 1/00", "G06F 3/00"]


@pytest.mark.parametrize(("scheme", "known_until"), [("cpc", "2007-05-31"), ("ipc", "2007-01-30")])
def test_no_code_at_all_is_one_line(corpus: Corpus, scheme: str, known_until: str) -> None:
    with pytest.raises(CorpusError, match=rf"^the background has no {scheme} code at level subclass.*$"):
        summarise(corpus.as_of(day(known_until)), scheme, "subclass")


@settings(max_examples=8, deadline=None)
@given(corpus=corpora())
def test_what_is_saved_is_what_is_loaded(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> None:
    summary = summarise(corpus, "ipc", "subclass")
    folder = tmp_path_factory.mktemp("summary")
    save_summary(summary, folder, "of the corpus")
    assert_same(load_summary(folder), summary)


def test_the_manifest_says_what_is_in_it_and_the_bytes_repeat(corpus: Corpus, tmp_path: Path) -> None:
    summary = summarise(corpus, "ipc", "subclass")
    manifest = save_summary(summary, tmp_path / "one", "abc")
    assert manifest == load_summary_manifest(tmp_path / "one")
    told = ("schema_version", "scheme", "level", "first_day", "last_day", "source", "patents", "codes")
    assert [manifest[name] for name in told] == [
        SCHEMA_VERSION, "ipc", "subclass", "2007-01-15", "2007-05-31", "abc", 3, 3,
    ]  # fmt: skip
    assert {name: table["rows"] for name, table in manifest["tables"].items()} == {
        "months": 2,
        "activity": 4,
        "joint": 3,
    }
    save_summary(summary, tmp_path / "two", "abc")
    assert names(tmp_path / "one") == ["activity.parquet", "joint.parquet", "manifest.json", "months.parquet"]
    for name in names(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_another_level_another_time_or_another_source_is_another_content(corpus: Corpus, tmp_path: Path) -> None:
    stored = [
        (summarise(corpus, "ipc", "subclass"), "abc"),
        (summarise(corpus, "ipc", "maingroup"), "abc"),
        (summarise(corpus.as_of(day("2007-04-30")), "ipc", "subclass"), "abc"),
        (summarise(corpus, "ipc", "subclass"), "def"),
    ]
    assert len({save_summary(one, tmp_path / "s", source)["content_hash"] for one, source in stored}) == 4


@pytest.fixture
def folder(corpus: Corpus, tmp_path: Path) -> Path:
    save_summary(summarise(corpus, "ipc", "subclass"), tmp_path / "summary", "abc")
    return tmp_path / "summary"


@pytest.mark.parametrize("name", ["months", "activity", "joint"])
def test_a_damaged_or_missing_table_is_noticed(folder: Path, name: str) -> None:
    file = folder / f"{name}.parquet"
    file.write_bytes(file.read_bytes()[:-9] + b"x" + file.read_bytes()[-8:])
    with pytest.raises(ArtifactError, match=rf"^.*{name}\.parquet is damaged.*summarise the corpus again$"):
        load_summary(folder)
    file.unlink()
    with pytest.raises(ArtifactError, match=rf"^.*{name}\.parquet is missing.*$"):
        load_summary(folder)


@pytest.mark.parametrize(
    "change", [{"last_day": "2030-12-31"}, {"level": "class"}, {"tables": {}}, {"tables": None}, {"content_hash": "0"}]
)
def test_a_manifest_that_was_changed_is_noticed(folder: Path, change: dict[str, Any]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | change))
    with pytest.raises(ArtifactError, match=r"^.*manifest\.json is damaged.*$"):
        load_summary(folder)


def test_a_summary_is_never_written_over_a_corpus(corpus: Corpus, tmp_path: Path) -> None:
    save_corpus(ingested_from([patent(1, "2007-01-15", ["A01B"])]), tmp_path / "corpus")
    with pytest.raises(ArtifactError, match="would be lost"):
        save_summary(summarise(corpus, "ipc", "subclass"), tmp_path / "corpus", "abc")
    load_corpus(tmp_path / "corpus")


def test_summaries_and_corpora_are_not_taken_for_each_other(folder: Path, tmp_path: Path) -> None:
    save_corpus(ingested_from([patent(1, "2007-01-15", ["A01B"])]), tmp_path / "corpus")
    with pytest.raises(CorpusError, match=r"^.*has schema version 2, a background summary has background-1: .*$"):
        load_summary(tmp_path / "corpus")
    with pytest.raises(CorpusError, match="has schema version background-1, this program reads 2"):
        load_corpus(folder)
    with pytest.raises(CorpusError, match=r"^.*is not a background summary: make one with `techconverge summarise.*$"):
        load_summary(tmp_path)


def test_a_background_is_a_summary_or_the_corpus_it_would_be_made_from(tmp_path: Path) -> None:
    ingested = ingested_from([patent(1, "2007-01-15", ["A01B", "A01C"]), patent(2, "2007-02-01", ["A01B"])])
    manifest = save_corpus(ingested, tmp_path / "corpus")
    summary = save_summary(summarise(ingested.corpus, "ipc", "subclass"), tmp_path / "summary", "abc")
    assert background_hash(tmp_path / "corpus") == manifest["content_hash"]
    assert background_hash(tmp_path / "summary") == summary["content_hash"]
    assert_same(
        load_background(tmp_path / "corpus", "ipc", "subclass"),
        load_background(tmp_path / "summary", "ipc", "subclass"),
    )
    for folder in ("corpus", "summary"):  # a CPC subclass is the IPC's; lower down the two differ
        assert load_background(tmp_path / folder, "cpc", "subclass").scheme == "ipc"
    with pytest.raises(CorpusError, match="has no cpc code at level maingroup"):
        load_background(tmp_path / "corpus", "cpc", "maingroup")
    with pytest.raises(CorpusError, match=r"^.*counts ipc codes at level subclass, the run asks for ipc at class.*$"):
        load_background(tmp_path / "summary", "ipc", "class")
    with pytest.raises(CorpusError, match="is not a corpus"):
        load_background(tmp_path / "nothing", "ipc", "subclass")


def test_on_real_grants_it_is_exact_and_small(tmp_path: Path) -> None:
    table = pd.read_parquet(real_data("corpora/uspto_2007_2010.parquet"))
    table[table["date"].between("2007-06-15", "2007-09-14")].to_parquet(tmp_path / "grants.parquet", index=False)
    corpus = ingest([tmp_path / "grants.parquet"]).corpus
    summary = summarise(corpus, "ipc", "subclass")
    assert len(summary.codes) > 500
    for cutoff in ("2007-06-30", "2007-08-31", "2007-09-30"):
        assert_counts_are_those_of(corpus, day(cutoff), summary.until(day(cutoff)))
    save_summary(summary, tmp_path / "summary", "abc")
    assert_same(load_summary(tmp_path / "summary"), summary)
    assert sum(file.stat().st_size for file in (tmp_path / "summary").iterdir()) < 1.5 * len(corpus.patents)
