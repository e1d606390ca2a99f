"""How good a ranking of all candidates is, and how honest its probabilities are (method C).

Labels are 0/1, larger scores mean likelier. Tied scores are never broken by row order: curves (average precision, KS,
cost) take a tie as one step, as scikit-learn does; lists of length k take the expected value over random orders
of the tie. A metric that its labels leave undefined (one class only, nothing to rank) is NaN.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import rankdata

LIST_LENGTHS = (10, 50, 100, 500)
THETAS = (1, 2, 5, 10)
CODE_K = 10
ECE_BINS = 15

Parameter = Literal["none", "list length", "theta", "code list length"]


@dataclasses.dataclass(frozen=True)
class Metric:
    """What a metric needs, which way is better, between which bounds, and what chance gives, in words.
    ``parameter`` says what column ``k`` holds."""

    higher_is_better: bool
    low: float
    high: float
    chance: str
    needs: Literal["scores", "codes", "probability"] = "scores"
    parameter: Parameter = "none"


METRICS: dict[str, Metric] = {
    "average_precision": Metric(True, 0, 1, "prevalence"),
    "lift": Metric(True, 0, np.inf, "1"),
    "roc_auc": Metric(True, 0, 1, "1/2"),
    "precision": Metric(True, 0, 1, "prevalence", parameter="list length"),
    "recall": Metric(True, 0, 1, "k / candidates", parameter="list length"),
    "ndcg": Metric(
        True, 0, 1, "prevalence x discounts of the list / discounts of an ideal list", parameter="list length"
    ),
    "vcmpr": Metric(True, 0, 1, "as a random order of each code's candidates", "codes", "code list length"),
    "ks": Metric(True, 0, 1, "0"),
    "cost": Metric(False, 0, np.inf, "min(1, theta)", parameter="theta"),
    "brier": Metric(False, 0, 1, "prevalence x (1 - prevalence)", "probability"),
    "log_loss": Metric(False, 0, np.inf, "entropy of the prevalence", "probability"),
    "ece": Metric(False, 0, 1, "0 (the prevalence as everyone's forecast is calibrated)", "probability"),
}


@dataclasses.dataclass(frozen=True)
class Ranking:
    """Labels in order of falling score, as groups of tied scores.

    ``threshold``: the score of each group. ``size`` and ``hits``: candidates and positives in it.
    """

    threshold: np.ndarray
    size: np.ndarray
    hits: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray, scores: np.ndarray) -> "Ranking":
        """Group candidates by score."""
        labels, scores = checked(labels, scores)
        order = np.argsort(-scores, kind="stable")
        ordered = scores[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, dtype=int)
        hits = np.add.reduceat(labels[order], starts) if len(starts) else np.zeros(0)
        return cls(threshold=ordered[starts], size=np.diff(np.r_[starts, len(ordered)]), hits=hits)

    @functools.cached_property
    def positives(self) -> float:
        return float(self.hits.sum())

    @functools.cached_property
    def candidates(self) -> int:
        return int(self.size.sum())

    @functools.cached_property
    def true_positive_rate(self) -> np.ndarray:
        """Share of positives at or above each threshold, led by 0 (nothing above)."""
        return np.r_[0.0, np.cumsum(self.hits)] / self.positives

    @functools.cached_property
    def false_positive_rate(self) -> np.ndarray:
        """Share of negatives at or above each threshold, led by 0."""
        return np.r_[0.0, np.cumsum(self.size - self.hits)] / (self.candidates - self.positives)

    def gains(self, k: int) -> np.ndarray:
        """Expected label at each of the first k places."""
        last = int(np.searchsorted(np.cumsum(self.size), k)) + 1
        return np.repeat(self.hits[:last] / self.size[:last], self.size[:last])[:k]


def average_precision(ranking: Ranking) -> float:
    """Area under the precision-recall steps (AUC-PR); NaN without positives."""
    if ranking.positives == 0:
        return float("nan")
    precision = np.cumsum(ranking.hits) / np.cumsum(ranking.size)
    return float(precision @ ranking.hits / ranking.positives)


def lift(ranking: Ranking) -> float:
    """Average precision over prevalence."""
    if ranking.positives == 0:
        return float("nan")
    return average_precision(ranking) * ranking.candidates / ranking.positives


def roc_auc(ranking: Ranking) -> float:
    """Chance that a random positive stands above a random negative, ties counting half."""
    if one_class(ranking):
        return float("nan")
    return float(np.trapezoid(ranking.true_positive_rate, ranking.false_positive_rate))


def precision(ranking: Ranking, k: int) -> float:
    """Expected share of positives among the first k (or among all, when there are fewer)."""
    return float(ranking.gains(k).mean()) if ranking.candidates else float("nan")


def recall(ranking: Ranking, k: int) -> float:
    """Expected share of the positives that stand among the first k."""
    return float(ranking.gains(k).sum() / ranking.positives) if ranking.positives else float("nan")


def ndcg(ranking: Ranking, k: int) -> float:
    """Expected gain of the first k places, discounted by 1/log2(place + 1), over that of an ideal list."""
    if ranking.positives == 0:
        return float("nan")
    gains = ranking.gains(k)
    discount = 1 / np.log2(np.arange(2, len(gains) + 2))
    return float(gains @ discount / discount[: int(ranking.positives)].sum())


def ks(ranking: Ranking) -> float:
    """Kolmogorov-Smirnov: the largest lead of the true over the false positive rate.

    One-sided: a ranking turned upside down scores 0, not as well as the right way up.
    """
    if one_class(ranking):
        return float("nan")
    return float((ranking.true_positive_rate - ranking.false_positive_rate).max())


def cost(ranking: Ranking, theta: float) -> float:
    """Cost(theta) = FPR + theta * FNR at the threshold where it is least."""
    return float(_costs(ranking, theta).min()) if not one_class(ranking) else float("nan")


def cost_threshold(labels: np.ndarray, scores: np.ndarray, theta: float) -> float:
    """The threshold of least Cost(theta), predicting 1 where score >= threshold; the highest one on equal cost.

    Where predicting nobody is cheapest, the next number above the highest score.
    """
    ranking = Ranking.of(labels, scores)
    if one_class(ranking):
        return float("nan")
    thresholds = np.r_[np.nextafter(ranking.threshold[0], np.inf), ranking.threshold]
    return float(thresholds[np.argmin(_costs(ranking, theta))])


def vcmpr(labels: np.ndarray, scores: np.ndarray, a: np.ndarray, b: np.ndarray, k: int = CODE_K) -> float:
    """Per-code hit rate: vertex-centric max precision recall at k, the mean over codes with any positive.

    A code's candidates are ranked by themselves; with t positives among their first k (expected value under ties)
    and d among all, it scores max(t/k, t/d): a perfect list scores 1 however few positives the code has.
    Menand & Seshadhri 2024, "Link prediction using low-dimensional node embeddings: the measurement problem".
    """
    labels, scores = checked(labels, scores)
    code = np.concatenate([a, b])
    rows = pd.DataFrame({"code": code, "score": np.tile(scores, 2), "hits": np.tile(labels, 2), "size": 1})
    ties = rows.groupby(["code", "score"], sort=True, as_index=False).sum().iloc[::-1]
    before = ties.groupby("code")["size"].cumsum() - ties["size"]
    listed = np.clip((k - before) / ties["size"], 0, 1)  # share of the tie that fits into the list
    found = (ties["hits"] * listed).groupby(ties["code"]).sum()
    degree = ties.groupby("code")["hits"].sum()
    return float((found / np.minimum(degree, k))[degree > 0].mean())


def brier(labels: np.ndarray, probability: np.ndarray) -> float:
    """Mean squared distance of the probability from the outcome."""
    labels, probability = checked(labels, probability)
    return float(np.mean((probability - labels) ** 2)) if len(labels) else float("nan")


def log_loss(labels: np.ndarray, probability: np.ndarray) -> float:
    """Mean negative log-likelihood in nats, probabilities kept a float's epsilon from 0 and 1."""
    labels, probability = checked(labels, probability)
    if not len(labels):
        return float("nan")
    epsilon = np.finfo(float).eps
    p = np.clip(probability, epsilon, 1 - epsilon)
    return float(-np.mean(labels * np.log(p) + (1 - labels) * np.log1p(-p)))


