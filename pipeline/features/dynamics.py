"""Dynamics (method B3): how the closeness of two codes, and the life of each, moved over the last years.

A snapshot is all that was known on the cutoff's day one or more years earlier. Two rules for a code that had no
patent by then: its closeness to any code was zero, which is true and not unknown, so a difference is all it gained
since; but its growth is unknown (NaN), since a ratio to nothing has no value. Where the history begins later than a
snapshot, everything then is unknown. The columns stay, as the later cutoffs of the same corpus have them.
"""

import dataclasses
import functools

import numpy as np
import scipy.sparse as sp
from scipy.stats import rankdata
from sklearn.preprocessing import normalize

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.features.base import BlockOutput, dense_product, over_both_codes
from pipeline.features.bibliometric import positions
from pipeline.features.cooccurrence import HALF_LIFE, ppmi
from pipeline.features.network import Graph, weighted_common_neighbours
from pipeline.pairs.base import CandidatePairs

NETWORK = ("adamic_adar", "resource_allocation", "preferential_attachment")
RANKS_LEFT_OUT = "dynamics: ranks among the candidates need all of them at once, so rank_change is left out"
SMOOTHING = 1.0  # patents, or partners, added to both ends of a growth


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """What was known of the codes on one day.

    ``patents``: how many were known; ``nodes``: the candidate codes among all; ``usage``: patents a candidate code;
    ``joint``: joint patents (all codes x all codes, symmetric, an empty diagonal).
    """

    patents: int
    nodes: np.ndarray
    usage: np.ndarray
    joint: sp.csr_array

    @functools.cached_property
    def graph(self) -> Graph:
        """The co-occurrence graph of that day."""
        return Graph(self.joint, self.nodes)

    @functools.cached_property
    def profiles(self) -> sp.csr_array:
        """PPMI profiles of the candidate codes, of length 1."""
        return sp.csr_array(normalize(ppmi(self.joint)[self.nodes]))

    def partners(self) -> np.ndarray:
        """Codes met by each candidate code."""
        return np.diff(self.joint.indptr)[self.nodes].astype(float)

    def proximities(self, pairs: CandidatePairs) -> dict[str, np.ndarray]:
        """The strongest measures of closeness, one value a pair; NaN where no patent was known."""
        grid = pairs.grid
        part = grid.rows, grid.columns
        values = {}
        for name, matrix in self.graph.indices(*part):
            if name in NETWORK:
                values[name] = grid.at(matrix)
            if len(values) == len(NETWORK):
                break  # what is not asked for is not computed
        matrices = {
            "weighted_common_neighbours": weighted_common_neighbours(self.joint, self.nodes, *part),
            "ppmi_cosine": dense_product(self.profiles[grid.rows], self.profiles[grid.columns]),
            "activity_product": np.multiply.outer(self.usage[grid.rows], self.usage[grid.columns]),
        }
        values |= {name: grid.at(matrix) for name, matrix in matrices.items()}
        return values if self.patents else {name: np.full(len(pairs), np.nan) for name in values}


def dynamics(history: Corpus, pairs: CandidatePairs, task: TaskConfig) -> BlockOutput:
    """Changes of closeness over the last year, growth and recency of the codes, and drift of their texts.

    ``_change``: value now less a year ago. ``_acceleration``: this change less that of the year before.
    ``_rank_change``: the change of the rank among the candidates, as a share of them. Growth: log ratio of a code's
    patents and of its partners to those a year and a window ago. Recency: mean weight of a code's patents, which
    halves every HALF_LIFE years. Text drift: without embeddings absent.
    """
    years_ago = sorted({0, 1, 2, task.window})
    snapshots = {years: history.once(_snapshot, pairs.codes, task, years) for years in years_ago}
    columns = _changes([snapshots[lag].proximities(pairs) for lag in (0, 1, 2)], pairs.whole)
    for years in (1, task.window):
        for name, growth in _growth(snapshots[0], snapshots[years]).items():
            columns |= over_both_codes(f"dynamics__{name}_growth", f"w{years}__lag0", growth, pairs)
    recency = history.once(_recency, pairs.codes, task)
    columns |= over_both_codes("dynamics__recency", "all__lag0", recency, pairs)
    warnings = [] if pairs.whole else [RANKS_LEFT_OUT]
    unknown = [years_before(history.cutoff, years) for years, snapshot in snapshots.items() if not snapshot.patents]
    if unknown:
        warnings.append(f"dynamics: no patent known by {max(unknown):%Y-%m-%d}; changes since are unknown")
    if history.embeddings is None or not history.embeddings.any():
        warnings.append("dynamics: no titles or abstracts, so text_drift is left out")
    else:
        for years in (1, task.window):
            columns[f"dynamics__text_drift__w{years}__lag0"] = _text_drift(history, pairs, task, years)
    return BlockOutput(columns=columns, warnings=tuple(warnings))


