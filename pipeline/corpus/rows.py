"""The rows of all sources under one another: cleaned, repeats found, unusable ones told, corrections applied.

Of every row only what decides is held in memory; its long texts stay where they lie and go by piece by piece.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Sequence

import pandas as pd

from pipeline.artifacts import text_lengths
from pipeline.corpus.dates import known_from, precision, read_dates
from pipeline.corpus.encodings import mend
from pipeline.corpus.entries import symbols_of
from pipeline.corpus.readers import FLAT, SourceTable
from pipeline.corpus.spill import with_rows
from pipeline.corpus.validity import SymbolList
from pipeline.errors import CorpusError
from pipeline.schemas import DATE_KINDS, History, empty

HELD = ("patent_id", "date", "family_id", "office", "app_date", "date_kind")  # columns held of all rows
TOLD = tuple(name for name in FLAT if name not in HELD)  # those that are not
SHOWN = 200  # characters of an offending value that the quarantine keeps
_MENDED = ("title", "abstract", "claims", "assignees", "inventors")
_KINDS = {"filing": "application", "issue": "grant", "published": "publication", "granted": "grant"}
CLAIMED = "another row has this patent_id with other content"
LATE = "an earlier file has this patent_id with other content and an earlier date, which stands"


@dataclasses.dataclass(frozen=True)
class Texts:
    """The columns ``TOLD`` of all rows, their encodings mended.

    ``damaged``: those of each piece that need it. ``size``: bytes of all.
    """

    tables: Sequence[SourceTable]
    damaged: Sequence[frozenset[str]]
    size: int

    def __iter__(self) -> Iterator[pd.DataFrame]:
        for (_, piece), names in zip(_labelled(self.tables), self.damaged, strict=True):
            yield piece[list(TOLD)].assign(**{name: mend(piece[name])[0] for name in names})

    def of(self, labels: pd.Index) -> pd.DataFrame:
        """Those of some rows, in the order of all."""
        return pd.concat([piece[piece.index.isin(labels)] for piece in self])


@dataclasses.dataclass(frozen=True)
class Stacked:
    """All rows, labelled from 0 on.

    ``rows``: the columns ``HELD``, ``source`` (its number) and ``row``, ``coded`` (whether a symbol is valid),
    ``knowledge_date``, ``date_precision``, ``date_kind`` and ``date_fault``/``app_fault`` (why a stated date is none,
    else empty). ``uncoded``: what rows without a valid symbol state as codes. ``doubtful``: values that look wrongly
    decoded (faults as in ``schemas.Quarantine``, indexed by row). ``mended``: values of each text column whose encoding
    was mended.
    """

    rows: pd.DataFrame
    texts: Texts
    uncoded: pd.Series
    doubtful: pd.DataFrame
    mended: dict[str, int]


def stack(tables: Sequence[SourceTable], known: SymbolList | None) -> Stacked:
    """All rows one under the other, dates read as their own file writes them, encodings mended where certain.

    ``known``: see ``entries.symbols_of``.
    """
    if not tables:
        raise CorpusError("no source file given: name at least one file of patents")
    held: list[list[pd.DataFrame]] = [[] for _ in tables]
    uncoded, doubtful, damaged = [], [], []
    mended = dict.fromkeys(_MENDED, 0)
    size = 0
    for source, piece in _labelled(tables):
        size += int(text_lengths(with_rows(piece[list(TOLD)])).sum())
        names = set()
        for name in _MENDED:
            fixed, suspect = mend(piece[name])
            changed = int((fixed != piece[name]).sum()) if fixed is not piece[name] else 0
            if changed:
                names.add(name)
                mended[name] += changed
            if suspect.any():
                reason = f"{name} looks wrongly decoded and could not be mended"
                value = fixed[suspect].str.slice(0, SHOWN)
                doubtful.append(pd.DataFrame({"kind": "flag", "reason": reason, "value": value}))
        damaged.append(frozenset(names))
        symbols = symbols_of(piece, known)
        coded = piece.index.isin(symbols.index[symbols["symbol"].notna()])
        stated = piece.loc[~coded, "ipc"].str.cat(piece.loc[~coded, "cpc"], sep=";").str.strip(";")
        uncoded.append(stated.str.slice(0, SHOWN))
        held[source].append(piece[[*HELD, "row"]].assign(source=source, coded=coded))
    rows = pd.concat([_dated(pd.concat(held.pop(0))) for _ in tables])
    kinds = rows["date_kind"].str.lower()
    kinds = kinds.map({kind: _KINDS.get(kind, kind) for kind in kinds.unique()})
    rows = rows.assign(
        knowledge_date=_by_value(known_from, rows["date"].mask(rows["date_fault"] != "", "")),
        date_precision=_by_value(precision, rows["date"]),
        date_kind=kinds.where(kinds.isin(DATE_KINDS), "").astype("str"),
    )
    flags = pd.concat(doubtful) if doubtful else pd.DataFrame(columns=["kind", "reason", "value"], dtype="str")
    counts = {name: count for name, count in mended.items() if count}
    return Stacked(rows, Texts(tables, damaged, size), pd.concat(uncoded), flags, counts)


def _labelled(tables: Sequence[SourceTable]) -> Iterator[tuple[int, pd.DataFrame]]:
    """Pieces of the sources, each with the number of its source; their index becomes column ``row``."""
    start = 0
    for source, table in enumerate(tables):
        for piece in table.pieces():
            yield source, piece.assign(row=piece.index).set_axis(pd.RangeIndex(start, start + len(piece)))
            start += len(piece)


def exact_repeats(rows: pd.DataFrame, texts: Texts) -> pd.Series:
    """Which rows say what an earlier one says: under the same id, or under one that is a mere row number."""
    named = rows["patent_id"] != ""
    shared = named & rows["patent_id"].duplicated(keep=False)
    numbered = named & ~_publication_numbers(rows)
    repeated = pd.Series(False, index=rows.index)
    alike = rows.loc[shared | numbered, list(HELD)]
    if len(alike):
        alike = alike.assign(told=pd.concat([_digests(piece[piece.index.isin(alike.index)]) for piece in texts]))
        same = alike[shared[alike.index]]
        repeated.loc[same.index] = same.duplicated()
        same = alike[numbered[alike.index]]
        repeated.loc[same.index] |= same.duplicated([name for name in alike if name != "patent_id"])
    return repeated


def _digests(texts: pd.DataFrame) -> pd.Series:
    """What stands for the texts of each row: equal where all of them are."""
    columns = [texts[name].tolist() for name in texts]
    digests = [hashlib.blake2b(repr(row).encode(), digest_size=16).digest() for row in zip(*columns, strict=True)]
    return pd.Series(digests, index=texts.index, dtype="object")


def unusable(rows: pd.DataFrame) -> pd.Series:
    """Why each row cannot be used; empty where it can."""
    reason = pd.Series("", index=rows.index, dtype="str")
    reason = reason.mask(~rows["coded"], "no valid IPC or CPC symbol")
    reason = reason.mask(rows["date_fault"] != "", "date " + rows["date_fault"])
    reason = reason.mask(rows["date"] == "", "no date")
    return reason.mask(rows["patent_id"] == "", "no patent_id")


def corrected(rows: pd.DataFrame, reasons: pd.Series) -> tuple[pd.Series, pd.DataFrame]:
    """One row an id: the reasons with those of the others added, and which row replaced which (``before``, ``after``).

    Within a file the earliest date keeps an id (of equal dates the row further up). A row of a later file corrects it
    when its own date is no later; were it later, the correction would undo what was known before.
    """
    usable = rows.loc[reasons == "", ["patent_id", "source", "knowledge_date"]]
    shared = usable[usable["patent_id"].duplicated(keep=False)]
    shared = shared.sort_values("knowledge_date", kind="stable")  # the order of a file decides nothing
    claimed = shared.duplicated(["patent_id", "source"])
    of_files = shared[~claimed].sort_values(["patent_id", "source"], kind="stable")
    lowest = of_files.groupby("patent_id")["knowledge_date"].cummin()
    late = of_files["knowledge_date"] > lowest
    standing = of_files[~late]
    after = pd.Series(standing.index, index=standing.index).groupby(standing["patent_id"]).shift(-1)
    pairs = pd.DataFrame({"before": after.index, "after": after.to_numpy()}).dropna().astype("int64")
    reasons = reasons.mask(reasons.index.isin(shared.index[claimed]), CLAIMED)
    return reasons.mask(reasons.index.isin(of_files.index[late]), LATE), pairs


def history(rows: pd.DataFrame, texts: Texts, pairs: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """What corrections changed (``schemas.History``).

    ``pairs``: see ``corrected``; ``rows``: those in them; ``names``: of the sources.
    """
    if pairs.empty:
        return empty(History)
    whole = pd.concat([rows, texts.of(rows.index)], axis="columns")
    before = whole.loc[pairs["before"]].reset_index(drop=True)
    after = whole.loc[pairs["after"]].reset_index(drop=True)
    places = pd.DataFrame(
        {
            "patent_id": before["patent_id"],
            "known_before": before["knowledge_date"],
            "known_after": after["knowledge_date"],
            "source_before": before["source"].map(dict(enumerate(names))),
            "row_before": before["row"],
            "source_after": after["source"].map(dict(enumerate(names))),
            "row_after": after["row"],
        }
    )
    fields = [
        places.assign(field=name, before=before[name], after=after[name])[before[name] != after[name]]
        for name in FLAT[1:]
    ]
    return pd.concat(fields).sort_index(kind="stable")


def _dated(frame: pd.DataFrame) -> pd.DataFrame:
    """One source's dates in ISO form at their own precision; those that are none stay as they are, with the fault."""
    date, filed = read_dates(frame["date"]), read_dates(frame["app_date"])
    return frame.assign(
        date=date["iso"].where(date["iso"] != "", frame["date"]),
        app_date=filed["iso"].where(filed["iso"] != "", frame["app_date"]),
        date_fault=date["fault"],
        app_fault=filed["fault"],
    )


def _by_value(function: Callable[[pd.Series], pd.Series], texts: pd.Series) -> pd.Series:
    """A function of each text, computed once for each distinct one."""
    distinct = pd.Series(texts.unique(), dtype="str")
    return texts.map(pd.Series(function(distinct).to_numpy(), index=distinct.to_numpy()))


def _publication_numbers(rows: pd.DataFrame) -> pd.Series:
    office = rows["patent_id"].str.extract(r"^([A-Z]{2})[A-Z]{0,2}[0-9]", expand=False)
    return (rows["office"] == "") | (office == rows["office"].str.upper()).fillna(False)
