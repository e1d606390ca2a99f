"""Chroma as the index over the vectors: embedded and persistent, or a server.

It is never trusted with what it alone would know: a note beside it says for which content it was closed, and where the
note is lacking, or speaks of an index still open, the index is thrown away unopened and made anew. While it is written,
no file of it may grow beyond what its vectors explain (a killed one once grew to 64 GB when it was opened again).
"""

import contextlib
import resource
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from pipeline.artifacts import read_json, write_json
from pipeline.errors import ArtifactError, KnowledgeError, TechconvergeError
from pipeline.knowledge.dense import Scope
from pipeline.knowledge.store import Manifest, load_vectors

FOLDER = "chroma"
NOTE = "chroma.json"
GROWTH = 4  # times the bytes of its float32 vectors that an index may take
SPARE = 256 * 2**20  # bytes it may take beside
NEVER = 2**31 - 1  # the day of an undated chunk
SEARCHED = 400  # candidates HNSW keeps while it searches (its ef_search)

_EPOCH = pd.Timestamp(0)


class ChromaIndex:
    """Approximate nearest neighbours; the order among equals is Chroma's."""

    def __init__(self, client: Any, collection: Any, ids: pd.Index) -> None:
        self.client = client
        self.collection = collection
        self.ids = ids

    def nearest(self, queries: np.ndarray, scope: Scope, depth: int) -> Iterator[np.ndarray]:
        """See ``DenseIndex``."""
        where = {"$and": [{"day": {"$lte": (scope.cutoff - _EPOCH).days}}, {"firm": {"$in": sorted(scope.owners)}}]}
        depth = min(depth, int(scope.seen.sum()))
        for query in queries:
            found = self.collection.query(query_embeddings=[query], n_results=max(depth, 1), where=where, include=[])
            rows = self.ids.get_indexer(pd.Index(found["ids"][0], dtype="str"))[:depth]
            yield rows[rows >= 0]

    def close(self) -> None:
        """Let go of the files."""
        self.client.close()


def open_chroma(base: Path, manifest: Manifest, chunks: pd.DataFrame, server: str | None) -> ChromaIndex:
    """The index of this content: as it was closed, brought up to date, or made anew. The base must be locked.

    Raises:
        KnowledgeError: when the disk is too full, the index outgrows its vectors, or the server does not answer.
    """
    ids = pd.Index(_ids(chunks), dtype="str")
    note = _note(base)
    with _one_line(base, server):
        if note.get("place") != (server or FOLDER) or note.get("closed") is not True:
            _discard(base, server, note)
            note = {"place": server or FOLDER, "collection": f"techconverge-{uuid.uuid4().hex}"}
        if note.get("content_hash") != manifest.content_hash:
            write_json(base / NOTE, note | {"closed": False})
            with _bounded(base, manifest) as check, _connected(base, server, note, manifest) as collection:
                _sync(collection, ids, chunks, load_vectors(base, manifest), check)
            note |= {"content_hash": manifest.content_hash, "closed": True}
            write_json(base / NOTE, note)
        client = _client(base, server)
        collection = _collection(client, note, manifest)
        if collection.count() != len(ids):
            client.close()
            (base / NOTE).unlink()
            raise KnowledgeError(f"the Chroma index of {base} is not whole: ask again, and it is made anew")
    return ChromaIndex(client, collection, ids)


def _sync(
    collection: Any,
    ids: pd.Index,
    chunks: pd.DataFrame,
    stored: Iterable[tuple[np.ndarray, np.ndarray]],
    check: Callable[[], None],
) -> None:
    """Take out what is no longer there, put in what is new; an id stands for a chunk and its date."""
    batch = collection._client.get_max_batch_size()
    held = pd.Index(collection.get(include=[])["ids"], dtype="str")
    gone = held.difference(ids).tolist()
    for start in range(0, len(gone), batch):
        collection.delete(ids=gone[start : start + batch])
    row_of = pd.Series(np.arange(len(ids)), index=chunks["chunk_id"])
    new = ~ids.isin(held)
    for some, vectors in stored:
        rows = row_of.loc[some].to_numpy()
        wanted = np.flatnonzero(new[rows])
        for start in range(0, len(wanted), batch):
            part = wanted[start : start + batch]
            metadata = [
                {"day": day, "firm": firm}
                for day, firm in zip(_days(chunks.iloc[rows[part]]), chunks["firm"].iloc[rows[part]], strict=True)
            ]
            collection.add(
                ids=ids[rows[part]].tolist(), embeddings=vectors[part].astype(np.float32), metadatas=metadata
            )
            check()


