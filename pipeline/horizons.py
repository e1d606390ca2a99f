"""Several horizons of the same pairs side by side: how likely by when, and how fast.

The horizons are fitted apart, so their probabilities may contradict each other: a pair cannot be likelier to have met
by year 1 than by year 3. They are evened out, each pair for itself, into a cumulative probability that never falls;
the hazard is what it says of each year between two horizons.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pipeline.errors import ArtifactError
from pipeline.schemas import PAIR, PAIR_KEY, Horizons, validate


def horizon_table(forecasts: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Join the predictions of each horizon (years -> schema ``Predictions``) into one table (schema ``Horizons``).

    A cutoff has the horizons that were forecast from it.

    Raises:
        ArtifactError: when two horizons of a cutoff do not have the same candidates.
    """
    by_cutoff: dict[pd.Timestamp, dict[int, pd.DataFrame]] = {}
    for years, predictions in sorted(forecasts.items()):
        for cutoff, block in predictions.groupby("cutoff"):
            by_cutoff.setdefault(pd.Timestamp(str(cutoff)), {})[years] = block
    joined = [_joined(blocks) for _, blocks in sorted(by_cutoff.items())]
    return validate(pd.concat(joined, ignore_index=True), Horizons, "horizons")


def _joined(blocks: dict[int, pd.DataFrame]) -> pd.DataFrame:
    first, *others = blocks
    pairs = blocks[first][PAIR_KEY].reset_index(drop=True)
    for years in others:
        if not pairs.equals(blocks[years][PAIR_KEY].reset_index(drop=True)):
            raise ArtifactError(
                f"the candidates of {pairs['cutoff'].iloc[0]:%Y-%m-%d} are not the same at horizons {first} and "
                f"{years}: their parts were not made from the same corpus and task, so run it again"
            )
    probability = np.column_stack([block["probability"] for block in blocks.values()])
    label = np.column_stack([block["label"].to_numpy(dtype=float, na_value=np.nan) for block in blocks.values()])
    cumulative = never_falling(probability)
    rows = np.repeat(np.arange(len(pairs)), len(blocks))
    return pairs.iloc[rows].assign(
        horizon=np.tile(list(blocks), len(pairs)),
        probability=probability.ravel(),
        cumulative=cumulative.ravel(),
        hazard=yearly_hazard(cumulative, list(blocks)).ravel(),
        label=pd.array(label.ravel(), dtype="Int8"),
    )


def never_falling(probability: np.ndarray) -> np.ndarray:
    """The nearest rows (least squares, horizons weighted equally) that never fall from left to right; pairs x horizons.

    Isotonic regression: what pooling adjacent violators finds, by its max-min formula (Barlow et al. 1972)
    fit_i = max over j <= i of min over k >= i of mean(p_j .. p_k), which is the same few array operations for all rows.
    """
    width = probability.shape[1]
    fit = np.full(probability.shape, -np.inf)
    for start in range(width):
        sizes = np.arange(1, width - start + 1)
        means = np.cumsum(probability[:, start:], axis=1) / sizes
        least = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]  # over all ends from here on
        fit[:, start:] = np.maximum(fit[:, start:], least)
    return fit


def yearly_hazard(cumulative: np.ndarray, horizons: Sequence[int]) -> np.ndarray:
    """The chance a year of meeting within (horizon before, horizon], for a pair that has not met; pairs x horizons.

    Discrete-time survival with a constant rate between horizons: 1 - ((1 - F(h2)) / (1 - F(h1))) ** (1 / (h2 - h1)),
    with F(0) = 0. NaN where F(h1) = 1: none is left.

    >>> yearly_hazard(np.array([[0.10, 0.271]]), [1, 3]).round(6).tolist()
    [[0.1, 0.1]]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.log1p(-np.column_stack([np.zeros(len(cumulative)), cumulative]))
        hazard: np.ndarray = -np.expm1(np.diff(survival, axis=1) / np.diff([0, *horizons]))
    return hazard + 0.0  # no negative zero


def with_cumulative(ranked: pd.DataFrame, horizons: pd.DataFrame) -> pd.DataFrame:
    """A ranked list with a column ``probability_Ny`` for each horizon: the cumulative one at the last cutoff."""
    last = horizons[horizons["cutoff"] == horizons["cutoff"].max()]
    for years, block in last.groupby("horizon"):
        column = block[PAIR].assign(**{f"probability_{years}y": block["cumulative"]})
        ranked = ranked.merge(column, on=PAIR, how="left", validate="one_to_one")
    return ranked
