"""A run's pairs refined to one firm's topic-level opportunities and judged, put into a folder of their own."""

from collections.abc import Set
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, field_validator
from threadpoolctl import threadpool_limits

from pipeline import __version__
from pipeline.artifacts import (
    atomic_directory,
    locked,
    read_json,
    read_record,
    read_table,
    sha256_file,
    sha256_files,
    sha256_json,
    unchanged,
    write_json,
    write_table,
)
from pipeline.corpus.store import load_corpus
from pipeline.corpus.timeline import Corpus
from pipeline.errors import ArtifactError, KnowledgeError
from pipeline.judge.config import JudgeConfig
from pipeline.judge.evidence import Retrieve
from pipeline.judge.naming import Naming, name_topics, renamed
from pipeline.judge.panel import TRANSCRIPT, Judgement, judge_opportunities
from pipeline.judge.rubric import load_naming, load_rubric
from pipeline.knowledge.retrieve import open_base, retrieve
from pipeline.knowledge.store import load_manifest
from pipeline.mapping import Mapper
from pipeline.opportunities.competitors import competitors
from pipeline.opportunities.domain import Domain, load_domain
from pipeline.opportunities.firm import firm_view
from pipeline.opportunities.firm_names import FirmFile, MatchedFirm, match_firm, read_firm
from pipeline.opportunities.indicators import growth_years
from pipeline.opportunities.topic_pairs import TopicStage, topic_opportunities
from pipeline.opportunities.topic_patents import topic_patents
from pipeline.opportunities_config import OpportunitiesConfig
from pipeline.parts import Progress, attach_text, cache_folder, code_hash
from pipeline.report.firm.render import FORMATS, NAME
from pipeline.report.firm.tables import RECORD, firm_folder
from pipeline.resume import FINISHED
from pipeline.run import load_request
from pipeline.run_request import RunRequest
from pipeline.schemas import Evidence, Predictions, empty, validate

JUDGE_RECORD = "judge.json"
_TABLES = (
    *("opportunities", "topics", "topic_members", "topic_patents", "topic_opportunities", "competitors", "firm_names"),
    *("evidence", "verdicts", "judged", "reliability"),
)
_NAMES = "topic_names"  # there only where a model was asked
_REPORTS = tuple(f"{NAME}.{name}" for name in FORMATS)


class OpportunitiesRequest(BaseModel):
    """What is asked: a run folder, a firm (its name, or a firm file), a domain file, a knowledge base.

    ``knowledge``: the base that evidence for a judge is found in; by default ``knowledge`` beside the corpus.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: Path
    firm: str
    domain: Path | None = None
    knowledge: Path | None = None
    config: OpportunitiesConfig = OpportunitiesConfig()

    @field_validator("run", "knowledge")
    @classmethod
    def _from_anywhere(cls, path: Path | None) -> Path | None:
        return path.absolute() if path else None


def find_opportunities(
    request: OpportunitiesRequest, out: Path, progress: Progress, force: bool = False, mapper: Mapper | None = None
) -> Path:
    """Compute a firm's topic-level opportunities and write them below ``out``; return their folder.

    Those that stand there, finished, of the same request, inputs and code are left as they are; ``force`` starts over.
    ``mapper``: is given the questions to the judges; without it all are put from here.

    Raises:
        ArtifactError, CorpusError, ConfigError, FirmError, NotEnoughDataError, KnowledgeError, JudgeError: one line
            each.
    """
    asked = load_request(request.run)
    firm_file = read_firm(request.firm)
    domain = load_domain(request.domain) if request.domain else None
    cutoff = pd.Timestamp(max(asked.cutoffs)).as_unit("s")
    matched = match_firm(load_corpus(asked.corpus, asked.config.task.entry_dates).as_of(cutoff), firm_file)
    firm, folder = matched.firm, firm_folder(out, matched.firm.name)
    record: dict[str, Any] = {
        "techconverge": __version__,
        "key": _key(request, asked.corpus, firm_file, domain),
        "firm": {"name": firm.name, "party_id": firm.party_id, "names": firm_file.names, "patents": firm.patents},
        "run": {"path": str(request.run), "sha256": sha256_file(request.run / "run.json")},
        "cutoff": f"{cutoff:%Y-%m-%d}",
        "request": request.model_dump(mode="json"),
        "domain": domain.model_dump(mode="json") if domain else None,
    }
    with locked(folder):
        if not force and _finished(folder, record["key"]):
            progress(f"{folder} {FINISHED}")
        else:
            _find(request, asked, matched, domain, record, folder, progress, mapper)
    return folder


def _key(request: OpportunitiesRequest, corpus: Path, firm: FirmFile, domain: Domain | None) -> str:
    """Hash of all that decides the opportunities: what was asked, the run, the code; with a judge its passages too."""
    config, passages, rubric = request.config.judge, None, None
    if config.judges:
        rubric = [load_rubric(config.preset, config.rubric).version, load_naming(config.rubric).version]
        passages = load_manifest(_base(request.knowledge, corpus)).content_hash if config.evidence else None
    files = [firm.model_dump(mode="json"), domain.model_dump(mode="json") if domain else None]
    inputs = [sha256_file(request.run / "run.json"), passages, rubric, code_hash()]
    return sha256_json([request.model_dump(mode="json"), *files, *inputs])


def _finished(folder: Path, key: str) -> bool:
    """Whether a firm's folder is of this key, whole, and no question to a judge is left that could be asked again."""
    try:
        record, judge = read_json(folder / RECORD), read_json(folder / JUDGE_RECORD)
        named = judge.get("naming", {}).get("outcomes", {})
        open_questions = sum(judge["outcomes"][outcome] + named.get(outcome, 0) for outcome in ("error", "over_budget"))
        return not open_questions and record["key"] == key and unchanged(folder, record["outputs"])
    except (ArtifactError, OSError, KeyError, TypeError):
        return False


