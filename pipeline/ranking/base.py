"""What the rankers share: the candidates of one origin with their outcome, and scores on one common scale."""

import dataclasses

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from pipeline.features.base import FeatureTable, modality_columns


@dataclasses.dataclass(frozen=True)
class Origin:
    """The candidates of one cutoff, their features raw (``table``) and ranked, and their labels (None while open).

    ``weights``: where the rows are a sample, how many candidates each stands for; None: they are all.
    """

    table: FeatureTable
    features: pd.DataFrame
    labels: np.ndarray | None
    weights: np.ndarray | None = None

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
        """The same origin with these columns only, in this order, and the vectors of the modalities they belong to.

        A column it lacks is missing throughout.
        """
        kept = modality_columns(columns)
        vectors = {name: values for name, values in self.table.code_vectors.items() if name in kept}
        patents = self.table.patent_vectors if "text" in kept else None
        table = dataclasses.replace(
            self.table,
            columns=self.table.columns.reindex(columns=columns),
            code_vectors=vectors,
            patent_vectors=patents,
        )
        return dataclasses.replace(self, table=table, features=self.features.reindex(columns=columns))

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
            weights=None if self.weights is None else self.weights[rows],
        )


def rank_logit(scores: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Scores as the logit of their rank share: one scale for every ranker, unmoved by the size of the universe.

    Missing scores rank below all others; ties share their mean rank. ``weights``: see ``Origin``.
    """
    filled = np.where(np.isnan(scores), -np.inf, scores)
    if weights is None:
        share = (rankdata(filled) - 0.5) / len(filled)
    else:
        _, place = np.unique(filled, return_inverse=True)
        mass = np.bincount(place, weights)
        share = ((np.cumsum(mass) - mass / 2) / mass.sum())[place]
    return np.log(share / (1 - share))


PARTIAL = ("background",)  # modalities whose source may begin after the first training origins


def shared_columns(origins: list[Origin]) -> list[str]:
    """The target's (the last origin's) columns that every other origin has; of a partial modality, that any has."""
    having = {str(c): [c in origin.features for origin in origins[:-1]] for c in origins[-1].features}
    return [c for c, has in having.items() if (any if c.partition("__")[0] in PARTIAL else all)(has)]


def common_columns(origins: list[Origin]) -> list[str]:
    """The shared columns that vary in at least one origin; an origin that lacks one has it missing, see ``select``."""
    return [c for c in shared_columns(origins) if any(_varies(origin.features, c) for origin in origins)]


def _varies(features: pd.DataFrame, column: str) -> bool:
    return column in features and features[column].nunique(dropna=False) > 1


def stack(origins: list[Origin]) -> tuple[np.ndarray, np.ndarray]:
    """Features (rows x columns, float32) and labels of several origins, one below the other."""
    X = np.concatenate([origin.features.to_numpy(dtype=np.float32) for origin in origins])
    return X, np.concatenate([origin.outcome for origin in origins])
