"""The prior ranker (method B6): what pairs about to converge look like in *other* corpora.

Every feature is a rank within its own candidate set, so rows of different corpora can be pooled and the result
travels. An expert holds one boosted model that reads every modality and copes with absent ones and, for each set of
text modalities a corpus may have, one logistic regression fitted on exactly these. Citations, people and dynamics are
left to the boosted model: with a corpus left out, the regression did worse with them.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import combinations, compress
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from pipeline.artifacts import read_json, write_json
from pipeline.errors import MORE_POSITIVES, ArtifactError, NotEnoughDataError
from pipeline.features.base import modality_columns
from pipeline.ranking.base import Origin, rank_logit
from pipeline.ranking.calibration import group_errors, shift_to_prior, spread_of
from pipeline.ranking.learners import logit_of_rank
from pipeline.ranking.meta import fit_slope

SCHEMA = 3
SHIPPED = Path(__file__).parent / "prior_ranker.json"
DOMAIN, BACKGROUND = "domain", "background"
MODELS = ("boosted", "linear")
ALWAYS = ("network", "cooccurrence", "graph", "bibliometric", "scheme")
OPTIONAL = ("text", "topic")  # modalities a corpus may lack, with a regression for each set of them
BOOSTED_ONLY = ("dynamics", "citation", "people")
HIDDEN = (*OPTIONAL, "citation", "people", "bibliometric")  # sources differ most in these
KEPT_NEGATIVES = 0.1  # share of the negatives that is learnt from, weighted up again
MASKED_WEIGHT = 0.5  # of the second copy of each row, in which what is HIDDEN is missing
MIN_POSITIVES = 20  # below which an origin is not learnt from
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
class Expert:
    """A boosted model over ``columns``, and linear weights by the optional modalities they need.

    ``heads``: optional modalities joined by ``+`` -> weight a column.
    """

    columns: list[str]
    boosted: str
    heads: dict[str, dict[str, float]]

    def raw(self, features: pd.DataFrame) -> dict[str, np.ndarray]:
        """Log odds by each of the two models, up to a constant; a column that ``features`` lacks counts as missing."""
        X = features.reindex(columns=self.columns).to_numpy(dtype=np.float32)
        boosted = lightgbm.Booster(model_str=self.boosted).predict(X, raw_score=True, num_threads=1)
        head = self.head(features)
        values = features.reindex(columns=list(head)).to_numpy(dtype=np.float32)
        linear = np.nan_to_num(logit_of_rank(values)) @ np.array(list(head.values()))  # missing: the middle rank
        return {"boosted": np.asarray(boosted), "linear": linear}

    def head(self, features: pd.DataFrame) -> dict[str, float]:
        """The linear weights that apply to a corpus with these features: column -> weight."""
        present = modality_columns([str(column) for column in features])
        return self.heads[_largest([name for name in OPTIONAL if name in present], self.heads)]


@dataclasses.dataclass(frozen=True)
class PriorRanker:
    """A fitted prior ranker, all of it plain values.

    ``experts``: ``domain`` reads a corpus alone; ``background``, where it was taught with one, the background too.
    ``slope``: log odds that one unit of the mean rank logit of the domain expert is worth, from corpora left out.
    ``spread``: see ``calibration.spread_of``. ``card``: corpora, cutoffs, seed.
    """

    experts: dict[str, Expert]
    slope: float
    spread: float
    card: dict[str, Any]

    def members(self, features: pd.DataFrame) -> list[str]:
        """Names of the rankings it makes of a target with these features: ``prior/boosted``, ``prior/linear``, and
        with a background ``prior/background_boosted``, ``prior/background_linear``."""
        seen = [name for name in self.experts if name == DOMAIN or _sees(features, name)]
        return [f"prior/{'' if name == DOMAIN else f'{name}_'}{model}" for name in seen for model in MODELS]

    def score(
        self, features: pd.DataFrame, members: Sequence[str] | None = None, weights: np.ndarray | None = None
    ) -> pd.DataFrame:
        """Rank logits of the candidates, a column for each member asked for (all that the features allow).

        ``features``: ranked features (rows x any columns); ``weights``: see ``Origin``.
        Where an origin lacks the background, its expert's members
        fall back on the domain's, so that a weight learnt there is not lost.
        """
        raw = {}
        for name, expert in self.experts.items():
            if name == DOMAIN or _sees(features, name):
                raw[name] = expert.raw(features)
        names = self.members(features) if members is None else members
        return pd.DataFrame({name: rank_logit(_of(name, raw), weights) for name in names}, index=range(len(features)))

    def model(self, member: str) -> tuple[Expert, str]:
        """The expert behind a member, and which of its models it is."""
        expert, _, model = member.removeprefix("prior/").rpartition("_")
        return self.experts[expert or DOMAIN], model

    def save(self, path: Path) -> None:
        """Write it as one JSON file."""
        write_json(path, {"schema": SCHEMA, **dataclasses.asdict(self)})


def _sees(features: pd.DataFrame, modality: str) -> bool:
    return any(_modality(column) == modality for column in features)


def _of(member: str, raw: Mapping[str, Mapping[str, np.ndarray]]) -> np.ndarray:
    expert, _, model = member.removeprefix("prior/").rpartition("_")
    return raw[expert if expert in raw else DOMAIN][model]


def load_prior_ranker(path: Path) -> PriorRanker:
    """Read a prior ranker; nothing in the file is executed.

    Raises:
        ArtifactError: when the file is missing, damaged or of another version.
    """
    content = read_json(path)
    if not isinstance(content, dict) or content.pop("schema", None) != SCHEMA:
        raise ArtifactError(f"{path} is not a prior ranker of this version: make one with `techconverge train-prior`")
    try:
        experts = {name: Expert(**expert) for name, expert in content.pop("experts").items()}
        ranker = PriorRanker(experts=experts, **content)
        for expert in ranker.experts.values():
            lightgbm.Booster(model_str=expert.boosted)
        return ranker
    except (AttributeError, KeyError, TypeError, lightgbm.basic.LightGBMError) as error:
        raise ArtifactError(f"{path} is damaged: {' '.join(str(error).split())}") from error


def fit_prior_ranker(
    corpora: Mapping[str, Sequence[Origin]], expected: Mapping[str, Sequence[float]], seed: int, card: dict[str, Any]
) -> PriorRanker:
    """Fit on the labelled origins of several corpora; each corpus weighs the same.

    ``expected``: for each origin the share of positives that its own history led to expect. Slope and spread come from
    scoring each corpus by the others; of a single one, from its own origins, which flatters it.

    Raises:
        NotEnoughDataError: when no origin has ``MIN_POSITIVES`` convergences, or none a level that was expected.
    """
    enough = {name: [o.outcome.sum() >= MIN_POSITIVES for o in origins] for name, origins in corpora.items()}
    taught = {name: list(compress(corpora[name], kept)) for name, kept in enough.items() if any(kept)}
    if not taught:
        raise NotEnoughDataError(
            f"no cutoff of the corpora given has {MIN_POSITIVES} new links to learn from: {MORE_POSITIVES}"
        )
    experts = {DOMAIN: _fit_expert(taught, (), seed)}
    outside = {name: [o for o in origins if _sees(o.features, BACKGROUND)] for name, origins in taught.items()}
    if any(outside.values()):
        experts[BACKGROUND] = _fit_expert(outside, (BACKGROUND,), seed)
    scores = _held_out(taught, experts[DOMAIN], seed)
    slope = _slope(taught, scores)
    levels = {name: list(compress(expected[name], enough[name])) for name in taught}
    return PriorRanker(experts=experts, slope=slope, spread=_spread(taught, scores, levels, slope), card=card)


def _held_out(corpora: Mapping[str, Sequence[Origin]], of_all: Expert, seed: int) -> dict[str, list[np.ndarray]]:
    """The mean rank logit of every origin by an expert that the corpus did not teach."""
    scores = {}
    for name, origins in corpora.items():
        others = {other: corpora[other] for other in corpora if other != name}
        expert = _fit_expert(others, (), seed) if others else of_all
        scores[name] = [
            np.mean([rank_logit(raw) for raw in expert.raw(origin.features).values()], axis=0) for origin in origins
        ]
    return scores


def _slope(corpora: Mapping[str, Sequence[Origin]], scores: Mapping[str, Sequence[np.ndarray]]) -> float:
    """The mean slope of the origins' own logistic regressions on the score, weighted by their positives."""
    slopes, weights = [], []
    for name, origins in corpora.items():
        total = sum(origin.outcome.sum() for origin in origins)
        for origin, score in zip(origins, scores[name], strict=True):
            slopes.append(fit_slope(score, origin.outcome))
            weights.append(origin.outcome.sum() / total)
    return float(np.average(slopes, weights=weights))


