"""Days as exports write them, brought to YYYY-MM-DD where nothing is left to guess; other text stays as it is."""

import numpy as np
import pandas as pd

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan januar", "feb februar", "mar märz mrz", "apr", "may mai", "jun juni", "jul juli", "aug", "sep sept",
         "oct okt oktober", "nov", "dec dez dezember"), start=1
    )
    for name in names.split()
}  # fmt: skip
_YEAR_FIRST = (
    r"^(?P<year>\d{4})\s*[-/.年년]\s*(?P<month>\d{1,2})\s*[-/.月월]\s*(?P<day>\d{1,2})\s*[日일.]?(?:[T ]\d\d:\d\d.*)?$"
)
_YEAR_LAST = r"^(?P<first>\d{1,2})(?P<sign>[-/.])(?P<second>\d{1,2})[-/.](?P<year>\d{4}|\d{2})$"
_NAMED = r"^(?P<day>\d{1,2})\.?[- ](?P<name>[A-Za-zäÄ]{3,9})\.?[- ](?P<year>\d{4})$"
_NAMED_FIRST = r"^(?P<name>[A-Za-zäÄ]{3,9})\.? (?P<day>\d{1,2}),? (?P<year>\d{4})$"


def iso_days(texts: pd.Series, years: pd.Series | None = None, latest: pd.Series | None = None) -> pd.Series:
    """Days in ISO form. 5/4/2015 is read as the whole column shows it: a part above 12 is a day; else it stays as is.

    Years of two digits are taken from ``years`` where they end so (or a year earlier, in the last week of December),
    else are the last such year up to ``latest``'s; with neither they stay as they are.

    >>> iso_days(pd.Series(["31.12.2015", "1.2.2016", "12 Mar 2019", "2018/1/2"])).tolist()
    ['2015-12-31', '2016-02-01', '2019-03-12', '2018-01-02']
    """
    if not texts.str.contains(r"[^0-9\-]", regex=True).any():
        return texts  # compact or ISO already
    found = _year_first(texts)
    found = found.fillna(_year_last(texts, years, latest))
    found = found.fillna(_named(texts, _NAMED)).fillna(_named(texts, _NAMED_FIRST))
    return found.fillna(texts).astype("str")


def _year_first(texts: pd.Series) -> pd.Series:
    parts = texts.str.extract(_YEAR_FIRST)
    return _iso(parts["year"], parts["month"], parts["day"])


def _named(texts: pd.Series, pattern: str) -> pd.Series:
    parts = texts.str.extract(pattern)
    names = parts["name"].str.lower()
    months = names.map(_MONTHS).fillna(names.str.slice(0, 3).map(_MONTHS))
    return _iso(parts["year"], months, parts["day"])


def _year_last(texts: pd.Series, years: pd.Series | None, latest: pd.Series | None) -> pd.Series:
    parts = texts.str.extract(_YEAR_LAST)
    first, second = pd.to_numeric(parts["first"]), pd.to_numeric(parts["second"])
    day_first, month_first = bool((first > 12).any()), bool((second > 12).any())
    year = _whole_years(parts["year"], years, latest)
    # some exports write the last days of December with the year that their week belongs to: 30/12/87 for 1986
    stated = pd.to_numeric(years, errors="coerce") if years is not None else year
    late = ((first == 12) & (second >= 26)) | ((second == 12) & (first >= 26))
    shifted = late & ((stated + 1) % 100 == pd.to_numeric(parts["year"]) % 100)
    year = year.mask(shifted, stated)
    if day_first == month_first:  # no evidence, or against itself: only what is plain by itself, or dotted
        alone = (first > 12) | (second > 12) | (first == second) | ((parts["sign"] == ".") & ~month_first)
        year = year.where(alone)
        swapped = second > 12
    else:
        swapped = pd.Series(month_first, index=texts.index)
    return _iso(year, first.where(swapped, second), second.where(swapped, first))


def _whole_years(years: pd.Series, stated: pd.Series | None, latest: pd.Series | None) -> pd.Series:
    number = pd.to_numeric(years)
    short = years.str.len() == 2
    whole = number.mask(short)
    if stated is not None:
        full = pd.to_numeric(stated, errors="coerce")
        whole = whole.fillna(full.where(full % 100 == number))
    if latest is not None:
        limit = pd.to_numeric(latest.str.slice(0, 4), errors="coerce")
        whole = whole.fillna((limit - (limit - number) % 100).where(short))
    return whole


def _iso(year: pd.Series, month: pd.Series, day: pd.Series) -> pd.Series:
    numbers = pd.DataFrame({"year": year, "month": month, "day": day}).apply(pd.to_numeric, errors="coerce")
    whole = numbers.notna().all(axis=1)
    parts = numbers[whole].astype(np.int64)
    days = pd.to_datetime(parts.assign(day=parts["day"].clip(1, 99)), errors="coerce")
    return days.dt.strftime("%Y-%m-%d").reindex(year.index).astype("str")
