"""Corpora that are made and grow on disk: one writer at a time, the old one whole until the new one is."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.artifacts import locked, scratch_beside
from pipeline.corpus.aliases import Aliases
from pipeline.corpus.families import Families
from pipeline.corpus.ingest import Assembly, Cleaning
from pipeline.corpus.readers import SourceTable, read_source
from pipeline.corpus.readers.shards import spilled
from pipeline.corpus.sources import read_cleaning, read_sources
from pipeline.corpus.store import load_manifest, write_corpus
from pipeline.corpus.validity import SymbolList
from pipeline.mapping import Mapper, in_turn

Progress = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Grown:
    """The manifest of the corpus, and the files that it had already; ``changed``: whether anything was written."""

    manifest: dict[str, Any]
    known: tuple[str, ...]
    changed: bool


def create(
    files: Sequence[Path],
    out: Path,
    cleaning: Cleaning,
    progress: Progress,
    format: str | None = None,
    mapping: Path | None = None,
    mapper: Mapper = in_turn,
) -> dict[str, Any]:
    """Read files into a new corpus at ``out``, replacing an older one, and return its manifest.

    ``format``, ``mapping``: see ``readers.read_source``. ``mapper``: is given the files to read.

    Raises:
        CorpusError: a file cannot be read, or no row of any can be used.
        ArtifactError: ``out`` is no corpus, cannot be written, or is being written.
    """
    with locked(out), scratch_beside(out) as scratch:
        tables = list(_read(files, progress, format, mapping, mapper, scratch))
        made = Assembly(tables, cleaning, scratch)
        progress("writing")
        return write_corpus(made, out)


def append(
    files: Sequence[Path],
    out: Path,
    progress: Progress,
    families: Families | None = None,
    aliases: Aliases | None = None,
    symbol_list: SymbolList | None = None,
    format: str | None = None,
    mapping: Path | None = None,
    mapper: Mapper = in_turn,
) -> Grown:
    """Add files to the corpus at ``out``: it becomes what ingesting all its files at once, in this order, would give.

    A file whose bytes are in it already is left out. What is not given of the cleaning stays as it was. ``mapper``: is
    given the files to read.

    Raises:
        CorpusError: ``out`` is no corpus, or a file cannot be read.
        ArtifactError: a part of the corpus is damaged, or it is being written.
    """
    with locked(out), scratch_beside(out) as scratch:
        manifest = load_manifest(out)
        before = read_cleaning(out, manifest)
        cleaning = Cleaning(
            families=families or before.families,
            aliases=before.aliases if aliases is None else aliases,
            symbol_list=before.symbol_list if symbol_list is None else symbol_list,
        )
        seen = {source["sha256"] for source in manifest["sources"]}
        added: list[SourceTable] = []
        known: list[SourceTable] = []
        for table in _read(files, progress, format, mapping, mapper, scratch):
            (known if table.sha256 in seen else added).append(table)
            seen.add(table.sha256)
        names = tuple(table.name for table in known)
        if not added and _told(cleaning) == _told(before):
            return Grown(manifest, names, changed=False)
        progress("reading what the corpus holds")
        stored = read_sources(out, manifest)
        made = Assembly([*stored, *added], cleaning, scratch)
        progress("writing")
        written = write_corpus(made, out, simulated=manifest["simulated"], stored=len(stored))
        return Grown(written, names, changed=True)


def _read(
    files: Sequence[Path],
    progress: Progress,
    format: str | None,
    mapping: Path | None,
    mapper: Mapper,
    scratch: Path,
) -> Iterator[SourceTable]:
    """The sources, one after the other, their rows in temporary files below ``scratch``."""
    if files:
        progress(f"reading {', '.join(path.name for path in files)}")
    there = scratch if mapper is in_turn else None  # elsewhere there is no such folder
    for table in mapper(functools.partial(read_source, format=format, mapping=mapping, scratch=there), files):
        yield table if table.spilled else spilled(table, scratch)


def _told(cleaning: Cleaning) -> tuple[str, dict[str, str], str]:
    symbols = cleaning.symbol_list
    return cleaning.families, cleaning.aliases.keys, "" if symbols is None else symbols.sha256
