import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from pipeline.errors import NotEnoughDataError
from pipeline.ranking.reference import FittedReference, ReferenceConfig, draw, fit_reference, resample
from pipeline.ranking.tuning import LEARNERS

SMALL = ReferenceConfig(max_training_pairs=500, tuning_pairs=200, tuning_positives=30, trials=2, folds=2)
SEVEN = ["svm", "knn", "random_forest", "adaboost", "xgboost", "lightgbm", "mlp"]


def planted(rows: int, seed: int, prevalence: float = 0.08) -> tuple[np.ndarray, np.ndarray]:
    """Eight columns, three of which move the outcome; a tenth of the values unknown."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 8)).astype(np.float32)
    propensity = X[:, 0] + X[:, 1] - X[:, 2] + rng.normal(0, 0.5, rows)
    y = (propensity > np.quantile(propensity, 1 - prevalence)).astype(int)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X, y


@pytest.fixture(scope="module")
def fitted() -> FittedReference:
    return fit_reference(*planted(700, seed=1), seed=0, config=SMALL)


def test_a_planted_signal_is_found_in_pairs_never_seen(fitted: FittedReference) -> None:
    X, y = planted(2000, seed=2)
    assert roc_auc_score(y, fitted.score(X)) > 0.8


def test_the_report_compares_the_seven_learners_of_the_recipe(fitted: FittedReference) -> None:
    report = fitted.report
    assert report.columns.tolist() == ["learner", "ks", "average_precision", "cost", "selected", "parameters"]
    assert report["learner"].tolist() == SEVEN == list(LEARNERS)
    assert report["ks"].between(0, 1).all() and report["average_precision"].between(0, 1).all()
    assert all(json.loads(parameters) for parameters in report["parameters"])


def test_the_best_by_summed_rank_enter_the_stack(fitted: FittedReference) -> None:
    report = fitted.report
    ranks = (-report["ks"]).rank() + (-report["average_precision"]).rank() + report["cost"].rank()
    assert report["selected"].sum() == SMALL.kept
    assert ranks[report["selected"]].max() <= ranks[~report["selected"]].min()
    assert list(fitted.learners) == report.loc[report["selected"], "learner"].tolist()


def test_the_threshold_minimises_the_cost_of_the_out_of_fold_scores(fitted: FittedReference) -> None:
    label, score = fitted.out_of_fold["label"].to_numpy(), fitted.out_of_fold["score"].to_numpy()

    def cost(threshold: float) -> float:
        predicted = score >= threshold
        return float(predicted[label == 0].mean() + SMALL.theta * (~predicted)[label == 1].mean())

    assert cost(fitted.threshold) == pytest.approx(min(cost(threshold) for threshold in [*score, np.inf]))


def test_all_positives_and_a_draw_of_negatives_are_trained_on(fitted: FittedReference) -> None:
    _, y = planted(700, seed=1)
    rows = fitted.out_of_fold["row"].to_numpy()
    assert len(rows) == SMALL.max_training_pairs
    assert set(np.flatnonzero(y)) <= set(rows)
    assert (fitted.out_of_fold["label"].to_numpy() == y[rows]).all()


def test_out_of_fold_scores_of_shuffled_labels_are_at_chance() -> None:
    # resampling before splitting would put copies of held-out positives into training and fake a signal
    X, y = planted(500, seed=3, prevalence=0.2)
    shuffled = np.random.default_rng(0).permutation(y)
    table = fit_reference(X, shuffled, seed=0, config=SMALL).out_of_fold
    assert abs(roc_auc_score(table["label"], table["score"]) - 0.5) < 0.13


def test_two_fits_with_one_seed_score_identically(fitted: FittedReference) -> None:
    again = fit_reference(*planted(700, seed=1), seed=0, config=SMALL)
    X, _ = planted(300, seed=4)
    assert np.array_equal(fitted.score(X), again.score(X))
    assert again.threshold == fitted.threshold
    assert again.report.equals(fitted.report)


def test_scores_do_not_depend_on_which_other_pairs_are_scored(fitted: FittedReference) -> None:
    X, _ = planted(300, seed=4)
    # matrix products round differently in batches of different size, in float32
    assert fitted.score(X[:50]) == pytest.approx(fitted.score(X)[:50], abs=1e-2)
    assert fitted.score(X[:0]).shape == (0,)


def test_columns_that_are_constant_or_wholly_unknown_are_harmless() -> None:
    X, y = planted(300, seed=5)
    X[:, 6], X[:, 7] = np.nan, 3.0
    fitted = fit_reference(X, y, seed=0, config=SMALL)
    assert np.isfinite(fitted.score(planted(50, seed=6)[0])).all()


@pytest.mark.parametrize("positives", [2, 4])
def test_few_positives_are_enough_to_fit(positives: int) -> None:
    X, _ = planted(120, seed=7)
    y = np.zeros(120, int)
    y[:positives] = 1
    fitted = fit_reference(X, y, seed=0, config=SMALL)
    assert np.isfinite(fitted.score(X)).all()


@pytest.mark.parametrize("positives", [0, 1, 99, 100])
def test_fewer_than_two_of_a_kind_are_refused_in_one_clear_line(positives: int) -> None:
    X, _ = planted(100, seed=8)
    with pytest.raises(NotEnoughDataError, match=f"{positives} convergences among 100") as caught:
        fit_reference(X, (np.arange(100) < positives).astype(int), seed=0, config=SMALL)
    assert "\n" not in str(caught.value)


class TestResample:
    def test_brings_positives_to_two_in_ten(self) -> None:
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(1000, 6)), (np.arange(1000) < 30).astype(int)
        resampled_X, resampled_y = resample(X, y, seed=0)
        assert len(resampled_X) == len(resampled_y)
        assert resampled_y.mean() == pytest.approx(0.2, abs=0.02)

    def test_invents_positives_only_between_positives(self) -> None:
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(400, 3)), (np.arange(400) < 20).astype(int)
        X[y == 1] += 20
        resampled_X, resampled_y = resample(X, y, seed=0)
        made = resampled_X[resampled_y == 1]
        assert len(made) > 20
        assert (made >= X[y == 1].min(axis=0)).all() and (made <= X[y == 1].max(axis=0)).all()

    @pytest.mark.parametrize("positives", [2, 3, 5])
    def test_shrinks_its_neighbourhood_when_positives_are_few(self, positives: int) -> None:
        X, y = np.random.default_rng(1).normal(size=(200, 4)), (np.arange(200) < positives).astype(int)
        _, resampled_y = resample(X, y, seed=0)
        assert resampled_y.mean() == pytest.approx(0.2, abs=0.04)

    @pytest.mark.parametrize("positives", [1, 60])
    def test_only_cuts_negatives_of_tomek_links_when_there_is_nothing_to_add(self, positives: int) -> None:
        X, y = np.random.default_rng(2).normal(size=(200, 4)), (np.arange(200) < positives).astype(int)
        X[positives] = X[0] + 1e-3  # a link: a positive and a negative that are each other's nearest
        resampled_X, resampled_y = resample(X, y, seed=0)
        assert resampled_y.sum() == positives
        assert len(resampled_y) < 200
        assert {tuple(row) for row in resampled_X} <= {tuple(row) for row in X}


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 200), st.integers(0, 200), st.integers(2, 150), st.integers(0, 250))
def test_a_draw_has_its_size_and_no_row_twice(ones: int, zeros: int, size: int, positives: int) -> None:
    y = np.r_[np.ones(ones, int), np.zeros(zeros, int)]
    rows = draw(y, size, positives, np.random.default_rng(0))
    assert len(rows) == min(size, len(y)) == len(set(rows))
    if zeros >= size and ones + zeros > size:
        assert y[rows].sum() == min(positives, ones, size // 2)
