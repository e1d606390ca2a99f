"""Days in the habits of exports: read where nothing is left to guess, else left as they are."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpus.readers.days import iso_days


def days(*texts: str, years: list[str] | None = None, latest: list[str] | None = None) -> list[str]:
    return iso_days(
        pd.Series(texts, dtype="str"),
        None if years is None else pd.Series(years, dtype="str"),
        None if latest is None else pd.Series(latest, dtype="str"),
    ).tolist()


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2010-01-05", "2010-01-05"),
        ("20100105", "20100105"),
        ("2010/1/5", "2010-01-05"),
        ("2010.01.05", "2010-01-05"),
        ("2010年1月5日", "2010-01-05"),
        ("2010-01-05 00:00:00", "2010-01-05"),
        ("05.01.2010", "2010-01-05"),
        ("5 Jan 2010", "2010-01-05"),
        ("5. März 2010", "2010-03-05"),
        ("Jan. 5, 2010", "2010-01-05"),
        ("25/01/2010", "2010-01-25"),
        ("01/25/2010", "2010-01-25"),
        ("05/01/2010", "05/01/2010"),
        ("31.02.2010", "31.02.2010"),
        ("25/01/10", "25/01/10"),
        ("soon", "soon"),
        ("", ""),
    ],
)
def test_one_day_by_itself(text: str, day: str) -> None:
    assert days(text) == [day]


def test_the_column_tells_which_part_is_the_day() -> None:
    assert days("05/01/2010", "25/01/2010") == ["2010-01-05", "2010-01-25"]
    assert days("05/01/2010", "01/25/2010") == ["2010-05-01", "2010-01-25"]
    assert days("05/01/2010", "01/25/2010", "25/01/2010") == ["05/01/2010", "2010-01-25", "2010-01-25"]


def test_years_of_two_digits_are_those_of_the_year_column_or_the_last_before_publication() -> None:
    assert days("25/01/76", "25/01/10", years=["1976", "2010"]) == ["1976-01-25", "2010-01-25"]
    assert days("25/01/76", "25/01/10", latest=["1978-02-01", "2013-01-01"]) == ["1976-01-25", "2010-01-25"]


def test_a_year_of_weeks_is_put_right_in_the_last_week_of_december_only() -> None:
    assert days("30/12/87", "30/11/87", years=["1986", "1986"]) == ["1986-12-30", "30/11/87"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dates(), min_size=1, max_size=5), st.sampled_from(["%d.%m.%Y", "%Y/%m/%d", "%d %b %Y", "%B %d, %Y"]))
def test_days_come_back_from_every_habit(dates: list[object], habit: str) -> None:
    shown = [f"{date:{habit}}" for date in dates]
    told = days(*shown)
    for date, text, given_ in zip(dates, told, shown, strict=True):
        year = int(f"{date:%Y}")
        assert text == str(date) or (year < 1700 or year > 2199) or (habit == "%d.%m.%Y" and text == given_)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=12), max_size=6))
def test_any_text_is_left_or_read(texts: list[str]) -> None:
    assert len(days(*texts)) == len(texts)
