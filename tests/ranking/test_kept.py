"""Fits kept by content: the same numbers as those of a fresh fit, and never of anything else."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from lightgbm import LGBMClassifier
from sklearn.linear_model import LogisticRegression

from pipeline.config import FUSION, TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.features.build import build_features, ranked
from pipeline.fusion.base import AttentionConfig, FusionConfig
from pipeline.fusion.registry import make_fusion
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged
from pipeline.ranking import kept as module
from pipeline.ranking.base import Origin, stack
from pipeline.ranking.decompose import contributions
from pipeline.ranking.ensemble import EnsembleConfig, Ranking, rank_pairs
from pipeline.ranking.kept import NONE_KEPT, KeptFits

TASK = TaskConfig(min_patents=5)
CONFIG = EnsembleConfig(members=("logistic/none", "lightgbm/none", FUSION), pair_folds=2)
LIGHT = FusionConfig(attention=AttentionConfig(epochs=1, members=1))


@pytest.fixture(scope="module")
def origins(sample_corpus: Corpus) -> list[Origin]:
    made = []
    for year in (2012, 2015):
        history = sample_corpus.as_of(pd.Timestamp(f"{year}-12-31").as_unit("s"))
        pairs = candidate_pairs(history, TASK).pairs
        table = build_features(history, pairs, TASK, seed=1, wanted=["bibliometric", "network", "graph"])
        made.append(Origin(table, ranked(table), converged(sample_corpus, table.pairs, TASK)))
    return made


def rank(origins: list[Origin], kept: KeptFits) -> Ranking:
    past, target = origins
    open_ = dataclasses.replace(target, labels=None)
    fusion = make_fusion(LIGHT)
    return rank_pairs([past], open_, TASK, 0.03, fusion, CONFIG, 1, lambda message: None, kept=kept)


def test_a_ranking_from_kept_fits_is_the_ranking_without_and_fits_nothing(
    origins: list[Origin], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = rank(origins, NONE_KEPT)
    first = rank(origins, KeptFits(tmp_path, "code"))
    for learner in (LogisticRegression, LGBMClassifier):
        monkeypatch.setattr(learner, "fit", None)
    monkeypatch.setattr(torch.optim, "AdamW", None)
    second = rank(origins, KeptFits(tmp_path, "code"))
    for ranking in (first, second):
        np.testing.assert_array_equal(ranking.score_raw, plain.score_raw)
        pd.testing.assert_frame_equal(ranking.members, plain.members, check_exact=True)
        pd.testing.assert_frame_equal(ranking.attention, plain.attention, check_exact=True)
    X = origins[1].features[plain.columns].to_numpy(dtype=np.float32)
    for name in ("logistic/none", "lightgbm/none"):  # and what explains it
        fresh, found = (contributions(ranking.fitted[name], X, X) for ranking in (plain, second))
        assert fresh is not None
        np.testing.assert_array_equal(found, fresh)


@pytest.mark.parametrize("part", ["features", "labels", "vectors", "weights", "fold", "members", "net"])
def test_scores_out_of_fold_are_kept_by_all_that_they_depend_on(
    origins: list[Origin], tmp_path: Path, part: str
) -> None:
    kept, fusion, members = KeptFits(tmp_path, "code"), make_fusion(LIGHT), list(CONFIG.members)
    origin = origins[0]
    made = np.arange(6.0).reshape(2, 3)
    made[0, 0] = np.nan
    first = kept.scores(members, fusion, [origin], {"folds": 2}, lambda: made)
    np.testing.assert_array_equal(first, made)
    np.testing.assert_array_equal(kept.scores(members, fusion, [origin], {"folds": 2}, lambda: made * 2), made)
    how, other = {"folds": 2}, origin
    if part == "features":
        other = dataclasses.replace(origin, features=origin.features + 1e-3)
    elif part == "labels":
        other = dataclasses.replace(origin, labels=1 - origin.outcome)
    elif part == "vectors":
        vectors = {name: values + 1.0 for name, values in origin.table.code_vectors.items()}
        other = dataclasses.replace(origin, table=dataclasses.replace(origin.table, code_vectors=vectors))
    elif part == "weights":
        other = dataclasses.replace(origin, weights=np.ones(len(origin.outcome)))
    elif part == "fold":
        how = {"folds": 3}
    elif part == "members":
        members = members[:-1]
    else:
        fusion = make_fusion(FusionConfig(attention=AttentionConfig(epochs=2, members=1)))
    again = kept.scores(members, fusion, [other], how, lambda: made[:, : len(members)] * 2)
    np.testing.assert_array_equal(again, made[:, : len(members)] * 2)


def test_scores_of_a_learner_of_ones_own_are_not_kept(origins: list[Origin], tmp_path: Path) -> None:
    kept, fusion = KeptFits(tmp_path, "code"), make_fusion(LIGHT)
    for members in (["extra_trees/none"], ["logistic/undersample"]):
        for scores in (np.zeros((2, 1)), np.ones((2, 1))):
            assert kept.scores(members, fusion, origins[:1], {}, lambda scores=scores: scores) is scores
    assert not list(tmp_path.iterdir())


def test_other_rows_labels_seeds_and_code_are_other_fits(origins: list[Origin], tmp_path: Path) -> None:
    X, y = stack([origins[0]])
    kept = KeptFits(tmp_path, "code")
    other = X.copy()
    other[0, 0] += 0.25
    flipped = np.roll(y, 1)
    for rows, labels, seed, code in ((X, y, 1, "code"), (other, y, 1, "code"), (X, flipped, 1, "code"),
                                     (X, y, 2, "code"), (X, y, 1, "other")):  # fmt: skip
        KeptFits(tmp_path, code).learner("logistic", rows, labels, seed)
    kept.learner("logistic", X, y, 1)
    assert len(list(tmp_path.iterdir())) == 5


def test_a_damaged_fit_is_made_again(origins: list[Origin], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    X, y = stack([origins[0]])
    kept = KeptFits(tmp_path, "code")
    expected = kept.learner("logistic", X, y, 1).predict_proba(X)
    (model,) = tmp_path.glob("*/model.json")
    model.write_text(model.read_text().replace("0.0", "0.1", 1))
    np.testing.assert_array_equal(kept.learner("logistic", X, y, 1).predict_proba(X), expected)
    assert "fitted again" in caplog.text
    assert len(list(tmp_path.iterdir())) == 1


def test_the_longest_unused_fits_go_and_what_is_not_known_is_not_kept(
    origins: list[Origin], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    X, y = stack([origins[0]])
    kept = KeptFits(tmp_path, "code")
    kept.learner("extra_trees", X[:200], y[:200] | (np.arange(200) == 0), 1)
    assert not list(tmp_path.iterdir())
    for seed in (1, 2, 3):
        kept.learner("logistic", X, y, seed)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_place_that_cannot_be_written_costs_the_keeping_alone(origins: list[Origin], tmp_path: Path) -> None:
    X, y = stack([origins[0]])
    file = tmp_path / "file"
    file.write_text("")
    model = KeptFits(file / "fits", "code").learner("logistic", X, y, 1)
    assert model.predict_proba(X).shape == (len(X), 2)
