"""The learners of stage one, on ranked features: each a scikit-learn classifier under a seed, one thread."""

import dataclasses
from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np
from lightgbm import LGBMClassifier
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from pipeline.extensions import extension

# strong regularisation throughout: a training set has tens to hundreds of positives
LEAVES = (4, 16)  # fewest and most of a boosted tree
POSITIVES_A_LEAF = 500


def _logistic(seed: int, positives: int) -> Any:
    return make_pipeline(
        FunctionTransformer(logit_of_rank),
        SimpleImputer(strategy="constant", fill_value=0.0, keep_empty_features=True),  # missing: the middle rank
        LogisticRegression(C=0.003, max_iter=100, random_state=seed),
    )


def _lightgbm(seed: int, positives: int) -> Any:
    return LGBMClassifier(
        n_estimators=300,
        learning_rate=0.03,
        num_leaves=int(np.clip(positives // POSITIVES_A_LEAF, *LEAVES)),
        min_child_samples=100,
        colsample_bytree=0.4,
        subsample=0.7,
        subsample_freq=1,
        reg_lambda=20.0,
        random_state=seed,
        n_jobs=1,
        deterministic=True,
        force_row_wise=True,
        verbose=-1,
    )


def _extra_trees(seed: int, positives: int) -> Any:
    return make_pipeline(
        SimpleImputer(strategy="constant", fill_value=0.5, keep_empty_features=True),
        ExtraTreesClassifier(100, min_samples_leaf=30, max_features=0.3, bootstrap=True, max_samples=0.5,
                             random_state=seed, n_jobs=1),
    )  # fmt: skip


LEARNERS: dict[str, Callable[[int, int], Any]] = {
    "logistic": _logistic,
    "lightgbm": _lightgbm,
    "extra_trees": _extra_trees,
}


def make_learner(name: str, seed: int, positives: int) -> Any:
    """A new unfitted learner of the registry, or one's own; a feature matrix of ranks in (0, 1) with NaN where unknown.

    ``positives``: in the training set, which decide how complex a boosted tree may be.
    """
    own = extension("learner", name)
    return own.function(seed, positives) if own and name not in LEARNERS else LEARNERS[name](seed, positives)


@dataclasses.dataclass(frozen=True)
class Boosted:
    """Fitted boosted trees of two classes, read back; they answer as the ``LGBMClassifier`` did that they were."""

    booster: lightgbm.Booster

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """The probability of each class (rows x 2)."""
        positive = np.asarray(self.booster.predict(X, num_threads=1))
        return np.column_stack([1 - positive, positive])


def logit_of_rank(X: np.ndarray) -> np.ndarray:
    """Logit of rank shares, the extremes clipped; a missing rank stays missing."""
    logits: np.ndarray = np.clip(X, 1e-3, 1 - 1e-3)
    logits /= 1 - logits
    return np.log(logits, out=logits)  # in place: a large table is not to be copied at every step
