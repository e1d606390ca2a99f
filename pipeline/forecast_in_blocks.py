"""The forecast where the candidates are too many for one table: learnt from samples, scored a block at a time.

Each origin is represented by all its positives and a uniform sample of its other candidates. Ranks of features are read
off that sample's distribution (``features.ruler``); ranks of scores, the meta-learner and what it is judged by count
each sampled candidate as the many it stands for. The learners of stage one are fitted on the sample as it is: the share
of positives moves the level of their scores, which become ranks, and not the order. The target's candidates then go by
in blocks; what is kept of them is the members' scores, and all are ranked together.
"""

import dataclasses
import functools
import time
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.background.summary import Summary
from pipeline.config import FUSION
from pipeline.corpus.timeline import Corpus
from pipeline.cutoff import (
    CutoffForecast,
    Remote,
    WholeList,
    lost_modalities,
    past_cutoffs,
    predictions_of,
    usable_prior_ranker,
)
from pipeline.errors import ConfigError, CutoffError, NotEnoughDataError
from pipeline.features.base import FeatureTable
from pipeline.features.build import build_in_parts, feature_columns
from pipeline.features.ruler import Ruler
from pipeline.fusion.registry import make_fusion
from pipeline.pairs.candidates import Candidates, find_candidates
from pipeline.pairs.labels import outcomes
from pipeline.ranking.base import Origin, rank_logit
from pipeline.ranking.baselines import as_columns, heuristic_scores
from pipeline.ranking.calibration import shift_to_prior
from pipeline.ranking.ensemble import Ranking, rank_pairs
from pipeline.ranking.kept import NONE_KEPT, KeptFits
from pipeline.ranking.prior import expected_prior
from pipeline.ranking.scorers import Scorer, scorers
from pipeline.run_config import RunConfig
from pipeline.threads import each

SAMPLE = 200_000  # candidates drawn at an origin, beside all positives
SLICE = 16_384  # candidates of a block scored at once: few enough for the processor's cache
HEAD = 10_000  # best candidates that are made into a table, reported and explained
ORIGINS = 1  # training origins; as many again validate

Progress = Callable[[str], None]


def forecast_in_blocks(
    history: Corpus,
    candidates: Candidates,
    config: RunConfig,
    progress: Progress,
    background: Summary | None,
    remote: Remote | None = None,
    kept: KeptFits = NONE_KEPT,
) -> CutoffForecast:
    """As ``forecast_at``; what is done otherwise stands among the warnings.

    Raises:
        NotEnoughDataError: too few past positives.
        CutoffError: the history is shorter than one horizon and one year.
        ConfigError: no member but the fusion net, which is too slow for so many.
    """
    timings: dict[str, float] = {}
    clock = time.perf_counter()
    features = _Features(config, background)
    progress(f"{len(candidates):,} candidate pairs of {len(candidates.codes)} codes, to go by in blocks")
    ranker, notes = usable_prior_ranker(history, config)
    # the past first: what the blocks keep of a history is large, and that of the target stays to the end
    past = _past_origins(history, features, progress, ranker is None, candidates.limited, remote)
    progress("features of a sample of the candidates")
    sample, ruler = features.origin(history, candidates, None)
    timings["features"] = time.perf_counter() - clock
    clock = time.perf_counter()
    prior = expected_prior(history, past, config.task, background)
    members = tuple(name for name in config.ensemble.members if name != FUSION)
    if not members:
        raise ConfigError(f"ensemble.members: {len(candidates):,} candidates need a member besides {FUSION}")
    ensemble = config.ensemble.model_copy(update={"members": members, "training_origins": ORIGINS})
    fusion = make_fusion(config.fusion)
    ranking = rank_pairs(past, sample, config.task, prior, fusion, ensemble, config.seed, progress, ranker, kept)
    said = _what_is_done_otherwise(candidates, past, config)
    warnings = [*said, *sample.table.warnings, *lost_modalities(sample, past), *notes, *ranking.warnings]
    training = [origin.cutoff for origin in past]
    del past  # a gigabyte that the blocks can use
    timings["ranking"] = time.perf_counter() - clock
    clock = time.perf_counter()
    progress(f"scoring {len(candidates):,} candidates, a block at a time")
    made = scorers(ranking, sample, config.task.window)
    if remote:
        blocks = remote(score_block, ((made, rows) for rows in candidates.rows_of_blocks()))
    else:
        blocks = each(functools.partial(features.scores, history, candidates, ruler, made), candidates.blocks())
    logits = _scored(blocks, made, len(candidates), progress)
    timings["blocks"] = time.perf_counter() - clock
    clock = time.perf_counter()
    progress("ranking all candidates")
    whole = _whole_list(candidates, logits, ranking, prior)
    best = np.sort(np.argpartition(whole.rank, min(HEAD, len(candidates)) - 1)[:HEAD])
    best = best[np.argsort(whole.rank[best])]
    progress("features of the head of the list")
    target, ranking = _with_head(features, history, candidates, best, sample, ruler, ranking, logits, whole)
    head = Origin(target.table, target.features, None).take(np.arange(len(best)))
    universe = candidates.universe(head.table.pairs)
    of_head = dataclasses.replace(ranking, score_raw=whole.score_raw[best], probability=whole.probability[best])
    baselines = as_columns(heuristic_scores(head.table, config.task.window, config.task.track))
    timings["baselines"] = time.perf_counter() - clock
    return CutoffForecast(
        predictions=predictions_of(universe, of_head, ranker.spread if ranker else None, baselines),
        universe=universe,
        target=target,
        ranking=ranking,
        prior=prior,
        training=training,
        timings=timings,
        warnings=tuple(dict.fromkeys(warnings)),
        whole_list=whole,
    )


