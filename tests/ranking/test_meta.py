"""The meta-learner: weights never negative, equal until evidence says otherwise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from pipeline.ranking.base import rank_logit
from pipeline.ranking.meta import SHRINKAGE, fit_meta


def members(rng: np.random.Generator, rows: int, good: int, bad: int, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Rank logits of members that know the outcome and of members that know nothing."""
    truth = rng.normal(size=rows)
    labels = (rng.random(rows) < expit(strength * truth - 3)).astype(int)
    columns = [truth + 0.3 * rng.normal(size=rows) for _ in range(good)] + [rng.normal(size=rows) for _ in range(bad)]
    return np.column_stack([rank_logit(column) for column in columns]), labels


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.floats(-3, 3))
def test_weights_are_never_negative(seed: int, count: int, strength: float) -> None:
    scores, labels = members(np.random.default_rng(seed), 300, count, 1, strength)
    meta = fit_meta(scores, labels)
    assert (meta.weights >= 0).all()
    assert np.isfinite(meta.decision(scores)).all()


def test_weights_stay_near_equal_without_evidence() -> None:
    scores, labels = members(np.random.default_rng(1), 200, 1, 2, 1.0)
    weights = fit_meta(scores, labels).weights
    assert labels.sum() < 30
    assert np.ptp(weights) < 0.12


def test_weights_follow_the_good_member_with_much_evidence() -> None:
    scores, labels = members(np.random.default_rng(1), 60_000, 1, 2, 2.0)
    weights = fit_meta(scores, labels).weights
    assert weights[0] > 5 * max(weights[1:])


def test_equal_members_get_equal_weights() -> None:
    scores, labels = members(np.random.default_rng(3), 3000, 1, 0, 2.0)
    weights = fit_meta(np.repeat(scores, 3, axis=1), labels).weights
    np.testing.assert_allclose(weights, weights[0], rtol=1e-3)


def test_labels_of_one_class_do_not_break_it() -> None:
    scores, labels = members(np.random.default_rng(3), 300, 1, 1, 2.0)
    assert np.isfinite(fit_meta(scores, np.zeros_like(labels)).decision(scores)).all()


def test_it_is_the_minimum_of_the_penalised_loss() -> None:
    """No small step from the fitted parameters is better."""
    scores, labels = members(np.random.default_rng(4), 2000, 2, 1, 2.0)
    meta = fit_meta(scores, labels)
    alone = fit_meta(scores.mean(axis=1, keepdims=True), labels)
    equal = np.full(3, alone.weights[0] / 3)

    def loss(weights: np.ndarray, intercept: float) -> float:
        logit = scores @ weights + intercept
        return float(np.logaddexp(0, logit).sum() - logit @ labels + SHRINKAGE * ((weights - equal) ** 2).sum())

    best = loss(meta.weights, meta.intercept)
    for step in np.vstack([np.eye(4), -np.eye(4)]) * 0.02:
        weights = np.maximum(meta.weights + step[:3], 0)
        assert loss(weights, meta.intercept + step[3]) >= best - 1e-6
    assert meta.decision(scores) == pytest.approx(scores @ meta.weights + meta.intercept)
