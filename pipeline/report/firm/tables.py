"""What a run folder holds of a firm's topic opportunities, read once into tables."""

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.artifacts import read_json, read_table
from pipeline.corpus.names import normalise_party
from pipeline.errors import ArtifactError, FirmError
from pipeline.report.tables import Run, load_run
from pipeline.schemas import PAIR, Competitors, Opportunities, TopicOpportunities, TopicPatents, Topics, empty, validate

TOPIC_OPPORTUNITIES = "topic_opportunities.parquet"
OVERALL = "overall"  # a judge's mean over its criteria
PANEL = "panel"  # the mean over several judges
# columns that are read of the judge's tables: texts, numbers, others
_JUDGED = ["opportunity_id", "criterion", "judge", "evidence_ids"], ["mean", "spread", "n"], ["abstained"]
_VERDICTS = ["opportunity_id", "criterion", "judge", "outcome", "reason"], ["score"], ["repeat"]
_EVIDENCE = ["evidence_id", "source", "kind", "text"], ["page"], ["date"]


@dataclasses.dataclass(frozen=True)
class FirmRun:
    """A run folder with topic opportunities, in memory; tables that it lacks are empty.

    ``record`` and ``judge``: what the topic stage and the judge say of themselves (``topics.json``, ``judge.json``).
    ``judged``: one judge's summary, the panel's where there are several. ``pairs``: the firm's whole list of pairs of
    codes.
    """

    run: Run
    record: dict[str, Any]
    judge: dict[str, Any]
    firm: dict[str, Any]
    topics: pd.DataFrame
    opportunities: pd.DataFrame
    pairs: pd.DataFrame
    patents: pd.DataFrame
    competitors: pd.DataFrame
    judged: pd.DataFrame
    verdicts: pd.DataFrame
    evidence: pd.DataFrame


def load_firm_run(folder: Path, firm: str | None = None) -> FirmRun:
    """Read a run folder whose pairs were refined to topics.

    Raises:
        ArtifactError: a table is missing or damaged.
        FirmError: the folder is another firm's than the one named.
    """
    run = load_run(folder)
    if not (folder / TOPIC_OPPORTUNITIES).exists():
        named = f'"{firm}"' if firm else "NAME"
        raise ArtifactError(
            f"{folder} has no topic opportunities: make them with `techconverge opportunities {folder} --firm {named}`"
        )
    record = _record(folder / "topics.json")
    about = record.get("firm") or run.record.get("firm") or {}
    if firm and normalise_party(firm) not in (normalise_party(str(about.get("name", ""))), about.get("party_id")):
        raise FirmError(
            f"{folder} holds the opportunities of {about.get('name')!r}, not of {firm!r}: make those "
            f'with `techconverge opportunities {folder} --firm "{firm}"`'
        )
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
