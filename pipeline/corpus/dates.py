"""Dates in every habit, each at its own precision: a day, a month or a year.

A whole column is read at once, because only a column can tell whether 03/04/2018 is in March or in April, and whether
43102 is a spreadsheet's count of days.
"""

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from pipeline.schemas import PRECISIONS

FIRST_YEAR, LAST_YEAR = 1700, 2199  # 0001-01-01 and 9999-12-31 stand for an unknown day
NO_DATE = "is not a day, month or year of 1700 to 2199"
AMBIGUOUS = "is not a day that can be told: no date of its column says whether the day or the month stands first"

_SERIAL = re.compile(r"(?:[2-6]\d{4})(?:\.0+)?")  # days since 1899-12-30: 1954 to 2091
_EPOCH = np.datetime64("1899-12-30", "D")
_TIME = re.compile(r"[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:Z|UTC|[AP]M|[+-]\d{2}:?\d{2})?$", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(\d{4})\s*[-/.年년]\s*(?:(\d{1,2})\s*(?:[-/.月월]\s*(?:(\d{1,2})\s*[日일.]?)?)?)?")
_COMPACT = re.compile(r"(\d{4})(?:(\d{2})(\d{2})?)?")
_YEAR_LAST = re.compile(r"(\d{1,2})\s*([-/.])\s*(\d{1,2})\s*\2\s*(\d{4})")
_MONTH_YEAR = re.compile(r"(\d{1,2})[-/.](\d{4})")
_DAY_NAME = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|\.|º|er)?[\s-]*(?:de\s+)?([^\W\d_]+)\.?,?[\s-]*(?:de\s+|of\s+)?(\d{4})"
)
_NAME_DAY = re.compile(r"([^\W\d_]+)\.?[\s-]+(\d{1,2})(?:st|nd|rd|th)?(?:,\s*|\s+|-)(\d{4})")
_NAME_YEAR = re.compile(r"([^\W\d_]+)\.?,?[\s-]*(?:de\s+)?(\d{4})")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar jänner janvier janv enero ene",
            "february feb februar février févr fevrier febrero",
            "march mar märz mrz maerz mars marzo",
            "april apr avril avr abril abr",
            "may mai mayo",
            "june jun juni juin junio",
            "july jul juli juillet juil julio",
            "august aug août aout agosto ago",
            "september sep sept septembre septiembre",
            "october oct oktober okt octobre octubre",
            "november nov novembre noviembre",
            "december dec dezember dez décembre déc decembre diciembre dic",
        ),
        start=1,
    )
    for name in names.split()
}

Parts = tuple[int, int, int]  # year, month, day; 0 where the text does not say


def read_dates(texts: pd.Series) -> pd.DataFrame:
    """One column of dates: ``iso`` (2018-01-02, 2018-01 or 2018; empty if none) and ``fault``, empty if there is none.

    An empty text is neither. 03/04/2018 is read as the rest of the column is written; where that says nothing, or says
    both, it is a fault. Numbers are a spreadsheet's days only if the whole column consists of such.

    >>> read_dates(pd.Series(["20180102", "Jan. 2, 2018", "2.1.2018", "2018", "2018/13/1"]))["iso"].tolist()
    ['2018-01-02', '2018-01-02', '2018-01-02', '2018', '']
    """
    values = pd.Series(texts.unique(), dtype="str")
    if len(values) == 0:
        return pd.DataFrame({"iso": texts, "fault": texts})
    stated = values[values != ""]
    if len(stated) and stated.str.fullmatch(_SERIAL).all():
        days = _EPOCH + stated.str.partition(".")[0].astype("int64").to_numpy().astype("timedelta64[D]")
        iso = pd.Series(days.astype(str), index=stated.index, dtype="str").reindex(values.index, fill_value="")
        fault = pd.Series("", index=values.index, dtype="str")
    else:
        iso, fault = _read(values)
    table = pd.DataFrame({"iso": iso.to_numpy(), "fault": fault.to_numpy()}, index=values.to_numpy(), dtype="str")
    return table.reindex(texts).set_axis(texts.index)


def known_from(iso: pd.Series) -> pd.Series:
    """The last day of each date's period (datetime64[s]): what is known of 2018 is known at its end, not before."""
    month = iso.str.len() == 7
    year = iso.str.len() == 4
    full = iso.mask(month, iso + "-01").mask(year, iso + "-12-31")
    day = pd.to_datetime(full.where(full != ""), format="%Y-%m-%d", errors="coerce")
    return day.mask(month, day + pd.offsets.MonthEnd(0)).astype("datetime64[s]")


