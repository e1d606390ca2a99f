"""Find evidence for a question: vectors and words, fused, among what a cutoff and a firm may see."""

import collections
import dataclasses
import functools
from collections.abc import Iterator, Sequence, Set
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config import KnowledgeConfig
from pipeline.encoders.base import Encoder, load_encoder
from pipeline.errors import ArtifactError, KnowledgeError
from pipeline.knowledge.chroma import open_chroma
from pipeline.knowledge.dense import PATENTS, DenseIndex, Scope, best
from pipeline.knowledge.derived import FOLDER, build_derived, open_derived
from pipeline.knowledge.lexical import Lexical
from pipeline.knowledge.store import Manifest, load_chunks, load_manifest, locked
from pipeline.knowledge.text import plain
from pipeline.schemas import Evidence, empty, validate

SMOOTHING = 60  # k of reciprocal rank fusion, as its authors set it
DEPTH = 200  # best chunks of each ranking that are fused
A_SOURCE = 2  # chunks of one source among the evidence
OF_DOCUMENTS = 3  # one in so many pieces of evidence at least is of the firm's documents, where it has them
_DECIMALS = 6  # of a BM25 score that count
_TRIES = 3  # to read a base that another process changes meanwhile


@dataclasses.dataclass(frozen=True)
class Base:
    """An open knowledge base: its chunks (schema ``Chunks``) and the ways to search them; row i is chunk i."""

    manifest: Manifest
    chunks: pd.DataFrame
    dense: DenseIndex
    words: Lexical
    encoder: Encoder

    def scope(self, cutoff: pd.Timestamp, owners: Set[str]) -> Scope:
        """What is known at a cutoff of these owners' chunks: party ids of firms, and PATENTS."""
        dates = self.chunks["date"]
        known = int(dates.iloc[: int(dates.notna().sum())].searchsorted(cutoff, side="right"))
        names, owner = self._owners
        return Scope(cutoff, frozenset(owners), np.isin(names, list(owners))[owner[:known]])

    @functools.cached_property
    def _owners(self) -> tuple[np.ndarray, np.ndarray]:
        """The different owners of chunks (a firm's party id, or PATENTS), and each chunk's place among them."""
        owner, names = pd.factorize(self.chunks["firm"])
        return np.asarray(names), owner


def open_base(folder: Path, encoder: Encoder | None = None, config: KnowledgeConfig | None = None) -> Base:
    """Open a knowledge base for questions; an index that is not of its content is made anew first.

    ``encoder``: the one it was made with; by default loaded as the base says.

    Raises:
        KnowledgeError: when there is no base, it holds nothing, its encoder is another by now, or it is being changed.
        ArtifactError: when one of its files is missing or damaged.
    """
    config = config or KnowledgeConfig()
    for left in reversed(range(_TRIES)):
        manifest = load_manifest(folder)
        try:
            return _open(folder, manifest, encoder, config)
        except ArtifactError:
            if not left or load_manifest(folder) == manifest:
                raise
    raise AssertionError("the last try returns or raises")


def retrieve(base: Base, query: str, cutoff: pd.Timestamp, firms: Set[str], k: int) -> pd.DataFrame:
    """The ``k`` best pieces of evidence for a question (schema ``Evidence``), fewer where there are fewer.

    Dense and BM25 rankings fused by reciprocal rank, sum of 1 / (60 + rank) (Cormack, Clarke and Büttcher 2009). Only
    chunks dated up to the cutoff are seen, of patents and of the documents of ``firms`` (party ids of one firm's names;
    none: patents alone). Documents are few beside patents and have a ranking of their own besides, whose first are
    among the evidence: a third of it. No more than two chunks are of one source, no two have the same text but for
    capitals. Ties go by date, source, position.
    """
    return retrieve_many(base, [query], cutoff, firms, k).drop(columns="query")


