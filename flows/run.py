"""The flow of a forecast or a backtest: its parts, then the run folder; the same bytes as the command line's."""

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.artifacts import create_progress_artifact, update_progress_artifact

from flows.tasks import Reference, assemble_run, compute_part, show, still_there
from pipeline.run import check_request
from pipeline.run_request import RunRequest, part_requests


@flow(name="techconverge", flow_run_name="{command}", persist_result=False)
def run_flow(command: str, request: dict[str, Any], out: str, parts_folder: str) -> str:
    """Compute every part (or find it from an earlier run), assemble ``out``, return the report's path.

    ``request``: a ``RunRequest`` as JSON values. ``parts_folder``: where parts are kept between runs, by content.
    """
    asked = RunRequest.model_validate(request)
    check_request(asked)
    wanted = part_requests(asked)
    progress: Any = create_progress_artifact(progress=0.0, key="progress", description=f"{command}: parts done")
    parts: list[Reference] = []
    for number, part in enumerate(wanted, start=1):
        folder = Path(parts_folder) / part.key()
        name = f"{part.cutoff}+{part.config.task.horizon}y"
        arguments = (part.key(), name, request, part.model_dump(mode="json"), str(folder))
        done = compute_part(*arguments)
        if not still_there(done):  # the cache remembers a folder that someone has since removed or changed
            done = compute_part.with_options(refresh_cache=True)(*arguments)
        parts.append(done)
        update_progress_artifact(progress, progress=100 * number / len(wanted))
    report = assemble_run(request, parts, out)
    show(report)
    return report
