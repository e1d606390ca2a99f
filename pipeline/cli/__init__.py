"""The command line. It starts at once: what is heavy is imported by the command that needs it."""

import logging
import re
import signal
import sys
from typing import Annotated, NoReturn

import typer

from pipeline import __version__
from pipeline.cli import corpora, corpus, knowledge, opportunities, runs, watch
from pipeline.errors import TechconvergeError
from pipeline.fetch.commands import app as fetch_app

_STORED = re.compile(r"(?<!http)(?<!https)://")  # what makes loading the storage worth its time

app = typer.Typer(
    name="techconverge",
    help="Forecast which technologies will converge, from patents, and what of it one firm can win.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for commands in (corpora, runs, opportunities, watch):
    app.add_typer(commands.app)
app.add_typer(corpus.app)
app.add_typer(knowledge.app, name="knowledge", no_args_is_help=True)
app.add_typer(fetch_app, name="fetch")


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"techconverge {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command; a mistake of the user's is one line on standard error and exit code 2."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    signal.signal(signal.SIGTERM, _stop)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where a shell made it deaf to Ctrl-C
        signal.signal(signal.SIGINT, _stop)
    try:
        run(sys.argv[1:])
    except TechconvergeError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


def run(words: list[str]) -> None:
    """Run a command; URLs among its words stand for folders and files on shared storage."""
    if not any(_STORED.search(word) for word in words):
        app(args=words)
        return
    from pipeline.parts import cache_folder
    from pipeline.storage import local_copies

    with local_copies(words, cache_folder() / "copies") as local:
        try:
            app(args=local)
        except SystemExit as end:  # so it ends in any case; what failed is not published
            if end.code:
                raise


def _stop(signal_number: int, frame: object) -> NoReturn:
    """Leave by the ordinary way, so that what was half written is removed; the second time, at once."""
    signal.signal(signal_number, signal.SIG_DFL)
    typer.echo("stopping (once more stops at once); the same command goes on from what is kept", err=True)
    if signal_number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + signal_number)
