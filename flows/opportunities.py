"""The flow of step three: a finished run's pairs refined to one firm's topic-level opportunities, and its report."""

from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger

from flows.cluster import mapper_at
from flows.page import show_files, show_table
from flows.report import Format, make_firm_report, written
from flows.storage import at_hand
from flows.tasks import HOUR, MINUTE, Reference, file_hashes, once, reference, stage
from pipeline.artifacts import read_record, read_table, sha256_json
from pipeline.errors import FirmError
from pipeline.opportunities_config import load_opportunities_config
from pipeline.parts import code_hash, versions
from pipeline.report.firm.render import FORMATS
from pipeline.run_opportunities import OpportunitiesRequest, find_opportunities

TABLES = ("*.parquet", "*.json")


@flow(name="opportunities", flow_run_name="opportunities-{run}", persist_result=False)
def opportunities(
    run: str = "runs/forecast",
    out: str | None = None,
    firm: str | None = None,
    domain: str | None = None,
    judge: list[str] | None = None,
    config: str | None = None,
    formats: list[Format] | None = None,
    cluster: str | None = None,
) -> list[str]:
    """Refine a run's pairs to topics and write the firm's report; returns the paths of its formats.

    Args:
        run: A folder made by forecast or backtest.
        out: Folder to write below. Left out: the run's, which can then not be written again before this is removed.
        firm: The firm, its name as an assignee, or a YAML file of its names. Left out: the run's.
        domain: The target domain, a YAML file of codes and/or a query, or one shipped.
        judge: Models that judge, as PROVIDER:NAME; their keys come from the environment of the run.
        config: YAML file with further settings of topics and judge.
        formats: Of the firm's report. Left out: all.
        cluster: The address of a Dask scheduler whose workers put the questions to the judges, as tcp://host:8786. Left
            out: this machine.
    """
    given = {"judge": {"judges": judge}} if judge is not None else {}
    with at_hand(run, out, domain, config) as (run, out, domain, config):
        asked = OpportunitiesRequest(
            run=Path(run),
            firm=firm or _firm_of(Path(run)),
            domain=Path(domain) if domain else None,
            config=load_opportunities_config(Path(config) if config else None, "default", given),
        )
        return make_opportunities(asked, out or run, list(formats or FORMATS), cluster=cluster)


@flow(name="techconverge-opportunities", flow_run_name="opportunities-{request[firm]}", persist_result=False)
def opportunities_flow(
    request: dict[str, Any],
    out: str,
    formats: tuple[str, ...] = FORMATS,
    force: bool = False,
    cluster: str | None = None,
) -> list[str]:
    """Refine, judge where a judge is configured, write the firm's report; return the paths of its formats.

    ``request``: an ``OpportunitiesRequest`` as JSON values. ``out``: the run folder. Finished ones are left as they
    are; ``force`` starts over. ``cluster``: the address of a Dask scheduler, whose workers put the questions.
    """
    return make_opportunities(OpportunitiesRequest.model_validate(request), out, list(formats), force, cluster)


def make_opportunities(
    asked: OpportunitiesRequest, out: str, formats: list[str], force: bool = False, cluster: str | None = None
) -> list[str]:
    """The tasks of one firm's opportunities, called inside a flow; returns the paths of its report."""
    arguments = (_key(asked, out), asked.firm, asked.model_dump(mode="json"), out, force, cluster)
    if force or asked.config.judge.judges:  # its answers are kept by themselves, and what failed is to be asked again
        made = refine.with_options(refresh_cache=True)(*arguments)
    else:
        made = once(refine, *arguments)
    paths = written([make_firm_report(Path(made["path"]), asked.run, formats)])
    show_opportunities(asked.firm, made["path"], [str(path) for path in paths])
    return [str(path) for path in paths]


def _key(asked: OpportunitiesRequest, out: str) -> str:
    """Hash of the request, of the run and the files that it names, and of the code."""
    files = file_hashes(asked.run / "run.json", asked.run / "predictions.parquet", asked.firm, asked.domain)
    request = asked.model_dump(mode="json")
    return sha256_json([request, files, str(Path(out).absolute()), code_hash(), versions()])


def _firm_of(run: Path) -> str:
    firm = read_record(run)["request"]["firm"]
    if firm is None:
        raise FirmError(f"{run} was made for no firm: name one")
    return str(firm)


@stage("refine", "refine-{firm}", 24 * HOUR, reused=True)
def refine(
    key: str, firm: str, request: dict[str, Any], out: str, force: bool, cluster: str | None = None
) -> Reference:
    """Topics, topic-level opportunities and verdicts; answers that a judge gave before are not asked for again."""
    asked = OpportunitiesRequest.model_validate(request)
    with mapper_at(cluster if asked.config.judge.judges else None) as mapper:
        return reference(find_opportunities(asked, Path(out), get_run_logger().info, force, mapper), *TABLES)


@stage("show-opportunities", "show-{firm}", 10 * MINUTE)
def show_opportunities(firm: str, folder: str, reports: list[str]) -> None:
    """Put the head of the opportunities and the report's place on Prefect's page."""
    table = read_table(Path(folder) / "topic_opportunities.parquet")
    show_table("topic-opportunities", table, "Topic-level opportunities, best first")
    show_files("firm-report", f"The report of {firm}", [Path(path) for path in reports])
