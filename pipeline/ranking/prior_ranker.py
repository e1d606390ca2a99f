"""The prior ranker (method B6): what pairs about to converge look like in *other* corpora.

Every feature is a rank within its own candidate set, so rows of different corpora can be pooled and the result
travels. It holds one boosted model that copes with absent modalities and, for each set of modalities a corpus may
have, one logistic regression fitted on exactly these. Bibliometric counts stay out: they do not travel.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from pipeline.artifacts import read_json, write_json
from pipeline.errors import ArtifactError, NotEnoughDataError
from pipeline.features.base import modality_columns
from pipeline.ranking.base import Origin, rank_logit
from pipeline.ranking.learners import logit_of_rank

SCHEMA = 1
ALWAYS = ("network", "cooccurrence", "graph")
OPTIONAL = ("text", "topic")  # modalities a corpus may lack
KEPT_NEGATIVES = 0.2  # share of the negatives that is learnt from, weighted up again
MASKED_WEIGHT = 0.5  # of the second copy of each row, its optional modalities hidden
MIN_POSITIVES = 20  # below which an origin is not learnt from
SHIPPED = Path(__file__).parent / "prior_ranker.json"
ROUNDS = 400
_BOOSTED = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 8,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 20.0,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


@dataclasses.dataclass(frozen=True)
class PriorRanker:
    """A fitted prior ranker: a boosted model over ``columns``, and linear weights by the modalities they need.

    ``heads``: optional modalities present, joined by ``+`` -> weight a column. ``card``: corpora, cutoffs, seed.
    """

    columns: list[str]
    boosted: str
    heads: dict[str, dict[str, float]]
    card: dict[str, Any]

    def score(self, features: pd.DataFrame) -> pd.DataFrame:
        """Rank logits of the candidates by each of the two models, columns ``prior/boosted`` and ``prior/linear``.

        ``features``: ranked features (rows x any columns); a column it lacks counts as missing.
        """
        X = features.reindex(columns=self.columns).to_numpy(dtype=np.float32)
        boosted = lightgbm.Booster(model_str=self.boosted).predict(X, raw_score=True, num_threads=1)
        head = self.head(features)
        values = features.reindex(columns=list(head)).to_numpy(dtype=np.float32)
        linear = np.nan_to_num(logit_of_rank(values)) @ np.array(list(head.values()))  # missing: the middle rank
        return pd.DataFrame({"prior/boosted": rank_logit(np.asarray(boosted)), "prior/linear": rank_logit(linear)})

    def head(self, features: pd.DataFrame) -> dict[str, float]:
        """The linear weights that apply to a corpus with these features: column -> weight."""
        present = modality_columns([str(column) for column in features])
        return self.heads[_largest([name for name in OPTIONAL if name in present], self.heads)]

    def save(self, path: Path) -> None:
        """Write it as one JSON file."""
        write_json(path, {"schema": SCHEMA, **dataclasses.asdict(self)})


def load_prior_ranker(path: Path) -> PriorRanker:
    """Read a prior ranker; nothing in the file is executed.

    Raises:
        ArtifactError: when the file is missing, damaged or of another version.
    """
    content = read_json(path)
    if not isinstance(content, dict) or content.pop("schema", None) != SCHEMA:
        raise ArtifactError(f"{path} is not a prior ranker of this version: make one with `techconverge train-prior`")
    try:
        ranker = PriorRanker(**content)
        lightgbm.Booster(model_str=ranker.boosted)
    except (TypeError, lightgbm.basic.LightGBMError) as error:
        raise ArtifactError(f"{path} is damaged: {' '.join(str(error).split())}") from error
    return ranker


def fit_prior_ranker(corpora: Mapping[str, Sequence[Origin]], seed: int, card: dict[str, Any]) -> PriorRanker:
    """Fit on the labelled origins of several corpora; each corpus weighs the same.

    Raises:
        NotEnoughDataError: when no origin has ``MIN_POSITIVES`` convergences.
    """
    rng = np.random.default_rng(seed)
    parts = [
        part for origins in corpora.values() for part in _rows([o for o in origins if _enough(o)], rng) if len(part[1])
    ]
    if not parts:
        raise NotEnoughDataError(f"no cutoff of the corpora given has {MIN_POSITIVES} new links to learn from")
    columns = list(dict.fromkeys(str(c) for part in parts for c in part[0] if _modality(c) in (*ALWAYS, *OPTIONAL)))
    X = pd.concat([part[0].reindex(columns=columns) for part in parts], ignore_index=True)
    y = np.concatenate([part[1] for part in parts])
    weight = np.concatenate([part[2] for part in parts])
    weight *= len(weight) / weight.sum()
    return PriorRanker(
        columns=columns,
        boosted=_fit_boosted(X, y, weight, seed),
        heads=_fit_heads(X, y, weight, seed),
        card=card,
    )


def _enough(origin: Origin) -> bool:
    return bool(origin.outcome.sum() >= MIN_POSITIVES)


def _rows(origins: Sequence[Origin], rng: np.random.Generator) -> list[tuple[pd.DataFrame, np.ndarray, np.ndarray]]:
    """Features, outcomes and weights of a corpus: all positives, a share of the negatives weighted up."""
    positives = sum(int(origin.outcome.sum()) for origin in origins)
    parts = []
    for origin in origins:
        kept = (origin.outcome > 0) | (rng.random(len(origin.outcome)) < KEPT_NEGATIVES)
        y = origin.outcome[kept].astype(float)
        weight = np.where(y > 0, 1.0, 1 / KEPT_NEGATIVES) / positives
        parts.append((origin.features[kept].reset_index(drop=True), y, weight))
    return parts


def _fit_boosted(X: pd.DataFrame, y: np.ndarray, weight: np.ndarray, seed: int) -> str:
    """Each row with an optional modality is learnt from twice, the second time without: the model will meet both."""
    optional = [str(c) for c in X if _modality(c) in OPTIONAL]
    has = X[optional].notna().any(axis=1).to_numpy()
    masked = X[has].assign(**dict.fromkeys(optional, np.nan))
    values = pd.concat([X, masked]).to_numpy(dtype=np.float32)
    data = lightgbm.Dataset(
        values, np.concatenate([y, y[has]]), weight=np.concatenate([weight, MASKED_WEIGHT * weight[has]])
    )
    return lightgbm.train(_BOOSTED | {"seed": seed}, data, ROUNDS).model_to_string()


def _fit_heads(X: pd.DataFrame, y: np.ndarray, weight: np.ndarray, seed: int) -> dict[str, dict[str, float]]:
    heads = {}
    for size in range(len(OPTIONAL) + 1):
        for chosen in combinations(OPTIONAL, size):
            columns = [str(c) for c in X if _modality(c) in (*ALWAYS, *chosen)]
            rows = np.ones(len(X), dtype=bool)
            for modality in chosen:
                rows &= X[[c for c in columns if _modality(c) == modality]].notna().any(axis=1).to_numpy()
            if y[rows].sum() < MIN_POSITIVES:
                continue
            values = np.nan_to_num(logit_of_rank(X.loc[rows, columns].to_numpy(dtype=np.float32)))
            model = LogisticRegression(C=0.003, max_iter=200, random_state=seed)
            model.fit(values, y[rows], sample_weight=weight[rows] * rows.sum() / weight[rows].sum())
            heads["+".join(chosen)] = dict(zip(columns, (round(float(w), 6) for w in model.coef_[0]), strict=True))
    return heads


def _largest(present: list[str], heads: Mapping[str, Any]) -> str:
    """The head that uses most of the modalities present and no other."""
    usable = [name for name in heads if set(filter(None, name.split("+"))) <= set(present)]
    return max(usable, key=lambda name: (name.count("+") + bool(name), name))


def _modality(column: object) -> str:
    return str(column).partition("__")[0]
