"""Runs on a Dask cluster: a scheduler and two workers as processes of their own, on loopback."""

import datetime
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from cases import PROJECT
from distributed import Client
from judge.case import TWO
from judge.server import fair, serving
from postgres import free_port
from runs import FEW_BLOCKS, FIRM, asked, silent_run, stored

from pipeline.corpus.readers import SourceTable
from pipeline.run_opportunities import OpportunitiesRequest, find_opportunities
from pipeline.run_request import RunRequest

pytestmark = pytest.mark.slow

OWN = ("run.json", "report.html")  # hold timings
WORKERS = 2


class Cluster:
    """The processes of a cluster, and what it is doing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.began = datetime.datetime.now(tz=datetime.UTC)
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.settings = os.environ | {"PYTHONPATH": f"{PROJECT / 'tests'}{os.pathsep}{PROJECT}", "DO_NOT_TRACK": "1"}
        self.settings |= {"OPENAI_API_KEY": "of the workers"}
        self.processes: list[subprocess.Popen[bytes]] = []
        self.start("scheduler", "--host", "127.0.0.1", "--port", self.address.rpartition(":")[2], "--no-dashboard")
        for _ in range(WORKERS):
            self.start_worker()
        self.client = Client(self.address, timeout=60, set_as_default=False)
        self.await_workers(WORKERS)

    def start(self, *command: str) -> None:
        with (self.folder / "log").open("ab") as log:
            program = [sys.executable, "-m", "dask", *command]
            self.processes.append(subprocess.Popen(program, cwd=self.folder, env=self.settings, stdout=log, stderr=log))

    def start_worker(self, threads: int = 1) -> None:
        where = ("--host", "127.0.0.1", "--no-dashboard", "--no-nanny", "--local-directory", str(self.folder / "dask"))
        self.start("worker", self.address, "--nthreads", str(threads), *where)

    def process_that_does(self, task: str) -> int | None:
        """The process of a worker that runs a task of this name."""
        for worker, keys in self.client.processing().items():
            if any(str(key).startswith(task) for key in keys):
                return int(self.client.run(os.getpid, workers=[worker])[worker])
        return None

    def await_workers(self, count: int) -> None:
        self.client.wait_for_workers(count, timeout=60)

    def stop(self) -> None:
        self.client.close()
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that the flow and the workers share."""
    folder = tmp_path_factory.mktemp("cluster")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(folder / "prefect"))
        patch.setenv("TECHCONVERGE_CACHE", str(folder / "cache"))
        yield folder


@pytest.fixture(scope="module")
def cluster(base: Path) -> Iterator[Cluster]:
    made = Cluster(base)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def request_values(sample_rows: SourceTable, base: Path) -> dict[str, Any]:
    corpus = stored(sample_rows, base / "corpus")
    # a seed of its own: what another module of this process computed of the same key may be gone, and be made twice
    request = asked("forecast", corpus, "2016-12-31", firm=FIRM, features=FEW_BLOCKS, task={"level": "class"}, seed=71)
    return request.model_dump(mode="json")


def here(request: dict[str, Any], folder: Path) -> dict[str, str]:
    """What the command line writes, computed in this process."""
    return digests(silent_run(RunRequest.model_validate(request), folder))