@dataclasses.dataclass(frozen=True)
class _Features:
    """Makes the features of candidates at any cutoff."""

    config: RunConfig
    background: Summary | None

    def origin(self, history: Corpus, candidates: Candidates, labels: sp.csr_array | None) -> tuple[Origin, Ruler]:
        """A sample of the candidates with all positives of ``labels`` (codes x codes, the upper triangle; None while
        open), their ranked features and weights; and what ranks further candidates alike."""
        size = len(candidates.codes)
        drawn = _keys(*candidates.sample(SAMPLE, self.config.seed), size)
        positive = np.zeros(0, dtype=np.int64) if labels is None else _keys(*labels.nonzero(), size)
        keys = np.union1d(drawn, positive)
        y = np.isin(keys, positive)
        weights = np.where(y, 1.0, (len(candidates) - y.sum()) / max(np.count_nonzero(~y), 1))
        table = self.table(history, candidates, keys)
        ruler = Ruler.of(table.columns, weights)
        ranks = pd.DataFrame(ruler.ranks(_arrays(table.columns)))
        return Origin(table, ranks, None if labels is None else y.astype(np.int8), weights), ruler

    def table(self, history: Corpus, candidates: Candidates, keys: np.ndarray) -> FeatureTable:
        """The features of the candidates with these keys, in order."""
        pairs = candidates.chosen(*np.divmod(keys, len(candidates.codes)))
        config = self.config
        return build_in_parts(history, pairs, config.task, config.seed, self.background, config.features.blocks)

    def scores(
        self,
        history: Corpus,
        candidates: Candidates,
        ruler: Ruler,
        members: dict[str, Scorer],
        places: tuple[np.ndarray, np.ndarray],
    ) -> dict[str, np.ndarray]:
        """Each member's raw scores of a block of candidates, by their places."""
        config = self.config
        pairs = candidates.chosen(*places)
        columns = feature_columns(history, pairs, config.task, config.seed, self.background, config.features.blocks)
        scores = {name: np.empty(len(pairs)) for name in members}
        for start in range(0, len(pairs), SLICE):
            rows = slice(start, start + SLICE)
            ranks = pd.DataFrame(ruler.ranks({name: values[rows] for name, values in columns.items()}), copy=False)
            for name, scorer in members.items():
                X = ranks.reindex(columns=scorer.columns).to_numpy(dtype=np.float32)
                scores[name][rows] = scorer.raw(X, np.arange(len(X)))
        return scores


