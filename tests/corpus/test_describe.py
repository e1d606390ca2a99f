"""A corpus in numbers, and what of its coverage would mislead."""

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from cases import real_data
from factories import corpus_from, ingested_from

from pipeline.corpus.coverage_warnings import coverage_warnings
from pipeline.corpus.describe import Description, describe
from pipeline.corpus.entry_dates import load_entry_dates
from pipeline.corpus.ingest import Ingested, ingest
from pipeline.corpus.store import save_corpus


def described(ingested: Ingested, folder: Path, level: str = "subclass") -> Description:
    return describe(ingested.corpus, save_corpus(ingested, folder), ingested.quarantine, level)


def patents(year: int, count: int, **fields: Any) -> list[dict[str, Any]]:
    row = {"ipc": "F25B 1/00", "title": "a title", "office": "US"} | fields
    return [
        row | {"patent_id": f"{row['office']}{year}{n:04d}", "date": f"{year}-12-{n % 28 + 1:02d}"}
        for n in range(count)
    ]


def warnings(*rows: list[dict[str, Any]]) -> tuple[str, ...]:
    return coverage_warnings(corpus_from([row for part in rows for row in part]), "ipc")


def test_a_small_corpus_is_described_to_the_last_number(tmp_path: Path) -> None:
    rows = [
        {
            "patent_id": "US1",
            "date": "2010-01-05",
            "ipc": "F25B 1/00;G06F 3/00",
            "assignees": "A Ltd;B",
            "office": "US",
            "title": "The pump of a car",
        },
        {"patent_id": "US2", "date": "2012-12-05", "ipc": "F25B 2/00;F25B 3/00", "assignees": "A", "office": "US"},
        {
            "patent_id": "JP3",
            "date": "2012-12-06",
            "ipc": "H01L",
            "assignees": "A Ltd.",
            "office": "JP",
            "app_date": "never",
        },
        {"patent_id": "JP4", "date": "", "ipc": "H01L"},
        {"patent_id": "JP5", "date": "", "ipc": "H01L"},
    ]
    d = described(ingested_from(rows), tmp_path / "corpus")
    assert (d.scheme, d.level, d.patents, d.distinct_codes, d.distinct_firms) == ("ipc", "subclass", 3, 3, 2)
    assert d.account["read"] == 5
    assert d.reasons.to_numpy().tolist()[0] == ["row", "no date", 2]
    assert d.years.fillna(-1).to_numpy().tolist() == [[2010, 1, 2], [2011, 0, -1], [2012, 2, 1.5]]
    assert d.spread["patents"].tolist() == [0, 1, 2, *[0] * 8]
    assert d.codes[["code", "patents"]].to_numpy().tolist() == [["F25B", 2], ["G06F", 1], ["H01L", 1]]
    assert d.codes["recent"].tolist() == [1.0, 1.0, 1.0]
    assert d.firms[["party_id", "name", "patents"]].to_numpy().tolist() == [["a", "A", 3], ["b", "B", 1]]
    assert d.offices[["office", "patents", "title"]].to_numpy().tolist() == [["US", 2, 0.5], ["JP", 1, 0.0]]
    assert d.languages.to_numpy().tolist() == [["", 2], ["en", 1]]


def test_an_even_corpus_gives_no_warning() -> None:
    assert warnings(*(patents(year, 40) for year in range(2010, 2016))) == ()


def test_a_last_year_that_ends_early_or_is_thin_is_incomplete() -> None:
    whole = [patents(year, 40) for year in range(2010, 2015)]
    early = [row | {"date": "2015-06-01"} for row in patents(2015, 40)]
    assert warnings(*whole, early)[0].startswith("last year: the patents end on 2015-06-01, so 2015 is not whole")
    assert warnings(*whole, patents(2015, 20))[0].startswith("last year: 2015 has 20 patents where the three years")


def test_years_without_patents_are_named() -> None:
    assert "no patent at all in 2012, 2013:" in warnings(patents(2011, 40), patents(2014, 40))[0]


def test_a_jump_of_coding_practice_is_told_and_a_trend_is_not() -> None:
    few, many = {"ipc": "F25B 1/00"}, {"ipc": "F25B 1/00;G06F 3/00"}
    (jump,) = warnings(patents(2010, 60, **few), patents(2011, 60, **few), patents(2012, 60, **many))
    assert jump.startswith("coding practice: the number of IPC codes jumps in 2012 (1.0 to 2.0 a patent)")
    mixed = [patents(2011, 60, **few)[:50] + patents(2011, 60, **many)[50:]]
    assert warnings(patents(2010, 60, **few), *mixed) == ()


def test_an_office_without_texts_is_named() -> None:
    rows = [patents(2010, 40), patents(2010, 40, office="DE", title="")]
    (warning,) = warnings(*rows)
    assert warning.startswith("title: far fewer of the patents of DE (0% of 40) have one")
    assert warnings(patents(2010, 40, title=""), patents(2010, 40, office="DE", title="")) == ()


def test_codes_that_came_after_their_patents_are_counted() -> None:
    corpus = corpus_from([*patents(2015, 30), *patents(2015, 10, office="EP", ipc="G06V 10/40;F25B 1/00")])
    assert not [text for text in coverage_warnings(corpus, "ipc") if text.startswith("codes")]
    dated = dataclasses.replace(corpus, entry_dates=load_entry_dates())
    (warning,) = [text for text in coverage_warnings(dated, "ipc") if text.startswith("codes")]
    assert "10 patents (25.0%) carry codes that came into force after them (most often G06V 10/40)" in warning


def test_the_break_of_2014_in_a_real_corpus_of_us_grants_is_found(tmp_path: Path) -> None:
    ingested = ingest([real_data("corpora/uspto_random_pygrams.parquet")])
    d = described(ingested, tmp_path / "corpus")
    assert d.scheme == "cpc"
    assert any("jumps in 2014" in text and "2015" in text for text in d.warnings)
    assert any(text.startswith("last year: the patents end on 2018-05-29") for text in d.warnings)
    raw = pd.read_parquet(real_data("corpora/uspto_random_pygrams.parquet"))
    by_year = raw[raw["cpc"] != ""]["date"].str[:4].astype(int).value_counts()
    assert d.years.set_index("year")["patents"].sub(by_year, fill_value=0).abs().max() <= 1


@pytest.mark.parametrize(("level", "code"), [("section", "F"), ("maingroup", "F25B 1/00"), ("subgroup", "F25B 1/00")])
def test_codes_are_listed_at_the_level_asked_for(tmp_path: Path, level: str, code: str) -> None:
    d = described(ingested_from(patents(2010, 5)), tmp_path / "corpus", level)
    assert d.codes["code"].tolist() == [code]
