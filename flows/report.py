"""The flow that writes reports again, from what runs left on disk."""

from pathlib import Path
from typing import Literal

from prefect import flow

from flows.page import show_files
from flows.storage import at_hand
from flows.tasks import HOUR, Reference, once, reference, stage
from pipeline.artifacts import sha256_json
from pipeline.parts import code_hash, versions
from pipeline.report.firm.render import FORMATS, render_firm_report
from pipeline.report.firm.tables import find_firm_folder
from pipeline.report.render import render_report

Format = Literal["html", "xlsx", "md"]


@flow(name="report", flow_run_name="report-{run}", persist_result=False)
def report(
    run: str = "runs/forecast",
    opportunities: str | None = None,
    firm: str | None = None,
    formats: list[Format] | None = None,
) -> list[str]:
    """Write the report of a run, and a firm's where its opportunities are named; returns their paths.

    Args:
        run: A folder made by forecast or backtest.
        opportunities: The folder that a firm's opportunities were written below; it may be the run's. Left out: no
            firm's report.
        firm: The firm whose report is written. Left out: the only one's.
        formats: Of the firm's report. Left out: all.
    """
    with at_hand(run, opportunities) as (run, opportunities):
        made = [once(write_report, _key(Path(run), "*.json", "*.parquet"), run)]
        if opportunities is not None:
            folder = find_firm_folder(Path(opportunities), firm)
            made.append(make_firm_report(folder, Path(run), list(formats or FORMATS)))
        paths = written(made)
        show_files("reports", "Reports", paths)
        return [str(path) for path in paths]


def make_firm_report(folder: Path, run: Path, formats: list[str]) -> Reference:
    """A firm's report of its folder and its run, called inside a flow."""
    key = sha256_json([_key(folder, "*.json", "*.parquet"), _key(run, "run.json"), formats])
    return once(write_firm_report, key, folder.name, str(folder), formats)


def written(reports: list[Reference]) -> list[Path]:
    """The files that were made."""
    return [Path(each["path"]) / name for each in reports for name in each["files"].split()]


def _key(folder: Path, *patterns: str) -> str:
    """Hash of what a report is made of."""
    return sha256_json([reference(folder, *patterns), str(folder.absolute()), code_hash(), versions()])


@stage("report", "report-{run}", HOUR, reused=True)
def write_report(key: str, run: str) -> Reference:
    """The report of a run, beside its tables."""
    return reference(Path(run), render_report(Path(run)).name)


@stage("firm-report", "firm-report-{firm}", HOUR, reused=True)
def write_firm_report(key: str, firm: str, folder: str, formats: list[str]) -> Reference:
    """The firm's report, beside its tables."""
    return reference(Path(folder), *(path.name for path in render_firm_report(Path(folder), formats)))
