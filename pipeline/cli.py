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

from pipeline import __version__, cli_corpus
from pipeline.config import Level, Recipe, Scheme, Track
from pipeline.errors import TechconvergeError

app = typer.Typer(
    name="techconverge",
    help="Forecast which technologies will converge, from patents, and what of it one firm can win.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
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
Firm = Annotated[str | None, typer.Option(help="The firm whose opportunities are ranked.")]


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
    files: Annotated[list[Path] | None, typer.Argument(help="Exports and tables of patents.")] = None,
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
) -> None:
    """Read files of patents into a corpus folder, or add them to one."""
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
            grown = grow(files or [], out, progress, families, groups, symbols)
            for name in grown.known:
                typer.echo(f"note: {name} is in the corpus already")
            if not grown.changed:
                typer.echo(f"{out}: nothing changed")
                return
            manifest = grown.manifest
        else:
            manifest = create(files or [], out, Cleaning(families or "merge", groups or NO_ALIASES, symbols), progress)
    cli_corpus.tell_ingested(manifest, out)


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
) -> None:
    """Rank the pairs of codes that will converge after a cutoff, for one firm, and report why."""
    settings = _settings(track, level, scheme, window, min_patents, recipe, encoder, seed)
    _run("forecast", corpus, [cutoff], firm, background, horizon or [], settings, config, out)


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
) -> None:
    """Forecast from past cutoffs and measure against what came, beside every baseline."""
    settings = _settings(track, level, scheme, window, min_patents, recipe, encoder, seed)
    _run("backtest", corpus, cutoff, firm, background, horizon or [], settings, config, out)


@app.command()
def repeat(
    record: Annotated[Path, typer.Argument(help="The run.json of an earlier run, or its folder.")], out: Out
) -> None:
    """Repeat an earlier run from its record."""
    from pipeline.run import load_request, run

    request = load_request(record)
    with _progress(request.command) as progress:
        report_path = run(request, out, progress)
    typer.echo(f"report: {report_path}")


@app.command()
def report(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A folder made by forecast or backtest.")],
) -> None:
    """Write the HTML report of a run again."""
    from pipeline.report.render import render_report

    typer.echo(f"report: {render_report(run_folder)}")


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
    out: Path,
) -> None:
    from pipeline.run import run
    from pipeline.run_config import load_config
    from pipeline.run_request import RunRequest

    days = tuple(sorted(cutoff.date() for cutoff in cutoffs))
    request = RunRequest(
        command=command,
        corpus=corpus,
        cutoffs=days,
        firm=firm,
        config=load_config(config, settings, horizons),
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
