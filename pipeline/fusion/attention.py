"""The default fusion (method B8): one token a modality, pooled (by attention), the same for both orders of a pair.

A token is made of its modality's pair columns, which are ranks within their origin: each is given evenly, stretched
towards the top (where the few positives are), and beside a mark that says whether it is known. Where the code vectors
can be compared across origins, phi(a) + phi(b) and phi(a)·phi(b) join them. That holds for ``text``, whose encoder is
fixed. It does not for ``graph``: node2vec vectors of two origins differ by a rotation that means nothing, so only the
distances between them, which are pair columns, are used. A modality whose columns are all unknown for a pair has no
part in its attention.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from pipeline.features.base import FeatureTable
from pipeline.fusion.base import AttentionConfig
from pipeline.fusion.inputs import Layout, Scale, column_values
from pipeline.fusion.pooling import POOLINGS
from pipeline.fusion.storage import reading, write_fusion
from pipeline.fusion.training import best_device, check_labels, compute, isolated, to_tensor, train

KIND = "attention"
COMPARABLE = ("text",)  # code vectors that mean the same in every origin
HIGHEST = 1 - 1e-6  # rank at which the stretch ends


@dataclasses.dataclass(frozen=True)
class Origin:
    """One table as tensors: ranks in [0, 1] with NaN where unknown, and standardised code vectors (unknown ones 0)."""

    ranks: Tensor
    a: Tensor
    b: Tensor
    vectors: dict[str, Tensor]


class Token(nn.Module):
    """One modality's columns and code vectors of a pair -> its token."""

    def __init__(self, columns: int, vector: int, config: AttentionConfig) -> None:
        super().__init__()
        self.phi = nn.Linear(vector, config.vector_width) if vector else None
        self.hide = nn.Dropout(config.vector_dropout)
        self.layers = nn.Sequential(
            nn.Linear(3 * columns + (2 * config.vector_width if vector else 0), config.width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.width, config.width),
            nn.LayerNorm(config.width),
        )

    def forward(self, ranks: Tensor, known: Tensor, codes: Tensor | None, a: Tensor, b: Tensor) -> Tensor:
        # both have mean 0 and variance 1 for evenly spread ranks
        even = (ranks - 0.5) * math.sqrt(12)
        stretched = -torch.log1p(-ranks.clamp(max=HIGHEST)) - 1
        parts = [torch.where(known, even, 0.0), torch.where(known, stretched, 0.0), known.float()]
        if self.phi is not None:
            projected = self.phi(codes)
            left, right = projected[a], projected[b]
            parts.append(self.hide(torch.cat([left + right, left * right], dim=1)))
        return self.layers(torch.cat(parts, dim=1))


