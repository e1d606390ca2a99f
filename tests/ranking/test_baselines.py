"""The baselines that stand beside every result."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.encoders.base import patent_texts
from pipeline.encoders.hashing import HashingEncoder
from pipeline.features.build import build_features, ranked
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged
from pipeline.ranking.base import Origin, common_columns
from pipeline.ranking.baselines import HEURISTICS, OF_LINKED, as_columns, heuristic_scores, learned_scores

TASK = TaskConfig()


@pytest.fixture(scope="module")
def origins(sample_corpus: Corpus) -> list[Origin]:
    corpus = sample_corpus.with_embeddings(HashingEncoder(300).encode(patent_texts(sample_corpus.patents)))
    made = []
    for day in ("2010-12-31", "2013-12-31"):
        history = corpus.as_of(pd.Timestamp(day).as_unit("s"))
        table = build_features(history, candidate_pairs(history, TASK).pairs, TASK, seed=1)
        made.append(Origin(table, ranked(table), converged(corpus, table.pairs, TASK)))
    columns = common_columns(made)
    return [origin.select(columns) for origin in made]


def test_every_heuristic_finds_its_column(origins: list[Origin]) -> None:
    table = origins[0].table
    scores = heuristic_scores(table, TASK.window)
    assert list(scores) == list(HEURISTICS)
    for name, values in scores.items():
        column = table.columns[HEURISTICS[name].format(w=TASK.window)]
        assert np.isfinite(values).all()
        known = column.notna().to_numpy()
        np.testing.assert_array_equal(values[known], column[known].astype(float))
        assert (values[~known] == -1).all()  # an unknown text cosine counts as the lowest


def test_linked_pairs_are_also_ranked_by_what_their_link_has_done(sample_corpus: Corpus) -> None:
    history, task = sample_corpus.as_of(pd.Timestamp("2013-12-31").as_unit("s")), TaskConfig(track="strengthening")
    table = build_features(history, candidate_pairs(history, task).pairs, task, seed=1)
    scores = heuristic_scores(table, task.window, task.track)
    assert list(scores) == [*(name for name in HEURISTICS if name != "text_cosine"), *OF_LINKED]
    pairs = table.pairs.table
    np.testing.assert_array_equal(scores["joint_patents"], pairs["prior"])
    np.testing.assert_array_equal(scores["joint_patents_recent"] > 0, pairs["status"] == "active")
    assert scores["joint_growth"].min() < 0 < scores["joint_growth"].max()
    assert not OF_LINKED.keys() & heuristic_scores(table, task.window).keys()


def test_a_heuristic_without_its_source_is_absent(origins: list[Origin]) -> None:
    table = origins[0].table
    bare = dataclasses.replace(table, columns=table.columns.drop(columns="text__cosine__all__lag0"))
    assert set(heuristic_scores(table, TASK.window)) - set(heuristic_scores(bare, TASK.window)) == {"text_cosine"}


def test_the_plain_learners_rank_later_pairs_from_earlier_ones(origins: list[Origin]) -> None:
    past, target = [origins[0]], dataclasses.replace(origins[1], labels=None)
    scores = learned_scores(past, target, 1, {})
    assert list(scores) == ["node2vec_logistic", "logistic_all", "lightgbm_cooccurrence", "lightgbm_all"]
    again = learned_scores(past, target, 1, {})
    happened = origins[1].outcome == 1
    for name, values in scores.items():
        assert ((values > 0) & (values < 1)).all()
        np.testing.assert_array_equal(values, again[name])
        assert values[happened].mean() > values[~happened].mean()


def test_scores_become_prediction_columns() -> None:
    table = as_columns({"katz": np.array([1.0, 2.0])})
    assert table.to_dict("list") == {"baseline__katz": [1.0, 2.0]}
