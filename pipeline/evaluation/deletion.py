"""The deletion check: does the score fall when what is named as its reason is taken away, and more than otherwise?"""

from typing import Any

import numpy as np

from pipeline.evaluation.drivers import Drivers, modality_places, smallest

DRAWS = 10  # of random features
MAJORITY = 0.5  # share of pairs in which the named must matter more


def deletion_check(drivers: Drivers, seed: int) -> dict[str, Any]:
    """Mean drops of the whole ensemble's score (log odds) by what is deleted, as a record.

    ``features``: the ``named`` ones, as many ``random`` ones (mean over draws) and as many of the ``least``
    contribution, up or down. ``modalities``: the ``named`` one, of the largest Shapley value, and the mean over the
    ``other`` ones the pair has; None with a single one. ``share``: of the pairs, where the named drop is larger than
    the random or other one. ``holds``: the named drop is larger on average and in most pairs.
    """
    return {
        "pairs": len(drivers.rows),
        "decomposed_weight": drivers.decomposed,
        "features": _features(drivers, seed),
        "modalities": _modalities(drivers),
    }


def _features(drivers: Drivers, seed: int) -> dict[str, Any]:
    counts = drivers.named.sum(axis=1)
    rng = np.random.default_rng(seed)
    drawn = [smallest(np.where(drivers.known, rng.random(drivers.known.shape), np.inf), counts) for _ in range(DRAWS)]
    least = smallest(np.where(drivers.known, np.abs(drivers.features), np.inf), counts)
    named, lowest, *random = _drops(drivers, np.array([drivers.named, least, *drawn]))
    return {
        "deleted": float(counts.mean()),
        **_compared(named, np.mean(random, axis=0), "random"),
        "least": float(lowest.mean()),
    }


def _modalities(drivers: Drivers) -> dict[str, Any] | None:
    places = np.array(list(modality_places(drivers.rescorer).values()))
    present = (drivers.known @ places.T).T  # modalities x rows
    several = present.sum(axis=0) > 1
    if not several.any():
        return None
    drops = _drops(drivers, np.repeat(places[:, None, :], len(drivers.rows), axis=1))
    top = np.where(present, drivers.modalities.to_numpy().T, -np.inf).argmax(axis=0)
    named = drops[top, np.arange(len(top))]
    others = present & (np.arange(len(places))[:, None] != top)
    other = (drops * others).sum(axis=0) / np.maximum(others.sum(axis=0), 1)
    return _compared(named[several], other[several], "other")


def _drops(drivers: Drivers, hidden: np.ndarray) -> np.ndarray:
    """Drop of each row's score by each deletion (deletions x rows); ``hidden``: deletions x rows x columns."""
    scores = drivers.rescorer.without(np.tile(drivers.rows, len(hidden)), hidden.reshape(-1, hidden.shape[2]))
    return np.asarray(drivers.rescorer.score_raw[drivers.rows] - scores.reshape(len(hidden), -1))


def _compared(named: np.ndarray, rival: np.ndarray, name: str) -> dict[str, Any]:
    share = float((named > rival).mean())
    holds = bool(named.mean() > rival.mean() and share > MAJORITY)
    return {"named": float(named.mean()), name: float(rival.mean()), "share": share, "holds": holds}
