"""Whole runs: the parts of a forecast or a backtest computed, and put together into a run folder."""

import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import __version__, extensions, schemas
from pipeline.artifacts import (
    atomic_directory,
    locked,
    read_json,
    read_record,
    read_table,
    sha256_file,
    sha256_files,
    write_json,
    write_table,
)
from pipeline.background.summary import background_hash, load_background
from pipeline.config import FUSION
from pipeline.corpus.store import load_corpus, load_manifest
from pipeline.errors import ArtifactError, ConfigError, CorpusError, CutoffError, FirmError, NotEnoughDataError
from pipeline.horizons import horizon_table, with_cumulative
from pipeline.mapping import Mapper
from pipeline.opportunities.firm import find_firm
from pipeline.opportunities.firm_names import is_firm_file
from pipeline.parts import RECORD, WHOLE_LIST, PartRequest, Progress, check_dates, compute_part, intact, versions
from pipeline.ranking.prior_ranker import load_prior_ranker
from pipeline.report.render import render_report
from pipeline.resume import FINISHED, absolute, finished, kept_parts, run_key
from pipeline.run_horizon import RunHorizon, read_horizon
from pipeline.run_request import RunRequest, part_requests
from pipeline.spreadsheets import write_csv

_OF_MAIN_PART = (WHOLE_LIST, "opportunities", "explanations", "examples", "codes", "links")
_ENTRIES = (
    *(f"{name}.parquet" for name in ("predictions", "tested", "horizons", "ranked", *_OF_MAIN_PART)),
    *("ranked.csv", "metrics.json", "report.html", FUSION),
)


def check_request(request: RunRequest) -> None:
    """Refuse at once what cannot work, before anything is computed.

    Raises:
        CutoffError, FirmError, CorpusError, ConfigError: one line each.
    """
    if not request.cutoffs:
        raise ConfigError("no cutoff given: add --cutoff YYYY-MM-DD")
    if len(set(request.cutoffs)) < len(request.cutoffs):
        raise ConfigError("a cutoff is given twice: name each --cutoff once")
    corpus = load_corpus(request.corpus, request.config.task.entry_dates)
    tested = request.command == "backtest"
    for cutoff in request.cutoffs:
        day = pd.Timestamp(cutoff).as_unit("s")
        check_dates(corpus, day, corpus.cutoff.date() if tested else None, request.config.task.horizon)
    if request.background:
        load_background(request.background, request.config.task.scheme, request.config.task.level)
    if ranker := request.config.prior_ranker_file():
        taught = load_prior_ranker(ranker).card.get("task", {}).get("track", "new")
        if taught != request.config.task.track:
            raise ConfigError(
                f"{ranker} was taught on the {taught} track, the run asks for {request.config.task.track}: "
                "leave prior_ranker out, or train one on that track"
            )
    if request.firm is not None:
        if is_firm_file(request.firm):
            raise FirmError(
                f"{request.firm}: {request.command} takes the name of one assignee; "
                "`techconverge opportunities` takes a firm file, and counts all its names as one"
            )
        find_firm(corpus.as_of(pd.Timestamp(max(request.cutoffs)).as_unit("s")).parties, request.firm)


def run(request: RunRequest, out: Path, progress: Progress, force: bool = False) -> Path:
    """Compute every part and assemble the run folder ``out``; return its report's path.

    An interrupted run goes on with the parts that it had; a finished one is left as it is. ``force`` starts over.

    Raises:
        ArtifactError: another process is writing ``out``; and what ``check_request`` and ``compute_part`` raise.
    """
    done = not force and finished(request, out)
    if not done:
        check_request(request)
    wanted = {part.key(): part for part in part_requests(request)}
    with kept_parts(out, wanted, force) as kept:
        if done:
            progress(f"{out} {FINISHED}")
            return out / "report.html"
        parts: list[Path] = []
        left_out: list[str] = []
        with run_directory(out) as folder:
            for key, part in wanted.items():
                if reason := compute_unless_optional(request, part, kept / key, progress):
                    left_out.append(reason)
                else:
                    parts.append(kept / key)
            assemble(request, parts, left_out, folder, progress)
    return out / "report.html"


