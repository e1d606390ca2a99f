"""Statistics of co-occurrence (method B4): association measures, and how far a joint count lies from chance.

The null model keeps how often each code is used and how many codes each patent has: the bipartite configuration model
(Saracco, Di Clemente, Gabrielli & Squartini 2015) with patent sizes kept exactly, code usage on average. Sizes must be
exact: about half the patents of a domain have one code and join no two, while the plain model lets them.

Maximum entropy then gives each code x odds w_x, and a patent of k codes carries the set S with chance
prod_{x in S} w_x / e_k, where e_k is the k-th elementary symmetric polynomial of all odds (Chen, Dempster & Liu 1994).
With e_k(-x) the polynomial that leaves x out:

    P(x in p)       = w_x e_{k-1}(-x) / e_k                     the odds are such that these sum to the usage n_x
    P(x and y in p) = w_x w_y e_{k-2}(-x-y) / e_k = w_x w_y (r_y - r_x) / (w_x - w_y),   r_x = e_{k-1}(-x) / e_k
    E_xy            = sum over patents p of P(x and y in p)

The variance is that of a sum over independent patents, less what the two usages, being given, explain of it.
"""

import dataclasses

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.config import TaskConfig
from pipeline.corpus.symbols import roll_up
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.features.base import BlockOutput
from pipeline.features.bibliometric import positions
from pipeline.pairs.base import CandidatePairs
from pipeline.schemas import LEVELS

PMI_SHRINKAGE = 0.5  # joint patents added to the count seen and to the count expected
TOLERANCE = 1e-7  # relative, of the expected usage of each code
STEP = 0.75  # of fitting: whole steps swing for ever where two codes compete for the same patents
ROUNDS = 200  # of fitting; only codes that the sizes force onto their patents, or off all others, need as many
ROUNDING = 1e-9  # a variance that is a smaller part of what it was computed from is none


def statistics(history: Corpus, pairs: CandidatePairs, task: TaskConfig) -> BlockOutput:
    """Association of the two codes, and of their parents, over all history and over the recent window.

    support n_xy / N; confidence n_xy / n_x both ways as maximum and minimum; lift; PMI and NPMI; joint patents
    expected by chance and the z-score of those seen. ``n`` counts patents, N those with any code of the level. NaN
    where a code has no patent, where chance leaves no room (z-score), and for the parents of codes that share theirs.
    """
    start = years_before(history.cutoff, task.window)
    windows = {"all__lag0": slice(None), f"w{task.window}__lag0": history.rows_since(start)}
    incidence = history.incidence(task.scheme, task.level)
    nodes = positions(incidence.codes, pairs.codes)
    a, b = nodes[pairs.a], nodes[pairs.b]
    columns: dict[str, np.ndarray] = {}
    grid = pairs.grid
    for suffix, rows in windows.items():
        chance, patents = history.once(_chance, task, rows.start)
        joint = grid.at(incidence.joint(rows)[nodes[grid.rows]][:, nodes[grid.columns]].toarray())
        expected, variance = chance.moments(a, b)
        values = association(joint, chance.usage[a], chance.usage[b], patents)
        values |= {"expected_joint": expected, "joint_zscore": _zscore(joint, expected, variance)}
        columns |= {f"cooccurrence__{name}__{suffix}": value for name, value in values.items()}
    if task.level != LEVELS[0]:
        for suffix, rows in windows.items():
            parent, score = history.once(_parent_zscores, task, rows.start)
            a_parent, b_parent = parent[a], parent[b]
            columns[f"cooccurrence__parent_zscore__{suffix}"] = score[a_parent, b_parent]
    return BlockOutput(columns=columns)


def association(joint: np.ndarray, usage_a: np.ndarray, usage_b: np.ndarray, patents: int) -> dict[str, np.ndarray]:
    """Association measures of pairs from their joint patents, the patents of each code and all patents.

    PMI (natural logarithm) is log (n_xy + 1/2) / (n_x n_y / N + 1/2), finite for a pair never seen and near 0 while
    little is expected (the information component of Norén, Hopstadius & Bate 2013). NPMI divides it by
    -log (n_xy + 1/2) / (N + 1), which keeps it within -1 and 1 (Bouma 2009).
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        independent = usage_a * usage_b / patents
        one_way, other_way = joint / usage_a, joint / usage_b
        pmi = np.log((joint + PMI_SHRINKAGE) / (independent + PMI_SHRINKAGE))
        values = {
            "support": joint / patents,
            "confidence_max": np.maximum(one_way, other_way),
            "confidence_min": np.minimum(one_way, other_way),
            "lift": joint / independent,
            "pmi": np.where(independent > 0, pmi, np.nan),
        }
    surprise = -np.log((joint + PMI_SHRINKAGE) / (patents + 2 * PMI_SHRINKAGE))
    return values | {"npmi": values["pmi"] / surprise}


def joint_by_chance(matrix: sp.csr_array, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the joint patents of pairs of columns (a, b) of patents x codes under the null model."""
    return fit_chance(matrix).moments(a, b)


