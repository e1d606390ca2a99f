"""The contract of a fusion: learn from pairs of earlier origins to weigh and join the modalities.

``fit`` receives one ``FeatureTable`` an origin, all with the same columns in the same order, and their labels; every
label window must have closed before the cutoff that is forecast. It looks at nothing else. Members: ``attention``
(the default) and ``reference`` (the published recipe); ``pipeline.fusion.registry`` makes and loads them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import pandas as pd
from pydantic import Field

from pipeline.config import Stage
from pipeline.features.base import FeatureTable


class TrainingConfig(Stage):
    """The training loop both fusions share."""

    epochs: int = Field(15, ge=1, description="passes over the positives; fixed, so that no data is held out to stop")
    batch_size: int = Field(1024, ge=2)
    negatives: int = Field(40_000, ge=1, description="negatives drawn afresh each epoch, over all origins")
    learning_rate: float = Field(3e-3, gt=0)
    weight_decay: float = Field(0.1, ge=0)
    imbalance: Literal["logit_adjustment", "resampling"] = Field(
        "logit_adjustment", description="resampling: four negatives a positive, afresh each epoch, and no adjustment"
    )
    tau: float = Field(1.0, ge=0, description="strength of the logit adjustment by the class prior; 0 leaves it out")


class AttentionConfig(TrainingConfig):
    """The default fusion: one token a modality, pooled by attention."""

    epochs: int = Field(8, ge=1, description="passes over the positives; fixed, so that no data is held out to stop")
    pooling: Literal["attention", "gated_mean", "concatenation"] = "attention"
    width: int = Field(32, ge=1, description="of a token and of the fused vector of one net")
    dropout: float = Field(0.2, ge=0, lt=1)
    vector_width: int = Field(8, ge=1, description="to which code vectors are projected before they are combined")
    vector_dropout: float = Field(0.5, ge=0, lt=1)
    modality_dropout: float = Field(0.15, ge=0, lt=1, description="share of the tokens hidden from a training pair")
    members: int = Field(2, ge=1, description="nets whose logits are averaged")


class ReferenceConfig(TrainingConfig):
    """The published fusion: three nets and a concatenation."""

    # the relation nets learn the few positives by heart: with 0.1 the average precision on real corpora was a third
    # lower at later origins, and there a seventh of that on the training pairs
    weight_decay: float = Field(10.0, ge=0)
    patents_per_code: int = Field(32, ge=1, description="only the most recent patents of a code are pooled")
    pooling_width: int = Field(32, ge=1)
    rank: int = Field(16, ge=1, description="of the bilinear projections")
    relation_width: int = Field(16, ge=1)


class FusionConfig(Stage):
    """Which fusion is trained, and how."""

    kind: Literal["attention", "reference"] = "attention"
    attention: AttentionConfig = AttentionConfig()
    reference: ReferenceConfig = ReferenceConfig()


class FittedFusion(Protocol):
    """A trained fusion. ``device`` is where it computes: ``cuda`` or ``cpu``.

    Every method raises ValueError when a table's columns are not those it was fitted on.
    """

    device: str

    def logits(self, table: FeatureTable) -> np.ndarray:
        """One logit a pair (float64)."""

    def vectors(self, table: FeatureTable) -> np.ndarray:
        """The fused vectors (pairs x width, float32)."""

    def attention(self, table: FeatureTable) -> pd.DataFrame:
        """Weights of the modalities (one column each, exactly 0 where absent); no columns without attention."""

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` and ``config.json``; the same fit gives the same bytes."""

    @classmethod
    def load(cls, folder: Path) -> "FittedFusion":
        """Read what ``save`` wrote; raise ArtifactError when it is missing or damaged."""


class Fusion(Protocol):
    """A fusion to be trained."""

    def fit(self, tables: Sequence[FeatureTable], labels: Sequence[np.ndarray], seed: int) -> FittedFusion:
        """Train on the origins' tables and 0/1 labels; deterministic under ``seed``.

        Raises:
            ValueError: columns differ between tables, or labels do not match their table.
            NotEnoughDataError: the labels hold no positive or no negative.
        """
