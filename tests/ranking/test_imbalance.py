"""Resampling and the way back from it to the true prior."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from pipeline.ranking.imbalance import STRATEGIES, correct_prior, sampled_prior

shares = st.floats(0.001, 0.999)


@given(shares, shares, shares)
def test_the_corrected_odds_are_the_odds_times_the_ratio_of_prior_odds(p: float, sampled: float, true: float) -> None:
    got = correct_prior(np.array([p]), sampled, true)[0]
    elkan = true * (p - p * sampled) / (sampled - p * sampled + true * p - sampled * true)  # theorem 2
    assert got == pytest.approx(elkan, rel=1e-6)


@given(st.lists(shares, min_size=2), shares, shares)
def test_the_correction_keeps_order_and_undoes_itself(values: list[float], sampled: float, true: float) -> None:
    probability = np.sort(np.array(values))
    corrected = correct_prior(probability, sampled, true)
    assert (np.diff(corrected) >= -1e-15).all()
    assert ((corrected >= 0) & (corrected <= 1)).all()
    np.testing.assert_allclose(correct_prior(corrected, true, sampled), probability, rtol=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1), shares)
def test_nothing_changes_where_nothing_was_resampled(values: list[float], prior: float) -> None:
    probability = np.array(values)
    np.testing.assert_allclose(correct_prior(probability, prior, prior), probability, atol=1e-9)


@pytest.mark.parametrize("prior", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("strategy", sorted(set(STRATEGIES) - {"balanced_bagging", "easy_ensemble"}))
def test_the_stated_prior_is_the_one_the_learner_sees(strategy: str, prior: float) -> None:
    """A learner that answers with the prior it was trained at tells what the sampler yielded."""
    rng = np.random.default_rng(2)
    y = (np.arange(2000) < 2000 * prior).astype(int)
    X = rng.normal(size=(2000, 3)).astype(np.float32)
    model = STRATEGIES[strategy](DummyClassifier(strategy="prior"), 1, prior).fit(X, y)
    assert model.predict_proba(X)[0, 1] == pytest.approx(sampled_prior(strategy, prior), rel=0.02)


@pytest.mark.parametrize("prior", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("strategy", ["balanced_bagging", "easy_ensemble"])
def test_the_stated_prior_is_the_one_every_bag_sees(strategy: str, prior: float) -> None:
    y = (np.arange(2000) < 2000 * prior).astype(int)
    X = np.random.default_rng(2).normal(size=(2000, 3)).astype(np.float32)
    learner = LogisticRegression(C=1e-9)  # no slope, so the intercept is the log odds of its prior
    bags = STRATEGIES[strategy](learner, 1, prior).fit(X, y)
    assert bags.predict_proba(X)[0, 1] == pytest.approx(sampled_prior(strategy, prior), rel=0.02)


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_a_seed_decides_every_strategy(strategy: str) -> None:
    rng = np.random.default_rng(2)
    y = (np.arange(1000) < 30).astype(int)
    X = rng.normal(size=(1000, 3)).astype(np.float32) + y[:, None]
    once, again = (STRATEGIES[strategy](LogisticRegression(), 1, 0.03).fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(once, again)
