"""The forecast at one cutoff: a pure function from a history to ranked candidates, and what explains them."""

import dataclasses
import re
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from pipeline import schemas
from pipeline.background.summary import Summary
from pipeline.corpus.timeline import Corpus, months_before, years_before
from pipeline.errors import CutoffError, NotEnoughDataError
from pipeline.features.base import modality_columns
from pipeline.features.build import build_features, ranked
from pipeline.fusion.registry import make_fusion
from pipeline.pairs.candidates import Universe, candidate_pairs
from pipeline.pairs.labels import converged
from pipeline.ranking.base import PARTIAL, Origin, common_columns, shared_columns
from pipeline.ranking.baselines import as_columns, heuristic_scores, learned_scores
from pipeline.ranking.calibration import interval
from pipeline.ranking.ensemble import Ranking, rank_pairs
from pipeline.ranking.prior import expected_prior
from pipeline.ranking.prior_ranker import PriorRanker, load_prior_ranker
from pipeline.ranking.provenance import taught_later
from pipeline.ranking.published import rank_as_published
from pipeline.run_config import RunConfig

Progress = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class CutoffForecast:
    """What one cutoff gives: predictions (schema ``Predictions``, labels open), and how they came about."""

    predictions: pd.DataFrame
    universe: Universe
    target: Origin
    ranking: Ranking
    prior: float
    training: list[pd.Timestamp]
    timings: dict[str, float]
    warnings: tuple[str, ...]


def forecast_at(
    history: Corpus, config: RunConfig, progress: Progress, background: Summary | None = None
) -> CutoffForecast:
    """Rank the track's candidates at the history's cutoff by what the history, and the background up to then, tell.

    Raises:
        NotEnoughDataError: too few patents, codes, candidates or past positives.
        CutoffError: the history is shorter than one horizon and one year.
    """
    timings: dict[str, float] = {}
    clock = time.perf_counter()
    universe = candidate_pairs(history, config.task)
    progress(f"{len(universe.pairs):,} candidate pairs of {len(universe.pairs.codes)} codes")
    table = build_features(history, universe.pairs, config.task, config.seed, background, config.features.blocks)
    target = Origin(table=table, features=ranked(table), labels=None)
    ranker, notes = _prior_ranker(history, config)
    past = _past_origins(history, config, background, progress, required=ranker is None)
    timings["features"] = time.perf_counter() - clock
    clock = time.perf_counter()
    prior = expected_prior(history, past, config.task)
    ranking = _rank(past, target, prior, ranker, config, progress)
    timings["ranking"] = time.perf_counter() - clock
    clock = time.perf_counter()
    scores = heuristic_scores(table, config.task.window, config.task.track)
    if usable := [origin for origin in past if origin.outcome.sum() >= config.ensemble.min_positives]:
        columns = common_columns([*usable, target])
        training = [origin.select(columns) for origin in usable[-config.ensemble.training_origins :]]
        known = {
            name: ranking.members[member].to_numpy() for name, member in _SAME.items() if member in ranking.members
        }
        scores |= learned_scores(training, target.select(columns), config.seed, known)
    timings["baselines"] = time.perf_counter() - clock
    return CutoffForecast(
        predictions=_predictions(universe, ranking, ranker.spread if ranker else None, as_columns(scores)),
        universe=universe,
        target=target,
        ranking=ranking,
        prior=prior,
        training=[origin.cutoff for origin in past],
        timings=timings,
        warnings=tuple(dict.fromkeys([*table.warnings, *_lost_modalities(target, past), *notes, *ranking.warnings])),
    )


# baselines that are members of the default ensemble: fitted once
_SAME = {"logistic_all": "logistic/none", "lightgbm_all": "lightgbm/none"}


def _prior_ranker(history: Corpus, config: RunConfig) -> tuple[PriorRanker | None, list[str]]:
    path = config.prior_ranker_file()
    if path is None:
        return None, []
    ranker = load_prior_ranker(path)
    refused, notes = taught_later(history, ranker.card)
    return None if refused else ranker, notes


