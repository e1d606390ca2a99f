import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from sklearn.metrics import average_precision_score, brier_score_loss, ndcg_score, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from pipeline.evaluation.metrics import (
    METRICS,
    Ranking,
    average_precision,
    cost,
    cost_threshold,
    ece,
    evaluate,
    ks,
    log_loss,
    ndcg,
    precision,
    recall,
    reliability,
    roc_auc,
    vcmpr,
)

few = settings(deadline=None, max_examples=40)


@st.composite
def rankings(draw: st.DrawFn, largest: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Labels of both classes and scores from few values, so that ties are common."""
    labels = [0, 1, *draw(st.lists(st.integers(0, 1), max_size=largest - 2))]
    scores = draw(st.lists(st.integers(0, 6), min_size=len(labels), max_size=len(labels)))
    return np.array(labels), np.array(scores) / 7


def value(frame: pd.DataFrame, metric: str, k: int | None = None) -> float:
    rows = frame[(frame["metric"] == metric) & (frame["k"].isna() if k is None else frame["k"].eq(k).fillna(False))]
    (found,) = rows["value"]
    return float(found)


@few
@given(rankings())
def test_curves_agree_with_scikit_learn_and_scipy(case: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = case
    ranking = Ranking.of(labels, scores)
    assert average_precision(ranking) == pytest.approx(average_precision_score(labels, scores))
    assert roc_auc(ranking) == pytest.approx(roc_auc_score(labels, scores))
    # "less": the positives' distribution function lies below, that is, their scores are higher
    one_sided = ks_2samp(scores[labels == 1], scores[labels == 0], alternative="less").statistic
    assert ks(ranking) == pytest.approx(one_sided)
    assert cost(ranking, 1) == pytest.approx(1 - ks(ranking))


@few
@given(rankings(), st.integers(1, 50))
def test_ndcg_under_ties_agrees_with_scikit_learn(case: tuple[np.ndarray, np.ndarray], k: int) -> None:
    labels, scores = case
    assert ndcg(Ranking.of(labels, scores), k) == pytest.approx(ndcg_score([labels], [scores], k=k))


@few
@given(rankings(largest=6), st.integers(1, 6))
def test_lists_are_means_over_every_order_of_the_ties(case: tuple[np.ndarray, np.ndarray], k: int) -> None:
    labels, scores = case
    k = min(k, len(labels))
    orders = [
        labels[list(order)]
        for order in itertools.permutations(range(len(labels)))
        if all(scores[one] >= scores[two] for one, two in itertools.pairwise(order))
    ]
    ranking = Ranking.of(labels, scores)
    assert precision(ranking, k) == pytest.approx(np.mean([order[:k].mean() for order in orders]))
    assert recall(ranking, k) == pytest.approx(np.mean([order[:k].sum() / labels.sum() for order in orders]))


@few
@given(rankings(), st.sampled_from([0.5, 1, 2, 5, 10]))
def test_cost_is_the_least_over_all_thresholds_and_its_threshold_attains_it(
    case: tuple[np.ndarray, np.ndarray], theta: float
) -> None:
    labels, scores = case

    def at(threshold: float) -> float:
        predicted = scores >= threshold
        return float(predicted[labels == 0].mean() + theta * (~predicted)[labels == 1].mean())

    least = min(at(threshold) for threshold in [*scores, np.inf])
    assert cost(Ranking.of(labels, scores), theta) == pytest.approx(least)
    assert at(cost_threshold(labels, scores, theta)) == pytest.approx(least)


@few
@given(rankings(), st.randoms(use_true_random=False))
def test_no_metric_depends_on_the_order_of_rows(case: tuple[np.ndarray, np.ndarray], random: object) -> None:
    labels, scores = case
    codes = np.random.default_rng(len(labels)).integers(0, 5, size=(2, len(labels)))
    shuffled = np.array(list(range(len(labels))))
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one = evaluate(labels, scores, scores, codes[0], codes[1] + 5, ks=(3, 10))
    two = evaluate(
        labels[shuffled], scores[shuffled], scores[shuffled], codes[0][shuffled], codes[1][shuffled] + 5, (3, 10)
    )
    pd.testing.assert_frame_equal(one, two)


@few
@given(rankings())
def test_values_stay_in_the_range_of_the_registry(case: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = case
    frame = evaluate(labels, scores, scores, np.zeros(len(labels), int), np.arange(1, len(labels) + 1))
    low, high = (
        frame["metric"].map({name: getattr(m, side) for name, m in METRICS.items()}) for side in ("low", "high")
    )
    assert ((frame["value"] >= low - 1e-9) & (frame["value"] <= high + 1e-9)).all()
    assert frame["metric"].unique().tolist() == list(METRICS)


def test_a_perfect_ranking_is_best_and_a_reversed_one_worst_in_the_direction_of_the_registry() -> None:
    labels = np.r_[np.ones(5), np.zeros(45)]
    a, b = np.zeros(50, int), np.arange(1, 51)
    perfect, reversed_ = (evaluate(labels, s, np.abs(s - 0.01), a, b, (5,)) for s in (labels, 1 - labels))
    for row, (one, two) in enumerate(zip(perfect["value"], reversed_["value"], strict=True)):
        assert (one > two) == METRICS[perfect["metric"][row]].higher_is_better
    assert value(perfect, "precision", 5) == value(perfect, "ndcg", 5) == value(perfect, "ks") == 1
    assert value(perfect, "lift") == 10
    assert value(reversed_, "ks") == 0


@few
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_per_code_hit_rate_agrees_with_a_loop_over_codes(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = np.triu_indices(8, 1)
    labels, scores = (rng.random(len(a)) < 0.3).astype(int), rng.permutation(len(a))  # no ties
    rates = []
    for code in range(8):
        own = np.flatnonzero((a == code) | (b == code))
        first = own[np.argsort(-scores[own])][:k]
        if labels[own].any():
            rates.append(max(labels[first].sum() / k, labels[first].sum() / labels[own].sum()))
    expected = np.mean(rates) if rates else np.nan
    assert vcmpr(labels, scores, a, b, k) == pytest.approx(expected, nan_ok=True)


def test_per_code_hit_rate_takes_ties_at_their_expected_value() -> None:
    # code 0 has four tied candidates, two of them positive, and a list of one
    labels, a, b = np.array([1, 1, 0, 0]), np.zeros(4, int), np.arange(1, 5)
    assert vcmpr(labels, np.zeros(4), a, b, k=1) == pytest.approx(np.mean([0.5, 1, 1]))


@few
@given(rankings())
def test_probability_metrics_agree_with_scikit_learn(case: tuple[np.ndarray, np.ndarray]) -> None:
    labels, probability = case
    frame = evaluate(labels, probability, probability)
    assert value(frame, "brier") == pytest.approx(brier_score_loss(labels, probability))
    assert log_loss(labels, probability) == pytest.approx(sklearn_log_loss(labels, probability))


def test_reliability_bins_hold_equal_mass_and_never_split_a_tie() -> None:
    probability = np.r_[np.zeros(50), np.linspace(0.1, 0.9, 50)]
    labels = (np.arange(100) % 10 == 0).astype(int)
    table = reliability(labels, probability, bins=10)
    assert table.columns.tolist() == ["bin", "mean_probability", "observed", "count"]
    assert table["count"].tolist() == [50, 10, 10, 10, 10, 10]
    assert table["bin"].tolist() == [2, 5, 6, 7, 8, 9]
    assert table["mean_probability"].is_monotonic_increasing
    assert np.average(table["observed"], weights=table["count"]) == pytest.approx(labels.mean())


def test_calibration_error_is_the_gap_between_forecast_and_outcome() -> None:
    labels = np.tile([1, 0, 0, 0], 300)
    assert ece(labels, np.full(1200, 0.25)) == pytest.approx(0)
    assert ece(labels, np.full(1200, 0.40)) == pytest.approx(0.15)
    rng = np.random.default_rng(0)
    forecast = rng.beta(0.3, 20, 100_000)
    assert ece((rng.random(100_000) < forecast).astype(int), forecast) < 0.002


@pytest.mark.parametrize("label", [0, 1])
def test_metrics_that_need_both_classes_are_nan_with_one(label: int) -> None:
    frame = evaluate(np.full(20, label), np.arange(20), np.full(20, 0.5), np.zeros(20, int), np.arange(1, 21))
    undefined = set(frame.loc[frame["value"].isna(), "metric"])
    both = {"roc_auc", "ks", "cost"}
    assert undefined == (both if label else both | {"average_precision", "lift", "recall", "ndcg", "vcmpr"})
    assert np.isnan(cost_threshold(np.full(20, label), np.arange(20), 2))


def test_no_candidates_give_nan_everywhere() -> None:
    nothing = np.zeros(0)
    assert evaluate(nothing, nothing, nothing, nothing, nothing)["value"].isna().all()


def test_a_list_longer_than_the_ranking_is_the_whole_ranking() -> None:
    ranking = Ranking.of(np.array([1, 0, 0, 1]), np.array([4, 3, 2, 1]))
    assert (precision(ranking, 500), recall(ranking, 500)) == (0.5, 1)


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [([0, 1], [0.1], "one length"), ([0, 2], [0.1, 0.2], "0 or 1"), ([0, 1], [0.1, np.nan], "NaN")],
)
def test_unusable_arguments_are_refused(labels: list[float], scores: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate(np.array(labels), np.array(scores))
