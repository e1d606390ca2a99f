"""A corpus on disk: one folder of Parquet tables and a manifest that says what is in them and where it came from.

The same input gives the same bytes; every table is checked against its hash and its schema when read back. The rows as
read lie in ``sources/`` (``pipeline.corpus.sources``), so that a corpus can grow as if all files had come at once.
"""

import dataclasses
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
    write_json,
    write_table,
)
from pipeline.corpus.entry_dates import load_entry_dates
from pipeline.corpus.ingest import Ingested
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


def save_corpus(ingested: Ingested, path: Path, simulated: bool = False) -> dict[str, Any]:
    """Write a corpus folder, replacing an older one whole, and return its manifest.

    Raises:
        ArtifactError: when ``path`` is something else than a corpus, or cannot be written, or is being written.
    """
    with locked(path):
        return write_corpus(ingested, path, simulated)


def write_corpus(ingested: Ingested, path: Path, simulated: bool = False, stored: int = 0) -> dict[str, Any]:
    """As ``save_corpus``, for who holds the lock. ``stored``: how many of the first sources lie in ``path`` already."""
    corpus = ingested.corpus
    tables = {
        "patents": corpus.patents,
        "patent_codes": corpus.patent_codes,
        "citations": corpus.citations,
        "parties": corpus.parties,
        "members": corpus.members,
        "quarantine": ingested.quarantine,
        "history": ingested.history,
    }
    dates = corpus.members["knowledge_date"]
    known = {"first_knowledge_date": f"{dates.min():%Y-%m-%d}", "last_knowledge_date": f"{dates.max():%Y-%m-%d}"}
    with atomic_directory(path, _MANIFEST, [*(f"{name}.parquet" for name in tables), FOLDER, SYMBOLS]) as folder:
        for name, table in tables.items():
            write_table(folder / f"{name}.parquet", table, {"schema_version": str(SCHEMA_VERSION), **known})
        rows = write_sources(folder, ingested.tables, path, stored)
        hashes = {name: sha256_file(folder / f"{name}.parquet") for name in TABLES}
        manifest = {
            "schema_version": SCHEMA_VERSION,
            "techconverge": __version__,
            "simulated": simulated,
            "sources": [
                dataclasses.asdict(source) | {"stored": digest}
                for source, digest in zip(ingested.sources, rows, strict=True)
            ],
            "families": ingested.families,
            **write_cleaning(folder, ingested.cleaning),
            "account": dataclasses.asdict(ingested.account),
            **known,
            "coverage": coverage(corpus),
            "tables": {name: {"rows": len(tables[name]), "sha256": hashes[name]} for name in TABLES},
            "content_hash": sha256_json(hashes),
            "notes": ingested.notes,
            "warnings": list(ingested.warnings),
        }
        write_json(folder / _MANIFEST, manifest)
    return manifest


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
    patents = corpus.patents
    texts = ("title", "abstract", "claims", "family_id", "office")
    having = {name: (patents[name] != "").mean() for name in texts}
    having |= {name: patents[name].notna().mean() for name in ("claims_count", "filing_date")}
    entries = [
        *((scheme, corpus.patent_codes, "patent_id", "scheme", scheme) for scheme in schemas.SCHEMES),
        *((f"{role}s", corpus.parties, "patent_id", "role", role) for role in schemas.ROLES),
        ("citations", corpus.citations, "citing", "kind", "patent"),
        ("npl", corpus.citations, "citing", "kind", "npl"),
    ]
    for name, table, patent, column, value in entries:
        having[name] = table.loc[table[column] == value, patent].nunique() / len(patents)
    return {name: round(float(share), 6) for name, share in having.items()}


def _load_table(path: Path, name: str, manifest: dict[str, Any]) -> pd.DataFrame:
    file = path / f"{name}.parquet"
    if not file.is_file():
        raise ArtifactError(f"{file} is missing: ingest the corpus again")
    if sha256_file(file) != manifest["tables"][name]["sha256"]:
        raise ArtifactError(f"{file} is damaged: it is not what the manifest describes; ingest the corpus again")
    return schemas.validate(read_table(file), TABLES[name], f"{name} of {path}")