def first_day(iso: pd.Series) -> pd.Series:
    """The first day of each date's period (datetime64[s])."""
    full = iso.mask(iso.str.len() == 4, iso + "-01").mask(iso.str.len() == 7, iso + "-01")
    full = full.mask(full.str.len() == 7, full + "-01")
    return pd.to_datetime(full.where(full != ""), format="%Y-%m-%d", errors="coerce").astype("datetime64[s]")


def precision(iso: pd.Series) -> pd.Series:
    """``day``, ``month`` or ``year`` of each date; empty where there is none."""
    return iso.str.len().map({10: PRECISIONS[0], 7: PRECISIONS[1], 4: PRECISIONS[2]}).fillna("").astype("str")


def _read(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """ISO texts and faults of distinct values; those written as ISO days, by far the most, are not taken apart."""
    plain = values.str.fullmatch(r"(?:1[7-9]|2[01])\d{2}-\d{2}-\d{2}")
    sound = plain & pd.to_datetime(values.where(plain), format="%Y-%m-%d", errors="coerce").notna()
    iso = values.where(sound, "")
    fault = pd.Series("", index=values.index, dtype="str")
    rest = values[~sound & (values != "")]
    if rest.empty:
        return iso, fault
    cleaned = rest.str.replace(_TIME, "", regex=True).str.strip().str.casefold()
    day_first = _day_first(cleaned)
    told = pd.DataFrame([_told(text, day_first) for text in cleaned], index=rest.index, dtype="str")
    others = iso.index.difference(rest.index)
    return pd.concat([iso[others], told[0]]).reindex(iso.index), told[1].reindex(iso.index, fill_value="")


def _told(text: str, day_first: bool | None) -> tuple[str, str]:
    """The ISO text and the fault of one date."""
    parts = _parts(text, day_first)
    if parts is None:
        return "", AMBIGUOUS
    return _iso(parts), "" if _iso(parts) else NO_DATE


def _day_first(texts: pd.Series) -> bool | None:
    """Whether days stand before months in a column's dates like 13/04/2018; None when it says neither or both."""
    parts = texts.str.extract(_YEAR_LAST).dropna()
    parts = parts[parts[1] != "."]
    first, second = parts[0].astype(int), parts[2].astype(int)
    day, month = bool(((first > 12) & (second <= 12)).any()), bool(((second > 12) & (first <= 12)).any())
    return None if day == month else day


def _parts(text: str, day_first: bool | None) -> Parts | None:
    """Year, month and day of a text; zeros where it is no date; None where day and month could be swapped."""
    match = _YEAR_LAST.fullmatch(text)
    if match:
        first, dot, second, year = int(match[1]), match[2] == ".", int(match[3]), int(match[4])
        if dot or first > 12 or first == second:
            return year, second, first
        if second > 12:
            return year, first, second
        if day_first is None:
            return None
        return (year, second, first) if day_first else (year, first, second)
    for pattern, take in _FORMS:
        match = pattern.fullmatch(text)
        if match:
            return take(match)
    return 0, 0, 0


def _numbers(match: re.Match[str]) -> Parts:
    return int(match[1]), int(match[2] or 0), int(match[3] or 0)


def _month_year(match: re.Match[str]) -> Parts:
    return int(match[2]), int(match[1]), 0


def _day_name(match: re.Match[str]) -> Parts:
    return int(match[3]), _MONTHS.get(match[2], 99), int(match[1])


def _name_day(match: re.Match[str]) -> Parts:
    return int(match[3]), _MONTHS.get(match[1], 99), int(match[2])


def _name_year(match: re.Match[str]) -> Parts:
    return int(match[2]), _MONTHS.get(match[1], 99), 0


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Parts]], ...] = (
    (_COMPACT, _numbers),
    (_YEAR_FIRST, _numbers),
    (_MONTH_YEAR, _month_year),
    (_DAY_NAME, _day_name),
    (_NAME_DAY, _name_day),
    (_NAME_YEAR, _name_year),
)


def _iso(parts: Parts) -> str:
    year, month, day = parts
    if not FIRST_YEAR <= year <= LAST_YEAR or month > 12:
        return ""
    if month == 0:
        return "" if day else f"{year}"
    if day == 0:
        return f"{year}-{month:02d}"
    month_end = pd.Timestamp(year, month, 1).days_in_month
    return f"{year}-{month:02d}-{day:02d}" if day <= month_end else ""
