"""Features of a part of the candidates are those of the whole: what is asked for beside a pair moves no value."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from pipeline.background.summary import Summary, summarise
from pipeline.config import BLOCKS, TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.encoders.base import patent_texts
from pipeline.encoders.hashing import HashingEncoder
from pipeline.features import cooccurrence, network
from pipeline.features.build import build_features, build_in_parts, feature_columns
from pipeline.features.network import Graph, network_indices
from pipeline.pairs import base, candidates
from pipeline.pairs.candidates import find_candidates

PAIRS_AT_ONCE = 700


@pytest.fixture(scope="module")
def history(sample_corpus: Corpus) -> Corpus:
    vectors = HashingEncoder(max_characters=300).encode(patent_texts(sample_corpus.patents))
    return sample_corpus.with_embeddings(vectors).as_of(pd.Timestamp("2012-12-31").as_unit("s"))


@pytest.fixture(scope="module")
def outside(sample_corpus: Corpus) -> Summary:
    return summarise(sample_corpus, "ipc", "subclass")


@pytest.mark.parametrize("track", ["new", "strengthening"])
def test_columns_of_blocks_put_together_are_those_of_the_whole(
    history: Corpus, outside: Summary, track: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = TaskConfig.model_validate({"track": track})
    found = find_candidates(history, task)
    whole = build_features(history, found.pairs(), task, 5, outside).columns
    monkeypatch.setattr(base, "WHOLE", 4)
    monkeypatch.setattr(cooccurrence, "WHOLE", 7)
    monkeypatch.setattr(candidates, "BLOCK", PAIRS_AT_ONCE)
    fresh = dataclasses.replace(history)  # with nothing kept
    blocks = [found.chosen(a, b) for a, b in found.blocks()]
    assert len(blocks) > (3 if track == "new" else 0)
    parts = [feature_columns(fresh, pairs, task, 5, outside, BLOCKS) for pairs in blocks]
    left_out = set(whole) - set(parts[0])
    assert {c.partition("__")[0] for c in left_out} == {"dynamics", "text"}
    assert all("rank_change" in c for c in left_out if c.startswith("dynamics"))
    for name in parts[0]:
        got = np.concatenate([part[name] for part in parts])
        # products of dense vectors may differ in the last bit of a double, which a float32 seldom sees
        exact = not name.startswith(("graph", "text", "topic", "dynamics__text")) and "low_rank" not in name
        if exact:
            assert_array_equal(got, whole[name].to_numpy(), err_msg=name)
        else:
            assert_allclose(got, whole[name].to_numpy(), rtol=1e-6, atol=1e-6, err_msg=name)


def test_a_sample_strewn_over_all_codes_has_the_columns_of_the_whole(
    history: Corpus, outside: Summary, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = TaskConfig()
    found = find_candidates(history, task)
    every = found.pairs()
    whole = build_features(history, every, task, 5, outside).columns
    a, b = found.sample(300, seed=2)
    monkeypatch.setattr(base, "WHOLE", 4)
    monkeypatch.setattr(candidates, "SPAN", 9)
    table = build_in_parts(history, found.chosen(a, b), task, 5, outside, BLOCKS)
    key = pd.Index(every.a * len(found.codes) + every.b).get_indexer(pd.Index(a * len(found.codes) + b))
    assert (key >= 0).all() and len(table.pairs) == len(table.columns) == 300
    for name in table.columns:
        assert_allclose(table.columns[name], whole[name].to_numpy()[key], rtol=1e-6, atol=1e-6, err_msg=name)


@st.composite
def asked(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, slice, slice]:
    size = draw(st.integers(3, 12))
    weights = draw(st.lists(st.sampled_from([0, 0, 1, 2, 5]), min_size=size * size, max_size=size * size))
    joint = np.triu(np.reshape(weights, (size, size)).astype(float), 1)
    nodes = np.sort(np.array(draw(st.lists(st.integers(0, size - 1), unique=True, min_size=2))))
    ends = [sorted(draw(st.lists(st.integers(0, len(nodes)), min_size=2, max_size=2))) for _ in range(2)]
    return joint + joint.T, nodes, slice(*ends[0]), slice(*ends[1])


@settings(max_examples=60, deadline=None)
@given(asked())
def test_rows_and_columns_of_the_indices_are_those_of_all_to_the_last_bit(
    case: tuple[np.ndarray, np.ndarray, slice, slice],
) -> None:
    joint, nodes, rows, columns = sp.csr_array(case[0]), *case[1:]
    part = dict(Graph(joint, nodes).indices(rows, columns))
    for name, matrix in network_indices(joint, nodes):
        assert_array_equal(part[name], matrix[rows, columns], err_msg=name)


@settings(max_examples=40, deadline=None)
@given(asked())
def test_cholesky_gives_what_the_plain_solve_gives(case: tuple[np.ndarray, np.ndarray, slice, slice]) -> None:
    joint, nodes = sp.csr_array(case[0]), case[1]
    plain = dict(network_indices(joint, nodes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "LARGE", 0)
        patch.setattr(network, "MIRRORED", 2)
        symmetric = dict(network_indices(joint, nodes))
    for name in ("katz", "random_walk"):
        assert_allclose(symmetric[name], plain[name], rtol=1e-9, atol=1e-12, err_msg=name)
