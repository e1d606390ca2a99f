"""The eight indicators against a hand-made corpus and a plain recomputation."""

import numpy as np
import pandas as pd
import pytest
from factories import corpus_from
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity

from pipeline.opportunities.indicators import DIMENSIONS, INDICATORS, development, raw_indicators, uniqueness

# on 2020-12-31: patents of 2001, 2012, 2013, 2018 and 2019, 2020
C = "F25B 1/00"
THREE = f"{C};H01M 2/00;H01M 4/00"
ROWS = [
    {"patent_id": "US10", "date": "2001-01-05", "ipc": "F25B 1/00;F25B 3/00", "inventors": "A;B", "title": "Heating"},
    {"patent_id": "US11", "date": "2012-01-05", "ipc": C, "inventors": "A", "cited_ids": "US10", "title": "Cooling"},
    {"patent_id": "US12", "date": "2013-01-05", "ipc": THREE, "inventors": "C", "cited_ids": "US10;US11"},
    {"patent_id": "US13", "date": "2018-01-05", "ipc": C, "inventors": "C;D", "family_id": "f", "cited_ids": "US11"},
    {"patent_id": "EP13", "date": "2019-01-05", "ipc": C, "family_id": "f", "office": "EP"},
    {"patent_id": "US14", "date": "2020-12-31", "ipc": C, "inventors": "E;F;G", "title": "heat and cool"},
]  # fmt: skip


def test_indicators_of_a_topic_by_hand() -> None:
    corpus = corpus_from([row for row in ROWS if row["patent_id"] != "EP13"] + [ROWS[4]])
    ids = corpus.patents["patent_id"].tolist()
    topic = np.array([ids.index(name) for name in ("US11", "US12", "US13", "US14")])
    row = raw_indicators(corpus, "ipc", [topic], np.ones((1, 2))).iloc[0]
    age = (corpus.cutoff - corpus.patents["knowledge_date"]).dt.days / 365.25
    assert row["maturity"] == pytest.approx(age.mean() - age.iloc[topic].mean())
    assert row["growth_patents"] == pytest.approx((2 - 2) / 2)  # 2018, 2020 against 2012, 2013
    assert row["growth_inventors"] == pytest.approx((5 - 2) / 2)  # C D E F G against A C
    assert row["citations_per_year"] == pytest.approx((2 + 0 + 0 + 0) / 4 / age.iloc[topic].mean())
    assert row["family_size"] == pytest.approx((1 + 1 + 2 + 1) / 4)
    assert row["codes_per_patent"] == pytest.approx((1 + 3 + 1 + 1) / 4)
    assert row["functional_diversity"] == pytest.approx(np.exp(-(2 / 3 * np.log(2 / 3) + 1 / 3 * np.log(1 / 3))))


def test_what_the_source_lacks_is_null_and_not_zero() -> None:
    bare = [{key: row[key] for key in ("patent_id", "date", "ipc")} for row in ROWS if row["patent_id"] != "EP13"]
    row = raw_indicators(corpus_from(bare), "ipc", [np.arange(5)], np.zeros((1, 2))).iloc[0]
    lacking = ["uniqueness", "growth_inventors", "citations_per_year", "family_size"]
    assert row[lacking].isna().all()
    assert row.drop(lacking).notna().all()


def test_a_short_history_is_compared_half_by_half_and_a_shorter_one_not_at_all() -> None:
    rows = [{"patent_id": f"US{day}", "date": day, "ipc": "F25B"} for day in ("2017-01-05", "2019-12-05", "2020-12-05")]
    assert raw_indicators(corpus_from(rows), "ipc", [np.arange(3)], np.zeros((1, 2)))["growth_patents"][0] == 1.0
    late = [row | {"date": row["date"].replace("2017", "2020").replace("2019", "2020")} for row in rows]
    late = [row | {"patent_id": f"US{number}"} for number, row in enumerate(late)]
    assert raw_indicators(corpus_from(late), "ipc", [np.arange(3)], np.zeros((1, 2)))["growth_patents"].isna().all()


@given(st.integers(2, 6), st.integers(0, 99))
def test_uniqueness_is_one_less_the_mean_likeness_to_the_others(topics: int, seed: int) -> None:
    centres = np.random.default_rng(seed).normal(size=(topics, 4))
    likeness = (cosine_similarity(centres) + 1) / 2
    expected = [1 - np.delete(likeness[i], i).mean() for i in range(topics)]
    assert np.allclose(uniqueness(centres), expected)


def test_a_topic_alone_is_compared_with_nothing() -> None:
    assert np.isnan(uniqueness(np.ones((1, 3)))).all()
    assert np.isnan(uniqueness(np.array([[1.0, 0], [0, 0]]))).all()


def table(**columns: list[float]) -> pd.DataFrame:
    rows = len(next(iter(columns.values())))
    return pd.DataFrame({name: columns.get(name, [1.0] * rows) for name in INDICATORS}, dtype=float)


def test_each_dimension_runs_from_nought_to_two_and_a_half() -> None:
    scored = development(table(uniqueness=[0.1, 0.2, 0.3], maturity=[-4.0, 0.0, 4.0]))
    assert scored["novelty"].tolist() == pytest.approx([0.0, 1.25, 2.5])
    assert scored["growth"].tolist() == [1.25] * 3  # all alike
    assert scored["development"].tolist() == pytest.approx([3.75, 5.0, 6.25])


def test_a_dimension_that_is_unknown_counts_as_the_mean_of_the_others() -> None:
    nothing = [float("nan")] * 2
    scored = development(table(uniqueness=[0.0, 1.0], citations_per_year=nothing, family_size=nothing))
    assert scored["influence"].isna().all()
    assert scored["development"].tolist() == pytest.approx([4 / 3 * (0.625 + 2.5), 4 / 3 * (1.875 + 2.5)])


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=8), st.integers(0, 7))
def test_development_stays_in_bounds(values: list[float], which: int) -> None:
    scored = development(table(**{list(INDICATORS)[which]: values}))
    assert scored[list(DIMENSIONS)].to_numpy().min() >= 0
    assert scored[list(DIMENSIONS)].to_numpy().max() <= 2.5 + 1e-9
    assert scored["development"].between(0, 10 + 1e-9).all()