def _past_origins(
    history: Corpus, config: RunConfig, background: Summary | None, progress: Progress, required: bool
) -> list[Origin]:
    """Origins whose outcome is known at the cutoff, oldest first: enough to fit, and to validate in time."""
    task = config.task
    first = history.patents["knowledge_date"].iloc[0]
    origins = []
    for cutoff in _past_cutoffs(history.cutoff, first, task.horizon, config.ensemble.training_origins):
        earlier = history.as_of(cutoff)
        try:
            pairs = candidate_pairs(earlier, task).pairs
        except NotEnoughDataError:
            continue  # the corpus was too small then: it is not learnt from
        progress(f"features at {cutoff:%Y-%m-%d}: {len(pairs):,} pairs")
        table = build_features(earlier, pairs, task, config.seed, background, config.features.blocks)
        origins.append(Origin(table=table, features=ranked(table), labels=converged(history, pairs, task)))
    if not origins and required:
        raise CutoffError(
            f"the data begin on {first:%Y-%m-%d}, too near to the cutoff {history.cutoff:%Y-%m-%d} to learn from: "
            f"a horizon of {task.horizon} needs at least {task.horizon + 1} years of patents before the cutoff"
        )
    return origins


def _past_cutoffs(cutoff: pd.Timestamp, first: pd.Timestamp, horizon: int, count: int) -> list[pd.Timestamp]:
    """``count`` cutoffs one horizon back and as many two horizons back, oldest first: yearly, or quarterly where the
    data hold fewer than three such years."""
    step = 12 if years_before(cutoff, horizon + 2) >= first else 3
    ages = {start + step * n for n in range(count) for start in (12 * horizon, 24 * horizon)}
    days = [months_before(cutoff, age) for age in sorted(ages, reverse=True)]
    return [day for day in days if day >= first]


def _rank(
    past: list[Origin], target: Origin, prior: float, ranker: PriorRanker | None, config: RunConfig, progress: Progress
) -> Ranking:
    fusion = make_fusion(config.fusion)
    if config.recipe == "reference":
        return rank_as_published(past, target, prior, fusion, config.reference, config.seed, progress)
    return rank_pairs(past, target, config.task, prior, fusion, config.ensemble, config.seed, progress, ranker)


def _lost_modalities(target: Origin, past: list[Origin]) -> list[str]:
    shared = set(shared_columns([*past, target]))
    kept = modality_columns([str(c) for c in target.features if c in shared])
    warnings = []
    for modality, columns in modality_columns([str(c) for c in target.features]).items():
        lost = dict.fromkeys(_STATISTIC.sub("", c.split("__")[1]) for c in columns if c not in shared)
        if lost:
            what = f"{modality} ({', '.join(lost)})" if modality in kept else modality
            where = "any" if modality in PARTIAL else "every"
            warnings.append(f"{what}: not available at {where} training origin, so the model does without it")
    for modality in PARTIAL:
        having = sum(modality in origin.table.modalities() for origin in past)
        if modality in kept and having < len(past):
            warnings.append(f"{modality}: available at {having} of {len(past)} training origins, missing at the others")
    return warnings


_STATISTIC = re.compile("_(mean|min|range)$")


def _predictions(universe: Universe, ranking: Ranking, spread: float | None, baselines: pd.DataFrame) -> pd.DataFrame:
    table = universe.pairs.table
    linked = ["prior", "status"] if (table["prior"] > 0).any() else []  # constant on the new-link track
    table = table[[*schemas.PAIR_KEY, "entered", *linked]]
    # equal scores are ranked by code, so that a rank is a permutation and two runs agree
    order = np.lexsort((table["code_b"], table["code_a"], -ranking.score_raw))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    unknown = np.full(len(table), np.nan)
    low, high = (unknown, unknown) if spread is None else interval(ranking.probability, spread)
    frame = table.assign(
        label=pd.array([pd.NA] * len(table), dtype="Int8"),
        score_raw=ranking.score_raw,
        probability=ranking.probability,
        probability_low=low,
        probability_high=high,
        rank=rank,
    )
    return schemas.validate(pd.concat([frame, baselines], axis=1), schemas.Predictions, "predictions")
