"""Days whose year is short or stated elsewhere, brought to YYYY-MM-DD; the rest is as ``corpus.dates`` reads it."""

import pandas as pd

from pipeline.corpus.dates import read_dates

_SHORT = r"^(?P<first>\d{1,2})(?P<sign>[-/.])(?P<second>\d{1,2})[-/.](?P<year>\d{4}|\d{2})$"


def iso_days(texts: pd.Series, years: pd.Series | None = None, latest: pd.Series | None = None) -> pd.Series:
    """Days in ISO form; what is no date, or could be two, stays as it is.

    Years of two digits are taken from ``years`` where they end so (or a year earlier, in the last week of December),
    else are the last such year up to ``latest``'s; with neither they stay as they are.

    >>> iso_days(pd.Series(["31.12.2015", "1.2.2016", "12 Mar 2019", "2018/1/2"])).tolist()
    ['2015-12-31', '2016-02-01', '2019-03-12', '2018-01-02']
    """
    if not texts.str.contains(r"[^0-9\-]", regex=True).any():
        return texts  # compact or ISO already
    iso = read_dates(_with_whole_years(texts, years, latest))["iso"]
    return iso.where(iso != "", texts)


def _with_whole_years(texts: pd.Series, years: pd.Series | None, latest: pd.Series | None) -> pd.Series:
    parts = texts.str.extract(_SHORT)
    first, second = pd.to_numeric(parts["first"]), pd.to_numeric(parts["second"])
    year = _whole(parts["year"], years, latest)
    # some exports write the last days of December with the year that their week belongs to: 30/12/87 for 1986
    stated = _years(years) if years is not None else year
    late = ((first == 12) & (second >= 26)) | ((second == 12) & (first >= 26))
    shifted = late & ((stated + 1) % 100 == pd.to_numeric(parts["year"]) % 100)
    whole = year.mask(shifted, stated)
    written = parts["first"] + parts["sign"] + parts["second"] + parts["sign"] + whole.astype("Int64").astype("str")
    return written.where(whole.notna(), texts).astype("str")


def _years(texts: pd.Series) -> pd.Series:
    """Years of four digits as numbers; 1e9 is a number and no year."""
    return pd.to_numeric(texts.where(texts.str.fullmatch(r"\s*\d{4}(?:\.0+)?\s*")), errors="coerce")


def _whole(years: pd.Series, stated: pd.Series | None, latest: pd.Series | None) -> pd.Series:
    number = pd.to_numeric(years)
    short = years.str.len() == 2
    whole = number.mask(short)
    if stated is not None:
        full = _years(stated)
        whole = whole.fillna(full.where(full % 100 == number))
    if latest is not None:
        limit = _years(latest.str.slice(0, 4))
        whole = whole.fillna((limit - (limit - number) % 100).where(short))
    return whole
