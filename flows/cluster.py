"""Heavy maps on a Dask cluster, by the address of its scheduler: Prefect tasks on Prefect's Dask task runner.

A task that maps further runs on a worker itself; while it waits it leaves its place there to others. Who was on a
worker that is lost is started anew on another, and every attempt is one more state of its task run.
"""

import contextlib
import functools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from prefect import Task
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.utilities.callables import get_call_parameters

from flows.tasks import HOUR, stage
from pipeline.artifacts import sha256_json
from pipeline.errors import TechconvergeError
from pipeline.mapping import Item, Made, Mapper
from pipeline.parts import code_hash, versions

if TYPE_CHECKING:
    from prefect_dask.task_runners import DaskTaskRunner

AHEAD = 2  # items a worker that are handed out before they are waited for
ANSWERED_WITHIN = 30  # seconds that a scheduler is given to answer


class ClusterError(TechconvergeError):
    """A Dask cluster cannot be used."""


@contextlib.contextmanager
def runner_at(address: str) -> Iterator["DaskTaskRunner"]:
    """Prefect's task runner on a cluster; its tasks report to the server that this run reports to.

    Raises:
        ClusterError: no scheduler answers, or its workers are not such as give the same results.
    """
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError as error:
        raise ClusterError("a cluster needs more packages: pip install 'techconverge[cluster]'") from error
    run = FlowRunContext.get()
    assert run is not None, "called outside a flow"
    # a temporary server is known to nobody but the client of the flow
    server = temporary_settings({PREFECT_API_URL: str(run.client.api_url)})
    # results come from the workers that have them, past the scheduler
    client = {"direct_to_workers": True, "timeout": ANSWERED_WITHIN}
    with server, DaskTaskRunner(address=address, client_kwargs=client) as runner:
        try:
            threads: dict[str, int] = runner.client.nthreads()  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise ClusterError(f"no Dask scheduler answers at {address}") from error
        if any(count != 1 for count in threads.values()):
            raise ClusterError(f"workers of {address} have several threads: start them with --nthreads 1")
        yield runner


@contextlib.contextmanager
def mapper_at(address: str | None) -> Iterator[Mapper | None]:
    """What maps on a cluster, inside a task; None where no cluster is named."""
    if address is None:
        yield None
        return
    with runner_at(address) as runner:
        yield functools.partial(_map, runner)


def _map(runner: "DaskTaskRunner", function: Callable[[Item], Made], items: Iterable[Item], /) -> Iterator[Made]:
    name = _name(function)
    futures = (put_to(runner, apply, name, program(), function, item) for item in items)
    with _place_left():
        yield from in_order(futures, AHEAD * workers_of(runner))


def in_order(futures: Iterable[Any], ahead: int) -> Iterator[Any]:
    """The results of futures that are made as they are drawn, so many ``ahead`` of the result that is waited for."""
    waiting: deque[Any] = deque()
    for future in futures:
        waiting.append(future)
        if len(waiting) >= ahead:
            yield result(waiting.popleft())
    while waiting:
        yield result(waiting.popleft())


def workers_of(runner: "DaskTaskRunner") -> int:
    """How many workers there are now; one, where they are still to come."""
    return max(len(runner.client.nthreads()), 1)  # type: ignore[no-untyped-call]


def _name(function: Any) -> str:
    """What the page calls an item: the function that is bound innermost."""
    while isinstance(function, functools.partial):
        bound = [argument for argument in function.args if callable(argument)]
        function = bound[-1] if bound else function.func
    return str(function.__name__).strip("_").replace("_", "-")


def _place_left() -> contextlib.AbstractContextManager[Any]:
    """On a worker: let it do something else while this thread waits."""
    from distributed import get_worker, worker_client

    try:
        get_worker()
    except ValueError:
        return contextlib.nullcontext()
    return worker_client()


@stage("map", "{name}", 12 * HOUR)
def apply(name: str, wanted: str, function: Callable[[Item], Made], item: Item) -> Made:
    """One item of a map, by a worker whose program is the one wanted."""
    if program() != wanted:
        raise ClusterError("a worker has another version of techconverge, of Python or of a package: install the same")
    return function(item)


def program() -> str:
    """Hash of the code and of what it rests on."""
    return sha256_json([code_hash(), versions()])


def put_to(runner: "DaskTaskRunner", task: Task[..., Any], *arguments: Any) -> Any:
    """The future of a task that is handed to the cluster."""
    untimed = task.with_options(timeout_seconds=0)  # none: in a worker's thread no task can be ended
    return runner.submit(untimed, get_call_parameters(task.fn, arguments, {}))


def result(future: Any) -> Any:
    """What the task gave, when it has.

    Raises:
        ClusterError: one worker after the other was lost with it.
    """
    from distributed.scheduler import KilledWorker

    try:
        return future.result()
    except KilledWorker as error:
        raise ClusterError("worker after worker was lost with one task: see their logs, and their memory") from error
