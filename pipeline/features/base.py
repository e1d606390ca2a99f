"""Features of candidate pairs at one cutoff, and the contract of a feature block.

A block is a pure function ``block(history, pairs, ...) -> BlockOutput``. It receives a corpus already cut
(``Corpus.as_of``) and pairs already made, so it cannot look past the cutoff. What its source lacks (no abstracts,
no citations) it leaves out: absent columns and a warning, never zeros that look like data.
"""

import dataclasses

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.spatial.distance import cdist
from sklearn.utils.extmath import safe_sparse_dot

from pipeline.pairs.base import CandidatePairs

AT_ONCE = 64  # columns of a dense factor


@dataclasses.dataclass(frozen=True)
class BlockOutput:
    """What a block hands back: pair columns (one value a pair), vectors of the codes, and what it left out and why."""

    columns: dict[str, np.ndarray]
    code_vectors: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class FeatureTable:
    """All features of the candidates at one cutoff.

    ``columns``: float32, one row a pair, names ``block__measure__param__lag``; the part before the first ``__`` is
    the modality. ``code_vectors``: per modality with vectors (``graph``, ``text``) one row a code of ``pairs.codes``.
    ``patent_vectors`` (patents x d, or None without text) and ``carriers`` (codes x patents, 0/1: which patents carry
    the code in the window) feed the reference recipe's attention pooling. ``warnings``: what was left out, and why.
    """

    pairs: CandidatePairs
    columns: pd.DataFrame
    code_vectors: dict[str, np.ndarray]
    patent_vectors: np.ndarray | None
    carriers: sp.csr_array
    warnings: tuple[str, ...] = ()

    def modalities(self) -> list[str]:
        """Names of the modalities present, in the order of their columns."""
        return list(dict.fromkeys(str(column).partition("__")[0] for column in self.columns))


def modality_columns(columns: list[str]) -> dict[str, list[str]]:
    """Columns grouped by modality, in order."""
    groups: dict[str, list[str]] = {}
    for column in columns:
        groups.setdefault(column.partition("__")[0], []).append(column)
    return groups


def over_both_codes(stem: str, suffix: str, values: np.ndarray, pairs: CandidatePairs) -> dict[str, np.ndarray]:
    """Mean, min and range of a code value over the two codes of each pair, as columns ``stem_STAT__suffix``."""
    left, right = values[pairs.a], values[pairs.b]
    return {
        f"{stem}_mean__{suffix}": (left + right) / 2,
        f"{stem}_min__{suffix}": np.minimum(left, right),
        f"{stem}_range__{suffix}": np.abs(left - right),
    }


def vector_distances(stem: str, suffix: str, vectors: np.ndarray, pairs: CandidatePairs) -> dict[str, np.ndarray]:
    """Cosine, dot product, Euclidean and L1 distance of the two code vectors (A3); NaN where a code has no vector."""
    grid = pairs.grid
    left, right = vectors[grid.rows], vectors[grid.columns]
    with np.errstate(invalid="ignore", divide="ignore"):
        dot = left @ right.T
        length = np.linalg.norm(vectors, axis=1)
        measures = {
            "cosine": dot / np.multiply.outer(length[grid.rows], length[grid.columns]),
            "dot": dot,
            "euclidean": cdist(left, right),
            "l1": cdist(left, right, "cityblock"),
        }
    return {f"{stem}__{name}__{suffix}": grid.at(matrix) for name, matrix in measures.items()}


def dense_product(left: sp.csr_array, right: sp.csr_array) -> np.ndarray:
    """``left @ right.T`` of float64 rows as a dense matrix.

    Each value is summed along its left row alone, so that it is the same to the last bit whatever other rows are asked
    for beside it.
    """
    return np.asarray(safe_sparse_dot(left, right.T, dense_output=True))


def times_dense(left: sp.csr_array, right: np.ndarray) -> np.ndarray:
    """``left @ right``, some columns at a time: their part of ``right`` stays in the processor's cache."""
    product = np.empty((left.shape[0], right.shape[1]))
    for start in range(0, right.shape[1], AT_ONCE):
        columns = slice(start, start + AT_ONCE)
        product[:, columns] = left @ np.ascontiguousarray(right[:, columns])
    return product


def binary(matrix: sp.csr_array) -> sp.csr_array:
    """A copy with 1.0 wherever something is stored."""
    copy = sp.csr_array(matrix.astype(float), copy=True)
    copy.data[:] = 1.0
    return copy
