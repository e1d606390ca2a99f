"""The meta-learner: a logistic regression on the members' rank logits, weights >= 0, shrunk towards equal ones.

With tens to hundreds of positives a free stack overfits; equal weights are hard to beat, so evidence must pay for
every departure from them.
"""

import dataclasses

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

SHRINKAGE = 100.0  # penalty on the squared departure from equal weights, in units of log-likelihood


@dataclasses.dataclass(frozen=True)
class MetaLearner:
    """Weights (one a member, >= 0) and intercept on the logit scale."""

    weights: np.ndarray
    intercept: float

    def decision(self, scores: np.ndarray) -> np.ndarray:
        """Log odds (rows) from rank logits (rows x members)."""
        return scores @ self.weights + self.intercept


def fit_meta(scores: np.ndarray, labels: np.ndarray) -> MetaLearner:
    """Fit on out-of-fold rank logits (rows x members) and labels (0/1)."""
    members = scores.shape[1]
    slope, intercept = _minimise(scores.mean(axis=1, keepdims=True), labels, np.ones(1), 0.0)
    equal = np.full(members, slope[0] / members)
    weights, intercept = _minimise(scores, labels, equal, SHRINKAGE, intercept)
    return MetaLearner(weights=weights, intercept=intercept)


def _minimise(
    X: np.ndarray, y: np.ndarray, centre: np.ndarray, penalty: float, intercept: float | None = None
) -> tuple[np.ndarray, float]:
    """Minimise the logistic loss + penalty |w - centre|^2 over w >= 0 and a free intercept."""
    prior = np.clip(y.mean(), 1e-9, 1 - 1e-9)
    start = np.append(centre, np.log(prior / (1 - prior)) if intercept is None else intercept)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        logit = X @ parameters[:-1] + parameters[-1]
        error = expit(logit) - y
        departure = parameters[:-1] - centre
        value = np.logaddexp(0, logit).sum() - logit @ y + penalty * departure @ departure
        return value, np.append(X.T @ error + 2 * penalty * departure, error.sum())

    bounds = [(0.0, None)] * len(centre) + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return found.x[:-1], float(found.x[-1])
