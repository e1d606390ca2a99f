"""Sources too large for one frame, read in shards: what a shard is, and how a table is made of all."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa

from pipeline.corpus.readers.base import FAULTS, FLAT, SourceTable, text_series
from pipeline.corpus.readers.flat import flat_table
from pipeline.corpus.spill import spill
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
    shards: Iterable[Shard],
    format: str,
    path: Path,
    sha256: str,
    warnings: Iterable[str] = (),
    scratch: Path | None = None,
) -> SourceTable:
    """All shards as one flat table; with ``scratch``, a folder for temporary files, its rows lie there.

    Raises:
        CorpusError: when it would be larger than ``LARGEST_TABLE`` in memory; what has been read is let go.
    """
    faults: list[Fault] = []
    frames = _flat(shards, faults)
    none = next(frames)
    rows = None if scratch is None else spill(itertools.chain([none], frames), scratch)
    frame = _whole(itertools.chain([none], frames), path)  # of what has been spilled nothing is left
    listed = pd.DataFrame(faults, columns=list(FAULTS))
    return SourceTable(frame, format, (), listed, path.name, sha256, tuple(warnings), rows)


def spilled(table: SourceTable, scratch: Path) -> SourceTable:
    """The same table, its rows in a temporary file below ``scratch``."""
    return dataclasses.replace(table, frame=table.frame.iloc[:0], spilled=spill([table.frame], scratch))


def _flat(shards: Iterable[Shard], faults: list[Fault]) -> Iterator[pd.DataFrame]:
    """An empty frame, then the rows of each shard; ``faults`` receives theirs."""
    for part in itertools.chain([shard([])], shards):
        faults += part.faults
        columns = {name: text_series(part.rows[name], pd.RangeIndex(part.rows.num_rows)) for name in FLAT}
        frame = pd.DataFrame(columns, copy=False).set_axis(pd.Index(part.position.to_numpy(), dtype="int64"))
        yield flat_table(frame)


def _whole(frames: Iterable[pd.DataFrame], path: Path) -> pd.DataFrame:
    kept, size = [], 0
    for frame in frames:
        size += sum(pa.array(frame[name]).nbytes for name in frame)
        if size > LARGEST_TABLE:
            raise CorpusError(
                f"{path} holds more than {LARGEST_TABLE >> 30} GB of text, too much for one corpus in memory: leave "
                "out years or tables (abstracts and claims are the largest)"
            )
        kept.append(frame)
    whole = pd.concat(kept)
    kept.clear()
    return pd.DataFrame({name: text_series(pa.array(whole.pop(name)), whole.index) for name in FLAT}, copy=False)
