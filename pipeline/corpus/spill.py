"""Rows of text too many for memory: in temporary Arrow files, read again piece by piece or in an order of their own."""

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.artifacts import Groups, text_lengths
from pipeline.errors import ArtifactError

PIECE, PIECE_BYTES = 1 << 18, 32 << 20  # the most rows, and text, that are held at once
ROW = "source_row"  # a column for the frame's index
_PLACE = "place"
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


def pieces(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """A frame of text in pieces of bounded size; an empty one is a piece."""
    size = rows_at_once(int(text_lengths(with_rows(frame)).sum()), len(frame))
    for start in range(0, max(len(frame), 1), size):
        yield frame.iloc[start : start + size]


def rows_at_once(text: int, rows: int) -> int:
    """How many rows may be held, of ``rows`` with so many bytes of text together."""
    return max(1, min(PIECE, rows * PIECE_BYTES // max(text, 1)))


def spill(frames: Iterable[pd.DataFrame], folder: Path) -> tuple[Path, int]:
    """Write frames of text columns, their index with them, into a new file of a folder: it, and how many rows.

    At least one frame must come.
    """
    handle, name = tempfile.mkstemp(dir=folder, suffix=".arrow")
    os.close(handle)
    groups, rows = Groups(PIECE, PIECE_BYTES), 0
    with contextlib.ExitStack() as stack:
        writer: pa.RecordBatchStreamWriter | None = None
        for frame in frames:
            rows += len(frame)
            table = with_rows(frame)
            if writer is None:
                writer = stack.enter_context(pa.ipc.new_stream(name, table.schema, options=_OPTIONS))
            for piece in groups.add(table):
                writer.write_table(piece)
        if writer is not None:
            writer.write_table(groups.rest())
    return Path(name), rows


def with_rows(frame: pd.DataFrame) -> pa.Table:
    """Text columns as Arrow, with the index as column ``ROW``."""
    columns = {name: pa.array(frame[name], pa.large_string()) for name in frame}
    return pa.table({**columns, ROW: pa.array(frame.index, pa.int64())})


def read_pieces(path: Path) -> Iterator[pd.DataFrame]:
    """The rows of a spilled file, or of a stored Parquet file with a column ``ROW``, piece by piece, at least one.

    Raises:
        ArtifactError: when it cannot be read.
    """
    try:
        batches = _parquet(path) if path.suffix == ".parquet" else _stream(path)
        for batch in batches:
            yield _framed(batch, ROW)
    except (OSError, pa.ArrowException) as error:
        raise ArtifactError(f"{path} cannot be read: {error}") from error


def _stream(path: Path) -> Iterator[pa.Table]:
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
        empty = True
        for batch in reader:
            empty = False
            yield pa.Table.from_batches([batch])
        if empty:
            yield reader.schema.empty_table()


def _parquet(path: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path, pre_buffer=False) as file:
        for number in range(file.num_row_groups):
            group = file.metadata.row_group(number)
            for batch in file.iter_batches(rows_at_once(group.total_byte_size, group.num_rows), [number]):
                yield pa.Table.from_batches([batch])
        if not file.metadata.num_rows:
            yield file.schema_arrow.empty_table()


def _framed(table: pa.Table, index: str) -> pd.DataFrame:
    columns = {name: pd.Series(table[name].cast(pa.large_string()), dtype="str")
               for name in table.column_names if name != index}  # fmt: skip
    labels = pd.Index(table[index].to_numpy(), dtype="int64")
    return pd.DataFrame(columns, copy=False).set_axis(labels)


class Ordered:
    """Some of many rows, put into an order on the disk: taken piece by piece as they come, given back in that order.

    ``order``: the labels of the rows wanted, from 0 up to below ``labels``. So many of them as may be held ``at_once``
    lie in one file, which is sorted when it is read.
    """

    def __init__(self, folder: Path, order: np.ndarray, labels: int, at_once: int) -> None:
        self._at_once = at_once
        self._folder = Path(tempfile.mkdtemp(dir=folder))
        self._order = order
        self._place = np.full(labels, -1, dtype=np.int64)
        self._place[order] = np.arange(len(order))

    def add(self, piece: pd.DataFrame) -> None:
        """Take text rows, those that are wanted; the index is their labels."""
        places = self._place[piece.index.to_numpy()]
        rows = np.flatnonzero(places >= 0)
        rows = rows[np.argsort(places[rows], kind="stable")]
        if not len(rows):
            return
        columns = {name: pa.array(piece[name], pa.large_string()) for name in piece}
        table = pa.table(columns).take(pa.array(rows)).append_column(_PLACE, pa.array(places[rows])).combine_chunks()
        files = places[rows] // self._at_once
        for begin in np.unique(files, return_index=True)[1].tolist():
            end = int(np.searchsorted(files, files[begin], side="right"))
            with (
                self._file(int(files[begin])).open("ab") as file,
                pa.ipc.new_stream(pa.PythonFile(file, mode="w"), table.schema, options=_OPTIONS) as writer,
            ):
                writer.write_table(table.slice(begin, end - begin))

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """The rows wanted in their order, in pieces; each can be read once."""
        for number in range(-(-len(self._order) // self._at_once)):
            path = self._file(number)
            table = pa.concat_tables(_streams(path))
            path.unlink()
            table = table.take(pa.array(np.argsort(table[_PLACE].to_numpy()))).combine_chunks()
            frame = _framed(table, _PLACE)
            yield frame.set_axis(pd.Index(self._order[frame.index]))

    def _file(self, number: int) -> Path:
        return self._folder / f"{number}.arrow"


def _streams(path: Path) -> Iterator[pa.Table]:
    with pa.OSFile(str(path)) as file:
        while file.tell() < path.stat().st_size:
            with pa.ipc.open_stream(file) as reader:
                yield reader.read_all()