def ece(labels: np.ndarray, probability: np.ndarray, bins: int = ECE_BINS) -> float:
    """Expected calibration error: mean distance of observed from forecast share, weighted by the bins of
    ``reliability``. Bins of equal mass: with 1 % positives, bins of equal width would leave all but one empty."""
    table = reliability(labels, probability, bins)
    if table.empty:
        return float("nan")
    gap = (table["mean_probability"] - table["observed"]).abs()
    return float(np.average(gap, weights=table["count"]))


def reliability(labels: np.ndarray, probability: np.ndarray, bins: int = 10) -> pd.DataFrame:
    """Forecast against observed share: columns bin (0 is the least likely), mean_probability, observed, count.

    Bins hold equally many candidates as far as ties allow: equal probabilities share a bin, so a bin may be missing.
    """
    labels, probability = checked(labels, probability)
    place = (rankdata(probability, method="average") - 0.5) / max(len(labels), 1)
    rows = pd.DataFrame({"bin": (place * bins).astype(int), "mean_probability": probability, "observed": labels})
    grouped = rows.groupby("bin", sort=True)
    return grouped.mean().assign(count=grouped.size()).reset_index()


def evaluate(
    labels: np.ndarray,
    scores: np.ndarray,
    probability: np.ndarray | None = None,
    a: np.ndarray | None = None,
    b: np.ndarray | None = None,
    ks: Sequence[int] = LIST_LENGTHS,
) -> pd.DataFrame:
    """Every metric that the arguments allow, in the order of ``METRICS``: columns metric, k, value.

    ``k`` (nullable integer) is what ``Metric.parameter`` says: the list's length, theta for ``cost``, or <NA>.
    ``a`` and ``b`` number the codes of each pair (``vcmpr``); ``probability`` is calibrated (brier, log_loss, ece).
    """
    ranking = Ranking.of(labels, scores)
    rows: list[tuple[str, int | None, float]] = []
    for name, metric in METRICS.items():
        if metric.needs == "scores":
            for k in {"none": (None,), "list length": tuple(ks), "theta": THETAS}[metric.parameter]:
                rows.append((name, k, _OF_RANKING[name](ranking, *(() if k is None else (k,)))))
        elif metric.needs == "codes" and a is not None and b is not None:
            rows.append((name, CODE_K, vcmpr(labels, scores, a, b)))
        elif metric.needs == "probability" and probability is not None:
            rows.append((name, None, _OF_PROBABILITY[name](labels, probability)))
    frame = pd.DataFrame(rows, columns=["metric", "k", "value"])
    return frame.astype({"metric": "str", "k": "Int64", "value": "float64"})


