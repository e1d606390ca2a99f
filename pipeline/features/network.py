"""Indices of the code co-occurrence network for all pairs at once (method A2), by sparse and dense products.

Notation: A the 0/1 adjacency, k the degrees, G(x) the neighbours of x. Every function takes the whole graph and the
node numbers of the candidate codes, and yields square matrices over those candidates.
"""

from collections.abc import Iterator

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from pipeline.features.base import binary

KATZ_DAMPING = 0.5  # beta as a share of 1 / largest eigenvalue, where the series stops to converge
RESTART = 0.15  # chance of the random walk to jump home at each step
LOCAL_PATH_EPSILON = 0.01  # weight of paths of length three (Lü, Jin & Zhou 2009)
DENSE_NODES = 8000  # up to here an exact dense solve is faster than iterating

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
    """Yield (name, matrix nodes x nodes, float64) for the 14 indices of A2, one matrix at a time.

    ``joint``: symmetric joint-patent counts with an empty diagonal. The neighbour counts of the two codes, being
    values of a code, come as their mean, minimum and range. Where an index divides by zero it is 0, as in networkx.
    Of two linked nodes, the link itself counts in the degrees, in Katz, the random walk and the paths of three steps.
    """
    adjacency = binary(joint)
    degree = np.asarray(adjacency.sum(axis=0)).ravel()
    k = degree[nodes]
    k_min, k_max = np.minimum.outer(k, k), np.maximum.outer(k, k)
    yield "neighbours_mean", np.add.outer(k, k) / 2
    yield "neighbours_min", k_min
    yield "neighbours_range", k_max - k_min
    rows = adjacency[nodes]
    common = (rows @ rows.T).toarray()
    yield "common_neighbours", common
    with np.errstate(divide="ignore"):
        yield "adamic_adar", _weighted_common(rows, 1 / np.log(degree))
    product = np.multiply.outer(k, k)
    yield "salton", _divide(common, np.sqrt(product))
    yield "jaccard", _divide(common, np.add.outer(k, k) - common)
    yield "hub_promoted", _divide(common, k_min)
    yield "hub_depressed", _divide(common, k_max)
    yield "sorensen", _divide(2 * common, np.add.outer(k, k))
    yield "leicht_holme_newman", _divide(common, product)
    yield "preferential_attachment", product
    with np.errstate(divide="ignore"):
        yield "resource_allocation", _weighted_common(rows, 1 / degree)
    yield "katz", katz(adjacency, nodes)
    yield "random_walk", random_walk(adjacency, nodes)
    yield "local_path", common + LOCAL_PATH_EPSILON * ((rows @ adjacency) @ rows.T).toarray()


def weighted_common_neighbours(joint: sp.csr_array, nodes: np.ndarray) -> np.ndarray:
    """Sum over common neighbours z of (w_xz + w_yz) on the joint-patent counts (Murata & Moriyasu 2007)."""
    rows = joint[nodes]
    one_way = (rows @ binary(rows).T).toarray()
    return np.asarray(one_way + one_way.T)


def katz(adjacency: sp.csr_array, nodes: np.ndarray) -> np.ndarray:
    """Katz sum_l beta^l A^l = (I - beta A)^-1 - I between the nodes, beta = KATZ_DAMPING / largest eigenvalue."""
    largest = _largest_eigenvalue(adjacency)
    if largest == 0:
        return np.zeros((len(nodes), len(nodes)))
    beta = KATZ_DAMPING / largest
    return _resolvent(beta * adjacency, nodes) - np.eye(len(nodes))


def random_walk(adjacency: sp.csr_array, nodes: np.ndarray) -> np.ndarray:
    """Random walk with restart q_xy + q_yx, q_x = c (I - (1 - c) P^T)^-1 e_x (Tong, Faloutsos & Pan 2006)."""
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
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


def _largest_eigenvalue(adjacency: sp.csr_array) -> float:
    if adjacency.nnz == 0:
        return 0.0
    if adjacency.shape[0] < 3:  # Lanczos needs more rows than eigenvalues
        return float(np.linalg.eigvalsh(adjacency.toarray())[-1])
    start = np.ones(adjacency.shape[0])  # a fixed start keeps two runs equal to the last bit
    return float(sp.linalg.eigsh(adjacency, k=1, which="LA", v0=start, return_eigenvectors=False)[0])


def _weighted_common(rows: sp.csr_array, weight: np.ndarray) -> np.ndarray:
    # a node of degree 0 or 1 is nobody's common neighbour: its infinite weight must not meet a zero
    weight = np.where(np.isfinite(weight), weight, 0.0)
    return np.asarray((rows @ sp.diags_array(weight) @ rows.T).toarray())


def _divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator, dtype=float), where=denominator != 0)
