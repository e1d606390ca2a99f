"""Who holds the patents of the codes a firm is looking at, the firm among them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.corpus.timeline import Corpus, Incidence, years_before
from pipeline.schemas import Competitors, validate


def competitors(
    history: Corpus, firm_party_ids: Sequence[str], incidence: Incidence, codes: Sequence[str], window: int
) -> pd.DataFrame:
    """Every holder of a patent in each code (schema ``Competitors``).

    ``incidence`` is that of ``history``. The firm's parties are one holder, under the first of them; it has a row in
    every code. ``recent_patents`` are of the last ``window`` years. Patents are counted whole, so the shares of a code
    may add up to more than 1; patents without an assignee make them add up to less.

    Raises:
        ValueError: a code or the firm that the history does not have.
    """
    names = sorted(set(codes))
    column = pd.Index(incidence.codes).get_indexer(pd.Index(names))
    if (column < 0).any():
        raise ValueError(f"codes that the history does not have: {[names[i] for i in np.flatnonzero(column < 0)]}")
    owned = _owned(history, firm_party_ids)
    carried = incidence.matrix[:, column].tocoo()
    membership = pd.DataFrame(
        {
            "row": carried.row,
            "code": np.array(names)[carried.col],
            "recent": carried.row >= history.rows_since(years_before(history.cutoff, window)).start,
        }
    )
    held = membership.merge(owned.drop_duplicates(["row", "party"]), on="row")
    counted = held.groupby(["code", "party"], as_index=False).agg(patents=("row", "size"), recent=("recent", "sum"))
    firm = pd.DataFrame({"code": names, "party": firm_party_ids[0], "patents": 0, "recent": 0})
    table = pd.concat([counted, firm]).drop_duplicates(["code", "party"])
    spelling = owned.groupby("party")["name"].agg(lambda given: given.mode().iloc[0])
    total = pd.Series(incidence.counts()[column], index=names)
    table = table.assign(
        name=table["party"].map(spelling),
        own=table["party"] == firm_party_ids[0],
        share=table["patents"] / table["code"].map(total),
        recent_patents=table["recent"],
    ).sort_values(["code", "patents", "party"], ascending=[True, False, True], ignore_index=True)
    return validate(table[list(Competitors.to_schema().columns)], Competitors, "competitors")


def _owned(history: Corpus, firm_party_ids: Sequence[str]) -> pd.DataFrame:
    """Row of the patent, holder and its spelling there; the firm's parties under the first of them."""
    assignees = history.parties[(history.parties["role"] == "assignee") & (history.parties["party_id"] != "")]
    own = assignees["party_id"].isin(firm_party_ids)
    if not own.any():
        raise ValueError(f"the history has no patent of {list(firm_party_ids)}")
    return pd.DataFrame(
        {
            "row": history.row_of(assignees["patent_id"]),
            "party": assignees["party_id"].where(~own, firm_party_ids[0]),
            "name": assignees["name"],
        }
    )
