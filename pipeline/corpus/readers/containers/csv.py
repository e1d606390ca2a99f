"""CSV: any of four delimiters, a header that need not come first, records that do not fit quarantined.

Text whose quotes all open and close fields is read by Arrow; any other by Python's own reader, which is slower and
refuses what is ambiguous.
"""

import csv
import io
from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv

from pipeline.corpus.readers.base import RawTable, Sheet, faults_of, one_line, plain, text_series
from pipeline.corpus.readers.containers.encoding import Utf8Text
from pipeline.errors import CorpusError

DELIMITERS = (",", ";", "\t", "|")
HEADER_WITHIN = 20  # records in which a header is looked for
_HEAD = 2**20
_BLOCK = 2**22
_LONGEST = 2**25  # bytes of a record; claims and descriptions reach some hundred thousand
_ROWS = 50_000
_Fault = tuple[int, str, str, str]  # row, patent_id, reason, value


def csv_sheets(text: Utf8Text) -> list[Sheet]:
    """A sheet for each delimiter the file could have and each record that could be its header."""
    head = text.head(_HEAD).decode("utf-8", "replace")
    found = []
    for delimiter in DELIMITERS:
        for number, record in enumerate(_first_records(head, delimiter)):
            # a line of one field is a header only where it is the first: a table of one column
            if len(record) > 1 or number == 0:
                found.append(Sheet(tuple(record), _Reader(text, delimiter, number, tuple(record))))
    return found


def _first_records(head: str, delimiter: str) -> list[list[str]]:
    records: list[list[str]] = []
    csv.field_size_limit(_HEAD)
    try:
        for record in csv.reader(io.StringIO(head, newline=""), delimiter=delimiter):
            if record:
                records.append(record)
            if len(records) == HEADER_WITHIN:
                break
    except csv.Error:
        pass  # with another delimiter its quotes may pair
    return records


class _Reader:
    """Reads the records after one header; those of another number of fields are faults."""

    def __init__(self, text: Utf8Text, delimiter: str, skip: int, header: tuple[str, ...]) -> None:
        self.text, self.delimiter, self.skip, self.header = text, delimiter, skip, header

    def __call__(self, wanted: Collection[str]) -> RawTable:
        places = [place for place, name in enumerate(self.header) if plain(name) in wanted]
        names = [plain(self.header[place]) for place in places]
        if self.skip == 0 and _plainly_quoted(self.text, self.delimiter):
            columns, rows, faults = self._by_arrow(places)
        else:
            columns, rows, faults = self._by_python(places)
        index = pd.Index(rows, dtype="int64")
        frame = pd.DataFrame(
            {name: text_series(column, index) for name, column in zip(names, columns, strict=True)}, index=index
        )
        return RawTable(frame, faults_of(faults), self.text.warnings)

    def _by_arrow(self, places: Sequence[int]) -> tuple[list[pa.ChunkedArray], np.ndarray, list[_Fault]]:
        faults: list[_Fault] = []

        def keep(row: pacsv.InvalidRow) -> str:
            faults.append(self._misfit(row.number - 1, row.actual_columns, row.text))
            return "skip"

        numbers = [str(place) for place in range(len(self.header))]
        included = [numbers[place] for place in places] or numbers[:1]
        try:
            with self.text.path.open("rb") as handle:
                handle.seek(self.text.offset)
                table = pacsv.open_csv(
                    handle,
                    read_options=pacsv.ReadOptions(
                        column_names=numbers, skip_rows_after_names=1, use_threads=False, block_size=_BLOCK
                    ),
                    parse_options=pacsv.ParseOptions(
                        delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=keep
                    ),
                    convert_options=pacsv.ConvertOptions(
                        column_types=dict.fromkeys(numbers, pa.large_string()), include_columns=included
                    ),
                ).read_all()
        except pa.ArrowInvalid as error:
            if "straddl" in str(error):  # a record longer than a block
                return self._by_python(places)
            raise CorpusError(f"{self.text.shown} is no CSV that can be read: {one_line(error)}") from error
        good = np.ones(table.num_rows + len(faults), dtype=bool)
        good[[fault[0] - 1 for fault in faults]] = False
        rows = np.flatnonzero(good) + 1
        return [table[numbers[place]] for place in places], rows, faults

    def _by_python(self, places: Sequence[int]) -> tuple[list[pa.ChunkedArray], np.ndarray, list[_Fault]]:
        csv.field_size_limit(_LONGEST)
        faults: list[_Fault] = []
        rows: list[int] = []
        chunks: list[list[pa.Array]] = [[] for _ in places]
        waiting: list[list[str]] = []

        def flush() -> None:
            for chunk, place in zip(chunks, places, strict=True):
                chunk.append(pa.array([record[place] for record in waiting], pa.large_string()))
            waiting.clear()

        for row, record in self._records():
            if len(record) != len(self.header):
                faults.append(self._misfit(row, len(record), self.delimiter.join(record)))
                continue
            rows.append(row)
            waiting.append(record)
            if len(waiting) == _ROWS:
                flush()
        flush()
        return [pa.chunked_array(chunk) for chunk in chunks], np.array(rows, dtype=np.int64), faults

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(_lines(self.text), delimiter=self.delimiter, strict=True)
        try:
            for number, record in enumerate(filter(None, reader)):
                if number > self.skip:
                    yield number - self.skip, record
        except csv.Error as error:
            if "field larger" in str(error):
                raise _too_long(self.text, reader.line_num) from error
            raise CorpusError(
                f"{self.text.shown}, near line {reader.line_num}: broken quoting ({error}): mend it there"
            ) from error

    def _misfit(self, row: int, fields: int, text: str) -> _Fault:
        return row, "", f"has {fields} fields where the header has {len(self.header)}", text[:200]


def _lines(text: Utf8Text) -> Iterator[str]:
    with text.path.open("rb") as raw:
        raw.seek(text.offset)
        handle = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        number = 0
        while line := handle.readline(_LONGEST):
            number += 1
            if len(line) == _LONGEST:
                raise _too_long(text, number)
            yield line


def _too_long(text: Utf8Text, line: int) -> CorpusError:
    return CorpusError(
        f"{text.shown}, near line {line}: a record is longer than {_LONGEST // 2**20} million characters: is a quote "
        "left open, or is this no table?"
    )


def _plainly_quoted(text: Utf8Text, delimiter: str) -> bool:
    """Whether every quote opens a field, closes one, or is doubled inside one: then all readers agree on the text."""
    edges = np.zeros(256, dtype=bool)
    edges[[ord(delimiter), ord("\n"), ord("\r")]] = True
    inside = False
    with text.path.open("rb") as handle:
        handle.seek(text.offset)
        block = handle.read(_BLOCK)
        before = b"\n"
        while block:
            following = handle.read(_BLOCK)
            if b'"' in block:
                data = np.frombuffer(before + block + (following[:1] or b"\n"), dtype=np.uint8)
                quotes = np.flatnonzero(data[1:-1] == ord('"')) + 1
                closing = (np.arange(len(quotes)) + inside) % 2 == 1
                outer = np.where(closing, data[quotes + 1], data[quotes - 1])
                if not (edges[outer] | (outer == ord('"'))).all():
                    return False
                inside ^= bool(len(quotes) % 2)
            before, block = block[-1:], following
    return not inside
