"""The two-stage ensemble (method B9): learners x imbalance strategies and the fusion net, under a meta-learner.

Stage one is fitted twice: on origins whose outcome was known at the validation origin, to score that origin out of
fold in time; and on the latest origins, to score the target. Stage two learns from the first scores only, and is never
worse there than its best member; the fixed heuristics, and what other corpora taught, are members too.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field, field_validator
from sklearn.metrics import average_precision_score

from pipeline import extensions
from pipeline.config import FUSION, Stage, TaskConfig
from pipeline.corpus.timeline import years_before
from pipeline.errors import MORE_POSITIVES, NotEnoughDataError
from pipeline.features.base import FeatureTable
from pipeline.fusion.base import Fusion
from pipeline.ranking.base import Origin, common_columns, rank_logit, stack
from pipeline.ranking.baselines import heuristic_scores
from pipeline.ranking.calibration import shift_to_prior
from pipeline.ranking.imbalance import STRATEGIES
from pipeline.ranking.kept import NONE_KEPT, KeptFits
from pipeline.ranking.learners import LEARNERS, make_learner
from pipeline.ranking.meta import fit_meta, guard, mixture
from pipeline.ranking.prior_ranker import PriorRanker
from pipeline.threads import each

TAKEN = (*LEARNERS, FUSION, "prior", "heuristic")  # what a learner of one's own cannot be called

Progress = Callable[[str], None]


class EnsembleConfig(Stage):
    """Members as ``learner/strategy``, besides ``fusion``; how many origins train; what is too few positives."""

    members: tuple[str, ...] = (
        "logistic/none",
        "lightgbm/none",
        FUSION,
    )
    training_origins: int = Field(4, ge=1, description="yearly origins that a fit pools, the latest first")
    min_positives: int = Field(10, ge=1, description="positives below which an origin is not learnt from")
    pair_folds: int = Field(3, ge=2, description="folds by pair where the past is too short for folds by time")

    @field_validator("members")
    @classmethod
    def _known(cls, members: tuple[str, ...]) -> tuple[str, ...]:
        own = [name for name in extensions.known("learner") if name not in TAKEN]
        known = [FUSION, *(f"{learner}/{strategy}" for learner in (*LEARNERS, *own) for strategy in STRATEGIES)]
        unknown = [name for name in members if name not in known]
        if unknown or not members or len(set(members)) < len(members):
            raise ValueError(
                f"each member once, of {', '.join(known)}; a learner of your own must be loaded first, "
                "with --extension FILE.py"
            )
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
    task: TaskConfig,
    prior: float,
    fusion: Fusion,
    config: EnsembleConfig,
    seed: int,
    progress: Progress,
    prior_ranker: PriorRanker | None = None,
    kept: KeptFits = NONE_KEPT,
) -> Ranking:
    """Score the target's candidates from past origins, whose outcomes must be known at the target's cutoff.

    ``prior``: expected share of positives among the target's candidates. ``prior_ranker``: what other corpora taught;
    its scores are members too, and since it never saw this corpus, they are out of fold as they stand. The fixed
    heuristics are members likewise. Where no past origin can be learnt from, the prior ranker ranks alone. ``kept``:
    where members fitted on the same rows before are looked up.

    Raises:
        NotEnoughDataError: when no past origin has ``min_positives`` positives and there is no prior ranker.
    """
    usable = [origin for origin in past if origin.outcome.sum() >= config.min_positives]
    if not usable:
        return _travelled_only(past, target, task, prior, config, progress, prior_ranker)
    names = prior_ranker.members(target.features) if prior_ranker else []
    heuristics = _common_heuristics([usable[-1], target], task)
    outside = [_outside(prior_ranker, names, heuristics, origin, task) for origin in (usable[-1], target)]
    columns = common_columns([*usable, target])
    usable, target = [origin.select(columns) for origin in usable], target.select(columns)
    validated, warnings = _out_of_fold(usable, task, fusion, config, seed, progress, kept)
    training = usable[-config.training_origins :]
    positives = int(sum(origin.outcome.sum() for origin in training))
    scores = np.column_stack([validated.scores, outside[0]])
    centre = mixture(len(config.members), len(names), len(heuristics), positives)
    sample = usable[-1].weights
    stacked = fit_meta(scores, validated.labels, centre, sample)
    meta, leader, share = guard(stacked, scores, validated.labels, sample)
    progress(f"fitting {len(config.members)} members on {len(training)} origins")
    fitted = _fit(config.members, training, fusion, seed, kept)
    own = pd.DataFrame({name: _score(name, model, target) for name, model in fitted.items()})
    members = pd.concat([own, outside[1]], axis=1)
    raw = meta.decision(members.to_numpy())
    return Ranking(
        score_raw=raw,
        probability=shift_to_prior(raw, prior),
        members=members,
        weights=dict(zip(members.columns, meta.weights.tolist(), strict=True)),
        attention=fitted[FUSION].attention(ranked_table(target))
        if FUSION in fitted
        else pd.DataFrame(index=target.features.index),
        fitted=fitted,
        columns=columns,
        warnings=warnings,
        details={
            "validation_origin": f"{usable[-1].cutoff:%Y-%m-%d}",
            "training_positives": positives,
            "validation_average_precision": {
                name: float(average_precision_score(validated.labels, values, sample_weight=sample))
                for name, values in (
                    *zip(members.columns, scores.T, strict=True),
                    ("stack", stacked.decision(scores)),
                    ("ranking", meta.decision(scores)),
                )
            },
            "guard": {"moved_towards": None if leader is None else members.columns[leader], "share": share},
        },
        prior_ranker=prior_ranker,
    )


def _travelled_only(
    past: Sequence[Origin],
    target: Origin,
    task: TaskConfig,
    prior: float,
    config: EnsembleConfig,
    progress: Progress,
    prior_ranker: PriorRanker | None,
) -> Ranking:
    best = max((int(origin.outcome.sum()) for origin in past), default=0)
    lack = (
        f"no training origin before {target.cutoff:%Y-%m-%d} has {config.min_positives} {task.sought} "
        f"(the best has {best})"
    )
    if prior_ranker is None:
        raise NotEnoughDataError(f"{lack}: {MORE_POSITIVES}")
    progress("ranking by the prior ranker alone")
    members = prior_ranker.score(target.features, weights=target.weights)
    raw = prior_ranker.slope * members.mean(axis=1).to_numpy()
    return Ranking(
        score_raw=raw,
        probability=shift_to_prior(raw, prior),
        members=members,
        weights=dict.fromkeys(members.columns, prior_ranker.slope / members.shape[1]),
        attention=pd.DataFrame(index=target.features.index),
        fitted={},
        columns=[str(column) for column in target.features],
        warnings=(f"ensemble: {lack}, so the prior ranker, taught by other corpora, ranks alone",),
        prior_ranker=prior_ranker,
    )


def _common_heuristics(origins: list[Origin], task: TaskConfig) -> list[str]:
    known = [heuristic_scores(origin.table, task.window, task.track) for origin in origins]
    return [name for name in known[-1] if all(name in scores for scores in known)]


def _outside(
    prior_ranker: PriorRanker | None, names: list[str], heuristics: list[str], origin: Origin, task: TaskConfig
) -> pd.DataFrame:
    """Rank logits of the members that are not fitted on this corpus."""
    known = heuristic_scores(origin.table, task.window, task.track)
    rows = pd.RangeIndex(len(origin.features))  # there may be no heuristic at all
    plain = pd.DataFrame({f"heuristic/{name}": rank_logit(known[name], origin.weights) for name in heuristics}, rows)
    if prior_ranker is None:
        return plain
    return pd.concat([prior_ranker.score(origin.features, names, origin.weights), plain], axis=1)


@dataclasses.dataclass(frozen=True)
class _Validated:
    scores: np.ndarray  # rows x members, rank logits out of fold
    labels: np.ndarray


def _out_of_fold(
    usable: list[Origin],
    task: TaskConfig,
    fusion: Fusion,
    config: EnsembleConfig,
    seed: int,
    progress: Progress,
    kept: KeptFits,
) -> tuple[_Validated, tuple[str, ...]]:
    validation = usable[-1]
    closed = years_before(validation.cutoff, task.horizon)
    earlier = [origin for origin in usable if origin.cutoff <= closed][-config.training_origins :]
    how = {"seed": seed, "folds": 0 if earlier else config.pair_folds}
    warnings: tuple[str, ...] = ()
    if earlier:
        progress(f"validating on {validation.cutoff:%Y-%m-%d}, fitted on {len(earlier)} earlier origins")
        used = [*earlier, validation]
        make = functools.partial(_fit_and_score, earlier, validation, fusion, config, seed, kept)
    else:
        progress(f"validating on {config.pair_folds} folds by pair: the past is too short for folds by time")
        warnings = (
            f"ensemble: no origin's outcome was known before {validation.cutoff:%Y-%m-%d}, so the meta-learner was "
            f"fitted on {config.pair_folds} folds by pair instead of folds by time",
        )
        used = usable
        make = functools.partial(_by_pair, usable, task, fusion, config, seed, kept)
    # by columns in memory, made or found: sums go by that order
    scores = np.asfortranarray(kept.scores(config.members, fusion, used, how, make))
    return _Validated(scores, validation.outcome), warnings


def _by_pair(
    usable: list[Origin], task: TaskConfig, fusion: Fusion, config: EnsembleConfig, seed: int, kept: KeptFits
) -> np.ndarray:
    """Scores of the last origin's pairs, each by members that were fitted without the pair at any origin."""
    validation = usable[-1]
    scores = np.full((len(validation.outcome), len(config.members)), np.nan)
    for fold in range(config.pair_folds):
        inside = [_fold_of(origin, config.pair_folds) == fold for origin in usable]
        training = [origin.take(np.flatnonzero(~held)) for origin, held in zip(usable, inside, strict=True)]
        if not any(origin.outcome.any() for origin in training):
            raise NotEnoughDataError(f"all {task.sought} of the past fall into one fold by pair: {MORE_POSITIVES}")
        rows = np.flatnonzero(inside[-1])
        scores[rows] = _fit_and_score(training, validation.take(rows), fusion, config, seed, kept)
    return scores


