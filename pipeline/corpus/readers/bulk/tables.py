"""Folders of bulk tables: each file known by its header, whatever its name, and read as a stream of text batches."""

import codecs
import contextlib
import csv
import dataclasses
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from pipeline.corpus.readers.documents.streams import CHUNK, Readable, beginnings, members
from pipeline.corpus.readers.shards import Shard, shard
from pipeline.errors import CorpusError

BLOCK = 16 << 20  # bytes of a batch, and of the longest line
_MOST_FAULTS = 10_000
_HEADER = 1 << 16


@dataclasses.dataclass(frozen=True)
class TableFile:
    """One file of a table: plain column names in the file's order, and what stands between them."""

    path: Path
    columns: tuple[str, ...]
    delimiter: str


def table_files(folder: Path) -> list[TableFile]:
    """The files of a folder that are delimited text or archives of it, by their headers; sorted by name."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            for start in beginnings(path, _HEADER)[:1]:
                line = re.split(r"[\r\n]", start.decode("utf-8-sig", "replace"), maxsplit=1)[0]
                delimiter = max("\t,;", key=line.count)
                columns = tuple(name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter), []))
                found.append(TableFile(path, columns, delimiter))
    return found


def unpacked_size(files: Iterable[TableFile]) -> int:
    """About how many bytes of text the files hold."""
    size = 0
    for file in files:
        if zipfile.is_zipfile(file.path):
            with zipfile.ZipFile(file.path) as archive:
                size += sum(entry.file_size for entry in archive.infolist())
        else:
            size += file.path.stat().st_size * (5 if file.path.suffix == ".gz" else 1)
    return size


class Faults:
    """Lines of a table that could not be read, with their places, and bytes that were not UTF-8."""

    def __init__(self) -> None:
        self.lines: list[tuple[Path, int, int, str, str]] = []  # file, line, place in the table, reason, beginning
        self.passed = 0  # rows of the table that stand in files before the one at hand
        self.recoded: dict[Path, int] = {}

    def add(self, path: Path, row: pa_csv.InvalidRow) -> str:
        """Note a line of another number of fields and go on.

        Raises:
            CorpusError: when there are so many that the file must be of another form.
        """
        reason = f"has {row.actual_columns} fields where the header has {row.expected_columns}"
        line = row.number or 0  # the header is the first
        self.lines.append((path, line, self.passed + line - 1, reason, (row.text or "")[:200]))
        if len(self.lines) > _MOST_FAULTS:
            raise CorpusError(f"{path}: more than {_MOST_FAULTS:,} lines like line {row.number}, which {reason}: "
                              "broken quotes or another delimiter; fetch it again")  # fmt: skip
        return "skip"

    def warnings(self) -> list[str]:
        """What was mended in the files."""
        return [
            f"{path.name}: {count:,} stretches of text were not all UTF-8 and were read as Windows-1252"
            for path, count in sorted(self.recoded.items())
        ]


def line_faults(faults: Faults, base: set[Path]) -> Shard:
    """Lines that could not be read: in the table of patents a patent is lost with one, in others a value."""
    listed = tuple(
        (place, "", "row" if path in base else "value", f"line {line} of {path.name} {reason}", start)
        for path, line, place, reason, start in faults.lines
    )
    return dataclasses.replace(shard([]), faults=listed)


def numbered(files: Iterable[TableFile], wanted: Sequence[str], faults: Faults) -> Iterator[pa.RecordBatch]:
    """The batches of a table's files with the place of each row in the table (column ``row``, from 1 on).

    Lines that could not be read have places of their own, so no place is that of two rows.
    """
    begin, last = len(faults.lines), 0
    faults.passed = 0
    for file in files:
        for batch in batches(file, wanted, faults):
            lost = [place for _, _, place, _, _ in faults.lines[begin:]]
            places = np.arange(last + 1, last + 1 + batch.num_rows + len(lost))
            places = places[~np.isin(places, lost)][: batch.num_rows]
            last = max(last, *places[-1:].tolist())
            yield batch.append_column("row", pa.array(places))


def batches(file: TableFile, wanted: Sequence[str], faults: Faults) -> Iterator[pa.RecordBatch]:
    """The wanted columns of a file as text, in batches of some 16 MB; those the file lacks are empty.

    Raises:
        CorpusError: when the file is damaged, or a line is longer than a batch.
    """
    present = [name for name in dict.fromkeys(wanted) if name in file.columns]
    names = [name if name in present else f"{index}:{name}" for index, name in enumerate(file.columns)]
    with contextlib.ExitStack() as stack:
        for _, stream in stack.enter_context(members(file.path)):
            begin, rows = len(faults.lines), 0
            try:
                reader = pa_csv.open_csv(
                    _Utf8(stream, file.path, faults),
                    pa_csv.ReadOptions(use_threads=False, block_size=BLOCK, column_names=names, skip_rows=1),
                    pa_csv.ParseOptions(
                        delimiter=file.delimiter,
                        newlines_in_values=True,
                        invalid_row_handler=lambda row: faults.add(file.path, row),
                    ),
                    pa_csv.ConvertOptions(
                        include_columns=present,
                        column_types={name: pa.large_string() for name in present},
                        strings_can_be_null=False,
                    ),
                )
                for batch in reader:
                    rows += batch.num_rows
                    yield _completed(batch, wanted)
                lost = [place for _, _, place, _, _ in faults.lines[begin:]]
                faults.passed = max([faults.passed + rows + len(lost), *lost])
            except StopIteration:
                return
            except pa.ArrowInvalid as error:
                if "Empty CSV file" in str(error):
                    continue
                line = " ".join(str(error).split())
                long = "straddl" in line
                what = (
                    f"has a line longer than {BLOCK >> 20} MiB, or quotes that do not pair"
                    if long
                    else f"is damaged: {line[:160]}"
                )
                raise CorpusError(f"{file.path} {what}: fetch it again") from error


def _completed(batch: pa.RecordBatch, wanted: Sequence[str]) -> pa.RecordBatch:
    empty = pa.array([""], pa.large_string()).take(pa.array([0] * batch.num_rows, pa.int8()))
    return pa.record_batch(
        [batch.column(name) if name in batch.schema.names else empty for name in wanted], list(wanted)
    )


class _Utf8(io.RawIOBase):
    """A stream without NUL bytes in which bytes that are not UTF-8 are read as Windows-1252, and counted."""

    def __init__(self, raw: Readable, path: Path, faults: Faults) -> None:
        super().__init__()
        self._raw, self._path, self._faults = raw, path, faults
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        while not self._rest:
            data = self._raw.read(CHUNK)
            self._rest = self._clean(data)
            if not data:
                break
        taken = min(len(self._rest), len(buffer))
        buffer[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken

    def _clean(self, data: bytes) -> bytes:
        held = self._decoder.getstate()[0]
        try:
            text = self._decoder.decode(data, final=not data)
        except UnicodeDecodeError:
            self._decoder.reset()
            text = (held + data).decode("utf-8", _TO_CP1252)
            self._faults.recoded[self._path] = self._faults.recoded.get(self._path, 0) + 1
        return text.replace("\0", "").encode("utf-8", "replace")


def _to_cp1252(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


_TO_CP1252 = "techconverge.cp1252"
codecs.register_error(_TO_CP1252, _to_cp1252)
