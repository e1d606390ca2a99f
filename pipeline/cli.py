"""The command line. It starts at once: what is heavy is imported by the command that needs it."""

import contextlib
import datetime
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer
from rich.console import Console

from pipeline import __version__, cli_corpus, cli_knowledge
from pipeline.config import Level, Recipe, Scheme, Track
from pipeline.errors import TechconvergeError
from pipeline.fetch.commands import app as fetch_app

app = typer.Typer(
    name="techconverge",
    help="Forecast which technologies will converge, from patents, and what of it one firm can win.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cli_knowledge.app, name="knowledge", no_args_is_help=True)
app.add_typer(fetch_app, name="fetch")
console = Console(stderr=True)

Corpus = Annotated[Path, typer.Argument(help="A corpus folder, made by `techconverge ingest`.")]
Out = Annotated[Path, typer.Option("--out", help="Folder to write; replaced when it holds an earlier result.")]
TrackOption = Annotated[
    Track | None,
    typer.Option(help="new: pairs that never met; strengthening: pairs that did, and may do so more [new]."),
]
Horizons = Annotated[
    list[int] | None,
    typer.Option(
        "--horizon",
        help="Years after the cutoff in which a pair must converge [3]. May be given several times: the ranking, the "
        "firm's view and the reasons are then those of the configured one [3] if given, else of the middle one.",
    ),
]
LevelOption = Annotated[Level | None, typer.Option(help="IPC/CPC level of the codes [subclass].")]
SchemeOption = Annotated[Scheme | None, typer.Option(help="Classification [ipc].")]
Window = Annotated[int | None, typer.Option(help="Years of the recent window features look back over [3].")]
MinPatents = Annotated[int | None, typer.Option(help="Patents a code needs to be a candidate [3].")]
RecipeOption = Annotated[Recipe | None, typer.Option(help="default, or reference: the published method.")]
EncoderOption = Annotated[str | None, typer.Option(help="minilm, hashing, or a model's name or path [minilm].")]
Seed = Annotated[int | None, typer.Option(help="Seed of everything random [7].")]
Config = Annotated[Path | None, typer.Option("--config", help="YAML file with the same settings and more.")]
Background = Annotated[
    Path | None, typer.Option(help="A larger corpus, or its summary: what the pairs do outside the corpus.")
]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="A folder made by forecast or backtest.")]
Firm = Annotated[str | None, typer.Option(help="The firm whose opportunities are ranked.")]
Extensions = Annotated[
    list[Path] | None,
    typer.Option("--extension", help="A Python file of your own feature blocks or learners; it is run. Repeatable."),
]


Judge = Annotated[
    list[str] | None,
    typer.Option(help="none, or a model as PROVIDER:NAME (openai, ollama ...); several make a panel [none]."),
]
Knowledge = Annotated[
    Path | None,
    typer.Option(help="The knowledge base that a judge reads passages of [`knowledge` beside the corpus]."),
]
TopicRecipe = Annotated[Recipe, typer.Option(help="default, or reference: topics and judge as published.")]
TopicsFile = Annotated[Path | None, typer.Option("--config", help="YAML file: topics, judge, judged.")]


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"techconverge {__version__}")
        raise typer.Exit


@app.command()
def ingest(
    out: Out,
    files: Annotated[
        list[Path] | None, typer.Argument(help="Exports and tables of patents, recognised by their content.")
    ] = None,
    families: Annotated[
        Literal["merge", "keep"] | None,
        typer.Option(help="merge: an invention counts once; keep: every document counts [merge]."),
    ] = None,
    append: Annotated[bool, typer.Option("--append", help="Add the files to the corpus that stands at --out.")] = False,
    aliases: Annotated[
        Path | None, typer.Option(help="YAML or CSV of names that are one firm's: name and group.")
    ] = None,
    symbol_list: Annotated[
        Path | None, typer.Option(help="WIPO's CSV inventory of IPC symbols; others are set aside.")
    ] = None,
    format: Annotated[str | None, typer.Option(help="Take the files for this format, whatever they look like.")] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="YAML file that says which column is which; see propose-mapping.")
    ] = None,
) -> None:
    """Read what databases export, or a table of your own, into a corpus folder, or add it to one."""
    from pipeline.corpus.aliases import NO_ALIASES, read_aliases
    from pipeline.corpus.grow import append as grow
    from pipeline.corpus.grow import create
    from pipeline.corpus.ingest import Cleaning
    from pipeline.corpus.validity import read_symbol_list

    if not files and not append:
        raise typer.BadParameter("name at least one file of patents")
    groups = None if aliases is None else read_aliases(aliases)
    symbols = None if symbol_list is None else read_symbol_list(symbol_list)
    with _progress("ingest") as progress:
        if append:
            grown = grow(files or [], out, progress, families, groups, symbols, format, mapping)
            for name in grown.known:
                typer.echo(f"note: {name} is in the corpus already")
            if not grown.changed:
                typer.echo(f"{out}: nothing changed")
                return
            manifest = grown.manifest
        else:
            cleaning = Cleaning(families or "merge", groups or NO_ALIASES, symbols)
            manifest = create(files or [], out, cleaning, progress, format, mapping)
    cli_corpus.tell_ingested(manifest, out)


