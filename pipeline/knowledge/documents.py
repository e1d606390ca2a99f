"""A firm's documents, read in a process that can be lost: bounded in memory and time, and talked to in JSON lines.

``python -m pipeline.knowledge.documents`` is that process: ``read_documents`` starts it, gives it a list of paths, and
gets one line for each.
"""

import contextlib
import dataclasses
import datetime
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.knowledge.formats import Pages, RefusedError, parse
from pipeline.knowledge.text import plain

MEMORY = 2 * 2**30  # bytes of address space of the reading process
SECONDS = 120  # that one document may take
NAME = 200  # characters of a document's name


@dataclasses.dataclass(frozen=True)
class Document:
    """A document as text. ``date``: the latest day its own metadata states; ``silent``: pages without text."""

    name: str
    pages: Pages
    silent: int
    date: datetime.date | None


@dataclasses.dataclass(frozen=True)
class Refused:
    """A document that cannot be used, and why."""

    name: str
    reason: str


def read_documents(paths: Sequence[Path]) -> Iterator[Document | Refused]:
    """Read documents one after the other; each path gives one result, in order.

    A document that exhausts its reader (too much memory or time, a crash) is refused like any other.
    """
    waiting = list(paths)
    while waiting:
        answered = 0
        with _reader(waiting) as reader:
            assert reader.stdout is not None
            for path, line in zip(waiting, reader.stdout, strict=False):
                if not line.endswith("\n"):
                    break  # it died while it spoke
                yield _result(path, json.loads(line))
                answered += 1
        if answered < len(waiting):
            yield Refused(document_name(waiting[answered]), _cause(reader.returncode))
        waiting = waiting[answered + 1 :]


def _reader(paths: Sequence[Path]) -> subprocess.Popen[str]:
    root = str(Path(__file__).resolve().parents[2])
    search = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    reader = subprocess.Popen(
        [sys.executable, "-m", "pipeline.knowledge.documents"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # libraries' warnings about a file quote the file
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": search},
    )
    assert reader.stdin is not None
    with contextlib.suppress(BrokenPipeError), reader.stdin as given:
        json.dump([str(path.absolute()) for path in paths], given)
    return reader


def _result(path: Path, answer: dict[str, Any]) -> Document | Refused:
    if "refused" in answer:
        return Refused(document_name(path), answer["refused"])
    date = answer["date"] and datetime.date.fromisoformat(answer["date"])
    pages = [(number, text) for number, text in answer["pages"]]
    return Document(document_name(path), pages, answer["silent"], date)


def document_name(path: Path) -> str:
    """What a document is called: the name of its file, made plain."""
    return plain(path.name).replace("\n", " ")[:NAME]


def _cause(status: int) -> str:
    if status == -signal.SIGALRM:
        return f"takes longer than {SECONDS} seconds to read"
    return "could not be read: its reader needed too much memory or crashed"


def _main(paths: list[str]) -> None:
    """Answer each path with one line. What must stop a library in the middle is left to the system."""
    with contextlib.suppress(OSError, ValueError):  # not every system can bound it
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    for path in map(Path, paths):
        signal.alarm(SECONDS)  # unhandled: it ends the process
        try:
            answer = dataclasses.asdict(parse(path))
        except RefusedError as error:
            answer = {"refused": str(error)}
        except OSError as error:
            answer = {"refused": f"cannot be read: {error.strerror}"}
        signal.alarm(0)
        print(json.dumps(answer, default=str), flush=True)


if __name__ == "__main__":
    _main(json.load(sys.stdin))
