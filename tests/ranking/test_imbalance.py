"""Resampling under each strategy."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipeline.ranking.imbalance import OVER_RATIO, STRATEGIES, UNDER_RATIO

RATIOS = {"none": 0.0, "under": UNDER_RATIO, "over": OVER_RATIO, "smote": OVER_RATIO}
BAGGED = {"balanced_bagging": UNDER_RATIO, "easy_ensemble": 1.0}


def data(prior: float) -> tuple[np.ndarray, np.ndarray]:
    y = (np.arange(2000) < 2000 * prior).astype(int)
    return np.random.default_rng(2).normal(size=(2000, 3)).astype(np.float32), y


@pytest.mark.parametrize("prior", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("strategy", RATIOS)
def test_a_learner_sees_at_least_the_ratio_of_positives_to_negatives(strategy: str, prior: float) -> None:
    """A learner that answers with the share it was trained at tells what the sampler yielded."""
    X, y = data(prior)
    share = STRATEGIES[strategy](DummyClassifier(strategy="prior"), 1, prior).fit(X, y).predict_proba(X)[0, 1]
    assert share / (1 - share) == pytest.approx(max(prior / (1 - prior), RATIOS[strategy]), rel=0.02)


@pytest.mark.parametrize("prior", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("strategy", BAGGED)
def test_every_bag_has_the_ratio(strategy: str, prior: float) -> None:
    X, y = data(prior)
    learner = LogisticRegression(C=1e-9)  # no slope, so the intercept is the log odds of its share
    share = STRATEGIES[strategy](learner, 1, prior).fit(X, y).predict_proba(X)[0, 1]
    assert share / (1 - share) == pytest.approx(max(prior / (1 - prior), BAGGED[strategy]), rel=0.02)


@pytest.mark.parametrize("prior", [0.01, 0.3])
def test_weights_make_both_kinds_weigh_the_same_also_within_a_pipeline(prior: float) -> None:
    X, y = data(prior)
    for learner in (LogisticRegression(C=1e-9), make_pipeline(StandardScaler(), LogisticRegression(C=1e-9))):
        fitted = STRATEGIES["weights"](learner, 1, prior).fit(X, y)
        assert fitted.predict_proba(X)[0, 1] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_positives_in_the_majority_are_no_obstacle(strategy: str) -> None:
    X, y = data(0.7)
    assert STRATEGIES[strategy](LogisticRegression(), 1, 0.7).fit(X, y).predict_proba(X).shape == (2000, 2)


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_a_seed_decides_every_strategy(strategy: str) -> None:
    rng = np.random.default_rng(2)
    y = (np.arange(1000) < 30).astype(int)
    X = rng.normal(size=(1000, 3)).astype(np.float32) + y[:, None]
    once, again = (STRATEGIES[strategy](LogisticRegression(), 1, 0.03).fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(once, again)
