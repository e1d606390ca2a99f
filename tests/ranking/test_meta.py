"""The meta-learner: weights never negative, equal until evidence says otherwise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import average_precision_score

from pipeline.ranking.base import rank_logit
from pipeline.ranking.meta import EVIDENCE, SHRINKAGE, MetaLearner, fit_meta, fit_slope, guard, mixture


def members(rng: np.random.Generator, rows: int, good: int, bad: int, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Rank logits of members that know the outcome and of members that know nothing."""
    truth = rng.normal(size=rows)
    labels = (rng.random(rows) < expit(strength * truth - 3)).astype(int)
    columns = [truth + 0.3 * rng.normal(size=rows) for _ in range(good)] + [rng.normal(size=rows) for _ in range(bad)]
    return np.column_stack([rank_logit(column) for column in columns]), labels


def equally(scores: np.ndarray) -> np.ndarray:
    return np.full(scores.shape[1], 1 / scores.shape[1])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.floats(-3, 3))
def test_weights_are_never_negative(seed: int, count: int, strength: float) -> None:
    scores, labels = members(np.random.default_rng(seed), 300, count, 1, strength)
    meta = fit_meta(scores, labels, equally(scores))
    assert (meta.weights >= 0).all()
    assert np.isfinite(meta.decision(scores)).all()


def test_weights_stay_near_equal_without_evidence() -> None:
    scores, labels = members(np.random.default_rng(1), 200, 1, 2, 1.0)
    weights = fit_meta(scores, labels, equally(scores)).weights
    assert labels.sum() < 30
    assert np.ptp(weights) < 0.25


def test_weights_follow_the_good_member_with_much_evidence() -> None:
    scores, labels = members(np.random.default_rng(1), 60_000, 1, 2, 2.0)
    weights = fit_meta(scores, labels, equally(scores)).weights
    assert weights[0] > 5 * max(weights[1:])


def test_equal_members_get_equal_weights() -> None:
    scores, labels = members(np.random.default_rng(3), 3000, 1, 0, 2.0)
    weights = fit_meta(np.repeat(scores, 3, axis=1), labels, np.full(3, 1 / 3)).weights
    np.testing.assert_allclose(weights, weights[0], rtol=1e-3)


def test_labels_of_one_class_do_not_break_it() -> None:
    scores, labels = members(np.random.default_rng(3), 300, 1, 1, 2.0)
    assert np.isfinite(fit_meta(scores, np.zeros_like(labels), equally(scores)).decision(scores)).all()


def test_it_is_the_minimum_of_the_penalised_loss() -> None:
    """No small step from the fitted parameters is better."""
    scores, labels = members(np.random.default_rng(4), 2000, 2, 1, 2.0)
    meta = fit_meta(scores, labels, equally(scores))
    equal = np.full(3, fit_slope(scores.mean(axis=1), labels) / 3)

    def loss(weights: np.ndarray, intercept: float) -> float:
        logit = scores @ weights + intercept
        return float(np.logaddexp(0, logit).sum() - logit @ labels + SHRINKAGE * ((weights - equal) ** 2).sum())

    best = loss(meta.weights, meta.intercept)
    for step in np.vstack([np.eye(4), -np.eye(4)]) * 0.02:
        weights = np.maximum(meta.weights + step[:3], 0)
        assert loss(weights, meta.intercept + step[3]) >= best - 1e-6
    assert meta.decision(scores) == pytest.approx(scores @ meta.weights + meta.intercept)


def test_the_more_a_corpus_can_teach_the_less_it_listens_to_others() -> None:
    assert mixture(2, 2, 1, EVIDENCE).tolist() == [0.25, 0.25, 0.25, 0.25, 0.0]
    own = [mixture(3, 2, 1, positives)[:3].sum() for positives in (0, 50, 5000)]
    assert own == sorted(own)
    assert own[0] == 0.0
    assert mixture(2, 0, 3, 10).tolist() == [0.5, 0.5, 0.0, 0.0, 0.0]  # nobody else to listen to


def test_a_heuristic_gets_weight_only_by_merit() -> None:
    scores, labels = members(np.random.default_rng(5), 20_000, 2, 1, 2.0)
    useful, useless = fit_meta(scores, labels, np.array([1.0, 0.0, 0.0])).weights[1:]
    assert useful > 0.05
    assert useless < 0.01


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_the_guarded_ranking_is_never_worse_than_its_best_member(seed: int, bad: int) -> None:
    scores, labels = members(np.random.default_rng(seed), 300, 1, bad, 2.0)
    if not labels.any():
        return
    meta, leader, share = guard(fit_meta(scores, labels, equally(scores)), scores, labels)
    best = max(average_precision_score(labels, member) for member in scores.T)
    assert average_precision_score(labels, meta.decision(scores)) >= best
    assert (meta.weights >= 0).all()
    assert (leader is None) == (share == 0)


def test_a_stack_that_is_best_already_is_left_alone() -> None:
    scores, labels = members(np.random.default_rng(2), 20_000, 3, 0, 2.0)
    stack = fit_meta(scores, labels, equally(scores))
    meta, leader, share = guard(stack, scores, labels)
    np.testing.assert_array_equal(meta.weights, stack.weights)
    assert (leader, share) == (None, 0.0)


def test_a_stack_that_lost_its_way_is_led_back_to_its_best_member() -> None:
    scores, labels = members(np.random.default_rng(2), 5000, 1, 1, 2.0)
    meta, leader, share = guard(MetaLearner(np.array([0.0, 1.0]), -3.0), scores, labels)
    assert leader == 0
    assert share > 0.5
    assert meta.weights[0] > meta.weights[1]
