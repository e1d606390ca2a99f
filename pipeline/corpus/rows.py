"""The rows of all sources under one another: cleaned, repeats found, unusable ones told, corrections applied."""

import dataclasses
from collections.abc import Callable, Sequence

import pandas as pd

from pipeline.corpus.dates import known_from, precision, read_dates
from pipeline.corpus.encodings import mend
from pipeline.corpus.readers import FLAT, SourceTable
from pipeline.errors import CorpusError
from pipeline.schemas import DATE_KINDS

TEXTS = ("title", "abstract", "claims", "assignees", "inventors")
_KINDS = {"filing": "application", "issue": "grant", "published": "publication", "granted": "grant"}
CLAIMED = "another row has this patent_id with other content"
LATE = "an earlier file has this patent_id with other content and an earlier date, which stands"


@dataclasses.dataclass(frozen=True)
class Stacked:
    """All rows: the flat columns, ``source`` (its number) and ``row``, ``knowledge_date``, ``date_precision``,
    ``date_kind`` and ``date_fault``/``app_fault`` (why a stated date is none, else empty).

    ``doubtful``: values that look wrongly decoded (faults as in ``schemas.Quarantine``, indexed by row). ``mended``:
    values of each text column whose encoding was mended.
    """

    rows: pd.DataFrame
    doubtful: pd.DataFrame
    mended: dict[str, int]


def stack(tables: Sequence[SourceTable]) -> Stacked:
    """All rows one under the other, dates read as their own file writes them, encodings mended where certain."""
    if not tables:
        raise CorpusError("no source file given: name at least one file of patents")
    frames = [_dated(table.frame).assign(source=number, row=table.frame.index) for number, table in enumerate(tables)]
    rows = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0].reset_index(drop=True)
    counts, doubtful = {}, []
    for name in TEXTS:
        fixed, suspect = mend(rows[name])
        changed = int((fixed != rows[name]).sum()) if fixed is not rows[name] else 0
        if changed:
            counts[name] = changed
        rows = rows.assign(**{name: fixed}) if changed else rows
        values = fixed[suspect]
        reason = f"{name} looks wrongly decoded and could not be mended"
        doubtful.append(pd.DataFrame({"kind": "flag", "reason": reason, "value": values}))
    kinds = rows["date_kind"].str.lower()
    kinds = kinds.map({kind: _KINDS.get(kind, kind) for kind in kinds.unique()})
    rows = rows.assign(
        knowledge_date=_by_value(known_from, rows["date"].mask(rows["date_fault"] != "", "")),
        date_precision=_by_value(precision, rows["date"]),
        date_kind=kinds.where(kinds.isin(DATE_KINDS), "").astype("str"),
    )
    return Stacked(rows, pd.concat(doubtful), counts)


def exact_repeats(rows: pd.DataFrame) -> pd.Series:
    """Which rows say what an earlier one says: under the same id, or under one that is a mere row number."""
    named = rows["patent_id"] != ""
    content = list(FLAT[1:])
    shared = rows[named & rows["patent_id"].duplicated(keep=False)]
    repeated = pd.Series(False, index=rows.index)
    repeated.loc[shared.index] = shared.duplicated(list(FLAT))
    numbered = rows[named & ~_publication_numbers(rows)]
    repeated.loc[numbered.index] |= numbered.duplicated(content)
    return repeated


def unusable(rows: pd.DataFrame, symbols: pd.DataFrame) -> pd.Series:
    """Why each row cannot be used; empty where it can. ``symbols``: those of all rows, missing where invalid."""
    coded = rows.index.isin(symbols.index[symbols["symbol"].notna()])
    reason = pd.Series("", index=rows.index, dtype="str")
    reason = reason.mask(~coded, "no valid IPC or CPC symbol")
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


def history(rows: pd.DataFrame, pairs: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """What corrections changed (``schemas.History``); ``pairs``: see ``corrected``; ``names``: of the sources."""
    before = rows.loc[pairs["before"]].reset_index(drop=True)
    after = rows.loc[pairs["after"]].reset_index(drop=True)
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
