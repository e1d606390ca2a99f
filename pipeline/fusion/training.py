"""The training both fusions share: isolation from global state, batches, prior-aware loss, scoring in chunks."""

import contextlib
import math
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.errors import MORE_POSITIVES, NotEnoughDataError
from pipeline.fusion.base import TrainingConfig

CHUNK = {"cpu": 16_384, "cuda": 262_144}  # pairs scored at once: bounds memory
WARM_UP = 0.1  # share of the steps over which the learning rate rises

Inputs = TypeVar("Inputs")


def best_device() -> str:
    """``cuda`` where there is one, else ``cpu``."""
    if not torch.cuda.is_available():
        return "cpu"
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it two fits may differ in the last digits
    return "cuda"


def to_tensor(values: np.ndarray, device: str) -> Tensor:
    """The values as a tensor on a device."""
    return torch.from_numpy(np.require(values, requirements=["C", "W"])).to(device)


@contextlib.contextmanager
def reproducible() -> Iterator[None]:
    """Run torch on one thread with deterministic algorithms; both settings are as before afterwards."""
    threads = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    try:
        torch.set_num_threads(1)  # several are slower on nets this small, and sums would depend on their number
        torch.use_deterministic_algorithms(True, warn_only=True)
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)


@contextlib.contextmanager
def isolated(seed: int) -> Iterator[None]:
    """Let torch draw from ``seed``, reproducibly; the global random state is as before afterwards."""
    with torch.random.fork_rng(), reproducible():
        torch.manual_seed(seed)
        yield


def check_labels(sizes: Sequence[int], labels: Sequence[np.ndarray]) -> None:
    """Check that there are 0/1 labels for every pair of every origin, of both kinds.

    Raises:
        ValueError: labels do not match the tables or are not 0/1.
        NotEnoughDataError: no positive or no negative in all origins together.
    """
    if not sizes or [len(label) for label in labels] != list(sizes):
        raise ValueError(f"labels of lengths {[len(label) for label in labels]} for tables of {list(sizes)} pairs")
    if not all(np.isin(label, (0, 1)).all() for label in labels):
        raise ValueError("labels must be 0 or 1")
    positives = sum(int(label.sum()) for label in labels)
    if positives in (0, sum(sizes)):
        raise NotEnoughDataError(
            f"{positives} of {sum(sizes)} training pairs converged, so there is nothing to tell apart: {MORE_POSITIVES}"
        )


def train(
    net: nn.Module,
    forward: Callable[[Inputs, Tensor], Tensor],
    origins: Sequence[Inputs],
    labels: Sequence[np.ndarray],
    config: TrainingConfig,
    seed: int,
) -> None:
    """Fit a net by AdamW on logit-adjusted cross-entropy (Menon et al. 2021, arXiv 2007.07314).

    ``forward(origin, rows)`` gives the logits of some pairs of one origin. To each is added tau·log(pi/(1-pi)), pi
    the origin's share of positives, and -log(r), r the share of its negatives drawn: what sampling did to the odds is
    undone. So with tau = 1 the net learns the log likelihood ratio, free of each origin's prior.
    Every epoch sees all positives, spread evenly over its batches, and a fresh draw of the negatives.
    """
    rng = np.random.default_rng(seed)
    offsets = _prior_offsets(labels, config)
    device = next(net.parameters()).device
    targets = [torch.as_tensor(label, dtype=torch.float32, device=device) for label in labels]
    plan = [batch for _ in range(config.epochs) for batch in _epoch(labels, config, rng)]
    optimiser = torch.optim.AdamW(net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    net.train()
    for step, (origin, rows) in enumerate(plan):
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * _schedule(step / len(plan))
        chosen = torch.from_numpy(rows).to(device)
        logits = forward(origins[origin], chosen) + offsets[origin]
        loss = nn.functional.binary_cross_entropy_with_logits(logits, targets[origin][chosen])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    net.eval()


def compute(function: Callable[[Inputs, Tensor], Tensor], origin: Inputs, count: int, device: str) -> np.ndarray:
    """Apply ``function(origin, rows)`` to all rows of an origin, a chunk at a time."""
    with reproducible(), torch.inference_mode():
        chunks = torch.split(torch.arange(count, device=device), CHUNK[device])
        return np.asarray(torch.cat([function(origin, rows) for rows in chunks]).float().cpu().numpy())


def _schedule(progress: float) -> float:
    """Linear warm-up, then a cosine to zero: the last weights need no averaging and no early stopping."""
    return min(progress / WARM_UP + 0.1, 0.5 * (1 + math.cos(math.pi * progress)))


RESAMPLED = 4  # negatives a positive: 2:8, as in the published recipe


def _share_of_negatives(labels: Sequence[np.ndarray], config: TrainingConfig) -> float:
    wanted = config.negatives
    if config.imbalance == "resampling":
        wanted = RESAMPLED * sum(int(label.sum()) for label in labels)
    return min(1.0, wanted / sum(int((label == 0).sum()) for label in labels))


def _drawn(label: np.ndarray, share: float) -> int:
    return math.ceil(share * int((label == 0).sum()))


def _prior_offsets(labels: Sequence[np.ndarray], config: TrainingConfig) -> list[float]:
    """What is added to the logits of each origin; half a pair is added to both kinds, since one may be missing."""
    if config.imbalance == "resampling":
        return [0.0] * len(labels)
    share = _share_of_negatives(labels, config)
    offsets = []
    for label in labels:
        positives, negatives = float(label.sum()), float((label == 0).sum())
        drawn = _drawn(label, share)
        prior = math.log((positives + 0.5) / (negatives + 0.5))
        offsets.append(config.tau * prior + (math.log(negatives / drawn) if drawn else 0.0))
    return offsets


def _epoch(
    labels: Sequence[np.ndarray], config: TrainingConfig, rng: np.random.Generator
) -> list[tuple[int, np.ndarray]]:
    """Batches (origin, rows) in random order, each from one origin."""
    share = _share_of_negatives(labels, config)
    batches: list[tuple[int, np.ndarray]] = []
    for origin, label in enumerate(labels):
        if not len(label):
            continue
        positives = rng.permutation(np.flatnonzero(label))
        negatives = rng.permutation(np.flatnonzero(label == 0))[: _drawn(label, share)]
        count = math.ceil((len(positives) + len(negatives)) / config.batch_size)
        parts = zip(np.array_split(positives, count), np.array_split(negatives, count), strict=True)
        batches += [(origin, np.concatenate(part)) for part in parts]
    return [batches[index] for index in rng.permutation(len(batches))]
