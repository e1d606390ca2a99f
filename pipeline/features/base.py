"""Features of candidate pairs at one cutoff, and the contract of a feature block.

A block is a pure function ``block(history, pairs, ...) -> BlockOutput``. It receives a corpus already cut
(``Corpus.as_of``) and pairs already made, so it cannot look past the cutoff. What its source lacks (no abstracts,
no citations) it leaves out: absent columns and a warning, never zeros that look like data.
"""

import dataclasses

import numpy as np
import pandas as pd
import scipy.sparse as sp


@dataclasses.dataclass(frozen=True)
class CandidatePairs:
    """The candidates at one cutoff: rows of ``table`` (schema ``Pairs``) and their positions in ``codes``.

    ``a`` and ``b`` index ``codes`` (sorted), a < b in every row.
    """

    table: pd.DataFrame
    codes: np.ndarray
    a: np.ndarray
    b: np.ndarray

    def __len__(self) -> int:
        return len(self.table)


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
        return list(dict.fromkeys(column.partition("__")[0] for column in self.columns))


def modality_columns(columns: list[str]) -> dict[str, list[str]]:
    """Columns grouped by modality, in order."""
    groups: dict[str, list[str]] = {}
    for column in columns:
        groups.setdefault(column.partition("__")[0], []).append(column)
    return groups