def digests(run: Path) -> dict[str, str]:
    files = (path for path in run.rglob("*") if path.is_file() and path.name not in OWN)
    return {path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def on_cluster(request: dict[str, Any], folder: Path, address: str) -> dict[str, str]:
    from flows.run import run_flow

    return digests(Path(run_flow("forecast", request, str(folder), f"{folder}-parts", cluster=address)).parent)


def attempts(cluster: Cluster, name: str) -> list[int]:
    """How often each task run whose name begins so was begun, as Prefect has it on record since the cluster is there.

    Other modules of this process may have left theirs on the same server.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import TaskRunFilter, TaskRunFilterStartTime

    since = TaskRunFilter(start_time=TaskRunFilterStartTime(after_=cluster.began))
    with get_client(sync_client=True) as client:
        runs = [run for run in client.read_task_runs(task_run_filter=since) if run.name.startswith(name)]
        states = [client.request("GET", "/task_run_states/", params={"task_run_id": str(run.id)}) for run in runs]
    return [sum(state["type"] == "RUNNING" for state in each.json()) for each in states]


def test_a_run_on_a_cluster_is_the_run_of_one_process(
    cluster: Cluster, request_values: dict[str, Any], base: Path
) -> None:
    assert on_cluster(request_values, base / "there", cluster.address) == here(request_values, base / "here")
    assert attempts(cluster, "past-origin") == [1] * 8  # of two parts; on whichever worker was free
    assert attempts(cluster, "part") == [1, 1]


def test_a_worker_killed_in_the_middle_costs_an_attempt_and_changes_nothing(
    cluster: Cluster, request_values: dict[str, Any], base: Path
) -> None:
    request = request_values | {"config": request_values["config"] | {"seed": 72}}  # no part of it was computed before
    before = len(attempts(cluster, "part"))
    killed: list[int] = []

    def kill() -> None:
        end = time.monotonic() + 60
        while not killed and time.monotonic() < end:
            begun = sum(attempts(cluster, "part")) > before  # and on record
            if begun and (process := cluster.process_that_does("compute_part")):
                os.kill(process, signal.SIGKILL)
                killed.append(process)

    killer = threading.Thread(target=kill)
    killer.start()
    there = on_cluster(request, base / "killed", cluster.address)
    killer.join()
    assert killed
    assert there == here(request, base / "spared")
    assert max(attempts(cluster, "part")) == 2


def test_files_are_read_on_the_cluster(cluster: Cluster, sample_rows: SourceTable, base: Path) -> None:
    from flows.ingest import ingest
    from pipeline.corpus.grow import create
    from pipeline.corpus.ingest import Cleaning
    from pipeline.corpus.store import load_manifest

    (base / "exports").mkdir()
    frame = sample_rows.frame
    for number in range(3):
        frame.iloc[number::3].to_csv(base / "exports" / f"{number}.csv", index=False)
    files = sorted((base / "exports").iterdir())
    url = f"memory://{base.name}/corpus"
    corpus = ingest([str(file) for file in files], url, cluster=cluster.address)
    assert load_manifest(Path(corpus)) == create(files, base / "by-hand", Cleaning(), lambda message: None)
    published = fsspec.filesystem("memory").cat_file(f"/{base.name}/corpus/manifest.json")
    assert json.loads(published) == load_manifest(Path(corpus))
    assert attempts(cluster, "read-source") == [1, 1, 1]


def test_judges_are_asked_by_the_workers(
    cluster: Cluster, request_values: dict[str, Any], base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.opportunities import opportunities_flow

    monkeypatch.setenv("OPENAI_API_KEY", "of this process")
    run = silent_run(RunRequest.model_validate(request_values), base / "run")
    with serving(fair) as server:
        judge = {"judges": ["openai:scripted"], "base_url": server.url, "rubric": str(TWO), "evidence": 0}
        config = {"topics": {"top_pairs": 2}, "judge": judge, "judged": 2}
        values = {"run": str(run), "firm": FIRM, "config": config}
        opportunities_flow(values, str(base / "asked-there"), ["md"], cluster=cluster.address)
        keys = [request.headers["authorization"] for request in server.requests]
        questions = 2 * 2 * 5  # opportunities, criteria, repeats
        assert keys[:questions] == ["Bearer of the workers"] * questions
        assert set(keys[questions:]) == {"Bearer of this process"}  # which names the topics
        monkeypatch.setenv("TECHCONVERGE_CACHE", str(base / "other-cache"))  # where nothing is answered yet
        asked = OpportunitiesRequest.model_validate(values)
        here = find_opportunities(asked, base / "asked-here", lambda message: None)
        assert len(server.requests) == 2 * len(keys)
    there = base / "asked-there" / here.name
    names = [path.name for path in here.iterdir() if path.suffix in (".parquet", ".json", ".jsonl")]
    assert {"verdicts.parquet", "judge.json", "transcript.jsonl"} < set(names)
    assert [name for name in names if (there / name).read_bytes() != (here / name).read_bytes()] == []


def test_workers_of_several_threads_are_refused(cluster: Cluster, request_values: dict[str, Any], base: Path) -> None:
    from flows.cluster import ClusterError

    cluster.start_worker(threads=2)
    cluster.await_workers(2)  # one was killed
    request = request_values | {"config": request_values["config"] | {"seed": 73}}
    with pytest.raises(ClusterError, match="--nthreads 1"):
        on_cluster(request, base / "refused", cluster.address)


def test_an_address_where_nobody_answers_is_told(
    request_values: dict[str, Any], base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import cluster as module

    monkeypatch.setattr(module, "ANSWERED_WITHIN", 1)
    request = request_values | {"config": request_values["config"] | {"seed": 74}}
    nowhere = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(module.ClusterError, match=f"no Dask scheduler answers at {nowhere}"):
        on_cluster(request, base / "nobody", nowhere)
