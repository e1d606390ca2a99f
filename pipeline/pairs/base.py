"""The candidate pairs of one cutoff, as a table and as index arrays."""

import dataclasses

import numpy as np
import pandas as pd


@dataclasses.dataclass(frozen=True)
class CandidatePairs:
    """The candidates at one cutoff: rows of ``table`` (schema ``Pairs``) and their positions in ``codes``.

    ``a`` and ``b`` index ``codes`` (sorted), a < b in every row.
    """

    table: pd.DataFrame
    codes: np.ndarray
    a: np.ndarray
    b: np.ndarray
    cutoff: pd.Timestamp

    def __len__(self) -> int:
        return len(self.table)
