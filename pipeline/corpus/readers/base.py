"""What a reader yields, and the two containers (CSV, Parquet) every layout comes in.

A container is turned into text columns as they stand; a ``Layout`` recognises its own by the header and turns
them into the flat columns. To add a format: write its layout and name it in ``readers/__init__.py``.
"""

import csv
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import CorpusError

FLAT = (
    "patent_id", "date", "title", "abstract", "claims", "ipc", "cpc", "assignees", "inventors", "cited_ids",
    "cited_npl", "family_id", "claims_count", "office", "app_date", "date_kind",
)  # fmt: skip
FAULTS = ("row", "patent_id", "kind", "reason", "value")  # schemas.Quarantine without its source
DELIMITERS = (",", ";", "\t")


@dataclasses.dataclass(frozen=True)
class SourceTable:
    """One source file as flat text.

    ``frame``: columns ``FLAT``, all text, lists joined by ``;``, empty where lacking; its index is the 1-based data
    row. ``ignored``: columns of the file that no field takes. ``faults`` (columns ``FAULTS``): rows (kind ``row``) that
    could not be read and are not in ``frame``, and fields (kind ``value``) that were left empty. ``warnings``: what
    the user should know of the file, a line each.
    """

    frame: pd.DataFrame
    format: str
    ignored: tuple[str, ...] = ()
    faults: pd.DataFrame = dataclasses.field(default_factory=lambda: pd.DataFrame(columns=FAULTS))
    name: str = ""
    sha256: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def malformed(self) -> int:
        """Rows of the file that could not be read."""
        return int((self.faults["kind"] == "row").sum())

    @property
    def rows(self) -> int:
        """Rows of the file, the malformed ones included."""
        return len(self.frame) + self.malformed


@dataclasses.dataclass(frozen=True)
class Layout:
    """One way of naming the columns.

    ``used``: the columns it reads. ``flatten``: text columns (those of ``used`` that are there) -> some of the flat
    columns, and faults of kind ``value``. ``refusal``: why such a file is of no use and what to do; not read then.
    """

    name: str
    recognises: Callable[[Sequence[str]], bool]
    used: frozenset[str] = frozenset()
    flatten: Callable[[pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame]] | None = None
    refusal: str = ""


def normalise_ids(ids: pd.Series) -> pd.Series:
    """Ids (or lists of them) without separators and in capitals, so that citations join.

    >>> normalise_ids(pd.Series(["US-2008173533-A1", "us 7,155,747"])).tolist()
    ['US2008173533A1', 'US7155747']
    """
    return ids.str.replace(r"[\s\-‐-―/.,_]+", "", regex=True).str.upper()


def is_parquet(path: Path) -> bool:
    """Whether the file begins as a Parquet file does.

    Raises:
        CorpusError: when there is no such file, or nothing in it.
    """
    if not path.exists():
        raise CorpusError(f"{path} does not exist")
    if not path.is_file():
        raise CorpusError(f"{path} is not a file: name the Parquet or CSV files themselves")
    try:
        with path.open("rb") as handle:
            start = handle.read(4)
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror}") from error
    if not start:
        raise CorpusError(f"{path} is empty")
    return start == b"PAR1"


def parquet_header(path: Path) -> list[str]:
    """Column names of a Parquet file."""
    try:
        return list(pq.read_schema(path).names)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path, error) from error


def read_parquet(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Columns of a Parquet file as text: dates in ISO form, lists joined by ``;``, nulls empty."""
    try:
        table = pq.ParquetFile(path).read(columns=list(columns))
        table.validate(full=True)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path, error) from error
    texts = {name: _as_text(table[name], name, path) for name in columns}
    return pd.DataFrame(texts, index=pd.RangeIndex(1, table.num_rows + 1), columns=list(columns))


def csv_headers(path: Path) -> dict[str, list[str]]:
    """The first line of a CSV file, split at each delimiter it could have."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as handle:
        line = handle.readline(100_000).replace("\0", "")
    return {delimiter: next(csv.reader([line], delimiter=delimiter), []) for delimiter in DELIMITERS}


def read_csv(path: Path, delimiter: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All columns of a CSV file as text, and the faults: records with more or fewer fields than the header.

    Raises:
        CorpusError: when the text is not UTF-8, or its quotes do not pair (then rows cannot be told apart).
    """
    csv.field_size_limit(2**31 - 1)  # claims run beyond the module's 128 KiB
    records: dict[int, list[str]] = {}
    faults: list[tuple[int, str, str, str, str]] = []
    with path.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.reader(handle, delimiter=delimiter, strict=True)
        try:
            header = next(reader)
            for row, record in enumerate(filter(None, reader), start=1):
                if len(record) == len(header):
                    records[row] = record
                else:
                    reason = f"has {len(record)} fields where the header has {len(header)}"
                    faults.append((row, "", "row", reason, delimiter.join(record)[:200]))
        except UnicodeDecodeError as error:
            raise CorpusError(f"{path} is not UTF-8 text ({error.reason}): save it as UTF-8 and retry") from error
        except csv.Error as error:
            raise CorpusError(
                f"{path}, near line {reader.line_num}: broken quoting ({error}): mend it there"
            ) from error
    frame = pd.DataFrame(
        list(records.values()), index=pd.Index(list(records), dtype="int64"), columns=pd.Index(header), dtype="str"
    )
    return frame, pd.DataFrame(faults, columns=list(FAULTS))


def _as_text(column: pa.ChunkedArray, name: str, path: Path) -> pd.Series:
    kind = column.type
    try:
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            column = pa.chunked_array([[";".join(map(str, filter(None, entry or ()))) for entry in column.to_pylist()]])
        elif pa.types.is_temporal(kind):
            column = pc.strftime(column, format="%Y-%m-%d")
        elif pa.types.is_floating(kind):  # integers with gaps, as pandas writes them
            column = column.cast(pa.int64())
        text = column.cast(pa.large_string())
    except pa.ArrowException as error:
        raise CorpusError(f"{path}: column {name} of type {kind} cannot be taken as text: {_line(error)}") from error
    return pd.Series(pc.fill_null(text, "").combine_chunks(), dtype="str", index=pd.RangeIndex(1, len(text) + 1))


def _damaged(path: Path, error: Exception) -> CorpusError:
    return CorpusError(f"{path} is a damaged Parquet file: {_line(error)}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
