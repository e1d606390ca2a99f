"""From the meta-learner's log odds to a calibrated probability: the slope is learnt, the level is expected."""

import numpy as np
from scipy.special import expit


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
