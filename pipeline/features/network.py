"""Indices of the code co-occurrence network for all pairs at once (method A2), by sparse and dense products.

Notation: A the 0/1 adjacency, k the degrees, G(x) the neighbours of x. Every function takes the whole graph and the
node numbers of the candidate codes, and gives matrices over those candidates, or over some rows and columns of them.
"""

import dataclasses
import functools
from collections.abc import Iterator

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from pipeline.features.base import binary, dense_product

KATZ_DAMPING = 0.5  # beta as a share of 1 / largest eigenvalue, where the series stops to converge
RESTART = 0.15  # chance of the random walk to jump home at each step
LOCAL_PATH_EPSILON = 0.01  # weight of paths of length three (Lü, Jin & Zhou 2009)
LARGE = 2000  # nodes from which on Cholesky's third of the work is worth another last bit than the plain solve's
MIRRORED = 512  # rows at once where a triangle is copied to the other side
DENSE_NODES = 8000  # up to here an exact dense solve is faster than iterating
MOST_NODES = 12_000  # above, what is solved for all nodes at once (10 GB by then) is left out

INDICES = (
    "neighbours_mean",
    "neighbours_min",
    "neighbours_range",
    "common_neighbours",
    "adamic_adar",
    "salton",
    "jaccard",
    "hub_promoted",
    "hub_depressed",
    "sorensen",
    "leicht_holme_newman",
    "preferential_attachment",
    "resource_allocation",
    "katz",
    "random_walk",
    "local_path",
)


