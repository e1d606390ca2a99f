import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from pipeline.evaluation.bootstrap import difference_intervals, intervals, node_replicates
from pipeline.evaluation.metrics import Ranking, average_precision, precision, roc_auc

CODES = 25
METRICS = [("average_precision", None), ("roc_auc", None), ("precision", 20)]


@pytest.fixture(params=["few ties", "many ties"])
def case(request: pytest.FixtureRequest) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    a, b = np.triu_indices(CODES, 1)
    rows = rng.permutation(len(a))
    a, b = a[rows], b[rows]
    labels = (rng.random(len(a)) < 0.15).astype(int)
    good, poor = labels + rng.normal(0, 1, len(a)), rng.normal(0, 1, len(a))
    digits = 6 if request.param == "few ties" else 0
    return labels, {"good": good.round(digits), "poor": poor.round(digits)}, a, b


def test_each_replicate_is_the_metric_with_every_pair_counted_as_often_as_its_codes_were_drawn(case: tuple) -> None:
    labels, scores, a, b = case
    replicates = node_replicates(labels, scores, a, b, CODES, repeats=20, seed=5, metrics=METRICS)
    draws = np.random.default_rng(5).multinomial(CODES, np.full(CODES, 1 / CODES), size=20)
    for (model, repeat), rows in replicates.groupby(["model", "repeat"]):
        weight = draws[repeat][a] * draws[repeat][b]
        found = rows.set_index("metric")["value"]
        assert found["average_precision"] == pytest.approx(
            average_precision_score(labels, scores[model], sample_weight=weight)
        )
        kept = weight > 0
        assert found["roc_auc"] == pytest.approx(
            roc_auc_score(labels[kept], scores[model][kept], sample_weight=weight[kept])
        )
        copies = Ranking.of(np.repeat(labels, weight), np.repeat(scores[model], weight))
        assert found["precision"] == pytest.approx(precision(copies, 20))
        assert found["average_precision"] == pytest.approx(average_precision(copies))
        assert found["roc_auc"] == pytest.approx(roc_auc(copies))


def test_intervals_are_the_percentiles_of_the_replicates(case: tuple) -> None:
    labels, scores, a, b = case
    replicates = node_replicates(labels, scores, a, b, CODES, 101, seed=1, metrics=METRICS)
    table = intervals(node_replicates(labels, scores, a, b, CODES, 101, seed=1, metrics=METRICS), level=0.8)
    assert table.columns.tolist() == ["model", "metric", "k", "low", "high"]
    assert len(table) == len(scores) * len(METRICS)
    own = replicates[(replicates["model"] == "good") & (replicates["metric"] == "precision")]["value"]
    row = table[(table["model"] == "good") & (table["metric"] == "precision")].iloc[0]
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.percentile(own, [10, 90])))
    assert row["k"] == 20


def test_differences_are_paired_by_resample(case: tuple) -> None:
    labels, scores, a, b = case
    twins = {"good": scores["good"], "twin": scores["good"] * 3 + 1, "poor": scores["poor"]}
    replicates = node_replicates(labels, twins, a, b, CODES, 100, seed=2)
    table = difference_intervals(replicates, "good").set_index(["model", "metric"])
    assert set(table.index.get_level_values("model")) == {"twin", "poor"}
    assert (table.loc["twin", ["difference_low", "difference_high"]].to_numpy() == 0).all()
    assert table.loc[("poor", "roc_auc"), "difference_low"] > 0
    singles = intervals(replicates).set_index(["model", "metric"])
    paired = table.loc[("poor", "roc_auc"), "difference_high"]
    assert paired <= singles.loc[("good", "roc_auc"), "high"] - singles.loc[("poor", "roc_auc"), "low"]


def test_an_interval_over_shared_codes_is_wider_than_one_over_independent_pairs() -> None:
    rng = np.random.default_rng(0)
    a, b = np.triu_indices(40, 1)
    propensity = rng.normal(0, 1.5, 40)  # a code drives all its pairs
    chance = 1 / (1 + np.exp(3 - propensity[a] - propensity[b]))
    labels, scores = (rng.random(len(a)) < chance).astype(int), propensity[a] + rng.normal(0, 1, len(a))
    table = intervals(node_replicates(labels, {"m": scores}, a, b, 40, 200, seed=0, metrics=[("roc_auc", None)]))
    by_pair = []
    for _ in range(200):
        rows = rng.integers(0, len(a), len(a))
        by_pair.append(roc_auc_score(labels[rows], scores[rows]))
    low, high = np.percentile(by_pair, [5, 95])
    assert table["high"][0] - table["low"][0] > 1.2 * (high - low)


def test_the_same_seed_gives_the_same_table_and_another_seed_another(case: tuple) -> None:
    one, same, other = (intervals(node_replicates(*case, CODES, 30, seed=seed)) for seed in (7, 7, 8))
    pd.testing.assert_frame_equal(one, same)
    assert not one["low"].equals(other["low"])


def test_without_positives_there_is_no_interval_for_what_needs_them() -> None:
    a, b = np.triu_indices(6, 1)
    table = intervals(node_replicates(np.zeros(15), {"m": np.arange(15.0)}, a, b, 6, 10, seed=0)).set_index("metric")
    assert table.loc[["average_precision", "roc_auc"], ["low", "high"]].isna().all(axis=None)
    assert table.loc["precision", "high"] == 0


def test_a_metric_without_a_weighted_form_is_refused(case: tuple) -> None:
    with pytest.raises(ValueError, match="ndcg"):
        node_replicates(*case, CODES, 2, seed=0, metrics=[("ndcg", 10)])
