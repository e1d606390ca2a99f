"""Shapley values of a few players: which coalitions to value, and how their values share the total out.

Up to ``EXACT`` players every coalition is valued. Beyond, orders are drawn under a seed, each with its reverse
(antithetic: a player that comes early in one comes late in the other), and marginal gains are averaged over them:
still unbiased, and the shares still add up exactly. Castro, Gómez & Tejada 2009, Computers & Operations Research 36(5).
"""

from math import comb

import numpy as np

EXACT = 8  # players: 256 coalitions
ORDERS = 24  # drawn beyond, reverses included


def shapley_plan(players: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Coalitions (coalitions x players, bool) and weights (players x coalitions).

    With ``values`` (coalitions x anything) of the coalitions, ``weights @ values`` are the Shapley values. The first
    coalition is the empty one, the last has everyone.
    """
    return _exact(players) if players <= EXACT else _sampled(players, seed)


def _exact(players: int) -> tuple[np.ndarray, np.ndarray]:
    coalitions = (np.arange(2**players)[:, None] >> np.arange(players)) % 2 == 1
    size = coalitions.sum(axis=1)
    joined = np.array([1 / (players * comb(players - 1, n)) for n in range(players)])  # n: how many were there before
    gain, loss = joined[np.maximum(size - 1, 0)], joined[np.minimum(size, players - 1)]
    return coalitions, np.where(coalitions, gain[:, None], -loss[:, None]).T


def _sampled(players: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    drawn = [rng.permutation(players) for _ in range(ORDERS // 2)]
    orders = np.array([order for one in drawn for order in (one, one[::-1])])
    place = np.argsort(orders, axis=1)
    prefixes = place[:, None, :] < np.arange(players + 1)[:, None]  # orders x lengths x players
    coalitions, index = np.unique(prefixes.reshape(-1, players), axis=0, return_inverse=True)
    index = index.reshape(len(orders), players + 1)
    weights = np.zeros((players, len(coalitions)))
    np.add.at(weights, (orders, index[:, 1:]), 1 / len(orders))
    np.add.at(weights, (orders, index[:, :-1]), -1 / len(orders))
    return coalitions, weights
