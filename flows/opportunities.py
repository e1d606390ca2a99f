"""The flow of step three: a finished run's pairs refined to one firm's topic-level opportunities, and its report."""

from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.tasks import SHOWN, worth_retrying
from pipeline.artifacts import read_table
from pipeline.report.firm.render import FORMATS, render_firm_report
from pipeline.run_opportunities import OpportunitiesRequest, find_opportunities


@flow(name="opportunities", flow_run_name="opportunities-{request[firm]}", persist_result=False)
def opportunities_flow(
    request: dict[str, Any], out: str, formats: tuple[str, ...] = FORMATS, force: bool = False
) -> list[str]:
    """Refine, judge where a judge is configured, write the firm's report; return the paths of its formats.

    ``request``: an ``OpportunitiesRequest`` as JSON values. ``out``: the run folder. Finished ones are left as they
    are; ``force`` starts over.
    """
    folder = refine(request, out, force)
    paths = write_report(folder, list(formats))
    show_opportunities(folder, paths[0])
    return paths


@task(name="refine", retries=2, retry_delay_seconds=[2, 10], retry_condition_fn=worth_retrying)
def refine(request: dict[str, Any], out: str, force: bool) -> str:
    """Topics, topic-level opportunities and verdicts; answers that a judge gave before are not asked for again."""
    asked = OpportunitiesRequest.model_validate(request)
    return str(find_opportunities(asked, Path(out), get_run_logger().info, force))


@task(name="firm-report", retries=2, retry_delay_seconds=[2, 10], retry_condition_fn=worth_retrying)
def write_report(folder: str, formats: list[str]) -> list[str]:
    """The firm's report beside its tables."""
    return [str(path) for path in render_firm_report(Path(folder), formats)]


@task(name="show-opportunities")
def show_opportunities(folder: str, report: str) -> None:
    """Put the head of the opportunities and the report's place on Prefect's page."""
    head = read_table(Path(folder) / "topic_opportunities.parquet").head(SHOWN).astype(str)
    table = {str(name): head[name].tolist() for name in head}
    create_table_artifact(key="topic-opportunities", table=table, description="Best first")
    create_markdown_artifact(key="firm-report", markdown=f"The firm's report: `{Path(report).absolute()}`")
