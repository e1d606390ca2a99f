"""What a run folder holds of a firm's topic opportunities, read once into tables."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.artifacts import read_json, read_table
from pipeline.corpus.names import normalise_party
from pipeline.errors import ArtifactError
from pipeline.report.tables import Run, load_run
from pipeline.schemas import (
    PAIR,
    Competitors,
    Opportunities,
    TopicNames,
    TopicOpportunities,
    TopicPatents,
    Topics,
    empty,
    validate,
)

TOPIC_OPPORTUNITIES = "topic_opportunities.parquet"
RECORD = "topics.json"
_PREFIX = "firm-"
OVERALL = "overall"  # a judge's mean over its criteria
PANEL = "panel"  # the mean over several judges
# columns that are read of the judge's tables: texts, numbers, others
_JUDGED = ["opportunity_id", "criterion", "judge", "evidence_ids"], ["mean", "spread", "n"], ["abstained"]
_VERDICTS = ["opportunity_id", "criterion", "judge", "outcome", "reason"], ["score"], ["repeat"]
_MATCHES = ["given", "assignee", "party_id"], ["patents", "likeness"], ["taken"]
_EVIDENCE = ["evidence_id", "source", "kind", "text"], ["page"], ["date"]


@dataclasses.dataclass(frozen=True)
class FirmRun:
    """A firm's folder and its run, in memory; tables that it lacks are empty.

    ``record`` and ``judge``: what the topic stage and the judge say of themselves (``topics.json``, ``judge.json``).
    ``names``: of topics; ``matches``: of the firm's names, with assignees. ``judged``: one judge's summary, the panel's
    where there are several. ``pairs``: the firm's whole list of pairs of codes.
    """

    run: Run
    record: dict[str, Any]
    judge: dict[str, Any]
    firm: dict[str, Any]
    topics: pd.DataFrame
    opportunities: pd.DataFrame
    pairs: pd.DataFrame
    names: pd.DataFrame
    matches: pd.DataFrame
    patents: pd.DataFrame
    competitors: pd.DataFrame
    judged: pd.DataFrame
    verdicts: pd.DataFrame
    evidence: pd.DataFrame


def firm_folder(run: Path, name: str) -> Path:
    """Where a firm's opportunities stand in a run folder."""
    slug = re.sub(r"[\W_]+", "-", name.casefold()).strip("-")[:60].strip("-")
    return run / f"{_PREFIX}{slug or 'unnamed'}"


def find_firm_folder(run: Path, firm: str | None) -> Path:
    """The folder of the firm named (by the name it was asked for), or of the only one.

    Raises:
        ArtifactError: there is none, or not that one, or several and none was named.
    """
    found = {folder: _record(folder / RECORD) for folder in sorted(run.glob(f"{_PREFIX}*")) if folder.is_dir()}
    names = {folder: str((record.get("firm") or {}).get("name", "")) for folder, record in found.items()}
    wanted = normalise_party(firm) if firm else None
    chosen = [
        folder
        for folder, record in found.items()
        if wanted in (None, normalise_party(names[folder]), (record.get("firm") or {}).get("party_id"))
    ]
    if len(chosen) == 1:
        return chosen[0]
    asked = f'"{firm}"' if firm else "NAME"
    if chosen:
        raise ArtifactError(
            f"{run} holds opportunities of several firms, name one by --firm: {'; '.join(names.values())}"
        )
    others = f" of {asked}, but of {'; '.join(names.values())}" if names else ""
    raise ArtifactError(
        f"{run} has no topic opportunities{others}: make them with `techconverge opportunities {run} --firm {asked}`"
    )


def load_firm_run(folder: Path) -> FirmRun:
    """Read a firm's folder, and the run that it lies in or was made from.

    Raises:
        ArtifactError: a table is missing or damaged.
    """
    record = _record(folder / RECORD)
    beside = folder.parent
    run = load_run(
        beside if (beside / "run.json").exists() else Path(str((record.get("run") or {}).get("path", beside)))
    )
    about = record.get("firm") or run.record.get("firm") or {}
    opportunities = _table(folder / TOPIC_OPPORTUNITIES, TopicOpportunities).sort_values("topic_rank")
    topics = _table(folder / "topics.parquet", Topics)
    missing = set(opportunities["firm_topic"]) | set(opportunities["target_topic"])
    missing -= set(topics["topic_id"])
    if missing:
        raise ArtifactError(
            f"{folder / 'topics.parquet'} lacks {min(missing)}, which an opportunity is made of: run "
            "`techconverge opportunities` again"
        )
    if opportunities.empty:
        raise ArtifactError(f"{folder / TOPIC_OPPORTUNITIES} holds no opportunity: there is nothing to report")
    return FirmRun(
        run=run,
        record=record,
        judge=_record(folder / "judge.json"),
        firm=about,
        topics=topics,
        opportunities=opportunities.reset_index(drop=True),
        pairs=_table(folder / "opportunities.parquet", Opportunities).sort_values("firm_rank"),
        names=_table(folder / "topic_names.parquet", TopicNames, optional=True),
        matches=_columns(folder / "firm_names.parquet", *_MATCHES),
        patents=_table(folder / "topic_patents.parquet", TopicPatents, optional=True),
        competitors=_table(folder / "competitors.parquet", Competitors, optional=True),
        judged=_one_judge(_columns(folder / "judged.parquet", *_JUDGED)),
        verdicts=_columns(folder / "verdicts.parquet", *_VERDICTS),
        evidence=_columns(folder / "evidence.parquet", *_EVIDENCE).drop_duplicates("evidence_id"),
    )


def known_pairs(run: FirmRun) -> pd.DataFrame:
    """The pairs of codes that the opportunities are made of (schema ``Opportunities``)."""
    return run.pairs.merge(run.opportunities[PAIR].drop_duplicates(), on=PAIR)


def _record(path: Path) -> dict[str, Any]:
    content = read_json(path) if path.exists() else {}
    if not isinstance(content, dict):
        raise ArtifactError(f"{path} is not the record of a stage: run `techconverge opportunities` again")
    return content


def _table(path: Path, schema: Any, optional: bool = False) -> pd.DataFrame:
    if optional and not path.exists():
        return empty(schema)
    return validate(read_table(path), schema, str(path))


def _columns(path: Path, texts: list[str], numbers: list[str], others: list[str]) -> pd.DataFrame:
    if path.exists():
        return read_table(path, [*texts, *numbers, *others])
    return pd.DataFrame({column: [] for column in [*texts, *numbers, *others]}).astype(
        dict.fromkeys(texts, "str") | dict.fromkeys(numbers, float)
    )


def _one_judge(judged: pd.DataFrame) -> pd.DataFrame:
    judges = sorted(judged["judge"].unique())
    chosen = PANEL if PANEL in judges else judges[0] if judges else ""
    return judged[judged["judge"] == chosen].reset_index(drop=True)
