"""The flow of a forecast or a backtest: its parts, then the run folder; the same bytes as the command line's."""

import shutil
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.artifacts import create_progress_artifact, update_progress_artifact

from flows.tasks import Reference, assemble_run, compute_part, show, still_there
from pipeline.artifacts import locked
from pipeline.resume import FINISHED, finished
from pipeline.run import check_request
from pipeline.run_request import RunRequest, part_requests


@flow(name="techconverge", flow_run_name="{command}", persist_result=False)
def run_flow(command: str, request: dict[str, Any], out: str, parts_folder: str, force: bool = False) -> str:
    """Compute every part (or find it from an earlier run), assemble ``out``, return the report's path.

    ``request``: a ``RunRequest`` as JSON values. ``parts_folder``: where parts are kept between runs, by content.
    A finished run is left as it is; ``force`` starts over.
    """
    asked = RunRequest.model_validate(request)
    if not force and finished(asked, Path(out)):
        get_run_logger().info(f"{out} {FINISHED}")
        return str(Path(out) / "report.html")
    check_request(asked)
    with locked(Path(out)):
        report = _run(command, asked, out, Path(parts_folder), force)
    show(report)
    return report


def _run(command: str, asked: RunRequest, out: str, parts_folder: Path, force: bool) -> str:
    request, wanted = asked.model_dump(mode="json"), part_requests(asked)
    progress: Any = create_progress_artifact(progress=0.0, key="progress", description=f"{command}: parts done")
    parts: list[Reference] = []
    for number, part in enumerate(wanted, start=1):
        folder = parts_folder / part.key()
        if force:
            shutil.rmtree(folder, ignore_errors=True)
        name = f"{part.cutoff}+{part.config.task.horizon}y"
        arguments = (part.key(), name, request, part.model_dump(mode="json"), str(folder))
        done = compute_part(*arguments)
        if not still_there(done):  # the cache remembers a folder that someone has since removed or changed
            done = compute_part.with_options(refresh_cache=True)(*arguments)
        parts.append(done)
        update_progress_artifact(progress, progress=100 * number / len(wanted))
    return assemble_run(request, parts, out)