@dataclasses.dataclass(frozen=True)
class Chance:
    """The null model of a history: codes of equal ``usage`` are of one ``group``; mean and variance a pair of these."""

    usage: np.ndarray
    group: np.ndarray
    mean: np.ndarray
    variance: np.ndarray

    def moments(self, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of the joint patents of pairs of codes."""
        place = self.group[a], self.group[b]
        return self.mean[place], self.variance[place]


def fit_chance(matrix: sp.csr_array) -> Chance:
    """The null model of patents x codes."""
    usage, size = np.asarray(matrix.sum(axis=0)).ravel(), np.diff(matrix.indptr)
    sizes, patents = np.unique(size[size > 0], return_counts=True)
    level, group, codes = np.unique(usage, return_inverse=True, return_counts=True)
    mean, variance = np.zeros((2, len(level), len(level)))
    used = slice(1, None) if len(level) and level[0] == 0 else slice(None)  # an unused code meets none, for certain
    if len(sizes) and sizes[-1] > 1:
        mean[used, used], variance[used, used] = _fit(level[used], codes[used], sizes, patents).moments()
    return Chance(usage, group, mean, variance)


def _chance(history: Corpus, task: TaskConfig, first: int | None) -> tuple[Chance, int]:
    """The null model over the patents from row ``first`` on, and how many of these have a code."""
    matrix = history.incidence(task.scheme, task.level).matrix[slice(first, None)]
    return fit_chance(matrix), int(np.count_nonzero(np.diff(matrix.indptr)))


@dataclasses.dataclass(frozen=True)
class _NullModel:
    """The fitted null model. Codes of equal usage are alike, and so are patents of equal size: one row a usage.

    ``odds`` (usages); ``patents`` of each size (sizes); ``ratio``: r_x (usages x sizes); ``twins``: P(x and y in p)
    of two codes of the same usage (usages x sizes), 0 where only one code has it.
    """

    odds: np.ndarray
    patents: np.ndarray
    ratio: np.ndarray
    twins: np.ndarray

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of the joint patents of two codes (each usages x usages), given the usage of both."""
        shape = (len(self.odds), len(self.odds))
        mean, spread, with_usage, between = (np.zeros(shape) for _ in range(4))
        carried = self.odds[:, None] * self.ratio
        for patents, ratio, twins, p in zip(self.patents, self.ratio.T, self.twins.T, carried.T, strict=True):
            both = self._both(ratio, twins, p)
            mean += patents * both
            spread += patents * both * (1 - both)
            with_usage += patents * both * (1 - p[:, None])  # covariance of the joint count and the row code's usage
            between += patents * (both - np.multiply.outer(p, p))  # covariance of the two usages
        usage = (carried * (1 - carried)) @ self.patents
        return mean, _given_usage(spread, with_usage, between, usage)

    def _both(self, ratio: np.ndarray, twins: np.ndarray, p: np.ndarray) -> np.ndarray:
        gap = np.subtract.outer(self.odds, self.odds)
        np.fill_diagonal(gap, 1.0)
        both = np.multiply.outer(self.odds, self.odds) * -np.subtract.outer(ratio, ratio) / gap
        np.fill_diagonal(both, twins)
        return np.clip(both, 0.0, np.minimum.outer(p, p))


def _given_usage(spread: np.ndarray, with_usage: np.ndarray, between: np.ndarray, usage: np.ndarray) -> np.ndarray:
    """Variance of the joint count left when both usages are given: that of a regression on them, to first order.

    For patents that draw codes independently it is that of the hypergeometric count, up to a factor (N - 1) / N.
    """
    product = np.multiply.outer(usage, usage)
    determinant = product - between**2
    explained = with_usage**2 * usage + with_usage.T**2 * usage[:, None] - 2 * with_usage * with_usage.T * between
    free = determinant > ROUNDING * product  # else one usage settles the other
    left = spread - np.divide(explained, determinant, out=spread.copy(), where=free)
    return np.where(left > ROUNDING * spread, left, 0.0)


def _fit(level: np.ndarray, codes: np.ndarray, sizes: np.ndarray, patents: np.ndarray) -> _NullModel:
    """Fit the odds of each usage ``level``, which so many ``codes`` have, to ``patents`` of each of the ``sizes``.

    Odds move by STEP of the way, in logarithms, from the odds of the usage expected to those of the usage wanted.
    Their common scale is free; it is set where the polynomials stay within the range of floats at the largest size.
    """

    def ratio_at(odds: np.ndarray) -> np.ndarray:
        every, fewer = _polynomials(odds, codes, int(sizes[-1]), drop=1)
        return fewer[:, sizes - 1] / every[sizes]

    total = patents.sum()
    floor = ROUNDING * total  # a code on all patents has finite odds, if large ones
    wanted = level / (total - level + floor)
    odds = wanted * sizes[-1] / 2 / (sizes @ patents / total)
    ratio = ratio_at(odds)
    for _ in range(ROUNDS):
        expected = (odds[:, None] * ratio) @ patents
        if np.abs(expected / level - 1).max() <= TOLERANCE:
            break
        odds = odds * (wanted * (total - expected + floor) / expected) ** STEP
        ratio = ratio_at(odds)
    every, fewer = _polynomials(odds, codes, int(sizes[-1]), drop=2)
    twins = odds[:, None] ** 2 * np.where(sizes > 1, fewer[:, sizes - 2], 0.0) / every[sizes]
    return _NullModel(odds=odds, patents=patents, ratio=ratio, twins=twins)


def _polynomials(odds: np.ndarray, codes: np.ndarray, largest: int, drop: int) -> tuple[np.ndarray, np.ndarray]:
    """e_0 to e_largest of all codes, and of all but ``drop`` codes of each usage (usages x largest + 1; 0 if too few).

    Products of positive terms only: dividing a code out again would lose all digits for a common one.
    """

    def times(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.convolve(one, other)[: largest + 1]

    factors = _powers(odds, codes, largest)
    reduced = np.where((codes >= drop)[:, None], _powers(odds, np.maximum(codes - drop, 0), largest), 0.0)
    unit = np.eye(1, largest + 1)[0]
    before, after = [unit], [unit]
    for factor, opposite in zip(factors, factors[::-1], strict=True):
        before.append(times(before[-1], factor))
        after.append(times(after[-1], opposite))
    rest = [times(times(*sides), own) for *sides, own in zip(before, after[-2::-1], reduced, strict=False)]
    return before[-1], np.array(rest)


def _powers(odds: np.ndarray, codes: np.ndarray, largest: int) -> np.ndarray:
    """Coefficients of (1 + w z)^c up to z^largest, a row a usage."""
    power = np.arange(1, largest + 1)
    steps = odds[:, None] * np.maximum(codes[:, None] - power + 1, 0) / power
    return np.hstack([np.ones((len(odds), 1)), np.cumprod(steps, axis=1)])


def _parent_zscores(history: Corpus, task: TaskConfig, first: int | None) -> tuple[np.ndarray, np.ndarray]:
    """The parent of each code, and the z-score of the joint patents of two parents (parents x parents) over the
    patents from row ``first`` on; NaN for a parent and itself.

    A patent carries the parents of its codes in force: rolled up from its symbols, one of the future would count.
    """
    incidence = history.incidence(task.scheme, task.level)
    above = LEVELS[LEVELS.index(task.level) - 1]
    parent, names = pd.factorize(roll_up(pd.Series(incidence.codes), above), sort=True)
    member = sp.csr_array((np.ones(len(parent)), (np.arange(len(parent)), parent)), shape=(len(parent), len(names)))
    matrix = sp.csr_array(incidence.matrix[slice(first, None)] @ member)
    matrix.data[:] = 1.0
    joint = (matrix.T @ matrix).toarray().ravel()
    a, b = (side.ravel() for side in np.indices((len(names), len(names))))
    score = _zscore(joint, *joint_by_chance(matrix, a, b))
    return parent, np.where(a == b, np.nan, score).reshape(len(names), len(names))


def _zscore(joint: np.ndarray, expected: np.ndarray, variance: np.ndarray) -> np.ndarray:
    deviation = np.sqrt(variance)
    return np.divide(joint - expected, deviation, out=np.full(len(joint), np.nan), where=deviation > 0)
