"""Search by vectors: the contract, and exact search over arrays mapped into memory.

Exact search is the default: it finds all there is to find, the same on every run, is made in seconds, and answers a
filtered question sooner than Chroma at every size measured (``benchmarks/results/knowledge*.md``).
"""

import dataclasses
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import pandas as pd

from pipeline.knowledge.coarse import Coarse

BATCH = 32  # queries whose similarities to all chunks are in memory at a time
CLOSELY = 8192  # rows whose exact similarities are computed at a time
RARE = 64  # a scope sees one row in so many or fewer
DECIMALS = 5  # of a cosine that count: the rest depends on the order in which a processor adds
PATENTS = ""  # the owner of a patent's chunks
_FOLDED = 256  # values of which ``_reached`` looks at the greatest alone


@dataclasses.dataclass(frozen=True)
class Scope:
    """What a query may see: what was known on the cutoff's day, of some owners (party ids of firms, and PATENTS).

    ``seen``: one bool a row of the chunks known by then, which are a prefix of all.
    """

    cutoff: pd.Timestamp
    owners: frozenset[str]
    seen: np.ndarray


class DenseIndex(Protocol):
    """Finds the rows of the chunks whose vectors are most like a query's."""

    def nearest(self, queries: np.ndarray, scope: Scope, depth: int) -> Iterator[np.ndarray]:
        """Rows of the most similar chunks in scope, best first, for each query (unit vectors, queries x dimension)."""


class ExactIndex:
    """Finds what computing every similarity would. Ties go by row.

    ``coarse`` bounds each similarity from both sides; those are computed in double precision that the bounds leave.
    """

    def __init__(self, vectors: np.ndarray, coarse: Coarse) -> None:
        self.vectors = vectors
        self.coarse = coarse

    def nearest(self, queries: np.ndarray, scope: Scope, depth: int) -> Iterator[np.ndarray]:
        """See ``DenseIndex``."""
        rows = np.flatnonzero(scope.seen)
        if len(rows) * RARE <= len(scope.seen):  # sooner without bounds, as where a firm's documents alone are seen
            vectors = self.vectors[rows].astype(np.float64)
            for query in queries:
                yield rows[best(vectors @ query.astype(np.float64), depth, DECIMALS)]
            return
        unseen = np.flatnonzero(~scope.seen)
        for start in range(0, len(queries), BATCH):
            batch = queries[start : start + BATCH].astype(np.float32, copy=False)
            about = self.coarse.products(batch, len(scope.seen))
            about[:, unseen] = -np.inf
            for query, values in zip(batch, about, strict=True):
                yield self._nearest(query.astype(np.float64), values, depth)

    def _nearest(self, query: np.ndarray, about: np.ndarray, depth: int) -> np.ndarray:
        error = self.coarse.errors[: len(about)] * np.float32(np.linalg.norm(query) * (1 + 1e-6))
        least = _reached(about - error, depth) - 2 * 10.0**-DECIMALS
        rows = np.flatnonzero((about + error >= least) & (about > -np.inf))
        parts = [
            self.vectors[rows[at : at + CLOSELY]].astype(np.float64) @ query for at in range(0, len(rows), CLOSELY)
        ]
        return rows[best(np.concatenate([np.zeros(0), *parts]), depth, DECIMALS)]


def best(values: np.ndarray, depth: int, decimals: int, above: float = -np.inf) -> np.ndarray:
    """Rows of the greatest values, greatest first, ties by row: those above a value, as many as there are."""
    least = _reached(values, depth) - 2 * 10.0**-decimals  # none that rounds to as much is less
    rows = np.flatnonzero((values >= least) & (values > above))
    rounded = values[rows].round(decimals)
    return rows[np.lexsort((rows, -rounded))[:depth]]


def _reached(values: np.ndarray, depth: int) -> float:
    """A value that at least ``depth`` of the values reach, seldom much below the last of them; -inf: all do."""
    folded = len(values) // _FOLDED
    if folded > depth:
        values = values[: folded * _FOLDED].reshape(_FOLDED, folded).max(axis=0)
    return float(np.partition(values, -depth)[-depth]) if 0 < depth <= len(values) else -np.inf
