"""The meta-learner: a logistic regression on the members' rank logits, weights >= 0, shrunk towards a given mixture.

With tens to hundreds of positives a free stack overfits; a sensible mixture is hard to beat, so evidence must pay for
every departure from it.
"""

import dataclasses

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import average_precision_score

SHRINKAGE = 30.0  # penalty on the squared departure from the mixture, in units of log-likelihood
EVIDENCE = 3000  # past positives at which a corpus's own members weigh as much as those taught by other corpora
STEPS = 10  # of the guard


@dataclasses.dataclass(frozen=True)
class MetaLearner:
    """Weights (one a member, >= 0) and intercept on the logit scale."""

    weights: np.ndarray
    intercept: float

    def decision(self, scores: np.ndarray) -> np.ndarray:
        """Log odds (rows) from rank logits (rows x members)."""
        return scores @ self.weights + self.intercept


def mixture(own: int, travelled: int, heuristics: int, positives: int) -> np.ndarray:
    """The mixture to start from (sums to 1): own members against travelled ones by how much the corpus could teach.

    Heuristics get no share: they have to earn theirs. Members come in the order of the arguments.
    """
    share = positives / (positives + EVIDENCE) if travelled else 1.0
    parts = [(own, share), (travelled, 1.0 - share), (heuristics, 0.0)]
    return np.concatenate([np.full(count, weight / max(count, 1)) for count, weight in parts])


def fit_meta(
    scores: np.ndarray, labels: np.ndarray, centre: np.ndarray, sample: np.ndarray | None = None
) -> MetaLearner:
    """Fit on out-of-fold rank logits (rows x members) and labels (0/1); ``centre``: the mixture to start from.

    ``sample``: how many candidates each row stands for; None: one.
    """
    slope, intercept = _minimise((scores @ centre)[:, None], labels, np.ones(1), 0.0, sample=sample)
    weights, intercept = _minimise(scores, labels, slope[0] * centre, SHRINKAGE, intercept, sample)
    return MetaLearner(weights=weights, intercept=intercept)


def fit_slope(score: np.ndarray, labels: np.ndarray) -> float:
    """Log odds that one unit of the score is worth: a logistic regression with an intercept, the slope >= 0."""
    slope, _ = _minimise(score[:, None], labels, np.ones(1), 0.0)
    return float(slope[0])


def guard(
    meta: MetaLearner, scores: np.ndarray, labels: np.ndarray, sample: np.ndarray | None = None
) -> tuple[MetaLearner, int | None, float]:
    """Move the stack towards the best single member, just so far that its average precision is not below that one's.

    Returns the learner, the member moved towards (None when there was no need) and how far, in (0, 1].
    """
    single = [average_precision_score(labels, member, sample_weight=sample) for member in scores.T]
    best = int(np.argmax(single))
    slope, intercept = _minimise(scores[:, [best]], labels, np.ones(1), 0.0, sample=sample)
    alone = np.zeros_like(meta.weights)
    alone[best] = max(slope[0], 1e-9)  # a member that is worth nothing still orders
    for share in np.arange(STEPS + 1) / STEPS:
        moved = MetaLearner(
            weights=(1 - share) * meta.weights + share * alone,
            intercept=(1 - share) * meta.intercept + share * intercept,
        )
        if average_precision_score(labels, moved.decision(scores), sample_weight=sample) >= single[best]:
            break
    return moved, best if share else None, float(share)


def _minimise(
    X: np.ndarray,
    y: np.ndarray,
    centre: np.ndarray,
    penalty: float,
    intercept: float | None = None,
    sample: np.ndarray | None = None,
) -> tuple[np.ndarray, float]:
    """Minimise the logistic loss + penalty |w - centre|^2 over w >= 0 and a free intercept."""
    prior = np.clip(y.mean() if sample is None else np.average(y, weights=sample), 1e-9, 1 - 1e-9)
    start = np.append(centre, np.log(prior / (1 - prior)) if intercept is None else intercept)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        logit = X @ parameters[:-1] + parameters[-1]
        error = expit(logit) - y
        departure = parameters[:-1] - centre
        if sample is None:
            likelihood = np.logaddexp(0, logit).sum() - logit @ y
        else:
            error = error * sample
            likelihood = (np.logaddexp(0, logit) - logit * y) @ sample
        value = likelihood + penalty * departure @ departure
        return value, np.append(X.T @ error + 2 * penalty * departure, error.sum())

    bounds = [(0.0, None)] * len(centre) + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return found.x[:-1], float(found.x[-1])
