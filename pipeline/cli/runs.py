"""Commands on pairs of codes: forecasts and backtests, made, repeated, shown and exported."""

import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pipeline.cli.options import (
    Background,
    Config,
    Corpus,
    EncoderOption,
    Extensions,
    Firm,
    Force,
    Horizons,
    LevelOption,
    MinPatents,
    Out,
    RecipeOption,
    Run,
    SchemeOption,
    Seed,
    TrackOption,
    Window,
    progress_log,
)

app = typer.Typer()


@app.command()
def forecast(
    corpus: Corpus,
    cutoff: Annotated[datetime.datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day the forecast may see.")],
    out: Out,
    track: TrackOption = None,
    horizon: Horizons = None,
    level: LevelOption = None,
    scheme: SchemeOption = None,
    firm: Firm = None,
    background: Background = None,
    window: Window = None,
    min_patents: MinPatents = None,
    recipe: RecipeOption = None,
    encoder: EncoderOption = None,
    seed: Seed = None,
    config: Config = None,
    extension: Extensions = None,
    force: Force = False,
) -> None:
    """Rank the pairs of codes that will converge after a cutoff, for one firm, and report why."""
    settings = _settings(track, level, scheme, window, min_patents, recipe, encoder, seed)
    _run("forecast", corpus, [cutoff], firm, background, horizon or [], settings, config, extension or [], out, force)


@app.command()
def backtest(
    corpus: Corpus,
    cutoff: Annotated[list[datetime.datetime], typer.Option(formats=["%Y-%m-%d"], help="May be given several times.")],
    out: Out,
    track: TrackOption = None,
    horizon: Horizons = None,
    level: LevelOption = None,
    scheme: SchemeOption = None,
    firm: Firm = None,
    background: Background = None,
    window: Window = None,
    min_patents: MinPatents = None,
    recipe: RecipeOption = None,
    encoder: EncoderOption = None,
    seed: Seed = None,
    config: Config = None,
    extension: Extensions = None,
    force: Force = False,
) -> None:
    """Forecast from past cutoffs and measure against what came, beside every baseline."""
    settings = _settings(track, level, scheme, window, min_patents, recipe, encoder, seed)
    _run("backtest", corpus, cutoff, firm, background, horizon or [], settings, config, extension or [], out, force)


@app.command()
def repeat(
    record: Annotated[Path, typer.Argument(help="The run.json of an earlier run, or its folder.")],
    out: Out,
    extension: Extensions = None,
    force: Force = False,
) -> None:
    """Repeat an earlier run from its record."""
    from pipeline.extensions import load_extensions
    from pipeline.run import load_request, run

    for file in extension or []:
        load_extensions(file)
    request = load_request(record)
    progress = progress_log(request.command)
    report_path = run(request, out, progress, force)
    typer.echo(f"report: {report_path}")


@app.command()
def report(
    run_folder: Run,
    firm: Annotated[
        str | None, typer.Option(help="The firm whose opportunity report is written, or its YAML file.")
    ] = None,
    formats: Annotated[
        str | None,
        typer.Option("--format", help="Of the opportunity report: html, xlsx and md, joined by commas [all]."),
    ] = None,
) -> None:
    """Write the report of a run again, or a firm's opportunity report where its pairs were refined to topics."""
    if firm is None and formats is None:
        from pipeline.report.render import render_report

        typer.echo(f"report: {render_report(run_folder)}")
        return
    from pipeline.opportunities.firm_names import read_firm
    from pipeline.report.firm.render import FORMATS, render_firm_report
    from pipeline.report.firm.tables import find_firm_folder

    asked = FORMATS if formats is None else [name.strip().lower() for name in formats.split(",")]
    name = read_firm(firm).name if firm else None
    for path in render_firm_report(find_firm_folder(run_folder, name), asked):
        typer.echo(f"opportunity report: {path}")


@app.command()
def export(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A folder made by forecast or backtest.")],
    out: Out,
    formats: Annotated[
        str,
        typer.Option("--format", help="Of csv, xlsx, parquet, graphml, gexf, vosviewer, svg; joined by commas."),
    ] = "csv,xlsx,parquet,graphml,gexf,vosviewer,svg",
) -> None:
    """Write a run's tables, network and figures for other programs."""
    from pipeline.export.run import export_run

    progress = progress_log("export")
    progress(f"reading {run_folder}")
    record = export_run(run_folder, out, [name.strip() for name in formats.split(",")])
    for note in record["notes"]:
        typer.echo(f"note: {note}")
    typer.echo(f"{out}: {len(record['files']):,} files")


def _settings(
    track: str | None,
    level: str | None,
    scheme: str | None,
    window: int | None,
    min_patents: int | None,
    recipe: str | None,
    encoder: str | None,
    seed: int | None,
) -> dict[str, Any]:
    task = {"track": track, "level": level, "scheme": scheme, "window": window, "min_patents": min_patents}
    return {"recipe": recipe, "seed": seed, "task": task, "encoder": {"model": encoder}}


def _run(
    command: Literal["forecast", "backtest"],
    corpus: Path,
    cutoffs: list[datetime.datetime],
    firm: str | None,
    background: Path | None,
    horizons: list[int],
    settings: dict[str, Any],
    config: Path | None,
    extension: list[Path],
    out: Path,
    force: bool,
) -> None:
    from pipeline.extensions import load_extensions
    from pipeline.run import run
    from pipeline.run_config import load_config, with_extensions
    from pipeline.run_request import RunRequest

    own = [each for file in extension for each in load_extensions(file)]

    days = tuple(sorted(cutoff.date() for cutoff in cutoffs))
    request = RunRequest(
        command=command,
        corpus=corpus,
        cutoffs=days,
        firm=firm,
        config=with_extensions(load_config(config, settings, horizons), own),
        background=background,
    )
    progress = progress_log(command)
    report_path = run(request, out, progress, force)
    typer.echo(f"report: {report_path}")
