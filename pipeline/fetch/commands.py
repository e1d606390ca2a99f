"""``techconverge fetch``: the only commands that open a connection to a publisher."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Fetch public data from their publishers; nothing else connects to them.", no_args_is_help=True)

Out = Annotated[
    Path, typer.Option("--out", help="Folder for the files; what is there already is confirmed, not fetched.")
]
BaseUrl = Annotated[str | None, typer.Option("--base-url", help="Fetch from here (a mirror, a proxy), without a key.")]
Sources = Annotated[
    Path | None, typer.Option("--sources", help="Your own list of addresses, in place of the shipped one.")
]
Workers = Annotated[int, typer.Option("--parallel", min=1, max=16, help="Files fetched at once.")]


@app.command()
def patentsview(
    out: Out,
    tables: Annotated[str, typer.Option(help="Tables, joined by commas [those that a forecast reads].")] = "",
    years: Annotated[
        str, typer.Option(help="Years of grant, such as 2005-2024: `ingest` keeps these; claims are fetched by year.")
    ] = "",
    base_url: BaseUrl = None,
    sources: Sources = None,
    parallel: Workers = 4,
) -> None:
    """Fetch PatentsView's tables of US grants; then `techconverge ingest OUT --out corpus/`."""
    names = [name.strip() for name in tables.split(",") if name.strip()]
    _fetch("patentsview", names, years, out, base_url, sources, parallel)


@app.command()
def ipc(out: Out, base_url: BaseUrl = None, sources: Sources = None, parallel: Workers = 4) -> None:
    """Fetch the IPC: titles, and the inventory of symbols that `techconverge entry-dates` reads."""
    _fetch("ipc", [], "", out, base_url, sources, parallel)


def _fetch(
    source: str, names: Sequence[str], years: str, out: Path, base_url: str | None, sources: Path | None, parallel: int
) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from pipeline import __version__
    from pipeline.errors import FetchError
    from pipeline.fetch.download import download
    from pipeline.fetch.sources import load_sources, parse_years, wanted_files

    known = load_sources(sources)
    if source not in known:
        raise FetchError(f"{sources} has no source {source}: known are {', '.join(known)}")
    chosen = parse_years(years) if years else ()
    wanted = wanted_files(known[source], names, chosen, base_url)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks = {file.name: bars.add_task(file.name, total=None) for file in wanted}
        outcomes = download(
            wanted,
            out,
            {"techconverge": __version__, "source": source, "years": list(chosen)},
            lambda name, done, total: bars.update(tasks[name], completed=done, total=total),
            parallel,
        )
    for name, outcome in outcomes.items():
        typer.echo(f"{out / name}: {outcome}")
