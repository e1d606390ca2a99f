"""The level of the probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.ranking.calibration import (
    FEW,
    GROUP_MASS,
    GROUPS,
    coverage_of,
    group_errors,
    groups_of,
    interval,
    shift_to_prior,
    spread_of,
)

logits = st.lists(st.floats(-15, 15), min_size=1, max_size=50).map(np.array)


@given(logits, st.floats(0.0005, 0.5))
def test_probabilities_add_up_to_the_prior_in_the_order_of_the_logits(values: np.ndarray, prior: float) -> None:
    probability = shift_to_prior(values, prior)
    assert probability.mean() == pytest.approx(prior, rel=1e-6)
    assert (np.diff(probability[np.argsort(values)]) >= 0).all()
    assert ((probability >= 0) & (probability <= 1)).all()


@given(logits, st.floats(-5, 5))
def test_a_constant_added_to_every_logit_changes_nothing(values: np.ndarray, constant: float) -> None:
    np.testing.assert_allclose(shift_to_prior(values + constant, 0.1), shift_to_prior(values, 0.1), atol=1e-9)


def test_differences_of_log_odds_are_kept() -> None:
    probability = shift_to_prior(np.array([-3.0, -1.0, 0.5]), 0.2)
    np.testing.assert_allclose(np.diff(np.log(probability / (1 - probability))), [2.0, 1.5])


shares = st.lists(st.floats(0.001, 0.9), min_size=20, max_size=300).map(np.array)


@given(shares)
def test_a_group_holds_neighbours_of_about_equal_expected_positives(probability: np.ndarray) -> None:
    group = groups_of(probability)
    assert (np.diff(group[np.argsort(-probability, kind="stable")]) >= 0).all()  # the likeliest first
    count = group.max() + 1
    assert set(group) == set(range(count))
    assert count <= GROUPS
    mass = np.bincount(group, probability)
    assert np.ptp(mass) <= 2 * probability.max() + 1e-9
    assert count == 1 or mass.mean() >= GROUP_MASS


def test_the_error_of_a_group_by_hand() -> None:
    labels = np.array([1] * 3 + [0] * 17)
    error = np.log((3.5 / 21) / (17.5 / 21)) - np.log((2.5 / 21) / (18.5 / 21))
    width = np.sqrt(1 + FEW / 2)  # one group that expects two
    assert group_errors(np.full(20, 0.1), labels) == pytest.approx([error / width])


def test_the_fewer_positives_are_expected_the_wider_is_the_interval() -> None:
    few, many = (interval(np.full(pairs, 0.1), 0.5) for pairs in (20, 20_000))
    assert few[0][0] < many[0][0] < 0.1 < many[1][0] < few[1][0]
    np.testing.assert_allclose(many[1][0] / (1 - many[1][0]), np.exp(0.5) / 9, rtol=0.02)


def test_corpora_weigh_the_same_and_few_of_them_are_trusted_less() -> None:
    errors = [np.full(3, 0.3), np.full(300, -0.4)]
    assert spread_of(errors) == pytest.approx(np.sqrt((0.09 + 0.16) / 2) * stats.t.ppf(0.95, 2))
    assert spread_of(errors * 50) == pytest.approx(np.sqrt(0.125) * stats.norm.ppf(0.95), rel=0.02)


def test_an_interval_that_knows_the_errors_holds_nine_times_in_ten() -> None:
    """Levels off by a random factor: the errors of some corpora bound those of others."""
    rng = np.random.default_rng(0)
    errors, told = [], []
    for cutoff in range(400):
        truth = rng.beta(0.3, 6, size=2000)
        labels = (rng.random(2000) < truth).astype(int)
        stated = 1 / (1 + (1 - truth) / truth * np.exp(rng.normal(0, 0.5)))
        if cutoff < 200:
            errors.append(group_errors(stated, labels))
        else:
            low, high = interval(stated, spread_of(errors))
            assert ((low < stated) & (stated < high)).all()
            told.append(coverage_of(stated, labels, low, high))
    held, groups = np.sum(told, axis=0)
    assert held / groups == pytest.approx(0.9, abs=0.03)