@app.command(name="propose-mapping")
def propose_mapping(
    file: Annotated[Path, typer.Argument(help="A table of patents of no known format: CSV, Excel, Parquet, JSON.")],
    out: Annotated[Path, typer.Option("--out", help="YAML file to write; look it through, then ingest --mapping.")],
) -> None:
    """Propose which column is which, from headers and contents, and say how sure that is and why."""
    from pipeline.corpus.readers.propose import propose, write_proposal

    proposal = propose(file)
    write_proposal(proposal, out)
    for line in proposal.told():
        typer.echo(line)
    typer.echo(f"{out}: look it through, then `techconverge ingest {file} --mapping {out} --out CORPUS`")


@app.command()
def summarise(
    corpus: Corpus,
    out: Out,
    level: Annotated[Level, typer.Option(help="IPC/CPC level of the codes.")] = "subclass",
    scheme: Annotated[Scheme, typer.Option(help="Classification.")] = "ipc",
) -> None:
    """Count the codes of a corpus month by month: a small folder that serves as --background at any cutoff."""
    from pipeline.background.summary import save_summary
    from pipeline.background.summary import summarise as count
    from pipeline.corpus.store import load_corpus, load_manifest

    with _progress("summarise") as progress:
        progress(f"reading {corpus}")
        patents = load_corpus(corpus)
        progress("counting")
        manifest = save_summary(count(patents, scheme, level), out, load_manifest(corpus)["content_hash"])
    typer.echo(
        f"{out}: {manifest['patents']:,} patents, {manifest['codes']:,} codes, "
        f"from {manifest['first_day']} to {manifest['last_day']}"
    )


@app.command(name="entry-dates")
def entry_dates(
    inventory: Annotated[Path, typer.Argument(help="WIPO's CSV inventory of IPC ever used symbols.")],
    out: Annotated[Path, typer.Option("--out", help="CSV file to write; name it in a config as task.entry_dates.")],
) -> None:
    """Make a whole table of when codes came into force; without it a shipped one of the newer codes is used."""
    from pipeline.corpus.entry_dates import refreshed, write_entry_dates

    table = refreshed(inventory)
    write_entry_dates(table, out)
    typer.echo(f"{out}: {len(table):,} codes, the latest in force from {table['in_force'].max():%Y-%m-%d}")


@app.command(name="train-prior")
def train_prior(
    corpora: Annotated[list[Path], typer.Argument(help="Corpus folders; leave out those it will be tested on.")],
    out: Annotated[Path, typer.Option("--out", help="JSON file to write; name it in a config as prior_ranker.")],
    background: Background = None,
    config: Config = None,
) -> None:
    """Learn from several corpora what pairs about to converge look like, for corpora that have little past."""
    from pipeline.run_config import load_config
    from pipeline.train_prior import train_prior as train

    with _progress("train-prior") as progress:
        ranker = train(corpora, background, load_config(config, {}), progress)
    ranker.save(out)
    positives = sum(corpus["positives"] for corpus in ranker.card["corpora"])
    typer.echo(f"{out}: learnt from {positives:,} new links of {len(corpora)} corpora")


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
) -> None:
    """Rank the pairs of codes that will converge after a cutoff, for one firm, and report why."""
    settings = _settings(track, level, scheme, window, min_patents, recipe, encoder, seed)
    _run("forecast", corpus, [cutoff], firm, background, horizon or [], settings, config, extension or [], out)


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
) -> None:
    """Forecast from past cutoffs and measure against what came, beside every baseline."""
    settings = _settings(track, level, scheme, window, min_patents, recipe, encoder, seed)
    _run("backtest", corpus, cutoff, firm, background, horizon or [], settings, config, extension or [], out)


