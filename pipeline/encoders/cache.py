"""Vectors kept by content: a text is encoded once, whatever corpus, cutoff or run it comes in."""

import dataclasses
import functools
import hashlib
import io
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.artifacts import atomic_path
from pipeline.encoders.base import Encoder, readable
from pipeline.errors import ArtifactError
from pipeline.mapping import Mapper, in_turn

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class EncodingReport:
    """Texts asked for, different ones among them that say something, and where their vectors came from."""

    total: int
    unique: int
    encoded: int
    from_cache: int


class EmbeddingCache:
    """A folder of shards, one sub-folder an encoder identity.

    A shard is an ``.npy`` file (no pickle) named by the SHA-256 of its bytes and renamed into place: several processes
    may write at once, and a damaged shard is known by its name, reported, removed and encoded anew.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, identity: str, keys: Sequence[str]) -> tuple[np.ndarray | None, np.ndarray]:
        """Stored vectors of the keys, in their order (None when none is stored), and which of them are stored."""
        wanted = pd.Index(np.asarray(keys, dtype="S64"))
        found = np.zeros(len(keys), dtype=bool)
        vectors: np.ndarray | None = None
        for shard in self._shards(identity) if keys else ():
            position = wanted.get_indexer(pd.Index(shard["key"]))
            known = position >= 0
            if vectors is None:
                vectors = np.zeros((len(keys), shard["vector"].shape[1]), dtype=np.float32)
            vectors[position[known]] = shard["vector"][known]
            found[position[known]] = True
            if found.all():
                break
        return vectors, found

    def add(self, identity: str, keys: Sequence[str], vectors: np.ndarray) -> None:
        """Store vectors below their keys as one new shard."""
        shard = np.empty(len(keys), dtype=[("key", "S64"), ("vector", "<f4", (vectors.shape[1],))])
        shard["key"] = np.asarray(keys, dtype="S64")
        shard["vector"] = vectors
        buffer = io.BytesIO()
        np.save(buffer, shard, allow_pickle=False)
        data = buffer.getvalue()
        with atomic_path(self._folder(identity) / f"{hashlib.sha256(data).hexdigest()}.npy") as temporary:
            temporary.write_bytes(data)

    def _shards(self, identity: str) -> Iterator[np.ndarray]:
        for path in sorted(self._folder(identity).glob("*.npy")):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue  # another process found it damaged and removed it
            shard = _shard(data) if hashlib.sha256(data).hexdigest() == path.stem else None
            if shard is None:
                log.warning("embedding cache: %s is damaged; it is removed and its texts are encoded again", path)
                path.unlink(missing_ok=True)
                continue
            yield shard

    def _folder(self, identity: str) -> Path:
        return self.folder / _sha256(identity)[:32]


def _shard(data: bytes) -> np.ndarray | None:
    """The keys and vectors of a file; None where it holds something else, whatever its name says."""
    try:
        shard = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError):
        return None
    whole = isinstance(shard, np.ndarray) and shard.ndim == 1 and shard.dtype.names == ("key", "vector")
    return shard if whole else None


def encode_cached(
    encoder: Encoder,
    texts: Sequence[str],
    cache: EmbeddingCache,
    progress: Callable[[int, int], None] | None = None,
    mapper: Mapper = in_turn,
) -> tuple[np.ndarray, EncodingReport]:
    """Vectors of the texts (float32, texts x dimension), encoding only those the cache does not hold.

    New vectors are stored after each ``encoder.chunk`` texts, so an interrupted run goes on where it stopped.
    ``progress`` is told how many of the different texts are done, and of how many. ``mapper`` is given the chunks.

    Raises:
        ArtifactError: when the cache cannot be written or the encoder gives something that is no number.
    """
    spoken = readable(texts, encoder.max_characters)
    unique = sorted({text for text in spoken if text}, key=lambda text: (-len(text), text))
    keys = [_sha256(text) for text in unique]
    vectors, found = cache.find(encoder.identity, keys)
    if vectors is None:
        vectors = np.zeros((len(unique), encoder.dimension), dtype=np.float32)
    missing = np.flatnonzero(~found)
    done = len(unique) - len(missing)
    starts = range(0, len(missing), encoder.chunk)
    chunks = [missing[start : start + encoder.chunk] for start in starts]  # of like length, longest first
    made = mapper(functools.partial(_encode, encoder), ([unique[row] for row in rows] for rows in chunks))
    for start, rows in zip(starts, chunks, strict=True):
        if progress:
            progress(done + start, len(unique))
        vectors[rows] = next(made)
        cache.add(encoder.identity, [keys[row] for row in rows], vectors[rows])
    if progress:
        progress(len(unique), len(unique))
    vectors = np.vstack([vectors, np.zeros((1, vectors.shape[1]), dtype=np.float32)])  # the last row: no text
    row_of = {text: row for row, text in enumerate(unique)}
    chosen = np.array([row_of.get(text, len(unique)) for text in spoken], dtype=np.intp)
    return vectors[chosen], EncodingReport(len(texts), len(unique), len(missing), done)


def _encode(encoder: Encoder, texts: list[str]) -> np.ndarray:
    vectors = encoder.encode(texts)
    if not np.isfinite(vectors).all():
        raise ArtifactError(f"encoder {encoder.identity} gave vectors that are no numbers: try dtype float32")
    return vectors


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
