"""A ranker taught by other corpora: it travels, it copes with what a corpus lacks, and its file is plain data."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
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
    return fit_prior_ranker(taught, 7, CARD)


@pytest.fixture(scope="module")
def target(sample_corpus: Corpus) -> Origin:
    return origin_of(with_text(sample_corpus), 2015)


def test_what_it_learnt_elsewhere_ranks_a_corpus_it_never_saw(ranker: PriorRanker, target: Origin) -> None:
    scores = ranker.score(target.features)
    assert list(scores) == ["prior/boosted", "prior/linear"]
    for name in scores:
        assert average_precision_score(target.outcome, scores[name]) > 2 * target.outcome.mean()


def test_bibliometric_counts_do_not_travel(ranker: PriorRanker) -> None:
    assert not [column for column in ranker.columns if column.startswith("bibliometric")]
    assert set(ranker.heads) == {"", "text", "topic", "text+topic"}


def test_a_corpus_without_text_is_ranked_by_the_head_that_needs_none(ranker: PriorRanker, target: Origin) -> None:
    bare = target.features[[c for c in target.features if not str(c).startswith(("text", "topic"))]]
    scores = ranker.score(bare)
    head = ranker.heads[""]
    share = bare[list(head)].clip(1e-3, 1 - 1e-3)
    expected = (np.log(share / (1 - share)).fillna(0.0) * pd.Series(head)).sum(axis=1)
    assert scores["prior/linear"].rank().corr(expected.rank()) > 0.999
    assert average_precision_score(target.outcome, scores["prior/boosted"]) > 1.5 * target.outcome.mean()


def test_a_seed_decides_it(taught: dict[str, list[Origin]], ranker: PriorRanker) -> None:
    assert fit_prior_ranker(taught, 7, CARD) == ranker
    assert fit_prior_ranker(taught, 8, CARD) != ranker


def test_its_file_reads_back_the_same(ranker: PriorRanker, tmp_path: Path) -> None:
    ranker.save(tmp_path / "ranker.json")
    assert load_prior_ranker(tmp_path / "ranker.json") == ranker


@pytest.mark.parametrize("change", [{"schema": 0}, {"boosted": "tree"}, {"extra": 1}, {"columns": None}])
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
        fit_prior_ranker({"one": few}, 7, CARD)


def test_it_enters_the_ensemble_as_two_more_members(ranker: PriorRanker, target: Origin, sample_corpus: Corpus) -> None:
    past = [origin_of(with_text(sample_corpus), year) for year in (2009, 2012)]
    config = EnsembleConfig(members=("logistic/none", "lightgbm/none"))
    asked = (TASK.horizon, 0.03, make_fusion(FusionConfig()), config, 1, lambda message: None)
    alone = rank_pairs(past, dataclasses.replace(target, labels=None), *asked)
    helped = rank_pairs(past, dataclasses.replace(target, labels=None), *asked, ranker)
    assert list(helped.members) == [*config.members, "prior/boosted", "prior/linear"]
    assert list(helped.weights) == list(helped.members)
    pd.testing.assert_frame_equal(helped.members[list(config.members)], alone.members)
    assert not np.array_equal(helped.score_raw, alone.score_raw)