@app.command()
def opportunities(
    run_folder: Run,
    firm: Annotated[str, typer.Option(help="The firm: its name as an assignee, or a YAML file of its names.")],
    domain: Annotated[
        Path | None, typer.Option(help="The target domain: a YAML file of codes and/or a query, or one shipped.")
    ] = None,
    top_pairs: Annotated[
        int | None, typer.Option(min=1, help="Pairs at the head of the list that are refined to topics [20].")
    ] = None,
    judge: Judge = None,
    knowledge: Knowledge = None,
    recipe: TopicRecipe = "default",
    config: TopicsFile = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write below [the run's].")] = None,
) -> None:
    """Refine a run's pairs to topics: what exactly a firm could combine, and how it stands to win."""
    from pipeline.opportunities_config import load_opportunities_config
    from pipeline.run_opportunities import OpportunitiesRequest, find_opportunities

    settings: dict[str, dict[str, Any]] = {"topics": {"top_pairs": top_pairs}, "judge": {"judges": _judges(judge)}}
    asked = load_opportunities_config(config, recipe, settings)
    request = OpportunitiesRequest(run=run_folder, firm=firm, domain=domain, knowledge=knowledge, config=asked)
    with _progress("opportunities") as progress:
        folder = find_opportunities(request, out or run_folder, progress)
    typer.echo(f"{folder}: topics and topic-level opportunities")


@app.command(name="judge-validate")
def judge_validate(
    corpus: Corpus,
    cutoff: Annotated[datetime.datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day the judge may see.")],
    out: Out,
    horizon: Annotated[int | None, typer.Option(help="Years after the cutoff that are looked back on [3].")] = None,
    level: LevelOption = None,
    scheme: SchemeOption = None,
    encoder: EncoderOption = None,
    top_pairs: Annotated[int, typer.Option(min=1, help="Pairs at the head of the ranking refined to topics.")] = 40,
    sample: Annotated[int, typer.Option(min=2, help="Opportunities drawn for a judge to score.")] = 100,
    judge: Judge = None,
    knowledge: Knowledge = None,
    recipe: TopicRecipe = "default",
    config: TopicsFile = None,
) -> None:
    """Measure the scores of a past day against what was filed later: computed, judged, and by chance."""
    from pipeline.opportunities_config import load_opportunities_config
    from pipeline.run_config import load_config
    from pipeline.validate_judge import ValidateRequest, validate_by_hindsight

    settings: dict[str, dict[str, Any]] = {"topics": {"top_pairs": top_pairs}, "judge": {"judges": _judges(judge)}}
    task = {"task": {"horizon": horizon, "level": level, "scheme": scheme}, "encoder": {"model": encoder}}
    request = ValidateRequest(
        corpus=corpus,
        cutoff=cutoff.date(),
        run=load_config(None, task),
        config=load_opportunities_config(config, recipe, settings),
        sample=sample,
        knowledge=knowledge,
    )
    with _progress("judge-validate") as progress:
        table = validate_by_hindsight(request, out, progress)
    for line in table:
        typer.echo(line)
    typer.echo(f"{out}: hindsight.parquet, scores.parquet, validation.json")


@app.command()
def repeat(
    record: Annotated[Path, typer.Argument(help="The run.json of an earlier run, or its folder.")],
    out: Out,
    extension: Extensions = None,
) -> None:
    """Repeat an earlier run from its record."""
    from pipeline.extensions import load_extensions
    from pipeline.run import load_request, run

    for file in extension or []:
        load_extensions(file)
    request = load_request(record)
    with _progress(request.command) as progress:
        report_path = run(request, out, progress)
    typer.echo(f"report: {report_path}")


@app.command()
def report(
    run_folder: Run,
    firm: Annotated[str | None, typer.Option(help="The firm whose opportunity report is written.")] = None,
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
    from pipeline.report.firm.render import FORMATS, render_firm_report
    from pipeline.report.firm.tables import find_firm_folder

    asked = FORMATS if formats is None else [name.strip().lower() for name in formats.split(",")]
    for path in render_firm_report(find_firm_folder(run_folder, firm), asked):
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

    with _progress("export") as progress:
        progress(f"reading {run_folder}")
        record = export_run(run_folder, out, [name.strip() for name in formats.split(",")])
    for note in record["notes"]:
        typer.echo(f"note: {note}")
    typer.echo(f"{out}: {len(record['files']):,} files")


@app.command()
def sample(
    out: Out,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulation.")] = 7,
    patents: Annotated[int, typer.Option(help="About how many documents.")] = 6000,
) -> None:
    """Make the simulated corpus of the demo: no real patent is in it."""
    from pipeline.corpus.store import save_corpus
    from pipeline.sample.corpus import simulated_corpus

    save_corpus(simulated_corpus(seed, patents), out, simulated=True)
    typer.echo(f"{out}: a simulated corpus, no real patents")


app.add_typer(cli_corpus.app)


def main() -> None:
    """Run the command; a mistake of the user's is one line on standard error and exit code 2."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    signal.signal(signal.SIGTERM, _stop)
    try:
        app(standalone_mode=True)
    except TechconvergeError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


def _stop(signal_number: int, frame: object) -> NoReturn:
    """Leave by the ordinary way, so that what was half written is removed."""
    typer.echo("error: stopped; nothing was written", err=True)
    sys.exit(128 + signal_number)


def _judges(given: list[str] | None) -> list[str] | None:
    return None if given is None else [name for name in given if name != "none"]


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
    with _progress(command) as progress:
        report_path = run(request, out, progress)
    typer.echo(f"report: {report_path}")


@contextlib.contextmanager
def _progress(title: str) -> Iterator[Callable[[str], None]]:
    """A stage log with elapsed seconds on standard error."""
    start = time.monotonic()

    def log(message: str) -> None:
        console.print(
            f"{time.monotonic() - start:6.1f} s  {title}: {message}", highlight=False, markup=False, style="dim"
        )

    yield log
