"""What a corpus was made of, kept beside it: the rows of every source as read, and how they were cleaned.

``sources/0001.parquet`` holds the rows of the first file, ``sources/0001.faults.parquet`` what its reader could not
read. Every field of a table that is no frame stands in the Parquet file's metadata.
"""

import dataclasses
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from pipeline.artifacts import read_table, sha256_file, sha256_json, table_writer, write_table
from pipeline.corpus.aliases import NO_ALIASES, Aliases
from pipeline.corpus.ingest import Cleaning
from pipeline.corpus.readers import FLAT, SourceTable
from pipeline.corpus.spill import ROW
from pipeline.corpus.validity import SymbolList
from pipeline.errors import ArtifactError

FOLDER = "sources"
SYMBOLS = "symbols.parquet"
_SOURCE = "source"  # a key of the file's metadata


def write_sources(folder: Path, tables: Sequence[SourceTable], earlier: Path, stored: int) -> list[str]:
    """Write the rows of all sources below a corpus's folder and return a hash of each.

    The first ``stored`` of them are taken over from the corpus at ``earlier``.
    """
    (folder / FOLDER).mkdir()
    for number, table in enumerate(tables):
        rows, faults = _files(number)
        if number < stored:
            _take_over(earlier / FOLDER, folder / FOLDER, (rows, faults))
            continue
        rest = {field.name: getattr(table, field.name) for field in dataclasses.fields(table)}
        told = {name: value for name, value in rest.items() if name not in ("frame", "faults", "spilled")}
        metadata = {_SOURCE: json.dumps(told, ensure_ascii=False)}
        with table_writer(folder / FOLDER / rows, metadata) as write:
            for piece in table.pieces():
                write(piece.assign(**{ROW: piece.index.astype("int64")}))
        write_table(folder / FOLDER / faults, _typed(table.faults))
    return [_digest(folder, number) for number in range(len(tables))]


def read_sources(corpus: Path, manifest: dict[str, Any]) -> list[SourceTable]:
    """The sources of a stored corpus, as their readers gave them, their rows where they lie.

    Raises:
        ArtifactError: when one is missing or damaged.
    """
    tables = []
    for number, source in enumerate(manifest["sources"]):
        rows, faults = (corpus / FOLDER / name for name in _files(number))
        if not rows.is_file() or not faults.is_file():
            raise ArtifactError(f"{rows} is missing: ingest all files again without --append")
        if _digest(corpus, number) != source["stored"]:
            raise ArtifactError(f"{rows} is damaged: ingest all files again without --append")
        rest = json.loads(pq.read_schema(rows).metadata[_SOURCE.encode()])
        rest = {name: tuple(value) if isinstance(value, list) else value for name, value in rest.items()}
        none = pd.DataFrame(columns=list(FLAT), dtype="str")
        stored = rows, pq.read_metadata(rows).num_rows
        tables.append(SourceTable(frame=none, faults=read_table(faults), spilled=stored, **rest))
    return tables


def write_cleaning(folder: Path, cleaning: Cleaning) -> dict[str, Any]:
    """Keep how rows were cleaned; returns what the manifest says of it."""
    symbols = cleaning.symbol_list
    if symbols is not None:
        write_table(folder / SYMBOLS, symbols.table)
    return {
        "aliases": dataclasses.asdict(cleaning.aliases),
        "symbol_list": None if symbols is None else {"name": symbols.name, "sha256": symbols.sha256},
    }


def read_cleaning(corpus: Path, manifest: dict[str, Any]) -> Cleaning:
    """How a stored corpus was cleaned."""
    symbols = manifest["symbol_list"]
    return Cleaning(
        families=manifest["families"],
        aliases=Aliases(**manifest["aliases"]) if manifest["aliases"]["keys"] else NO_ALIASES,
        symbol_list=None if symbols is None else SymbolList(table=read_table(corpus / SYMBOLS), **symbols),
    )


def _files(number: int) -> tuple[str, str]:
    return f"{number + 1:04d}.parquet", f"{number + 1:04d}.faults.parquet"


def _digest(corpus: Path, number: int) -> str:
    return sha256_json([sha256_file(corpus / FOLDER / name) for name in _files(number)])


def _take_over(earlier: Path, folder: Path, names: Sequence[str]) -> None:
    for name in names:
        try:
            os.link(earlier / name, folder / name)
        except OSError:  # a file system without hard links
            shutil.copyfile(earlier / name, folder / name)


def _typed(faults: pd.DataFrame) -> pd.DataFrame:
    """An empty table of faults has no types of its own, and would not come back as it went."""
    types = {name: "int64" if name == "row" else "str" for name in faults.columns}
    return faults.reset_index(drop=True).astype(types)
