"""A ranker taught by other corpora: it travels, it copes with what a corpus lacks, and its file is plain data."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.encoders.base import patent_texts
from pipeline.encoders.hashing import HashingEncoder
from pipeline.errors import ArtifactError, NotEnoughDataError
from pipeline.features.build import build_features, ranked
from pipeline.fusion.base import FusionConfig
from pipeline.fusion.registry import make_fusion
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged
from pipeline.ranking.base import Origin
from pipeline.ranking.ensemble import EnsembleConfig, rank_pairs
from pipeline.ranking.meta import fit_slope
from pipeline.ranking.prior_ranker import PriorRanker, fit_prior_ranker, load_prior_ranker
from pipeline.sample.corpus import simulated_corpus

TASK = TaskConfig()
CARD = {"corpora": []}


def origin_of(corpus: Corpus, year: int) -> Origin:
    history = corpus.as_of(pd.Timestamp(f"{year}-12-31").as_unit("s"))
    table = build_features(history, candidate_pairs(history, TASK).pairs, TASK, seed=1)
    return Origin(table, ranked(table), converged(corpus, table.pairs, TASK))


def with_text(corpus: Corpus) -> Corpus:
    return corpus.with_embeddings(HashingEncoder(300).encode(patent_texts(corpus.patents)))


@pytest.fixture(scope="module", autouse=True)
def few_rounds() -> Iterator[None]:
    """Enough of them to rank; how well, a benchmark tells."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.ranking.prior_ranker.ROUNDS", 100)
        yield


@pytest.fixture(scope="module")
def taught() -> dict[str, list[Origin]]:
    """Two simulated corpora, one of them without text."""
    one, two = (simulated_corpus(seed, 1500).corpus for seed in (21, 22))
    return {
        "one": [origin_of(with_text(one), y) for y in (2010, 2013)],
        "two": [origin_of(two, y) for y in (2011, 2014)],
    }


@pytest.fixture(scope="module")
def ranker(taught: dict[str, list[Origin]]) -> PriorRanker:
    return fit_prior_ranker(taught, levels(taught), 7, CARD)


def levels(taught: dict[str, list[Origin]]) -> dict[str, list[float]]:
    """The true shares of positives, as if each history had told them."""
    return {name: [float(origin.outcome.mean()) for origin in origins] for name, origins in taught.items()}


@pytest.fixture(scope="module")
def target(sample_corpus: Corpus) -> Origin:
    return origin_of(with_text(sample_corpus), 2015)


def test_what_it_learnt_elsewhere_ranks_a_corpus_it_never_saw(ranker: PriorRanker, target: Origin) -> None:
    scores = ranker.score(target.features)
    assert list(scores) == ["prior/boosted", "prior/linear"]
    for name in scores:
        assert average_precision_score(target.outcome, scores[name]) > 2 * target.outcome.mean()


def test_what_the_regression_does_worse_with_is_left_to_the_boosted_model(ranker: PriorRanker) -> None:
    expert = ranker.experts["domain"]
    read = {column.partition("__")[0] for column in expert.columns}
    assert {"bibliometric", "people", "dynamics", "scheme"} <= read
    for head in expert.heads.values():
        assert not {column.partition("__")[0] for column in head} & {"people", "dynamics", "citation"}


def test_a_corpus_without_text_is_ranked_by_the_head_that_needs_none(ranker: PriorRanker, target: Origin) -> None:
    bare = target.features[[c for c in target.features if not str(c).startswith(("text", "topic"))]]
    scores = ranker.score(bare)
    head = ranker.experts["domain"].heads[""]
    share = bare[list(head)].clip(1e-3, 1 - 1e-3)
    expected = (np.log(share / (1 - share)).fillna(0.0) * pd.Series(head)).sum(axis=1)
    assert scores["prior/linear"].rank().corr(expected.rank()) > 0.999
    assert average_precision_score(target.outcome, scores["prior/boosted"]) > 1.5 * target.outcome.mean()


def test_a_seed_decides_it(taught: dict[str, list[Origin]], ranker: PriorRanker) -> None:
    assert fit_prior_ranker(taught, levels(taught), 7, CARD) == ranker
    assert fit_prior_ranker(taught, levels(taught), 8, CARD) != ranker


def test_its_file_reads_back_the_same(ranker: PriorRanker, tmp_path: Path) -> None:
    ranker.save(tmp_path / "ranker.json")
    assert load_prior_ranker(tmp_path / "ranker.json") == ranker


