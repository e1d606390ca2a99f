"""A small ranking whose drivers are known: heuristics, each the order of one column, under given weights."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.features.base import FeatureTable
from pipeline.features.build import ranked
from pipeline.pairs.base import CandidatePairs
from pipeline.ranking.base import Origin, rank_logit
from pipeline.ranking.baselines import HEURISTICS
from pipeline.ranking.ensemble import Ranking
from pipeline.ranking.rescore import Rescorer, rescorer

CODES = 26  # 325 pairs


def toy_origin(columns: Mapping[str, np.ndarray]) -> Origin:
    """Candidates with these raw columns, one value a pair."""
    a, b = np.triu_indices(CODES, k=1)
    symbols = np.array([f"A{number:02d}B" for number in range(CODES)])
    names = pd.DataFrame({"code_a": symbols[a], "code_b": symbols[b]})
    pairs = CandidatePairs(table=names, codes=symbols, a=a, b=b, cutoff=pd.Timestamp("2010-12-31"))
    table = FeatureTable(pairs, pd.DataFrame(columns).astype(np.float32), {}, None, sp.csr_array((CODES, 1)))
    return Origin(table, ranked(table), None)


def toy_columns(names: list[str], seed: int) -> dict[str, np.ndarray]:
    """Random values without ties, so that the middle rank has the logit 0."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=CODES * (CODES - 1) // 2) for name in names}


def toy_ensemble(columns: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> Rescorer:
    """The ensemble of the heuristics ``weights`` names, each of its own column."""
    origin = toy_origin(columns)
    filled = {name: origin.features[HEURISTICS[name]].to_numpy() for name in weights}
    members = pd.DataFrame({f"heuristic/{name}": rank_logit(values) for name, values in filled.items()})
    raw = members.to_numpy() @ np.array(list(weights.values())) - 2.5
    ranking = Ranking(
        score_raw=raw,
        probability=1 / (1 + np.exp(-raw)),
        members=members,
        weights=dict(zip(members, weights.values(), strict=True)),
        attention=pd.DataFrame(index=members.index),
        fitted={},
        columns=list(columns),
        warnings=(),
    )
    return rescorer(ranking, origin, window=3)