def _find(
    request: OpportunitiesRequest,
    asked: RunRequest,
    matched: MatchedFirm,
    domain: Domain | None,
    record: dict[str, Any],
    folder: Path,
    progress: Progress,
    mapper: Mapper | None,
) -> None:
    config, firm, cutoff = asked.config, matched.firm, pd.Timestamp(record["cutoff"]).as_unit("s")
    history, encoding = attach_text(matched.corpus, config, progress)
    with threadpool_limits(1):  # sums in one order: the same bytes whatever the number of cores
        names = [f"firm: {line}" for line in matched.told()]
        for line in (f"{firm.name}: {firm.patents:,} patents", *names):
            progress(line)
        incidence = history.incidence(config.task.scheme, config.task.level)
        view = firm_view(history, firm, incidence, _predictions(request.run, cutoff))
        progress(f"topics of the head of {len(view):,} pairs")
        stage = topic_opportunities(history, firm, view, config.task, request.config.topics, config.seed, domain)
        targets = stage.opportunities["target_code"].drop_duplicates().tolist()
        holders = competitors(history, [firm.party_id], incidence, targets, config.task.window)
    progress(f"{len(stage.opportunities):,} topic-level opportunities of {len(stage.topics.table):,} topics")
    tables = {
        "opportunities": view,
        "topics": stage.topics.table,
        "topic_members": topic_members(history, stage),
        "topic_patents": topic_patents(history, [firm.party_id], stage.topics.table),
        "topic_opportunities": stage.opportunities,
        "competitors": holders,
        "firm_names": matched.review,
    }
    record = record | {
        "encoder": encoding["encoder"],
        "growth_years": round(growth_years(history), 2),
        "notes": [*names, *encoding["warnings"], *stage.notes],
    }
    entries = [*(f"{name}.parquet" for name in (*_TABLES, _NAMES)), JUDGE_RECORD, TRANSCRIPT, *_REPORTS]
    with atomic_directory(folder, RECORD, entries) as temporary:
        judgement = _judged(
            request, asked.corpus, stage, matched.keys, cutoff, temporary / TRANSCRIPT, progress, mapper
        )
        tables |= {name: getattr(judgement, name) for name in ("evidence", "verdicts", "judged", "reliability")}
        told = judgement.record
        if request.config.judge.judges:
            naming = _named(request, tables, judgement, temporary / TRANSCRIPT)
            progress(naming.note)
            tables |= {name: renamed(tables[name], naming.names) for name in ("topics", "topic_opportunities")}
            tables |= {_NAMES: naming.names}
            documents = _documents(request, asked.corpus, matched.keys, cutoff)
            told = told | {"naming": naming.record, "notes": [*told["notes"], documents, naming.note]}
        for name, table in tables.items():
            write_table(temporary / f"{name}.parquet", table, {"known_until": record["cutoff"]})
        hashes = sha256_files(temporary)
        write_json(temporary / JUDGE_RECORD, told)
        write_json(temporary / RECORD, record | {"outputs": hashes})