def network_indices(joint: sp.csr_array, nodes: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """``Graph.indices`` of all pairs of the nodes: (name, matrix nodes x nodes)."""
    return Graph(joint, nodes).indices()


ALL = slice(None)


@dataclasses.dataclass(frozen=True)
class Graph:
    """A co-occurrence graph and the nodes whose pairs are asked for, ready to give its indices block by block.

    ``joint``: symmetric joint-patent counts with an empty diagonal. ``solved``: precision in which Katz and the random
    walk, which are solved for all nodes at once, are kept.
    """

    joint: sp.csr_array
    nodes: np.ndarray
    solved: type[np.floating] = np.float64

    def indices(self, rows: slice = ALL, columns: slice = ALL) -> Iterator[tuple[str, np.ndarray]]:
        """Yield (name, matrix rows x columns of the nodes, float64) for the 14 indices of A2, one matrix at a time.

        The neighbour counts of the two codes, being values of a code, come as their mean, minimum and range. Where an
        index divides by zero it is 0, as in networkx. Of two linked nodes, the link itself counts in the degrees, in
        Katz, the random walk and the paths of three steps. No value depends on which rows and columns are asked for.
        Of a graph of more than ``MOST_NODES`` Katz and the random walk are left out.
        """
        k = self.degree[self.nodes]
        here, there = k[rows], k[columns]
        k_min, k_max = np.minimum.outer(here, there), np.maximum.outer(here, there)
        yield "neighbours_mean", np.add.outer(here, there) / 2
        yield "neighbours_min", k_min
        yield "neighbours_range", k_max - k_min
        others = self.lines[columns]
        common = dense_product(self.lines[rows], others)
        yield "common_neighbours", common
        with np.errstate(divide="ignore"):
            yield "adamic_adar", dense_product(self._weighted(1 / np.log(self.degree), rows), others)
        product = np.multiply.outer(here, there)
        yield "salton", _divide(common, np.sqrt(product))
        yield "jaccard", _divide(common, np.add.outer(here, there) - common)
        yield "hub_promoted", _divide(common, k_min)
        yield "hub_depressed", _divide(common, k_max)
        yield "sorensen", _divide(2 * common, np.add.outer(here, there))
        yield "leicht_holme_newman", _divide(common, product)
        yield "preferential_attachment", product
        with np.errstate(divide="ignore"):
            yield "resource_allocation", dense_product(self._weighted(1 / self.degree, rows), others)
        if self.adjacency.shape[0] <= MOST_NODES:
            yield "katz", self.katz[rows, columns]
            yield "random_walk", self.random_walk[rows, columns]
        two_steps = dense_product(self.adjacency, self.lines[rows])  # paths from every node to the rows
        yield "local_path", common + LOCAL_PATH_EPSILON * (others @ two_steps).T

    @functools.cached_property
    def adjacency(self) -> sp.csr_array:
        """Who is linked to whom, 0/1."""
        return binary(self.joint)

    @functools.cached_property
    def degree(self) -> np.ndarray:
        """Neighbours of each node of the graph."""
        return np.asarray(self.adjacency.sum(axis=0)).ravel()

    @functools.cached_property
    def lines(self) -> sp.csr_array:
        """The rows of the adjacency that are asked for."""
        return self.adjacency[self.nodes]

    @functools.cached_property
    def katz(self) -> np.ndarray:
        """See ``katz``."""
        return katz(self.adjacency, self.nodes).astype(self.solved, copy=False)

    @functools.cached_property
    def random_walk(self) -> np.ndarray:
        """See ``random_walk``."""
        return random_walk(self.adjacency, self.nodes).astype(self.solved, copy=False)

    def _weighted(self, weight: np.ndarray, rows: slice) -> sp.csr_array:
        # a node of degree 0 or 1 is nobody's common neighbour: its infinite weight must not meet a zero
        weight = np.where(np.isfinite(weight), weight, 0.0)
        return sp.csr_array(self.lines[rows] @ sp.diags_array(weight))


def weighted_common_neighbours(
    joint: sp.csr_array, nodes: np.ndarray, rows: slice = ALL, columns: slice = ALL
) -> np.ndarray:
    """Sum over common neighbours z of (w_xz + w_yz) on the joint-patent counts (Murata & Moriyasu 2007)."""
    here, there = joint[nodes[rows]], joint[nodes[columns]]
    return dense_product(here, binary(there)) + dense_product(there, binary(here)).T


def katz(adjacency: sp.csr_array, nodes: np.ndarray) -> np.ndarray:
    """Katz sum_l beta^l A^l = (I - beta A)^-1 - I between the nodes, beta = KATZ_DAMPING / largest eigenvalue."""
    largest = _largest_eigenvalue(adjacency)
    if largest == 0:
        return np.zeros((len(nodes), len(nodes)))
    beta = KATZ_DAMPING / largest
    if LARGE < adjacency.shape[0] <= DENSE_NODES:
        paths = _between(_symmetric_resolvent(beta * adjacency), nodes)
    else:
        paths = _resolvent(beta * adjacency, nodes)
    np.einsum("ii->i", paths)[:] -= 1.0
    return paths


def random_walk(adjacency: sp.csr_array, nodes: np.ndarray) -> np.ndarray:
    """Random walk with restart q_xy + q_yx, q_x = c (I - (1 - c) P^T)^-1 e_x (Tong, Faloutsos & Pan 2006)."""
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    if LARGE < adjacency.shape[0] <= DENSE_NODES:
        # P^T is similar to the symmetric D^-1/2 A D^-1/2; a node without neighbours stays at home either way
        root = np.sqrt(np.maximum(degree, 1.0))
        scale = sp.diags_array(1 / root)
        visits = _between(_symmetric_resolvent((1 - RESTART) * (scale @ adjacency @ scale)), nodes)
        visits *= RESTART * root[nodes, None]  # in place: each such matrix is half a gigabyte
        visits /= root[nodes]
        return visits + visits.T
    transition = sp.diags_array(_divide(np.ones_like(degree), degree)) @ adjacency
    visits = RESTART * _resolvent(sp.csr_array((1 - RESTART) * transition.T), nodes)
    return visits + visits.T


def _resolvent(matrix: sp.csr_array, nodes: np.ndarray) -> np.ndarray:
    """The block of (I - matrix)^-1 between the nodes, for a matrix whose powers vanish."""
    size = matrix.shape[0]
    start = np.zeros((size, len(nodes)))
    start[nodes, np.arange(len(nodes))] = 1.0
    if size <= DENSE_NODES:
        return scipy.linalg.solve(np.eye(size) - matrix.toarray(), start, overwrite_a=True, check_finite=False)[nodes]
    total, term = start.copy(), start
    while True:  # Neumann series: each term is smaller than the last by a fixed factor
        term = matrix @ term
        total += term
        if np.abs(term).max() <= np.finfo(float).eps * np.abs(total).max():
            return np.asarray(total[nodes])


def _between(matrix: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """The rows and columns of the nodes; the matrix itself where these are all, in order."""
    return matrix if np.array_equal(nodes, np.arange(len(matrix))) else matrix[np.ix_(nodes, nodes)]


def _symmetric_resolvent(matrix: sp.csr_array) -> np.ndarray:
    """(I - matrix)^-1 of a symmetric matrix whose powers vanish, by Cholesky's factors."""
    whole = (-matrix).toarray()
    np.einsum("ii->i", whole)[:] += 1.0
    factor, failed = scipy.linalg.lapack.dpotrf(whole.T, lower=1, overwrite_a=1)
    half, _ = scipy.linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
    if failed:
        raise ArithmeticError("a matrix that had to be positive definite is not")
    for start in range(0, len(half), MIRRORED):  # only the lower triangle was filled in
        stop = start + MIRRORED
        half[start:stop, stop:] = half[stop:, start:stop].T
        square = half[start:stop, start:stop]
        square[:] = np.tril(square) + np.tril(square, -1).T
    return np.asarray(half)


def _largest_eigenvalue(adjacency: sp.csr_array) -> float:
    if adjacency.nnz == 0:
        return 0.0
    if adjacency.shape[0] < 3:  # Lanczos needs more rows than eigenvalues
        return float(np.linalg.eigvalsh(adjacency.toarray())[-1])
    start = np.ones(adjacency.shape[0])  # a fixed start keeps two runs equal to the last bit
    return float(sp.linalg.eigsh(adjacency, k=1, which="LA", v0=start, return_eigenvectors=False)[0])


def _divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator, dtype=float), where=denominator != 0)
