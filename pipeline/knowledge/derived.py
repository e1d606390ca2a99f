"""What is computed from a knowledge base to search it: vectors in one array and the words of its chunks.

All of it can be made anew from the Parquet files, and is whenever it is not of their content.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline import __version__
from pipeline.artifacts import atomic_directory, read_json, sha256_file, write_json
from pipeline.errors import ArtifactError
from pipeline.knowledge import lexical
from pipeline.knowledge.dense import ExactIndex
from pipeline.knowledge.lexical import Lexical
from pipeline.knowledge.store import Manifest, load_vectors

FORMAT = 2  # raise it when what is computed changes
FOLDER = "search"
_MARKER = "manifest.json"
_ARRAYS = ("ids.npy", "vectors.npy", *(f"{name}.npy" for name in lexical.ARRAYS))


def open_derived(base: Path, manifest: Manifest) -> tuple[ExactIndex, Lexical] | None:
    """The search arrays of this very content, mapped into memory; None where they are lacking, old or damaged."""
    folder = base / FOLDER
    record = _record(folder)
    if record is None or record.get("content_hash") != manifest.content_hash:
        return None
    return ExactIndex(lexical.mapped(folder / "vectors.npy")), lexical.load(folder)


def build_derived(base: Path, manifest: Manifest, chunks: pd.DataFrame) -> None:
    """Make the search arrays anew; words of chunks that were there before are not counted again."""
    folder = base / FOLDER
    ids = pd.Index(chunks["chunk_id"].to_numpy(dtype="S16"))
    before, counted = np.zeros(0, dtype="S16"), lexical.nothing()
    if _record(folder) is None:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        before, counted = np.load(folder / "ids.npy", allow_pickle=False), lexical.load(folder)
    moved = ids.get_indexer(pd.Index(before))
    new = np.ones(len(ids), dtype=bool)
    new[moved[moved >= 0]] = False
    words = lexical.extended(counted, moved, chunks["text"][new].tolist(), np.flatnonzero(new))
    with atomic_directory(folder, _MARKER, _ARRAYS) as temporary:
        lexical.save(words, temporary)
        np.save(temporary / "ids.npy", ids.to_numpy(dtype="S16"), allow_pickle=False)
        vectors = np.lib.format.open_memmap(
            temporary / "vectors.npy", mode="w+", dtype=np.float32, shape=(len(ids), manifest.dimension)
        )
        with (temporary / "vectors.npy").open("r+b") as handle:  # a full disk is told here, not by a crash of the map
            os.posix_fallocate(handle.fileno(), 0, (temporary / "vectors.npy").stat().st_size)
        for some, values in load_vectors(base, manifest):
            vectors[ids.get_indexer(pd.Index(some.astype("S16")))] = values
        vectors.flush()
        record = {
            "techconverge": __version__,
            "format": FORMAT,
            "content_hash": manifest.content_hash,
            "arrays": {name: sha256_file(temporary / name) for name in _ARRAYS},
        }
        write_json(temporary / _MARKER, record)


def _record(folder: Path) -> dict[str, Any] | None:
    """What the folder says of itself, when every array is as it says."""
    try:
        record = read_json(folder / _MARKER)
        arrays = {name: sha256_file(folder / name) for name in _ARRAYS}
    except (ArtifactError, OSError):
        return None
    if not isinstance(record, dict) or record.get("format") != FORMAT or record.get("arrays") != arrays:
        return None
    return record