def score_block(
    history: Corpus, config: RunConfig, background: Summary | None, block: tuple[dict[str, Scorer], slice]
) -> dict[str, np.ndarray]:
    """As ``_Features.scores``, for another process: the members, and the codes whose candidates the block holds."""
    members, rows = block
    candidates, ruler = history.once(_measured, config, background)
    return _Features(config, background).scores(history, candidates, ruler, members, candidates.places(rows))


def _measured(history: Corpus, config: RunConfig, background: Summary | None) -> tuple[Candidates, Ruler]:
    """The candidates and what ranks them, which all blocks share: made again rather than sent, for it is large."""
    candidates = find_candidates(history, config.task, background)
    return candidates, _Features(config, background).origin(history, candidates, None)[1]


def past_sample(
    history: Corpus, config: RunConfig, background: Summary | None, asked: tuple[pd.Timestamp, bool]
) -> tuple[Origin, int] | None:
    """A sample of the candidates of an earlier cutoff, with all that were to converge, and how many there were; None:
    the corpus was too small then, so it is not learnt from.

    ``asked``: the cutoff, and whether the target's candidates are limited to those with evidence.
    """
    cutoff, limited = asked
    earlier = history.as_of(cutoff)
    try:
        candidates = find_candidates(earlier, config.task, background, limited)
    except NotEnoughDataError:
        return None
    labels = outcomes(history, candidates, config.task)
    return _Features(config, background).origin(earlier, candidates, labels)[0], len(candidates)


def _past_origins(
    history: Corpus,
    features: _Features,
    progress: Progress,
    required: bool,
    limited: bool,
    remote: Remote | None,
) -> list[Origin]:
    task = features.config.task
    first = history.patents["knowledge_date"].iloc[0]
    origins = []
    asked = [(cutoff, limited) for cutoff in past_cutoffs(history.cutoff, first, task.horizon, ORIGINS)]
    here = (past_sample(history, features.config, features.background, one) for one in asked)
    for found in remote(past_sample, asked) if remote else here:
        if found is not None:
            origin, pairs = found
            positives = int(origin.outcome.sum())
            progress(f"features at {origin.cutoff:%Y-%m-%d}: {positives:,} positives and a sample of {pairs:,} pairs")
            origins.append(origin)
    if not origins and required:
        raise CutoffError(
            f"the data begin on {first:%Y-%m-%d}, too near to the cutoff {history.cutoff:%Y-%m-%d} to learn from: "
            f"a horizon of {task.horizon} needs at least {task.horizon + 1} years of patents before the cutoff"
        )
    return origins


def _scored(
    blocks: Iterator[dict[str, np.ndarray]], made: dict[str, Scorer], total: int, progress: Progress
) -> dict[str, np.ndarray]:
    """Rank logits of all candidates by each member that has a weight, from the raw scores of block after block."""
    raw = {name: np.empty(total) for name in made}
    done = 0
    for number, scores in enumerate(blocks):
        for name, values in scores.items():
            raw[name][done : done + len(values)] = values
        done += len(values)
        if number % 10 == 9:
            progress(f"scored {done:,} of {total:,} candidates")
    for values in raw.values():
        values[:] = rank_logit(values)  # in place: there are as many numbers as candidates
    return raw


def _whole_list(candidates: Candidates, logits: dict[str, np.ndarray], ranking: Ranking, prior: float) -> WholeList:
    """All candidates ranked together by the meta-learner's weights."""
    score = np.zeros(len(candidates))
    for name, values in logits.items():
        score += ranking.weights[name] * values
    # stable: of equal scores the first goes first, and candidates go by their codes
    rank = np.empty(len(score), dtype=np.int64)
    rank[np.argsort(-score, kind="stable")] = np.arange(1, len(score) + 1)
    return WholeList(candidates, score, shift_to_prior(score, prior), rank)


