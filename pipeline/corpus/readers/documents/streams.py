"""Opening large sources: plain, gzip or zip, as bytes in UTF-8, with bounded memory."""

import codecs
import contextlib
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from pipeline.corpus.readers.containers.archive import is_workbook
from pipeline.errors import CorpusError

CHUNK = 1 << 20
MOST_TIMES_LARGER = 200  # genuine exports shrink to a fifth or a tenth; what grows beyond this is a bomb
_SMALL = 64 << 20  # below this a large ratio harms nobody
_DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError)


class Readable(Protocol):
    """What bytes are read from: at most ``size`` of them, none at the end."""

    def read(self, size: int, /) -> bytes:
        """The next bytes."""
        ...


@contextlib.contextmanager
def members(path: Path) -> Iterator[Iterator[tuple[str, Readable]]]:
    """Yield the name and stream of the file, or of every file in it when it is a zip archive, one after the other.

    A gzip file is unpacked, UTF-16 with a byte order mark turned into UTF-8. Names of members are never used as paths.
    Reading raises CorpusError when the file is missing, no regular file, damaged, encrypted or a bomb.
    """
    with contextlib.ExitStack() as stack:
        yield _members(path, stack)


def beginnings(path: Path, size: int) -> list[bytes]:
    """The first bytes of the file, or of each of the first files in it when it is a zip archive; none of a workbook.

    Raises:
        CorpusError: as ``members``.
    """
    found: list[bytes] = []
    with members(path) as streams:
        if path.is_file() and zipfile.is_zipfile(path) and is_workbook(path):
            return found
        for _, stream in streams:
            found.append(stream.read(size))
            if len(found) == _FIRST:
                break
    return found


_ZIP = b"PK\x03\x04"
_FIRST = 8  # members of an archive looked into to recognise it


def _members(path: Path, stack: contextlib.ExitStack) -> Iterator[tuple[str, Readable]]:
    if not path.exists():
        raise CorpusError(f"{path} does not exist")
    if not path.is_file():
        raise CorpusError(f"{path} is not a file: name the files themselves")
    try:
        start = _start(path)
        if start.startswith(_ZIP):
            archive = stack.enter_context(zipfile.ZipFile(path))
            for entry in archive.infolist():
                if entry.flag_bits & 1:
                    raise CorpusError(f"{path} is locked with a password: unpack it first")
                if not entry.is_dir():
                    with archive.open(entry) as member:
                        yield entry.filename, _Guarded(member, path, entry.compress_size)
        elif start.startswith(b"\x1f\x8b"):
            with gzip.open(path) as unpacked:
                yield path.name, _Guarded(unpacked, path, path.stat().st_size)
        else:
            with path.open("rb") as plain:
                yield path.name, _Guarded(plain, path, None)
    except _DAMAGE as error:
        raise damaged(path, error) from error


def _start(path: Path) -> bytes:
    with path.open("rb") as handle:
        return handle.read(4)


def damaged(path: Path, error: Exception) -> CorpusError:
    """The one line said of a file that cannot be read to its end."""
    if isinstance(error, PermissionError):
        return CorpusError(f"{path} cannot be read: {error.strerror}")
    return CorpusError(f"{path} is damaged or cut off ({' '.join(str(error).split())[:120]}): fetch or export it again")


class _Guarded:
    """A stream whose faults are one clear line, whose unpacked size is bounded, and whose UTF-16 becomes UTF-8."""

    def __init__(self, raw: IO[bytes] | gzip.GzipFile, path: Path, packed: int | None) -> None:
        self._raw, self._path, self._packed = raw, path, packed
        self._read = 0
        self._rest = b""
        self._decoder: codecs.IncrementalDecoder | None = None

    def read(self, size: int, /) -> bytes:
        data = self._rest or self._next()
        self._rest = data[size:]
        return data[:size]

    def _next(self) -> bytes:
        while True:
            data = self._chunk()
            if self._decoder is None:
                return data
            text = self._decoder.decode(data, final=not data)
            if text or not data:
                return text.encode("utf-8", "replace")

    def _chunk(self) -> bytes:
        try:
            data = self._raw.read(CHUNK)
        except _DAMAGE as error:
            raise damaged(self._path, error) from error
        if not self._read and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self._decoder = codecs.getincrementaldecoder("utf-16")("replace")
        if not self._read and data.startswith(codecs.BOM_UTF8):
            data = data[3:]
        self._read += len(data)
        if self._packed is not None and self._read > max(_SMALL, MOST_TIMES_LARGER * self._packed):
            raise CorpusError(
                f"{self._path} unpacks to more than {MOST_TIMES_LARGER} times its size: "
                "a zip bomb, or not a patent export"
            )
        return data
