"""A watch: the forecast of the grown corpus, what it changes against the last one, and the digest of it."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import schemas
from pipeline.artifacts import locked, read_json, read_record
from pipeline.corpus.names import normalise_party
from pipeline.corpus.store import load_corpus
from pipeline.corpus.timeline import Corpus, months_before
from pipeline.errors import ArtifactError, TechconvergeError
from pipeline.parts import attach_text
from pipeline.report.firm.tables import RECORD as TOPICS_RECORD
from pipeline.run import run
from pipeline.run_config import RunConfig
from pipeline.run_opportunities import OpportunitiesRequest, find_opportunities
from pipeline.watch import folder as watch_folder
from pipeline.watch.digest import Digest, write_digest
from pipeline.watch.drift import drift
from pipeline.watch.forecasts import Forecast, check_same, read_forecast, task_of
from pipeline.watch.meetings import meetings
from pipeline.watch.pair_changes import pair_changes
from pipeline.watch.plan import Plan, WatchRequest, plan_watch
from pipeline.watch.topic_changes import read_topics, topic_changes, topics_folder
from pipeline.watch.track_record import all_records, track_record

Progress = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Watched:
    """What a watch did: in a line, and whether there was anything to do."""

    said: str
    changed: bool


def watch(request: WatchRequest, out: Path, progress: Progress) -> Watched:
    """Make the forecast that is due and write what changed into ``out``.

    Where nothing is due, nothing is written; what is left of a watch that was killed in its tidying is removed. A watch
    that was stopped goes on where it was.

    Raises:
        ConfigError: the last run in ``out`` is of another firm or task.
        Others as ``pipeline.run.run`` and ``plan_watch``: one line each.
    """
    with locked(out):
        plan = plan_watch(request, out)
        if isinstance(plan, str):
            tidy(out)
            return Watched(plan, changed=False)
        check_plan(plan)
        if not plan.made:
            clear(plan)
            run(plan.request, plan.run, progress)
        return Watched(finish(plan, out, progress), changed=True)


def check_plan(plan: Plan) -> None:
    """Refuse, before anything is computed, a firm or a task that is not the last run's."""
    if plan.before is not None:
        name = plan.request.firm
        firm = {"name": name, "party_id": normalise_party(name)} if name else None
        check_same(read_record(plan.before), {"firm": firm, "config": plan.request.config.model_dump(mode="json")})


def clear(plan: Plan) -> None:
    """Remove a run of that day which is not the one that is due: it was never entered into the record."""
    shutil.rmtree(plan.run, ignore_errors=True)


def tidy(out: Path) -> None:
    """Remove what the record does not name: the last watch may have been killed when it did so."""
    watch_folder.prune(out, watch_folder.read_watch(out))


def finish(plan: Plan, out: Path, progress: Progress) -> str:
    """All that follows the run: topics, changes, track record, drift, digest, record; then what is old is removed."""
    record = read_record(plan.run)
    before = read_record(plan.before) if plan.before else None
    settings = check_same(before, record) if before else []
    task, config = task_of(record), RunConfig.model_validate(record["config"])
    notes = (
        [f"settings other than at the last run: {', '.join(settings)}; places may have moved for that"]
        if settings
        else []
    )
    notes += refine(plan, record, progress)
    progress("comparing with the last run" if before else "the first run: nothing to compare with")
    corpus = load_corpus(plan.request.corpus, task.entry_dates).as_of(plan.cutoff)
    known = meetings(corpus, task)
    after = read_forecast(plan.run, known)
    past = watch_folder.read_past(out, plan.record)
    changes, since = schemas.empty(schemas.Changes), None
    if plan.before:
        earlier = read_forecast(plan.before, None)
        since = earlier.cutoff
        changes = pair_changes(earlier, after, past, known, task)
        topics = _topic_changes(plan, changes, corpus, earlier, config, progress)
        changes = pd.concat([changes, topics], ignore_index=True) if len(topics) else changes
    still_open = watch_folder.open_at(past, since or plan.cutoff)
    tables = {
        "changes": changes,
        "track_record": all_records(
            [track_record(forecast, known, task) for forecast in still_open], watch_folder.read_track_record(out)
        ),
        "drift": drift(corpus, since or months_before(plan.cutoff, 1), task.scheme, task.level),
    }
    progress("writing the digest")
    watch_folder.write_results(out, tables, after)
    digest = Digest(plan.run, record, since, plan.cutoff, after, corpus, tables, notes)
    said = write_digest(digest, out)
    entered = watch_folder.commit(out, plan.record, after, plan.content_hash)
    watch_folder.prune(out, entered)
    return said


def refine(plan: Plan, record: dict[str, Any], progress: Progress) -> list[str]:
    """Refine the run to topics as the last run was, and say why where that fails; no judge is asked again."""
    firm = (record.get("firm") or {}).get("name")
    last = topics_folder(plan.before, firm) if plan.before else None
    if last is None or topics_folder(plan.run, firm) is not None:
        return []
    try:
        asked = OpportunitiesRequest.model_validate(read_json(last / TOPICS_RECORD)["request"])
        config = asked.config.model_copy(update={"judge": asked.config.judge.model_copy(update={"judges": ()})})
        find_opportunities(asked.model_copy(update={"run": plan.run.absolute(), "config": config}), plan.run, progress)
    except (TechconvergeError, KeyError, ValueError) as error:
        return [f"the run was not refined to topics, as the last one was: {' '.join(str(error).split())[:300]}"]
    return []


def _topic_changes(
    plan: Plan, changes: pd.DataFrame, corpus: Corpus, earlier: Forecast, config: RunConfig, progress: Progress
) -> pd.DataFrame:
    firm = (read_record(plan.run).get("firm") or {}).get("name")
    assert plan.before is not None
    try:
        topics = [read_topics(run, firm) for run in (plan.before, plan.run)]
    except ArtifactError:
        topics = [None]
    if any(of is None for of in topics):
        return schemas.empty(schemas.Changes)
    before, after = (of for of in topics if of is not None)
    realised = changes[changes["kind"] == "realised"]
    with_text = attach_text(corpus, config, progress)[0] if len(realised) else corpus
    return topic_changes(before, after, realised, with_text, earlier.cutoff, config.task)
