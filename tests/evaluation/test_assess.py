"""The record of a test: the model beside every baseline, with intervals, as plain JSON."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from pipeline.evaluation.assess import assess, metrics_record
from pipeline.ranking.calibration import coverage_of


def predictions(seed: int, cutoff: str, positives: bool = True) -> pd.DataFrame:
    """All pairs of 20 codes; the model knows something, one baseline less, one nothing."""
    rng = np.random.default_rng(seed)
    a, b = np.triu_indices(20, k=1)
    truth = rng.normal(size=len(a))
    label = (truth + rng.normal(size=len(a)) > 2.2).astype(int) * positives
    raw = truth + 0.3 * rng.normal(size=len(a))
    order = np.argsort(-raw)
    rank = np.empty(len(a), dtype=int)
    rank[order] = np.arange(1, len(a) + 1)
    return pd.DataFrame(
        {
            "cutoff": pd.Timestamp(cutoff),
            "code_a": [f"A{i:02d}B" for i in a],
            "code_b": [f"A{i:02d}B" for i in b],
            "label": pd.array(label, dtype="Int8"),
            "score_raw": raw,
            "probability": 1 / (1 + np.exp(2.5 - raw)),
            "probability_low": 1 / (1 + np.exp(3.5 - raw)),
            "probability_high": 1 / (1 + np.exp(1.5 - raw)),
            "rank": rank,
            "baseline__katz": truth + 2 * rng.normal(size=len(a)),
            "baseline__pmi": rng.normal(size=len(a)),
        }
    )


def test_one_cutoff_measures_the_model_and_every_baseline_within_intervals() -> None:
    table = predictions(1, "2012-12-31")
    found = assess(table, coverage=0.75, repeats=50, seed=1)
    assert set(found.metrics["model"]) == {"model", "katz", "pmi"}
    assert found.origin["candidates"] == 190
    assert found.origin["positives"] == table["label"].sum()
    assert found.origin["prevalence"] == pytest.approx(table["label"].mean())
    labels = table["label"].to_numpy(dtype=int)
    low, high = (table[f"probability_{bound}"].to_numpy() for bound in ("low", "high"))
    held, groups = coverage_of(table["probability"].to_numpy(), labels, low, high)
    assert found.origin["intervals"] == {"held": held, "groups": groups}
    bare = table.assign(probability_low=np.nan, probability_high=np.nan)
    assert assess(bare, coverage=0.75, repeats=50, seed=1).origin["intervals"] is None
    assert found.origin["expected_prevalence"] == pytest.approx(table["probability"].mean())
    assert (found.origin["codes"], found.origin["coverage"], found.origin["cutoff"]) == (20, 0.75, "2012-12-31")
    rows = found.metrics.set_index(["model", "metric"]).sort_index()
    for model, column in (("model", "score_raw"), ("katz", "baseline__katz"), ("pmi", "baseline__pmi")):
        row = rows.loc[[(model, "average_precision")]].iloc[0]
        assert row["value"] == pytest.approx(average_precision_score(table["label"].astype(int), table[column]))
    assert "brier" in rows.loc["model"].index
    assert "brier" not in rows.loc["katz"].index  # only the model states probabilities
    assert found.reliability["cutoff"].unique().tolist() == ["2012-12-31"]


def test_the_record_is_json_with_every_cutoff_and_their_mean() -> None:
    found = [assess(predictions(seed, day), 0.5, 20, 1) for seed, day in ((1, "2011-12-31"), (2, "2012-12-31"))]
    record = json.loads(json.dumps(metrics_record(found, {"track": "new", "horizon": 3}), allow_nan=False))
    assert record["track"] == "new"
    assert record["horizon"] == 3
    assert [origin["cutoff"] for origin in record["origins"]] == ["2011-12-31", "2012-12-31"]
    rows = pd.DataFrame(record["metrics"])
    assert list(rows) == ["model", "cutoff", "metric", "k", "value", "low", "high", "ahead_low", "ahead_high"]
    chosen = rows[(rows["model"] == "model") & (rows["metric"] == "average_precision")].set_index("cutoff")
    assert chosen.loc["mean", "value"] == pytest.approx(chosen["value"].drop("mean").mean())
    assert chosen.loc["mean", "low"] < chosen.loc["mean", "value"] < chosen.loc["mean", "high"]
    assert record["reliability"]
    baseline = rows[(rows["model"] == "katz") & (rows["metric"] == "average_precision")]
    assert (baseline["ahead_low"] < baseline["ahead_high"]).all()
    assert chosen["ahead_low"].isna().all()


def test_a_cutoff_without_a_positive_is_recorded_with_nulls() -> None:
    found = assess(predictions(1, "2012-12-31", positives=False), None, 20, 1)
    record = json.loads(json.dumps(metrics_record([found], {}), allow_nan=False))
    assert record["origins"][0]["coverage"] is None
    values = {row["value"] for row in record["metrics"] if row["metric"] == "average_precision"}
    assert values == {None}


def test_no_cutoff_gives_an_empty_record() -> None:
    assert metrics_record([], {"track": "new", "horizon": 3}) == {
        "track": "new", "horizon": 3, "origins": [], "metrics": [], "reliability": []
    }  # fmt: skip


def test_the_same_seed_gives_the_same_intervals() -> None:
    one, two = (assess(predictions(1, "2012-12-31"), 0.5, 20, 7).metrics for _ in range(2))
    pd.testing.assert_frame_equal(one, two, check_exact=True)