def topic_members(history: Corpus, stage: TopicStage) -> pd.DataFrame:
    """Which patents make each topic: topic_id, patent_id."""
    ids = history.patents["patent_id"]
    parts = [
        pd.DataFrame({"topic_id": topic, "patent_id": ids.iloc[rows].to_numpy()})
        for topic, rows in zip(stage.topics.table["topic_id"], stage.topics.rows, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def passages(base: Path | None, corpus: Path, cutoff: pd.Timestamp, firms: Set[str], judge: JudgeConfig) -> Retrieve:
    """What finds passages known at the cutoff, for a firm (its party ids; empty: none); without a judge it finds none.

    ``base``: a knowledge base, by default ``knowledge`` beside the corpus.

    Raises:
        KnowledgeError: when there is no base, saying how to make one.
    """
    if not judge.judges or not judge.evidence:
        return lambda query, k: empty(Evidence)
    try:
        opened = open_base(_base(base, corpus))
    except KnowledgeError as error:
        raise KnowledgeError(f"{error}; a judge needs one: `techconverge knowledge add {corpus} DOCUMENTS`") from error
    return lambda query, k: retrieve(opened, query, cutoff, firms, k)


def _base(given: Path | None, corpus: Path) -> Path:
    return given or corpus.absolute().parent / "knowledge"


def _judged(
    request: OpportunitiesRequest,
    corpus: Path,
    stage: TopicStage,
    firms: Set[str],
    cutoff: pd.Timestamp,
    transcript: Path,
    progress: Progress,
    mapper: Mapper | None,
) -> Judgement:
    config = request.config.judge
    return judge_opportunities(
        stage.opportunities.head(request.config.judged),
        stage.topics.table,
        passages(request.knowledge, corpus, cutoff, firms, config),
        cutoff,
        config,
        cache_folder() / "judge",
        lambda done, total: progress(f"judged: {done:,} of {total:,} questions"),
        transcript if config.judges else None,
        mapper,
    )


def _named(
    request: OpportunitiesRequest, tables: dict[str, pd.DataFrame], judgement: Judgement, transcript: Path
) -> Naming:
    """The names of the judged opportunities' topics, which were judged by their words."""
    return name_topics(
        tables["topic_opportunities"],
        tables["topic_opportunities"].head(request.config.judged),
        tables["topics"],
        tables["topic_patents"],
        request.config.judge,
        judgement.record["spent"],
        cache_folder() / "judge",
        transcript,
    )


def _documents(request: OpportunitiesRequest, corpus: Path, firms: Set[str], cutoff: pd.Timestamp) -> str:
    """How many of the firm's documents a judge could be shown."""
    if not request.config.judge.evidence:
        return "documents: none were shown to the judge, nor patents"
    held = load_manifest(_base(request.knowledge, corpus)).documents
    dates = [document.date for document in held if document.firm in firms]
    if not dates:
        return "documents: the knowledge base has none of the firm's, so its aims are judged by patents alone"
    known = sum(date is not None and pd.Timestamp(date) <= cutoff for date in dates)
    return f"documents: {known} of {len(dates)} of the firm's are dated up to the cutoff and could be cited"


def _predictions(run: Path, cutoff: pd.Timestamp) -> pd.DataFrame:
    path = run / "predictions.parquet"
    if sha256_file(path) != read_record(run)["outputs"].get(path.name):
        raise ArtifactError(f"{path} is not what the run's record says: make the run again")
    predictions = validate(read_table(path), Predictions, str(path))
    return predictions[predictions["cutoff"] == cutoff].reset_index(drop=True)
