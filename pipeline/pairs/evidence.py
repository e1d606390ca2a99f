"""Which pairs of codes have any evidence for each other: what is ranked where all pairs would be too many.

Five kinds, each as far as the history has its source: a *neighbour* that both codes have met; *parents* that are one
or have met, a level up; a *citation* of one by the other, or of one document by both; near *texts*; a joint patent in
the *background*. Nothing is made for all pairs: a kind is found some codes at a time, and of each code only its
``most`` strongest pairs by kind are kept.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.background.summary import Summary
from pipeline.config import TaskConfig
from pipeline.corpus.symbols import roll_up
from pipeline.corpus.timeline import Corpus, Incidence
from pipeline.schemas import LEVELS

NEAREST = 50  # codes of the nearest texts that count as evidence
CELLS = 20_000_000  # of a codes x codes matrix that are worked on at once


def evidence(
    history: Corpus, task: TaskConfig, codes: np.ndarray, most: int, outside: Summary | None = None
) -> dict[str, sp.csr_array]:
    """By kind, which of the codes have it (codes x codes, symmetric, bool, the diagonal empty); linked pairs too.

    ``codes``: sorted, of the history. ``most``: pairs of a code by one kind, the strongest. ``outside``: the
    background's summary, whole; it is cut at the history's cutoff. A kind without a source is absent.
    """
    incidence = history.incidence(task.scheme, task.level)
    place = np.searchsorted(incidence.codes, codes)
    carried = sp.csr_array(incidence.matrix[:, place])
    met = _binary(incidence.joint()[place])
    found = {"neighbour": _strongest(_sharing(met), len(codes), most)}
    if task.level != LEVELS[0]:
        found["parent"] = _strongest(_of_parents(incidence, codes, task.level), len(codes), most)
    if (history.citations["kind"] == "patent").any():
        found["citation"] = _cited(history, carried, most)
    if history.embeddings is not None and history.embeddings.any():
        found["text"] = _near(carried, history.embeddings, min(NEAREST, most))
    if outside is not None:
        found["background"] = _met_outside(outside, history, codes)
    return found


def _sharing(profile: sp.csr_array) -> Iterator[sp.csr_array]:
    """What each code shares with every other, some codes at a time: the sum of 1 / codes that have it (resource
    allocation, where it is a neighbour). ``profile``: codes x things, 0/1."""
    having = np.asarray(profile.sum(axis=0)).ravel()
    weight = np.divide(1.0, having, out=np.zeros_like(having), where=having > 0)
    weighted = sp.csr_array(profile @ sp.diags_array(weight))
    others = sp.csr_array(profile.T)
    for rows in _some(profile.shape[0]):
        yield sp.csr_array(weighted[rows] @ others)


def _of_parents(incidence: Incidence, codes: np.ndarray, level: str) -> Iterator[sp.csr_array]:
    """How often the parents of two codes met, over the root of their patents' product, some codes at a time; a parent
    has met itself on all of its patents."""
    above = LEVELS[LEVELS.index(level) - 1]
    parent, names = pd.factorize(roll_up(pd.Series(incidence.codes), above), sort=True)
    carried = _binary(sp.csr_array(incidence.matrix @ _members(parent, len(names))))
    root = np.sqrt(np.maximum(np.asarray(carried.sum(axis=0)).ravel(), 1.0))
    unit = sp.csr_array(carried @ sp.diags_array(1 / root))
    met = sp.csr_array(unit.T @ unit)
    own = _members(parent[np.searchsorted(incidence.codes, codes)], len(names))
    for rows in _some(len(codes)):
        yield sp.csr_array(own[rows] @ met @ own.T)


def _members(group: np.ndarray, groups: int) -> sp.csr_array:
    """Which group each belongs to (members x groups, 0/1)."""
    return sp.csr_array((np.ones(len(group)), (np.arange(len(group)), group)), shape=(len(group), groups))


def _near(carried: sp.csr_array, vectors: np.ndarray, most: int) -> sp.csr_array:
    """Of each code the ``most`` others whose mean text lies nearest; a code without text has none."""
    spoken = np.any(vectors, axis=1)
    mean = sp.csr_array(carried[spoken].T) @ vectors[spoken].astype(np.float64)
    length = np.linalg.norm(mean, axis=1)
    (having,) = np.nonzero(length > 0)
    unit = (mean[having] / length[having, None]).astype(np.float32)
    most = min(most, len(having) - 1)
    near = [np.zeros((0, max(most, 0)), dtype=np.int64)]
    for rows in _some(len(unit)) if most > 0 else ():
        cosine = unit[rows] @ unit.T
        cosine[np.arange(len(cosine)), np.arange(rows.start, rows.stop)] = -np.inf
        near.append(np.argpartition(-cosine, most - 1, axis=1)[:, :most])
    nearest = np.concatenate(near)
    return _pattern(np.repeat(having[: len(nearest)], max(most, 0)), having[nearest.ravel()], carried.shape[1])


def _cited(history: Corpus, carried: sp.csr_array, most: int) -> sp.csr_array:
    """Codes whose patents cite one another, or one document."""
    table = history.citations[history.citations["kind"] == "patent"]
    citing, cited = history.row_of(table["citing"]), history.row_of(table["cited"])
    document, ids = pd.factorize(table["cited_key"])
    patents = len(history.patents)
    documents = _binary(sp.csr_array((np.ones(len(citing)), (citing, document)), shape=(patents, len(ids))))
    known = cited >= 0
    inside = sp.csr_array((np.ones(known.sum()), (citing[known], cited[known])), shape=(patents, patents))
    flow = sp.csr_array(carried.T @ inside @ carried)
    size = carried.shape[1]
    together = _strongest(_sharing(_binary(sp.csr_array(carried.T @ documents))), size, most)
    direct = _strongest(iter([sp.csr_array(flow + flow.T)]), size, most)
    return sp.csr_array((together + direct).astype(bool))


def _met_outside(outside: Summary, history: Corpus, codes: np.ndarray) -> sp.csr_array:
    snapshot = outside.until(history.cutoff)
    place = pd.Index(codes).get_indexer(pd.Index(snapshot.codes))
    joint = snapshot.joint.tocoo()
    a, b = place[joint.row], place[joint.col]
    both = (a >= 0) & (b >= 0)
    return _pattern(a[both], b[both], len(codes))


def _strongest(parts: Iterator[sp.csr_array], size: int, most: int) -> sp.csr_array:
    """Of each code the ``most`` others with the highest values, of equal ones the first; parts of rows, in order."""
    a, b, first = [], [], 0
    for part in parts:
        rows, columns, values = _entries(part, first)
        first += part.shape[0]
        if len(rows) and np.bincount(rows).max() > most:
            order = np.lexsort((columns, -values, rows))
            rows, columns = rows[order], columns[order]
            kept = np.arange(len(rows)) - np.searchsorted(rows, rows) < most
            rows, columns = rows[kept], columns[kept]
        a.append(rows)
        b.append(columns)
    return _pattern(np.concatenate(a), np.concatenate(b), size)


def _entries(part: sp.csr_array, first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and values of what is stored beside the diagonal; the part begins with row ``first``."""
    entries = part.tocoo()
    rows = entries.row + first
    other = (rows != entries.col) & (entries.data > 0)
    return rows[other], entries.col[other], entries.data[other]


def _pattern(a: np.ndarray, b: np.ndarray, size: int) -> sp.csr_array:
    """Both ways, each place once."""
    both = np.concatenate([a, b]), np.concatenate([b, a])
    return sp.csr_array(sp.csr_array((np.ones(2 * len(a)), both), shape=(size, size)) > 0)


def _some(size: int) -> Iterator[slice]:
    step = max(CELLS // max(size, 1), 1)
    return (slice(start, min(start + step, size)) for start in range(0, size, step))


def _binary(matrix: sp.csr_array) -> sp.csr_array:
    copy = sp.csr_array(matrix.astype(float))
    copy.sum_duplicates()
    copy.data[:] = 1.0
    return copy
