"""The seven learners of the reference recipe (method A5) and their Bayesian tuning on the KS statistic."""

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optuna
from lightgbm import LGBMClassifier
from scipy.special import expit
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.kernel_approximation import Nystroem
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.class_weight import compute_sample_weight
from xgboost import XGBClassifier

from pipeline.evaluation.metrics import Ranking, ks

LANDMARKS = 300  # of the kernel approximation
KNN_ROWS = 6000  # training pairs that a neighbour search looks through: the recipe's scoring time hangs on it
RANDOM_TRIALS = 3  # before the sampler has enough to model

Parameters = dict[str, Any]
Fold = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # training X and y (resampled), validation X and y (not)


@dataclasses.dataclass(frozen=True)
class Learner:
    """A search space, and the unfitted classifier at one point of it: ``make(parameters, training rows, seed)``."""

    space: Callable[[optuna.Trial], Parameters]
    make: Callable[[Parameters, int, int], Any]
    balanced_weights: bool = False
    max_rows: int | None = None


def fit_learner(name: str, parameters: Parameters, X: np.ndarray, y: np.ndarray, seed: int) -> Any:
    """Fit one learner of ``LEARNERS``; with class-balanced sample weights where the recipe has them (MLP)."""
    learner = LEARNERS[name]
    if learner.max_rows is not None:
        X, y = _thinned(X, y, learner.max_rows)
    weights = {"sample_weight": compute_sample_weight("balanced", y)} if learner.balanced_weights else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the iterations are a budget
        return learner.make(parameters, len(X), seed).fit(X, y, **weights)


def positive_probability(model: Any, X: np.ndarray) -> np.ndarray:
    """Probability of the positive class. The SVM's is the logistic of its margin: stage two rescales it anyway."""
    if hasattr(model, "predict_proba"):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="X does not have valid feature names")  # LightGBM invents names
            return np.asarray(model.predict_proba(X)[:, 1], dtype=np.float64)
    return np.asarray(expit(model.decision_function(X)), dtype=np.float64)


def tune(name: str, folds: Sequence[Fold], trials: int, seed: int) -> Parameters:
    """The parameters of the best mean KS over the folds, found by a tree-structured Parzen estimator."""

    def objective(trial: optuna.Trial) -> float:
        parameters = LEARNERS[name].space(trial)
        values = []
        for X, y, validation_X, validation_y in folds:
            model = fit_learner(name, parameters, X, y, seed)
            values.append(ks(Ranking.of(validation_y, positive_probability(model, validation_X))))
        return float(np.mean(values))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM_TRIALS)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(objective, n_trials=trials)
    return dict(study.best_params)


def _thinned(X: np.ndarray, y: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """At most ``rows`` evenly spaced rows of each class's share."""
    if len(X) <= rows:
        return X, y
    by_class = np.argsort(y, kind="stable")
    kept = np.sort(by_class[np.linspace(0, len(X) - 1, rows).astype(int)])
    return X[kept], y[kept]


def _svm_space(trial: optuna.Trial) -> Parameters:
    return {
        "gamma": trial.suggest_float("gamma", 1e-4, 3e-2, log=True),
        "C": trial.suggest_float("C", 1e-3, 10, log=True),
    }


def _svm(p: Parameters, rows: int, seed: int) -> Any:
    # an exact RBF machine takes minutes to fit and to score 100,000 pairs: Nyström features under a linear machine
    kernel = Nystroem(gamma=p["gamma"], n_components=min(LANDMARKS, rows), random_state=seed)
    return make_pipeline(kernel, LinearSVC(C=p["C"], random_state=seed))


def _knn_space(trial: optuna.Trial) -> Parameters:
    return {
        "n_neighbors": trial.suggest_int("n_neighbors", 3, 100, log=True),
        "weights": trial.suggest_categorical("weights", ["uniform", "distance"]),
    }


def _knn(p: Parameters, rows: int, seed: int) -> Any:
    neighbors = min(p["n_neighbors"], rows)
    return KNeighborsClassifier(neighbors, weights=p["weights"], algorithm="brute", n_jobs=1)


def _forest_space(trial: optuna.Trial) -> Parameters:
    return {
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 2, 30, log=True),
        "max_features": trial.suggest_float("max_features", 0.03, 0.12),
    }


def _forest(p: Parameters, rows: int, seed: int) -> Any:
    return RandomForestClassifier(100, **p, max_samples=0.5, random_state=seed, n_jobs=1)


def _adaboost_space(trial: optuna.Trial) -> Parameters:
    return {
        "n_estimators": trial.suggest_int("n_estimators", 15, 50),
        "learning_rate": trial.suggest_float("learning_rate", 0.05, 1.0, log=True),
    }


def _adaboost(p: Parameters, rows: int, seed: int) -> Any:
    return AdaBoostClassifier(DecisionTreeClassifier(max_depth=1), **p, random_state=seed)


def _boosting_space(trial: optuna.Trial) -> Parameters:
    return {
        "n_estimators": trial.suggest_int("n_estimators", 50, 200),
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
        "max_depth": trial.suggest_int("max_depth", 2, 6),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.1, 30, log=True),
    }


def _xgboost(p: Parameters, rows: int, seed: int) -> Any:
    return XGBClassifier(
        **p, tree_method="hist", max_bin=64, subsample=0.8, colsample_bytree=0.5, random_state=seed, n_jobs=1
    )


def _lightgbm(p: Parameters, rows: int, seed: int) -> Any:
    return LGBMClassifier(
        **p,
        num_leaves=2 ** p["max_depth"],
        max_bin=63,
        subsample=0.8,
        subsample_freq=1,
        colsample_bytree=0.5,
        random_state=seed,
        n_jobs=1,
        deterministic=True,
        force_row_wise=True,
        verbose=-1,
    )


def _mlp_space(trial: optuna.Trial) -> Parameters:
    return {
        "width": trial.suggest_int("width", 8, 64, log=True),
        "alpha": trial.suggest_float("alpha", 1e-4, 10, log=True),
        "learning_rate_init": trial.suggest_float("learning_rate_init", 3e-4, 1e-2, log=True),
    }


def _mlp(p: Parameters, rows: int, seed: int) -> Any:
    return MLPClassifier(
        (p["width"],), alpha=p["alpha"], learning_rate_init=p["learning_rate_init"], max_iter=20, random_state=seed
    )


LEARNERS: dict[str, Learner] = {
    "svm": Learner(_svm_space, _svm),
    "knn": Learner(_knn_space, _knn, max_rows=KNN_ROWS),
    "random_forest": Learner(_forest_space, _forest),
    "adaboost": Learner(_adaboost_space, _adaboost),
    "xgboost": Learner(_boosting_space, _xgboost),
    "lightgbm": Learner(_boosting_space, _lightgbm),
    "mlp": Learner(_mlp_space, _mlp, balanced_weights=True),
}
