"""The ``techconverge`` command: the library's commands, and ``serve``, which alone of them needs Prefect."""

from pathlib import Path
from typing import Annotated

import typer

from flows import make_home
from pipeline.cli import app, main

__all__ = ["main"]


@app.command()
def serve(
    schedule: Annotated[
        list[str] | None,
        typer.Option(
            help="Run this deployment by its schedule in prefect.yaml: NAME; or by another: NAME='0 6 * * 1'."
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="The deployments [prefect.yaml here, else the one that comes with the project].")
    ] = None,
) -> None:
    """Run what is scheduled, or asked for on Prefect's page, on this machine until stopped (Ctrl-C)."""
    make_home()
    from flows.deployments import find_file, read_deployments, with_schedules
    from flows.serve import serve_all

    deployments = with_schedules(read_deployments(find_file(file)), schedule or [])
    serve_all(deployments, typer.echo)


if __name__ == "__main__":
    main()
