"""Families: one invention, several documents, counted once."""

from typing import Literal

import pandas as pd

Families = Literal["merge", "keep"]


def representatives(documents: pd.DataFrame, families: Families) -> pd.Series:
    """The id of the document that stands for each row (columns patent_id, knowledge_date, family_id).

    When merged, the earliest-known member (by date, then id) stands for its family with its own codes, text and
    citations. A later member adds nothing: what it says was not known on the representative's date, and giving it to
    the representative would let the future into the past. A document without a family stands for itself.
    """
    own = documents["patent_id"]
    if families == "keep":
        return own
    ordered = documents[documents["family_id"] != ""].sort_values(["knowledge_date", "patent_id"], kind="stable")
    first = ordered.groupby("family_id", sort=False)["patent_id"].transform("first")
    return first.reindex(documents.index).fillna(own)


def resolve_citations(citations: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """Point references at the patent that stands for the cited document (columns citing, citing_date, cited, kind).

    A reference to a document not yet known on the citing patent's date keeps the cited id: that it belongs to the
    family was not known then. References of a patent to itself are dropped, repeated ones counted once.
    """
    links = citations.merge(
        members[["member_id", "patent_id", "knowledge_date"]], how="left", left_on="cited", right_on="member_id"
    )
    known = (links["kind"] == "patent") & (links["knowledge_date"] <= links["citing_date"])
    links = links.assign(cited=links["cited"].mask(known, links["patent_id"]))
    links = links.loc[links["citing"] != links["cited"], ["citing", "cited", "kind"]]
    return links.drop_duplicates(ignore_index=True)
