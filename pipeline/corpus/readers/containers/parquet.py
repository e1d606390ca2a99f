"""Parquet: columns as text; a list of structs gives one column for each field, named ``column.field``."""

from collections.abc import Collection, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.corpus.readers.base import ITEM, RawTable, Sheet, closed, faults_of, one_line, plain, text_series
from pipeline.errors import CorpusError


def parquet_sheets(path: Path, shown: str) -> list[Sheet]:
    """The one table of a Parquet file."""
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise _damaged(shown, error) from error
    leaves = {dotted: column for field in schema for dotted, column in _leaves(field)}
    return [Sheet(tuple(leaves), lambda wanted: _read(path, shown, leaves, wanted))]


def _leaves(field: pa.Field) -> Iterator[tuple[str, str]]:
    """Dotted names of a column and the column they are in: itself, or the fields of its structs."""
    kind = field.type.value_type if _is_list(field.type) else field.type
    if pa.types.is_struct(kind) and kind.num_fields:
        yield from ((f"{field.name}.{inner.name}", field.name) for inner in kind)
    else:
        yield field.name, field.name


def _read(path: Path, shown: str, leaves: dict[str, str], wanted: Collection[str]) -> RawTable:
    names = [name for name in leaves if plain(name) in wanted]
    columns = list(dict.fromkeys(leaves[name] for name in names))
    try:
        table = pq.ParquetFile(path).read(columns=columns)
        table.validate(full=True)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise _damaged(shown, error) from error
    index = pd.RangeIndex(1, table.num_rows + 1)
    texts = {
        plain(name): text_series(_as_text(table[leaves[name]], name, leaves[name], shown), index) for name in names
    }
    return RawTable(pd.DataFrame(texts, index=index), faults_of([]))


def _as_text(column: pa.ChunkedArray, name: str, of: str, shown: str) -> pa.ChunkedArray:
    field = name[len(of) + 1 :]
    try:
        return pa.chunked_array([_chunk_as_text(chunk, field) for chunk in column.chunks], pa.large_string())
    except (pa.ArrowException, ValueError) as error:
        raise CorpusError(
            f"{shown}: column {name} of type {column.type} cannot be taken as text: {one_line(error)}"
        ) from error


def _chunk_as_text(chunk: pa.Array, field: str) -> pa.Array:
    if _is_list(chunk.type):
        entries = _scalar_text(_field_of(pc.list_flatten(chunk), field))
        counts = pc.fill_null(pc.list_value_length(chunk), 0)
        offsets = pa.array([0, *pc.cumulative_sum(counts.cast(pa.int64())).to_pylist()], pa.int64())
        lists = pa.LargeListArray.from_arrays(offsets, pc.fill_null(entries, ""))
        texts = pc.binary_join(lists, pa.scalar(ITEM, pa.large_string()))
        if not field:  # entries of structs stand beside those of their other fields: gaps count
            texts = pc.utf8_trim(pc.replace_substring_regex(texts, f"{ITEM}+", ITEM), ITEM)
        return pc.if_else(pc.match_substring(texts, ";"), closed(texts), texts)
    return _scalar_text(_field_of(chunk, field))


def _field_of(array: pa.Array, field: str) -> pa.Array:
    return pc.struct_field(array, field) if field and pa.types.is_struct(array.type) else array


def _scalar_text(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_temporal(kind) and not pa.types.is_duration(kind):
        array = pc.strftime(array, format="%Y-%m-%d")
    elif pa.types.is_floating(kind):  # integers with gaps, as pandas writes them
        array = array.cast(pa.int64())
    return array.cast(pa.large_string())


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind)


def _damaged(shown: str, error: Exception) -> CorpusError:
    return CorpusError(f"{shown} is a damaged Parquet file: {one_line(error)}")
