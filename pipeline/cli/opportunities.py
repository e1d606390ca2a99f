"""Commands of step three: pairs refined to a firm's topics, and what a judge's scores were worth."""

import datetime
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.options import (
    Corpus,
    EncoderOption,
    Force,
    Judge,
    Knowledge,
    LevelOption,
    Out,
    Run,
    SchemeOption,
    TopicRecipe,
    TopicsFile,
    progress_log,
)

app = typer.Typer()


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
    force: Force = False,
) -> None:
    """Refine a run's pairs to topics: what exactly a firm could combine, and how it stands to win."""
    from pipeline.artifacts import read_json
    from pipeline.opportunities_config import load_opportunities_config
    from pipeline.report.firm.tables import RECORD
    from pipeline.run_opportunities import OpportunitiesRequest, find_opportunities

    settings: dict[str, dict[str, Any]] = {"topics": {"top_pairs": top_pairs}, "judge": {"judges": _judges(judge)}}
    asked = load_opportunities_config(config, recipe, settings)
    request = OpportunitiesRequest(run=run_folder, firm=firm, domain=domain, knowledge=knowledge, config=asked)
    progress = progress_log("opportunities")
    folder = find_opportunities(request, out or run_folder, progress, force)
    typer.echo(f"{folder}: topics and topic-level opportunities")
    name = read_json(folder / RECORD)["firm"]["name"]
    typer.echo(f"next: techconverge report {shlex.quote(str(out or run_folder))} --firm {shlex.quote(name)}")


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
    sample: Annotated[
        int,
        typer.Option(
            min=2, help="Opportunities drawn for a judge to score, those filed on later first, up to half of them."
        ),
    ] = 100,
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
    progress = progress_log("judge-validate")
    table = validate_by_hindsight(request, out, progress)
    for line in table:
        typer.echo(line)
    typer.echo(f"{out}: hindsight.parquet, scores.parquet, validation.json")


def _judges(given: list[str] | None) -> list[str] | None:
    return None if given is None else [name for name in given if name != "none"]
