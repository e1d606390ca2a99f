"""Preset ``reference``: the published recipe's own way from features to a ranking (methods A4 and A5).

As published it learns from one window: the latest origin whose outcome is known at the cutoff trains both the three
nets and the ensemble on their fused vectors. Its features are the raw values, not ranks.
"""

import json
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from pipeline.config import TaskConfig
from pipeline.errors import MORE_POSITIVES, NotEnoughDataError
from pipeline.fusion.base import Fusion
from pipeline.ranking.base import Origin, common_columns, rank_logit
from pipeline.ranking.calibration import shift_to_prior
from pipeline.ranking.ensemble import Ranking
from pipeline.ranking.reference import ReferenceConfig, fit_reference

MODALITIES = ("bibliometric", "network", "graph", "text", "topic")  # of A1-A3; our further blocks stay out


def published(column: str) -> bool:
    """Whether a feature is one of A1-A3: no snapshot before the window and no drift, which are ours."""
    return column.partition("__")[0] in MODALITIES and column.endswith("__lag0") and "drift" not in column


def rank_as_published(
    past: Sequence[Origin],
    target: Origin,
    task: TaskConfig,
    prior: float,
    fusion: Fusion,
    config: ReferenceConfig,
    seed: int,
    progress: Callable[[str], None],
) -> Ranking:
    """Score the target's candidates by recipe A; its scores are not calibrated, so ``probability`` only carries
    their order at the expected share of positives.

    Raises:
        NotEnoughDataError: when the training origin has no positive.
    """
    training = past[-1]
    if training.outcome.sum() < 2:
        raise NotEnoughDataError(
            f"the training origin {training.cutoff:%Y-%m-%d} has {int(training.outcome.sum())} "
            f"{task.sought}: {MORE_POSITIVES}"
        )
    columns = [c for c in common_columns([training, target]) if published(c)]
    training, target = training.select(columns), target.select(columns)
    progress(f"training the three nets on {training.cutoff:%Y-%m-%d}")
    fused = fusion.fit([training.table], [training.outcome], seed)
    progress("tuning and stacking the seven learners")
    ensemble = fit_reference(fused.vectors(training.table), training.outcome, seed, config)
    raw = ensemble.score(fused.vectors(target.table))
    report = ensemble.report
    return Ranking(
        score_raw=raw,
        probability=shift_to_prior(rank_logit(raw), prior),
        members=pd.DataFrame({"stack": raw}),
        weights=dict(zip(report["learner"], report["selected"].astype(float).tolist(), strict=True)),
        attention=pd.DataFrame(index=np.arange(len(raw))),
        fitted={"fusion": fused, "stack": ensemble},
        columns=columns,
        warnings=("reference recipe: its scores are not calibrated; the probabilities carry their order only",),
        details={"threshold": ensemble.threshold, "learners": json.loads(report.to_json(orient="records"))},
    )
