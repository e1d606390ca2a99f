"""Documents are read in a process that may be lost: each gives one result, in order, whatever the one before did."""

import signal
from pathlib import Path

import pytest

from pipeline.knowledge import documents
from pipeline.knowledge.documents import Document, Refused, document_name, read_documents


@pytest.fixture
def killer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A reader that runs our own, but for a file that ends it in the way its content says."""
    shadow = tmp_path / "shadow"
    shadow.mkdir()
    (shadow / "sitecustomize.py").write_text(
        "import os, pathlib, signal, sys\n"
        "read = pathlib.Path.read_bytes\n"
        "def read_bytes(path):\n"
        "    content = read(path)\n"
        "    if content.startswith(b'signal '):\n"
        "        sys.stdout.write('half an answer') and sys.stdout.flush()\n"
        "        os.kill(os.getpid(), int(content.split()[1]))\n"
        "    if content.startswith(b'memory'):\n"
        "        bytearray(8 * 2**30)\n"
        "    return content\n"
        "pathlib.Path.read_bytes = read_bytes\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(shadow))


def test_a_document_that_ends_its_reader_is_refused_and_the_rest_is_read(killer, tmp_path: Path) -> None:
    contents = {
        "a.txt": "first",
        "b.txt": f"signal {int(signal.SIGALRM)}",
        "c.txt": f"signal {int(signal.SIGSEGV)}",
        "d.txt": "memory",
        "e.txt": "last",
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    absent = tmp_path / "f.txt"
    results = list(read_documents([*(tmp_path / name for name in contents), absent]))
    assert results == [
        Document("a.txt", [(None, "first")], 0, None),
        Refused("b.txt", f"takes longer than {documents.SECONDS} seconds to read"),
        Refused("c.txt", "could not be read: its reader needed too much memory or crashed"),
        Refused("d.txt", "needs more memory than a document may"),
        Document("e.txt", [(None, "last")], 0, None),
        Refused("f.txt", "is not a file"),
    ]


def test_no_documents_need_no_reader() -> None:
    assert list(read_documents([])) == []


def test_a_name_is_made_plain() -> None:
    assert document_name(Path("/x/re\u202eport\n1.pdf")) == "report 1.pdf"
    assert len(document_name(Path("n" * 250 + ".md"))) == 200
