"""The knowledge base on disk: chunks and their vectors in Parquet files, and the manifest that says which.

A source (a patent, a document of a firm) belongs to one of a fixed number of files by a hash of its name, and a file is
named by its content. A change writes the files it touches anew and then replaces the manifest, which is what commits
it: killed before, the base is the old one, whole. The same content gives the same bytes, however it came together.
"""

import contextlib
import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline import __version__
from pipeline.artifacts import atomic_path, held_alone, read_json, sha256_json, write_json
from pipeline.config import EncoderConfig
from pipeline.errors import ArtifactError, KnowledgeError
from pipeline.schemas import Chunks, validate

SCHEMA_VERSION = 1
FILES = 64  # that the sources are spread over: adding one document writes a 64th of the base anew
MANIFEST = "manifest.json"
ORDER = ["date", "source", "firm", "position"]  # of the chunks in memory; see ``schemas.Chunks``
HELD = 100_000  # chunks whose vectors are in memory at a time while a base is written
_FOLDER = "chunks"
_LOCK = ".lock"
_COLUMNS = pa.schema(
    [
        *((name, pa.string()) for name in ("chunk_id", "source", "kind", "firm")),
        ("date", pa.timestamp("ms")),  # Parquet knows no whole seconds
        ("page", pa.int32()),
        ("position", pa.int32()),
        ("text", pa.string()),
    ]
)

Encode = Callable[[Sequence[str]], np.ndarray]  # texts to unit vectors, one row a text


class StoredDocument(BaseModel):
    """What the manifest knows of a document. ``dated_by``: metadata, option, or nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    firm: str
    sha256: str
    date: str | None
    dated_by: str | None
    pages: int
    silent: int
    chunks: int


class StoredFile(BaseModel):
    """One Parquet file of chunks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    rows: int
    sha256: str


class Manifest(BaseModel):
    """What a knowledge base says of itself. ``corpus``: content hash of the corpus whose patents are in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["knowledge"] = "knowledge"
    schema_version: int = SCHEMA_VERSION
    techconverge: str = __version__
    encoder: EncoderConfig
    encoder_identity: str
    dimension: int
    corpus: str | None = None
    patents: int = 0  # patents that have a chunk
    documents: tuple[StoredDocument, ...] = ()
    files: dict[str, StoredFile] = {}

    @property
    def chunks(self) -> int:
        """Chunks of all kinds."""
        return sum(file.rows for file in self.files.values())

    @property
    def content_hash(self) -> str:
        """What an index over the chunks and vectors is valid for."""
        hashes = {slot: file.sha256 for slot, file in self.files.items()}
        return sha256_json([self.encoder_identity, self.dimension, hashes])


@contextlib.contextmanager
def locked(base: Path) -> Iterator[None]:
    """Hold a base for writing; the system lets go of it when the process ends, however it ends.

    Raises:
        KnowledgeError: when another process writes to it, or it is something else.
    """
    if (base / MANIFEST).exists():
        load_manifest(base)
    entries = {entry.name for entry in base.iterdir()} if base.is_dir() else set()
    foreign = {name for name in entries if name != _FOLDER and name[0] != "."}
    if foreign and MANIFEST not in foreign:
        raise KnowledgeError(f"{base} is no knowledge base and holds {min(foreign)}: choose another --base")
    with held_alone(base, _LOCK, f"{base} is being changed by another command: wait for it", KnowledgeError):
        yield


def load_manifest(base: Path) -> Manifest:
    """Read what a base says of itself.

    Raises:
        KnowledgeError: when there is none, or one of another version.
    """
    if not (base / MANIFEST).is_file():
        raise KnowledgeError(f"{base} is not a knowledge base: make one with `techconverge knowledge add CORPUS`")
    record = read_json(base / MANIFEST)
    if not isinstance(record, dict) or record.get("kind") != "knowledge":
        raise KnowledgeError(f"{base} is not a knowledge base but something else: choose another --base")
    version = record.get("schema_version")
    if version != SCHEMA_VERSION:
        raise KnowledgeError(f"{base} has schema version {version}, this program reads {SCHEMA_VERSION}: add it anew")
    try:
        return Manifest.model_validate(record)
    except ValidationError as error:
        fault = error.errors()[0]["msg"]
        raise ArtifactError(f"{base / MANIFEST} is damaged ({fault}): remove the base and add its content") from error


def load_chunks(base: Path, manifest: Manifest) -> pd.DataFrame:
    """All chunks, without vectors (schema ``Chunks``).

    Raises:
        ArtifactError: when a file is missing or damaged.
    """
    tables = [_read(base, file, _COLUMNS.names) for file in manifest.files.values()]
    frame = pa.concat_tables([_COLUMNS.empty_table(), *tables]).to_pandas()
    return validate(in_order(frame), Chunks, f"chunks of {base}")


def load_vectors(base: Path, manifest: Manifest) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Ids and vectors (float16, chunks x dimension) of one file after the other; raises as ``load_chunks`` does."""
    for file in manifest.files.values():
        table = _read(base, file, ["chunk_id", "vector"])
        yield table.column("chunk_id").to_numpy(), _matrix(table, manifest.dimension)


