"""Whole runs: which parts a forecast or a backtest needs, and how they are put together into a run folder."""

import datetime
import platform
import shutil
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

from pipeline import __version__, schemas
from pipeline.artifacts import atomic_directory, read_record, read_table, sha256_file, write_json, write_table
from pipeline.background.summary import background_hash, load_background
from pipeline.corpus.store import load_corpus, load_manifest
from pipeline.corpus.timeline import years_before
from pipeline.errors import ArtifactError, ConfigError, CorpusError, CutoffError, NotEnoughDataError
from pipeline.evaluation.assess import Assessment, assess, metrics_record
from pipeline.opportunities.firm import find_firm
from pipeline.parts import PartRequest, Progress, check_dates, compute_part, part_request, read_part
from pipeline.ranking.ensemble import FUSION
from pipeline.ranking.prior_ranker import load_prior_ranker
from pipeline.report.render import render_report
from pipeline.report.tables import write_ranked_csv
from pipeline.run_config import RunConfig

PACKAGES = (
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "imbalanced-learn",
    "lightgbm",
    "torch",
    "sentence-transformers",
)
_OF_MAIN_PART = ("opportunities", "explanations", "examples", "codes", "links")
_ENTRIES = (
    *(f"{name}.parquet" for name in ("predictions", "tested", "ranked", *_OF_MAIN_PART)),
    *("ranked.csv", "metrics.json", "report.html", FUSION),
)


class RunRequest(BaseModel):
    """A run as it was asked for; stored in ``run.json``, from which it can be repeated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: Literal["forecast", "backtest"]
    corpus: Path
    cutoffs: tuple[datetime.date, ...]
    firm: str | None
    config: RunConfig
    background: Path | None = None


def check_request(request: RunRequest) -> None:
    """Refuse at once what cannot work, before anything is computed.

    Raises:
        CutoffError, FirmError, CorpusError, ConfigError: one line each.
    """
    if not request.cutoffs:
        raise ConfigError("no cutoff given: add --cutoff YYYY-MM-DD")
    if len(set(request.cutoffs)) < len(request.cutoffs):
        raise ConfigError("a cutoff is given twice: name each --cutoff once")
    corpus = load_corpus(request.corpus)
    tested = request.command == "backtest"
    for cutoff in request.cutoffs:
        day = pd.Timestamp(cutoff).as_unit("s")
        check_dates(corpus, day, corpus.cutoff.date() if tested else None, request.config.task.horizon)
    if request.background:
        load_background(request.background, request.config.task.scheme, request.config.task.level)
    if request.config.prior_ranker:
        load_prior_ranker(request.config.prior_ranker)
    if request.firm is not None:
        find_firm(corpus.as_of(pd.Timestamp(max(request.cutoffs)).as_unit("s")).parties, request.firm)


def part_requests(request: RunRequest) -> list[PartRequest]:
    """The parts of a run, the main one last.

    A backtest has one a cutoff. A forecast has the forecast itself and a test one horizon earlier: the latest cutoff
    whose outcome is known on the forecast's own.
    """
    config, cutoffs = request.config, sorted(request.cutoffs)
    if request.command == "forecast":
        (cutoff,) = cutoffs
        earlier = years_before(pd.Timestamp(cutoff), config.task.horizon).date()
        return [
            part_request(
                request.corpus, request.background, earlier, config, known_until=cutoff, explained=False, firm=None
            ),
            part_request(
                request.corpus, request.background, cutoff, config, known_until=None, explained=True, firm=request.firm
            ),
        ]
    ends = [years_before(pd.Timestamp(cutoff), -config.task.horizon).date() for cutoff in cutoffs]
    return [
        part_request(
            request.corpus,
            request.background,
            cutoff,
            config,
            known_until=end,
            explained=cutoff == cutoffs[-1],
            firm=request.firm,
        )
        for cutoff, end in zip(cutoffs, ends, strict=True)
    ]


def run(request: RunRequest, out: Path, progress: Progress) -> Path:
    """Compute every part and assemble the run folder ``out``; return its report's path."""
    check_request(request)
    with run_directory(out) as folder:
        parts: list[Path] = []
        untested = ""
        for number, part in enumerate(part_requests(request)):
            path = folder / f"part{number}"
            untested = compute_unless_optional(request, part, path, progress) or untested
            if path.exists():
                parts.append(path)
        assemble(request, parts, untested, folder, progress)
        for path in parts:
            shutil.rmtree(path)
    return out / "report.html"


def run_directory(out: Path) -> AbstractContextManager[Path]:
    """A folder to assemble a run in, which then stands at ``out``; only an earlier run is replaced."""
    return atomic_directory(out, "run.json", _ENTRIES)


def compute_unless_optional(request: RunRequest, part: PartRequest, folder: Path, progress: Progress) -> str:
    """Compute a part; a forecast's test may be impossible for want of past data, and then the reason is returned."""
    progress(f"{'test' if part.known_until else 'forecast'} at {part.cutoff:%Y-%m-%d}")
    try:
        compute_part(part, folder, progress)
    except (CutoffError, NotEnoughDataError) as error:
        if request.command == "forecast" and part.known_until is not None:
            return f"this forecast could not be tested on the past: {error}"
        raise
    return ""


