"""The published fusion (method A4): patent -> code -> pair -> three modalities, joined by concatenation.

1. Patent to code: additive attention pooling over the code's most recent patents.
2. Code to pair: low-rank bilinear attention, one net for the graph's and one for the text's code vectors.
3. Concatenation of bibliometric ‖ topology, graph relation, graph interaction ‖ text relation, text interaction, topic.

Open in the source, and read here so: the mean of the outer product is its mean over rows, a vector of the rank's
length (the mean over everything is one scalar, and is that vector's own mean). The nets are trained together,
supervised by a linear head on the concatenation.
"""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from pipeline.features.base import FeatureTable
from pipeline.fusion.base import ReferenceConfig
from pipeline.fusion.inputs import PATENTS, Layout, Scale, column_values
from pipeline.fusion.storage import reading, write_fusion
from pipeline.fusion.training import best_device, check_labels, compute, isolated, to_tensor, train

KIND = "reference"
MODALITIES = {"bibliometric": ("bibliometric",), "graph": ("network", "graph"), "text": ("text", "topic")}


@dataclasses.dataclass(frozen=True)
class Origin:
    """One table as tensors: standardised columns (unknown ones at their mean, 0), code and patent vectors.

    ``patents`` numbers each code's pooled patents, padded where ``padding``.
    """

    columns: Tensor
    a: Tensor
    b: Tensor
    graph: Tensor | None
    vectors: Tensor | None
    patents: Tensor | None
    padding: Tensor | None


class AttentionPooling(nn.Module):
    """Net 1: weigh a code's patents by softmax(v·tanh(W p)) and add them up; a code without any gets zeros."""

    def __init__(self, dimension: int, width: int) -> None:
        super().__init__()
        self.down = nn.Linear(dimension, width)
        self.score = nn.Linear(width, 1, bias=False)

    def weights(self, vectors: Tensor, patents: Tensor, padding: Tensor) -> Tensor:
        """Softmax weights (codes x patents of each); exactly zero on padding."""
        score = self.score(torch.tanh(self.down(vectors))).squeeze(1)[patents]
        score = score.masked_fill(padding, float("-inf")).masked_fill(padding.all(dim=1, keepdim=True), 0.0)
        return torch.softmax(score, dim=1).masked_fill(padding, 0.0)

    def forward(self, vectors: Tensor, patents: Tensor, padding: Tensor) -> Tensor:
        weights = self.weights(vectors, patents, padding)
        return nn.functional.embedding_bag(patents, vectors, per_sample_weights=weights, mode="sum")


