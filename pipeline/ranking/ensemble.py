"""The two-stage ensemble (method B9): learners x imbalance strategies and the fusion net, under a meta-learner.

Stage one is fitted twice: on origins whose outcome was known at the validation origin, to score that origin out of
fold in time; and on the latest origins, to score the target. Stage two learns from the first scores only.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field, field_validator

from pipeline.config import Stage
from pipeline.corpus.timeline import years_before
from pipeline.errors import MORE_POSITIVES, NotEnoughDataError
from pipeline.fusion.base import Fusion
from pipeline.ranking.base import Origin, common_columns, rank_logit, stack
from pipeline.ranking.calibration import shift_to_prior
from pipeline.ranking.imbalance import STRATEGIES
from pipeline.ranking.learners import LEARNERS, make_learner
from pipeline.ranking.meta import fit_meta
from pipeline.ranking.prior_ranker import PriorRanker

FUSION = "fusion"  # the member that is the attention net

Progress = Callable[[str], None]


class EnsembleConfig(Stage):
    """Members as ``learner/strategy``, besides ``fusion``; how many origins train; what is too few positives."""

    members: tuple[str, ...] = (
        "logistic/none",
        "lightgbm/none",
        "lightgbm/balanced_bagging",
        "extra_trees/under",
        FUSION,
    )
    training_origins: int = Field(4, ge=1, description="yearly origins that a fit pools, the latest first")
    min_positives: int = Field(10, ge=1, description="positives below which an origin is not learnt from")
    pair_folds: int = Field(3, ge=2, description="folds by pair where the past is too short for folds by time")

    @field_validator("members")
    @classmethod
    def _known(cls, members: tuple[str, ...]) -> tuple[str, ...]:
        known = [FUSION, *(f"{learner}/{strategy}" for learner in LEARNERS for strategy in STRATEGIES)]
        unknown = [name for name in members if name not in known]
        if unknown or not members or len(set(members)) < len(members):
            raise ValueError(f"each member once, of {', '.join(known)}")
        return members


@dataclasses.dataclass(frozen=True)
class Ranking:
    """The target's scores (``score_raw`` ranks, ``probability`` is calibrated) and how they came about.

    ``members``: rank logits of each member; ``weights``: the meta-learner's weight of each;
    ``attention``: the fusion's weight of each modality a pair (no columns without fusion).
    """

    score_raw: np.ndarray
    probability: np.ndarray
    members: pd.DataFrame
    weights: dict[str, float]
    attention: pd.DataFrame
    fitted: dict[str, Any]
    columns: list[str]
    warnings: tuple[str, ...]
    details: dict[str, Any] = dataclasses.field(default_factory=dict)  # what else a run record should tell, as JSON
    prior_ranker: PriorRanker | None = None  # whose scores are among the members


def rank_pairs(
    past: Sequence[Origin],
    target: Origin,
    horizon: int,
    prior: float,
    fusion: Fusion,
    config: EnsembleConfig,
    seed: int,
    progress: Progress,
    prior_ranker: PriorRanker | None = None,
) -> Ranking:
    """Score the target's candidates from past origins, whose outcomes must be known at the target's cutoff.

    ``prior``: expected share of positives among the target's candidates. ``prior_ranker``: what other corpora taught;
    its scores are members too, and since it never saw this corpus, they are out of fold as they stand.

    Raises:
        NotEnoughDataError: when no past origin has ``min_positives`` positives.
    """
    usable = [origin for origin in past if origin.outcome.sum() >= config.min_positives]
    if not usable:
        best = max((int(origin.outcome.sum()) for origin in past), default=0)
        raise NotEnoughDataError(
            f"no training origin before {target.cutoff:%Y-%m-%d} has {config.min_positives} new links "
            f"(the best has {best}): {MORE_POSITIVES}"
        )
    travelled = [_travelled(prior_ranker, origin) for origin in (usable[-1], target)]
    columns = common_columns([*usable, target])
    usable, target = [origin.select(columns) for origin in usable], target.select(columns)
    validated, warnings = _out_of_fold(usable, horizon, fusion, config, seed, progress)
    meta = fit_meta(np.column_stack([validated.scores, travelled[0]]), validated.labels)
    training = usable[-config.training_origins :]
    progress(f"fitting {len(config.members)} members on {len(training)} origins")
    fitted = {name: _fit_member(name, training, fusion, seed) for name in config.members}
    own = pd.DataFrame({name: _score(name, model, target) for name, model in fitted.items()})
    members = pd.concat([own, travelled[1]], axis=1)
    raw = meta.decision(members.to_numpy())
    return Ranking(
        score_raw=raw,
        probability=shift_to_prior(raw, prior),
        members=members,
        weights=dict(zip(members.columns, meta.weights.tolist(), strict=True)),
        attention=fitted[FUSION].attention(_ranked_table(target))
        if FUSION in fitted
        else pd.DataFrame(index=target.features.index),
        fitted=fitted,
        columns=columns,
        warnings=warnings,
        prior_ranker=prior_ranker,
    )


def _travelled(prior_ranker: PriorRanker | None, origin: Origin) -> pd.DataFrame:
    return prior_ranker.score(origin.features) if prior_ranker else pd.DataFrame(index=range(len(origin.features)))


@dataclasses.dataclass(frozen=True)
class _Validated:
    scores: np.ndarray  # rows x members, rank logits out of fold
    labels: np.ndarray


def _out_of_fold(
    usable: list[Origin], horizon: int, fusion: Fusion, config: EnsembleConfig, seed: int, progress: Progress
) -> tuple[_Validated, tuple[str, ...]]:
    validation = usable[-1]
    closed = years_before(validation.cutoff, horizon)
    earlier = [origin for origin in usable if origin.cutoff <= closed][-config.training_origins :]
    if earlier:
        progress(f"validating on {validation.cutoff:%Y-%m-%d}, fitted on {len(earlier)} earlier origins")
        scores = _fit_and_score(earlier, validation, fusion, config, seed)
        return _Validated(scores.to_numpy(), validation.outcome), ()
    warning = (
        f"ensemble: no origin's outcome was known before {validation.cutoff:%Y-%m-%d}, so the meta-learner was fitted "
        f"on {config.pair_folds} folds by pair instead of folds by time"
    )
    progress(f"validating on {config.pair_folds} folds by pair: the past is too short for folds by time")
    scores = pd.DataFrame(np.nan, index=range(len(validation.outcome)), columns=list(config.members))
    for fold in range(config.pair_folds):
        inside = [_fold_of(origin, config.pair_folds) == fold for origin in usable]
        training = [origin.take(np.flatnonzero(~held)) for origin, held in zip(usable, inside, strict=True)]
        if not any(origin.outcome.any() for origin in training):
            raise NotEnoughDataError(f"all new links of the past fall into one fold by pair: {MORE_POSITIVES}")
        rows = np.flatnonzero(inside[-1])
        part = _fit_and_score(training, validation.take(rows), fusion, config, seed)
        scores.iloc[rows] = part.to_numpy()
    return _Validated(scores.to_numpy(), validation.outcome), (warning,)


def _fold_of(origin: Origin, folds: int) -> np.ndarray:
    """A pair's fold: the same at every origin, so that a pair's earlier self never teaches its later one."""
    names = origin.table.pairs.table["code_a"] + " " + origin.table.pairs.table["code_b"]
    return (pd.util.hash_array(names.to_numpy(dtype=object)) % folds).astype(int)


def _fit_and_score(
    training: list[Origin], target: Origin, fusion: Fusion, config: EnsembleConfig, seed: int
) -> pd.DataFrame:
    return pd.DataFrame(
        {name: _score(name, _fit_member(name, training, fusion, seed), target) for name in config.members}
    )


def _fit_member(name: str, training: list[Origin], fusion: Fusion, seed: int) -> Any:
    if name == FUSION:
        return fusion.fit([_ranked_table(origin) for origin in training], [o.outcome for o in training], seed)
    learner, strategy = name.split("/")
    X, y = stack(training)
    return STRATEGIES[strategy](make_learner(learner, seed), seed, float(y.mean())).fit(X, y)


def _score(name: str, model: Any, target: Origin) -> np.ndarray:
    """The member's scores as rank logits: one scale for all, and no trace of what resampling did to the level."""
    if name == FUSION:
        return rank_logit(model.logits(_ranked_table(target)))
    return rank_logit(model.predict_proba(target.features.to_numpy(dtype=np.float32))[:, 1])


def _ranked_table(origin: Origin) -> Any:
    return dataclasses.replace(origin.table, columns=origin.features)
