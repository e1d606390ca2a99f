"""Runs that go on where they were interrupted, and runs known to be finished.

The parts of a run are kept by content in a hidden folder beside its ``--out`` until the run stands there. A run's
record holds a key of all that decides what it says, by which the same run is known.
"""

import contextlib
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from pipeline.artifacts import locked, read_record, sha256_json, unchanged
from pipeline.config import FUSION
from pipeline.errors import ArtifactError
from pipeline.run_request import RunRequest, part_requests

FINISHED = "is finished, of the same request, data and code: nothing is changed, --force starts over"


def run_key(request: RunRequest) -> str:
    """Hash of all that decides a run: what was asked and where, and the inputs and the code of every part."""
    parts = [part.key() for part in part_requests(request)]
    return sha256_json([request.model_dump(mode="json") | absolute(request), parts])


def absolute(request: RunRequest) -> dict[str, str]:
    """Where the folders of a request lie, whatever folder it is repeated from."""
    folders = {"corpus": request.corpus, "background": request.background}
    return {name: str(folder.absolute()) for name, folder in folders.items() if folder}


def finished(request: RunRequest, out: Path) -> bool:
    """Whether ``out`` holds this very run, with every file as it was written."""
    if not (out / "report.html").is_file():
        return False
    try:
        record = read_record(out)
        known = isinstance(record, dict) and record.get("key") == run_key(request)
        return known and unchanged(out, record.get("outputs"), FUSION)
    except (ArtifactError, OSError):
        return False  # the run will say what is wrong with its inputs


@contextlib.contextmanager
def kept_parts(out: Path, keys: Collection[str], force: bool) -> Iterator[Path]:
    """Hold ``out`` and give the folder of its parts, cleared of what is not of ``keys``; it goes when the run is done.

    After a failure it stays, for the next run to go on from; empty it goes too.

    Raises:
        ArtifactError: another process is writing ``out``.
    """
    folder = out.absolute().parent / f".{out.name}.parts"
    with locked(out):
        for entry in folder.glob("*"):
            if force or entry.name not in keys:
                shutil.rmtree(entry, ignore_errors=True)
        try:
            yield folder
        except BaseException:
            with contextlib.suppress(OSError):
                folder.rmdir()
            raise
        shutil.rmtree(folder, ignore_errors=True)
