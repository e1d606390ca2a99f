"""Add to a knowledge base and remove from it, with an account in which everything given ends in one place."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config import EncoderConfig
from pipeline.corpus.timeline import Corpus
from pipeline.encoders.base import Encoder, load_encoder
from pipeline.encoders.cache import EmbeddingCache, encode_cached
from pipeline.errors import KnowledgeError
from pipeline.knowledge.chunks import patent_chunks
from pipeline.knowledge.derived import build_derived, open_derived
from pipeline.knowledge.intake import Outcome, take_in
from pipeline.knowledge.store import (
    MANIFEST,
    Manifest,
    commit,
    document_key,
    load_chunks,
    load_manifest,
    locked,
    replace_sources,
    source_keys,
)
from pipeline.schemas import Chunks, empty

ANOTHER_CORPUS = 0.5  # share of a base's patents that a corpus must still have to count as the same one, grown

Progress = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Encoding:
    """How texts become vectors: the encoder, the configuration that names it, and where its vectors are kept."""

    encoder: Encoder
    config: EncoderConfig
    cache: EmbeddingCache


@dataclasses.dataclass(frozen=True)
class PatentAccount:
    """The corpus's patents: ``added + replaced + unchanged + without_text``; ``removed`` are no longer in it."""

    added: int
    replaced: int
    unchanged: int
    without_text: int
    removed: int


@dataclasses.dataclass(frozen=True)
class Account:
    """What an addition did. ``encoded_anew``: chunks that were there, encoded again by another encoder."""

    patents: PatentAccount
    documents: tuple[Outcome, ...]
    encoded_anew: int
    manifest: Manifest


@dataclasses.dataclass(frozen=True)
class _Patents:
    """How the patents change: the account, patents that have text, sources that leave, chunks that come."""

    account: PatentAccount
    spoken: int
    gone: set[str]
    fresh: pd.DataFrame


def open_encoding(config: EncoderConfig, cache: Path) -> Encoding:
    """The encoder a configuration names, its number format settled, with the vectors that runs keep in ``cache``."""
    encoder = load_encoder(config, cache / "encoders")
    settled = config.model_copy(update={"dtype": getattr(encoder, "dtype", config.dtype)})
    return Encoding(encoder, settled, EmbeddingCache(cache / "embeddings"))


def add(
    base: Path,
    corpus: Corpus,
    corpus_hash: str,
    paths: Sequence[Path],
    firm: str,
    date: pd.Timestamp | None,
    encoding: Encoding,
    progress: Progress,
) -> Account:
    """Bring a base's patents to those of the corpus, and add or replace documents of a firm (its party id).

    A document is known by the name of its file. Its date is the latest its metadata states, else ``date``, else
    unknown; never the file's own. Killed at any moment, the base is the old one or the new one.

    Raises:
        KnowledgeError: when the base is another corpus's, or is being changed by another process.
    """
    with locked(base):
        before = load_manifest(base) if (base / MANIFEST).exists() else None
        stored = load_chunks(base, before) if before else empty(Chunks)
        progress("chunking the patents")
        patents = _patents(base, before, stored, corpus, corpus_hash)
        progress(f"reading {len(paths):,} documents")
        intake = take_in(before.documents if before else (), paths, firm, date)
        gone, fresh = patents.gone | intake.gone, [patents.fresh, *intake.fresh]
        same = before is not None and before.encoder_identity == encoding.encoder.identity
        keys = source_keys(stored)
        staying = stored[~keys.isin(gone) & (not same)]
        if not same:
            gone, fresh = gone | set(keys), [*fresh, staying]
        manifest = Manifest(
            encoder=encoding.config,
            encoder_identity=encoding.encoder.identity,
            dimension=before.dimension if before and same else encoding.encoder.dimension,
            corpus=corpus_hash,
            patents=patents.spoken,
            documents=intake.documents,
            files=before.files if before else {},
        )
        manifest = _changed(base, manifest, gone, pd.concat(fresh, ignore_index=True), encoding, progress)
    return Account(patents.account, intake.outcomes, len(staying), manifest)


def remove(base: Path, names: Sequence[str], firm: str, progress: Progress) -> Manifest:
    """Take documents of a firm out of a base.

    Raises:
        KnowledgeError: when one of them is not in it; then none is removed.
    """
    load_manifest(base)  # before a folder is made to lock
    with locked(base):
        before = load_manifest(base)
        held = {document.source for document in before.documents if document.firm == firm}
        missing = sorted(set(names) - held)
        if missing:
            raise KnowledgeError(f"{missing[0]!r} is no document of {firm!r} in {base}: see `knowledge list`")
        kept = tuple(item for item in before.documents if item.firm != firm or item.source not in names)
        manifest = before.model_copy(update={"documents": kept})
        gone = {document_key(firm, name) for name in names}
        return _changed(base, manifest, gone, empty(Chunks), None, progress)


def _changed(
    base: Path, manifest: Manifest, gone: set[str], fresh: pd.DataFrame, encoding: Encoding | None, progress: Progress
) -> Manifest:
    """Write a change, commit it, and bring the search arrays up to it."""

    def encode(texts: Sequence[str]) -> np.ndarray:
        if not texts or encoding is None:
            return np.zeros((0, manifest.dimension), dtype=np.float32)
        told = functools.partial(_tell, progress)
        return encode_cached(encoding.encoder, texts, encoding.cache, told)[0]

    files = replace_sources(base, manifest, gone, fresh, encode)
    manifest = manifest.model_copy(update={"files": files})
    commit(base, manifest)
    if manifest.chunks and open_derived(base, manifest) is None:
        progress("indexing")
        build_derived(base, manifest, load_chunks(base, manifest))
    return manifest


def _patents(base: Path, before: Manifest | None, stored: pd.DataFrame, corpus: Corpus, corpus_hash: str) -> _Patents:
    """What must change for the base to hold the corpus's patents, and how many of them have text."""
    total = len(corpus.patents)
    if before is not None and before.corpus == corpus_hash:
        account = PatentAccount(0, 0, before.patents, total - before.patents, 0)
        return _Patents(account, before.patents, set(), empty(Chunks))
    held = stored[stored["kind"] == "patent"]
    chunks = patent_chunks(corpus.patents)
    old, new = set(held["source"]), set(chunks["source"])
    if len(old & set(corpus.patents["patent_id"])) < ANOTHER_CORPUS * len(old):
        raise KnowledgeError(f"{base} holds the patents of another corpus: choose another --base for this one")
    both = held[["source", "chunk_id", "date"]].merge(
        chunks[["source", "chunk_id", "date"]], how="outer", indicator=True
    )
    changed = set(both.loc[both["_merge"] != "both", "source"])
    fresh = chunks[chunks["source"].isin(changed & new)]
    gone = set(source_keys(held[held["source"].isin(changed & old)]))
    account = PatentAccount(
        added=len(new - old),
        replaced=len(changed & old & new),
        unchanged=len(new - changed),
        without_text=total - len(new),
        removed=len(old - new),
    )
    return _Patents(account, len(new), gone, fresh)


def _tell(progress: Progress, done: int, total: int) -> None:
    progress(f"texts encoded: {done:,} of {total:,}")
