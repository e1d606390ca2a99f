"""The pipeline as Prefect flows: thin tasks over ``pipeline``, passing references to files with their hashes.

Importing this package settles Prefect's surroundings, which Prefect reads when it is imported itself: its files below
the project's ``data`` folder, no telemetry, and time enough for its temporary server to start on a busy machine.
"""

import os
from pathlib import Path

os.environ.setdefault("PREFECT_HOME", str(Path.cwd() / "data" / "prefect"))
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "180")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("DO_NOT_TRACK", "1")


def make_home() -> None:
    """Make Prefect's folder, which Prefect itself makes only where its parent is; before Prefect is imported."""
    Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)
