"""What the verdicts come to: scores with their spread, where the judge abstains, and how reliable it was."""

import collections
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from pipeline.judge.agreement import between_repeats, close_pairs, intraclass, krippendorff_alpha, position_effect
from pipeline.judge.rubric import OVERALL, Rubric
from pipeline.schemas import Judged, Reliability, empty, validate

PANEL = "panel"
UNDECIDED = 0.4  # of the scale: a mean whose interval is wider, or on which judges are further apart, decides nothing
LEVEL = 0.9
_KEY = ["opportunity_id", "criterion", "judge"]


def judged(verdicts: pd.DataFrame, rubric: Rubric) -> pd.DataFrame:
    """One row an opportunity, criterion and judge, in the order of the verdicts (schema ``Judged``).

    A judge abstains where fewer than half of its repeats gave a score, or the interval of their mean is wider than
    ``UNDECIDED`` of the scale; a panel where all judges do, or their means lie further apart than that.
    """
    if verdicts.empty:
        return empty(Judged)
    rows = [
        _summed(key, group, rubric)
        for key, group in with_overall(verdicts, rubric).groupby(_KEY, sort=False, observed=True)
    ]
    table = pd.DataFrame(rows)
    if table["judge"].nunique() > 1:
        panel = [
            _panelled(key, group, rubric)
            for key, group in table.groupby(["opportunity_id", "criterion"], sort=False, observed=True)
        ]
        table = pd.concat([table, pd.DataFrame(panel)], ignore_index=True)
    return validate(table, Judged, "judged")


def with_overall(verdicts: pd.DataFrame, rubric: Rubric) -> pd.DataFrame:
    """The verdicts and, where there are several criteria, one more a repeat: the mean score over them.

    It needs scores for half of the criteria or more.
    """
    long = verdicts.astype({"score": "float64"})
    if not rubric.criteria:
        return long
    groups = long.groupby(["opportunity_id", "judge", "repeat"], sort=False, observed=True)
    overall = groups.agg(
        order=("order", "first"),
        score=("score", "mean"),
        scored=("score", "count"),
        evidence_ids=("evidence_ids", ";".join),
    ).reset_index()
    few = overall["scored"] * 2 < len(rubric.criteria)
    overall["score"] = overall["score"].mask(few)
    return pd.concat([long, overall.drop(columns="scored").assign(criterion=OVERALL)], ignore_index=True)


def reliability(verdicts: pd.DataFrame, rubric: Rubric) -> pd.DataFrame:
    """Every measure of agreement for each judge and criterion, and among several judges (schema ``Reliability``)."""
    if verdicts.empty:
        return empty(Reliability)
    low, high = rubric.scale
    rows: list[dict[str, object]] = []
    long = with_overall(verdicts, rubric)
    for (judge, criterion), group in long.groupby(["judge", "criterion"], sort=False, observed=True):
        scores = _matrix(group, "repeat", "score")
        orders = group.groupby("repeat")["order"].first().tolist()
        measures = {**_coefficients(scores), **between_repeats(scores, orders, (low + high) / 2)}
        if group["position"].notna().any():
            measures["position_effect"] = position_effect(scores, _matrix(group, "repeat", "position"))
        rows += _measured(judge, criterion, measures, scores)
    if long["judge"].nunique() > 1:
        means = long.groupby(_KEY, sort=False, observed=True)["score"].mean().reset_index()
        for criterion, group in means.groupby("criterion", sort=False, observed=True):
            scores = _matrix(group, "judge", "score")
            rows += _measured(PANEL, criterion, _coefficients(scores), scores)
    return validate(pd.DataFrame(rows), Reliability, "reliability")


def scores_of(table: pd.DataFrame) -> pd.Series:
    """The overall mean of each opportunity: of the panel where there is one, else of the judge."""
    overall = table[table["criterion"] == OVERALL]
    judge = PANEL if (overall["judge"] == PANEL).any() else overall["judge"].iloc[0]
    return overall[overall["judge"] == judge].set_index("opportunity_id")["mean"]


def _matrix(group: pd.DataFrame, columns: str, values: str) -> np.ndarray:
    """Opportunities x repeats (or judges), NaN where there is nothing."""
    return group.set_index(["opportunity_id", columns])[values].astype("float64").unstack().to_numpy()  # noqa: PD010


def _summed(key: Any, group: pd.DataFrame, rubric: Rubric) -> dict[str, object]:
    least, most = rubric.scale
    scores = group["score"].dropna().to_numpy()
    n = len(scores)
    mean = scores.mean() if n else np.nan
    spread = scores.std(ddof=1) if n > 1 else np.nan
    half = student.ppf((1 + LEVEL) / 2, n - 1) * spread / np.sqrt(n) if n > 1 else np.nan
    wide = n > 1 and 2 * half > UNDECIDED * (most - least)
    return {
        **dict(zip(_KEY, key, strict=True)),
        "mean": mean,
        "low": np.clip(mean - half, least, most),
        "high": np.clip(mean + half, least, most),
        "spread": spread,
        "n": n,
        "asked": len(group),
        "agreement": close_pairs(scores, 1),
        "abstained": bool(2 * n < len(group) or wide),
        "evidence_ids": _commonest_first(group["evidence_ids"]),
    }


def _panelled(key: Any, group: pd.DataFrame, rubric: Rubric) -> dict[str, object]:
    least, most = rubric.scale
    means = group["mean"].dropna()
    split = len(means) > 1 and means.max() - means.min() > UNDECIDED * (most - least)
    return {
        **dict(zip(_KEY, (*key, PANEL), strict=True)),
        "mean": means.mean(),
        "low": group["low"].mean(),
        "high": group["high"].mean(),
        "spread": means.std(),
        "n": len(means),
        "asked": len(group),
        "agreement": close_pairs(means.to_numpy(), 1),
        "abstained": bool(group["abstained"].all() or split),
        "evidence_ids": _commonest_first(group["evidence_ids"]),
    }


def _coefficients(scores: np.ndarray) -> dict[str, float]:
    single, of_mean = intraclass(scores)
    return {
        "alpha_ordinal": krippendorff_alpha(scores, "ordinal"),
        "alpha_interval": krippendorff_alpha(scores, "interval"),
        "icc_single": single,
        "icc_mean": of_mean,
    }


def _measured(judge: Any, criterion: Any, measures: dict[str, float], scores: np.ndarray) -> list[dict[str, object]]:
    units = int((~np.isnan(scores)).any(axis=1).sum())
    return [
        {"judge": judge, "criterion": criterion, "measure": name, "value": value, "units": units}
        for name, value in measures.items()
    ]


def _commonest_first(joined: Iterable[str]) -> str:
    counts = collections.Counter(name for ids in joined for name in ids.split(";") if name)
    return ";".join(sorted(counts, key=lambda name: (-counts[name], name)))
