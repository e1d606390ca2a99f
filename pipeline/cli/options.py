"""What several commands share: their options, said once, and the log of their stages."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pipeline.config import Level, Recipe, Scheme, Track

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
Force = Annotated[
    bool, typer.Option("--force", help="Start over, even where the same run is finished or was interrupted.")
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


def progress_log(title: str) -> Callable[[str], None]:
    """A stage log with elapsed seconds on standard error."""
    start = time.monotonic()
    return lambda message: typer.secho(f"{time.monotonic() - start:6.1f} s  {title}: {message}", err=True, dim=True)
