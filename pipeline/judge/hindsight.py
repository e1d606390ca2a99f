"""Validation by hindsight: scores given at a cutoff, against what was filed after it (method C).

What was filed is, for each pair of topics, how many later patents combine both. Intervals are those of
``evaluation.bootstrap``: codes are resampled, since pairs share them, and all scores see the same resamples.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kendalltau, rankdata

from pipeline.errors import ConfigError
from pipeline.evaluation.bootstrap import difference_intervals, intervals, node_replicates
from pipeline.evaluation.metrics import Ranking, precision
from pipeline.judge.asks import asks
from pipeline.judge.budget import left_of
from pipeline.judge.config import JudgeConfig
from pipeline.judge.evidence import Retrieve, arms, gather
from pipeline.judge.panel import Judgement, Progress, judge_on
from pipeline.judge.rubric import load_rubric
from pipeline.judge.summary import scores_of
from pipeline.schemas import Hindsight, validate

COMPUTED = "computed"
PROBABILITY = "probability"
RANDOM = "random"
LISTS = (10, 20)  # lengths of the lists whose lift is told
_KEY = ["model", "metric", "k"]
_GIVEN = ("opportunity_id", "code_a", "code_b", "filed")
_CHANCE = "chance"  # ties everything: its precision is the share of pairs with a later patent


@dataclasses.dataclass(frozen=True)
class Validation:
    """``measures``: schema ``Hindsight``. ``scores``: a row an opportunity, with what was filed and every score.
    ``judgements``: of the judge and its controls, by arm; empty without a judge."""

    measures: pd.DataFrame
    scores: pd.DataFrame
    judgements: dict[str, Judgement]
    record: dict[str, Any]


def validate_judge(
    opportunities: pd.DataFrame,
    topics: pd.DataFrame,
    filed: pd.Series,
    retrieve: Retrieve,
    cutoff: pd.Timestamp,
    config: JudgeConfig,
    cache: Path,
    repeats: int = 500,
    seed: int = 7,
    progress: Callable[[str, int, int], None] | None = None,
) -> Validation:
    """Judge opportunities frozen at the cutoff, with and without their evidence, and compare with what was filed.

    ``filed``: later patents that combine both topics, by opportunity id. ``progress`` is told the arm, and how many
    questions are settled, of how many. Without judges the computed score and the probability alone are validated.

    Raises:
        ValueError: when an opportunity has no count of what was filed.
        JudgeError, ConfigError: as ``panel.judge_opportunities``; ConfigError also when the calls allowed are fewer
        than the questions of the judge and its controls.
    """
    scores = _computed(opportunities, filed, seed)
    judgements: dict[str, Judgement] = {}
    if config.judges:
        questions = load_rubric(config.preset, config.rubric).questions()
        evidence = gather(opportunities, topics, retrieve, config.evidence, cutoff, questions)
        shown_to = arms(evidence, seed)
        _check_affordable(opportunities, topics, shown_to, config)
        for arm, shown in shown_to.items():
            left = left_of(config, [each.record["spent"] for each in judgements.values()])
            judgements[arm] = judge_on(opportunities, topics, shown, left, cache, _of_arm(progress, arm))
            scores[arm] = scores["opportunity_id"].map(scores_of(judgements[arm].judged))
    names = [name for name in scores.columns if name not in _GIVEN]
    record = {
        "cutoff": f"{cutoff:%Y-%m-%d}",
        "repeats": repeats,
        "seed": seed,
        "pairs": len(scores),
        "filed": int((scores["filed"] > 0).sum()),
        "judged": {arm: judgement.record for arm, judgement in judgements.items()},
        "evidence_length": evidence_length_effect(judgements),
        "notes": []
        if config.judges
        else ["no model judged: the computed score and the probability alone are validated"],
    }
    return Validation(compare(scores, names, repeats=repeats, seed=seed), scores, judgements, record)


def compare(
    pairs: pd.DataFrame, scores: Sequence[str], lists: Sequence[int] = LISTS, repeats: int = 500, seed: int = 7
) -> pd.DataFrame:
    """How well each score orders what was filed (schema ``Hindsight``).

    ``pairs``: a row an opportunity with code_a, code_b, ``filed`` (later patents that combine both topics) and a column
    a score. Metrics: *kendall* (tau-b) and *spearman* with the count; *lift* of the first k: the share of them with a
    later patent over the share of all (ties take their expected value); *scored*: the share of pairs with a score.
    An opportunity that a score says nothing of stands last by that score. ``lead``: over the computed score.
    """
    table = {name: _filled(pairs[name].to_numpy(dtype=float)) for name in scores}
    filed = pairs["filed"].to_numpy(dtype=float)
    codes, names = pd.factorize(pd.concat([pairs["code_a"], pairs["code_b"]]))
    a, b = codes[: len(pairs)], codes[len(pairs) :]
    draws = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=repeats)
    counted = {**table, _CHANCE: np.zeros(len(pairs))}
    precisions = [("precision", k) for k in lists]
    again = node_replicates((filed > 0).astype(int), counted, a, b, len(names), repeats, seed, precisions)
    resampled = pd.concat([_correlations(table, filed, a, b, draws), _lifts(again)], ignore_index=True)
    once = _correlations(table, filed, a, b, np.ones((1, len(names)), dtype=int)).drop(columns="repeat")
    found = pd.concat([once, _lifts_as_is(table, filed, lists)], ignore_index=True)
    found = _with_lead(found.merge(intervals(resampled), on=_KEY, how="left"), resampled)
    shares = [{"model": name, "metric": "scored", "value": pairs[name].notna().mean()} for name in scores]
    found = pd.concat([found, pd.DataFrame(shares)], ignore_index=True).rename(columns={"model": "score"})
    found = found.assign(pairs=len(pairs), filed=int((filed > 0).sum())).astype({"k": "Int64"})
    order = {name: place for place, name in enumerate(scores)}
    found = found.sort_values("score", key=lambda column: column.map(order), kind="stable", ignore_index=True)
    return validate(found[list(Hindsight.to_schema().columns)], Hindsight, "hindsight")


def evidence_length_effect(judgements: Mapping[str, Judgement]) -> dict[str, float | None]:
    """Spearman of each arm's score with the characters of evidence it was shown.

    With an opportunity's own evidence this may have a good reason; with another's it is a liking for length.
    """
    effects: dict[str, float | None] = {}
    for arm, judgement in judgements.items():
        shown = judgement.evidence
        length = shown["text"].str.len().groupby(shown["opportunity_id"]).sum()
        both = pd.concat([scores_of(judgement.judged), length], axis=1, join="inner").dropna()
        apart = len(both) > 2 and both.nunique().min() > 1
        effects[arm] = round(_spearman(*both.to_numpy().T), 4) if apart else None
    return effects


def _computed(opportunities: pd.DataFrame, filed: pd.Series, seed: int) -> pd.DataFrame:
    """What there is to compare without a judge; the random score knows nothing but the seed."""
    counts = opportunities["opportunity_id"].map(filed)
    if counts.isna().any():
        lacking = opportunities["opportunity_id"][counts.isna()].iloc[0]
        raise ValueError(f"{counts.isna().sum()} opportunities have no count of what was filed, as {lacking}")
    table = opportunities[["opportunity_id", "code_a", "code_b"]].assign(filed=counts.astype("int64"))
    table[COMPUTED] = opportunities["score"]
    table[PROBABILITY] = opportunities["probability"]
    table[RANDOM] = np.random.default_rng(seed).random(len(table))
    return table


def _check_affordable(
    opportunities: pd.DataFrame, topics: pd.DataFrame, shown_to: Mapping[str, pd.DataFrame], config: JudgeConfig
) -> None:
    # a control that ran out half-way would be compared on other opportunities than the judge
    rubric = load_rubric(config.preset, config.rubric)
    questions = sum(len(asks(rubric, config, opportunities, topics, shown)) for shown in shown_to.values())
    if questions > config.max_calls:
        raise ConfigError(
            f"the judge and its controls have {questions:,} questions, and judge.max_calls is {config.max_calls:,}: "
            f"raise it in the configuration file, or take a smaller --sample than {len(opportunities)}"
        )


def _of_arm(progress: Callable[[str, int, int], None] | None, arm: str) -> Progress | None:
    return (lambda done, total: progress(arm, done, total)) if progress else None


def _filled(values: np.ndarray) -> np.ndarray:
    """Scores with those that are lacking below all others."""
    known = values[~np.isnan(values)]
    return np.nan_to_num(values, nan=(known.min() - 1) if len(known) else 0.0)


def _correlations(
    table: Mapping[str, np.ndarray], filed: np.ndarray, a: np.ndarray, b: np.ndarray, draws: np.ndarray
) -> pd.DataFrame:
    """Both correlations of every score on every resample: columns model, metric, k, repeat, value."""
    rows = []
    for repeat, times in enumerate(draws):
        drawn = np.repeat(np.arange(len(filed)), times[a] * times[b])
        later = filed[drawn]
        for name, values in table.items():
            again = values[drawn]
            rows.append((name, "kendall", repeat, _kendall(again, later)))
            rows.append((name, "spearman", repeat, _spearman(again, later)))
    frame = pd.DataFrame(rows, columns=["model", "metric", "repeat", "value"])
    return frame.assign(k=pd.array([pd.NA] * len(frame), dtype="Int64"))


def _kendall(x: np.ndarray, y: np.ndarray) -> float:
    if not _vary(x, y):
        return float("nan")
    if len(x) == 2:  # scipy's p-value, which is not wanted, divides by zero there
        return float(np.sign((x[1] - x[0]) * (y[1] - y[0])))
    return float(kendalltau(x, y, method="asymptotic").statistic)


def _spearman(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1]) if _vary(x, y) else float("nan")


def _vary(x: np.ndarray, y: np.ndarray) -> bool:
    return len(x) > 1 and np.ptp(x) > 0 and np.ptp(y) > 0


def _lifts_as_is(table: Mapping[str, np.ndarray], filed: np.ndarray, lists: Sequence[int]) -> pd.DataFrame:
    labels = (filed > 0).astype(float)
    share = labels.mean() or float("nan")
    rankings = {name: Ranking.of(labels, values) for name, values in table.items()}
    rows = [(name, "lift", k, precision(rankings[name], k) / share) for name in table for k in lists]
    return pd.DataFrame(rows, columns=[*_KEY, "value"]).astype({"k": "Int64"})


def _lifts(precisions: pd.DataFrame) -> pd.DataFrame:
    """Precision on each resample over the share of all pairs of that resample; none where that is 0."""
    chance = precisions[precisions["model"] == _CHANCE].set_index(["k", "repeat"])["value"].replace(0, np.nan)
    lifts = precisions[precisions["model"] != _CHANCE]
    of_chance = chance.reindex(pd.MultiIndex.from_frame(lifts[["k", "repeat"]])).to_numpy()
    return lifts.assign(metric="lift", value=lifts["value"].to_numpy() / of_chance)


def _with_lead(found: pd.DataFrame, resampled: pd.DataFrame) -> pd.DataFrame:
    """How far each score is ahead of the computed one, where that is among them."""
    if COMPUTED not in set(found["model"]):
        return found.assign(lead=np.nan, lead_low=np.nan, lead_high=np.nan)
    base = found[found["model"] == COMPUTED][["metric", "k", "value"]].rename(columns={"value": "base"})
    found = found.merge(base, on=["metric", "k"], how="left", validate="many_to_one")
    found = found.merge(difference_intervals(resampled, COMPUTED), on=_KEY, how="left", validate="one_to_one")
    # the intervals are of the computed score minus the other
    ahead = {
        "lead": found["value"] - found["base"],
        "lead_low": -found["difference_high"],
        "lead_high": -found["difference_low"],
    }
    own = found["model"] == COMPUTED
    return found.assign(**{name: values.mask(own) for name, values in ahead.items()})