def run_directory(out: Path) -> AbstractContextManager[Path]:
    """A folder to assemble a run in, which then stands at ``out``; only an earlier run is replaced."""
    return atomic_directory(out, "run.json", _ENTRIES)


def compute_unless_optional(
    request: RunRequest, part: PartRequest, folder: Path, progress: Progress, mapper: Mapper | None = None
) -> str:
    """Compute a part, unless it lies there whole; a forecast's test and a further horizon may be impossible for want
    of past data, and then the reason is returned.

    Who wants a part that another process is computing waits for it. ``mapper``: see ``compute_part``.
    """
    years = part.config.task.horizon
    further = years != request.config.task.horizon
    of_horizon = f", {years} {'year' if years == 1 else 'years'} ahead" if request.config.horizons else ""
    name = f"{'test' if part.known_until else 'forecast'} at {part.cutoff:%Y-%m-%d}{of_horizon}"
    try:
        with locked(folder, wait=True):
            if intact(folder):
                progress(f"{name}: computed before")
                return ""
            progress(name)
            shutil.rmtree(folder, ignore_errors=True)  # damaged, so it is of no use
            compute_part(part, folder, progress, mapper)
    except (CutoffError, NotEnoughDataError) as error:
        if request.command == "forecast" and part.known_until is not None:
            return f"this forecast{of_horizon} could not be tested on the past: {error}"
        if further:
            return f"horizon {years} is left out at {part.cutoff:%Y-%m-%d}: {error}"
        raise
    return ""


def assemble(request: RunRequest, parts: list[Path], left_out: list[str], folder: Path, progress: Progress) -> None:
    """Write the run folder's tables, metrics, record and report from its parts, the main one last.

    ``left_out``: why other parts could not be computed, one sentence each.
    """
    progress("writing tables, metrics and the report")
    paths: dict[int, list[Path]] = {}
    for part in parts:
        paths.setdefault(read_json(part / RECORD)["horizon"], []).append(part)
    further = {years: read_horizon(request, years, of_it) for years, of_it in sorted(paths.items())}
    main = further.pop(request.config.task.horizon)
    metadata = {"known_until": max(record["universe"]["cutoff"] for record in main.records)}
    write_table(folder / "predictions.parquet", main.forecast, metadata)
    for test in main.tests:
        write_table(folder / "tested.parquet", test, metadata)
    of_further = {"horizons": {str(years): horizon.metrics for years, horizon in further.items()}} if further else {}
    write_json(folder / "metrics.json", main.metrics | of_further)
    for name in _OF_MAIN_PART:
        if (parts[-1] / f"{name}.parquet").exists():
            shutil.copyfile(parts[-1] / f"{name}.parquet", folder / f"{name}.parquet")
    if (parts[-1] / FUSION).exists():
        shutil.copytree(parts[-1] / FUSION, folder / FUSION)
    ranked = _ranked_table(folder)
    if further:
        forecasts = {years: horizon.forecast for years, horizon in further.items()}
        horizons = horizon_table(forecasts | {request.config.task.horizon: main.forecast})
        write_table(folder / "horizons.parquet", horizons, metadata)
        ranked = with_cumulative(ranked, horizons)
    write_table(folder / "ranked.parquet", ranked, metadata)
    write_csv(ranked, folder / "ranked.csv")
    write_json(folder / "run.json", _run_record(request, main, further, left_out, folder))
    render_report(folder)


def _ranked_table(folder: Path) -> pd.DataFrame:
    """The list a user takes away: the firm's opportunities, or the last cutoff's pairs by rank; with titles."""
    predictions = read_table(folder / "predictions.parquet")
    last = predictions[predictions["cutoff"] == predictions["cutoff"].max()]
    opportunities = folder / "opportunities.parquet"
    if opportunities.exists():
        table = read_table(opportunities)
    else:
        table = last.sort_values("rank", ignore_index=True)[["rank", *schemas.PAIR, "probability", "label"]]
    told = ["entered", *(name for name in ("prior", "status") if name in last)]
    table = table.merge(last[[*schemas.PAIR, *told]], on=schemas.PAIR, validate="one_to_one")
    title = read_table(folder / "codes.parquet").set_index("code")["title"]
    return table.assign(title_a=table["code_a"].map(title), title_b=table["code_b"].map(title))


