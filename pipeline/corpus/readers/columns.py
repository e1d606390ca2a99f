"""Layouts that are a list of columns: which of them feeds which field, and how lists are separated."""

from collections.abc import Mapping, Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpus.families import by_priorities
from pipeline.corpus.readers.base import ITEM, LISTS, Layout, closed, faults_of, normalise_ids, plain, text_series
from pipeline.corpus.readers.days import iso_days
from pipeline.corpus.readers.flat import joined

# what a layout may name beside the flat columns
EXTRA = (
    "year",  # of the date: completes days written with two digits of year
    "members",  # numbers of the simple family: become a family_id
    "priority_ids",  # numbers of the priorities: become a family_id where nothing else does
)
_EMPTY = ("-", "--", "n/a", "nan", "none", "null")


def columns_layout(
    name: str,
    marks: Sequence[str],
    columns: Mapping[str, Sequence[str]],
    separator: str = ";",
    separators: Mapping[str, str] | None = None,
    date_kind: str = "publication",
    notes: Sequence[str] = (),
) -> Layout:
    """A layout recognised by the columns ``marks`` (all of them; ``a|b`` is either).

    ``columns``: field (of ``FLAT`` or ``EXTRA``) -> the columns that may hold it, the first that is not empty wins.
    ``separator``: a regular expression (RE2) between entries of lists, ``separators`` those of single fields.
    """
    fields = {field: [plain(column) for column in names] for field, names in columns.items()}
    groups = [[plain(name) for name in mark.split("|")] for mark in marks]
    between = dict.fromkeys(LISTS, separator) | dict(separators or {})

    def recognises(header: Sequence[str]) -> bool:
        return all(not set(header).isdisjoint(group) for group in groups)

    def flatten(raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        found = {field: first_filled(raw, names) for field, names in fields.items()}
        table = pd.DataFrame({field: text for field, text in found.items() if text is not None}, index=raw.index)
        return finished(table, between).assign(date_kind=date_kind), faults_of([])

    return Layout(
        name=name,
        recognises=recognises,
        used=frozenset(column for names in fields.values() for column in names),
        flatten=flatten,
        needs=tuple(
            tuple(column for field in group for column in fields.get(field, ()))
            for group in (("patent_id",), ("date",), ("ipc", "cpc"))
        ),
        notes=tuple(notes),
    )


def finished(table: pd.DataFrame, separators: Mapping[str, str]) -> pd.DataFrame:
    """Fields as the flat table wants them: lists joined by ``ITEM``, ISO days, an office, a family id."""
    fields = {name: table[name] for name in table.columns}
    fields |= {name: separated(fields[name], separators[name]) for name in LISTS if name in fields}
    years = fields.pop("year", None)
    if "date" in fields:
        fields["date"] = iso_days(fields["date"], years)
    if "app_date" in fields:
        fields["app_date"] = iso_days(fields["app_date"], None, fields.get("date"))
    if "members" in fields:
        members = separated(fields.pop("members"), separators.get("members", separators["ipc"]))
        family = family_ids(members, fields["patent_id"])
        fields["family_id"] = (
            fields["family_id"].mask(fields["family_id"] == "", family) if "family_id" in fields else family
        )
    if "priority_ids" in fields:
        listed = separated(fields.pop("priority_ids"), separators.get("priority_ids", separators["ipc"]))
        family = by_priorities(text_series(joined(pa.array(listed, pa.large_string())), table.index))
        fields["family_id"] = (
            fields["family_id"].mask(fields["family_id"] == "", family) if "family_id" in fields else family
        )
    if "patent_id" in fields:
        fields["office"] = office_of(fields.get("office"), fields["patent_id"])
    return pd.DataFrame(fields, index=table.index)


def first_filled(raw: pd.DataFrame, names: Sequence[str]) -> pd.Series | None:
    """The first of several columns that says something, row by row; None where none is there."""
    present = [raw[name] for name in names if name in raw]
    if not present:
        return None
    filled = present[0].mask(present[0].str.strip().str.lower().isin(_EMPTY), "")
    for column in present[1:]:
        filled = filled.mask(filled.str.strip() == "", column.mask(column.str.strip().str.lower().isin(_EMPTY), ""))
    return filled


def separated(texts: pd.Series, separator: str) -> pd.Series:
    """Lists with ``ITEM`` between their entries; a lone entry that holds ``;`` is closed by one, so it stays one."""
    listed = pc.replace_substring_regex(pa.array(texts, pa.large_string()), separator, ITEM)
    alone = pc.and_(pc.match_substring(listed, ";"), pc.invert(pc.match_substring(listed, ITEM)))
    return text_series(pc.if_else(alone, closed(listed), listed), texts.index)


def family_ids(members: pd.Series, own: pd.Series) -> pd.Series:
    """A name for each family from its members' numbers: the least of them, the document's own included."""
    lists = normalise_ids(text_series(joined(pa.array(members, pa.large_string())), members.index))
    numbers = [
        min(part for part in (*listed.split(";"), number) if part) if listed.strip(";") else ""
        for listed, number in zip(lists, normalise_ids(own), strict=True)
    ]
    return pd.Series(numbers, index=members.index, dtype="str")


def office_of(stated: pd.Series | None, ids: pd.Series) -> pd.Series:
    """The two letters of the office: as stated if stated so, else those the number begins with."""
    begins = ids.str.strip().str.extract(r"^([A-Za-z]{2})", expand=False).fillna("").str.upper()
    if stated is None:
        return begins
    code = stated.str.strip()
    return code.where(code.str.fullmatch(r"[A-Z]{2}"), begins)
