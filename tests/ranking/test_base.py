"""One scale for every ranker, and origins cut to rows and columns."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.features.build import build_features, ranked
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged
from pipeline.ranking.base import Origin, common_columns, rank_logit, stack

TASK = TaskConfig()


@pytest.fixture(scope="module")
def origins(sample_corpus: Corpus) -> list[Origin]:
    made = []
    for day in ("2009-12-31", "2011-12-31"):
        history = sample_corpus.as_of(pd.Timestamp(day).as_unit("s"))
        table = build_features(history, candidate_pairs(history, TASK).pairs, TASK, seed=1)
        made.append(Origin(table, ranked(table), converged(sample_corpus, table.pairs, TASK)))
    return made


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), min_size=1))
def test_rank_logits_keep_order_and_centre_on_zero(values: list[float]) -> None:
    scores = np.array(values)
    got = rank_logit(scores)
    assert np.isfinite(got).all()
    filled = np.where(np.isnan(scores), -np.inf, scores)
    order = np.argsort(filled, kind="stable")
    assert (np.diff(got[order]) >= 0).all()
    np.testing.assert_array_equal(np.diff(got[order]) == 0, filled[order][1:] == filled[order][:-1])
    if len(set(values)) == len(values):
        assert got.sum() == pytest.approx(0, abs=1e-9)


def test_rank_logits_of_three() -> None:
    np.testing.assert_allclose(rank_logit(np.array([5.0, np.nan, 7.0])), np.log([1, 1 / 5, 5]), atol=1e-12)


def test_taken_rows_stay_together(origins: list[Origin]) -> None:
    origin = origins[0]
    rows = np.arange(5, 200, 7)
    part = origin.take(rows)
    pairs = part.table.pairs
    assert pairs.codes[pairs.a].tolist() == pairs.table["code_a"].tolist()
    assert pairs.codes[pairs.b].tolist() == pairs.table["code_b"].tolist()
    np.testing.assert_array_equal(part.outcome, origin.outcome[rows])
    np.testing.assert_array_equal(part.features.to_numpy(), origin.features.to_numpy()[rows])
    np.testing.assert_array_equal(part.table.columns.to_numpy(), origin.table.columns.to_numpy()[rows])


def test_common_columns_are_shared_and_vary(origins: list[Origin]) -> None:
    everywhere = common_columns(origins)
    assert "bibliometric__joint_patents__w3__lag0" not in everywhere  # zero for every new link
    assert "network__katz__all__lag0" in everywhere
    fewer = [origins[0].select(everywhere[3:]), origins[1]]
    assert common_columns(fewer) == everywhere[3:]


def test_stacked_origins_lie_one_below_the_other(origins: list[Origin]) -> None:
    columns = common_columns(origins)
    X, y = stack([origin.select(columns) for origin in origins])
    assert X.dtype == np.float32
    assert X.shape == (sum(len(origin.features) for origin in origins), len(columns))
    assert y.tolist() == [*origins[0].outcome, *origins[1].outcome]


def test_an_open_outcome_cannot_be_read(origins: list[Origin]) -> None:
    target = Origin(origins[1].table, origins[1].features, labels=None)
    with pytest.raises(ValueError, match="2011-12-31 is not known"):
        _ = target.outcome
