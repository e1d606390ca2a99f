"""One machine's scheduler: its deployments served from this process, and a local server beside it where none is named.

The server is stopped after what it serves, and runs in a session of its own so that Ctrl-C does not reach it first:
stopping a server under a runner can hang the runner.
"""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import MissingFlowError
from prefect.runner import Runner
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_HOME,
    PREFECT_LOGGING_LEVEL,
    PREFECT_SERVER_API_PORT,
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS,
    temporary_settings,
)
from prefect.states import Crashed

from flows.deployments import Deployment
from pipeline.errors import ConfigError, TechconvergeError

HOST = "127.0.0.1"
AT_ONCE = 1  # runs: they share the memory, and a weekly chain goes in the order of its times
STOPPED_WITHIN = 20  # seconds that the server is given to stop


class ServeError(TechconvergeError):
    """Nothing can be served."""


def serve_all(deployments: list[Deployment], tell: Callable[[str], None]) -> None:
    """Serve until stopped, against ``PREFECT_API_URL`` if set, else against a local server that is stopped at the end.

    Raises:
        ServeError: the server does not start, or its port is taken.
        ConfigError: a deployment's flow or schedule is not what it should be.
    """
    made = [_deployment(each) for each in deployments]
    named = PREFECT_API_URL.value()
    _stop_alike()
    try:
        with (
            contextlib.nullcontext(named) if named else local_server(tell) as url,
            temporary_settings({PREFECT_API_URL: url, PREFECT_LOGGING_LEVEL: "INFO"}),  # the page tells what a run does
        ):
            runner = Runner(pause_on_shutdown=True, limit=AT_ONCE)
            for each in made:
                runner.add_deployment(each)
            if not named:
                _end_lost()
            for line in _told(deployments, made, url):
                tell(line)
            runner.handle_sigterm = _interrupt  # type: ignore[method-assign] # its own leaves a coroutine behind
            asyncio.run(runner.start())
    except KeyboardInterrupt:
        tell("stopped")


def _end_lost() -> None:
    """End what the server's data say is running: nobody runs it any more, and it holds the place of the next run.

    Only on a server of our own, which serves nobody else. The next run takes what these had finished.
    """
    running = FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING, StateType.CANCELLING])
    lost = FlowRunFilter(state=FlowRunFilterState(type=running))
    with get_client(sync_client=True) as client:
        for run in client.read_flow_runs(flow_run_filter=lost):
            client.set_flow_run_state(run.id, Crashed(message="techconverge serve was stopped meanwhile"), force=True)


def _stop_alike() -> None:
    """Have SIGTERM end it as Ctrl-C does, also where a shell has made a background process deaf to that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(*_: Any) -> None:
    signal.raise_signal(signal.SIGINT)


def _deployment(each: Deployment) -> RunnerDeployment:
    try:
        return RunnerDeployment.from_entrypoint(
            each.entrypoint,
            name=each.name,
            description=each.description or None,
            parameters=each.parameters,
            tags=list(each.tags),
            concurrency_limit=each.concurrency_limit,
            schedules=[
                {"schedule": CronSchedule(cron=one.cron, timezone=one.timezone), "active": one.active}
                for one in each.schedules
            ],
        )
    except (ImportError, AttributeError, ValueError, MissingFlowError) as error:
        raise ConfigError(f"deployment {each.name}: {' '.join(str(error).split())}") from error


def _told(deployments: list[Deployment], made: list[RunnerDeployment], url: str) -> Iterator[str]:
    """What is served, where the page is, how to trigger a run."""
    yield "serving (stop with Ctrl-C):"
    for each, runner in zip(deployments, made, strict=True):
        crons = [f"{one.cron} {one.timezone or 'UTC'}" for one in each.schedules if one.active]
        yield f"  {runner.full_name:<30} {'; '.join(crons) or 'when asked for'}"
    yield f"page: {url.removesuffix('/api')}/deployments"
    yield f"run one: there, or PREFECT_API_URL={url} prefect deployment run '{made[0].full_name}'"
    yield f"paths are taken from {Path.cwd()}"


@contextlib.contextmanager
def local_server(tell: Callable[[str], None]) -> Iterator[str]:
    """Start a Prefect server on loopback, yield its API's address, stop it; its data lie in ``PREFECT_HOME``.

    Raises:
        ServeError: it does not start, or its port is taken.
    """
    port = PREFECT_SERVER_API_PORT.value()
    url = f"http://{HOST}:{port}/api"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ServeError(
                f"port {port} is taken: set PREFECT_API_URL={url} if a Prefect server of yours is there, or another "
                "PREFECT_SERVER_API_PORT"
            ) from error
    tell(f"starting a Prefect server on {HOST}:{port}")
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)]
    log = PREFECT_HOME.value() / "server.log"
    with log.open("wb") as written:
        server = subprocess.Popen(command, start_new_session=True, stdout=written, stderr=written)
    try:
        _await(server, f"{url}/health", log)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _await(server: subprocess.Popen[bytes], health: str, log: Path) -> None:
    limit = PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS.value()
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if server.poll() is not None:
            raise ServeError(f"the Prefect server stopped at once, with exit code {server.returncode}: see {log}")
        with contextlib.suppress(OSError), urlopen(health, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise ServeError(f"the Prefect server did not answer within {limit} seconds: see {log}")
