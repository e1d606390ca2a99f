"""Tables that are too large to join in memory: spread over files by their key, so that one part after the other can be.

A row's part follows from the last characters of its key, which are evenly spread where keys are running numbers.
"""

import itertools
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PART = 96 << 20  # bytes of text a part is meant to hold
_MOST = 400  # parts: as many files are open at once
_LAST = 3  # characters of the key that choose the part


class Partition:
    """Rows of several tables in ``parts`` files each, below a folder; rows of equal keys meet in the same part."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._known: dict[str, int] = {}
        self.parts = min(_MOST, size // PART + 1)

    def write(self, name: str, batches: Iterator[pa.RecordBatch], key: str) -> int:
        """Spread a table by its key; returns its rows. The order of rows of equal keys is kept."""
        writers: dict[int, pa.RecordBatchStreamWriter] = {}
        rows = 0
        try:
            for batch in batches:
                rows += batch.num_rows
                for part, piece in self._pieces(batch, key):
                    if part not in writers:
                        options = pa.ipc.IpcWriteOptions(compression="lz4")
                        writers[part] = pa.ipc.new_stream(str(self._file(name, part)), batch.schema, options=options)
                    writers[part].write_batch(piece)
        finally:
            for writer in writers.values():
                writer.close()
        return rows

    def read(self, name: str, part: int) -> pa.Table | None:
        """One part of a table; None when it has no row there."""
        path = self._file(name, part)
        if not path.exists():
            return None
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
            return reader.read_all().combine_chunks()

    def remove(self, name: str) -> None:
        """Delete a table's files."""
        for part in range(self.parts):
            self._file(name, part).unlink(missing_ok=True)

    def _file(self, name: str, part: int) -> Path:
        return self._folder / f"{name}.{part}.arrow"

    def _pieces(self, batch: pa.RecordBatch, key: str) -> Iterator[tuple[int, pa.RecordBatch]]:
        if self.parts == 1:
            yield 0, batch
            return
        ends = pc.dictionary_encode(pc.utf8_slice_codeunits(batch.column(key), start=-_LAST))
        part_of = np.array([self._part(end) for end in ends.dictionary.to_pylist()], dtype=np.int16)
        parts = part_of[ends.indices.to_numpy()]
        order = np.argsort(parts, kind="stable")
        ordered, sorted_parts = batch.take(pa.array(order)), parts[order]
        bounds = np.flatnonzero(np.diff(sorted_parts, prepend=-1, append=self.parts))
        for begin, end in itertools.pairwise(bounds):
            yield int(sorted_parts[begin]), ordered.slice(begin, end - begin)

    def _part(self, end: str) -> int:
        if end not in self._known:
            self._known[end] = (int(end) if end.isdecimal() else zlib.crc32(end.encode())) % self.parts
        return self._known[end]


def positions(ids: pa.Array, keys: pa.Array) -> np.ndarray:
    """Where each key stands among the ids (unique); -1 where it does not."""
    return pc.fill_null(pc.index_in(keys, value_set=ids), -1).to_numpy(zero_copy_only=False)


def lists(count: int, owner: np.ndarray, order: np.ndarray, values: pa.Array, separator: str = ";") -> pa.Array:
    """Values joined for each of ``count`` owners, in their order; those of owner -1 or empty are left out.

    What is joined by ``;`` holds none: it becomes a comma.
    """
    keep = np.flatnonzero((owner >= 0) & pc.not_equal(values, "").to_numpy(zero_copy_only=False))
    ranked = keep[np.lexsort((order[keep], owner[keep]))]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner[keep], minlength=count))])
    texts = values.take(pa.array(ranked)).cast(pa.large_string())
    if separator == ";":
        texts = pc.replace_substring(texts, ";", ",")
    entries = pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), texts)
    return pc.binary_join(entries, pa.scalar(separator, pa.large_string()))


def singles(count: int, owner: np.ndarray, values: pa.Array) -> pa.Array:
    """One value for each of ``count`` owners, the first there is; empty where there is none."""
    place = np.full(count, -1, dtype=np.int64)
    held = np.flatnonzero(owner >= 0)[::-1]
    place[owner[held]] = held
    return pc.fill_null(values.take(pa.array(place, mask=place < 0)), "").cast(pa.large_string())


def whole_numbers(texts: pa.Array) -> np.ndarray:
    """Numbers written in a column of text; 0 where there is none."""
    digits = pc.replace_substring_regex(texts, r"^[^0-9].*$|^$", "0")
    return pc.cast(pc.replace_substring_regex(digits, r"[^0-9].*$", ""), pa.int64()).to_numpy(zero_copy_only=False)


def blank(count: int, text: str = "") -> pa.Array:
    """The same text ``count`` times."""
    return pa.repeat(pa.scalar(text, pa.large_string()), count)


def column(table: pa.Table, name: str) -> pa.Array:
    """A column of text, entries on one line (a look for breaks costs a tenth of replacing them)."""
    texts = table[name].combine_chunks()
    broken = any(pc.any(pc.match_substring(texts, mark)).as_py() for mark in "\n\r\t")
    return pc.replace_substring_regex(texts, r"\s+", " ") if broken else texts


def where(condition: pa.Array, value: pa.Array) -> pa.Array:
    """The value where a condition holds, else nothing."""
    return pc.if_else(condition, value, pa.scalar("", pa.large_string()))


def together(*parts: pa.Array | str) -> pa.Array:
    """Texts put one behind the other."""
    texts = [pa.scalar(part, pa.large_string()) if isinstance(part, str) else part for part in (*parts, "")]
    return pc.binary_join_element_wise(*texts)
