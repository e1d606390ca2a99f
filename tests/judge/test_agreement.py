"""Coefficients against the papers' own examples and another implementation; flips and effects against counting."""

import itertools

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.judge.agreement import between_repeats, close_pairs, intraclass, krippendorff_alpha, position_effect

# Shrout & Fleiss (1979), table 2: six targets, four judges
SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
NAN = float("nan")
# Krippendorff (2011): twelve units, four observers, with gaps; alpha .815 (ordinal), .849 (interval)
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
).T
SCORES = st.lists(
    st.lists(st.one_of(st.none(), st.integers(0, 5)), min_size=3, max_size=3), min_size=2, max_size=12
).map(lambda rows: np.array(rows, dtype=float))


def test_the_published_examples_come_out() -> None:
    single, of_mean = intraclass(SHROUT_FLEISS)
    assert (round(single, 2), round(of_mean, 2)) == (0.29, 0.62)
    assert round(krippendorff_alpha(KRIPPENDORFF, "ordinal"), 3) == 0.815
    assert round(krippendorff_alpha(KRIPPENDORFF, "interval"), 3) == 0.849


@settings(deadline=None)
@given(scores=SCORES)
@pytest.mark.parametrize("level", ["ordinal", "interval"])
def test_alpha_is_that_of_the_krippendorff_package(scores: np.ndarray, level: str) -> None:
    ours = krippendorff_alpha(scores, level)
    paired = scores[(~np.isnan(scores)).sum(axis=1) >= 2]
    if len(np.unique(paired[~np.isnan(paired)])) < 2:
        assert np.isnan(ours)
        return
    theirs = krippendorff.alpha(reliability_data=paired.T, level_of_measurement=level)
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_full_agreement_is_one_and_chance_about_zero() -> None:
    same = np.repeat(np.arange(6.0)[:, None], 4, axis=1)
    chance = np.random.default_rng(1).integers(0, 6, size=(4000, 4)).astype(float)
    assert krippendorff_alpha(same, "ordinal") == pytest.approx(1)
    assert intraclass(same) == pytest.approx((1, 1))
    assert abs(krippendorff_alpha(chance, "ordinal")) < 0.02
    assert abs(intraclass(chance)[0]) < 0.02


@pytest.mark.parametrize("scores", [np.zeros((0, 3)), np.full((4, 3), NAN), np.ones((4, 3)), np.arange(4.0)[:, None]])
def test_what_cannot_be_told_is_no_number(scores: np.ndarray) -> None:
    assert np.isnan(krippendorff_alpha(scores, "interval"))
    assert np.isnan(intraclass(scores)[0])


@settings(deadline=None)
@given(scores=SCORES)
def test_flips_and_differences_are_counted(scores: np.ndarray) -> None:
    orders = [0, 0, 1]
    told = between_repeats(scores, orders, 2.5)
    for kind, same in (("same_order", True), ("other_order", False)):
        pairs = [
            (row[i], row[j])
            for row in scores
            for i, j in itertools.combinations(range(3), 2)
            if (orders[i] == orders[j]) == same and not np.isnan(row[i] + row[j])
        ]
        flips = [(a > 2.5) != (b > 2.5) for a, b in pairs]
        apart = [abs(a - b) for a, b in pairs]
        if not pairs:
            assert np.isnan(told[f"flip_{kind}"])
            continue
        assert told[f"flip_{kind}"] == pytest.approx(np.mean(flips))
        assert told[f"difference_{kind}"] == pytest.approx(np.mean(apart))


def test_the_effect_of_position_is_told_in_points_from_first_to_last() -> None:
    places = np.array([np.random.default_rng(unit).permutation(10) + 1 for unit in range(10)], float)[:, :4]
    worth = np.random.default_rng(1).normal(size=(10, 1))
    assert position_effect(worth - 0.2 * places, places) == pytest.approx(-0.2 * (places.max() - places.min()))
    assert position_effect(np.repeat(worth, 4, axis=1), places) == pytest.approx(0)
    assert np.isnan(position_effect(worth, places[:, :1]))


def test_close_pairs_are_a_share() -> None:
    assert close_pairs(np.array([1, 2, 4, NAN]), 1) == pytest.approx(1 / 3)
    assert np.isnan(close_pairs(np.array([3.0]), 1))
