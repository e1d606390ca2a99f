"""Every index of method A2 against networkx, or against its formula written out with sets and plain dense matrices."""

import itertools
from collections.abc import Callable

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from cases import real_data
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pipeline.corpus.ingest import ingest
from pipeline.features import network
from pipeline.features.network import INDICES, network_indices, weighted_common_neighbours

TOLERANCE = 1e-9


def oracle(joint: np.ndarray, nodes: np.ndarray) -> dict[str, np.ndarray]:
    """Each index for each pair of different nodes, one pair at a time."""
    graph = nx.from_numpy_array((joint > 0).astype(float))
    pairs = list(itertools.combinations(nodes.tolist(), 2))
    near = {node: set(graph[node]) for node in graph}
    adjacency = (joint > 0).astype(float)
    katz, walk = katz_series(adjacency), walk_by_power(adjacency)
    paths = adjacency @ adjacency + network.LOCAL_PATH_EPSILON * adjacency @ adjacency @ adjacency

    def of(function: Callable[..., object]) -> list[float]:
        return [value for _, _, value in function(graph, pairs)]  # type: ignore[attr-defined]

    def by_sets(formula: Callable[[int, int, int], float]) -> list[float]:
        return [formula(len(near[x] & near[y]), len(near[x]), len(near[y])) for x, y in pairs]

    def over(top: float, bottom: float) -> float:
        return top / bottom if bottom else 0.0

    return {
        "neighbours_mean": by_sets(lambda _, x, y: (x + y) / 2),
        "neighbours_min": by_sets(lambda _, x, y: min(x, y)),
        "neighbours_range": by_sets(lambda _, x, y: abs(x - y)),
        "common_neighbours": [len(list(nx.common_neighbors(graph, x, y))) for x, y in pairs],
        "adamic_adar": of(nx.adamic_adar_index),
        "salton": by_sets(lambda c, x, y: over(c, (x * y) ** 0.5)),
        "jaccard": of(nx.jaccard_coefficient),
        "hub_promoted": by_sets(lambda c, x, y: over(c, min(x, y))),
        "hub_depressed": by_sets(lambda c, x, y: over(c, max(x, y))),
        "sorensen": by_sets(lambda c, x, y: over(2 * c, x + y)),
        "leicht_holme_newman": by_sets(lambda c, x, y: over(c, x * y)),
        "preferential_attachment": of(nx.preferential_attachment),
        "resource_allocation": of(nx.resource_allocation_index),
        "katz": [katz[x, y] for x, y in pairs],
        "random_walk": [walk[x, y] + walk[y, x] for x, y in pairs],
        "local_path": [paths[x, y] for x, y in pairs],
    }


def katz_series(adjacency: np.ndarray) -> np.ndarray:
    """The sum of beta^l A^l over path lengths l, until the terms vanish."""
    if not adjacency.any():
        return np.zeros_like(adjacency)
    step = network.KATZ_DAMPING / np.linalg.eigvalsh(adjacency)[-1] * adjacency
    total, term = np.zeros_like(adjacency), np.eye(len(adjacency))
    for _ in range(80):  # terms shrink by a half or more
        term = term @ step
        total += term
    return total


def walk_by_power(adjacency: np.ndarray) -> np.ndarray:
    """Row x: where a walker from x stands in the long run, who jumps home with chance RESTART; by iteration."""
    degree = adjacency.sum(axis=1, keepdims=True)
    transition = np.divide(adjacency, degree, out=np.zeros_like(adjacency), where=degree > 0)
    home = np.eye(len(adjacency))
    stand = home.copy()
    for _ in range(250):  # .85^250 < 1e-17
        stand = network.RESTART * home + (1 - network.RESTART) * stand @ transition
    return stand


def check(joint: np.ndarray, nodes: np.ndarray) -> None:
    expected = oracle(joint, nodes)
    got = dict(network_indices(sp.csr_array(joint), nodes))
    assert tuple(got) == INDICES
    x, y = np.triu_indices(len(nodes), k=1)
    for name, matrix in got.items():
        assert matrix.shape == (len(nodes), len(nodes))
        assert_allclose(matrix[x, y], expected[name], rtol=TOLERANCE, atol=TOLERANCE, err_msg=name)
        assert_allclose(matrix, matrix.T, rtol=TOLERANCE, atol=TOLERANCE, err_msg=name)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Joint counts of 2 to 9 codes, isolated ones among them, and some of the codes in any order."""
    size = draw(st.integers(2, 9))
    edges = size * (size - 1) // 2
    weights = draw(st.lists(st.sampled_from([0, 0, 0, 1, 2, 7]), min_size=edges, max_size=edges))
    joint = np.zeros((size, size))
    joint[np.triu_indices(size, k=1)] = weights
    nodes = draw(st.lists(st.integers(0, size - 1), unique=True, min_size=1))
    return joint + joint.T, np.array(nodes)


@pytest.fixture(scope="module")
def real_graph() -> sp.csr_array:
    corpus = ingest([real_data("corpora/dpl_google.parquet")]).corpus
    return corpus.as_of(pd.Timestamp("2010-12-31")).incidence("ipc", "subclass").joint()


def test_on_a_real_co_occurrence_graph(real_graph: sp.csr_array) -> None:
    joint = real_graph.toarray()
    assert len(joint) > 50
    check(joint, np.arange(len(joint)))


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_on_random_graphs(case: tuple[np.ndarray, np.ndarray]) -> None:
    check(*case)


@pytest.mark.parametrize("joint", [np.zeros((2, 2)), np.zeros((5, 5)), np.array([[0.0, 3.0], [3.0, 0.0]])])
def test_on_graphs_of_two_nodes_or_without_a_link(joint: np.ndarray) -> None:
    check(joint, np.arange(len(joint)))


def test_no_candidates_give_empty_matrices() -> None:
    joint = sp.csr_array(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]))
    assert {matrix.shape for _, matrix in network_indices(joint, np.array([], dtype=int))} == {(0, 0)}


@settings(max_examples=40, deadline=None)
@given(graphs())
def test_summing_the_series_equals_the_dense_solve(case: tuple[np.ndarray, np.ndarray]) -> None:
    joint, nodes = sp.csr_array(case[0]), case[1]
    dense = dict(network_indices(joint, nodes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "DENSE_NODES", 0)
        series = dict(network_indices(joint, nodes))
    for name in ("katz", "random_walk"):
        assert_allclose(series[name], dense[name], rtol=TOLERANCE, atol=TOLERANCE, err_msg=name)


def test_summing_the_series_equals_the_dense_solve_on_a_real_graph(
    real_graph: sp.csr_array, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = np.arange(0, real_graph.shape[0], 2)
    dense = dict(network_indices(real_graph, nodes))
    monkeypatch.setattr(network, "DENSE_NODES", 0)
    series = dict(network_indices(real_graph, nodes))
    for name in ("katz", "random_walk"):
        assert_allclose(series[name], dense[name], rtol=TOLERANCE, atol=TOLERANCE, err_msg=name)


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_weighted_common_neighbours_add_both_weights_of_each_shared_partner(
    case: tuple[np.ndarray, np.ndarray],
) -> None:
    joint, nodes = case
    got = weighted_common_neighbours(sp.csr_array(joint), nodes)
    for i, x in enumerate(nodes):
        for j, y in enumerate(nodes):
            shared = [z for z in range(len(joint)) if joint[x, z] and joint[y, z]]
            assert got[i, j] == sum(joint[x, z] + joint[y, z] for z in shared)
