"""The shipped ensemble on changed rows: the shipped score where nothing changed, another's where a row becomes it."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from pipeline.config import FUSION, TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.encoders.base import patent_texts
from pipeline.encoders.hashing import HashingEncoder
from pipeline.features.build import build_features, ranked
from pipeline.fusion.base import AttentionConfig, FusionConfig
from pipeline.fusion.registry import make_fusion
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged
from pipeline.ranking.base import Origin
from pipeline.ranking.ensemble import EnsembleConfig, Ranking, rank_pairs
from pipeline.ranking.prior_ranker import fit_prior_ranker
from pipeline.ranking.rescore import MIDDLE, Rescorer, rescorable, rescorer
from pipeline.ranking.scorers import Net

TASK = TaskConfig()
CONFIG = EnsembleConfig(
    members=("logistic/none", "lightgbm/none", "logistic/smote", "lightgbm/balanced_bagging", "extra_trees/under",
             "lightgbm/easy_ensemble", FUSION),
    training_origins=1,
)  # fmt: skip
LIGHT = FusionConfig(attention=AttentionConfig(epochs=1, members=1))
ADDITIVE = ("logistic/none", "lightgbm/none", "logistic/smote", "prior/boosted", "prior/linear")


@pytest.fixture(scope="module")
def origins(sample_corpus: Corpus) -> dict[int, Origin]:
    corpus = sample_corpus.with_embeddings(HashingEncoder(300).encode(patent_texts(sample_corpus.patents)))
    made = {}
    for year in (2008, 2011, 2014):
        history = corpus.as_of(pd.Timestamp(f"{year}-12-31").as_unit("s"))
        table = build_features(history, candidate_pairs(history, TASK).pairs, TASK, seed=1)
        made[year] = Origin(table, ranked(table), converged(corpus, table.pairs, TASK))
    return made


@pytest.fixture(scope="module")
def ranking(origins: dict[int, Origin]) -> Ranking:
    """All kinds of members, each with a weight."""
    target = dataclasses.replace(origins[2014], labels=None)
    prior = fit_prior_ranker({"one": [origins[2008]]}, {"one": [0.03]}, 7, {"corpora": []})
    past = [origins[2008], origins[2011]]
    made = rank_pairs(past, target, TASK, 0.03, make_fusion(LIGHT), CONFIG, 1, lambda message: None, prior)
    return dataclasses.replace(made, weights={name: max(weight, 0.01) for name, weight in made.weights.items()})


@pytest.fixture(scope="module")
def ensemble(ranking: Ranking, origins: dict[int, Origin]) -> Rescorer:
    return rescorer(ranking, origins[2014], TASK.window)


def without_fusion(ensemble: Rescorer) -> Rescorer:
    return dataclasses.replace(ensemble, members={n: m for n, m in ensemble.members.items() if n != FUSION})


def test_every_member_takes_part(ensemble: Rescorer, ranking: Ranking) -> None:
    assert list(ensemble.members) == list(ranking.members)


def test_nothing_changed_is_the_shipped_score(ensemble: Rescorer, ranking: Ranking) -> None:
    everyone = np.arange(len(ranking.score_raw))
    np.testing.assert_allclose(ensemble.score(ensemble.shares, everyone), ranking.score_raw, rtol=0, atol=1e-12)
    few = np.array([70, 3, 3, 500])
    np.testing.assert_allclose(ensemble.score(ensemble.shares[few], few), ranking.score_raw[few], atol=1e-4)


def test_a_pair_given_all_of_another_pair_scores_as_that_one(ensemble: Rescorer, ranking: Ranking) -> None:
    # but for the fusion, which goes by the code vectors too
    plain = without_fusion(ensemble)
    complete = np.flatnonzero(~np.isnan(ensemble.shares).any(axis=1))  # what only the other lacked would be hidden
    rows, others = complete[[5, 90, 200]], complete[[240, 6, 41]]
    shipped = ranking.members[list(plain.members)].to_numpy()
    weights = np.array([member.weight for member in plain.members.values()])
    gained = plain.score(ensemble.shares[others], rows) - ranking.score_raw[rows]
    np.testing.assert_allclose(gained, (shipped[others] - shipped[rows]) @ weights, atol=1e-6)


def test_what_is_hidden_is_the_middle_rank_or_masked_and_what_is_unknown_stays_so(ensemble: Rescorer) -> None:
    rows = np.arange(0, len(ensemble.shares), 7)
    hidden = np.zeros((len(rows), len(ensemble.columns)), dtype=bool)
    hidden[:, [c.startswith("text") for c in ensemble.columns]] = True
    unknown = np.isnan(ensemble.shares[rows])
    assert (hidden & unknown).any() and (hidden & ~unknown).any()
    middle = np.where(hidden & ~unknown, np.float32(MIDDLE), ensemble.shares[rows])
    without, replaced = ensemble.without(rows, hidden), ensemble.score(middle, rows)
    plain = without_fusion(ensemble)
    np.testing.assert_allclose(plain.without(rows, hidden), plain.score(middle, rows), atol=1e-12)
    assert np.abs(without - replaced).max() > 1e-3  # the fusion masks


def test_the_masked_fusion_does_not_see_the_code_vectors_of_what_is_hidden(ensemble: Rescorer) -> None:
    member = ensemble.members[FUSION]
    assert isinstance(member.scorer, Net)
    table = member.scorer.target.table
    vectors = {**table.code_vectors, "text": table.code_vectors["text"][::-1].copy()}
    target = dataclasses.replace(member.scorer.target, table=dataclasses.replace(table, code_vectors=vectors))
    other = dataclasses.replace(member, scorer=dataclasses.replace(member.scorer, target=target))
    only, swapped = (dataclasses.replace(ensemble, members={FUSION: net}) for net in (member, other))
    rows = np.arange(20)
    hidden = np.tile([c.startswith("text") for c in ensemble.columns], (len(rows), 1))
    np.testing.assert_allclose(only.without(rows, hidden), swapped.without(rows, hidden), atol=1e-5)
    assert np.abs(only.score(only.shares[rows], rows) - swapped.score(only.shares[rows], rows)).max() > 1e-3


@pytest.mark.parametrize("name", ADDITIVE)
def test_parts_add_up_to_the_log_odds_but_for_a_constant(ensemble: Rescorer, name: str) -> None:
    member = ensemble.members[name]
    X, rows = ensemble.shares[:, member.place], np.arange(len(ensemble.shares))
    parts = member.scorer.parts(X[:200], X)
    assert parts is not None
    base = member.scorer.raw(X, rows)[:200] - parts.sum(axis=1)
    np.testing.assert_allclose(base, base[0], atol=1e-5)
    assert np.abs(parts).max() > 0.1


def test_bags_have_parts_close_to_their_log_odds_and_others_have_none(ensemble: Rescorer) -> None:
    member = ensemble.members["lightgbm/balanced_bagging"]
    X, rows = ensemble.shares[:, member.place], np.arange(len(ensemble.shares))
    parts = member.scorer.parts(X, X)
    assert parts is not None
    assert np.corrcoef(parts.sum(axis=1), member.scorer.raw(X, rows))[0, 1] > 0.99
    for name in ("extra_trees/under", "lightgbm/easy_ensemble", FUSION):
        opaque = ensemble.members[name]
        assert opaque.scorer.parts(ensemble.shares[:3, opaque.place], ensemble.shares[:, opaque.place]) is None


def test_a_ranking_that_is_no_weighted_sum_of_its_members_is_not_rescorable(ranking: Ranking) -> None:
    assert rescorable(ranking)
    assert not rescorable(dataclasses.replace(ranking, members=pd.DataFrame({"stack": ranking.score_raw})))
    assert not rescorable(dataclasses.replace(ranking, weights=dict.fromkeys(ranking.weights, 0.0)))
