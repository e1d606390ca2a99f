"""A run inside a flow: its parts, then the run folder; the same bytes as the command line's."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.artifacts import create_progress_artifact, update_progress_artifact

from flows.cluster import ClusterError, in_order, mapper_at, put_to, result, runner_at, workers_of
from flows.page import show_files, show_table
from flows.tasks import HOUR, MINUTE, Reference, file_hashes, once, reference, stage, still_there
from pipeline.artifacts import locked, read_json, read_table, sha256_json
from pipeline.parts import RECORD, PartRequest, cache_folder, check_same, code_hash, encode_texts, intact, versions
from pipeline.report.tables import metric_frame
from pipeline.report.words import model_name
from pipeline.resume import FINISHED, finished
from pipeline.run import assemble, check_request, compute_unless_optional, run_directory
from pipeline.run_request import RunRequest, part_requests

PART = (RECORD, "*.parquet", "fusion/*")
RUN = ("*.parquet", "ranked.csv", "*.json", "report.html", "fusion/*")
_KEY = re.compile("[0-9a-f]{64}")
KEPT = 60 * 24 * HOUR  # seconds for which a part that no run asks for is kept


@flow(name="techconverge", flow_run_name="{command}", persist_result=False)
def run_flow(
    command: str,
    request: dict[str, Any],
    out: str,
    parts_folder: str,
    force: bool = False,
    cluster: str | None = None,
) -> str:
    """Compute every part (or find it from an earlier run), assemble ``out``, return the report's path.

    ``request``: a ``RunRequest`` as JSON values. ``parts_folder``: where parts are kept between runs, by content.
    A finished run is left as it is; ``force`` starts over. ``cluster``: the address of a Dask scheduler, whose workers
    compute the parts; left out: they are computed here.
    """
    return make_run(RunRequest.model_validate(request), out, Path(parts_folder), force, cluster)


def make_run(
    asked: RunRequest,
    out: str,
    parts_folder: Path | None = None,
    force: bool = False,
    cluster: str | None = None,
) -> str:
    """The tasks of one run, called inside a flow; returns the report's path.

    ``parts_folder``: by default the parts lie with what else is kept between runs; see ``cache_folder``.
    """
    with locked(Path(out)):  # a finished one too: it may have been killed before its lock was gone
        if not force and finished(asked, Path(out)):
            get_run_logger().info(f"{out} {FINISHED}")
        else:
            _make(asked, out, parts_folder or cache_folder() / "parts", force, cluster)
    show(asked.command, out)
    return str(Path(out) / "report.html")


def _make(asked: RunRequest, out: str, folder: Path, force: bool, cluster: str | None) -> None:
    request = asked.model_dump(mode="json")
    key = _request_key(asked)
    check(key, request)
    wanted = part_requests(asked)
    progress: Any = create_progress_artifact(progress=0.0, key="progress", description=f"{asked.command}: parts done")
    parts: list[Reference] = []
    keys = [part.key() for part in wanted]
    if force:
        for content in keys:
            shutil.rmtree(folder / content, ignore_errors=True)
    calls = [
        (key, f"{part.cutoff}+{part.config.task.horizon}y", request, part.model_dump(mode="json"), str(folder / key))
        for key, part in zip(keys, wanted, strict=True)
    ]
    for made in _computed(calls, cluster):
        parts.append(made)
        update_progress_artifact(progress, progress=100 * len(parts) / len(wanted))
    # what was assembled before may lie there still, whole: forced, it is not taken for this run's
    assemble = assemble_run.with_options(refresh_cache=True) if force else assemble_run
    once(assemble, sha256_json([key, keys, str(Path(out).absolute())]), request, parts, out)
    _tidy(folder, keys)


def _computed(calls: list[tuple[Any, ...]], cluster: str | None) -> Iterator[Reference]:
    """What the tasks of the parts give, in order: one after the other here, or side by side on a cluster.

    Raises:
        ClusterError: the cluster cannot be used, or writes where nothing is seen of it here.
    """
    if cluster is None:
        yield from (once(compute_part, *call) for call in calls)
        return
    with runner_at(cluster) as runner:
        if not all(intact(Path(call[-1])) for call in calls):
            key, _, _, last, _ = calls[-1]
            result(put_to(runner, encode, key, last, cluster))  # once, and not by every part
        futures = (put_to(runner, compute_part, *call, cluster) for call in calls)
        # a part holds its corpus, also while it waits: no more at once than there are workers
        for call, made in zip(calls, in_order(futures, workers_of(runner)), strict=True):
            if not still_there(made):
                made = result(put_to(runner, compute_part.with_options(refresh_cache=True), *call, cluster))
            if not still_there(made):
                raise ClusterError(f"a worker wrote {call[-1]}, which is not here: all workers must share that folder")
            yield made


def _request_key(asked: RunRequest) -> str:
    """Hash of the request, of the files it names, and of the code."""
    manifests = [folder / "manifest.json" for folder in (asked.corpus, asked.background) if folder]
    files = file_hashes(*manifests, asked.config.prior_ranker_file(), asked.config.task.entry_dates)
    return sha256_json([asked.model_dump(mode="json"), files, code_hash(), versions()])


@stage("check", "check", 30 * MINUTE, reused=True)
def check(key: str, request: dict[str, Any]) -> None:
    """Refuse at once what cannot work."""
    check_request(RunRequest.model_validate(request))


@stage("encode", "encode", 12 * HOUR)
def encode(key: str, part: dict[str, Any], cluster: str) -> None:
    """Have the texts of a part encoded by all workers, for all parts whose patents are among its own."""
    with mapper_at(cluster) as mapper:
        encode_texts(PartRequest.model_validate(part), key, get_run_logger().info, mapper)


@stage("part", "part-{name}", 12 * HOUR, reused=True)
def compute_part(
    key: str, name: str, request: dict[str, Any], part: dict[str, Any], folder: str, cluster: str | None = None
) -> Reference:
    """Compute one part into ``folder``, unless it lies there whole; on a worker of the cluster where one is named."""
    asked, log = PartRequest.model_validate(part), get_run_logger().info
    with mapper_at(cluster) as mapper:
        if mapper:
            check_same(asked, key)
        reason = compute_unless_optional(RunRequest.model_validate(request), asked, Path(folder), log, mapper)
    return {"left_out": reason} if reason else reference(Path(folder), *PART)


@stage("assemble", "assemble-{out}", HOUR, reused=True)
def assemble_run(key: str, request: dict[str, Any], parts: list[Reference], out: str) -> Reference:
    """Write the run folder and its report from the parts."""
    with run_directory(Path(out)) as folder:
        assemble(
            RunRequest.model_validate(request),
            [Path(part["path"]) for part in parts if "path" in part],
            [part["left_out"] for part in parts if "left_out" in part],
            folder,
            get_run_logger().info,
        )
    return reference(Path(out), *RUN)


@stage("show", "show-{run}", 10 * MINUTE)
def show(command: str, run: str) -> None:
    """Put the head of the ranking, how good it was and the report's place on Prefect's page."""
    folder = Path(run)
    show_table("ranked-pairs", read_table(folder / "ranked.parquet"), "Pairs of codes, best first")
    tested = metric_frame(read_json(folder / "metrics.json"))
    tested = tested[tested["metric"] == "average_precision"].sort_values(["cutoff", "value"], ascending=[True, False])
    tested = tested.assign(model=tested["model"].map(model_name))[["cutoff", "model", "value", "low", "high"]]
    show_table("how-good", tested.round(3), "Average precision of the model and of every baseline, where tested")
    record = read_json(folder / "run.json")
    title = f"{command} of {', '.join(record['cutoffs'])}"
    show_files("report", title, [folder / "report.html", folder / "ranked.csv"], record["warnings"])


def _tidy(folder: Path, used: list[str]) -> None:
    """Remove parts that no run has asked for in a long time: a corpus that grows every week leaves some each week."""
    for path in folder.iterdir() if folder.exists() else ():
        if path.name in used:
            os.utime(path)
        elif _KEY.fullmatch(path.name) and time.time() - path.stat().st_mtime > KEPT:
            shutil.rmtree(path, ignore_errors=True)
