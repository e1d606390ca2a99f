"""People and firms (method B5): whether the same parties are at home in both codes, and who moves into each.

A pair never seen on one patent may well be seen in one firm or one inventor's work: the knowledge lies side by side.
Modality ``people``. Assignees and inventors are told apart; a role that the source lacks is left out. Counts are small
in a domain corpus, so a ratio has SHRINKAGE added to its denominator, as in ``citation.py``.
"""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.features.base import BlockOutput, binary, over_both_codes
from pipeline.features.bibliometric import positions
from pipeline.pairs.base import CandidatePairs
from pipeline.schemas import ROLES

SHRINKAGE = 5.0  # parties: a ratio of as many weighs half


def people(history: Corpus, pairs: CandidatePairs, task: TaskConfig) -> BlockOutput:
    """Pair values of all history and of the recent window; code values of the window as mean, min and range.

    Pair: parties with patents in both codes (count, Jaccard, and ``shared_focus``, where a party counts one over the
    number of its codes), cosine of the codes' patents by party. Code: ``entry_rate``, the share of the window's parties
    that had no patent in the code before it, and ``concentration``, the Herfindahl index of its patents by party. NaN
    where a code has no party of the role: unknown, not zero.
    """
    columns: dict[str, np.ndarray] = {}
    warnings = []
    for role in ROLES:
        parties = history.parties[(history.parties["role"] == role) & (history.parties["party_id"] != "")]
        if parties.empty:
            warnings.append(f"people: no {role}s in the data, so what they share is left out")
            continue
        columns |= {
            f"people__{role}_{name}": values for name, values in _of_role(history, parties, pairs, task).items()
        }
    return BlockOutput(columns=columns, warnings=tuple(warnings))


def _of_role(history: Corpus, parties: pd.DataFrame, pairs: CandidatePairs, task: TaskConfig) -> dict[str, np.ndarray]:
    incidence = history.incidence(task.scheme, task.level)
    nodes = positions(incidence.codes, pairs.codes)
    party, names = pd.factorize(parties["party_id"])
    row = history.row_of(parties["patent_id"])
    named = sp.csr_array((np.ones(len(row)), (party, row)), shape=(len(names), len(history.patents)))
    named.data[:] = 1.0  # a party is named once a patent
    recent = history.rows_since(years_before(history.cutoff, task.window))
    window = f"w{task.window}__lag0"
    portfolios = {"all__lag0": slice(None), window: recent}
    columns: dict[str, np.ndarray] = {}
    for suffix, rows in portfolios.items():
        held = sp.csr_array(named[:, rows] @ incidence.matrix[rows])  # patents, parties x all codes
        columns |= {f"{name}__{suffix}": m[pairs.a, pairs.b] for name, m in shared(held, nodes).items()}
    lately = sp.csr_array(named[:, recent] @ incidence.matrix[recent])[:, nodes]
    earlier = sp.csr_array(named[:, : recent.start] @ incidence.matrix[: recent.start])[:, nodes]
    for name, values in (("entry_rate", entry_rate(lately, earlier)), ("concentration", concentration(lately))):
        columns |= over_both_codes(name, window, values, pairs)
    return columns


def shared(held: sp.csr_array, nodes: np.ndarray) -> dict[str, np.ndarray]:
    """What the parties have in common between candidate codes: matrices nodes x nodes.

    ``held``: patents of each party in each code (parties x all codes); NaN where a code has no party.
    """
    present = binary(held)
    breadth = np.asarray(present.sum(axis=1)).ravel()
    focus = sp.diags_array(np.divide(1.0, breadth, out=np.zeros_like(breadth), where=breadth > 0))
    own, counts = sp.csr_array(present[:, nodes]), sp.csr_array(held[:, nodes])
    both = (own.T @ own).toarray()
    size = np.diag(both)
    length = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=0)).ravel())
    unknown = np.logical_or.outer(size == 0, size == 0)
    matrices = {
        "shared": both,
        "shared_focus": (own.T @ focus @ own).toarray(),
        "jaccard": both / (np.add.outer(size, size) - both + SHRINKAGE),
        "cosine": (counts.T @ counts).toarray() / (np.multiply.outer(length, length) + SHRINKAGE),
    }
    return {name: np.where(unknown, np.nan, matrix) for name, matrix in matrices.items()}


def entry_rate(lately: sp.csr_array, earlier: sp.csr_array) -> np.ndarray:
    """Share of each code's parties (parties x codes) of the window that had no patent in it before; NaN without any."""
    now, then = binary(lately), binary(earlier)
    parties = np.asarray(now.sum(axis=0)).ravel()
    known = np.asarray(now.multiply(then).sum(axis=0)).ravel()
    return np.divide(parties - known, parties, out=np.full(len(parties), np.nan), where=parties > 0)


def concentration(held: sp.csr_array) -> np.ndarray:
    """Herfindahl index of each code's patents by party, sum of squared shares in (0, 1]; NaN without any party."""
    total = np.asarray(held.sum(axis=0)).ravel()
    squares = np.asarray(held.multiply(held).sum(axis=0)).ravel()
    return np.divide(squares, total**2, out=np.full(len(total), np.nan), where=total > 0)
