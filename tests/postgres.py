"""A PostgreSQL of a test's own: a new cluster in a temporary folder, on a free loopback port, stopped at the end."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PASSWORD = "for-a-test"
DEBIANS = Path("/usr/lib/postgresql")  # there the server's programs are not on the path


@contextlib.contextmanager
def cluster() -> Iterator[int]:
    """Start one whose superuser is ``postgres`` with ``PASSWORD``; yields its port. Skips where there is none."""
    places = os.pathsep.join([os.environ["PATH"], *(str(place) for place in sorted(DEBIANS.glob("*/bin"))[-1:])])
    initdb, postgres, _ = (_program(name, places) for name in ("initdb", "postgres", "psql"))
    folder = Path(tempfile.mkdtemp(prefix="techconverge-postgres-"))  # pytest's own folders are closed to other users
    user = "nobody" if os.geteuid() == 0 else None  # it refuses to run as root
    password = folder / "password"
    password.write_text(PASSWORD)
    if user:
        shutil.chown(folder, user)
        shutil.chown(password, user)
    data, port = folder / "data", free_port()
    made = [initdb, "--pgdata", data, "--username", "postgres", "--pwfile", password, "--auth", "scram-sha-256"]
    subprocess.run([*made, "--no-sync"], check=True, user=user, stdout=subprocess.DEVNULL)
    settings = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"]
    options = [word for setting in settings for word in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([postgres, "-D", data, *options], user=user, stdout=log, stderr=log)
    try:
        await_port(port, server)
        yield port
    finally:
        server.send_signal(signal.SIGINT)  # its word for: now, without waiting for clients
        server.wait(30)
        shutil.rmtree(folder)


def _program(name: str, places: str) -> str:
    found = shutil.which(name, path=places)
    if found is None:
        pytest.skip(f"PostgreSQL is not installed here: there is no {name}")
    return found


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_port(port: int, server: subprocess.Popen[bytes], seconds: float = 30) -> None:
    """Wait until a server listens."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert server.poll() is None, "the server has stopped"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError(f"nothing listens on port {port} after {seconds} seconds")
