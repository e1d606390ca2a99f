"""A firm's documents on their way in: which are new, changed, the same, or refused, and the chunks of those read."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from pipeline.artifacts import sha256_file
from pipeline.knowledge.chunks import document_chunks
from pipeline.knowledge.documents import Document, Refused, document_name, read_documents
from pipeline.knowledge.formats import MAX_BYTES
from pipeline.knowledge.store import StoredDocument, document_key


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one document given, and what to know of it."""

    name: str
    outcome: Literal["added", "replaced", "unchanged", "refused"]
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Intake:
    """One outcome a document given; the documents the base holds then; sources that leave, chunks that come."""

    outcomes: tuple[Outcome, ...]
    documents: tuple[StoredDocument, ...]
    gone: set[str]
    fresh: list[pd.DataFrame]


def take_in(before: Sequence[StoredDocument], paths: Sequence[Path], firm: str, date: pd.Timestamp | None) -> Intake:
    """Read the documents that the base does not hold as they are; ``date`` is that of those which state none."""
    held = {document.source: document for document in before if document.firm == firm}
    outcomes: list[Outcome] = []
    taken: dict[str, StoredDocument] = {}
    fresh: list[pd.DataFrame] = []
    for path, sha256, read in _read(paths, held, date):
        name = document_name(path)
        if read is None:
            outcomes.append(Outcome(name, "unchanged"))
        elif isinstance(read, Refused):
            kept = "; the version held before stays" if name in held else ""
            outcomes.append(Outcome(name, "refused", f"{read.reason}{kept}"))
        else:
            day, dated_by = _dated(read, date)
            chunks = document_chunks(read, firm, day)
            fresh.append(chunks)
            taken[name] = StoredDocument(
                source=name,
                firm=firm,
                sha256=sha256,
                date=None if day is None else f"{day:%Y-%m-%d}",
                dated_by=dated_by,
                pages=len(read.pages) + read.silent,
                silent=read.silent,
                chunks=len(chunks),
            )
            outcomes.append(Outcome(name, "replaced" if name in held else "added", _note(taken[name])))
    stay = [document for document in before if document.firm != firm or document.source not in taken]
    documents = sorted([*stay, *taken.values()], key=lambda document: (document.firm, document.source))
    gone = {document_key(firm, name) for name in taken if name in held}
    return Intake(tuple(outcomes), tuple(documents), gone, fresh)


def _read(
    paths: Sequence[Path], held: Mapping[str, StoredDocument], date: pd.Timestamp | None
) -> Iterator[tuple[Path, str, Document | Refused | None]]:
    """Each path with its hash and what was read of it; None when that is held or was given before."""
    hashes: dict[str, str] = {}
    at_once: list[Refused | str | None] = []
    for path in paths:
        name, sha256 = document_name(path), _hash(path)
        if isinstance(sha256, Refused):
            at_once.append(sha256)
        elif name in hashes:
            other = Refused(name, "another file of this name was given before it: rename one")
            at_once.append(None if hashes[name] == sha256 else other)
        else:
            hashes[name] = sha256
            at_once.append(None if _is_held(held.get(name), sha256, date) else sha256)
    reading = read_documents([path for path, known in zip(paths, at_once, strict=True) if isinstance(known, str)])
    for path, known in zip(paths, at_once, strict=True):
        if isinstance(known, str):
            yield path, known, next(reading)
        else:
            yield path, "", known


def _is_held(held: StoredDocument | None, sha256: str, date: pd.Timestamp | None) -> bool:
    if held is None or held.sha256 != sha256:
        return False
    return date is None or held.dated_by == "metadata" or held.date == f"{date:%Y-%m-%d}"


def _hash(path: Path) -> str | Refused:
    name = document_name(path)
    if not name:
        return Refused(repr(path.name), "has no readable name")
    try:
        if not path.is_file():
            return Refused(name, "is not a file")
        if path.stat().st_size > MAX_BYTES:
            return Refused(name, f"is larger than {MAX_BYTES // 2**20} MB")
        return sha256_file(path)
    except OSError as error:
        return Refused(name, f"cannot be read: {error.strerror}")


def _dated(document: Document, date: pd.Timestamp | None) -> tuple[pd.Timestamp | None, str | None]:
    """The day a document was known: as it states itself, else as told; else not known."""
    if document.date is not None:
        return pd.Timestamp(document.date).as_unit("s"), "metadata"
    return (date, "option") if date is not None else (None, None)


def _note(document: StoredDocument) -> str:
    notes = []
    if document.date is None:
        notes.append("has no date, so no cutoff will see it: give --date")
    if document.silent:
        notes.append(f"{document.silent:,} of its {document.pages:,} pages hold no text")
    return "; ".join(notes)
