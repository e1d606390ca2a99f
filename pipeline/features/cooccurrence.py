"""Second-order statistics of co-occurrence: what the rows of the joint-count matrix say of a pair never seen together.

Beyond recipe A (method B3, B4): weighted and decayed neighbourhoods, PPMI profiles, a low-rank reconstruction,
back-off up the hierarchy, and how open a code has lately been to new partners.
"""

import dataclasses

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.utils.extmath import randomized_svd

from pipeline.config import TaskConfig
from pipeline.corpus.symbols import roll_up
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.features.base import BlockOutput, dense_product, over_both_codes, times_dense
from pipeline.features.bibliometric import positions
from pipeline.features.network import MOST_NODES, weighted_common_neighbours
from pipeline.pairs.base import WHOLE, CandidatePairs
from pipeline.schemas import LEVELS

RANK = 16  # of the low-rank reconstruction
HALF_LIFE = 3.0  # years after which a patent weighs half in the decayed neighbourhood


def cooccurrence(history: Corpus, pairs: CandidatePairs, task: TaskConfig, seed: int) -> BlockOutput:
    """Pair statistics from the joint counts of all history, decayed by age, and of the codes' parents.

    Of a linked pair (strengthening track) the low-rank estimate and the parents' joint counts contain its own joint
    patents, all known at the cutoff; the neighbourhoods and ``item_based`` do not, their diagonals being empty.
    """
    known = history.once(_known, task, pairs.codes, seed)
    grid = pairs.grid
    part = grid.rows, grid.columns
    columns = {
        "weighted_common_neighbours__all": weighted_common_neighbours(known.joint, known.nodes, *part),
        "weighted_common_neighbours__decayed": weighted_common_neighbours(known.decayed, known.nodes, *part),
        "ppmi_cosine__all": dense_product(*(known.profiles[some] for some in part)),
        "ppmi_cosine__decayed": dense_product(*(known.decayed_profiles[some] for some in part)),
        "low_rank__all": known.low_rank.between(*part),
        **({} if known.item_based is None else {"item_based__all": known.item_based[part]}),
        "activity_product__all": np.multiply.outer(*(known.counts[known.nodes[some]] for some in part)),
        "activity_product__decayed": np.multiply.outer(*(known.activity[some] for some in part)),
    }
    flat = {f"cooccurrence__{name}__lag0": grid.at(matrix) for name, matrix in columns.items()}
    if task.track == "strengthening":
        flat |= _own_link(history, task, known.joint, known.decayed, known.nodes, pairs)
    flat |= _parents(task.level, history.incidence(task.scheme, task.level).codes, known, pairs)
    openness = history.once(_openness, task, pairs.codes)
    flat |= over_both_codes("cooccurrence__new_partners", f"w{task.window}__lag0", openness, pairs)
    return BlockOutput(columns=flat)


@dataclasses.dataclass(frozen=True)
class LowRank:
    """A truncated SVD of PPMI profiles: ``left`` (codes x rank, scaled) times ``right`` (rank x codes)."""

    left: np.ndarray
    right: np.ndarray

    def between(self, rows: slice, columns: slice) -> np.ndarray:
        """The estimate of the PPMI of pairs of codes, the mean of both ways."""
        there = self.left[rows] @ self.right[:, columns]
        back = self.left[columns] @ self.right[:, rows]
        return np.asarray((there + back.T) / 2)


@dataclasses.dataclass(frozen=True)
class _Known:
    """What the pair statistics are made of, all codes or (``nodes``) the candidate ones; see ``cooccurrence``."""

    nodes: np.ndarray
    counts: np.ndarray
    joint: sp.csr_array
    decayed: sp.csr_array
    profiles: sp.csr_array
    decayed_profiles: sp.csr_array
    low_rank: LowRank
    item_based: np.ndarray | None  # None where it would be a matrix of too many codes
    activity: np.ndarray


def _known(history: Corpus, task: TaskConfig, codes: np.ndarray, seed: int) -> _Known:
    incidence = history.incidence(task.scheme, task.level)
    nodes = positions(incidence.codes, codes)
    joint, decayed = incidence.joint(), _decayed_joint(history, incidence.matrix)
    profile = ppmi(joint)
    return _Known(
        nodes=nodes,
        counts=incidence.counts(),
        joint=joint,
        decayed=decayed,
        profiles=unit_profiles(profile, nodes),
        decayed_profiles=unit_profiles(ppmi(decayed), nodes),
        low_rank=low_rank(profile, nodes, seed),
        item_based=_item_based(joint, nodes) if len(incidence.codes) <= MOST_NODES else None,
        activity=(incidence.matrix.T @ _decayed_weights(history))[nodes],
    )


def ppmi(joint: sp.csr_array) -> sp.csr_array:
    """Positive pointwise mutual information max(0, log p_xy / (p_x p_y)) of joint counts (Church & Hanks 1990)."""
    if joint.nnz == 0:
        return joint
    table = joint.tocoo()
    total = table.data.sum()
    share = np.asarray(joint.sum(axis=0)).ravel() / total
    value = np.log(table.data / total / (share[table.row] * share[table.col]))
    matrix = sp.csr_array((np.maximum(value, 0.0), (table.row, table.col)), shape=joint.shape)
    matrix.eliminate_zeros()
    return matrix


def unit_profiles(profile: sp.csr_array, nodes: np.ndarray) -> sp.csr_array:
    """The profiles of the nodes, of length 1 or empty: their products are cosines."""
    rows = profile[nodes]
    length = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    scale = sp.diags_array(np.divide(1.0, length, out=np.zeros_like(length), where=length > 0))
    return sp.csr_array(scale @ rows)


