"""Families: one invention, several documents, counted once."""

import functools
from typing import Literal

import pandas as pd

from pipeline.corpus.numbers import number_keys

Families = Literal["merge", "keep"]
BY_PRIORITY = "priorities:"  # begins the family id made of them


def by_priorities(priorities: pd.Series) -> pd.Series:
    """A family id made of each document's priorities (numbers joined by ``;``); empty where it has none.

    Documents with exactly the same priorities are a simple family, as the EPO defines it.
    """
    long = priorities.str.split(";").explode().str.strip()
    keys = number_keys(long[long != ""])
    family = keys.groupby(level=0).agg(lambda each: BY_PRIORITY + "+".join(sorted(set(each))))
    return family.reindex(priorities.index).fillna("").astype("str")


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


class Standing:
    """Which patent stands for each document of a corpus, by its id or by its number."""

    def __init__(self, members: pd.DataFrame) -> None:
        self._members = members
        self.by_id = members[["member_id", "patent_id", "knowledge_date"]]

    @functools.cached_property
    def by_number(self) -> pd.DataFrame:
        """The same, indexed by ``number_key``; of several documents of one number the earliest known."""
        keys = number_keys(self._members["member_id"], self._members["office"])
        return self.by_id.assign(key=keys).drop_duplicates("key").set_index("key")


def resolve_citations(citations: pd.DataFrame, standing: Standing) -> pd.DataFrame:
    """Point references at the patent that stands for the cited document.

    ``citations``: citing, citing_date, citing_office (where a bare number belongs), cited, kind. A reference names a
    document of the corpus by its id, or by another spelling of its number (``numbers.number_key``; of several documents
    of one number the earliest known). A reference to a document not yet known on the citing patent's date keeps the
    cited id: that it belongs to the family was not known then. References of a patent to itself are dropped, repeated
    ones counted once.
    """
    links = citations.merge(standing.by_id, how="left", left_on="cited", right_on="member_id")
    patent = links["kind"] == "patent"
    lost = patent & links["patent_id"].isna()
    if lost.any():
        sought = number_keys(links.loc[lost, "cited"], links.loc[lost, "citing_office"])
        found = standing.by_number.reindex(sought)
        links.loc[lost, "patent_id"] = found["patent_id"].to_numpy()
        links.loc[lost, "knowledge_date"] = found["knowledge_date"].to_numpy()
    known = patent & (links["knowledge_date"] <= links["citing_date"])
    links = links.assign(cited=links["cited"].mask(known, links["patent_id"]))
    links = links[links["citing"] != links["cited"]]
    key = links["cited"].mask(links["kind"] == "patent", number_keys(links["cited"], links["citing_office"]))
    links = links.assign(cited_key=key)[["citing", "cited", "kind", "cited_key"]]
    return links.drop_duplicates(["citing", "cited_key", "kind"], ignore_index=True)