def one_class(ranking: Ranking) -> bool:
    """Whether positives or negatives are lacking."""
    return ranking.positives in (0, ranking.candidates)


def checked(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64.

    Raises:
        ValueError: unless they are of one length, labels are 0 or 1 and no score is NaN.
    """
    labels, scores = np.asarray(labels, dtype=float), np.asarray(scores, dtype=float)
    if labels.shape != scores.shape or labels.ndim != 1:
        raise ValueError(f"labels {labels.shape} and scores {scores.shape} must be vectors of one length")
    if not np.isin(labels, (0, 1)).all():
        raise ValueError("labels must be 0 or 1: drop pairs whose outcome is not known")
    if np.isnan(scores).any():
        raise ValueError(f"{int(np.isnan(scores).sum())} scores are NaN: every candidate must be ranked")
    return labels, scores


def _costs(ranking: Ranking, theta: float) -> np.ndarray:
    return ranking.false_positive_rate + theta * (1 - ranking.true_positive_rate)


_OF_RANKING: dict[str, Callable[..., float]] = {
    "average_precision": average_precision,
    "lift": lift,
    "roc_auc": roc_auc,
    "precision": precision,
    "recall": recall,
    "ndcg": ndcg,
    "ks": ks,
    "cost": cost,
}
_OF_PROBABILITY: dict[str, Callable[..., float]] = {"brier": brier, "log_loss": log_loss, "ece": ece}
