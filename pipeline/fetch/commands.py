"""``techconverge fetch``: the only commands that open a connection to a publisher."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipeline.fetch.api import Line
    from pipeline.fetch.harvest import Service
    from pipeline.fetch.sources import Source

_LONG = 5.0  # seconds of waiting that are told

app = typer.Typer(help="Fetch public data from their publishers; nothing else connects to them.", no_args_is_help=True)

Out = Annotated[
    Path, typer.Option("--out", help="Folder for the files; what is there already is confirmed, not fetched.")
]
BaseUrl = Annotated[str | None, typer.Option("--base-url", help="Fetch from here (a mirror, a proxy), without a key.")]
ApiUrl = Annotated[
    str | None, typer.Option("--base-url", help="Ask here (a proxy of yours): the key is sent there, by https only.")
]
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


@app.command()
def ops(
    query: Annotated[str, typer.Argument(help="A question in CQL, such as 'cpc=H02J15 and pd within \"2005 2024\"'.")],
    out: Out,
    base_url: ApiUrl = None,
    sources: Sources = None,
) -> None:
    """Fetch what a question to EPO's OPS finds, as XML that `ingest` reads; the key is in OPS_KEY and OPS_SECRET."""
    from pipeline.fetch.api import key_from
    from pipeline.fetch.ops import KEY, SECRET, WHERE, Ops

    token, search = _addresses("ops", ("token", "search"), sources, base_url)
    key, secret = (key_from(name, "OPS", WHERE) for name in (KEY, SECRET))
    _harvest(lambda line: Ops(line, token, search, query, key, secret), {"query": query, "data": "biblio"}, out, search)


@app.command()
def lens(
    question: Annotated[str, typer.Argument(help="A query as text, or a JSON file with a request of the Lens API.")],
    out: Out,
    base_url: ApiUrl = None,
    sources: Sources = None,
) -> None:
    """Fetch what a question to the Lens patent API finds, as JSON lines for `ingest`; the key is in LENS_API_TOKEN."""
    from pipeline.fetch.api import key_from
    from pipeline.fetch.lens import TOKEN, WHERE, Lens
    from pipeline.fetch.lens import question as body_of

    (search,) = _addresses("lens", ("search",), sources, base_url)
    body, token = body_of(question), key_from(TOKEN, "the Lens", WHERE)
    _harvest(lambda line: Lens(line, search, body, token), body, out, search)


def _source(name: str, sources: Path | None) -> "Source":
    from pipeline.errors import FetchError
    from pipeline.fetch.sources import load_sources

    known = load_sources(sources)
    if name not in known:
        raise FetchError(f"{sources} has no source {name}: known are {', '.join(known)}")
    return known[name]


def _addresses(name: str, wanted: Sequence[str], sources: Path | None, base_url: str | None) -> list[str]:
    from pipeline.errors import FetchError
    from pipeline.fetch.api import base_address

    source = _source(name, sources)
    lacking = [part for part in wanted if part not in source.files]
    if lacking:
        raise FetchError(f"{sources}: {name} has no address of {', '.join(lacking)}")
    base = base_address(base_url or source.base_url)
    return [f"{base}/{source.files[part]}" for part in wanted]


def _harvest(service: Callable[["Line"], "Service"], asked: Mapping[str, Any], out: Path, address: str) -> None:
    import contextlib
    import time

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from pipeline import __version__
    from pipeline.fetch.api import Line
    from pipeline.fetch.harvest import harvest

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("results", total=None)

        def wait(seconds: float) -> None:
            if seconds > _LONG:
                bars.update(task, description=f"results (the server has us wait {seconds:,.0f} s)")
            time.sleep(seconds)
            bars.update(task, description="results")

        with contextlib.closing(Line(wait)) as line:
            notes = {"techconverge": __version__, "address": address}
            found = harvest(
                service(line),
                asked,
                out,
                notes,
                lambda done, promised: bars.update(task, completed=done, total=promised),
            )
    typer.echo(f"{found.path}: {found.outcome}; promised {found.promised:,}, written {found.written:,}")
    for lacking in found.lacking:
        typer.echo(f"warning: {lacking}", err=True)
    typer.echo(f"next: techconverge ingest {found.path} --out corpus/")


def _fetch(
    source: str, names: Sequence[str], years: str, out: Path, base_url: str | None, sources: Path | None, parallel: int
) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from pipeline import __version__
    from pipeline.fetch.download import download
    from pipeline.fetch.sources import parse_years, wanted_files

    publisher = _source(source, sources)
    chosen = parse_years(years) if years else ()
    wanted = wanted_files(publisher, names, chosen, base_url)
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