@pytest.mark.parametrize(
    "change", [{"schema": 0}, {"experts": {"domain": {"boosted": "tree"}}}, {"extra": 1}, {"slope": None}]
)
def test_a_file_that_is_none_is_refused_by_name(change: dict, ranker: PriorRanker, tmp_path: Path) -> None:
    path = tmp_path / "ranker.json"
    ranker.save(path)
    content = json.loads(path.read_text()) | change
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
    with pytest.raises(ArtifactError, match=r"ranker\.json"):
        load_prior_ranker(path)


def test_too_few_new_links_teach_nothing(taught: dict[str, list[Origin]]) -> None:
    few = [dataclasses.replace(o, labels=np.zeros_like(o.outcome)) for o in taught["one"]]
    with pytest.raises(NotEnoughDataError, match="no cutoff of the corpora given has 20 new links"):
        fit_prior_ranker({"one": few}, levels({"one": few}), 7, CARD)


def test_its_slope_and_spread_hold_on_a_corpus_it_never_saw(ranker: PriorRanker, target: Origin) -> None:
    score = ranker.score(target.features).mean(axis=1).to_numpy()
    assert ranker.slope == pytest.approx(fit_slope(score, target.outcome), rel=0.35)
    assert 0.3 < ranker.spread < 3  # two corpora are few: Student's t of two degrees of freedom


def with_background(origin: Origin, rng: np.random.Generator, strength: float) -> Origin:
    """The origin with a background column that knows the outcome the better, the greater the strength."""
    known = rankdata(strength * origin.outcome + rng.normal(size=len(origin.outcome))) / (len(origin.outcome) + 1)
    return dataclasses.replace(origin, features=origin.features.assign(background__joint_patents__all__lag0=known))


def test_taught_with_a_background_it_reads_one_where_there_is_one(
    taught: dict[str, list[Origin]], target: Origin
) -> None:
    rng = np.random.default_rng(0)
    shown = {"one": [with_background(o, rng, 2.0) for o in taught["one"]], "two": taught["two"]}
    ranker = fit_prior_ranker(shown, levels(shown), 7, CARD)
    outside = ["prior/background_boosted", "prior/background_linear"]
    assert ranker.members(target.features) == ["prior/boosted", "prior/linear"]
    seeing = with_background(target, rng, 2.0)
    assert ranker.members(seeing.features) == ["prior/boosted", "prior/linear", *outside]
    scores = ranker.score(seeing.features)
    pd.testing.assert_frame_equal(scores[["prior/boosted", "prior/linear"]], ranker.score(target.features))
    for inside, out in zip(["prior/boosted", "prior/linear"], outside, strict=True):
        precision = {name: average_precision_score(target.outcome, scores[name]) for name in (inside, out)}
        assert precision[out] > 1.3 * precision[inside]
    blind = ranker.score(target.features, [*scores])  # an earlier origin, before the background begins
    assert blind["prior/background_linear"].equals(blind["prior/linear"])


def test_it_enters_the_ensemble_as_two_more_members(ranker: PriorRanker, target: Origin, sample_corpus: Corpus) -> None:
    past = [origin_of(with_text(sample_corpus), year) for year in (2009, 2012)]
    config = EnsembleConfig(members=("logistic/none", "lightgbm/none"))
    asked = (TASK, 0.03, make_fusion(FusionConfig()), config, 1, lambda message: None)
    alone = rank_pairs(past, dataclasses.replace(target, labels=None), *asked)
    helped = rank_pairs(past, dataclasses.replace(target, labels=None), *asked, ranker)
    assert list(helped.members)[:4] == [*config.members, "prior/boosted", "prior/linear"]
    assert set(helped.members) - set(alone.members) == {"prior/boosted", "prior/linear"}
    assert list(helped.weights) == list(helped.members)
    pd.testing.assert_frame_equal(helped.members[list(config.members)], alone.members[list(config.members)])
    assert not np.array_equal(helped.score_raw, alone.score_raw)


def test_without_a_past_to_learn_from_it_ranks_alone(ranker: PriorRanker, target: Origin) -> None:
    asked = (TASK, 0.03, make_fusion(FusionConfig()), EnsembleConfig(), 1, lambda message: None)
    ranking = rank_pairs([], target, *asked, ranker)
    assert ranking.warnings == (
        "ensemble: no training origin before 2015-12-31 has 10 new links (the best has 0), "
        "so the prior ranker, taught by other corpora, ranks alone",
    )
    assert ranking.probability.mean() == pytest.approx(0.03)
    mean = ranker.score(target.features).mean(axis=1).to_numpy()
    np.testing.assert_allclose(ranking.score_raw, ranker.slope * mean)
    with pytest.raises(NotEnoughDataError, match="no training origin before 2015-12-31"):
        rank_pairs([], target, *asked)