def replace_sources(
    base: Path, manifest: Manifest, gone: Iterable[str], fresh: pd.DataFrame, encode: Encode
) -> dict[str, StoredFile]:
    """Write anew the files that change when the sources ``gone`` leave and the chunks ``fresh`` come; all files then.

    Nothing counts until a manifest that names them is committed.
    """
    leaving = set(gone)
    of_slot = {str(slot): rows for slot, rows in fresh.groupby(source_keys(fresh).map(_slot)).groups.items()}
    touched = {slot: len(of_slot.get(slot, ())) for slot in sorted({*of_slot, *map(_slot, leaving)})}
    files = {slot: file for slot, file in manifest.files.items() if slot not in touched}
    for slots in _groups(touched):
        coming = [fresh.loc[of_slot.get(slot, [])] for slot in slots]
        vectors = encode([text for part in coming for text in part["text"]])
        for slot, part in zip(slots, coming, strict=True):
            table = _table(part, vectors[: len(part)])
            vectors = vectors[len(part) :]
            if slot in manifest.files:
                table = pa.concat_tables([_staying(_read(base, manifest.files[slot]), leaving), table])
            if len(table):
                files[slot] = _write(base, slot, table)
    return dict(sorted(files.items()))


def commit(base: Path, manifest: Manifest) -> None:
    """Make a manifest the base's, then remove the files that it does not name and what killed processes left."""
    write_json(base / MANIFEST, manifest.model_dump(mode="json"))
    named = {file.name for file in manifest.files.values()}
    for path in (base / _FOLDER).glob("*"):
        if path.name not in named:
            path.unlink()
    for path in base.glob(".*.*"):  # the temporary names of ``artifacts``; the lock is held, so nobody writes to them
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def in_order(chunks: pd.DataFrame) -> pd.DataFrame:
    """The chunks sorted as ``schemas.Chunks`` asks."""
    return chunks.sort_values(ORDER, kind="stable", ignore_index=True)


def source_keys(chunks: pd.DataFrame) -> pd.Series:
    """What each chunk is a part of: one key a patent, and one a document of a firm."""
    keys: pd.Series = chunks["kind"] + "\0" + chunks["firm"] + "\0" + chunks["source"]
    return keys


def document_key(firm: str, source: str) -> str:
    """The key of a document, as ``source_keys`` gives it."""
    return f"document\0{firm}\0{source}"


def _slot(key: str) -> str:
    return f"{hashlib.sha256(key.encode()).digest()[0] % FILES:02d}"


def _groups(sizes: dict[str, int]) -> Iterator[list[str]]:
    """Slots in groups that together bring no more chunks than are held at a time."""
    group: list[str] = []
    held = 0
    for slot, size in sizes.items():
        if group and held + size > HELD:
            yield group
            group, held = [], 0
        group.append(slot)
        held += size
    if group:
        yield group


def _table(chunks: pd.DataFrame, vectors: np.ndarray) -> pa.Table:
    """Chunks beside their vectors, kept as float16."""
    flat = pa.array(vectors.astype(np.float16).ravel(), pa.float16())
    table = pa.Table.from_pandas(chunks, schema=_COLUMNS, preserve_index=False).replace_schema_metadata({})
    kind = pa.list_(pa.field("element", pa.float16()), vectors.shape[1])  # named as Parquet reads it back
    return table.append_column("vector", pa.FixedSizeListArray.from_arrays(flat, type=kind))


def _matrix(table: pa.Table, dimension: int) -> np.ndarray:
    flat: np.ndarray = table.column("vector").combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(-1, dimension)


def _staying(table: pa.Table, leaving: set[str]) -> pa.Table:
    keys = source_keys(table.select(["kind", "firm", "source"]).to_pandas())
    return table.filter(pa.array(~keys.isin(leaving).to_numpy()))


def _write(base: Path, slot: str, table: pa.Table) -> StoredFile:
    ordered = table.sort_by([(name, "ascending") for name in ("kind", "firm", "source", "position")]).combine_chunks()
    sink = pa.BufferOutputStream()
    pq.write_table(
        ordered,
        sink,
        compression={name: "none" if name == "vector" else "zstd" for name in ordered.column_names},
        use_dictionary=["source", "kind", "firm"],
        write_statistics=False,
    )
    content = sink.getvalue().to_pybytes()
    sha256 = hashlib.sha256(content).hexdigest()
    name = f"{slot}-{sha256[:16]}.parquet"
    with atomic_path(base / _FOLDER / name) as temporary:
        temporary.write_bytes(content)
    return StoredFile(name=name, rows=len(ordered), sha256=sha256)


def _read(base: Path, file: StoredFile, columns: list[str] | None = None) -> pa.Table:
    path = base / _FOLDER / file.name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error.strerror}): remove the base and add its content") from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise ArtifactError(f"{path} is damaged: remove the base and add its content")
    return pq.read_table(pa.BufferReader(content), columns=columns).replace_schema_metadata({})