def low_rank(profile: sp.csr_array, nodes: np.ndarray, seed: int) -> LowRank:
    """The truncated SVD of the profiles, for the nodes."""
    rank = min(RANK, profile.shape[0] - 1)
    if profile.nnz == 0 or rank < 1:
        return LowRank(np.zeros((len(nodes), 1)), np.zeros((1, len(nodes))))
    left, strength, right = randomized_svd(profile, n_components=rank, n_iter=7, random_state=seed)
    return LowRank(left[nodes] * strength, right[:, nodes])


def _item_based(joint: sp.csr_array, nodes: np.ndarray) -> np.ndarray:
    """Item-based collaborative filtering: how often codes like x (cosine of log counts) met y, and back.

    In single precision, which columns have in the end: it is kept for all codes.
    """
    logged = sp.csr_array(joint, copy=True)
    logged.data = np.log1p(logged.data)
    length = np.sqrt(np.asarray(logged.multiply(logged).sum(axis=1)).ravel())
    scale = sp.diags_array(np.divide(1.0, length, out=np.zeros_like(length), where=length > 0))
    unit = sp.csr_array(scale @ logged)
    met = sp.csr_array(logged[:, nodes].T)
    score = np.empty((len(nodes), len(nodes)))
    for start in range(0, len(nodes), WHOLE):  # as many rows at once bound the memory
        rows = nodes[start : start + WHOLE]
        similar = dense_product(unit[rows], unit)
        similar[np.arange(len(rows)), rows] = 0.0
        total = times_dense(met, similar.T)  # this way round the zeros, most of many codes', are skipped
        score[start : start + WHOLE] = total.T / np.maximum(similar.sum(axis=1, keepdims=True), 1e-12)
    return (score + score.T).astype(np.float32)


def _decayed_weights(history: Corpus) -> np.ndarray:
    age = (history.cutoff - history.patents["knowledge_date"]).dt.days.to_numpy() / 365.25
    return 0.5 ** (age / HALF_LIFE)


def _decayed_joint(history: Corpus, matrix: sp.csr_array) -> sp.csr_array:
    scaled = sp.csr_array(sp.diags_array(np.sqrt(_decayed_weights(history))) @ matrix)
    product = sp.csr_array(scaled.T @ scaled)
    product.setdiag(0)
    product.eliminate_zeros()
    return product


def _parents(level: str, codes: np.ndarray, known: _Known, pairs: CandidatePairs) -> dict[str, np.ndarray]:
    """Back-off: lift between the parents of the two codes, and between each code and the other's parent."""
    if level == LEVELS[0]:
        return {}
    joint, counts, nodes = known.joint, known.counts, known.nodes
    above = LEVELS[LEVELS.index(level) - 1]
    parent, names = pd.factorize(roll_up(pd.Series(codes), above), sort=True)
    member = sp.csr_array((np.ones(len(codes)), (np.arange(len(codes)), parent)), shape=(len(codes), len(names)))
    mass = counts.sum()
    to_parent = (joint @ member).toarray()  # code x parent
    between = member.T @ to_parent  # parent x parent
    share_code, share_parent = counts / mass, (member.T @ counts) / mass
    links = max(joint.sum(), 1.0)  # without any link every lift is 0, not 0/0
    one = to_parent / links / (np.multiply.outer(share_code, share_parent) + 1 / mass)
    two = between / links / (np.multiply.outer(share_parent, share_parent) + 1 / mass)
    a, b = nodes[pairs.a], nodes[pairs.b]
    return {
        "cooccurrence__parent_lift__all__lag0": two[parent[a], parent[b]],
        "cooccurrence__half_parent_lift__all__lag0": one[a, parent[b]] * one[b, parent[a]],
        "cooccurrence__half_parent_joint__all__lag0": to_parent[a, parent[b]] + to_parent[b, parent[a]],
        "cooccurrence__same_parent__all__lag0": (parent[a] == parent[b]).astype(float),
    }


def _own_link(
    history: Corpus,
    task: TaskConfig,
    joint: sp.csr_array,
    decayed: sp.csr_array,
    nodes: np.ndarray,
    pairs: CandidatePairs,
) -> dict[str, np.ndarray]:
    """Joint patents of linked pairs: of all history, decayed, of the last year and of as many years as the horizon.

    Growth: log((n + 1) / (m + 1)) of those years' joint patents n and those m of the as many years before.
    """
    incidence = history.incidence(task.scheme, task.level)

    def at_pairs(counts: sp.csr_array) -> np.ndarray:
        grid = pairs.grid
        return grid.at(counts[nodes[grid.rows]][:, nodes[grid.columns]].toarray())

    columns = {
        "cooccurrence__joint_patents__all__lag0": at_pairs(joint),
        "cooccurrence__joint_patents__decayed__lag0": at_pairs(decayed),
    }
    for years in sorted({1, task.horizon}):
        start, earlier = (history.rows_since(years_before(history.cutoff, n * years)).start for n in (1, 2))
        now = at_pairs(incidence.joint(slice(start, None)))
        before = at_pairs(incidence.joint(slice(earlier, start)))
        columns[f"cooccurrence__joint_patents__w{years}__lag0"] = now
        columns[f"cooccurrence__joint_growth__w{years}__lag0"] = np.log((now + 1) / (before + 1))
    return columns


def _openness(history: Corpus, task: TaskConfig, codes: np.ndarray) -> np.ndarray:
    """Partners a code gained in the window: neighbours now that were none before it."""
    incidence = history.incidence(task.scheme, task.level)
    nodes = positions(incidence.codes, codes)
    before = incidence.joint(slice(0, history.rows_since(years_before(history.cutoff, task.window)).start))
    return (np.diff(incidence.joint().indptr) - np.diff(before.indptr)).astype(float)[nodes]