def retrieve_many(base: Base, queries: Sequence[str], cutoff: pd.Timestamp, firms: Set[str], k: int) -> pd.DataFrame:
    """``retrieve`` for several questions at once: one table, with the number of the question as its first column."""
    documents = base.scope(cutoff, firms)
    scopes = [base.scope(cutoff, {PATENTS, *firms}), *([documents] if documents.seen.any() else [])]
    found = []
    for number, (everything, *own) in enumerate(rankings(base, queries, scopes, max(DEPTH, 4 * k))):
        parts = [*((fused(ranked), k // OF_DOCUMENTS) for ranked in own), (fused(everything), k)]
        evidence = validate(_chosen(base.chunks, parts), Evidence, "evidence")
        found.append(evidence.assign(query=number))
    table = pd.concat(found, ignore_index=True) if found else empty(Evidence).assign(query=0)
    return table[["query", *table.columns.drop("query")]]


def rankings(
    base: Base, queries: Sequence[str], scopes: Sequence[Scope], depth: int
) -> Iterator[list[tuple[np.ndarray, np.ndarray]]]:
    """For each question and scope the rows, best first: by vectors, and by words. A question of no words finds none.

    ``scopes``: the first holds the others, which weigh words as it does.
    """
    texts = [" ".join(plain(query).split()) for query in queries]
    vectors = base.encoder.encode(texts)
    nearest = [base.dense.nearest(vectors, scope, depth) for scope in scopes]
    for text, vector, *near in zip(texts, vectors, *nearest, strict=True):
        scores = base.words.scores(text, scopes[0].seen)
        yield [
            (rows[: depth if vector.any() else 0], best(scores * scope.seen, depth, _DECIMALS, above=0))
            for rows, scope in zip(near, scopes, strict=True)
        ]


def fused(ranked: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of several rankings, best first, and their scores of reciprocal rank fusion; ties by row."""
    rows, place = np.unique(np.concatenate(ranked), return_inverse=True)
    given = np.concatenate([1 / (SMOOTHING + np.arange(1, len(ranking) + 1)) for ranking in ranked])
    scores = np.bincount(place, weights=given, minlength=len(rows))
    order = np.lexsort((rows, -scores))
    return rows[order], scores[order]


def _chosen(chunks: pd.DataFrame, parts: Sequence[tuple[tuple[np.ndarray, np.ndarray], int]]) -> pd.DataFrame:
    """Of each ranking the first whose text none before has, and of whose source there are not enough before.

    ``parts``: rows and scores, best first, and how many pieces there may be after them.
    """
    text, source = chunks["text"].array, [chunks[name].array for name in ("kind", "firm", "source")]
    texts: set[str] = set()
    of_source: collections.Counter[tuple[str, ...]] = collections.Counter()
    taken: list[tuple[float, int]] = []
    for (rows, scores), most in parts:
        for row, score in zip(rows, scores, strict=True):
            if len(taken) == most:
                break
            said = text[row].casefold()  # an office may print in capitals what another does not
            if said in texts:
                continue
            texts.add(said)
            name = tuple(values[row] for values in source)
            of_source[name] += 1
            if of_source[name] <= A_SOURCE:
                taken.append((-score, row))
    order = sorted(taken)
    chosen = chunks.iloc[[row for _, row in order]].assign(score=[-score for score, _ in order])
    columns = ["evidence_id", "source", "kind", "page", "date", "text", "score"]
    return chosen.rename(columns={"chunk_id": "evidence_id"})[columns].reset_index(drop=True)


def _open(folder: Path, manifest: Manifest, encoder: Encoder | None, config: KnowledgeConfig) -> Base:
    if not manifest.chunks:
        raise KnowledgeError(f"{folder} holds nothing: add a corpus with texts, or documents")
    encoder = encoder or load_encoder(manifest.encoder)
    if encoder.identity != manifest.encoder_identity:
        raise KnowledgeError(
            f"{folder} was made with encoder {manifest.encoder_identity}, here it is {encoder.identity}: "
            "run `techconverge knowledge add CORPUS`, which encodes it anew"
        )
    chunks = load_chunks(folder, manifest)
    derived = open_derived(folder, manifest)
    if derived is None:
        with locked(folder):
            build_derived(folder, manifest, chunks)
        derived = open_derived(folder, manifest)
        if derived is None:
            raise ArtifactError(f"{folder}: its search arrays could not be made; remove {folder / FOLDER}")
    dense: DenseIndex = derived[0]
    if config.index == "chroma":
        with locked(folder):
            dense = open_chroma(folder, manifest, chunks, config.server)
    return Base(manifest, chunks, dense, derived[1], encoder)