def _with_head(
    features: _Features,
    history: Corpus,
    candidates: Candidates,
    best: np.ndarray,
    sample: Origin,
    ruler: Ruler,
    ranking: Ranking,
    logits: dict[str, np.ndarray],
    whole: WholeList,
) -> tuple[Origin, Ranking]:
    """The target and its ranking with the best candidates, best first, before the sample: what explanations read."""
    a, b = _places(candidates, np.sort(best))
    order = np.argsort(np.argsort(best))
    keys = _keys(a, b, len(candidates.codes))
    table = features.table(history, candidates, keys)
    head = Origin(table, pd.DataFrame(ruler.ranks(_arrays(table.columns))), None).take(order)
    pairs, others = head.table.pairs, sample.table.pairs
    both = dataclasses.replace(
        others,
        table=pd.concat([pairs.table, others.table], ignore_index=True),
        a=np.concatenate([pairs.a, others.a]),
        b=np.concatenate([pairs.b, others.b]),
    )
    columns = pd.concat([head.table.columns, sample.table.columns], ignore_index=True)
    members = pd.DataFrame(
        {name: logits[name][best] if name in logits else 0.0 for name in ranking.members}, index=range(len(best))
    )
    offset = ranking.score_raw - ranking.members.to_numpy() @ np.array(list(ranking.weights.values()))
    target = Origin(
        table=dataclasses.replace(sample.table, pairs=both, columns=columns),
        features=pd.concat([head.features, sample.features], ignore_index=True),
        labels=None,
    )
    return target, dataclasses.replace(
        ranking,
        score_raw=np.concatenate([whole.score_raw[best], ranking.score_raw - offset]),
        members=pd.concat([members, ranking.members], ignore_index=True),
        attention=pd.DataFrame(index=range(len(both))),
    )


def _places(candidates: Candidates, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The places of candidates by their numbers in the order of ``Candidates.blocks``, which rise."""
    found, done = [], 0
    for a, b in candidates.blocks():
        some = numbers[np.searchsorted(numbers, done) : np.searchsorted(numbers, done + len(a))] - done
        found.append((a[some], b[some]))
        done += len(a)
    return np.concatenate([a for a, _ in found]), np.concatenate([b for _, b in found])


def _what_is_done_otherwise(candidates: Candidates, past: list[Origin], config: RunConfig) -> list[str]:
    learnt = [
        f"{int(origin.outcome.sum()):,} positives and {int((origin.outcome == 0).sum()):,} of "
        f"{int(origin.weights.sum() - origin.outcome.sum()):,} others at {origin.cutoff:%Y-%m-%d}"
        for origin in past
        if origin.weights is not None
    ]
    said = [
        *candidates.told(),
        f"candidates: {len(candidates):,} are too many for one table, so they went by in blocks; the first "
        f"{min(HEAD, len(candidates)):,} stand in predictions.parquet, all in whole_list.parquet",
    ]
    if learnt:
        said.append(f"ensemble: learnt from {' and '.join(learnt)}, each of these counted as the many it stands for")
    if (asked := config.ensemble.training_origins) > ORIGINS:
        said.append(f"ensemble: learnt from {ORIGINS} past origin, not {asked}, for so many candidates")
    if FUSION in config.ensemble.members:
        said.append("ensemble: the fusion net is left out, it would take too long for so many candidates")
    said.append("baselines: heuristics only; no learner is fitted beside the members for so many candidates")
    return said


def _keys(a: np.ndarray, b: np.ndarray, codes: int) -> np.ndarray:
    return np.asarray(a, dtype=np.int64) * codes + b


def _arrays(columns: pd.DataFrame) -> dict[str, np.ndarray]:
    return {str(name): values.to_numpy() for name, values in columns.items()}
