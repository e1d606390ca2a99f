"""Search by vectors: the contract, and exact search over an array mapped into memory.

Exact search is the default: it finds all there is to find, the same on every run, and is made in seconds
(``benchmarks/results/knowledge.md``): some sixty times quicker than Chroma at 100,000 chunks, a hundred when filtered.
"""

import dataclasses
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import pandas as pd

BATCH = 32  # queries whose similarities to all chunks are in memory at a time
DECIMALS = 5  # of a cosine that count: the rest depends on the order in which a processor adds


@dataclasses.dataclass(frozen=True)
class Scope:
    """What a query may see: what was known on the cutoff's day, of patents and of one firm's documents.

    ``seen``: one bool a row of the chunks known by then, which are a prefix of all.
    """

    cutoff: pd.Timestamp
    firm: str
    seen: np.ndarray


class DenseIndex(Protocol):
    """Finds the rows of the chunks whose vectors are most like a query's."""

    def nearest(self, queries: np.ndarray, scope: Scope, depth: int) -> Iterator[np.ndarray]:
        """Rows of the most similar chunks in scope, best first, for each query (unit vectors, queries x dimension)."""


class ExactIndex:
    """Every similarity is computed. Ties go by row."""

    def __init__(self, vectors: np.ndarray) -> None:
        self.vectors = vectors

    def nearest(self, queries: np.ndarray, scope: Scope, depth: int) -> Iterator[np.ndarray]:
        """See ``DenseIndex``."""
        known = self.vectors[: len(scope.seen)]
        unseen = np.flatnonzero(~scope.seen)
        depth = min(depth, len(known) - len(unseen))
        for start in range(0, len(queries), BATCH):
            similarity = (queries[start : start + BATCH] @ known.T).round(DECIMALS)
            similarity[:, unseen] = -np.inf
            for values in similarity:
                yield best(values, depth)


def best(values: np.ndarray, depth: int) -> np.ndarray:
    """Rows of the greatest values, greatest first, ties by row."""
    if not depth:
        return np.zeros(0, dtype=np.intp)
    least = np.partition(values, -depth)[-depth]
    rows = np.flatnonzero(values >= least)
    return rows[np.lexsort((rows, -values[rows]))][:depth]
