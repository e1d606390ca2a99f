"""A trained fusion on disk: ``weights.safetensors`` and ``config.json``, no code in either."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from pipeline.artifacts import atomic_path, read_json, write_json
from pipeline.errors import ArtifactError

WEIGHTS = "weights.safetensors"
RECORD = "config.json"


def write_fusion(folder: Path, record: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write a fusion's record and tensors; the same content gives the same bytes."""
    content = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    with atomic_path(folder / WEIGHTS) as temporary:
        temporary.write_bytes(content)
    write_json(folder / RECORD, record)


@contextlib.contextmanager
def reading(folder: Path, kind: str) -> Iterator[tuple[dict[str, Any], dict[str, Tensor]]]:
    """Give a stored fusion's record and tensors; what does not fit them raises ArtifactError naming the folder."""
    record = read_json(folder / RECORD)
    if not isinstance(record, dict) or record.get("kind") != kind:
        raise ArtifactError(f"{folder / RECORD} does not describe a fusion of kind {kind}")
    try:
        with torch.random.fork_rng():  # to build a net draws weights, though they are then replaced
            yield record, load_file(folder / WEIGHTS)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ArtifactError(f"the fusion in {folder} is incomplete or damaged: {reason}; fit it again") from error
