"""The reference recipe's two-stage ensemble (method A5), preset ``reference``.

Resampling by SMOTETomek to 2:8; stage one, seven tuned learners, the best kept; stage two, a ridge classifier over
their out-of-fold probabilities, and the threshold of least cost.

Open in the source, and read here so: "best by KS, AUC-PR and cost" is the lowest sum of the three ranks among the
seven; the learners' probabilities that the ridge learns from are out of fold; resampling and standardising are
fitted on the training part of a fold only. The published training set had some thousands of pairs: a larger one is
cut to ``max_training_pairs`` (all positives, then a random draw of negatives). No part needs more than one core.
"""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from imblearn.combine import SMOTETomek
from imblearn.over_sampling import SMOTE
from imblearn.under_sampling import TomekLinks
from pydantic import Field
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pipeline.config import Stage
from pipeline.errors import MORE_POSITIVES, NotEnoughDataError
from pipeline.evaluation.metrics import Ranking, average_precision, cost, cost_threshold, ks
from pipeline.ranking.tuning import LEARNERS, Fold, Parameters, fit_learner, positive_probability, tune

RATIO = 0.25  # positives a negative after resampling: 2:8
NEIGHBORS = 5  # that SMOTE draws between
CHUNK = 100_000  # pairs scored at once

Progress = Callable[[str], None]


class ReferenceConfig(Stage):
    """Sizes of the reference ensemble."""

    max_training_pairs: int = Field(12_000, ge=20, description="positives beyond half of it are drawn too")
    tuning_pairs: int = Field(2_000, ge=20, description="training pairs that tuning looks at")
    tuning_positives: int = Field(200, ge=2, description="positives among them at least, if there are as many")
    trials: int = Field(8, ge=1, description="of the Bayesian tuning, a learner")
    folds: int = Field(3, ge=2, description="of the cross-validation")
    kept: int = Field(4, ge=1, le=len(LEARNERS), description="learners that enter the stack")
    theta: float = Field(2.0, ge=1, description="of Cost(theta), which keeps learners and sets the threshold")


@dataclasses.dataclass(frozen=True)
class Preparation:
    """Medians for the missing (0 where a whole column is), then mean 0 and variance 1, learnt from one X."""

    median: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, X: np.ndarray) -> "Preparation":
        known = ~np.isnan(X).all(axis=0)
        median = np.zeros(X.shape[1])
        median[known] = np.nanmedian(X[:, known], axis=0)
        filled = np.where(np.isnan(X), median, X).astype(np.float64)
        spread = filled.std(axis=0)
        return cls(median=median, mean=filled.mean(axis=0), scale=np.where(spread > 0, spread, 1.0))

    def apply(self, X: np.ndarray) -> np.ndarray:
        """Standardised float32."""
        return ((np.where(np.isnan(X), self.median, X) - self.mean) / self.scale).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class FittedReference:
    """The fitted ensemble.

    ``threshold``: predict convergence where score >= threshold. ``report``: a row a learner with ks,
    average_precision, cost (cross-validated), selected, parameters (JSON). ``out_of_fold``: row of the training X,
    label, score (the stack over out-of-fold probabilities); negatives in it are sub-sampled, positives are not
    unless they pass half of ``max_training_pairs``.
    """

    threshold: float
    report: pd.DataFrame
    out_of_fold: pd.DataFrame
    preparation: Preparation
    learners: dict[str, Any]
    ridge: RidgeClassifierCV

    def score(self, X: np.ndarray) -> np.ndarray:
        """The stack's decision value of each row: ranks, is no probability."""
        with threadpool_limits(1):
            chunks = [self._score(X[start : start + CHUNK]) for start in range(0, len(X), CHUNK)]
        return np.concatenate([np.zeros(0), *chunks])

    def _score(self, X: np.ndarray) -> np.ndarray:
        prepared = self.preparation.apply(X)
        stacked = np.column_stack([positive_probability(model, prepared) for model in self.learners.values()])
        return np.asarray(self.ridge.decision_function(stacked), dtype=np.float64)


def fit_reference(
    X: np.ndarray, y: np.ndarray, seed: int, config: ReferenceConfig, progress: Progress = lambda message: None
) -> FittedReference:
    """Fit both stages on pairs (rows x columns, NaN where unknown) and their outcomes (0/1).

    Raises:
        NotEnoughDataError: with fewer than two positives or negatives, since each fold needs one of both.
    """
    y = np.asarray(y).astype(int)
    fewest = int(min(y.sum(), len(y) - y.sum()))
    if fewest < 2:
        raise NotEnoughDataError(
            f"the reference ensemble has {int(y.sum())} convergences among {len(y)} training pairs and needs 2 of both "
            f"kinds: {MORE_POSITIVES}"
        )
    with threadpool_limits(1):  # several threads would tie-break neighbours by their number
        return _fit(X, y, seed, config, progress)


