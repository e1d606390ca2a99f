"""A corpus on disk: one folder of Parquet tables and a manifest that says what is in them and where it came from.

The same input gives the same bytes; every table is checked against its hash and its schema when read back. The rows as
read lie in ``sources/`` (``pipeline.corpus.sources``), so that a corpus can grow as if all files had come at once.
"""

import contextlib
import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import __version__, schemas
from pipeline.artifacts import (
    atomic_directory,
    locked,
    read_json,
    read_table,
    sha256_file,
    sha256_json,
    table_writer,
    write_json,
)
from pipeline.corpus.entry_dates import load_entry_dates
from pipeline.corpus.ingest import Assembly, Ingested
from pipeline.corpus.sources import FOLDER, SYMBOLS, write_cleaning, write_sources
from pipeline.corpus.timeline import Corpus, last_day
from pipeline.errors import ArtifactError, CorpusError

SCHEMA_VERSION = 2
TABLES: dict[str, type[schemas.Table]] = {
    "patents": schemas.Patents,
    "patent_codes": schemas.PatentCodes,
    "citations": schemas.Citations,
    "parties": schemas.Parties,
    "members": schemas.Members,
    "quarantine": schemas.Quarantine,
    "history": schemas.History,
}
_MANIFEST = "manifest.json"
_TEXTS = ("title", "abstract", "claims", "family_id", "office")
_VALUES = ("claims_count", "filing_date")
_ENTRIES = (  # field, and where it is told: table, column of the patent, column of the kind, kind
    *((scheme, "patent_codes", "patent_id", "scheme", scheme) for scheme in schemas.SCHEMES),
    *((f"{role}s", "parties", "patent_id", "role", role) for role in schemas.ROLES),
    ("citations", "citations", "citing", "kind", "patent"),
    ("npl", "citations", "citing", "kind", "npl"),
)


def save_corpus(ingested: Ingested, path: Path, simulated: bool = False) -> dict[str, Any]:
    """Write a corpus folder, replacing an older one whole, and return its manifest.

    Raises:
        ArtifactError: when ``path`` is something else than a corpus, or cannot be written, or is being written.
    """
    with locked(path):
        return write_corpus(ingested, path, simulated)


def write_corpus(made: Assembly | Ingested, path: Path, simulated: bool = False, stored: int = 0) -> dict[str, Any]:
    """As ``save_corpus``, for who holds the lock, and piece by piece where the tables come so.

    ``stored``: how many of the first sources lie in ``path`` already.
    """
    dates = made.members["knowledge_date"]
    known = {"first_knowledge_date": f"{dates.min():%Y-%m-%d}", "last_knowledge_date": f"{dates.max():%Y-%m-%d}"}
    with atomic_directory(path, _MANIFEST, [*(f"{name}.parquet" for name in TABLES), FOLDER, SYMBOLS]) as folder:
        counts, having = _write_tables(made, folder, {"schema_version": str(SCHEMA_VERSION), **known})
        rows = write_sources(folder, made.tables, path, stored)
        hashes = {name: sha256_file(folder / f"{name}.parquet") for name in TABLES}
        manifest = {
            "schema_version": SCHEMA_VERSION,
            "techconverge": __version__,
            "simulated": simulated,
            "sources": [
                dataclasses.asdict(source) | {"stored": digest}
                for source, digest in zip(made.sources, rows, strict=True)
            ],
            "families": made.cleaning.families,
            **write_cleaning(folder, made.cleaning),
            "account": dataclasses.asdict(made.account),
            **known,
            "coverage": _shares(having, counts["patents"]),
            "tables": {name: {"rows": counts[name], "sha256": hashes[name]} for name in TABLES},
            "content_hash": sha256_json(hashes),
            "notes": made.notes,
            "warnings": list(made.warnings),
        }
        write_json(folder / _MANIFEST, manifest)
    return manifest


