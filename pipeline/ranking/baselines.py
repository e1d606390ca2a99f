"""The baselines that always run beside the model (method C): fixed heuristics, and the plainest learners."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.config import Track
from pipeline.features.base import FeatureTable
from pipeline.ranking.base import Origin, stack
from pipeline.ranking.kept import NONE_KEPT, KeptFits

# name -> the raw feature column that is its score; "{w}" stands for the window in years
HEURISTICS = {
    "activity_product": "cooccurrence__activity_product__all__lag0",
    "degree_product": "network__preferential_attachment__all__lag0",
    "common_neighbours": "network__common_neighbours__all__lag0",
    "weighted_common_neighbours": "cooccurrence__weighted_common_neighbours__all__lag0",
    "adamic_adar": "network__adamic_adar__all__lag0",
    "adamic_adar_recent": "network__adamic_adar__w{w}__lag0",
    "resource_allocation": "network__resource_allocation__all__lag0",
    "resource_allocation_recent": "network__resource_allocation__w{w}__lag0",
    "katz": "network__katz__all__lag0",
    "pmi": "cooccurrence__ppmi_cosine__all__lag0",
    "text_cosine": "text__cosine__all__lag0",
}
# what the link itself has done so far: only where pairs are linked
OF_LINKED = {
    "joint_patents": "cooccurrence__joint_patents__all__lag0",
    "joint_patents_recent": "bibliometric__joint_patents__w{w}__lag0",
    "joint_growth": "bibliometric__joint_patents_added__w{w}__lag0",
}


def heuristic_scores(table: FeatureTable, window: int, track: Track = "new") -> dict[str, np.ndarray]:
    """Scores of the track's heuristics the table has the columns for (no text, no text cosine).

    PMI of a pair never seen together is minus infinity, so ``pmi`` is its second-order form, the cosine of the
    codes' PPMI profiles. A missing text cosine counts as the lowest.
    """
    known = HEURISTICS if track == "new" else HEURISTICS | OF_LINKED
    columns = {name: column.format(w=window) for name, column in known.items()}
    return {
        name: np.nan_to_num(table.columns[column].to_numpy(dtype=float), nan=-1.0)
        for name, column in columns.items()
        if column in table.columns
    }


def learned_scores(
    training: list[Origin], target: Origin, seed: int, known: Mapping[str, np.ndarray], kept: KeptFits = NONE_KEPT
) -> dict[str, np.ndarray]:
    """Scores of the plain learners, fitted on the training origins: one logistic regression on the node2vec
    distances, one on all features; one LightGBM on the plain co-occurrence indices, one on all features.

    ``known``: scores that are at hand, because the same learner is a member of the ensemble. ``kept``: where fits are
    looked up first.
    """
    graph = [str(c) for c in target.features if str(c).startswith("graph__")]
    every = [str(c) for c in target.features]
    plain = [c for c in every if c.startswith(("network__", "cooccurrence__activity")) and c.endswith("__all__lag0")]
    plan = {
        "node2vec_logistic": ("logistic", graph),
        "logistic_all": ("logistic", every),
        "lightgbm_cooccurrence": ("lightgbm", plain),
        "lightgbm_all": ("lightgbm", every),
    }
    scores = {}
    for name, (learner, columns) in plan.items():
        if name in known or not columns:  # no column: none of them varies
            continue
        X, y = stack([origin.select(columns) for origin in training])
        model = kept.learner(learner, X, y, seed)
        scores[name] = model.predict_proba(target.features[columns].to_numpy(dtype=np.float32))[:, 1]
    return dict(known) | scores


def as_columns(scores: dict[str, np.ndarray]) -> pd.DataFrame:
    """Scores as prediction columns ``baseline__NAME``."""
    return pd.DataFrame({f"baseline__{name}": values for name, values in scores.items()})
