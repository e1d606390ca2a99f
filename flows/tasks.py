"""The tasks: each does one stage of ``pipeline`` on files and hands on a reference to what it wrote."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import CacheKeyFnPolicy

from pipeline.artifacts import read_table, sha256_file
from pipeline.errors import TechconvergeError
from pipeline.parts import RECORD, PartRequest, intact
from pipeline.run import assemble, compute_unless_optional, run_directory
from pipeline.run_request import RunRequest

Reference = dict[str, str]  # path and sha256 of a part's manifest; or, of one that was impossible, the reason
Progress = Callable[[str], None]

SHOWN = 20  # rows of the table in Prefect's page


def worth_retrying(task: Any, run: Any, state: Any) -> bool:
    """Not what the user must mend: it would fail again."""
    return not isinstance(state.result(raise_on_failure=False), TechconvergeError)


def _key(context: Any, parameters: dict[str, Any]) -> str:
    return str(parameters["key"])


@task(
    name="part",
    task_run_name="part-{name}",
    retries=2,
    retry_delay_seconds=[2, 10],
    retry_condition_fn=worth_retrying,
    persist_result=True,
    result_serializer="json",  # not Prefect's default, pickle: result files may come from elsewhere
    cache_policy=CacheKeyFnPolicy(cache_key_fn=_key),
)
def compute_part(key: str, name: str, request: dict[str, Any], part: dict[str, Any], folder: str) -> Reference:
    """Compute one part into ``folder``, unless it lies there whole."""
    reason = compute_unless_optional(
        RunRequest.model_validate(request), PartRequest.model_validate(part), Path(folder), get_run_logger().info
    )
    return {"left_out": reason} if reason else reference(Path(folder))


@task(
    name="assemble",
    task_run_name="assemble-{out}",
    retries=2,
    retry_delay_seconds=[2, 10],
    retry_condition_fn=worth_retrying,
)
def assemble_run(request: dict[str, Any], parts: list[Reference], out: str) -> str:
    """Write the run folder and its report from the parts; return the report's path."""
    with run_directory(Path(out)) as folder:
        assemble(
            RunRequest.model_validate(request),
            [Path(part["path"]) for part in parts if "path" in part],
            [part["left_out"] for part in parts if "left_out" in part],
            folder,
            get_run_logger().info,
        )
    return str(Path(out) / "report.html")


@task(name="show")
def show(report: str) -> None:
    """Put the head of the ranking and the report's place on Prefect's page."""
    head = read_table(Path(report).parent / "ranked.parquet").head(SHOWN).astype(str)
    table = {str(name): head[name].tolist() for name in head}
    create_table_artifact(key="ranked-pairs", table=table, description="Best first")
    create_markdown_artifact(key="report", markdown=f"The report: `{Path(report).absolute()}`")


def reference(folder: Path) -> Reference:
    """Where a part lies, and the hash by which a later reader knows that it is still the same one."""
    return {"path": str(folder), "sha256": sha256_file(folder / RECORD)}


def still_there(part: Reference) -> bool:
    """Whether what a cached reference points to is there, whole and unchanged."""
    if "left_out" in part:
        return True
    folder = Path(part["path"])
    return intact(folder) and sha256_file(folder / RECORD) == part["sha256"]