def _spread(
    corpora: Mapping[str, Sequence[Origin]],
    scores: Mapping[str, Sequence[np.ndarray]],
    expected: Mapping[str, Sequence[float]],
    slope: float,
) -> float:
    """How far groups were off at the origins whose level was expected from a long enough history."""
    errors = []
    for name, origins in corpora.items():
        found = [
            group_errors(shift_to_prior(slope * score, level), origin.outcome)
            for origin, score, level in zip(origins, scores[name], expected[name], strict=True)
            if np.isfinite(level)
        ]
        if found:
            errors.append(np.concatenate(found))
    if not errors:
        raise NotEnoughDataError("no cutoff of the corpora given has a year of candidates before it: take larger ones")
    return spread_of(errors)


def _fit_expert(corpora: Mapping[str, Sequence[Origin]], beyond: Sequence[str], seed: int) -> Expert:
    rng = np.random.default_rng(seed)
    parts = [part for origins in corpora.values() for part in _rows(origins, rng)]
    read = (*ALWAYS, *OPTIONAL, *BOOSTED_ONLY, *beyond)
    columns = list(dict.fromkeys(str(c) for part in parts for c in part[0] if _modality(c) in read))
    X = pd.concat([part[0].reindex(columns=columns) for part in parts], ignore_index=True)
    y = np.concatenate([part[1] for part in parts])
    weight = np.concatenate([part[2] for part in parts])
    weight *= len(weight) / weight.sum()
    return Expert(
        columns=columns,
        boosted=_fit_boosted(X, y, weight, seed),
        heads=_fit_heads(X, y, weight, (*ALWAYS, *beyond), seed),
    )


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
    """Each row with a modality that may be absent is learnt from twice, the second time without: it will meet both."""
    optional = [str(c) for c in X if _modality(c) in HIDDEN]
    has = X[optional].notna().any(axis=1).to_numpy()
    masked = X[has].assign(**dict.fromkeys(optional, np.nan))
    values = pd.concat([X, masked]).to_numpy(dtype=np.float32)
    data = lightgbm.Dataset(
        values, np.concatenate([y, y[has]]), weight=np.concatenate([weight, MASKED_WEIGHT * weight[has]])
    )
    return lightgbm.train(_BOOSTED | {"seed": seed}, data, ROUNDS).model_to_string()


def _fit_heads(
    X: pd.DataFrame, y: np.ndarray, weight: np.ndarray, always: Sequence[str], seed: int
) -> dict[str, dict[str, float]]:
    heads = {}
    for size in range(len(OPTIONAL) + 1):
        for chosen in combinations(OPTIONAL, size):
            columns = [str(c) for c in X if _modality(c) in (*always, *chosen)]
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
