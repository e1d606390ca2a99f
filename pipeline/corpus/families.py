"""Families: one invention, several documents, counted once."""

import functools
from typing import Literal

import numpy as np
import pandas as pd

from pipeline.corpus.numbers import number_keys

Families = Literal["merge", "keep"]
_AT_ONCE = 1 << 16  # ids whose keys are made at once
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
    """Which patent stands for each document of a corpus, by its id or by its number.

    ``members``: as ``schemas.Members``, the earliest known first.
    """

    def __init__(self, members: pd.DataFrame) -> None:
        self._members = members
        self.patent_id = members["patent_id"]
        self.knowledge_date = members["knowledge_date"]

    def of_id(self, ids: pd.Series) -> np.ndarray:
        """The row of the member with each id, -1 where there is none."""
        return self._ids.get_indexer(pd.Index(ids, dtype="object"))

    def of_number(self, keys: pd.Series) -> np.ndarray:
        """The row of the member with each ``number_key``, of several the earliest known; -1 where there is none."""
        found = self._numbers.get_indexer(pd.Index(keys, dtype="object"))
        return np.where(found < 0, -1, self._first[found])

    # Python's own strings: of others the table of hashes would be made anew for each question
    @functools.cached_property
    def _ids(self) -> pd.Index:
        return pd.Index(self._members["member_id"].to_numpy(), dtype="object")

    @functools.cached_property
    def _numbers(self) -> pd.Index:
        return pd.Index(self._keys.iloc[self._first].to_numpy(), dtype="object")

    @functools.cached_property
    def _first(self) -> np.ndarray:
        return np.flatnonzero(~self._keys.duplicated())

    @functools.cached_property
    def _keys(self) -> pd.Series:
        starts = range(0, max(len(self._members), 1), _AT_ONCE)
        parts = (self._members.iloc[start : start + _AT_ONCE] for start in starts)
        return pd.concat([number_keys(part["member_id"], part["office"]) for part in parts])


def resolve_citations(citations: pd.DataFrame, standing: Standing) -> pd.DataFrame:
    """Point references at the patent that stands for the cited document.

    ``citations``: citing, citing_date, citing_office (where a bare number belongs), cited, kind. A reference names a
    document of the corpus by its id, or by another spelling of its number (``numbers.number_key``; of several documents
    of one number the earliest known). A reference to a document not yet known on the citing patent's date keeps the
    cited id: that it belongs to the family was not known then. References of a patent to itself are dropped, repeated
    ones counted once.
    """
    patent = (citations["kind"] == "patent").to_numpy()
    found = np.full(len(citations), -1)
    found[patent] = standing.of_id(citations["cited"][patent])
    lost = patent & (found < 0)
    if lost.any():
        found[lost] = standing.of_number(number_keys(citations["cited"][lost], citations["citing_office"][lost]))
    row = np.flatnonzero(found >= 0)
    row = row[standing.knowledge_date.to_numpy()[found[row]] <= citations["citing_date"].to_numpy()[row]]
    cited = citations["cited"].reset_index(drop=True)
    cited.iloc[row] = standing.patent_id.iloc[found[row]].to_numpy()
    links = citations.reset_index(drop=True).assign(cited=cited)
    links = links[links["citing"] != links["cited"]]
    numbered = links[links["kind"] == "patent"]
    key = links["cited"].copy()
    key[numbered.index] = number_keys(numbered["cited"], numbered["citing_office"])
    links = links.assign(cited_key=key)[["citing", "cited", "kind", "cited_key"]]
    return links.drop_duplicates(["citing", "cited_key", "kind"], ignore_index=True)
