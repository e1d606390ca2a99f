"""The candidate pairs of one cutoff, as a table and as index arrays."""

import dataclasses
import functools

import numpy as np
import pandas as pd

WHOLE = 1024  # codes up to which a matrix over all of them is made at once, whatever pairs are asked for


@dataclasses.dataclass(frozen=True)
class Grid:
    """The part of a codes x codes matrix that holds some pairs: its rows, its columns, and the pairs' places in it."""

    rows: slice
    columns: slice
    a: np.ndarray
    b: np.ndarray

    def at(self, matrix: np.ndarray) -> np.ndarray:
        """The values of a matrix rows x columns at the pairs."""
        values: np.ndarray = matrix.ravel().take(self._flat)
        return values

    @functools.cached_property
    def _flat(self) -> np.ndarray:
        """The pairs' places in the matrix read row by row, which is found faster than by row and column."""
        return self.a * (self.columns.stop - self.columns.start) + self.b


@dataclasses.dataclass(frozen=True)
class CandidatePairs:
    """The candidates at one cutoff: rows of ``table`` (schema ``Pairs``) and their positions in ``codes``.

    ``a`` and ``b`` index ``codes`` (sorted), a < b in every row. ``whole``: these are all candidates, not a block or a
    sample of them, so that a rank among them can be told.
    """

    table: pd.DataFrame
    codes: np.ndarray
    a: np.ndarray
    b: np.ndarray
    cutoff: pd.Timestamp
    whole: bool = True

    def __len__(self) -> int:
        return len(self.table)

    def part(self, rows: slice | np.ndarray) -> "CandidatePairs":
        """Some of these pairs, as a part of all."""
        table = self.table.iloc[rows].reset_index(drop=True)
        return dataclasses.replace(self, table=table, a=self.a[rows], b=self.b[rows], whole=False)

    @functools.cached_property
    def grid(self) -> Grid:
        """Where the pairs stand; the pairs of a few neighbouring codes make a narrow grid."""
        if len(self.codes) <= WHOLE or not len(self.a):
            every = slice(0, len(self.codes))
            return Grid(every, every, self.a, self.b)
        rows = slice(int(self.a.min()), int(self.a.max()) + 1)
        columns = slice(int(self.b.min()), int(self.b.max()) + 1)
        return Grid(rows, columns, self.a - rows.start, self.b - columns.start)