def _known(history: Corpus, years: int) -> int:
    """How many patents, the first rows of the history, were known so many years before the cutoff."""
    return int(history.rows_since(years_before(history.cutoff, years)).start)


def _snapshot(history: Corpus, codes: np.ndarray, task: TaskConfig, years: int) -> Snapshot:
    # the first rows of the history give the same counts as history.as_of(that day), keep the codes in their place, and
    # let a code that has come into force since have the patents it inherited
    incidence = history.incidence(task.scheme, task.level)
    nodes = positions(incidence.codes, codes)
    rows = slice(0, _known(history, years))
    return Snapshot(rows.stop, nodes, incidence.counts(rows)[nodes], incidence.joint(rows))


def _changes(values: list[dict[str, np.ndarray]], whole: bool) -> dict[str, np.ndarray]:
    """Change, acceleration and, where all candidates are at hand (``whole``), change of rank of each measure, from its
    values now, one and two years ago."""
    columns = {}
    for name in values[0]:
        now, before, earlier = (snapshot[name] for snapshot in values)
        columns[f"dynamics__{name}_change__w1__lag0"] = now - before
        columns[f"dynamics__{name}_acceleration__w1__lag0"] = (now - before) - (before - earlier)
        if whole:
            columns[f"dynamics__{name}_rank_change__w1__lag0"] = _rank_share(now) - _rank_share(before)
    return columns


def _rank_share(values: np.ndarray) -> np.ndarray:
    """Rank among the candidates as a share of them; ties share their mean rank, and NaN stays."""
    return rankdata(values, nan_policy="propagate") / len(values)


def _growth(now: Snapshot, then: Snapshot) -> dict[str, np.ndarray]:
    """Smoothed log ratio of the codes' patents and partners; NaN for a code that had no patent then."""
    ends = {"patents": (now.usage, then.usage), "partners": (now.partners(), then.partners())}
    ratio = {name: np.log((end + SMOOTHING) / (start + SMOOTHING)) for name, (end, start) in ends.items()}
    return {name: np.where(then.usage > 0, value, np.nan) for name, value in ratio.items()}


def _recency(history: Corpus, codes: np.ndarray, task: TaskConfig) -> np.ndarray:
    """Mean over a code's patents of 0.5 ^ (age in years / HALF_LIFE), in (0, 1]."""
    incidence = history.incidence(task.scheme, task.level)
    age = (history.cutoff - history.patents["knowledge_date"]).dt.days.to_numpy() / 365.25
    total = incidence.matrix.T @ 0.5 ** (age / HALF_LIFE)
    return (total / incidence.counts())[positions(incidence.codes, codes)]


def _text_drift(history: Corpus, pairs: CandidatePairs, task: TaskConfig, years: int) -> np.ndarray:
    """Cosine of the codes' mean text vectors over so many years up to the cutoff, less that up to a year before it.

    NaN where a code had no text in either period.
    """
    grid = pairs.grid
    now, before = (
        grid.at(unit[grid.rows] @ unit[grid.columns].T) for unit in history.once(_directions, pairs.codes, task, years)
    )
    return np.asarray(now - before)


def _directions(history: Corpus, codes: np.ndarray, task: TaskConfig, years: int) -> list[np.ndarray]:
    """Mean text vectors of the codes, of length 1, over so many years up to the cutoff and up to a year before it."""
    assert history.embeddings is not None
    incidence = history.incidence(task.scheme, task.level)
    carriers = sp.csr_array(incidence.matrix[:, positions(incidence.codes, codes)].T)
    directions = []
    for ago in (0, 1):
        rows = slice(_known(history, ago + years), _known(history, ago))
        total = carriers[:, rows] @ history.embeddings[rows].astype(np.float64)  # a sum points where the mean does
        with np.errstate(invalid="ignore", divide="ignore"):
            directions.append(total / np.linalg.norm(total, axis=1, keepdims=True))
    return directions
