"""Readers of patent exports: ``read_source`` recognises a file by its header and returns flat text."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pipeline.artifacts import sha256_file
from pipeline.corpus.readers.base import (
    FLAT,
    Layout,
    SourceTable,
    csv_headers,
    is_parquet,
    normalise_ids,
    parquet_header,
    read_csv,
    read_parquet,
)
from pipeline.corpus.readers.bulk import read_tables
from pipeline.corpus.readers.documents import read_documents
from pipeline.corpus.readers.google_patents import BIGQUERY, SEARCH_PAGE
from pipeline.corpus.readers.table import TABLE
from pipeline.errors import CorpusError

LAYOUTS = (TABLE, BIGQUERY, SEARCH_PAGE)

__all__ = ["FLAT", "LAYOUTS", "SourceTable", "flat_table", "read_source"]


def read_source(path: Path) -> SourceTable:
    """Read one file of patents, Parquet or CSV, in any layout of ``LAYOUTS``.

    Raises:
        CorpusError: when the file is missing, empty, damaged, of another encoding or of no known layout.
    """
    bulk = read_tables(path) if path.is_dir() else read_documents(path)
    if bulk is not None:
        return dataclasses.replace(bulk, frame=flat_table(bulk.frame))
    headers = {"": parquet_header(path)} if is_parquet(path) else csv_headers(path)
    delimiter, layout = _recognise(headers, path)
    if layout.flatten is None:
        raise CorpusError(f"{path} {layout.refusal}")
    header = headers[delimiter]
    named = [name for name in header if _plain(name) in layout.used]
    if delimiter:
        raw, bad_rows = read_csv(path, delimiter)
    else:
        raw, bad_rows = read_parquet(path, named), None
    frame, bad_values = layout.flatten(raw[named].rename(columns=_plain))
    return SourceTable(
        frame=flat_table(frame),
        format=layout.name,
        ignored=tuple(name for name in header if _plain(name) not in layout.used),
        faults=bad_values if bad_rows is None else pd.concat([bad_rows, bad_values], ignore_index=True),
        name=path.name,
        sha256=sha256_file(path),
    )


def flat_table(frame: pd.DataFrame) -> pd.DataFrame:
    """All flat columns in order: absent ones empty, texts stripped, ids without separators, dates with hyphens."""
    flat = {
        name: frame[name].str.strip() if name in frame else pd.Series("", index=frame.index, dtype="str")
        for name in FLAT
    }
    flat |= {name: normalise_ids(flat[name]) for name in ("patent_id", "cited_ids")}
    flat |= {name: flat[name].str.replace(_COMPACT_DATE, r"\1-\2-\3", regex=True) for name in ("date", "app_date")}
    return pd.DataFrame(flat, index=frame.index)


_COMPACT_DATE = r"^(\d{4})(\d{2})(\d{2})$"


def _recognise(headers: dict[str, list[str]], path: Path) -> tuple[str, Layout]:
    for layout in LAYOUTS:
        for delimiter, header in headers.items():
            columns = [_plain(name) for name in header]
            if layout.recognises(columns):
                _refuse_twins([name for name in columns if name in layout.used], path)
                return delimiter, layout
    found = max(headers.values(), key=len)
    raise CorpusError(
        f"{path} has no known layout: a table needs the columns patent_id, date and ipc or cpc (a Google Patents "
        f"export publication_number, publication_date and ipc_code or cpc_code); found {_listed(found)}"
    )


def _refuse_twins(columns: Sequence[str], path: Path) -> None:
    twins = sorted({name for name in columns if columns.count(name) > 1})
    if twins:
        raise CorpusError(f"{path} has more than one column {_listed(twins)}: keep one of each")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _plain(name: str) -> str:
    return name.strip().lower()
