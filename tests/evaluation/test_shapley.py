"""Shapley values against their definition: the mean marginal gain over all orders."""

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.evaluation.shapley import EXACT, shapley_plan

Game = Callable[[frozenset[int]], float]


def by_definition(players: int, game: Game) -> np.ndarray:
    gains = np.zeros(players)
    orders = list(permutations(range(players)))
    for order in orders:
        for place, player in enumerate(order):
            before = frozenset(order[:place])
            gains[player] += game(before | {player}) - game(before)
    return gains / len(orders)


def by_plan(players: int, game: Game, seed: int = 1) -> np.ndarray:
    coalitions, weights = shapley_plan(players, seed)
    return weights @ np.array([game(frozenset(np.flatnonzero(coalition).tolist())) for coalition in coalitions])


def random_game(players: int, seed: int) -> Game:
    worth = np.random.default_rng(seed).normal(size=2**players)
    return lambda coalition: float(worth[sum(1 << player for player in coalition)])


@settings(max_examples=25, deadline=None)
@given(players=st.integers(1, 6), seed=st.integers(0, 1000))
def test_values_are_the_mean_gain_over_all_orders(players: int, seed: int) -> None:
    game = random_game(players, seed)
    np.testing.assert_allclose(by_plan(players, game), by_definition(players, game), atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(players=st.integers(1, EXACT + 4), seed=st.integers(0, 1000))
def test_efficiency_they_share_out_the_whole_whether_exact_or_sampled(players: int, seed: int) -> None:
    game = random_game(players, seed)
    coalitions, _ = shapley_plan(players, seed)
    assert not coalitions[0].any() and coalitions[-1].all()
    total = game(frozenset(range(players))) - game(frozenset())
    assert by_plan(players, game, seed).sum() == pytest.approx(total, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(players=st.integers(2, EXACT + 4), seed=st.integers(0, 1000))
def test_dummy_a_player_that_changes_nothing_gets_nothing(players: int, seed: int) -> None:
    inner = random_game(players - 1, seed)
    values = by_plan(players, lambda coalition: inner(coalition - {players - 1}), seed)
    assert values[-1] == pytest.approx(0, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(players=st.integers(2, EXACT), seed=st.integers(0, 1000))
def test_symmetry_players_that_can_stand_for_each_other_get_the_same(players: int, seed: int) -> None:
    rest = random_game(players - 2, seed)
    some = random_game(3, seed + 1)

    def game(coalition: frozenset[int]) -> float:
        twins = len(coalition & {players - 2, players - 1})
        return rest(coalition - {players - 2, players - 1}) + some(frozenset(range(twins))) * len(coalition)

    values = by_plan(players, game)
    assert values[-1] == pytest.approx(values[-2], abs=1e-9)


def test_beyond_the_limit_few_coalitions_come_near_the_exact_values() -> None:
    players = EXACT + 1
    rng = np.random.default_rng(3)
    alone, together = rng.uniform(0, 1, players), np.triu(rng.normal(0, 0.3, (players, players)), 1)

    def game(coalition: frozenset[int]) -> float:
        inside = np.isin(np.arange(players), list(coalition))
        return float(alone @ inside + inside @ together @ inside)

    exact = alone + (together + together.T).sum(axis=1) / 2  # a pair's worth is shared evenly
    # a gain of the second order is the same on average over an order and its reverse: nothing is left to chance
    np.testing.assert_allclose(by_plan(players, game), exact, atol=1e-12)
    assert len(shapley_plan(players + 4, 1)[0]) < 2**EXACT + 2 * players


def test_a_seed_decides_the_sample() -> None:
    one, same, other = (shapley_plan(EXACT + 2, seed)[1] for seed in (1, 1, 2))
    assert one.tobytes() == same.tobytes()
    assert one.shape != other.shape or not np.array_equal(one, other)