def _fit(X: np.ndarray, y: np.ndarray, seed: int, config: ReferenceConfig, progress: Progress) -> FittedReference:
    rng = np.random.default_rng(seed)
    rows = draw(y, config.max_training_pairs, int(y.sum()), rng)
    X, y = X[rows], y[rows]
    tuned_on = draw(y, config.tuning_pairs, max(config.tuning_positives, int(y.mean() * config.tuning_pairs)), rng)
    parameters = _tune_all(_folds(X[tuned_on], y[tuned_on], seed, config), seed, config, progress)
    progress(f"cross-validating {len(LEARNERS)} learners on {len(y)} pairs")
    probabilities = _out_of_fold(X, y, parameters, seed, config)
    report = _compare(y, probabilities, parameters, config)
    selected = report.loc[report["selected"], "learner"].tolist()
    progress(f"stacking {', '.join(selected)}")
    stacked = probabilities[selected].to_numpy()
    ridge = RidgeClassifierCV(alphas=np.logspace(-3, 3, 7)).fit(stacked, y)
    score = ridge.decision_function(stacked)
    preparation = Preparation.fit(X)
    resampled = resample(preparation.apply(X), y, seed)
    return FittedReference(
        threshold=cost_threshold(y, score, config.theta),
        report=report,
        out_of_fold=pd.DataFrame({"row": rows, "label": y, "score": score}),
        preparation=preparation,
        learners={name: fit_learner(name, parameters[name], *resampled, seed) for name in selected},
        ridge=ridge,
    )


def draw(y: np.ndarray, size: int, positives: int, rng: np.random.Generator) -> np.ndarray:
    """Sorted rows: ``positives`` positives, if there are so many and up to half of ``size``, then negatives.

    More positives only where negatives run out.
    """
    if len(y) <= size:
        return np.arange(len(y))
    wanted = max(min(positives, int(y.sum()), size // 2), size - int((1 - y).sum()))
    taken = [rng.choice(np.flatnonzero(y == 1), wanted, replace=False)]
    taken.append(rng.choice(np.flatnonzero(y == 0), size - wanted, replace=False))
    return np.sort(np.concatenate(taken))


def resample(X: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """SMOTETomek to 2:8 positives to negatives, all of X known.

    Tomek links are cut after SMOTE, on both sides, so that the ratio is met up to the links. Where positives are
    already that frequent, or a single one leaves nothing to interpolate, only the negatives of Tomek links go.
    """
    positives = int(y.sum())
    if positives < 2 or positives >= RATIO * (len(y) - positives):
        links = TomekLinks(sampling_strategy=[0], n_jobs=1).fit_resample(X, y)
        return links[0], links[1]
    smote = SMOTE(sampling_strategy=RATIO, k_neighbors=min(NEIGHBORS, positives - 1), random_state=seed)
    both = SMOTETomek(sampling_strategy=RATIO, smote=smote, random_state=seed, n_jobs=1).fit_resample(X, y)
    return both[0], both[1]


def _split(y: np.ndarray, seed: int, folds: int) -> list[tuple[np.ndarray, np.ndarray]]:
    splits = min(folds, int(y.sum()), int((1 - y).sum()))
    splitter = StratifiedKFold(splits, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros((len(y), 1)), y))


def _folds(X: np.ndarray, y: np.ndarray, seed: int, config: ReferenceConfig) -> list[Fold]:
    folds = []
    for training, held_out in _split(y, seed, config.folds):
        preparation = Preparation.fit(X[training])
        resampled = resample(preparation.apply(X[training]), y[training], seed)
        folds.append((*resampled, preparation.apply(X[held_out]), y[held_out]))
    return folds


def _tune_all(folds: list[Fold], seed: int, config: ReferenceConfig, progress: Progress) -> dict[str, Parameters]:
    tuned = {}
    for name in LEARNERS:
        progress(f"tuning {name}: {config.trials} trials")
        tuned[name] = tune(name, folds, config.trials, seed)
    return tuned


def _out_of_fold(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Parameters], seed: int, config: ReferenceConfig
) -> pd.DataFrame:
    """Probability of each learner (columns) on each row, by models that never saw the row."""
    probabilities = pd.DataFrame(np.nan, index=range(len(y)), columns=list(parameters))
    places = _split(y, seed, config.folds)
    for (_, held_out), (fold_X, fold_y, held_X, _) in zip(places, _folds(X, y, seed, config), strict=True):
        for name, point in parameters.items():
            model = fit_learner(name, point, fold_X, fold_y, seed)
            probabilities.loc[held_out, name] = positive_probability(model, held_X)
    return probabilities


def _compare(
    y: np.ndarray, probabilities: pd.DataFrame, parameters: dict[str, Parameters], config: ReferenceConfig
) -> pd.DataFrame:
    rankings = {name: Ranking.of(y, probabilities[name].to_numpy()) for name in parameters}
    report = pd.DataFrame(
        {
            "learner": list(parameters),
            "ks": [ks(ranking) for ranking in rankings.values()],
            "average_precision": [average_precision(ranking) for ranking in rankings.values()],
            "cost": [cost(ranking, config.theta) for ranking in rankings.values()],
        }
    )
    ranks = (
        report["ks"].rank(ascending=False) + report["average_precision"].rank(ascending=False) + report["cost"].rank()
    )
    best = ranks.sort_values(kind="stable").index[: config.kept]
    return report.assign(
        selected=report.index.isin(best),
        parameters=[json.dumps(point, sort_keys=True) for point in parameters.values()],
    )