class BilinearRelation(nn.Module):
    """Net 2: relation vector of two code vectors, from their bias-free projections and the outer product of these."""

    def __init__(self, dimension: int, rank: int, width: int) -> None:
        super().__init__()
        self.U = nn.Linear(dimension, rank, bias=False)
        self.V = nn.Linear(dimension, rank, bias=False)
        self.relate = nn.Sequential(nn.Linear(3 * rank, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, codes: Tensor, a: Tensor, b: Tensor) -> Tensor:
        left, right = self.U(codes)[a], self.V(codes)[b]
        outer_mean = left.mean(dim=1, keepdim=True) * right  # mean over rows of left ⊗ right, without building it
        return self.relate(torch.cat([left, right, outer_mean], dim=1))


class ReferenceNet(nn.Module):
    """The three nets and the head; what has no vectors (no text) has no relation either."""

    def __init__(self, layout: Layout, config: ReferenceConfig) -> None:
        super().__init__()
        graph, text = layout.widths["graph"], layout.widths[PATENTS]
        modalities = layout.modalities()
        self.positions = {
            name: [position for group in groups for position in modalities.get(group, [])]
            for name, groups in MODALITIES.items()
        }
        self.pooling = AttentionPooling(text, config.pooling_width) if text else None
        self.relations = nn.ModuleDict(
            {
                name: BilinearRelation(dimension, config.rank, config.relation_width)
                for name, dimension in (("graph", graph), ("text", text))
                if dimension
            }
        )
        columns = sum(len(positions) for positions in self.positions.values())
        self.head = nn.Linear(columns + config.relation_width * len(self.relations), 1)

    def fused(self, origin: Origin, rows: Tensor) -> Tensor:
        """Net 3: the concatenation, one row a pair."""
        columns = origin.columns[rows]
        codes = {"graph": origin.graph}
        if self.pooling is not None:
            codes["text"] = self.pooling(origin.vectors, origin.patents, origin.padding)
        parts = []
        for name, positions in self.positions.items():
            if name in self.relations:
                parts.append(self.relations[name](codes[name], origin.a[rows], origin.b[rows]))
            parts.append(columns[:, positions])
        return torch.cat(parts, dim=1)

    def forward(self, origin: Origin, rows: Tensor) -> Tensor:
        return self.head(self.fused(origin, rows)).squeeze(1)


@dataclasses.dataclass(frozen=True)
class Anchor:
    """Graph vectors of one origin, to which those of every other are rotated: node2vec fixes them no further."""

    codes: tuple[str, ...]
    vectors: np.ndarray

    @classmethod
    def of(cls, table: FeatureTable) -> "Anchor":
        """The codes of a table that have a graph vector."""
        vectors = table.code_vectors["graph"]
        known = np.isfinite(vectors).all(axis=1)
        return cls(tuple(map(str, table.pairs.codes[known])), vectors[known].astype(np.float32))

    def align(self, codes: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Rotate vectors by orthogonal Procrustes (Schönemann 1966) on the shared codes; unknown ones become zero."""
        known = np.isfinite(vectors).all(axis=1)
        filled = np.where(known[:, None], vectors, 0.0).astype(np.float64)
        place = pd.Index(self.codes).get_indexer(pd.Index(codes.astype(str)))
        shared = known & (place >= 0)
        left, _, right = np.linalg.svd(filled[shared].T @ self.vectors[place[shared]].astype(np.float64))
        return filled @ (left @ right)


class FittedReference:
    """The trained reference fusion. It has no attention over modalities, so ``attention`` has no columns."""

    def __init__(
        self, net: ReferenceNet, layout: Layout, scale: Scale, anchor: Anchor | None, config: ReferenceConfig
    ) -> None:
        self.device = best_device()
        self.net = net.to(self.device).eval()
        self.layout = layout
        self.scale = scale
        self.anchor = anchor
        self.config = config

    def logits(self, table: FeatureTable) -> np.ndarray:
        """One logit a pair (float64)."""
        return self._compute(table, self.net).astype(np.float64)

    def vectors(self, table: FeatureTable) -> np.ndarray:
        """The concatenation that A5's ensemble learns from (float32)."""
        return self._compute(table, self.net.fused)

    def attention(self, table: FeatureTable) -> pd.DataFrame:
        """No columns: the published fusion weighs patents, not modalities."""
        return pd.DataFrame(index=pd.RangeIndex(len(table.pairs)))

    def save(self, folder: Path) -> None:
        """Write weights and config."""
        tensors = dict(self.net.state_dict())
        tensors |= {"scale.mean": torch.from_numpy(self.scale.mean)}
        tensors |= {"scale.deviation": torch.from_numpy(self.scale.deviation)}
        codes: tuple[str, ...] = ()
        if self.anchor is not None:
            tensors["anchor"] = torch.from_numpy(self.anchor.vectors)
            codes = self.anchor.codes
        record = {
            "kind": KIND,
            "config": self.config.model_dump(),
            "columns": list(self.layout.columns),
            "widths": self.layout.widths,
            "anchor_codes": list(codes),
        }
        write_fusion(folder, record, tensors)

    @classmethod
    def load(cls, folder: Path) -> "FittedReference":
        """Read what ``save`` wrote."""
        with reading(folder, KIND) as (record, tensors):
            config = ReferenceConfig.model_validate(record["config"])
            layout = Layout(tuple(record["columns"]), dict(record["widths"]))
            anchor = None
            if "anchor" in tensors:
                anchor = Anchor(tuple(record["anchor_codes"]), tensors.pop("anchor").numpy())
            scale = Scale(*(tensors.pop(f"scale.{name}").numpy() for name in ("mean", "deviation")))
            net = ReferenceNet(layout, config)
            net.load_state_dict(tensors)
        return cls(net, layout, scale, anchor, config)

    def _compute(self, table: FeatureTable, function: Callable[[Origin, Tensor], Tensor]) -> np.ndarray:
        self.layout.check(table)
        origin = _origin(table, self.scale, self.anchor, self.config, self.device)
        return compute(function, origin, len(table.pairs), self.device)


class ReferenceFusion:
    """Trains the published fusion on whole origins, all three nets together."""

    def __init__(self, config: ReferenceConfig) -> None:
        self.config = config

    def fit(self, tables: Sequence[FeatureTable], labels: Sequence[np.ndarray], seed: int) -> FittedReference:
        """Train; the graph vectors of every origin are first rotated to those of the first."""
        layout = Layout.of(tables, ("graph", PATENTS))
        check_labels([len(table.pairs) for table in tables], labels)
        anchor = Anchor.of(tables[0]) if layout.widths["graph"] else None
        scale = Scale.of([column_values(table) for table in tables])
        device = best_device()
        with isolated(seed):
            net = ReferenceNet(layout, self.config).to(device)
            origins = [_origin(table, scale, anchor, self.config, device) for table in tables]
            train(net, net, origins, labels, self.config, seed)
        return FittedReference(net, layout, scale, anchor, self.config)


def recent_patents(carriers: sp.csr_array, has_text: np.ndarray, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Each code's last ``limit`` patents that have text (columns of ``carriers`` stand in order of knowledge date).

    Returns:
        Patent numbers (codes x at most limit), newest first, and where they are padding (number 0).
    """
    matrix = sp.csr_array(carriers).sorted_indices()
    kept = has_text[matrix.indices] & (matrix.data != 0)
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))[kept]
    end = np.cumsum(np.bincount(row, minlength=matrix.shape[0]))
    age = end[row] - 1 - np.arange(len(row))
    recent = age < limit
    width = int(age[recent].max()) + 1 if recent.any() else 1
    patents = np.zeros((matrix.shape[0], width), dtype=np.int64)
    padding = np.ones(patents.shape, dtype=bool)
    patents[row[recent], age[recent]] = matrix.indices[kept][recent]
    padding[row[recent], age[recent]] = False
    return patents, padding


def _origin(table: FeatureTable, scale: Scale, anchor: Anchor | None, config: ReferenceConfig, device: str) -> Origin:
    graph = vectors = patents = padding = None
    if anchor is not None:
        turned = anchor.align(table.pairs.codes, table.code_vectors["graph"])
        graph = to_tensor(turned.astype(np.float32), device)
    if table.patent_vectors is not None:
        numbers, empty = recent_patents(table.carriers, np.any(table.patent_vectors, axis=1), config.patents_per_code)
        used, place = np.unique(numbers, return_inverse=True)
        # without any patent in the window all is padding, which still needs one vector to point at
        pooled = (
            table.patent_vectors[used] if len(table.patent_vectors) else np.zeros((1, table.patent_vectors.shape[1]))
        )
        vectors = to_tensor(pooled.astype(np.float32), device)
        patents, padding = to_tensor(place.reshape(numbers.shape), device), to_tensor(empty, device)
    a, b = (to_tensor(side.astype(np.int64), device) for side in (table.pairs.a, table.pairs.b))
    columns = to_tensor(np.nan_to_num(scale.apply(column_values(table))), device)
    return Origin(columns, a, b, graph, vectors, patents, padding)
