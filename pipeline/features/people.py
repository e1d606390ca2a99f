"""People and firms (method B5): whether the same parties are at home in both codes, and who moves into each.

A pair never seen on one patent may well be seen in one firm or one inventor's work: the knowledge lies side by side.
Modality ``people``. Assignees and inventors are told apart; a role that the source lacks is left out. Counts are small
in a domain corpus, so a ratio has SHRINKAGE added to its denominator, as in ``citation.py``.
"""

import dataclasses
import functools

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.features.base import BlockOutput, binary, dense_product, over_both_codes
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
    grid = pairs.grid
    for role in ROLES:
        known = history.once(_of_role, role, task, pairs.codes)
        if known is None:
            warnings.append(f"people: no {role}s in the data, so what they share is left out")
            continue
        portfolios, code_values = known
        for suffix, portfolio in portfolios.items():
            shared = portfolio.shared(grid.rows, grid.columns)
            columns |= {f"people__{role}_{name}__{suffix}": grid.at(matrix) for name, matrix in shared.items()}
        for name, values in code_values.items():
            columns |= over_both_codes(f"people__{role}_{name}", f"w{task.window}__lag0", values, pairs)
    return BlockOutput(columns=columns, warnings=tuple(warnings))


def _of_role(
    history: Corpus, role: str, task: TaskConfig, codes: np.ndarray
) -> tuple[dict[str, "Portfolio"], dict[str, np.ndarray]] | None:
    """By window what parties of the role hold, and the code values by name; None without such a party."""
    parties = history.parties[(history.parties["role"] == role) & (history.parties["party_id"] != "")]
    if parties.empty:
        return None
    incidence = history.incidence(task.scheme, task.level)
    nodes = positions(incidence.codes, codes)
    party, names = pd.factorize(parties["party_id"])
    row = history.row_of(parties["patent_id"])
    named = sp.csr_array((np.ones(len(row)), (party, row)), shape=(len(names), len(history.patents)))
    named.data[:] = 1.0  # a party is named once a patent
    recent = history.rows_since(years_before(history.cutoff, task.window))
    portfolios = {
        suffix: Portfolio(sp.csr_array(named[:, rows] @ incidence.matrix[rows]), nodes)
        for suffix, rows in (("all__lag0", slice(None)), (f"w{task.window}__lag0", recent))
    }
    lately = sp.csr_array(named[:, recent] @ incidence.matrix[recent])[:, nodes]
    earlier = sp.csr_array(named[:, : recent.start] @ incidence.matrix[: recent.start])[:, nodes]
    return portfolios, {"entry_rate": entry_rate(lately, earlier), "concentration": concentration(lately)}


@dataclasses.dataclass(frozen=True)
class Portfolio:
    """Patents of each party in each code (``held``, parties x all codes), and the candidate codes among these."""

    held: sp.csr_array
    nodes: np.ndarray

    def shared(self, rows: slice, columns: slice) -> dict[str, np.ndarray]:
        """What the parties have in common between candidate codes: matrices rows x columns; NaN where a code has no
        party."""
        here, there = self._parties[rows], self._parties[columns]
        both = dense_product(here, there)
        size, length = self._size, self._length
        unknown = np.logical_or.outer(size[rows] == 0, size[columns] == 0)
        counts = self._counts
        cosine = dense_product(counts[rows], counts[columns])
        matrices = {
            "shared": both,
            "shared_focus": dense_product(sp.csr_array(here @ self._focus), there),
            "jaccard": both / (np.add.outer(size[rows], size[columns]) - both + SHRINKAGE),
            "cosine": cosine / (np.multiply.outer(length[rows], length[columns]) + SHRINKAGE),
        }
        return {name: np.where(unknown, np.nan, matrix) for name, matrix in matrices.items()}

    @functools.cached_property
    def _counts(self) -> sp.csr_array:
        return sp.csr_array(self.held[:, self.nodes].T)  # candidate codes x parties

    @functools.cached_property
    def _parties(self) -> sp.csr_array:
        return binary(self._counts)

    @functools.cached_property
    def _size(self) -> np.ndarray:
        return np.asarray(self._parties.sum(axis=1)).ravel()

    @functools.cached_property
    def _length(self) -> np.ndarray:
        return np.sqrt(np.asarray(self._counts.multiply(self._counts).sum(axis=1)).ravel())

    @functools.cached_property
    def _focus(self) -> sp.dia_array:
        breadth = np.diff(self.held.indptr).astype(float)
        return sp.diags_array(np.divide(1.0, breadth, out=np.zeros_like(breadth), where=breadth > 0))


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