def _fold_of(origin: Origin, folds: int) -> np.ndarray:
    """A pair's fold: the same at every origin, so that a pair's earlier self never teaches its later one."""
    names = origin.table.pairs.table["code_a"] + " " + origin.table.pairs.table["code_b"]
    return (pd.util.hash_array(names.to_numpy(dtype=object)) % folds).astype(int)


def _fit_and_score(
    training: list[Origin], target: Origin, fusion: Fusion, config: EnsembleConfig, seed: int, kept: KeptFits
) -> np.ndarray:
    fitted = _fit(config.members, training, fusion, seed, kept)
    return np.array([_score(name, model, target) for name, model in fitted.items()]).T


def _fit(members: Sequence[str], training: list[Origin], fusion: Fusion, seed: int, kept: KeptFits) -> dict[str, Any]:
    """The fitted members, several fitted at once: each in one thread, none knowing of the others."""
    return dict(zip(members, each(lambda name: _fit_member(name, training, fusion, seed, kept), members), strict=True))


def _fit_member(name: str, training: list[Origin], fusion: Fusion, seed: int, kept: KeptFits) -> Any:
    if name == FUSION:
        return kept.net(fusion, [ranked_table(origin) for origin in training], [o.outcome for o in training], seed)
    learner, strategy = name.split("/")
    X, y = stack(training)
    if strategy == "none":
        return kept.learner(learner, X, y, seed)
    return STRATEGIES[strategy](make_learner(learner, seed, int(y.sum())), seed, float(y.mean())).fit(X, y)


def _score(name: str, model: Any, target: Origin) -> np.ndarray:
    """The member's scores as rank logits: one scale for all, and no trace of what resampling did to the level."""
    if name == FUSION:
        return rank_logit(model.logits(ranked_table(target)), target.weights)
    return rank_logit(model.predict_proba(target.features.to_numpy(dtype=np.float32))[:, 1], target.weights)


def ranked_table(origin: Origin) -> FeatureTable:
    """The origin's feature table with its columns as ranks: what a fusion takes."""
    return dataclasses.replace(origin.table, columns=origin.features)
