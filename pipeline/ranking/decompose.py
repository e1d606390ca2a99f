"""What each feature adds to a fitted learner's log odds: exact for linear models and for boosted trees."""

from typing import Any

import lightgbm
import numpy as np
from imblearn.ensemble import BalancedBaggingClassifier
from lightgbm import LGBMClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from pipeline.ranking.learners import Boosted


def contributions(model: Any, X: np.ndarray, population: np.ndarray) -> np.ndarray | None:
    """Additive parts of the log odds of rows X (rows x columns); None for a model that has no such parts.

    ``population`` (rows x the same columns): whose mean a linear part is measured from. A boosted model gives TreeSHAP
    values (Lundberg et al. 2020, arXiv 1905.04610), measured from its training rows. Bags of learners, which average
    probabilities, are given the mean of their parts: close, not exact.
    """
    if isinstance(model, LGBMClassifier):
        return contributions(model.booster_, X, population)
    if isinstance(model, Boosted):
        return contributions(model.booster, X, population)
    if isinstance(model, lightgbm.Booster):
        return np.asarray(model.predict(X, pred_contrib=True, num_threads=1))[:, :-1]  # the last column is the base
    if isinstance(model, LogisticRegression):
        return np.asarray((X - population.mean(axis=0)) * model.coef_[0])
    if isinstance(model, Pipeline):  # imbalanced-learn's too; its samplers do not transform
        for step in model[:-1]:
            if hasattr(step, "transform"):
                X, population = step.transform(X), step.transform(population)
        return contributions(model[-1], X, population)
    if isinstance(model, BalancedBaggingClassifier):
        bags = zip(model.estimators_, model.estimators_features_, strict=True)
        parts = [contributions(bag, X[:, own], population[:, own]) for bag, own in bags]
        known = [part for part in parts if part is not None]
        return np.mean(known, axis=0) if len(known) == len(parts) else None
    return None
