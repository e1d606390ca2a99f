"""Opportunities in, verdicts out: evidence retrieved, questions put, answers summed up and accounted for."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.judge.asks import asks
from pipeline.judge.config import JudgeConfig
from pipeline.judge.engine import Settled, Spent, put, question_of
from pipeline.judge.evidence import Retrieve, gather
from pipeline.judge.rubric import Rubric, load_rubric
from pipeline.judge.shares import put_by_shares
from pipeline.judge.store import AnswerStore
from pipeline.judge.summary import PANEL, judged, reliability
from pipeline.mapping import Mapper
from pipeline.schemas import OUTCOMES, Verdicts, empty, validate

Progress = Callable[[int, int], None]
TRANSCRIPT = "transcript.jsonl"


@dataclasses.dataclass(frozen=True)
class Judgement:
    """Tables by the schemas ``Verdicts``, ``Judged``, ``Reliability`` and ``ShownEvidence``, and the record of how."""

    verdicts: pd.DataFrame
    judged: pd.DataFrame
    reliability: pd.DataFrame
    evidence: pd.DataFrame
    record: dict[str, Any]


def judge_opportunities(
    opportunities: pd.DataFrame,
    topics: pd.DataFrame,
    retrieve: Retrieve,
    cutoff: pd.Timestamp,
    config: JudgeConfig,
    cache: Path,
    progress: Progress | None = None,
    transcript: Path | None = None,
    mapper: Mapper | None = None,
) -> Judgement:
    """Have the configured judges score topic opportunities, best first, on what ``retrieve`` finds for each criterion.

    ``cache``: the folder of answers; what it holds is not asked again, whatever run asked. ``transcript``: where to
    write all questions and answers as JSON lines. ``mapper``: is given the questions to put, a few at a time; without
    it all are put from here. Without judges the tables are empty, and the record says so.

    Raises:
        JudgeError: when a judge does not accept the key or the model, or another run uses the cache.
        ConfigError: when a judge or the rubric cannot be made.
    """
    questions = load_rubric(config.preset, config.rubric).questions() if config.judges else {}
    evidence = gather(opportunities, topics, retrieve, config.evidence, cutoff, questions)
    return judge_on(opportunities, topics, evidence, config, cache, progress, transcript, mapper)


def judge_on(
    opportunities: pd.DataFrame,
    topics: pd.DataFrame,
    evidence: pd.DataFrame,
    config: JudgeConfig,
    cache: Path,
    progress: Progress | None = None,
    transcript: Path | None = None,
    mapper: Mapper | None = None,
) -> Judgement:
    """``judge_opportunities`` on evidence that was retrieved before."""
    rubric = load_rubric(config.preset, config.rubric)
    store = AnswerStore(cache)
    questions = asks(rubric, config, opportunities, topics, evidence)
    settled: list[Settled] = []
    spent = None
    if questions and mapper:
        settled, spent = put_by_shares(questions, rubric, config, store, mapper, progress)
    elif questions:
        settled, spent = put(questions, rubric, config, store, progress)
    if transcript:
        store.transcript(transcript, [question_of(ask, rubric, config) for ask in questions])
    verdicts = _verdicts(settled, rubric, opportunities)
    measures = reliability(verdicts, rubric)
    return Judgement(
        verdicts,
        judged(verdicts, rubric),
        measures,
        evidence,
        _record(config, rubric, verdicts, measures, evidence, spent),
    )


def _verdicts(settled: list[Settled], rubric: Rubric, opportunities: pd.DataFrame) -> pd.DataFrame:
    """The settled questions as rows, by opportunity (best first), criterion, judge, repeat."""
    rows = [row for one in settled for row in _rows(one, rubric)]
    if not rows:
        return empty(Verdicts)
    table = pd.DataFrame(rows)
    rank = {name: place for place, name in enumerate(opportunities["opportunity_id"])}
    table = table.sort_values(
        ["opportunity_id", "criterion", "judge", "repeat"],
        key=lambda column: column.map(rank) if column.name == "opportunity_id" else column,
        kind="stable",
        ignore_index=True,
    )
    return validate(table, Verdicts, "verdicts")


def _rows(settled: Settled, rubric: Rubric) -> list[dict[str, Any]]:
    ask = settled.ask
    answers = {answer.opportunity_id: answer for answer in settled.answers}
    rows = []
    for position, opportunity_id in enumerate(ask.opportunities, start=1):
        answer = answers.get(opportunity_id)
        first = position == 1  # the tokens of a list are told once
        rows.append(
            {
                "opportunity_id": opportunity_id,
                "criterion": ask.criterion,
                "judge": ask.judge,
                "repeat": ask.repeat,
                "order": ask.order,
                "position": None if rubric.criteria else position,
                "score": answer.score if answer else None,
                "outcome": settled.outcome,
                "reason": answer.reason if answer else settled.reason,
                "scenarios": ";".join(answer.scenarios) if answer else "",
                "evidence_ids": ";".join(answer.evidence_ids) if answer else "",
                "tokens_in": settled.tokens_in if first else None,
                "tokens_out": settled.tokens_out if first else None,
                "rubric": rubric.version,
            }
        )
    return rows


def _record(
    config: JudgeConfig,
    rubric: Rubric,
    verdicts: pd.DataFrame,
    measures: pd.DataFrame,
    evidence: pd.DataFrame,
    spent: Spent | None,
) -> dict[str, Any]:
    """How it was judged, as JSON: who, by what rubric, at what cost, how reliably, and what to know of it."""
    alpha = measures.loc[(measures["measure"] == "alpha_ordinal") & (measures["judge"] != PANEL), "value"].mean()
    outcomes = verdicts["outcome"].value_counts()
    return {
        "judge": ", ".join(config.judges) or "none",
        "config": config.model_dump(mode="json"),
        "preset": rubric.preset,
        "rubric": rubric.version,
        "criteria": rubric.titles(),
        "scale": list(rubric.scale),
        "passages": len(evidence),
        "outcomes": {outcome: int(outcomes.get(outcome, 0)) for outcome in OUTCOMES},
        "calls": spent.calls_in_all if spent else 0,
        "tokens": spent.tokens_in + spent.tokens_out if spent else 0,
        "spent": dataclasses.asdict(spent) if spent else {},
        "alpha": None if pd.isna(alpha) else round(float(alpha), 4),
        "notes": _notes(config, verdicts, evidence, spent),
    }


def _notes(config: JudgeConfig, verdicts: pd.DataFrame, evidence: pd.DataFrame, spent: Spent | None) -> list[str]:
    if not config.judges:
        return ["no model judged: scores are computed only"]
    notes = ["a model has read patents and news later than the cutoff: its scores on the past may know the future"]
    if config.repeats < 2:
        notes.append("one repeat: nothing is known of how far the judge agrees with itself")
    lacking = verdicts.loc[verdicts["outcome"] != "ok", "outcome"].value_counts()
    if not lacking.empty:
        told = ", ".join(f"{outcome} {count}" for outcome, count in sorted(lacking.items()))
        notes.append(f"{lacking.sum()} of {len(verdicts)} verdicts have no score: {told}")
    if config.preset == "default":
        asked = verdicts[["opportunity_id", "criterion"]].drop_duplicates()
        shown = pd.MultiIndex.from_frame(evidence[["opportunity_id", "criterion"]])
        unsupported = int((~pd.MultiIndex.from_frame(asked).isin(shown)).sum())
        if unsupported:
            notes.append(f"{unsupported} of {len(asked)} criteria of an opportunity were judged without any passage")
    if spent and spent.calls_lost:
        notes.append(f"{spent.calls_lost} requests were in flight when a run was killed, and may have been paid twice")
    if spent and spent.tokens_charged > spent.tokens_in + spent.tokens_out:
        unknown = spent.tokens_charged - spent.tokens_in - spent.tokens_out
        notes.append(
            f"servers told no tokens for some requests: up to {unknown:,} tokens more were charged to the budget"
        )
    return notes
