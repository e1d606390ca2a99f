"""node2vec vectors of the codes: second-order random walks, then a factorisation of their co-visits.

Walks after Grover & Leskovec (2016), all walkers stepping at once with rejection sampling; the skip-gram with
negative sampling is replaced by the matrix it factorises implicitly, shifted PPMI (Levy & Goldberg 2014), under a
truncated SVD: deterministic, and free of a training loop.
"""

import numpy as np
import scipy.sparse as sp
from sklearn.utils.extmath import randomized_svd

DIMENSION = 32
WALKS = 10  # a node
LENGTH = 40  # nodes a walk
SPAN = 5  # nodes apart within which two visits count as one co-visit
RETURN = 1.0  # p: reluctance to step back
IN_OUT = 0.5  # q: below 1 walks explore outwards
NEGATIVES = 1.0  # k of the skip-gram: the shift is log k


def node2vec(joint: sp.csr_array, seed: int) -> np.ndarray:
    """Vectors (nodes x DIMENSION) of a weighted graph; a node without neighbours gets NaN."""
    size = joint.shape[0]
    linked = np.asarray(joint.sum(axis=1)).ravel() > 0
    vectors = np.full((size, DIMENSION), np.nan)
    if linked.sum() < 2:
        return vectors
    graph = sp.csr_array(joint[linked][:, linked]).astype(float)
    graph.sort_indices()
    visits = _co_visits(_walks(graph, np.random.default_rng(seed)), graph.shape[0])
    vectors[linked] = _factorise(_shifted_ppmi(visits), seed)
    return vectors


def _walks(graph: sp.csr_array, rng: np.random.Generator) -> np.ndarray:
    """Node numbers, one row a walk (WALKS from each node) of LENGTH nodes."""
    edges = _Edges(graph)
    walks = np.empty((graph.shape[0] * WALKS, LENGTH), dtype=np.int64)
    walks[:, 0] = np.tile(np.arange(graph.shape[0]), WALKS)
    walks[:, 1] = edges.step(walks[:, 0], rng)
    for position in range(2, LENGTH):
        walks[:, position] = _second_order_step(edges, walks[:, position - 2], walks[:, position - 1], rng)
    return walks


def _second_order_step(edges: "_Edges", before: np.ndarray, here: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Step by the weights, accept by 1/p (back), 1 (to a neighbour of before) or 1/q (outwards) over their maximum."""
    highest = max(1 / RETURN, 1.0, 1 / IN_OUT)
    chosen = np.empty_like(here)
    waiting = np.arange(len(here))
    while len(waiting):
        proposal = edges.step(here[waiting], rng)
        bias = np.where(edges.exist(before[waiting], proposal), 1.0, 1 / IN_OUT)
        bias[proposal == before[waiting]] = 1 / RETURN
        accepted = rng.random(len(waiting)) * highest < bias
        chosen[waiting[accepted]] = proposal[accepted]
        waiting = waiting[~accepted]
    return chosen


class _Edges:
    """Weighted neighbour sampling and edge look-up, vectorised over walkers."""

    def __init__(self, graph: sp.csr_array) -> None:
        self._start = graph.indptr
        self._neighbour = graph.indices
        self._cumulative = np.concatenate([[0.0], np.cumsum(graph.data)])
        row = np.repeat(np.arange(graph.shape[0], dtype=np.int64), np.diff(graph.indptr))
        self._size = graph.shape[0]
        self._keys = row * self._size + graph.indices  # sorted, since rows and their indices are

    def step(self, here: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        low, high = self._cumulative[self._start[here]], self._cumulative[self._start[here + 1]]
        edge = np.searchsorted(self._cumulative, low + rng.random(len(here)) * (high - low), side="right") - 1
        return np.asarray(self._neighbour[np.clip(edge, self._start[here], self._start[here + 1] - 1)], dtype=np.int64)

    def exist(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        key = left * self._size + right
        position = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        return np.asarray(self._keys[position] == key)


def _co_visits(walks: np.ndarray, size: int) -> sp.csr_array:
    counts = sp.csr_array((size, size))
    for apart in range(1, SPAN + 1):
        left, right = walks[:, :-apart].ravel(), walks[:, apart:].ravel()
        counts = counts + sp.csr_array((np.ones(len(left)), (left, right)), shape=(size, size))
    return sp.csr_array(counts + counts.T)


def _shifted_ppmi(visits: sp.csr_array) -> sp.csr_array:
    table = visits.tocoo()
    share = np.asarray(visits.sum(axis=0)).ravel() / visits.sum()
    lift = table.data / visits.sum() / (share[table.row] * share[table.col])
    value = np.maximum(np.log(lift) - np.log(NEGATIVES), 0.0)
    return sp.csr_array((value, (table.row, table.col)), shape=visits.shape)


def _factorise(matrix: sp.csr_array, seed: int) -> np.ndarray:
    rank = min(DIMENSION, matrix.shape[0])
    left, strength, _ = randomized_svd(matrix, n_components=rank, n_iter=7, random_state=seed)
    return np.pad(left * np.sqrt(strength), ((0, 0), (0, DIMENSION - rank)))
