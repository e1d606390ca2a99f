"""Containers: what kind of file it is, told from its first bytes, and its sheets of text columns."""

import stat
from collections.abc import Iterator
from pathlib import Path

from pipeline.corpus.readers.base import Sheet
from pipeline.corpus.readers.containers.archive import is_workbook, members, unpack_gzip
from pipeline.corpus.readers.containers.csv import csv_sheets
from pipeline.corpus.readers.containers.encoding import as_utf8
from pipeline.corpus.readers.containers.excel import excel_sheets
from pipeline.corpus.readers.containers.json import is_json, json_sheets
from pipeline.corpus.readers.containers.parquet import parquet_sheets
from pipeline.corpus.readers.containers.tagged import is_tagged, tagged_sheets
from pipeline.errors import CorpusError

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHERS = {
    b"%PDF": "a PDF document", b"Rar!": "a RAR archive", b"7z\xbc\xaf": "a 7-Zip archive", b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture", b"BZh": "a bzip2 archive", b"\xfd7zXZ": "an xz archive",
    b"SQLite format 3": "an SQLite database", b"\x28\xb5\x2f\xfd": "a Zstandard archive",
}  # fmt: skip
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table")


def check_file(path: Path) -> bytes:
    """The first bytes of a regular file; nothing else is opened, so that a pipe cannot make the program wait.

    Raises:
        CorpusError: when there is no such file, it may not be read, or nothing is in it.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise CorpusError(f"{path} is not a file but a folder: name the files in it")
        if not stat.S_ISREG(mode):
            raise CorpusError(f"{path} is not a file but a pipe or device: save its content as a file first")
        with path.open("rb") as handle:
            start = handle.read(4096)
    except FileNotFoundError as error:
        raise CorpusError(f"{path} does not exist") from error
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not start:
        raise CorpusError(f"{path} is empty")
    return start


def parts(path: Path, scratch: Path) -> Iterator[tuple[str, list[Sheet]]]:
    """The tables a file may hold, by part: one nameless part, or one for each member of an archive.

    ``scratch``: an empty folder for what must be unpacked or written in UTF-8; it must outlive the reading.
    """
    start = check_file(path)
    if start.startswith(b"PK\x03\x04") and not is_workbook(path):
        for name, member in members(path, scratch):
            own = scratch / f"{member.name}.text"
            own.mkdir()
            yield name, sheets(member, f"{path}, {name}", own)
            _remove(member, own)
    elif start.startswith(b"\x1f\x8b"):
        yield "", sheets(unpack_gzip(path, scratch), str(path), scratch)
    else:
        yield "", sheets(path, str(path), scratch)


def sheets(path: Path, shown: str, scratch: Path) -> list[Sheet]:
    """The tables of a file that is no archive; ``shown`` names it in messages."""
    start = check_file(path)
    if start.startswith(b"PAR1"):
        return parquet_sheets(path, shown)
    if start.startswith((_OLE, b"PK\x03\x04")):
        return excel_sheets(path, shown, scratch)
    for magic, what in _OTHERS.items():
        if start.startswith(magic):
            raise CorpusError(f"{shown} is {what}: unpack or export it as CSV, Excel or Parquet")
    text = as_utf8(path, shown, scratch)
    head = text.head()
    if head.lstrip().lower().startswith(_MARKUP):
        raise CorpusError(f"{shown} is a page of HTML or XML, whatever its name: open it and save it as CSV or Excel")
    if is_json(head):
        return json_sheets(text)
    if is_tagged(head):
        return tagged_sheets(text)
    return csv_sheets(text)


def _remove(member: Path, own: Path) -> None:
    for path in (member, *own.iterdir()):
        path.unlink(missing_ok=True)
    own.rmdir()


__all__ = ["check_file", "parts", "sheets"]
