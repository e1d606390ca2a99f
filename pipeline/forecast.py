"""The forecast at one cutoff: a pure function from a history to ranked candidates, and what explains them."""

import time
from collections.abc import Callable

import pandas as pd

from pipeline.background.summary import Summary
from pipeline.corpus.timeline import Corpus
from pipeline.cutoff import (
    CutoffForecast,
    Remote,
    lost_modalities,
    past_cutoffs,
    predictions_of,
    usable_prior_ranker,
)
from pipeline.errors import CutoffError, NotEnoughDataError
from pipeline.features.build import build_features, ranked
from pipeline.forecast_in_blocks import forecast_in_blocks
from pipeline.fusion.registry import make_fusion
from pipeline.pairs.candidates import BLOCK, candidate_pairs, find_candidates
from pipeline.pairs.labels import converged
from pipeline.ranking.base import Origin, common_columns
from pipeline.ranking.baselines import as_columns, heuristic_scores, learned_scores
from pipeline.ranking.ensemble import Ranking, rank_pairs
from pipeline.ranking.kept import NONE_KEPT, KeptFits
from pipeline.ranking.prior import expected_prior
from pipeline.ranking.prior_ranker import PriorRanker
from pipeline.ranking.published import rank_as_published
from pipeline.run_config import RunConfig

Progress = Callable[[str], None]


def forecast_at(
    history: Corpus,
    config: RunConfig,
    progress: Progress,
    background: Summary | None = None,
    remote: Remote | None = None,
    kept: KeptFits = NONE_KEPT,
) -> CutoffForecast:
    """Rank the track's candidates at the history's cutoff by what the history, and the background up to then, tell.

    ``remote``: takes what is independent; without it all is computed here. ``kept``: where members fitted before are
    looked up; it changes no number.

    Raises:
        NotEnoughDataError: too few patents, codes, candidates or past positives.
        CutoffError: the history is shorter than one horizon and one year.
    """
    timings: dict[str, float] = {}
    clock = time.perf_counter()
    candidates = find_candidates(history, config.task, background)
    if len(candidates) > BLOCK and config.recipe == "default":
        return forecast_in_blocks(history, candidates, config, progress, background, remote, kept)
    universe = candidates.universe(candidates.pairs())
    progress(f"{len(universe.pairs):,} candidate pairs of {len(universe.pairs.codes)} codes")
    table = build_features(history, universe.pairs, config.task, config.seed, background, config.features.blocks)
    target = Origin(table=table, features=ranked(table), labels=None)
    ranker, notes = usable_prior_ranker(history, config)
    past = _past_origins(history, config, background, progress, ranker is None, candidates.limited, remote)
    timings["features"] = time.perf_counter() - clock
    clock = time.perf_counter()
    prior = expected_prior(history, past, config.task, background)
    ranking = _rank(past, target, prior, ranker, config, progress, kept)
    timings["ranking"] = time.perf_counter() - clock
    clock = time.perf_counter()
    scores = heuristic_scores(table, config.task.window, config.task.track)
    if usable := [origin for origin in past if origin.outcome.sum() >= config.ensemble.min_positives]:
        columns = common_columns([*usable, target])
        training = [origin.select(columns) for origin in usable[-config.ensemble.training_origins :]]
        known = {
            name: ranking.members[member].to_numpy() for name, member in _SAME.items() if member in ranking.members
        }
        scores |= learned_scores(training, target.select(columns), config.seed, known, kept)
    timings["baselines"] = time.perf_counter() - clock
    return CutoffForecast(
        predictions=predictions_of(universe, ranking, ranker.spread if ranker else None, as_columns(scores)),
        universe=universe,
        target=target,
        ranking=ranking,
        prior=prior,
        training=[origin.cutoff for origin in past],
        timings=timings,
        warnings=tuple(dict.fromkeys([*table.warnings, *lost_modalities(target, past), *notes, *ranking.warnings])),
    )


# baselines that are members of the default ensemble: fitted once
_SAME = {"logistic_all": "logistic/none", "lightgbm_all": "lightgbm/none"}


def _past_origins(
    history: Corpus,
    config: RunConfig,
    background: Summary | None,
    progress: Progress,
    required: bool,
    limited: bool,
    remote: Remote | None,
) -> list[Origin]:
    """Origins whose outcome is known at the cutoff, oldest first: enough to fit, and to validate in time."""
    task = config.task
    first = history.patents["knowledge_date"].iloc[0]
    origins = []
    asked = [
        (cutoff, limited)
        for cutoff in past_cutoffs(history.cutoff, first, task.horizon, config.ensemble.training_origins)
    ]
    here = (past_origin(history, config, background, one) for one in asked)
    for origin in remote(past_origin, asked) if remote else here:
        if origin is not None:
            progress(f"features at {origin.cutoff:%Y-%m-%d}: {len(origin.table.pairs):,} pairs")
            origins.append(origin)
    if not origins and required:
        raise CutoffError(
            f"the data begin on {first:%Y-%m-%d}, too near to the cutoff {history.cutoff:%Y-%m-%d} to learn from: "
            f"a horizon of {task.horizon} needs at least {task.horizon + 1} years of patents before the cutoff"
        )
    return origins


def past_origin(
    history: Corpus, config: RunConfig, background: Summary | None, asked: tuple[pd.Timestamp, bool]
) -> Origin | None:
    """The candidates of an earlier cutoff, with what came of them by the history's; None: the corpus was too small
    then, so it is not learnt from.

    ``asked``: the cutoff, and whether the target's candidates are limited to those with evidence.
    """
    task = config.task
    cutoff, limited = asked
    earlier = history.as_of(cutoff)
    try:
        pairs = candidate_pairs(earlier, task, background, limited).pairs
    except NotEnoughDataError:
        return None
    table = build_features(earlier, pairs, task, config.seed, background, config.features.blocks)
    return Origin(table=table, features=ranked(table), labels=converged(history, pairs, task))


def _rank(
    past: list[Origin],
    target: Origin,
    prior: float,
    ranker: PriorRanker | None,
    config: RunConfig,
    progress: Progress,
    kept: KeptFits,
) -> Ranking:
    fusion = make_fusion(config.fusion)
    if config.recipe == "reference":
        return rank_as_published(past, target, config.task, prior, fusion, config.reference, config.seed, progress)
    return rank_pairs(past, target, config.task, prior, fusion, config.ensemble, config.seed, progress, ranker, kept)
