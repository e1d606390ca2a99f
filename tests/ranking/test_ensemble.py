"""The two-stage ensemble from origins to a calibrated ranking."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.errors import NotEnoughDataError
from pipeline.features.build import build_features, ranked
from pipeline.fusion.base import FusionConfig
from pipeline.fusion.registry import make_fusion
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged
from pipeline.ranking.base import Origin
from pipeline.ranking.baselines import HEURISTICS
from pipeline.ranking.ensemble import EnsembleConfig, Ranking, _fold_of, rank_pairs

TASK = TaskConfig()
PLAIN = EnsembleConfig(members=("logistic/none", "lightgbm/none", "logistic/under"))


@pytest.fixture(scope="module")
def origins(sample_corpus: Corpus) -> dict[int, Origin]:
    made = {}
    for year in (2009, 2012, 2015):
        history = sample_corpus.as_of(pd.Timestamp(f"{year}-12-31").as_unit("s"))
        table = build_features(history, candidate_pairs(history, TASK).pairs, TASK, seed=1)
        made[year] = Origin(table, ranked(table), converged(sample_corpus, table.pairs, TASK))
    return made


def rank(
    origins: dict[int, Origin], past: list[int], config: EnsembleConfig, steps: list[str], task: TaskConfig = TASK
) -> Ranking:
    target = dataclasses.replace(origins[2015], labels=None)
    fusion = make_fusion(FusionConfig())
    return rank_pairs([origins[y] for y in past], target, task, 0.03, fusion, config, 1, steps.append)


def test_it_validates_in_time_where_an_earlier_outcome_was_known(origins: dict[int, Origin]) -> None:
    steps: list[str] = []
    ranking = rank(origins, [2009, 2012], PLAIN, steps)
    assert ranking.warnings == ()
    assert steps[0] == "validating on 2012-12-31, fitted on 1 earlier origins"
    assert ranking.probability.mean() == pytest.approx(0.03)
    np.testing.assert_array_equal(np.argsort(ranking.probability), np.argsort(ranking.score_raw))
    heuristics = [f"heuristic/{name}" for name in HEURISTICS if name != "text_cosine"]  # these origins have no text
    assert list(ranking.weights) == list(ranking.members) == [*PLAIN.members, *heuristics]
    assert min(ranking.weights.values()) >= 0
    assert ranking.members[list(PLAIN.members)].mean().abs().max() < 1e-2  # rank logits
    assert ranking.attention.empty
    happened = origins[2015].outcome == 1
    assert ranking.probability[happened].mean() > 1.5 * ranking.probability[~happened].mean()


def test_a_short_past_is_validated_on_folds_by_pair_with_a_warning(origins: dict[int, Origin]) -> None:
    steps: list[str] = []
    ranking = rank(origins, [2012], PLAIN, steps)
    assert len(ranking.warnings) == 1
    assert "fitted on 3 folds by pair instead of folds by time" in ranking.warnings[0]
    assert np.isfinite(ranking.score_raw).all()


def test_a_pair_falls_into_one_fold_at_every_origin(origins: dict[int, Origin]) -> None:
    folds = {}
    for year in (2009, 2012):
        table = origins[year].table.pairs.table
        folds[year] = pd.Series(_fold_of(origins[year], 3), index=pd.MultiIndex.from_frame(table[["code_a", "code_b"]]))
        assert sorted(folds[year].unique()) == [0, 1, 2]
    early, late = folds[2009].align(folds[2012], join="inner")
    assert len(early) > 500
    assert (early == late).all()


def test_two_runs_agree_to_the_last_bit(origins: dict[int, Origin]) -> None:
    one, two = (rank(origins, [2009, 2012], PLAIN, []) for _ in range(2))
    assert one.score_raw.tobytes() == two.score_raw.tobytes()
    assert one.probability.tobytes() == two.probability.tobytes()


def test_too_few_positives_are_refused(origins: dict[int, Origin]) -> None:
    config = PLAIN.model_copy(update={"min_positives": 10_000})
    best = max(int(origins[year].outcome.sum()) for year in (2009, 2012))
    with pytest.raises(NotEnoughDataError, match=rf"before 2015-12-31 has 10000 new links \(the best has {best}\)"):
        rank(origins, [2009, 2012], config, [])
    with pytest.raises(NotEnoughDataError, match="has 10000 links that grew "):
        rank(origins, [2009, 2012], config, [], TASK.model_copy(update={"track": "strengthening"}))


@pytest.mark.parametrize("past", [[2009, 2012], [2012]], ids=["in time", "by pair"])
def test_on_the_validation_origin_no_member_is_better_than_the_ranking(
    origins: dict[int, Origin], past: list[int]
) -> None:
    details = rank(origins, past, PLAIN, []).details
    precision = details["validation_average_precision"]
    assert details["validation_origin"] == "2012-12-31"
    assert precision["ranking"] == max(precision.values())
    assert precision["ranking"] > precision["stack"] or details["guard"] == {"moved_towards": None, "share": 0.0}


def test_columns_that_an_origin_lacks_are_not_used(origins: dict[int, Origin]) -> None:
    fewer = [c for c in origins[2009].features if not str(c).startswith("graph__")]
    ranking = rank({**origins, 2009: origins[2009].select(fewer)}, [2009, 2012], PLAIN, [])
    assert not [name for name in ranking.columns if name.startswith("graph__")]


def test_one_member_with_no_heuristic_beside_it_ranks_alone(origins: dict[int, Origin]) -> None:
    only = {
        year: origin.select([c for c in origin.features if str(c).startswith("bibliometric__") and "activity" not in c])
        for year, origin in origins.items()
    }
    one = EnsembleConfig(members=("logistic/none",))
    ranking = rank(only, [2009, 2012], one, [])
    assert list(ranking.members) == ["logistic/none"]
    np.testing.assert_array_equal(np.argsort(ranking.score_raw), np.argsort(ranking.members["logistic/none"]))