@contextlib.contextmanager
def _bounded(base: Path, manifest: Manifest) -> Iterator[Callable[[], None]]:
    """Bound every file written meanwhile, and give a check of the whole folder's size; what fails is removed."""
    allowed = GROWTH * 4 * manifest.dimension * manifest.chunks + SPARE
    if shutil.disk_usage(base).free < allowed:
        raise KnowledgeError(f"the disk of {base} has less than {allowed // 2**20} MB free, which Chroma may need")

    def check() -> None:
        size = sum(path.stat().st_size for path in (base / FOLDER).rglob("*") if path.is_file())
        if size > allowed or shutil.disk_usage(base).free < SPARE:
            raise KnowledgeError(
                f"the Chroma index of {base} grew to {size // 2**20} MB, or filled the disk, and was removed: "
                "search with index: exact"
            )

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (allowed, before[1]))
    try:
        yield check
        check()
    except BaseException:
        from chromadb.api.client import SharedSystemClient

        SharedSystemClient.clear_system_cache()  # Chroma would hand out the broken one again, for the same folder
        shutil.rmtree(base / FOLDER, ignore_errors=True)
        raise
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _discard(base: Path, server: str | None, note: dict[str, Any]) -> None:
    """Throw away what an earlier, unclosed or foreign note speaks of, without opening it."""
    shutil.rmtree(base / FOLDER, ignore_errors=True)
    if server and note.get("place") == server and "collection" in note:
        client = _client(base, server)
        if note["collection"] in {collection.name for collection in client.list_collections()}:
            client.delete_collection(note["collection"])
        client.close()
    (base / NOTE).unlink(missing_ok=True)


@contextlib.contextmanager
def _connected(base: Path, server: str | None, note: dict[str, Any], manifest: Manifest) -> Iterator[Any]:
    client = _client(base, server)
    try:
        yield _collection(client, note, manifest)
    finally:
        client.close()


def _client(base: Path, server: str | None) -> Any:
    import chromadb

    settings = chromadb.Settings(anonymized_telemetry=False)
    if server is None:
        return chromadb.PersistentClient(base / FOLDER, settings=settings)
    url = urlsplit(server)
    secure = url.scheme == "https"
    return chromadb.HttpClient(
        host=url.hostname or "", port=url.port or (443 if secure else 80), ssl=secure, settings=settings
    )


def _collection(client: Any, note: dict[str, Any], manifest: Manifest) -> Any:
    return client.get_or_create_collection(
        note["collection"],
        embedding_function=None,
        metadata={"encoder": manifest.encoder_identity, "dimension": manifest.dimension},
        configuration={"hnsw": {"space": "cosine", "ef_search": SEARCHED}},
    )


def _ids(chunks: pd.DataFrame) -> list[str]:
    return [f"{chunk}:{day}" for chunk, day in zip(chunks["chunk_id"], _days(chunks), strict=True)]


def _days(chunks: pd.DataFrame) -> list[int]:
    days: list[int] = (chunks["date"] - _EPOCH).dt.days.fillna(NEVER).astype(int).tolist()
    return days


def _note(base: Path) -> dict[str, Any]:
    try:
        note = read_json(base / NOTE)
    except ArtifactError:
        return {}
    return note if isinstance(note, dict) else {}


@contextlib.contextmanager
def _one_line(base: Path, server: str | None) -> Iterator[None]:
    """Whatever Chroma raises, as one line of ours."""
    try:
        yield
    except TechconvergeError:
        raise
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise KnowledgeError(
            f"Chroma at {server or base / FOLDER} failed: {reason}; or search with index: exact"
        ) from error
