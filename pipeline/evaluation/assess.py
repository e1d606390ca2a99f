"""How good a labelled ranking was, beside its baselines: the long tables of ``metrics.json``."""

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd

from pipeline.evaluation.bootstrap import difference_intervals, intervals, node_replicates
from pipeline.evaluation.metrics import evaluate, reliability
from pipeline.ranking.calibration import coverage_of

MODEL = "model"
BASELINE = "baseline__"


@dataclasses.dataclass(frozen=True)
class Assessment:
    """One cutoff's metrics (model, cutoff, metric, k, value), its bootstrap replicates (model, metric, k, repeat,
    value) and reliability (model, cutoff, bin ...)."""

    origin: dict[str, Any]
    metrics: pd.DataFrame
    replicates: pd.DataFrame
    reliability: pd.DataFrame


def assess(predictions: pd.DataFrame, coverage: float | None, repeats: int, seed: int) -> Assessment:
    """Measure one cutoff's labelled predictions."""
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
    metrics = pd.concat(tables, ignore_index=True).assign(cutoff=cutoff)
    replicates = node_replicates(labels, scores, a, b, len(names), repeats, seed)
    origin = {
        "cutoff": cutoff,
        "candidates": len(labels),
        "positives": int(labels.sum()),
        "prevalence": float(labels.mean()),
        "expected_prevalence": float(probability.mean()),
        "codes": len(names),
        "coverage": coverage,
        "intervals": _intervals(predictions, labels),
    }
    table = reliability(labels, probability).assign(model=MODEL, cutoff=cutoff)
    return Assessment(origin=origin, metrics=metrics, replicates=replicates, reliability=table)


def _intervals(predictions: pd.DataFrame, labels: np.ndarray) -> dict[str, int] | None:
    """How many groups of like probability had the share that their interval promised, of how many; None without."""
    low, high = (predictions[f"probability_{bound}"].to_numpy() for bound in ("low", "high"))
    if np.isnan(low).any():
        return None
    held, groups = coverage_of(predictions["probability"].to_numpy(), labels, low, high)
    return {"held": held, "groups": groups}


def metrics_record(assessments: list[Assessment], task: dict[str, Any]) -> dict[str, Any]:
    """The content of ``metrics.json``: every cutoff's rows and their mean over the cutoffs.

    ``task``: what was forecast, the track and its outcome among it; one record is of one track.
    Where a metric is resampled, ``low`` and ``high`` bound it with 90 %, and a baseline's ``ahead_low`` and
    ``ahead_high`` the model's lead over it on the same resamples.
    """
    record = task | {"origins": [_plain(assessment.origin) for assessment in assessments]}
    columns = ["model", "cutoff", "metric", "k", "value", "low", "high", "ahead_low", "ahead_high"]
    if not assessments:
        return record | {"metrics": [], "reliability": []}
    parts = [(assessment.metrics, assessment.replicates) for assessment in assessments]
    parts.append((_mean([part[0] for part in parts], _KEY).assign(cutoff="mean"), _mean([p[1] for p in parts], _DRAW)))
    rows = pd.concat([_bounded(metrics, replicates) for metrics, replicates in parts], ignore_index=True)[columns]
    record["metrics"] = [_plain(row) for row in rows.to_dict("records")]
    bins = pd.concat([assessment.reliability for assessment in assessments], ignore_index=True)
    record["reliability"] = [_plain(row) for row in bins.to_dict("records")]
    return record


_KEY = ["model", "metric", "k"]
_DRAW = [*_KEY, "repeat"]


def _mean(tables: list[pd.DataFrame], key: list[str]) -> pd.DataFrame:
    """Mean values over the cutoffs; each cutoff's resamples are drawn anew, so any may be paired with any."""
    return pd.concat(tables).groupby(key, sort=False, dropna=False)["value"].mean().reset_index()


def _bounded(metrics: pd.DataFrame, replicates: pd.DataFrame) -> pd.DataFrame:
    ahead = difference_intervals(replicates, MODEL)
    table = metrics.merge(intervals(replicates), on=_KEY, how="left").merge(ahead, on=_KEY, how="left")
    return table.rename(columns={"difference_low": "ahead_low", "difference_high": "ahead_high"})


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    """JSON values: an undefined number is null."""
    return {str(key): _plain_value(value) for key, value in row.items()}


def _plain_value(value: Any) -> Any:
    if value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value
