"""What is computed from a knowledge base to search it: its vectors in arrays, exact and coarse, and its words.

All of it can be made anew from the Parquet files, and is whenever it is not of their content.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline import __version__
from pipeline.artifacts import atomic_directory, read_json, sha256_file, write_json
from pipeline.errors import ArtifactError
from pipeline.knowledge import coarse, lexical
from pipeline.knowledge.coarse import Coarse, coarsened
from pipeline.knowledge.dense import ExactIndex
from pipeline.knowledge.lexical import Lexical
from pipeline.knowledge.store import Manifest, load_vectors

FORMAT = 3  # raise it when what is computed changes
FOLDER = "search"
COPIED = 65_536  # rows that are copied from the arrays before at a time
_MARKER = "manifest.json"
_ARRAYS = tuple(f"{name}.npy" for name in ("ids", "vectors", *coarse.ARRAYS, *lexical.ARRAYS))


def open_derived(base: Path, manifest: Manifest) -> tuple[ExactIndex, Lexical] | None:
    """The search arrays of this very content, mapped into memory; None where they are lacking, old or damaged."""
    folder = base / FOLDER
    record = _record(folder, manifest.content_hash)
    if record is None:
        return None
    return _vectors(folder), lexical.load(folder)


def build_derived(base: Path, manifest: Manifest, chunks: pd.DataFrame) -> None:
    """Make the search arrays anew; what is of chunks and files that were there before is taken from those before."""
    folder = base / FOLDER
    ids = pd.Index(chunks["chunk_id"].to_numpy(dtype="S16"))
    record = _record(folder)
    if record is None:
        shutil.rmtree(folder, ignore_errors=True)
    before = np.zeros(0, dtype="S16") if record is None else np.load(folder / "ids.npy", allow_pickle=False)
    moved = ids.get_indexer(pd.Index(before))
    new = np.ones(len(ids), dtype=bool)
    new[moved[moved >= 0]] = False
    counted = lexical.nothing() if record is None else lexical.load(folder)
    words = lexical.extended(counted, moved, chunks["text"][new].tolist(), np.flatnonzero(new))
    with atomic_directory(folder, _MARKER, _ARRAYS) as temporary:
        lexical.save(words, temporary)
        np.save(temporary / "ids.npy", ids.to_numpy(dtype="S16"), allow_pickle=False)
        held = {} if record is None else record["files"]
        written = {slot: file for slot, file in manifest.files.items() if held.get(slot) != file.sha256}
        shape = (len(ids), manifest.dimension)
        with _room(temporary, shape) as index:
            if len(written) < len(manifest.files):
                _copy(_vectors(folder), index, moved)
            for some, values in load_vectors(base, manifest.model_copy(update={"files": written})):
                _put(index, ids.get_indexer(pd.Index(some.astype("S16"))), values)
        record = {
            "techconverge": __version__,
            "format": FORMAT,
            "content_hash": manifest.content_hash,
            "files": {slot: file.sha256 for slot, file in manifest.files.items()},
            "arrays": {name: sha256_file(temporary / name) for name in _ARRAYS},
        }
        write_json(temporary / _MARKER, record)


def _vectors(folder: Path) -> ExactIndex:
    arrays = {name: lexical.mapped(folder / f"{name}.npy") for name in coarse.ARRAYS}
    return ExactIndex(lexical.mapped(folder / "vectors.npy"), Coarse(**arrays))


@contextlib.contextmanager
def _room(folder: Path, shape: tuple[int, int]) -> Iterator[ExactIndex]:
    """Arrays on the disk to write vectors of this shape into."""
    made = {
        "vectors": _array(folder / "vectors.npy", np.float16, shape),
        "steps": _array(folder / "steps.npy", np.int8, shape),
        "scales": _array(folder / "scales.npy", np.float32, shape[:1]),
        "errors": _array(folder / "errors.npy", np.float32, shape[:1]),
    }
    yield ExactIndex(made["vectors"], Coarse(*(made[name] for name in coarse.ARRAYS)))
    for array in made.values():
        array.flush()


def _array(path: Path, dtype: type[np.generic], shape: tuple[int, ...]) -> np.memmap:
    array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    with path.open("r+b") as handle:  # a full disk is told here, not by a crash of the map
        os.posix_fallocate(handle.fileno(), 0, path.stat().st_size)
    return array


def _put(index: ExactIndex, rows: np.ndarray, vectors: np.ndarray) -> None:
    """Write vectors (float16) and what is coarse of them."""
    index.vectors[rows] = vectors
    about = coarsened(vectors)
    for name in coarse.ARRAYS:
        getattr(index.coarse, name)[rows] = getattr(about, name)


def _copy(before: ExactIndex, index: ExactIndex, moved: np.ndarray) -> None:
    """Copy each row to where it moved."""
    for start in range(0, len(moved), COPIED):
        to = moved[start : start + COPIED]
        old = start + np.flatnonzero(to >= 0)
        index.vectors[to[to >= 0]] = before.vectors[old]
        for name in coarse.ARRAYS:
            getattr(index.coarse, name)[to[to >= 0]] = getattr(before.coarse, name)[old]


def _record(folder: Path, content_hash: str | None = None) -> dict[str, Any] | None:
    """What the folder says of itself, when every array is as it says and, where one is asked for, of this content."""
    try:
        record = read_json(folder / _MARKER)
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            return None
        if content_hash is not None and record.get("content_hash") != content_hash:
            return None
        arrays = {name: sha256_file(folder / name) for name in _ARRAYS}
    except (ArtifactError, OSError):
        return None
    return record if record.get("arrays") == arrays and isinstance(record.get("files"), dict) else None
