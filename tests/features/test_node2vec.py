"""Second-order walks and the vectors made of them."""

import numpy as np
import pytest
import scipy.sparse as sp

from pipeline.features import node2vec as module
from pipeline.features.node2vec import DIMENSION, IN_OUT, RETURN, node2vec


def graph_of(edges: list[tuple[int, int, float]], size: int) -> sp.csr_array:
    joint = np.zeros((size, size))
    for x, y, weight in edges:
        joint[x, y] = joint[y, x] = weight
    return sp.csr_array(joint)


TWO_CLIQUES = graph_of(
    [(x, y, 1.0) for x in range(12) for y in range(x) if (x < 6) == (y < 6)] + [(5, 6, 1.0)], size=13
)  # node 12 has no neighbour


def test_neighbours_are_closer_than_strangers_and_a_lonely_node_has_no_vector() -> None:
    vectors = node2vec(TWO_CLIQUES, seed=3)
    assert vectors.shape == (13, DIMENSION)
    assert np.isnan(vectors[12]).all()
    unit = vectors[:12] / np.linalg.norm(vectors[:12], axis=1, keepdims=True)
    cosine = unit @ unit.T
    same = np.equal.outer(np.arange(12) < 6, np.arange(12) < 6)
    assert cosine[same].min() > cosine[~same].max()


def test_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    assert node2vec(TWO_CLIQUES, seed=3).tobytes() == node2vec(TWO_CLIQUES, seed=3).tobytes()
    assert node2vec(TWO_CLIQUES, seed=3).tobytes() != node2vec(TWO_CLIQUES, seed=4).tobytes()


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_graph_without_links_has_no_vectors(size: int) -> None:
    assert np.isnan(node2vec(sp.csr_array((size, size)), seed=3)).all()


def test_two_linked_nodes_have_vectors() -> None:
    assert np.isfinite(node2vec(graph_of([(0, 1, 2.0)], 2), seed=3)).all()


# 0 is tied to 1, 2 and 3; 1 to 2; 3 to 4
SMALL = graph_of([(0, 1, 1.0), (0, 2, 2.0), (0, 3, 4.0), (1, 2, 1.0), (3, 4, 1.0)], size=5)


@pytest.mark.parametrize(("before", "here"), [(1, 0), (3, 0), (2, 1), (0, 3), (4, 3)])
def test_a_step_of_the_walk_has_the_chances_of_the_definition(before: int, here: int) -> None:
    """Weight x 1/p back, x 1 to a neighbour of the node before, x 1/q outwards (Grover & Leskovec 2016)."""
    weights = SMALL.toarray()
    bias = np.where(weights[before] > 0, 1.0, 1 / IN_OUT)
    bias[before] = 1 / RETURN
    exact = weights[here] * bias / (weights[here] * bias).sum()
    many = 40_000
    step = module._second_order_step(
        module._Edges(SMALL), np.full(many, before), np.full(many, here), np.random.default_rng(0)
    )
    share = np.bincount(step, minlength=5) / many
    assert not share[exact == 0].any()
    np.testing.assert_allclose(share, exact, atol=4 * 0.5 / np.sqrt(many))  # four standard errors


def test_a_first_step_follows_the_weights() -> None:
    step = module._Edges(SMALL).step(np.zeros(40_000, dtype=int), np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(step, minlength=5) / 40_000, [0, 1 / 7, 2 / 7, 4 / 7, 0], atol=0.01)


def test_every_walk_moves_along_links_from_every_node() -> None:
    walks = module._walks(SMALL, np.random.default_rng(0))
    assert walks.shape == (5 * module.WALKS, module.LENGTH)
    assert np.bincount(walks[:, 0]).tolist() == [module.WALKS] * 5
    assert (SMALL.toarray()[walks[:, :-1], walks[:, 1:]] > 0).all()


def test_co_visits_count_each_two_nodes_within_the_span_once_each_way() -> None:
    walks = np.array([[0, 1, 2, 0, 1, 2, 3, 3]])
    expected = np.zeros((4, 4))
    for i in range(8):
        for j in range(8):
            if 0 < abs(i - j) <= module.SPAN:
                expected[walks[0, i], walks[0, j]] += 1
    assert module._co_visits(walks, 4).toarray().tolist() == expected.tolist()
