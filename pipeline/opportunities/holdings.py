"""What a firm has in the two codes of a pair (method B5): its share, how lately it was active, who works on both.

Read from the firm's own patents; a code it does not hold has share 0 and no recency.
"""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.corpus.timeline import Corpus, Incidence


def holdings(
    history: Corpus, party_id: str, incidence: Incidence, a: np.ndarray, b: np.ndarray
) -> dict[str, np.ndarray]:
    """Values for pairs of columns (a, b) of the incidence.

    ``share_a``, ``share_b``: the firm's part of all patents of the code, in [0, 1]. ``recency_a``, ``recency_b``: years
    from its latest patent in the code to the cutoff. ``inventor_overlap``: of its inventors with patents in either
    code, the share with patents in both; NaN where it has none, or the source names no inventors.
    """
    assigned = history.parties[(history.parties["role"] == "assignee") & (history.parties["party_id"] == party_id)]
    rows = np.unique(history.row_of(assigned["patent_id"]))
    own = sp.csr_array(incidence.matrix[rows])
    share = np.asarray(own.sum(axis=0)).ravel() / incidence.counts()
    age = (history.cutoff - history.patents["knowledge_date"].iloc[rows]).dt.days.to_numpy() / 365.25
    recency = _youngest(own, age)
    both = _inventors(history, rows, own)
    size = np.diag(both)
    either = size[a] + size[b] - both[a, b]
    overlap = np.divide(both[a, b], either, out=np.full(len(a), np.nan), where=either > 0)
    return {
        "share_a": share[a],
        "share_b": share[b],
        "recency_a": recency[a],
        "recency_b": recency[b],
        "inventor_overlap": overlap,
    }


def _youngest(own: sp.csr_array, age: np.ndarray) -> np.ndarray:
    """The least age of the patents of each code; NaN without any."""
    entries = own.tocoo()
    found = np.full(own.shape[1], np.inf)
    np.minimum.at(found, entries.col, age[entries.row])
    return np.where(np.isfinite(found), found, np.nan)


def _inventors(history: Corpus, rows: np.ndarray, own: sp.csr_array) -> np.ndarray:
    """How many inventors have patents in both of two codes (codes x codes).

    ``rows``: the firm's patents in the history, which carry the codes ``own`` (patents x codes, 0/1).
    """
    named = history.parties[history.parties["role"] == "inventor"]
    place = pd.Index(rows).get_indexer(pd.Index(history.row_of(named["patent_id"])))
    known = place >= 0
    inventor, names = pd.factorize(named["party_id"][known])
    written = sp.csr_array((np.ones(len(inventor)), (inventor, place[known])), shape=(len(names), len(rows)))
    active = sp.csr_array(written @ own)
    active.data[:] = 1.0
    return np.asarray((active.T @ active).toarray())
