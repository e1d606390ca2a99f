"""The command that is run again and again on a corpus that grows."""

import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import Config, Corpus, Firm, progress_log

app = typer.Typer()


@app.command()
def watch(
    corpus: Corpus,
    out: Annotated[Path, typer.Option("--out", help="Folder of the watch: the same one every time.")],
    firm: Firm = None,
    cutoff: Annotated[
        datetime.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Last day the forecast may see [the end of the last whole month]."),
    ] = None,
    config: Config = None,
) -> None:
    """Forecast a corpus that has grown, and tell what changed since the last time."""
    from pipeline.run_config import load_config
    from pipeline.watch.digest import PAGE
    from pipeline.watch.plan import WatchRequest
    from pipeline.watch.run import watch as watch_corpus

    day = cutoff.date() if cutoff else None
    request = WatchRequest(corpus=corpus, firm=firm, config=load_config(config, {}), cutoff=day)
    done = watch_corpus(request, out, progress_log("watch"))
    typer.echo(done.said)
    if done.changed:
        typer.echo(f"digest: {out / PAGE}")
