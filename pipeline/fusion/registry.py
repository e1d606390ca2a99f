"""The fusions there are, by kind."""

from pathlib import Path

from pipeline.artifacts import read_json
from pipeline.errors import ArtifactError
from pipeline.fusion.attention import AttentionFusion, FittedAttention
from pipeline.fusion.base import FittedFusion, Fusion, FusionConfig
from pipeline.fusion.reference import FittedReference, ReferenceFusion
from pipeline.fusion.storage import RECORD

FITTED: dict[str, type[FittedFusion]] = {"attention": FittedAttention, "reference": FittedReference}


def make_fusion(config: FusionConfig) -> Fusion:
    """The fusion a run asks for, untrained."""
    return AttentionFusion(config.attention) if config.kind == "attention" else ReferenceFusion(config.reference)


def load_fusion(folder: Path) -> FittedFusion:
    """Read a trained fusion of any kind; raise ArtifactError when it is missing, damaged or of no known kind."""
    record = read_json(folder / RECORD)
    kind = record.get("kind") if isinstance(record, dict) else None
    if kind not in FITTED:
        raise ArtifactError(f"{folder / RECORD} names no known fusion ({', '.join(FITTED)}): {kind!r}")
    return FITTED[kind].load(folder)
