"""Intervals by node-clustered bootstrap: codes are resampled, since pairs share codes and are not independent.

A resample draws as many codes with replacement as there are; the pair (a, b) then counts m_a * m_b times, where m is
how often a code was drawn. All models see the same resamples, so that their differences are paired.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pipeline.evaluation.metrics import checked

BOOTSTRAPPED: tuple[tuple[str, int | None], ...] = (("average_precision", None), ("roc_auc", None), ("precision", 100))


def node_replicates(
    labels: np.ndarray,
    scores_by_model: Mapping[str, np.ndarray],
    a: np.ndarray,
    b: np.ndarray,
    n_codes: int,
    repeats: int,
    seed: int,
    metrics: Sequence[tuple[str, int | None]] = BOOTSTRAPPED,
) -> pd.DataFrame:
    """Metrics of every model on the same resamples: columns model, metric, k, repeat, value.

    ``a`` and ``b`` number the codes of each pair, 0 to ``n_codes`` - 1.
    ``metrics`` are pairs (name, k): average_precision and roc_auc with k None, precision with a list length.
    A resample without positives (or, for roc_auc, without negatives) gives NaN.
    """
    draws = np.random.default_rng(seed).multinomial(n_codes, np.full(n_codes, 1 / n_codes), size=repeats)
    frames = []
    for model, scores in scores_by_model.items():
        ranking = _Presorted.of(labels, scores, a, b)
        values = np.array([ranking.values(times, metrics) for times in draws]).reshape(repeats, len(metrics))
        for column, (metric, k) in enumerate(metrics):
            values_of_metric = {"repeat": np.arange(repeats), "value": values[:, column]}
            frames.append(pd.DataFrame({"model": model, "metric": metric, "k": k, **values_of_metric}))
    return pd.concat([frame.astype({"k": "Int64"}) for frame in frames], ignore_index=True)


def intervals(replicates: pd.DataFrame, level: float = 0.9) -> pd.DataFrame:
    """The middle ``level`` of the replicates: columns model, metric, k, low, high; NaN replicates are left out."""
    tail = (1 - level) / 2
    grouped = replicates.groupby(["model", "metric", "k"], sort=False, dropna=False)["value"]
    return grouped.agg(
        low=lambda value: value.quantile(tail), high=lambda value: value.quantile(1 - tail)
    ).reset_index()


def difference_intervals(replicates: pd.DataFrame, model: str, level: float = 0.9) -> pd.DataFrame:
    """Interval of ``model`` minus each other one on the same resample: columns model (the other), metric, k,
    difference_low, difference_high."""
    key = ["metric", "k", "repeat"]
    own = replicates[replicates["model"] == model].drop(columns="model").rename(columns={"value": "own"})
    others = replicates[replicates["model"] != model].merge(own, on=key, how="left", validate="many_to_one")
    differences = others.assign(value=others["own"] - others["value"]).drop(columns="own")
    return intervals(differences, level).rename(columns={"low": "difference_low", "high": "difference_high"})


@dataclasses.dataclass(frozen=True)
class _Presorted:
    """Candidates by falling score, sorted once and weighed anew in each resample.

    ``positive``: places of the positives. ``first`` and ``last``: of the tie around each of them, its first place
    and the one after its last. ``bounds``: first places of all ties, then the number of candidates.
    """

    a: np.ndarray
    b: np.ndarray
    positive: np.ndarray
    first: np.ndarray
    last: np.ndarray
    bounds: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray, scores: np.ndarray, a: np.ndarray, b: np.ndarray) -> "_Presorted":
        labels, scores = checked(labels, scores)
        order = np.argsort(-scores, kind="stable")
        ordered = scores[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        bounds = np.r_[starts, len(ordered)]
        positive = np.flatnonzero(labels[order])
        tie = np.searchsorted(bounds, positive, side="right")
        return cls(np.asarray(a)[order], np.asarray(b)[order], positive, bounds[tie - 1], bounds[tie], bounds)

    def values(self, times: np.ndarray, metrics: Sequence[tuple[str, int | None]]) -> list[float]:
        """The metrics when code i is drawn ``times[i]`` times."""
        weight = times[self.a] * times[self.b]
        total = np.concatenate([[0], np.cumsum(weight)])  # candidates before each place
        hits = np.concatenate([[0], np.cumsum(weight[self.positive])])  # positives before each positive
        resample = _Resample(self, weight[self.positive], total, hits)
        return [resample.value(metric, k) for metric, k in metrics]


@dataclasses.dataclass(frozen=True)
class _Resample:
    """One resample of a presorted ranking; ``total`` and ``hits`` count integers, so nothing is rounded."""

    ranking: _Presorted
    weight: np.ndarray
    total: np.ndarray
    hits: np.ndarray

    def value(self, metric: str, k: int | None) -> float:
        if metric == "average_precision":
            return self.average_precision()
        if metric == "roc_auc":
            return self.roc_auc()
        if metric == "precision" and k is not None:
            return self.precision(k)
        raise ValueError(f"metric {metric!r} with k {k} has no weighted form here: choose from {BOOTSTRAPPED}")

    def hits_before(self, places: np.ndarray) -> np.ndarray:
        counts: np.ndarray = self.hits[np.searchsorted(self.ranking.positive, places)]
        return counts

    def average_precision(self) -> float:
        drawn = self.weight > 0
        if not drawn.any():
            return float("nan")
        last, weight = self.ranking.last[drawn], self.weight[drawn]
        return float(weight @ (self.hits_before(last) / self.total[last]) / self.hits[-1])

    def roc_auc(self) -> float:
        positives, negatives = self.hits[-1], self.total[-1] - self.hits[-1]
        if positives == 0 or negatives == 0:
            return float("nan")
        first, last = self.ranking.first, self.ranking.last
        above_first = self.total[first] - self.hits_before(first)
        above_last = self.total[last] - self.hits_before(last)
        beaten = negatives - (above_first + above_last) / 2
        return float(self.weight @ beaten / (positives * negatives))

    def precision(self, k: int) -> float:
        listed = min(k, int(self.total[-1]))
        if listed == 0:
            return float("nan")
        place = int(np.searchsorted(self.total, listed, side="left")) - 1  # holds the last one on the list
        tie = int(np.searchsorted(self.ranking.bounds, place, side="right"))
        bounds = self.ranking.bounds[tie - 1 : tie + 1]
        (before, through), (hits, hits_through) = self.total[bounds], self.hits_before(bounds)
        share = (listed - before) / (through - before)
        return float((hits + share * (hits_through - hits)) / listed)
