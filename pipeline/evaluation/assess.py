"""How good a labelled ranking was, beside its baselines: the long tables of ``metrics.json``."""

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd

from pipeline.evaluation.bootstrap import node_bootstrap
from pipeline.evaluation.metrics import evaluate, reliability

MODEL = "model"
BASELINE = "baseline__"


@dataclasses.dataclass(frozen=True)
class Assessment:
    """One cutoff's metrics (model, cutoff, metric, k, value, low, high) and reliability (model, cutoff, bin ...)."""

    origin: dict[str, Any]
    metrics: pd.DataFrame
    reliability: pd.DataFrame


def assess(predictions: pd.DataFrame, coverage: float, repeats: int, seed: int) -> Assessment:
    """Measure one cutoff's labelled predictions; intervals are 90 %, by node-clustered bootstrap."""
    cutoff = f"{predictions['cutoff'].iloc[0]:%Y-%m-%d}"
    labels = predictions["label"].to_numpy(dtype=np.int8)
    codes, names = pd.factorize(pd.concat([predictions["code_a"], predictions["code_b"]]), sort=True)
    a, b = codes[: len(labels)], codes[len(labels) :]
    scores = {MODEL: predictions["score_raw"].to_numpy()}
    baselines = [str(column) for column in predictions if str(column).startswith(BASELINE)]
    scores |= {column.removeprefix(BASELINE): predictions[column].to_numpy() for column in baselines}
    probability = predictions["probability"].to_numpy()
    tables = [
        evaluate(labels, values, probability if model == MODEL else None, a, b).assign(model=model)
        for model, values in scores.items()
    ]
    bounds = node_bootstrap(labels, scores, a, b, len(names), repeats, seed)
    metrics = pd.concat(tables, ignore_index=True).merge(bounds, on=["model", "metric", "k"], how="left")
    origin = {
        "cutoff": cutoff,
        "candidates": len(labels),
        "positives": int(labels.sum()),
        "prevalence": float(labels.mean()),
        "expected_prevalence": float(probability.mean()),
        "codes": len(names),
        "coverage": coverage,
    }
    table = reliability(labels, probability).assign(model=MODEL, cutoff=cutoff)
    return Assessment(origin=origin, metrics=metrics.assign(cutoff=cutoff), reliability=table)


def metrics_record(assessments: list[Assessment], task: dict[str, Any]) -> dict[str, Any]:
    """The content of ``metrics.json``: every cutoff's rows and their mean over the cutoffs (without interval)."""
    record: dict[str, Any] = {"track": "new-link", **task}
    record["origins"] = [_plain(assessment.origin) for assessment in assessments]
    columns = ["model", "cutoff", "metric", "k", "value", "low", "high"]
    if not assessments:
        return record | {"metrics": [], "reliability": []}
    rows = pd.concat([assessment.metrics for assessment in assessments], ignore_index=True)
    key = ["model", "metric", "k"]
    mean = rows.groupby(key, sort=False, dropna=False)["value"].mean().reset_index().assign(cutoff="mean")
    everything = pd.concat([rows, mean], ignore_index=True)[columns]
    record["metrics"] = [_plain(row) for row in everything.to_dict("records")]
    bins = pd.concat([assessment.reliability for assessment in assessments], ignore_index=True)
    record["reliability"] = [_plain(row) for row in bins.to_dict("records")]
    return record


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    """JSON values: an undefined number is null."""
    return {str(key): _plain_value(value) for key, value in row.items()}


def _plain_value(value: Any) -> Any:
    if value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value
