"""Sources too large for one frame, read in shards: what a shard is, and how a table is made of all."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa

from pipeline.corpus.readers.base import FAULTS, FLAT, SourceTable
from pipeline.errors import CorpusError

Fault = tuple[int, str, str, str, str]  # as base.FAULTS
LARGEST_TABLE = 6 << 30  # bytes of text that one table of a corpus in memory may hold


@dataclasses.dataclass(frozen=True)
class Shard:
    """Some rows of a source: columns ``FLAT`` of text, ``position`` their 1-based numbers in it; and its faults."""

    rows: pa.Table
    position: pa.Array
    faults: tuple[Fault, ...] = ()


def shard(rows: Iterable[tuple[int, dict[str, str]]], faults: Iterable[Fault] = ()) -> Shard:
    """A shard of rows as dicts, each with its number; absent columns are empty."""
    listed = list(rows)
    columns = {name: pa.array([row.get(name, "") for _, row in listed], pa.large_string()) for name in FLAT}
    return Shard(pa.table(columns), pa.array([number for number, _ in listed], pa.int64()), tuple(faults))


def gathered(
    shards: Iterable[Shard], format: str, path: Path, sha256: str, warnings: Iterable[str] = ()
) -> SourceTable:
    """All shards as one table.

    Raises:
        CorpusError: when it would be larger than ``LARGEST_TABLE``; what has been read is let go.
    """
    kept: list[Shard] = []
    part = None
    size = 0
    for part in shards:
        size += part.rows.nbytes
        if size > LARGEST_TABLE:
            raise CorpusError(
                f"{path} holds more than {LARGEST_TABLE >> 30} GB of text, too much for one corpus in memory: leave "
                "out years or tables (abstracts and claims are the largest)"
            )
        kept.append(part)
    rows = pa.concat_tables([part.rows for part in kept]) if kept else shard([]).rows
    position = pa.chunked_array([part.position for part in kept], pa.int64()).to_numpy()
    faults = pd.DataFrame([fault for part in kept for fault in part.faults], columns=list(FAULTS))
    del kept, part  # nothing but ``rows`` holds the columns now, which are let go one by one
    columns = {}
    for name in FLAT:
        columns[name] = pd.Series(rows[name].combine_chunks(), dtype="str")
        rows = rows.drop_columns(name)
    frame = pd.DataFrame(columns, copy=False).set_axis(pd.Index(position, dtype="int64"))
    return SourceTable(
        frame=frame, format=format, faults=faults, name=path.name, sha256=sha256, warnings=tuple(warnings)
    )
