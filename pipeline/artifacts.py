"""Stored tables, models and records: written atomically, hashed, checked when read back."""

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import ArtifactError, TechconvergeError

GROUP_ROWS, GROUP_BYTES = 1 << 20, 64 << 20  # the most rows, and text, that lie together in a file of a table
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of Linux's renameat2
_HASHED = {".parquet", ".csv", ".json", ".safetensors"}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}  # faults of writing, never of reading


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def sha256_files(folder: Path, *below: str) -> dict[str, str]:
    """SHA-256 of every table, record and model in a folder, and in its folders ``below``, by path within it."""
    return {
        path.relative_to(folder).as_posix(): sha256_file(path)
        for place in (folder, *(folder / name for name in below))
        for path in sorted(place.glob("*"))
        if path.suffix in _HASHED and path.is_file()
    }


def unchanged(folder: Path, told: object, *below: str) -> bool:
    """Whether a folder holds every file that a record tells of (as ``sha256_files`` does), as it was."""
    return isinstance(told, dict) and bool(told) and told.items() <= sha256_files(folder, *below).items()


def sha256_json(value: Any) -> str:
    """Hex SHA-256 of a JSON value in canonical form (sorted keys, no spaces)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it is renamed into place, on failure removed.

    It is on the disk before it has its name, so that a machine that stops leaves no empty file. What killed processes
    left half written of the same name is removed; what another process is writing is not.

    Raises:
        ArtifactError: it cannot be written: no room, no right, no such place.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear_temporaries(path)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _unwritable(path, error) from error
    temporary = Path(name)
    try:
        with contextlib.suppress(OSError):  # a file system that has no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


def _clear_temporaries(path: Path) -> None:
    """Remove the temporary files of ``atomic_path`` for this name that no living process holds."""
    for entry in path.parent.iterdir():
        if _written_for(entry.name) != path.name or entry.is_symlink() or not entry.is_file():
            continue
        with contextlib.suppress(OSError), entry.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            entry.unlink()


def _written_for(name: str) -> str | None:
    """The name in whose stead a temporary file or folder of ours was written, where a name is one's."""
    made = re.fullmatch(r"\.(.+?)\.(?:old\.)?[a-z0-9_]{8}", name)
    return made[1] if made else None


def _unwritable(path: Path, error: OSError) -> ArtifactError:
    return ArtifactError(f"cannot write {path}: {error.strerror or error}")


@contextlib.contextmanager
def atomic_directory(path: Path, marker: str, entries: Collection[str]) -> Iterator[Path]:
    """Yield a temporary directory; on success it replaces ``path``, on failure nothing is left behind.

    An existing ``path`` is replaced only when it is empty, or when this program wrote it as the same kind of folder
    (``marker`` is a record of ours) and nothing else has been put there (no name beside ``entries``), so that a
    mistyped ``--out`` deletes nothing.

    Raises:
        ArtifactError: ``path`` is something else, or there is no room for it.
    """
    path = path.absolute()
    if path.exists():
        _check_replaceable(path, marker, entries)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise ArtifactError(f"cannot write to {path.parent}: {error.strerror}") from error
    try:
        temporary.chmod(0o777 & ~_umask())
        yield temporary
        if path.exists() and exchanged(temporary, path):
            return  # what stood there is in the temporary place now, and removed with it
        retired = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.old."))
        if path.exists():
            path.replace(retired / "old")
        temporary.replace(path)
        shutil.rmtree(retired)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise _unwritable(path, error) from error
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def scratch_beside(path: Path) -> Iterator[Path]:
    """Yield a folder for temporary files on the disk of ``path``, for who holds its lock (see ``locked``).

    It is removed at the end; that of a killed process is removed by the next one that takes the lock.

    Raises:
        ArtifactError: there is no room for them.
    """
    path = path.absolute()
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.", ignore_cleanup_errors=True) as made:
            yield Path(made)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise _unwritable(path, error) from error
        raise