class AttentionNet(nn.Module):
    """Tokens, their pooling, and a linear head on the fused vector."""

    def __init__(self, layout: Layout, config: AttentionConfig) -> None:
        super().__init__()
        self.positions = layout.modalities()
        self.tokens = nn.ModuleDict(
            {name: Token(len(place), layout.widths.get(name, 0), config) for name, place in self.positions.items()}
        )
        self.pooling = POOLINGS[config.pooling](len(self.positions), config.width)
        self.head = nn.Sequential(nn.LayerNorm(config.width), nn.Dropout(config.dropout), nn.Linear(config.width, 1))
        self.modality_dropout = config.modality_dropout

    def fuse(self, origin: Origin, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Fused vectors and attention weights of some pairs."""
        ranks, a, b = origin.ranks[rows], origin.a[rows], origin.b[rows]
        known = ~ranks.isnan()
        tokens = [
            token(ranks[:, self.positions[name]], known[:, self.positions[name]], origin.vectors.get(name), a, b)
            for name, token in self.tokens.items()
        ]
        present = torch.stack([known[:, place].any(dim=1) for place in self.positions.values()], dim=1)
        fused, weights = self.pooling(torch.stack(tokens, dim=1), self._drop(present))
        return fused, weights

    def forward(self, origin: Origin, rows: Tensor) -> Tensor:
        return self.head(self.fuse(origin, rows)[0]).squeeze(1)

    def _drop(self, present: Tensor) -> Tensor:
        """In training, hide modalities at random; a pair that would be left with none keeps all."""
        if not self.training:
            return present
        kept = present & (torch.rand(present.shape, device=present.device) >= self.modality_dropout)
        return torch.where(kept.any(dim=1, keepdim=True), kept, present)


class FittedAttention:
    """The trained nets; their logits and weights are averaged, their fused vectors stand side by side."""

    def __init__(
        self, nets: Sequence[AttentionNet], layout: Layout, scales: dict[str, Scale], config: AttentionConfig
    ) -> None:
        self.device = best_device()
        self.nets = [net.to(self.device).eval() for net in nets]
        self.layout = layout
        self.scales = scales
        self.config = config

    def logits(self, table: FeatureTable) -> np.ndarray:
        """One logit a pair (float64); with tau = 1 the prior's log odds are yet to be added."""
        return np.asarray(np.mean(self._compute(table, lambda net: net), axis=0, dtype=np.float64))

    def vectors(self, table: FeatureTable) -> np.ndarray:
        """Fused vectors (pairs x members·width, float32)."""
        return np.concatenate(self._compute(table, lambda net: lambda *pairs: net.fuse(*pairs)[0]), axis=1)

    def attention(self, table: FeatureTable) -> pd.DataFrame:
        """Weights of the modalities; a row sums to 1, or to 0 where the pair has no modality at all."""
        weights = np.mean(self._compute(table, lambda net: lambda *pairs: net.fuse(*pairs)[1]), axis=0)
        return pd.DataFrame(weights, columns=list(self.layout.modalities())[: weights.shape[1]])

    def save(self, folder: Path) -> None:
        """Write weights and config."""
        tensors = dict(nn.ModuleList(self.nets).state_dict())
        for name, scale in self.scales.items():
            tensors[f"scale.{name}.mean"] = torch.from_numpy(scale.mean)
            tensors[f"scale.{name}.deviation"] = torch.from_numpy(scale.deviation)
        record = {
            "kind": KIND,
            "config": self.config.model_dump(),
            "columns": list(self.layout.columns),
            "widths": self.layout.widths,
        }
        write_fusion(folder, record, tensors)

    @classmethod
    def load(cls, folder: Path) -> "FittedAttention":
        """Read what ``save`` wrote."""
        with reading(folder, KIND) as (record, tensors):
            config = AttentionConfig.model_validate(record["config"])
            layout = Layout(tuple(record["columns"]), dict(record["widths"]))
            scales = {
                name: Scale(*(tensors.pop(f"scale.{name}.{part}").numpy() for part in ("mean", "deviation")))
                for name, width in layout.widths.items()
                if width
            }
            nets = [AttentionNet(layout, config) for _ in range(config.members)]
            nn.ModuleList(nets).load_state_dict(tensors)
        return cls(nets, layout, scales, config)

    def _compute(self, table: FeatureTable, part: Callable[[AttentionNet], Callable[..., Tensor]]) -> list[np.ndarray]:
        self.layout.check(table)
        origin = _origin(table, self.scales, self.device)
        return [compute(part(net), origin, len(table.pairs), self.device) for net in self.nets]


class AttentionFusion:
    """Trains the default fusion, one net after the other, each from its own seed."""

    def __init__(self, config: AttentionConfig) -> None:
        self.config = config

    def fit(self, tables: Sequence[FeatureTable], labels: Sequence[np.ndarray], seed: int) -> FittedAttention:
        """Train on columns given as ranks within their origin (``features.build.ranked``)."""
        layout = Layout.of(tables, COMPARABLE)
        check_labels([len(table.pairs) for table in tables], labels)
        scales = {
            name: Scale.of([table.code_vectors[name] for table in tables])
            for name, width in layout.widths.items()
            if width
        }
        device = best_device()
        origins = [_origin(table, scales, device) for table in tables]
        nets = []
        for own in map(int, np.random.SeedSequence(seed).generate_state(self.config.members)):
            with isolated(own):
                net = AttentionNet(layout, self.config).to(device)
                train(net, net, origins, labels, self.config, own)
            nets.append(net)
        return FittedAttention(nets, layout, scales, self.config)


def _origin(table: FeatureTable, scales: dict[str, Scale], device: str) -> Origin:
    ranks = column_values(table)
    if np.nanmin(ranks, initial=0.0) < 0 or np.nanmax(ranks, initial=1.0) > 1:
        raise ValueError("the attention fusion takes columns as ranks in [0, 1] within their origin")
    return Origin(
        ranks=to_tensor(ranks, device),
        a=to_tensor(table.pairs.a.astype(np.int64), device),
        b=to_tensor(table.pairs.b.astype(np.int64), device),
        vectors={
            name: to_tensor(np.nan_to_num(scale.apply(table.code_vectors[name])), device)
            for name, scale in scales.items()
        },
    )
