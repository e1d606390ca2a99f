"""What moved a candidate in the shipped ranking: each modality's Shapley value, each feature's additive part.

Both are in units of ``Ranking.score_raw`` (log odds). What is taken away takes the middle rank, or is masked in the
fusion net. The modalities' values are those of the whole ensemble. The features' are the weighted parts of those
members that have any (linear models, boosted trees), so they miss what the others see.
"""

import dataclasses
import functools

import numpy as np
import pandas as pd

from pipeline.evaluation.shapley import shapley_plan
from pipeline.features.base import modality_columns
from pipeline.ranking.rescore import Rescorer

FEATURES = 5  # named a pair
USUAL = 20_000  # candidates, evenly spaced, whose mean a linear part is measured from


@dataclasses.dataclass(frozen=True)
class Drivers:
    """The drivers of the candidates ``rows``.

    ``base``: scores with all modalities hidden; with a row of ``modalities`` (rows x modalities) it adds up to the
    score. ``features``: rows x the rescorer's columns, 0 where a value is unknown. ``decomposed``: share of the
    members' weight that ``features`` speak for.
    """

    rescorer: Rescorer
    rows: np.ndarray
    base: np.ndarray
    modalities: pd.DataFrame
    features: np.ndarray
    decomposed: float

    @functools.cached_property
    def known(self) -> np.ndarray:
        """Which values of the rows are known (rows x columns)."""
        return ~np.isnan(self.rescorer.shares[self.rows])

    @property
    def named(self) -> np.ndarray:
        """The features named (rows x columns, bool): the first ``FEATURES`` of those that speak for the pair."""
        return smallest(-self.features, np.minimum((self.features > 0).sum(axis=1), FEATURES))


def find_drivers(rescorer: Rescorer, rows: np.ndarray, seed: int) -> Drivers:
    """The drivers of some candidates; ``seed`` matters where there are too many modalities for all coalitions."""
    base, modalities = _modality_values(rescorer, rows, seed)
    features, decomposed = _feature_parts(rescorer, rows)
    return Drivers(rescorer, rows, base, modalities, features, decomposed)


def modality_places(rescorer: Rescorer) -> dict[str, np.ndarray]:
    """Which columns belong to each modality that any candidate has (bool a column)."""
    groups = modality_columns(rescorer.columns)
    places = {name: np.isin(rescorer.columns, columns) for name, columns in groups.items()}
    return {name: place for name, place in places.items() if not np.isnan(rescorer.shares[:, place]).all()}


def smallest(keys: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mark the ``counts`` smallest keys of each row (bool); of equal keys the first."""
    return np.argsort(np.argsort(keys, axis=1, kind="stable"), axis=1) < counts[:, None]


def _modality_values(rescorer: Rescorer, rows: np.ndarray, seed: int) -> tuple[np.ndarray, pd.DataFrame]:
    places = modality_places(rescorer)
    coalitions, weights = shapley_plan(len(places), seed)
    hidden = ~coalitions @ np.array(list(places.values()))  # coalitions x columns
    scores = rescorer.without(np.tile(rows, len(hidden)), np.repeat(hidden, len(rows), axis=0))
    values = scores.reshape(len(hidden), len(rows))
    values[-1] = rescorer.score_raw[rows]  # nothing hidden: without the rounding of a batch of another size
    return values[0], pd.DataFrame((weights @ values).T, columns=list(places))


def _feature_parts(rescorer: Rescorer, rows: np.ndarray) -> tuple[np.ndarray, float]:
    shares = rescorer.shares
    total, decomposed = np.zeros((len(rows), len(rescorer.columns))), 0.0
    usual = shares[:: -(-len(shares) // USUAL)]
    for member in rescorer.members.values():
        parts = member.scorer.parts(shares[np.ix_(rows, member.place)], usual[:, member.place])
        if parts is not None:
            total[:, member.place] += member.weight * member.slope * parts
            decomposed += member.weight
    weight = sum(member.weight for member in rescorer.members.values())
    # an unknown value cannot be named as a reason
    return np.where(np.isnan(shares[rows]), 0.0, total), decomposed / weight