def exchanged(one: Path, other: Path) -> bool:
    """Swap two folders in one step, so that at no moment either name is missing; False where the system cannot."""
    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):
        return False
    return swap(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0


@contextlib.contextmanager
def held_alone(folder: Path, lock: str, busy: str, error: type[TechconvergeError]) -> Iterator[None]:
    """Hold a folder by its lock file; the system lets go of it when the process ends, however it ends.

    Raises:
        error: with the text ``busy`` when another process holds it, or when nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / lock).open("a")
    except OSError as fault:
        raise error(f"cannot write to {folder}: {fault.strerror}") from fault
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            raise error(busy) from fault
        yield


@contextlib.contextmanager
def locked(path: Path, wait: bool = False) -> Iterator[None]:
    """Hold the right to write ``path``; the system gives it back when the process ends, however it ends.

    What a killed process left half written beside ``path`` is removed, or put back where it is all there is.

    Raises:
        ArtifactError: another process holds it and we do not ``wait``, or nothing can be written there.
    """
    path = path.absolute()
    lock = path.parent / f".{path.name}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = _take(lock, wait)
    except BlockingIOError as error:
        raise ArtifactError(f"another process is writing {path}: wait until it is done") from error
    except OSError as error:
        raise ArtifactError(f"cannot write to {path.parent}: {error.strerror}") from error
    try:
        _clear_leftovers(path)
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(handle)


def _take(lock: Path, wait: bool) -> int:
    """An open handle on the lock file that no one else holds, and that is still the file of that name."""
    while True:
        handle = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            if lock.stat().st_ino == os.fstat(handle).st_ino:
                return handle
        except FileNotFoundError:
            pass  # its last holder removed it in between
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _clear_leftovers(path: Path) -> None:
    for entry in sorted(path.parent.iterdir()):
        if _written_for(entry.name) == path.name and entry.is_dir() and not entry.is_symlink():
            if not path.exists() and (entry / "old").is_dir():
                (entry / "old").replace(path)
            shutil.rmtree(entry, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically, keys in the order given, with a final newline."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file; raise ArtifactError naming it when it is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactError(f"{path} does not exist") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{path} cannot be read as JSON: {error}") from error


def read_record(run: Path) -> Any:
    """The record of a run, from its folder or its ``run.json``; raise ArtifactError when it is neither."""
    path = run / "run.json" if run.is_dir() else run
    if not path.is_file():
        raise ArtifactError(f"{run} is not a run: make one with `techconverge forecast` or `techconverge backtest`")
    return read_json(path)


def write_table(path: Path, table: pd.DataFrame, metadata: Mapping[str, str] | None = None) -> None:
    """Write a frame as Parquet atomically; the same frame and metadata give the same bytes."""
    with table_writer(path, metadata) as write:
        write(table)


@contextlib.contextmanager
def table_writer(path: Path, metadata: Mapping[str, str] | None = None) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Yield a function that takes a table piece by piece, at least one; the bytes are those of ``write_table``.

    What makes a row group (see ``Groups``) is written when it is there, so little more is held.
    """
    with atomic_path(path) as temporary, contextlib.ExitStack() as stack:
        groups = Groups()
        writer: pq.ParquetWriter | None = None

        def write(frame: pd.DataFrame) -> None:
            nonlocal writer
            arrow = pa.Table.from_pandas(frame, preserve_index=False)
            # pandas stores its own version in the schema metadata: dropped, so that bytes depend on content alone
            arrow = arrow.replace_schema_metadata({**(metadata or {})})
            if writer is None:
                writer = stack.enter_context(pq.ParquetWriter(temporary, arrow.schema, compression="zstd"))
            for whole in groups.add(arrow):
                writer.write_table(whole, row_group_size=GROUP_ROWS)

        yield write
        if writer is not None:
            writer.write_table(groups.rest(), row_group_size=GROUP_ROWS)


class Groups:
    """Rows put together in groups of at most so many rows and, but for a longer row, bytes of text.

    Where a group ends depends on the rows alone, not on the tables in which they come.
    """

    def __init__(self, rows: int = GROUP_ROWS, text: int = GROUP_BYTES) -> None:
        self._most, self._longest = rows, text
        self._pending: list[pa.Table] = []
        self._rows = self._bytes = 0

    def add(self, table: pa.Table) -> Iterator[pa.Table]:
        """Take a table; gives the groups into which its next row does not go."""
        if not table.num_rows:
            self._pending.append(table)
        ends = np.cumsum(text_lengths(table))
        start = begin = 0
        while start < table.num_rows:
            fitting = int(np.searchsorted(ends, begin + self._longest - self._bytes, side="right")) - start
            size = min(fitting, self._most - self._rows)
            if size <= 0 and self._rows:
                yield self.rest()
                continue
            self._pending.append(table.slice(start, max(size, 1)))
            start += max(size, 1)
            self._rows += max(size, 1)
            self._bytes += int(ends[start - 1]) - begin
            begin = int(ends[start - 1])

    def rest(self) -> pa.Table:
        """What is there, after which nothing is."""
        whole = pa.concat_tables(self._pending).combine_chunks()
        self._pending, self._rows, self._bytes = [], 0, 0
        return whole


def text_lengths(table: pa.Table) -> np.ndarray:
    """The bytes of text in each row."""
    lengths = np.zeros(table.num_rows, dtype=np.int64)
    for column in table.columns:
        if pa.types.is_large_string(column.type) or pa.types.is_string(column.type):
            lengths += pc.fill_null(pc.binary_length(column), 0).to_numpy().astype(np.int64)
    return lengths


def read_table(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a Parquet table; raise ArtifactError naming the file when it is missing or damaged."""
    try:
        return pd.read_parquet(path, columns=columns)
    except FileNotFoundError as error:
        raise ArtifactError(f"{path} does not exist") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException) as error:
        raise ArtifactError(f"{path} cannot be read as Parquet: {error}") from error


def _check_replaceable(path: Path, marker: str, entries: Collection[str]) -> None:
    if not path.is_dir():
        raise ArtifactError(f"{path} is a file: choose another --out")
    names = sorted(entry.name for entry in path.iterdir())
    if not names:
        return
    record = read_json(path / marker) if marker in names else None
    if not isinstance(record, dict) or "techconverge" not in record:
        raise ArtifactError(f"{path} exists and is not an earlier result of this command: choose another --out")
    ours = {*entries, marker}
    foreign = [name for name in names if name not in ours and _written_for(name) not in ours]
    if foreign:
        raise ArtifactError(f"{path} also holds {foreign[0]}, which would be lost: move it, or choose another --out")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
