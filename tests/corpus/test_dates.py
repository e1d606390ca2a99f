"""Dates in the habits of sources, each at its own precision."""

import datetime

import pandas as pd
import pytest
from factories import corpus_from, ingested_from
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpus.dates import AMBIGUOUS, NO_DATE, first_day, known_from, precision, read_dates


def iso(*texts: str) -> list[str]:
    return read_dates(pd.Series(texts, dtype="str"))["iso"].tolist()


def faults(*texts: str) -> list[str]:
    return read_dates(pd.Series(texts, dtype="str"))["fault"].tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2018-01-02", "2018-01-02"),
        ("20180102", "2018-01-02"),
        ("2018/1/2", "2018-01-02"),
        ("2018.01.02", "2018-01-02"),
        ("2018-01-02T00:00:00Z", "2018-01-02"),
        ("2018-01-02 11:30", "2018-01-02"),
        ("02.01.2018", "2018-01-02"),
        ("2.1.2018", "2018-01-02"),
        ("2 Jan 2018", "2018-01-02"),
        ("2nd January 2018", "2018-01-02"),
        ("Jan. 2, 2018", "2018-01-02"),
        ("JAN 2 2018", "2018-01-02"),
        ("02-JAN-2018", "2018-01-02"),
        ("2. Januar 2018", "2018-01-02"),
        ("1er août 2018", "2018-08-01"),
        ("2 de enero de 2018", "2018-01-02"),
        ("2018年1月2日", "2018-01-02"),
        ("2018년 1월 2일", "2018-01-02"),
        ("2018. 1. 2.", "2018-01-02"),
        ("2/2/2018", "2018-02-02"),  # the same either way
        ("2018-01", "2018-01"),
        ("201801", "2018-01"),
        ("2018年1月", "2018-01"),
        ("January 2018", "2018-01"),
        ("Jan. 2018", "2018-01"),
        ("01/2018", "2018-01"),
        ("2018-01-00", "2018-01"),
        ("2018", "2018"),
        ("2018-00-00", "2018"),
        ("20180000", "2018"),
    ],
)
def test_a_date_is_read_at_its_own_precision(text: str, expected: str) -> None:
    assert iso(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2018-13-01",
        "2018-02-30",
        "0001-01-01",
        "9999-12-31",
        "31.04.2018",
        "2 Foo 2018",
        "02-JAN-18",
        "1/2",
    ],
)
def test_what_is_no_date_is_told_and_an_empty_text_is_neither(text: str) -> None:
    assert faults(text, "") == [NO_DATE, ""]
    assert iso(text, "") == ["", ""]


def test_the_column_says_whether_day_or_month_stands_first() -> None:
    assert iso("13/04/2018", "03/04/2018") == ["2018-04-13", "2018-04-03"]
    assert iso("04/13/2018", "03-04-2018") == ["2018-04-13", "2018-03-04"]
    assert faults("03/04/2018", "04/04/2018") == [AMBIGUOUS, ""]
    assert faults("13/04/2018", "04/13/2018", "03/04/2018") == ["", "", AMBIGUOUS]


def test_spreadsheet_days_count_only_in_a_column_of_nothing_else() -> None:
    assert iso("43102", "", "43103.0") == ["2018-01-02", "", "2018-01-03"]
    assert faults("43102", "2018-01-03") == [NO_DATE, ""]


def test_what_is_known_of_a_period_is_known_at_its_end() -> None:
    texts = pd.Series(["2018-01-02", "2016-02", "2018", ""])
    assert known_from(texts).dropna().astype(str).tolist() == ["2018-01-02", "2016-02-29", "2018-12-31"]
    assert first_day(texts).dropna().astype(str).tolist() == ["2018-01-02", "2016-02-01", "2018-01-01"]
    assert precision(texts).tolist() == ["day", "month", "year", ""]


@given(st.lists(st.dates(datetime.date(1700, 1, 1), datetime.date(2199, 12, 31)), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_every_unambiguous_spelling_of_a_day_comes_back_as_that_day(days: list[datetime.date]) -> None:
    expected = [day.isoformat() for day in days]
    for form in ("%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%Y/%m/%d", "%d %b %Y", "%B %d, %Y", "%Y-%m-%dT12:00:00"):
        assert iso(*(day.strftime(form).zfill(8) for day in days)) == expected, form


def test_a_patent_of_a_year_is_known_at_its_end_and_its_filing_no_later_than_that() -> None:
    rows = [
        {"patent_id": "US1", "date": "2010", "ipc": "F25B", "app_date": "2010"},
        {"patent_id": "US2", "date": "2010-06", "ipc": "F25B", "app_date": "2010"},
        {"patent_id": "US3", "date": "15 June 2010", "ipc": "F25B", "app_date": "2009-02"},
    ]
    corpus = corpus_from(rows)
    table = corpus.patents.set_index("patent_id")
    assert table["knowledge_date"].astype(str).to_dict() == {
        "US3": "2010-06-15",
        "US2": "2010-06-30",
        "US1": "2010-12-31",
    }
    assert table["filing_date"].astype(str).to_dict() == {"US3": "2009-02-28", "US2": "2010-06-30", "US1": "2010-12-31"}
    assert table["date_precision"].to_dict() == {"US3": "day", "US2": "month", "US1": "year"}
    assert corpus.as_of(pd.Timestamp("2010-12-30")).patents["patent_id"].tolist() == ["US3", "US2"]
    warnings = ingested_from(rows).warnings
    assert warnings == ("dates: 66.7% of the patents have only a month or year: they count as known at its end",)


def test_each_file_is_read_as_it_writes_itself() -> None:
    result = ingested_from(
        [
            {"patent_id": "US1", "date": "03/04/2018", "ipc": "F25B"},
            {"patent_id": "US2", "date": "13/04/2018", "ipc": "F25B"},
        ]
    )
    assert result.corpus.patents["knowledge_date"].astype(str).tolist() == ["2018-04-03", "2018-04-13"]


@pytest.mark.parametrize(
    ("stated", "kind"),
    [("grant", "grant"), ("Issue", "grant"), ("filing", "application"), ("priority", "priority"), ("whenever", "")],
)
def test_what_a_date_is_stands_beside_it(stated: str, kind: str) -> None:
    row = {"patent_id": "US1", "date": "2010-01-05", "ipc": "F25B", "date_kind": stated}
    assert corpus_from([row]).patents["date_kind"].tolist() == [kind]