def _run_record(
    request: RunRequest, horizon: RunHorizon, further: dict[int, RunHorizon], left_out: list[str], folder: Path
) -> dict[str, Any]:
    manifest = load_manifest(request.corpus)
    records, main = horizon.records, horizon.records[-1]
    notes = [note for other in further.values() for note in other.notes]
    warnings = [*manifest["warnings"], *left_out, *notes, *horizon.warnings()]
    for years, other in further.items():
        warnings += [f"horizon {years}: {said}" for said in other.warnings() if said not in warnings]
    every = [*records, *(record for other in further.values() for record in other.records)]
    stages = {stage: sum(record["timings"][stage] for record in every) for stage in main["timings"]}
    return {
        "command": request.command,
        "techconverge": __version__,
        "key": run_key(request),
        "request": request.model_dump(mode="json") | absolute(request),
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
        "prior_ranker": _prior_ranker(request.config.prior_ranker_file()),
        "entry_dates": _entry_dates(request.config.task.entry_dates),
        "extensions": request.config.extensions(),
        "cutoffs": sorted(f"{cutoff:%Y-%m-%d}" for cutoff in request.cutoffs),
        "candidates": [record["universe"] for record in records],
        **horizon.learnt(),
        "horizon": request.config.task.horizon,
        "further_horizons": {str(years): other.learnt() for years, other in further.items()},
        "explanation_check": main["explanation_check"],
        "encoder": main["encoding"]["encoder"],
        "versions": versions(),
        "timings": {stage: round(seconds, 2) for stage, seconds in stages.items()},
        "warnings": list(dict.fromkeys(warnings)),
        "outputs": sha256_files(folder, FUSION),
    }


def _prior_ranker(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    card = load_prior_ranker(path).card
    corpora = [{key: value for key, value in corpus.items() if key != "sketch"} for corpus in card["corpora"]]
    return {"path": path.name, "sha256": sha256_file(path), **card, "corpora": corpora}


def _entry_dates(path: Path | None) -> dict[str, str] | None:
    """The user's own table; the shipped one is part of the program."""
    return {"path": path.name, "sha256": sha256_file(path)} if path else None


def _check_extensions(record: Path, content: Any) -> None:
    """A name in a record imports nothing: what it stood for must have been loaded, unchanged."""
    told = content.get("extensions", {}) if isinstance(content, dict) else {}
    for name, was in told.items() if isinstance(told, dict) else ():
        kind, _, of_it = name.partition(":")
        now = extensions.extension("learner" if kind == "learner" else "block", of_it)
        if now is None or not isinstance(was, dict) or now.sha256 != was.get("sha256"):
            state = "is not loaded" if now is None else "has changed"
            raise ConfigError(f"{record} was made with the {kind} {of_it}, which {state}: name its file by --extension")


def load_request(record: Path) -> RunRequest:
    """The request of an earlier run, from its folder or its ``run.json``.

    Raises:
        CorpusError: when the corpus is no longer the one the run was made from.
        ConfigError: when it used blocks or learners of the user's own, and these are not loaded, or have changed.
    """
    content = read_record(record)
    _check_extensions(record, content)
    try:
        request = RunRequest.model_validate(content["request"])
        expected = content["corpus"]["content_hash"]
        known = {name: (content.get(name) or {}).get("sha256") for name in ("prior_ranker", "entry_dates")}
        outside = (content.get("background") or {}).get("content_hash")
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{record} is not the record of a run: {' '.join(str(error).split())}") from error
    if load_manifest(request.corpus)["content_hash"] != expected:
        raise CorpusError(f"{request.corpus} has changed since {record} was made: the run cannot be repeated")
    if request.background and background_hash(request.background) != outside:
        raise CorpusError(f"{request.background} has changed since {record} was made: the run cannot be repeated")
    config = request.config
    for path, digest in zip((config.prior_ranker_file(), config.task.entry_dates), known.values(), strict=True):
        if path and (not path.is_file() or sha256_file(path) != digest):
            raise ArtifactError(f"{path} is missing or has changed since {record} was made: the run cannot be repeated")
    return request
