"""How far scores of the same things agree: coefficients, and what repeats and orders change.

Scores come as a matrix, units x raters, NaN where there is none. A measure that its scores leave undefined is NaN.
"""

import itertools
from collections.abc import Sequence
from typing import Literal

import numpy as np


def krippendorff_alpha(scores: np.ndarray, level: Literal["ordinal", "interval"]) -> float:
    """Krippendorff's alpha: 1 where raters agree fully, 0 where as by chance. Units of one score are left out.

    Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), by the coincidences of values.
    """
    paired = scores[(~np.isnan(scores)).sum(axis=1) >= 2]
    values = np.unique(paired[~np.isnan(paired)])
    if len(values) < 2:
        return float("nan")
    counts = (paired[:, :, None] == values).sum(axis=1).astype(float)  # units x values
    raters = counts.sum(axis=1)
    weighted = counts / (raters - 1)[:, None]
    observed = weighted.T @ counts - np.diag(weighted.sum(axis=0))
    totals = counts.sum(axis=0)
    expected = (np.outer(totals, totals) - np.diag(totals)) / (totals.sum() - 1)
    # the ordinal distance of two values: how many scores lie between them, the two themselves by half
    place = values if level == "interval" else np.cumsum(totals) - totals / 2
    distance = (place[:, None] - place) ** 2
    return float(1 - (observed * distance).sum() / (expected * distance).sum())


def intraclass(scores: np.ndarray) -> tuple[float, float]:
    """ICC(2,1) and ICC(2,k): absolute agreement of one rater, and of the mean of them; raters are a sample.

    Units that lack a score are left out. Shrout & Fleiss, Intraclass correlations, Psychological Bulletin 86 (1979).
    """
    whole = scores[~np.isnan(scores).any(axis=1)]
    n, k = whole.shape
    if n < 2 or k < 2:
        return float("nan"), float("nan")
    mean = whole.mean()
    units = k * ((whole.mean(axis=1) - mean) ** 2).sum() / (n - 1)
    raters = n * ((whole.mean(axis=0) - mean) ** 2).sum() / (k - 1)
    residual = whole - whole.mean(axis=1, keepdims=True) - whole.mean(axis=0) + mean
    error = (residual**2).sum() / ((n - 1) * (k - 1))
    single = units + (k - 1) * error + k * (raters - error) / n
    of_mean = units + (raters - error) / n
    return _ratio(units - error, single), _ratio(units - error, of_mean)


def between_repeats(scores: np.ndarray, orders: Sequence[int], middle: float) -> dict[str, float]:
    """What changes from one repeat to another that was shown the same order, and to one that was shown another.

    ``flip_*``: share of pairs of scores of a unit on different sides of the middle of the scale. ``difference_*``:
    mean distance of the two. ``orders``: the arrangement that each column was shown.
    """
    apart: dict[str, list[np.ndarray]] = {"same_order": [], "other_order": []}
    flipped: dict[str, list[np.ndarray]] = {"same_order": [], "other_order": []}
    for i, j in itertools.combinations(range(scores.shape[1]), 2):
        kind = "same_order" if orders[i] == orders[j] else "other_order"
        both = ~np.isnan(scores[:, i]) & ~np.isnan(scores[:, j])
        first, second = scores[both, i], scores[both, j]
        apart[kind].append(np.abs(first - second))
        flipped[kind].append((first > middle) != (second > middle))
    return {
        **{f"flip_{kind}": _mean(found) for kind, found in flipped.items()},
        **{f"difference_{kind}": _mean(found) for kind, found in apart.items()},
    }


def position_effect(scores: np.ndarray, positions: np.ndarray) -> float:
    """Points that a unit gains by standing last on the list rather than first, all else equal (within units).

    Both matrices are units x repeats; the effect is the slope within units times the length of the list less one.
    """
    known = ~np.isnan(scores) & ~np.isnan(positions)
    score, position = np.where(known, scores, np.nan), np.where(known, positions, np.nan)
    enough = known.sum(axis=1) >= 2
    if not enough.any():
        return float("nan")
    score, position = score[enough], position[enough]
    score = score - np.nanmean(score, axis=1, keepdims=True)
    length = np.nanmax(position) - np.nanmin(position)
    position = position - np.nanmean(position, axis=1, keepdims=True)
    return _ratio(float(np.nansum(score * position)) * length, float(np.nansum(position**2)))


def close_pairs(scores: np.ndarray, within: float) -> float:
    """Share of pairs of scores that lie at most so far apart."""
    pairs = list(itertools.combinations(scores[~np.isnan(scores)], 2))
    return float(np.mean([abs(a - b) <= within for a, b in pairs])) if pairs else float("nan")


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below else float("nan")


def _mean(parts: list[np.ndarray]) -> float:
    together = np.concatenate(parts) if parts else np.zeros(0)
    return float(together.mean()) if len(together) else float("nan")
