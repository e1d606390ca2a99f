"""Validation by hindsight, whole: a past day's opportunities scored, and compared with what was filed after it."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field
from threadpoolctl import threadpool_limits

from pipeline import __version__
from pipeline.artifacts import atomic_directory, locked, write_json, write_table
from pipeline.corpus.store import load_corpus, load_manifest
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.errors import NotEnoughDataError
from pipeline.evaluation.realised import realised
from pipeline.forecast import forecast_at
from pipeline.judge.hindsight import Validation, validate_judge
from pipeline.opportunities.topic_pairs import TopicStage, blind_view, topic_opportunities
from pipeline.opportunities_config import OpportunitiesConfig
from pipeline.parts import Progress, attach_text, cache_folder, check_dates
from pipeline.run_config import RunConfig
from pipeline.run_opportunities import passages

RECORD = "validation.json"
_TABLES = ("hindsight", "scores", "topics", "topic_opportunities")
_OF_ARM = ("verdicts", "judged", "reliability", "evidence")


class ValidateRequest(BaseModel):
    """What is asked. ``sample``: opportunities drawn for a judge; without a judge all are compared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    corpus: Path
    cutoff: datetime.date
    run: RunConfig
    config: OpportunitiesConfig
    sample: int = Field(100, ge=2)
    knowledge: Path | None = None


def validate_by_hindsight(request: ValidateRequest, out: Path, progress: Progress) -> list[str]:
    """Forecast and refine at the cutoff for no firm in particular, judge, look up what came, write ``out``.

    Returns the comparison as lines to show. The forecast, topics and retrieval see the history alone.

    Raises:
        CutoffError: the window is not over. NotEnoughDataError: also when nothing scored was filed on later.
        KnowledgeError, JudgeError, ConfigError.
    """
    task, cutoff = request.run.task, pd.Timestamp(request.cutoff).as_unit("s")
    corpus = load_corpus(request.corpus, task.entry_dates)
    check_dates(corpus, cutoff, corpus.cutoff.date(), task.horizon)
    stage, warnings = _frozen(corpus.as_of(cutoff), request, progress)
    later, _ = attach_text(corpus.as_of(years_before(cutoff, -task.horizon)), request.run, progress)
    scored = stage.opportunities.assign(filed=realised(later, stage.opportunities, stage.topics, cutoff, task))
    chosen = _drawn(scored, request)
    notes = (
        [f"{_count(chosen)}, drawn from {_count(scored)}: correlations and lifts are those of the sample"]
        if len(chosen) < len(scored)
        else []
    )
    progress(notes[0] if notes else _count(chosen))
    validation = validate_judge(
        chosen.drop(columns="filed"),
        stage.topics.table,
        chosen.set_index("opportunity_id")["filed"],
        passages(request.knowledge, request.corpus, cutoff, set(), request.config.judge),
        cutoff,
        request.config.judge,
        cache_folder() / "judge",
        seed=request.run.seed,
        progress=lambda arm, done, total: progress(f"{arm}: {done:,} of {total:,} questions"),
    )
    _write(request, stage, [*warnings, *notes], validation, out)
    return _lines(validation.measures)


def _frozen(history: Corpus, request: ValidateRequest, progress: Progress) -> tuple[TopicStage, list[str]]:
    """The topic stage as of the cutoff, and what its texts and its forecast lack."""
    task, config = request.run.task, request.config
    history, encoding = attach_text(history, request.run, progress)
    with threadpool_limits(1):
        forecast = forecast_at(history, request.run, progress, None)
        view = blind_view(forecast.predictions)
        stage = topic_opportunities(history, None, view, task, config.topics, request.run.seed)
    return stage, [*encoding["warnings"], *forecast.warnings]


def _drawn(scored: pd.DataFrame, request: ValidateRequest) -> pd.DataFrame:
    """All of them, or for a judge a sample: those filed on later, up to half of it, and others, each at random.

    At random, since the head of one score would favour that score. Filed on is one in fifty or fewer, so that a plain
    sample of a hundred may hold none, and thousands of answers would say nothing.
    """
    came = (scored["filed"] > 0).to_numpy()
    if not came.any():
        raise NotEnoughDataError(
            f"none of {len(scored):,} opportunities at {request.cutoff} was filed on within {request.run.task.horizon} "
            "years, so nothing can tell a good score from another: ask for more --top-pairs, or another --cutoff"
        )
    if not request.config.judge.judges or len(scored) <= request.sample:
        return scored
    random = np.random.default_rng(request.run.seed)
    wanted = min(int(came.sum()), request.sample // 2)
    wanted = max(wanted, request.sample - int((~came).sum()))
    drawn = [random.choice(np.flatnonzero(came), wanted, replace=False)]
    drawn += [random.choice(np.flatnonzero(~came), request.sample - wanted, replace=False)]
    return scored.iloc[np.sort(np.concatenate(drawn))].reset_index(drop=True)


def _count(opportunities: pd.DataFrame) -> str:
    return f"{len(opportunities):,} opportunities, {int((opportunities['filed'] > 0).sum()):,} of them filed on later"


def _write(request: ValidateRequest, stage: TopicStage, warnings: list[str], validation: Validation, out: Path) -> None:
    tables = {
        "hindsight": validation.measures,
        "scores": validation.scores,
        "topics": stage.topics.table,
        "topic_opportunities": stage.opportunities,
    }
    for arm, judgement in validation.judgements.items():
        tables |= {f"{name}_{arm}": getattr(judgement, name) for name in _OF_ARM}
    record: dict[str, Any] = {
        "techconverge": __version__,
        "corpus": {"path": str(request.corpus), "content_hash": load_manifest(request.corpus)["content_hash"]},
        "request": request.model_dump(mode="json"),
        **validation.record,
    }
    record["notes"] = list(dict.fromkeys([*warnings, *record["notes"], *stage.notes]))
    with locked(out), atomic_directory(out, RECORD, [f"{name}.parquet" for name in [*_TABLES, *tables]]) as folder:
        for name, table in tables.items():
            write_table(folder / f"{name}.parquet", table)
        write_json(folder / RECORD, record)


def _lines(table: pd.DataFrame) -> list[str]:
    """Each score's correlation and lifts, with 90 % intervals."""
    lines = []
    for row in table.dropna(subset="value").to_dict("records"):
        metric = row["metric"] if pd.isna(row["k"]) else f"{row['metric']} of the first {row['k']}"
        bounds = "" if pd.isna(row["low"]) else f" ({row['low']:.2f} to {row['high']:.2f})"
        lines.append(f"{row['score']}: {metric} {row['value']:.3f}{bounds}")
    return lines
