"""Readers of patent exports: ``read_source`` recognises a file by its content and returns flat text."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pipeline.artifacts import sha256_file
from pipeline.corpus.readers import google_patents, lens
from pipeline.corpus.readers.base import FLAT, Layout, Sheet, SourceTable, faults_of, plain
from pipeline.corpus.readers.bulk import BULK_NAMES, read_tables
from pipeline.corpus.readers.containers import check_file, parts
from pipeline.corpus.readers.derwent import INNOVATION
from pipeline.corpus.readers.derwent_index import DERWENT_INDEX
from pipeline.corpus.readers.documents import DOCUMENT_FORMATS, read_documents
from pipeline.corpus.readers.flat import flat_table
from pipeline.corpus.readers.incopat import INCOPAT
from pipeline.corpus.readers.mapping import load_mapping
from pipeline.corpus.readers.patentscope import PATENTSCOPE
from pipeline.corpus.readers.patsnap import PATSNAP
from pipeline.corpus.readers.shards import spilled
from pipeline.corpus.readers.sumobrain import SUMOBRAIN
from pipeline.corpus.readers.table import TABLE
from pipeline.errors import ConfigError, CorpusError

# the first that recognises a header reads it: those that ask for less stand later
LAYOUTS = (
    TABLE, google_patents.BIGQUERY, google_patents.SEARCH_PAGE, lens.CSV, lens.API, SUMOBRAIN, DERWENT_INDEX,
    INNOVATION, PATENTSCOPE, PATSNAP, INCOPAT,
)  # fmt: skip

_OF_NO_TABLE = (*(known.name for known in DOCUMENT_FORMATS if not known.refusal), *BULK_NAMES)

__all__ = ["FLAT", "LAYOUTS", "SourceTable", "flat_table", "format_names", "read_source"]


def format_names() -> list[str]:
    """Names that ``--format`` takes."""
    return sorted([*(layout.name for layout in LAYOUTS), *_OF_NO_TABLE])


def read_source(
    path: Path, format: str | None = None, mapping: Path | None = None, scratch: Path | None = None
) -> SourceTable:
    """Read one file of patents: documents, or any container of any layout of ``LAYOUTS``, or of the one a mapping file
    describes; or one folder of bulk tables.

    ``format`` names the layout to take. An archive's members are read one below the other, as one table.
    ``scratch``: a folder for temporary files, in which the table's rows then lie.

    Raises:
        CorpusError: when the file is missing, empty, damaged or of no known layout.
        ConfigError: when there is no such format, or the mapping file is wrong.
    """
    if mapping is None and (format is None or format in _OF_NO_TABLE):
        found = read_tables(path, scratch) if path.is_dir() else read_documents(path, scratch)
        if found is not None and format in (None, found.format):
            return found
        if format is not None:
            raise CorpusError(f"{path} is not of the format {format}{f', but of {found.format}' if found else ''}")
    layouts = _asked(format, mapping)
    check_file(path)
    with tempfile.TemporaryDirectory(prefix="techconverge-") as unpacked:
        tables, unread = [], []
        for name, sheets in parts(path, Path(unpacked)):
            try:
                tables.append((name, _read(path, sheets, layouts, mapping)))
            except _UnknownLayoutError as error:
                unread.append((name, error))
    if not tables:
        raise CorpusError(str(unread[0][1])) if unread else CorpusError(f"{path} holds no table")
    table = _stacked(path, tables, [name for name, _ in unread])
    return table if scratch is None else spilled(table, scratch)


class _UnknownLayoutError(CorpusError):
    """No sheet of a part has a known layout."""


def _asked(name: str | None, mapping: Path | None) -> tuple[Layout, ...]:
    if mapping is not None:
        if name is not None:
            raise ConfigError("--format and --mapping exclude each other: give one")
        return (load_mapping(mapping),)
    if name is None:
        return LAYOUTS
    chosen = tuple(layout for layout in LAYOUTS if layout.name == name)
    if not chosen:
        raise ConfigError(f"there is no format {name!r}: known are {', '.join(format_names())}")
    return chosen


def _read(path: Path, sheets: Sequence[Sheet], layouts: Sequence[Layout], mapping: Path | None) -> SourceTable:
    sheet, layout = _recognise(path, sheets, layouts, mapping)
    if layout.flatten is None:
        raise CorpusError(f"{path} {layout.refusal}")
    raw = sheet.read(layout.used)
    frame, bad_values = layout.flatten(raw.frame)
    return SourceTable(
        frame=flat_table(frame),
        format=layout.name,
        ignored=tuple(name for name in sheet.header if plain(name) not in layout.used),
        faults=_stacked_faults([raw.faults, bad_values]),
        warnings=(*raw.warnings, *layout.notes),
    )


def _recognise(
    path: Path, sheets: Sequence[Sheet], layouts: Sequence[Layout], mapping: Path | None
) -> tuple[Sheet, Layout]:
    for layout in layouts:
        for sheet in sheets:
            columns = [plain(name) for name in sheet.header]
            if layout.recognises(columns):
                _refuse_gaps(path, columns, layout)
                _refuse_twins(path, [name for name in columns if name in layout.used])
                return sheet, layout
    found = max((sheet.header for sheet in sheets), key=len, default=())
    if mapping is not None:
        lacking = min(
            (sorted(layouts[0].used - {plain(name) for name in sheet.header}) for sheet in sheets), key=len, default=[]
        )
        raise _UnknownLayoutError(
            f"{path} lacks columns that {mapping} names, {_listed(lacking)}; found {_listed(found)}"
        )
    if len(layouts) == 1:
        raise _UnknownLayoutError(f"{path} is not of the format {layouts[0].name}; found the columns {_listed(found)}")
    raise _UnknownLayoutError(
        f"{path} has no known layout ({', '.join(format_names())}): a table of your own needs the columns patent_id, "
        f"date and ipc or cpc, or a mapping file (`techconverge propose-mapping`); found {_listed(found)}"
    )


def _refuse_gaps(path: Path, columns: Sequence[str], layout: Layout) -> None:
    for group in layout.needs:
        if group and set(columns).isdisjoint(group):
            several = len(group) > 1
            raise CorpusError(
                f"{path} is of the format {layout.name} but lacks {'one of the columns' if several else 'the column'} "
                f"{_listed(group)}: export it again with {'one of them' if several else 'it'}"
            )


def _refuse_twins(path: Path, columns: Sequence[str]) -> None:
    twins = sorted({name for name in columns if columns.count(name) > 1})
    if twins:
        raise CorpusError(f"{path} has more than one column {_listed(twins)}: keep one of each")


def _stacked(path: Path, tables: Sequence[tuple[str, SourceTable]], unread: Sequence[str]) -> SourceTable:
    """The tables of a file's parts as one, its rows numbered through."""
    frames, faults, warnings = [], [], []
    last = 0
    for name, table in tables:
        frames.append(table.frame.set_axis(table.frame.index + last))
        faults.append(table.faults.assign(row=table.faults["row"] + last))
        warnings += [f"{name}: {warning}" if name else warning for warning in table.warnings]
        top = max(
            table.frame.index.max() if len(table.frame) else 0, table.faults["row"].max() if len(table.faults) else 0
        )
        if len(tables) > 1:
            warnings.append(f"rows {last + 1:,} to {last + int(top):,} are those of {name}")
        last += int(top)
    if unread:
        warnings.append(f"not read, since of no known layout: {_listed(unread)}")
    return SourceTable(
        frame=pd.concat(frames) if len(frames) > 1 else frames[0],
        format="+".join(dict.fromkeys(table.format for _, table in tables)),
        ignored=tuple(dict.fromkeys(name for _, table in tables for name in table.ignored)),
        faults=_stacked_faults(faults),
        name=path.name,
        sha256=sha256_file(path),
        warnings=tuple(warnings),
    )


def _stacked_faults(faults: Sequence[pd.DataFrame]) -> pd.DataFrame:
    found = [table for table in faults if len(table)]
    return pd.concat(found, ignore_index=True) if found else faults_of([])


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:60]) for name in names[:12])
    return shown + (f" and {len(names) - 12:,} more" if len(names) > 12 else "")
