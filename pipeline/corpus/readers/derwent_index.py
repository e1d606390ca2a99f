"""Derwent Innovations Index records (Web of Science): tagged text, or a table whose columns are the tags.

A record is a DWPI family. It stands as its earliest document with that document's day of publication; its symbols are
those of the whole family, which ``notes`` says. The accession number is the family id.
"""

import re
from collections.abc import Sequence

import pandas as pd

from pipeline.corpus.readers.base import ITEM, Layout, faults_of
from pipeline.corpus.readers.columns import finished, separated
from pipeline.corpus.readers.days import iso_days

_NUMBER = r"[A-Z]{2}[A-Z]{0,2}\d[A-Z0-9]*-[A-Z]\d?"
_DAY = r"\d{1,2} [A-Z][a-z]{2} \d{4}"
_PUBLISHED = re.compile(rf"({_NUMBER})\s+({_DAY})")
_FILED = re.compile(rf"({_NUMBER})\s+\S+\s+({_DAY})")
_CITED = re.compile(rf"(?:--|^|{ITEM})\s*({_NUMBER})(?!\d|\s*--)")
_PADDED = r"\b([A-H]\d{2}[A-Z])-0*(\d+)/(\d+)"  # C02F-009/14
_FIRM_CODE = r"\s*\([A-Z0-9]{4}-[A-Za-z\-]+\)"  # (UYDU-C), (LUJJ-Individual)
_USED = ("pn", "pd", "ad", "ti", "ab", "ip", "ae", "au", "ga", "ut", "cp", "cr")


def _recognises(header: Sequence[str]) -> bool:
    return {"pn", "ti", "ip", "pd"} <= set(header)


def _flatten(raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    column = {name: raw.get(name, pd.Series("", index=raw.index, dtype="str")) for name in _USED}
    first = [_first(published, numbers) for published, numbers in zip(column["pd"], column["pn"], strict=True)]
    filed = [_of(number, text) for (number, _), text in zip(first, column["ad"], strict=True)]
    symbols = column["ip"].str.replace(_PADDED, r"\1 \2/\3", regex=True)
    table = pd.DataFrame(
        {
            "patent_id": [number for number, _ in first],
            "date": iso_days(pd.Series([day for _, day in first], index=raw.index, dtype="str")),
            "app_date": iso_days(pd.Series(filed, index=raw.index, dtype="str")),
            "title": column["ti"],
            "abstract": column["ab"],
            "ipc": separated(symbols, r"\s*;\s*"),
            "assignees": separated(column["ae"].str.replace(_FIRM_CODE, "", regex=True), r"\s*;\s*"),
            "inventors": separated(column["au"], r"\s*;\s*"),
            "cited_ids": column["cp"].map(lambda text: ITEM.join(_CITED.findall(text))),
            "cited_npl": column["cr"].str.replace(rf"{_NUMBER} --\s*", "", regex=True),
            "family_id": column["ga"].where(column["ga"] != "", column["ut"].str.removeprefix("DIIDW:")),
            "date_kind": "publication",
        },
        index=raw.index,
    ).astype("str")
    separators = dict.fromkeys(("ipc", "cpc", "assignees", "inventors", "cited_ids", "cited_npl"), ITEM)
    return finished(table, separators), faults_of([])


def _first(published: str, numbers: str) -> tuple[str, str]:
    """Number and day of the earliest document; without a day the first number."""
    found = _PUBLISHED.findall(published)
    if not found:
        return re.split(rf"[;{ITEM}]", numbers)[0].strip(), ""
    days = iso_days(pd.Series([day for _, day in found], dtype="str"))
    return found[int(days.argmin())] if len(found) > 1 else found[0]


def _of(number: str, filed: str) -> str:
    return next((day for own, day in _FILED.findall(filed) if own == number), "")


DERWENT_INDEX = Layout(
    "derwent_index",
    _recognises,
    used=frozenset(_USED),
    flatten=_flatten,
    notes=(
        "a record is a family, dated by its earliest document, with the symbols of all: those of later documents are "
        "seen before their day",
    ),
)
