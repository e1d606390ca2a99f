"""A run's pairs refined to one firm's topic-level opportunities, put into a folder of their own."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict
from threadpoolctl import threadpool_limits

from pipeline import __version__
from pipeline.artifacts import atomic_directory, read_record, read_table, sha256_file, write_json, write_table
from pipeline.corpus.store import load_corpus
from pipeline.corpus.timeline import Corpus
from pipeline.errors import ArtifactError
from pipeline.opportunities.domain import load_domain
from pipeline.opportunities.firm import firm_view
from pipeline.opportunities.firm_names import match_firm, read_firm
from pipeline.opportunities.topic_pairs import TopicConfig, TopicStage, topic_opportunities
from pipeline.parts import Progress, attach_text
from pipeline.run import load_request
from pipeline.schemas import Predictions, validate

RECORD = "opportunities.json"
_TABLES = ("opportunities", "topics", "topic_patents", "topic_opportunities", "firm_names")


class OpportunitiesRequest(BaseModel):
    """What is asked: a run folder, a firm (its name, or a firm file), and perhaps a domain file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: Path
    firm: str
    domain: Path | None = None
    topics: TopicConfig = TopicConfig()


def firm_folder(run: Path, name: str) -> Path:
    """Where a firm's opportunities stand in a run folder."""
    slug = re.sub(r"[\W_]+", "-", name.casefold()).strip("-")[:60].strip("-")
    return run / f"firm-{slug or 'unnamed'}"


def find_opportunities(request: OpportunitiesRequest, out: Path, progress: Progress) -> Path:
    """Compute a firm's topic-level opportunities and write them below ``out``; return their folder.

    Raises:
        ArtifactError, CorpusError, ConfigError, FirmError, NotEnoughDataError: one line each.
    """
    asked = load_request(request.run)
    firm_file = read_firm(request.firm)
    domain = load_domain(request.domain) if request.domain else None
    config, cutoff = asked.config, pd.Timestamp(max(asked.cutoffs)).as_unit("s")
    history = load_corpus(asked.corpus, config.task.entry_dates).as_of(cutoff)
    matched = match_firm(history, firm_file)
    history, encoding = attach_text(matched.corpus, config, progress)
    with threadpool_limits(1):  # sums in one order: the same bytes whatever the number of cores
        progress(f"{matched.firm.name}: {matched.firm.patents:,} patents")
        incidence = history.incidence(config.task.scheme, config.task.level)
        view = firm_view(history, matched.firm, incidence, _predictions(request.run, cutoff))
        progress(f"topics of the head of {len(view):,} pairs")
        stage = topic_opportunities(history, matched.firm, view, config.task, request.topics, config.seed, domain)
    progress(f"{len(stage.opportunities):,} topic-level opportunities of {len(stage.topics.table):,} topics")
    tables = {
        "opportunities": view,
        "topics": stage.topics.table,
        "topic_patents": topic_patents(history, stage),
        "topic_opportunities": stage.opportunities,
        "firm_names": matched.review,
    }
    record = {
        "techconverge": __version__,
        "firm": {"name": matched.firm.name, "names": firm_file.names, "patents": matched.firm.patents},
        "run": {
            "path": request.run.name,
            "sha256": sha256_file(request.run / "run.json"),
            "cutoff": f"{cutoff:%Y-%m-%d}",
        },
        "request": request.model_dump(mode="json"),
        "domain": domain.model_dump(mode="json") if domain else None,
        "encoder": encoding["encoder"],
        "notes": [*encoding["warnings"], *stage.notes],
    }
    return _write(tables, record, firm_folder(out, matched.firm.name))


def topic_patents(history: Corpus, stage: TopicStage) -> pd.DataFrame:
    """Which patents make each topic: topic_id, patent_id."""
    ids = history.patents["patent_id"]
    parts = [
        pd.DataFrame({"topic_id": topic, "patent_id": ids.iloc[rows].to_numpy()})
        for topic, rows in zip(stage.topics.table["topic_id"], stage.topics.rows, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def _predictions(run: Path, cutoff: pd.Timestamp) -> pd.DataFrame:
    path = run / "predictions.parquet"
    if sha256_file(path) != read_record(run)["outputs"].get(path.name):
        raise ArtifactError(f"{path} is not what the run's record says: make the run again")
    predictions = validate(read_table(path), Predictions, str(path))
    return predictions[predictions["cutoff"] == cutoff].reset_index(drop=True)


def _write(tables: dict[str, pd.DataFrame], record: dict[str, Any], folder: Path) -> Path:
    metadata = {"known_until": record["cutoff"]}
    with atomic_directory(folder, RECORD, [f"{name}.parquet" for name in _TABLES]) as temporary:
        for name, table in tables.items():
            write_table(temporary / f"{name}.parquet", table, metadata)
        hashes = {f"{name}.parquet": sha256_file(temporary / f"{name}.parquet") for name in tables}
        write_json(temporary / RECORD, record | {"outputs": hashes})
    return folder
