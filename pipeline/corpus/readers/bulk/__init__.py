"""Folders of bulk tables, PatentsView's or PATSTAT's, joined with bounded memory; tables are known by their headers."""

import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from pipeline.artifacts import read_json, sha256_file, sha256_json
from pipeline.corpus.readers.base import SourceTable
from pipeline.corpus.readers.bulk import patentsview, patstat
from pipeline.corpus.readers.bulk.tables import TableFile, table_files
from pipeline.corpus.readers.shards import Shard, gathered
from pipeline.errors import CorpusError

RECORD = "fetch.json"  # what `techconverge fetch` leaves beside the tables
_SOURCES: dict[str, tuple[ModuleType, str]] = {
    "patentsview": (patentsview, "g_patent"),
    "patstat": (patstat, "tls211"),
}
BULK_NAMES = tuple(_SOURCES)


def read_tables(folder: Path, scratch: Path | None = None) -> SourceTable:
    """A folder of bulk tables as one flat table; the row number is that in its table of patents. ``scratch``: see
    ``shards.gathered``.

    Raises:
        CorpusError: when it holds no table of patents, a file is damaged, or all is too much for one table in memory.
    """
    name, files = recognised(folder)
    told = list(_SOURCES[name][0].warnings(list(files)))
    named = {file.path for listed in files.values() for file in listed}
    told += [f"{path.name} is no table that is read, and left out" for path in _others(folder, named)]
    digest = sha256_json({path.name: sha256_file(path) for path in sorted(named)})
    table = gathered(shards(folder, told), name, folder, digest, scratch=scratch)
    return dataclasses.replace(table, warnings=tuple(told))


def recognised(folder: Path) -> tuple[str, dict[str, list[TableFile]]]:
    """The kind of tables in a folder, and the files of each table.

    Raises:
        CorpusError: when there is no table of patents.
    """
    found = table_files(folder)
    for name, (source, base) in _SOURCES.items():
        files: dict[str, list[TableFile]] = {}
        for file in found:
            table = source.named(file)
            if table is not None:
                files.setdefault(table, []).append(file)
        if base in files:
            return name, files
    raise CorpusError(
        f"{folder} is not a file, and a folder without PatentsView's g_patent or PATSTAT's tls211 table: name the "
        "files themselves, or put that table there"
    )


def shards(folder: Path, told: list[str]) -> Iterator[Shard]:
    """The patents of a folder in shards of bounded size, in no order; ``told`` receives warnings.

    Raises:
        CorpusError: when a file is damaged, or the temporary files do not fit on the disk.
    """
    name, files = recognised(folder)
    years = _years(folder)
    if years and name == "patentsview":
        told.append(f"only patents granted in {years[0]} to {years[-1]}, as it was fetched (years in {RECORD})")
    try:
        with tempfile.TemporaryDirectory(prefix="techconverge-") as temporary:
            yield from _SOURCES[name][0].shards(files, Path(temporary), told, frozenset(map(str, years)))
    except OSError as error:
        raise CorpusError(
            f"{folder}: joining its tables failed ({' '.join(str(error).split())[:160]}); it needs about as much room "
            f"on the disk of {tempfile.gettempdir()} as the tables have unpacked (another: set TMPDIR)"
        ) from error


def _years(folder: Path) -> list[int]:
    """The years of grant that `techconverge fetch --years` was asked for; none: all."""
    record = read_json(folder / RECORD) if (folder / RECORD).exists() else {}
    years = record.get("years") if isinstance(record, dict) else None
    return sorted(year for year in years if isinstance(year, int)) if isinstance(years, list) else []


def _others(folder: Path, named: set[Path]) -> list[Path]:
    return [
        path
        for path in sorted(folder.iterdir())
        if path not in named and path.name != RECORD and not path.name.startswith(".")
    ]
