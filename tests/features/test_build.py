"""All features together: names, types, blocks, snapshots, ranks."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from factories import corpus_from
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.encoders.base import patent_texts
from pipeline.encoders.hashing import HashingEncoder
from pipeline.features.base import FeatureTable, modality_columns
from pipeline.features.build import build_features, network, ranked
from pipeline.pairs.candidates import candidate_pairs

TASK = TaskConfig()
MODALITIES = [
    "bibliometric",
    "network",
    "graph",
    "cooccurrence",
    "dynamics",
    "citation",
    "people",
    "text",
    "topic",
    "scheme",
]


@pytest.fixture(scope="module")
def history(sample_corpus: Corpus) -> Corpus:
    vectors = HashingEncoder(max_characters=300).encode(patent_texts(sample_corpus.patents))
    return sample_corpus.with_embeddings(vectors).as_of(pd.Timestamp("2012-12-31").as_unit("s"))


@pytest.fixture(scope="module")
def table(history: Corpus) -> FeatureTable:
    return build_features(history, candidate_pairs(history, TASK).pairs, TASK, seed=5)


def test_names_say_block_measure_parameter_and_lag(table: FeatureTable) -> None:
    for name in table.columns:
        assert re.fullmatch(r"[a-z]+__[a-z0-9_]*[a-z0-9]__(all|decayed|w[13])__lag[03]", name), name
        assert len(name.split("__")) == 4
    assert table.modalities() == MODALITIES
    assert modality_columns(list(table.columns))["graph"] == [
        f"graph__{measure}__all__lag0" for measure in ("cosine", "dot", "euclidean", "l1")
    ]


def test_columns_are_float32_one_row_a_pair_and_never_infinite(table: FeatureTable) -> None:
    assert (table.columns.dtypes == np.float32).all()
    assert len(table.columns) == len(table.pairs)
    assert not np.isinf(table.columns.to_numpy()).any()
    assert table.warnings == ()


def test_vectors_and_carriers_line_up_with_codes_and_patents_of_the_window(
    history: Corpus, table: FeatureTable
) -> None:
    assert {name: len(vectors) for name, vectors in table.code_vectors.items()} == dict.fromkeys(
        ["graph", "text"], len(table.pairs.codes)
    )
    window = history.patents["knowledge_date"] > pd.Timestamp("2009-12-31")
    assert table.patent_vectors is not None
    assert history.embeddings is not None
    np.testing.assert_array_equal(table.patent_vectors, history.embeddings[window.to_numpy()])
    assert table.carriers.shape == (len(table.pairs.codes), window.sum())
    recent = history.patents.loc[window, "patent_id"]
    symbols = history.patent_codes[history.patent_codes["patent_id"].isin(recent)]
    for row, code in enumerate(table.pairs.codes):
        carrying = symbols.loc[symbols["symbol"].str.startswith(code) & (symbols["scheme"] == "ipc"), "patent_id"]
        assert table.carriers[[row]].sum() == carrying.nunique()


def test_without_texts_the_text_blocks_are_absent_and_the_others_unchanged(
    history: Corpus, table: FeatureTable
) -> None:
    bare = build_features(dataclasses.replace(history, embeddings=None), table.pairs, TASK, seed=5)
    assert bare.modalities() == [name for name in MODALITIES if name not in ("text", "topic")]
    assert bare.patent_vectors is None
    assert list(bare.code_vectors) == ["graph"]
    assert set(bare.warnings) - set(table.warnings) == {
        "dynamics: no titles or abstracts, so text_drift is left out",
        "text, topic: no titles or abstracts, so both blocks are left out",
    }
    pd.testing.assert_frame_equal(bare.columns, table.columns[bare.columns.columns])


def test_the_network_of_the_window_before_is_todays_at_that_cutoff(sample_corpus: Corpus) -> None:
    """lag 3 of 2008 equals lag 0 of 2005, for pairs of codes known by then; others stand at zero."""
    history = sample_corpus.as_of(pd.Timestamp("2008-12-31").as_unit("s"))
    pairs = candidate_pairs(history, TASK).pairs
    earlier = history.as_of(years_before(history.cutoff, TASK.window))
    known = np.isin(pairs.codes, earlier.incidence("ipc", "subclass").codes)
    both = known[pairs.a] & known[pairs.b]
    part = dataclasses.replace(pairs, table=pairs.table[both].reset_index(drop=True), a=pairs.a[both], b=pairs.b[both])
    now, then = network(history, pairs, TASK).columns, network(earlier, part, TASK).columns
    lagged = [name for name in now if name.endswith("__lag3")]
    assert len(lagged) == 16
    assert not both.all()
    for name in lagged:
        np.testing.assert_array_equal(now[name][both], then[name.replace("lag3", "lag0")])
        assert not now[name][~both].any()


def test_a_corpus_of_one_patent_a_code_has_features_without_a_crash() -> None:
    rows = [{"patent_id": f"US{n}", "date": "2005-06-01", "ipc": c} for n, c in enumerate(["A01B", "F25B", "G06F"])]
    corpus = corpus_from(rows)
    task = TaskConfig(min_patents=1)
    table = build_features(corpus, candidate_pairs(corpus, task).pairs, task, seed=1)
    assert len(table.columns) == 3
    assert table.columns.filter(like="graph__").isna().all(axis=None)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.just(float("nan")), st.sampled_from([-2.0, 0.0, 0.5, 3.0, 1e30])), min_size=1))
def test_ranks_lie_within_0_and_1_keep_order_ties_and_gaps(values: list[float]) -> None:
    column = np.array(values, dtype=np.float32)
    table = FeatureTable(
        pairs=None, columns=pd.DataFrame({"x": column}), code_vectors={}, patent_vectors=None, carriers=None
    )  # type: ignore[arg-type]
    share = ranked(table)["x"].to_numpy()
    known = ~np.isnan(column)
    np.testing.assert_array_equal(np.isnan(share), ~known)
    assert ((share[known] > 0) & (share[known] < 1)).all()
    for x, own in zip(column[known], share[known], strict=True):
        below, same = (column[known] < x).sum(), (column[known] == x).sum()
        assert own == pytest.approx((below + same / 2) / known.sum(), abs=1e-6)


def test_of_too_many_codes_what_is_solved_for_all_at_once_is_left_out_and_said(
    history: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = candidate_pairs(history, TASK).pairs
    wanted = ["network", "cooccurrence", "citation"]
    whole = build_features(history, pairs, TASK, 1, wanted=wanted)
    for module in ("build", "citation", "cooccurrence", "network"):
        monkeypatch.setattr(f"pipeline.features.{module}.MOST_NODES", 5)
    few = build_features(dataclasses.replace(history), pairs, TASK, 1, wanted=wanted)
    lost = {name.split("__")[1] for name in set(whole.columns) - set(few.columns)}
    assert lost == {"katz", "random_walk", "item_based", "reachability"}
    assert any("are too many for what is solved" in warning for warning in few.warnings)
    pd.testing.assert_frame_equal(few.columns, whole.columns[few.columns.columns], check_exact=True)
