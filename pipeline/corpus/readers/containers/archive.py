"""Archives: zip and gzip, unpacked into a scratch folder under limits, names in them never used as paths."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from pipeline.corpus.readers.base import one_line
from pipeline.errors import CorpusError

MAX_BYTES = 16 * 2**30  # of all members together
MAX_RATIO = 250  # deflate reaches 1,032 on zeros; tables of patents 3 to 15
_FREE_BYTES = 64 * 2**20  # below this no ratio is suspicious
_MAX_MEMBERS = 10_000
_BLOCK = 2**20


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def is_workbook(path: Path) -> bool:
    """Whether a zip file is a spreadsheet.

    Raises:
        CorpusError: when it is truncated or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _damaged(path, error) from error
    return not names.isdisjoint({"xl/workbook.xml", "xl/workbook.bin", "content.xml"})


def members(path: Path, scratch: Path) -> Iterator[tuple[str, Path]]:
    """The files in a zip, one by one: the name it gives, and where it was unpacked.

    Raises:
        CorpusError: when the zip is damaged, locked, or unpacks to more than a file of patents would.
    """
    total = 0
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir() and entry.file_size]
            entries = [entry for entry in entries if not entry.filename.startswith("__MACOSX/")]
            if len(entries) > _MAX_MEMBERS:
                raise CorpusError(f"{path} holds {len(entries):,} files: more than {_MAX_MEMBERS:,} are not unpacked")
            if not entries:
                raise CorpusError(f"{path} is a zip with no file in it")
            for number, entry in enumerate(sorted(entries, key=lambda entry: entry.filename)):
                if entry.flag_bits & 1:
                    raise CorpusError(f"{path} is locked with a password: unpack it first")
                unpacked = scratch / f"member{number}"
                with archive.open(entry) as source:
                    total += _copy(source, unpacked, path, entry.compress_size, MAX_BYTES - total)
                yield one_line(entry.filename), unpacked
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise _damaged(path, error) from error


def unpack_gzip(path: Path, scratch: Path) -> Path:
    """The content of a gzip file, unpacked; raises as ``members`` does."""
    unpacked = scratch / "unpacked"
    try:
        with gzip.open(path) as source:
            _copy(source, unpacked, path, path.stat().st_size, MAX_BYTES)
    except (zlib.error, EOFError, OSError) as error:
        raise _damaged(path, error) from error
    return unpacked


def _copy(source: _Readable, target: Path, path: Path, packed: int, most: int) -> int:
    written = 0
    with target.open("wb") as out:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > most or (written > _FREE_BYTES and written > MAX_RATIO * max(packed, 1)):
                raise CorpusError(
                    f"{path} unpacks to more than {min(written, most) / 2**20:,.0f} MB from {packed / 2**20:,.1f} MB: "
                    "it looks like a zip bomb; unpack it yourself if it is not"
                )
            out.write(block)
    return written


def _damaged(path: Path, error: Exception) -> CorpusError:
    return CorpusError(f"{path} is a damaged archive ({one_line(error)}): fetch or export it again")
