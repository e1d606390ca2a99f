"""From the meta-learner's log odds to a calibrated probability with an interval.

The slope is learnt, the level is expected. How far both are off is learnt where the truth is known: on cutoffs of
other corpora, pairs of like probability are put into groups, and the groups' observed odds set against the expected.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import expit, logit
from scipy.stats import t as student


def shift_to_prior(logits: np.ndarray, prior: float) -> np.ndarray:
    """Probabilities sigmoid(logit + c) with c such that their mean is the prior: order kept, level corrected."""
    low, high = -50.0, 50.0
    for _ in range(100):  # bisection: the mean rises with c
        middle = (low + high) / 2
        if expit(logits + middle).mean() < prior:
            low = middle
        else:
            high = middle
    return expit(logits + (low + high) / 2)


GROUP_MASS = 5.0  # positives that a group must expect at the least
GROUPS = 10  # a cutoff, at the most
LEVEL = 0.9  # of the interval
# Positives at which chance (in a group, and in the year that its level came from) makes an error vary as much again as
# it does in a large group: about 1.6 / positives of variance beside .2, on origins of five real corpora.
FEW = 8.0


def groups_of(probability: np.ndarray) -> np.ndarray:
    """The group of each candidate, 0 .. at most ``GROUPS`` - 1: neighbours in probability, equal expected positives."""
    count = int(np.clip(probability.sum() // GROUP_MASS, 1, GROUPS))
    order = np.argsort(-probability, kind="stable")
    mass = np.cumsum(probability[order])
    group = np.empty(len(probability), dtype=np.int64)
    group[order] = np.minimum((count * (mass - probability[order] / 2) / mass[-1]).astype(np.int64), count - 1)
    return group


def group_errors(probability: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Of each group, the log of its observed odds over its expected odds, in units of ``_width``."""
    group = groups_of(probability)
    size = np.bincount(group)
    observed, expected = (np.bincount(group, values) for values in (labels.astype(float), probability))
    errors = logit((observed + 0.5) / (size + 1)) - logit((expected + 0.5) / (size + 1))
    return np.asarray(errors / _width(probability))


def _width(probability: np.ndarray) -> float:
    """How much wider errors spread than in groups of many positives; one number, since groups expect alike."""
    return float(np.sqrt(1 + FEW * (groups_of(probability).max() + 1) / probability.sum()))


def spread_of(errors: Sequence[np.ndarray]) -> float:
    """Half the width of the interval, as log odds in a group of many positives, from the ``group_errors`` of corpora.

    Each corpus weighs the same. Corpora differ in how far they are off, and they are few: their root mean square is
    taken to bound the error of another one by Student's t with as many degrees of freedom as there are corpora.
    """
    scale = np.sqrt(np.mean([np.mean(of_corpus**2) for of_corpus in errors]))
    return float(scale * student.ppf((1 + LEVEL) / 2, len(errors)))


def interval(probability: np.ndarray, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Where the share of converging pairs among those of like probability lies with ``LEVEL``; ``spread_of`` others."""
    error = spread * _width(probability)
    return expit(logit(probability) - error), expit(logit(probability) + error)


def coverage_of(probability: np.ndarray, labels: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[int, int]:
    """Groups whose observed share lies within their mean bounds, and all groups."""
    group = groups_of(probability)
    size = np.bincount(group)
    share, lower, upper = (np.bincount(group, values) / size for values in (labels.astype(float), low, high))
    return int(((lower <= share) & (share <= upper)).sum()), len(size)
