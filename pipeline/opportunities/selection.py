"""Which patents stand for the two sides of an opportunity (method A): the firm's and its citation neighbourhood's on
one, the target domain's on the other."""

from collections.abc import Collection

import numpy as np
import scipy.sparse as sp

from pipeline.corpus.timeline import Corpus


def firm_patents(history: Corpus, party_ids: Collection[str]) -> np.ndarray:
    """Which patents the firm is an assignee of (one bool each)."""
    parties = history.parties
    named = parties["patent_id"][(parties["role"] == "assignee") & parties["party_id"].isin(list(party_ids))]
    found = np.zeros(len(history.patents), dtype=bool)
    found[history.row_of(named.drop_duplicates())] = True
    return found


def citation_neighbourhood(history: Corpus, own: np.ndarray, orders: int = 2) -> np.ndarray:
    """The given patents and those that citations link to them, either way, in up to ``orders`` steps (one bool each).

    Patents outside the corpus lead nowhere. Two orders are those of the reference case.
    """
    links = _citation_links(history)
    found = own.copy()
    for _ in range(orders):
        found = found | (links @ found.astype(float) > 0)
    return found


def _citation_links(history: Corpus) -> sp.csr_array:
    """Which patents of the corpus cite each other, either way (patents x patents)."""
    cited = history.citations[history.citations["kind"] == "patent"]
    start, end = history.row_of(cited["citing"]), history.row_of(cited["cited"])
    inside = (start >= 0) & (end >= 0)
    size = len(history.patents)
    one_way = sp.csr_array((np.ones(inside.sum()), (start[inside], end[inside])), shape=(size, size))
    return sp.csr_array(one_way + one_way.T)
