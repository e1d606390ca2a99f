"""What a fusion reads from a feature table, checked to be the same in every table it meets."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from pipeline.features.base import FeatureTable, modality_columns

PATENTS = "patents"  # the source that is one vector a patent; every other is one vector a code


@dataclasses.dataclass(frozen=True)
class Layout:
    """Column names in order, and the width of each source of vectors (0 where it is absent)."""

    columns: tuple[str, ...]
    widths: dict[str, int]

    @classmethod
    def of(cls, tables: Sequence[FeatureTable], sources: Sequence[str]) -> "Layout":
        """The layout that all tables share.

        Raises:
            ValueError: no table, no column, or tables that differ.
        """
        if not tables or not len(tables[0].columns.columns):
            raise ValueError("a fusion needs at least one table with at least one column")
        layout = cls(tuple(map(str, tables[0].columns.columns)), {name: _width(tables[0], name) for name in sources})
        for table in tables:
            layout.check(table)
        return layout

    def check(self, table: FeatureTable) -> None:
        """Raise ValueError, naming the difference, unless a table has this layout."""
        columns = tuple(map(str, table.columns.columns))
        if columns != self.columns:
            missing = [name for name in self.columns if name not in columns]
            extra = [name for name in columns if name not in self.columns]
            what = f"missing {missing[:3]}, not expected {extra[:3]}" if missing or extra else "another order"
            raise ValueError(f"columns of the table differ from those of the fusion: {what}")
        for name, width in self.widths.items():
            if _width(table, name) != width:
                raise ValueError(f"{name} vectors have width {_width(table, name)}, the fusion knows {width}")

    def modalities(self) -> dict[str, list[int]]:
        """Positions of the columns of each modality."""
        place = {name: position for position, name in enumerate(self.columns)}
        return {
            modality: [place[name] for name in names]
            for modality, names in modality_columns(list(self.columns)).items()
        }


@dataclasses.dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of columns, as training saw them (float32)."""

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, parts: Sequence[np.ndarray]) -> "Scale":
        """Over the known values of all parts; a column that is constant or unknown everywhere gets deviation 1."""
        count = sum(np.isfinite(part).sum(axis=0) for part in parts)
        total = sum(np.nansum(part, axis=0, dtype=np.float64) for part in parts)
        mean = total / np.maximum(count, 1)
        squares = sum(np.nansum((part - mean) ** 2, axis=0, dtype=np.float64) for part in parts)
        deviation = np.sqrt(squares / np.maximum(count, 1))
        # float32 columns: a spread below their resolution is no spread
        deviation = np.where(deviation > 1e-6 * np.abs(mean), deviation, 1.0)
        return cls(mean.astype(np.float32), deviation.astype(np.float32))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Standardised values (float32); what is unknown stays NaN."""
        return (values.astype(np.float32) - self.mean) / self.deviation


def column_values(table: FeatureTable) -> np.ndarray:
    """The columns as one float32 matrix (pairs x columns), NaN where unknown."""
    return np.asarray(table.columns.to_numpy(dtype=np.float32))


def _width(table: FeatureTable, source: str) -> int:
    vectors = table.patent_vectors if source == PATENTS else table.code_vectors.get(source)
    return 0 if vectors is None else int(vectors.shape[1])