def _write_tables(
    made: Assembly | Ingested, folder: Path, metadata: dict[str, str]
) -> tuple[Counter[str], Counter[str]]:
    """Write all tables; returns the rows of each, and the patents for which each field says something."""
    counts, having = Counter[str](), Counter[str]()
    with contextlib.ExitStack() as stack:
        write = {name: stack.enter_context(table_writer(folder / f"{name}.parquet", metadata)) for name in TABLES}
        for name, piece in made.pieces():
            write[name](piece)
            counts[name] += len(piece)
            having.update(_having(name, piece))
    return counts, having


def load_corpus(path: Path, entry_dates: Path | None = None) -> Corpus:
    """Read a corpus folder back, and when its codes came into force: by the shipped table, or the user's own.

    Raises:
        CorpusError: when ``path`` is no corpus, or one of another schema version, or ``entry_dates`` is no such table.
        ArtifactError: when a table is missing, damaged, or not what the manifest or its schema says.
    """
    manifest = load_manifest(path)
    tables = {name: _load_table(path, name, manifest) for name in TABLES}
    return Corpus(
        patents=tables["patents"],
        patent_codes=tables["patent_codes"],
        citations=tables["citations"],
        parties=tables["parties"],
        members=tables["members"],
        cutoff=last_day(tables["members"]),
        entry_dates=load_entry_dates(entry_dates),
    )


def load_quarantine(path: Path) -> pd.DataFrame:
    """What could not be used of a corpus's sources (schema ``Quarantine``); raises as ``load_corpus`` does."""
    return _load_table(path, "quarantine", load_manifest(path))


def load_manifest(path: Path) -> dict[str, Any]:
    """Read what a corpus folder says of itself; raises as ``load_corpus`` does."""
    if not (path / _MANIFEST).is_file():
        raise CorpusError(f"{path} is not a corpus: make one with `techconverge ingest FILE... --out {path}`")
    manifest = read_json(path / _MANIFEST)
    version = manifest.get("schema_version") if isinstance(manifest, dict) else None
    if version != SCHEMA_VERSION:
        raise CorpusError(f"{path} has schema version {version}, this program reads {SCHEMA_VERSION}: ingest it again")
    try:
        hashes = {name: manifest["tables"][name]["sha256"] for name in TABLES}
    except (KeyError, TypeError) as error:
        raise ArtifactError(f"{path / _MANIFEST} is damaged: it does not describe every table") from error
    if manifest.get("content_hash") != sha256_json(hashes):
        raise ArtifactError(f"{path / _MANIFEST} is damaged: its content hash is not that of its tables")
    return manifest


def coverage(corpus: Corpus) -> dict[str, float]:
    """The share of patents for which each field says something."""
    having = Counter[str]()
    for name in ("patents", "patent_codes", "citations", "parties"):
        having.update(_having(name, getattr(corpus, name)))
    return _shares(having, len(corpus.patents))


def _having(name: str, table: pd.DataFrame) -> dict[str, int]:
    """For how many patents a table says something in each field."""
    if name == "patents":
        texts = {field: int((table[field] != "").sum()) for field in _TEXTS}
        return texts | {field: int(table[field].notna().sum()) for field in _VALUES}
    return {
        field: table.loc[table[column] == value, patent].nunique()
        for field, of, patent, column, value in _ENTRIES
        if of == name
    }


def _shares(having: Counter[str], patents: int) -> dict[str, float]:
    names = (*_TEXTS, *_VALUES, *(field for field, *_ in _ENTRIES))
    return {name: round(having[name] / patents, 6) for name in names}


def _load_table(path: Path, name: str, manifest: dict[str, Any]) -> pd.DataFrame:
    file = path / f"{name}.parquet"
    if not file.is_file():
        raise ArtifactError(f"{file} is missing: ingest the corpus again")
    if sha256_file(file) != manifest["tables"][name]["sha256"]:
        raise ArtifactError(f"{file} is damaged: it is not what the manifest describes; ingest the corpus again")
    return schemas.validate(read_table(file), TABLES[name], f"{name} of {path}")
