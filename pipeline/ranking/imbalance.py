"""Strategies against class imbalance (imbalanced-learn), each wrapping a learner.

What a strategy does to the level of the probabilities is undone at the end, by ``calibration.shift_to_prior``."""

from collections.abc import Callable
from typing import Any

from imblearn.ensemble import BalancedBaggingClassifier, EasyEnsembleClassifier
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

UNDER_RATIO = 0.1  # positives per negative after under-sampling: 1:1 throws away too much
OVER_RATIO = 0.1  # and after over-sampling: more blurs the ranking and slows the fit
BAGS = 5


def _none(learner: Any, seed: int, prior: float) -> Any:
    return learner


def _weights(learner: Any, seed: int, prior: float) -> Any:
    """Positives weigh as much as negatives in all."""
    of_last = f"{learner.steps[-1][0]}__class_weight" if isinstance(learner, Pipeline) else "class_weight"
    return clone(learner).set_params(**{of_last: "balanced"})


def _under(learner: Any, seed: int, prior: float) -> Any:
    if _odds(prior) >= UNDER_RATIO:  # there is nothing to take away
        return learner
    return make_pipeline(RandomUnderSampler(sampling_strategy=UNDER_RATIO, random_state=seed), learner)


def _over(learner: Any, seed: int, prior: float) -> Any:
    if _odds(prior) >= OVER_RATIO:
        return learner
    return make_pipeline(RandomOverSampler(sampling_strategy=OVER_RATIO, random_state=seed), learner)


def _smote(learner: Any, seed: int, prior: float) -> Any:
    if _odds(prior) >= OVER_RATIO:
        return learner
    fill = SimpleImputer(strategy="constant", fill_value=0.5, keep_empty_features=True)
    return make_pipeline(fill, SMOTE(sampling_strategy=OVER_RATIO, k_neighbors=3, random_state=seed), learner)


def _balanced_bagging(learner: Any, seed: int, prior: float) -> Any:
    ratio = max(UNDER_RATIO, _odds(prior))
    if ratio >= 1:  # positives are the majority: there is nothing to balance
        return learner
    return BalancedBaggingClassifier(
        learner, n_estimators=BAGS, sampling_strategy=ratio, random_state=seed, n_jobs=1, bootstrap=False
    )


def _easy_ensemble(learner: Any, seed: int, prior: float) -> Any:
    return EasyEnsembleClassifier(n_estimators=BAGS, estimator=learner, random_state=seed, n_jobs=1)


STRATEGIES: dict[str, Callable[[Any, int, float], Any]] = {
    "none": _none,
    "weights": _weights,
    "under": _under,
    "over": _over,
    "smote": _smote,
    "balanced_bagging": _balanced_bagging,
    "easy_ensemble": _easy_ensemble,
}


def _odds(prior: float) -> float:
    return prior / (1 - prior)
