"""Find evidence for a question: vectors and words, fused, among what a cutoff and a firm may see."""

import collections
import dataclasses
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config import KnowledgeConfig
from pipeline.encoders.base import Encoder, load_encoder
from pipeline.errors import ArtifactError, KnowledgeError
from pipeline.knowledge.chroma import open_chroma
from pipeline.knowledge.dense import DenseIndex, Scope, best
from pipeline.knowledge.derived import FOLDER, build_derived, open_derived
from pipeline.knowledge.lexical import Lexical
from pipeline.knowledge.store import Manifest, load_chunks, load_manifest, locked
from pipeline.knowledge.text import plain
from pipeline.schemas import Evidence, empty, validate

SMOOTHING = 60  # k of reciprocal rank fusion, as its authors set it
DEPTH = 200  # best chunks of each ranking that are fused
A_SOURCE = 2  # chunks of one source among the evidence
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

    def scope(self, cutoff: pd.Timestamp, firm: str) -> Scope:
        """What is seen at a cutoff by a firm (its party id; empty: patents alone)."""
        dates = self.chunks["date"]
        known = int(dates.iloc[: int(dates.notna().sum())].searchsorted(cutoff, side="right"))
        names, owner = self._owners
        return Scope(cutoff, firm, np.isin(names, ["", firm])[owner[:known]])

    @functools.cached_property
    def _owners(self) -> tuple[np.ndarray, np.ndarray]:
        """The different owners of chunks (a firm's party id; empty: a patent), and each chunk's place among them."""
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


def retrieve(base: Base, query: str, cutoff: pd.Timestamp, firm: str, k: int) -> pd.DataFrame:
    """The ``k`` best pieces of evidence for a question (schema ``Evidence``), fewer where there are fewer.

    Dense and BM25 rankings fused by reciprocal rank, sum of 1 / (60 + rank) (Cormack, Clarke and Büttcher 2009). Only
    chunks dated up to the cutoff are seen, of patents and of the documents of ``firm`` (a party id; empty: patents
    alone). No more than two chunks are of one source, no two have the same text. Ties go by date, source, position.
    """
    return retrieve_many(base, [query], cutoff, firm, k).drop(columns="query")


def retrieve_many(base: Base, queries: Sequence[str], cutoff: pd.Timestamp, firm: str, k: int) -> pd.DataFrame:
    """``retrieve`` for several questions at once: one table, with the number of the question as its first column."""
    scope = base.scope(cutoff, firm)
    found = []
    for number, ranked in enumerate(rankings(base, queries, scope, max(DEPTH, 4 * k))):
        evidence = validate(_chosen(base.chunks, *fused(ranked), k), Evidence, "evidence")
        found.append(evidence.assign(query=number))
    table = pd.concat(found, ignore_index=True) if found else empty(Evidence).assign(query=0)
    return table[["query", *table.columns.drop("query")]]


def rankings(base: Base, queries: Sequence[str], scope: Scope, depth: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each question the rows in scope, best first: by vectors, and by words. A question of no words finds none."""
    texts = [" ".join(plain(query).split()) for query in queries]
    vectors = base.encoder.encode(texts)
    for text, vector, nearest in zip(texts, vectors, base.dense.nearest(vectors, scope, depth), strict=True):
        words = best(base.words.scores(text, scope.seen), depth, _DECIMALS, above=0)
        yield nearest[: depth if vector.any() else 0], words


def fused(ranked: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of several rankings, best first, and their scores of reciprocal rank fusion; ties by row."""
    rows, place = np.unique(np.concatenate(ranked), return_inverse=True)
    given = np.concatenate([1 / (SMOOTHING + np.arange(1, len(ranking) + 1)) for ranking in ranked])
    scores = np.bincount(place, weights=given, minlength=len(rows))
    order = np.lexsort((rows, -scores))
    return rows[order], scores[order]


def _chosen(chunks: pd.DataFrame, rows: np.ndarray, scores: np.ndarray, k: int) -> pd.DataFrame:
    """The first ``k`` of the rows whose text none before has, and of whose source there are not enough before."""
    text, source = chunks["text"].array, [chunks[name].array for name in ("kind", "firm", "source")]
    texts: set[str] = set()
    of_source: collections.Counter[tuple[str, ...]] = collections.Counter()
    places: list[int] = []
    for place, row in enumerate(rows):
        if len(places) == k:
            break
        if text[row] in texts:
            continue
        texts.add(text[row])
        name = tuple(values[row] for values in source)
        of_source[name] += 1
        if of_source[name] <= A_SOURCE:
            places.append(place)
    chosen = chunks.iloc[rows[places]].assign(score=scores[places])
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
