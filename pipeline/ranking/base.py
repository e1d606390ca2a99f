"""What the rankers share: the candidates of one origin with their outcome, and scores on one common scale."""

import dataclasses

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from pipeline.features.base import FeatureTable, modality_columns


@dataclasses.dataclass(frozen=True)
class Origin:
    """The candidates of one cutoff, their features raw (``table``) and ranked, and their labels (None while open)."""

    table: FeatureTable
    features: pd.DataFrame
    labels: np.ndarray | None

    @property
    def cutoff(self) -> pd.Timestamp:
        return self.table.pairs.cutoff

    @property
    def outcome(self) -> np.ndarray:
        """The labels; only for origins whose window has closed."""
        if self.labels is None:
            raise ValueError(f"the outcome of {self.cutoff:%Y-%m-%d} is not known")
        return self.labels

    def select(self, columns: list[str]) -> "Origin":
        """The same origin with these columns only, in this order, and the vectors of the modalities they belong to."""
        kept = modality_columns(columns)
        vectors = {name: values for name, values in self.table.code_vectors.items() if name in kept}
        patents = self.table.patent_vectors if "text" in kept else None
        table = dataclasses.replace(
            self.table, columns=self.table.columns[columns], code_vectors=vectors, patent_vectors=patents
        )
        return dataclasses.replace(self, table=table, features=self.features[columns])

    def take(self, rows: np.ndarray) -> "Origin":
        """The same origin with some of its candidates only."""
        pairs = self.table.pairs
        part = dataclasses.replace(
            pairs, table=pairs.table.iloc[rows].reset_index(drop=True), a=pairs.a[rows], b=pairs.b[rows]
        )
        columns = self.table.columns.iloc[rows].reset_index(drop=True)
        return Origin(
            table=dataclasses.replace(self.table, pairs=part, columns=columns),
            features=self.features.iloc[rows].reset_index(drop=True),
            labels=None if self.labels is None else self.labels[rows],
        )


def rank_logit(scores: np.ndarray) -> np.ndarray:
    """Scores as the logit of their rank share: one scale for every ranker, unmoved by the size of the universe.

    Missing scores rank below all others; ties share their mean rank.
    """
    filled = np.where(np.isnan(scores), -np.inf, scores)
    share = (rankdata(filled) - 0.5) / len(filled)
    return np.log(share / (1 - share))


def common_columns(origins: list[Origin]) -> list[str]:
    """Columns that every origin has and that vary in at least one, in the order of the last origin."""
    shared = [str(c) for c in origins[-1].features if all(c in origin.features for origin in origins)]
    return [c for c in shared if any(origin.features[c].nunique(dropna=False) > 1 for origin in origins)]


def stack(origins: list[Origin]) -> tuple[np.ndarray, np.ndarray]:
    """Features (rows x columns, float32) and labels of several origins, one below the other."""
    X = np.concatenate([origin.features.to_numpy(dtype=np.float32) for origin in origins])
    return X, np.concatenate([origin.outcome for origin in origins])