def assemble(request: RunRequest, parts: list[Path], untested: str, folder: Path, progress: Progress) -> None:
    """Write the run folder's tables, metrics, record and report from its parts, the main one last."""
    progress("writing tables, metrics and the report")
    config = request.config
    records, tables = zip(*[read_part(part) for part in parts], strict=True)
    forecast = request.command == "forecast"
    metadata = {"known_until": max(record["universe"]["cutoff"] for record in records)}
    kept = tables[-1] if forecast else pd.concat(tables, ignore_index=True)
    write_table(folder / "predictions.parquet", kept, metadata)
    tested = [(r, t) for r, t in zip(records, tables, strict=True) if t["label"].notna().all()]
    if forecast and tested:
        write_table(folder / "tested.parquet", tested[0][1], metadata)
    assessments = [assess(table, record["coverage"], config.bootstrap_repeats, config.seed) for record, table in tested]
    task = config.task.model_dump(mode="json")
    measured = {name: task[name] for name in ("horizon", "level", "scheme")}
    write_json(folder / "metrics.json", metrics_record(assessments, measured))
    for name in _OF_MAIN_PART:
        if (parts[-1] / f"{name}.parquet").exists():
            shutil.copyfile(parts[-1] / f"{name}.parquet", folder / f"{name}.parquet")
    if (parts[-1] / FUSION).exists():
        shutil.copytree(parts[-1] / FUSION, folder / FUSION)
    ranked = _ranked_table(folder)
    write_table(folder / "ranked.parquet", ranked, metadata)
    write_ranked_csv(ranked, folder / "ranked.csv")
    write_json(folder / "run.json", _run_record(request, list(records), assessments, untested, folder))
    render_report(folder)


def _ranked_table(folder: Path) -> pd.DataFrame:
    """The list a user takes away: the firm's opportunities, or the last cutoff's pairs by rank; with titles."""
    opportunities = folder / "opportunities.parquet"
    if opportunities.exists():
        table = read_table(opportunities)
    else:
        predictions = read_table(folder / "predictions.parquet", [*schemas.PAIR_KEY, "rank", "probability", "label"])
        last = predictions[predictions["cutoff"] == predictions["cutoff"].max()]
        table = last.sort_values("rank", ignore_index=True)[["rank", *schemas.PAIR, "probability", "label"]]
    title = read_table(folder / "codes.parquet").set_index("code")["title"]
    return table.assign(title_a=table["code_a"].map(title), title_b=table["code_b"].map(title))


def _run_record(
    request: RunRequest, records: list[dict[str, Any]], assessments: list[Assessment], untested: str, folder: Path
) -> dict[str, Any]:
    manifest = load_manifest(request.corpus)
    main = records[-1]
    warnings = [*manifest["warnings"], *([untested] if untested else [])]
    warnings += [warning for record in records for warning in record["warnings"]]
    stages = {stage: sum(record["timings"][stage] for record in records) for stage in main["timings"]}
    return {
        "command": request.command,
        "techconverge": __version__,
        "request": request.model_dump(mode="json") | _absolute(request),
        "firm": main["firm"],
        "config": request.config.model_dump(mode="json"),
        "corpus": {
            "path": request.corpus.name,
            "content_hash": manifest["content_hash"],
            "sources": manifest["sources"],
            "simulated": manifest["simulated"],
            "account": manifest["account"],
            "first_date": manifest["first_knowledge_date"],
            "last_date": manifest["last_knowledge_date"],
            "coverage": manifest["coverage"],
        },
        "background": {"path": request.background.name, "content_hash": background_hash(request.background)}
        if request.background
        else None,
        "prior_ranker": _prior_ranker(request.config.prior_ranker),
        "cutoffs": sorted(f"{cutoff:%Y-%m-%d}" for cutoff in request.cutoffs),
        "candidates": [record["universe"] for record in records],
        "tested_cutoffs": [assessment.origin["cutoff"] for assessment in assessments],
        "training_origins": {record["universe"]["cutoff"]: record["training_origins"] for record in records},
        "member_weights": {record["universe"]["cutoff"]: record["weights"] for record in records},
        "ensemble": main["ensemble"],
        "explanation_check": main["explanation_check"],
        "encoder": main["encoding"]["encoder"],
        "versions": {"python": platform.python_version(), **{package: version(package) for package in PACKAGES}},
        "timings": {stage: round(seconds, 2) for stage, seconds in stages.items()},
        "warnings": list(dict.fromkeys(warnings)),
        "outputs": {
            str(path.relative_to(folder)): sha256_file(path)
            for pattern in ("*", f"{FUSION}/*")
            for path in sorted(folder.glob(pattern))
            if path.suffix in _HASHED
        },
    }


def _prior_ranker(path: Path | None) -> dict[str, Any] | None:
    return {"path": path.name, "sha256": sha256_file(path), **load_prior_ranker(path).card} if path else None


def _absolute(request: RunRequest) -> dict[str, str]:
    """Where the folders of a request lie, whatever folder it is repeated from."""
    folders = {"corpus": request.corpus, "background": request.background}
    return {name: str(folder.absolute()) for name, folder in folders.items() if folder}


_HASHED = {".parquet", ".csv", ".json", ".safetensors"}


def load_request(record: Path) -> RunRequest:
    """The request of an earlier run, from its folder or its ``run.json``.

    Raises:
        CorpusError: when the corpus is no longer the one the run was made from.
    """
    content = read_record(record)
    try:
        request = RunRequest.model_validate(content["request"])
        expected = content["corpus"]["content_hash"]
        taught = (content.get("prior_ranker") or {}).get("sha256")
        outside = (content.get("background") or {}).get("content_hash")
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{record} is not the record of a run: {' '.join(str(error).split())}") from error
    if load_manifest(request.corpus)["content_hash"] != expected:
        raise CorpusError(f"{request.corpus} has changed since {record} was made: the run cannot be repeated")
    if request.background and background_hash(request.background) != outside:
        raise CorpusError(f"{request.background} has changed since {record} was made: the run cannot be repeated")
    ranker = request.config.prior_ranker
    if ranker and sha256_file(ranker) != taught:
        raise ArtifactError(f"{ranker} has changed since {record} was made: the run cannot be repeated")
    return request
