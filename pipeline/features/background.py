"""What the rest of the patent system says of a pair (method B6): co-occurrence, neighbourhood and activity outside.

The background may hold the domain's own patents. A candidate for a new link has no joint patent in the domain, so its
joint patents here all lie outside it; the neighbourhoods, and on the strengthening track the joint patents, are then
those of domain and background together.
"""

import dataclasses
import functools
import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.background.summary import Snapshot, Summary, last_whole_month
from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.features.base import BlockOutput, dense_product, over_both_codes
from pipeline.features.bibliometric import positions
from pipeline.features.cooccurrence import LowRank, low_rank, ppmi, unit_profiles
from pipeline.features.network import Graph, weighted_common_neighbours
from pipeline.pairs.base import CandidatePairs

_INDICES = ("common_neighbours", "adamic_adar", "resource_allocation")


def background(
    summary: Summary | None, history: Corpus, pairs: CandidatePairs, task: TaskConfig, seed: int
) -> BlockOutput:
    """Pair and code values of the background, cut at the history's cutoff; NaN where it does not know a code by then.

    Without a background (None) there are none, which is no fault and no warning: it is the user's to attach one.
    Counts run to the last whole month that is over at the cutoff and in the data; windows are counted back from that
    day, and one that begins before the data do is left out. Joint patents are given as log(1 + n), their growth as
    the difference of that between the window and the one before. ``domain_share``: the history's patents of a code,
    over the time that the background covers, by the background's.

    Raises:
        ValueError: the summary is of another level than the task.
    """
    if summary is None:
        return BlockOutput(columns={})
    if summary.level != task.level:
        raise ValueError(f"a background at level {summary.level} for a task at level {task.level}")
    summary = history.once(_in_force, summary, task)
    known = history.once(_until, summary)
    if not known.patents:
        holds = "after" if summary.first_day > history.cutoff else "less than a whole month before"
        return _left_out(f"it begins on {_day(summary.first_day)}, {holds} the cutoff {_day(history.cutoff)}")
    place = positions(known.codes, pairs.codes)
    there = place >= 0
    both = there[pairs.a] & there[pairs.b]
    if pairs.whole and not both.any():
        return _left_out(f"no candidate has both codes in it by {_day(history.cutoff)}")
    columns: dict[str, np.ndarray] = {}
    before = np.concatenate([[0], np.cumsum(there)])  # how many of the first codes the background knows
    rows, every = pairs.grid.rows, pairs.grid.columns
    a, b = before[pairs.a[both]] - before[rows.start], before[pairs.b[both]] - before[every.start]
    part = [slice(before[some.start], before[some.stop]) for some in (rows, every)]
    measures = history.once(_measures, known, place[there], seed)
    windows, warnings = history.once(_windows, summary, task.window)
    windowed = _windowed(windows, task.window, place[there][part[0]], place[there][part[1]])
    for name, matrix in itertools.chain(measures.matrices(*part), windowed):
        columns[f"background__{name}"] = np.full(len(pairs), np.nan)
        columns[f"background__{name}"][both] = matrix[a, b]
    patents = np.where(place >= 0, known.counts[place], np.nan)
    columns |= over_both_codes("background__patents", "all__lag0", patents, pairs)
    share = _domain_patents(summary, history, task, pairs) / patents
    columns |= over_both_codes("background__domain_share", "all__lag0", share, pairs)
    notes = [*_other_scheme(summary, task), *_staleness(summary, history.cutoff), *warnings, *_masked(place)]
    return BlockOutput(columns=columns, warnings=tuple(f"background: {note}" for note in notes))


def _in_force(history: Corpus, summary: Summary, task: TaskConfig) -> Summary:
    return summary.keeping(history.in_force(summary.codes, task.scheme, task.level))


def _until(history: Corpus, summary: Summary) -> Snapshot:
    return summary.until(history.cutoff)


def _measures(history: Corpus, known: Snapshot, nodes: np.ndarray, seed: int) -> "_Measures":
    return _Measures(known, nodes, seed)


@dataclasses.dataclass(frozen=True)
class _Measures:
    """The pair measures of the nodes, from the counts of all time."""

    known: Snapshot
    nodes: np.ndarray
    seed: int

    def matrices(self, rows: slice, columns: slice) -> Iterator[tuple[str, np.ndarray]]:
        """(measure__param__lag, matrix rows x columns of the nodes), one matrix at a time."""
        known, here, there = self.known, self.nodes[rows], self.nodes[columns]
        joint = _block(known.joint, here, there)
        counts = known.counts[here], known.counts[there]
        yield "joint_patents__all__lag0", np.log1p(joint)
        yield "linked__all__lag0", (joint > 0).astype(float)
        yield "lift__all__lag0", lift(joint, *counts, known.patents)
        yield "npmi__all__lag0", npmi(joint, *counts, known.patents)
        yield "ppmi__all__lag0", _block(self.profile, here, there)
        for name, matrix in itertools.takewhile(
            lambda index: index[0] != "katz",  # from there on the indices solve dense systems over the whole background
            self.graph.indices(rows, columns),
        ):
            if name in _INDICES:
                yield f"{name}__all__lag0", matrix
        neighbours = weighted_common_neighbours(known.joint, self.nodes, rows, columns)
        yield "weighted_common_neighbours__all__lag0", neighbours
        lonely = np.diff(self.profile[self.nodes].indptr) == 0
        unknown = np.logical_or.outer(lonely[rows], lonely[columns])
        for name, matrix in (
            ("ppmi_cosine", dense_product(self.unit[rows], self.unit[columns])),
            ("low_rank", self.low_rank.between(rows, columns)),
        ):
            # a code that met no other has no profile: what it is like is unknown
            yield f"{name}__all__lag0", np.where(unknown, np.nan, matrix)

    @functools.cached_property
    def graph(self) -> Graph:
        return Graph(self.known.joint, self.nodes)

    @functools.cached_property
    def profile(self) -> sp.csr_array:
        return ppmi(self.known.joint)

    @functools.cached_property
    def unit(self) -> sp.csr_array:
        return unit_profiles(self.profile, self.nodes)

    @functools.cached_property
    def low_rank(self) -> LowRank:
        return low_rank(self.profile, self.nodes, self.seed)


def lift(joint: np.ndarray, here: np.ndarray, there: np.ndarray, patents: int) -> np.ndarray:
    """Joint patents against chance, p_xy / (p_x p_y), of codes with so many patents (Brin et al. 1997)."""
    return joint * patents / np.multiply.outer(here, there)


def npmi(joint: np.ndarray, here: np.ndarray, there: np.ndarray, patents: int) -> np.ndarray:
    """Normalised pointwise mutual information log(p_xy / (p_x p_y)) / -log p_xy in [-1, 1] (Bouma 2009).

    Its limits: -1 for codes that never met, 1 for two codes that all patents carry.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.log(lift(joint, here, there, patents)) / -np.log(joint / patents)
    return np.where(joint == 0, -1.0, np.where(joint == patents, 1.0, value))


def _windows(history: Corpus, summary: Summary, years: int) -> tuple[list[sp.csr_array], list[str]]:
    """Joint patents of the recent window and of the one before, as far as the data reach back, and what is lacking."""
    cutoff = history.cutoff
    start = _whole_months_before(summary.counted_until(cutoff), years)
    earlier = _whole_months_before(start, years)
    begin = _begin(summary)
    short = f"it begins on {_day(summary.first_day)}, too late for"
    if start < begin:
        return [], [f"{short} joint_patents and joint_growth over {years} years, which are left out"]
    recent = summary.until(cutoff, start).joint
    if earlier < begin:
        return [recent], [f"{short} joint_growth over {years} years, which is left out"]
    return [recent, sp.csr_array(summary.until(cutoff, earlier).joint - recent)], []


def _windowed(
    windows: list[sp.csr_array], years: int, here: np.ndarray, there: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    """Joint patents of the recent window and their growth over the one before."""
    logged = [np.log1p(_block(joint, here, there)) for joint in windows]
    if logged:
        yield f"joint_patents__w{years}__lag0", logged[0]
    if len(logged) > 1:
        yield f"joint_growth__w{years}__lag0", logged[0] - logged[1]


def _block(joint: sp.csr_array, here: np.ndarray, there: np.ndarray) -> np.ndarray:
    return joint[here][:, there].toarray()


def _domain_patents(summary: Summary, history: Corpus, task: TaskConfig, pairs: CandidatePairs) -> np.ndarray:
    """The history's patents of each candidate code over the time that the background covers."""
    incidence = history.incidence(task.scheme, task.level)
    first = history.rows_since(_begin(summary)).start
    end = history.rows_since(summary.counted_until(history.cutoff)).start
    return incidence.counts(slice(first, end))[positions(incidence.codes, pairs.codes)]


def _begin(summary: Summary) -> pd.Timestamp:
    """The day before the background's first month: data that begin on 2 January are whole for the year."""
    return summary.first_day.replace(day=1) - pd.Timedelta(days=1)


def _whole_months_before(end: pd.Timestamp, years: int) -> pd.Timestamp:
    # 28 February less some years may be a leap year's 28th, which ends no month
    return years_before(end, years) + pd.offsets.MonthEnd(0)


def _other_scheme(summary: Summary, task: TaskConfig) -> list[str]:
    if summary.scheme == task.scheme:
        return []
    return [f"it is counted by {summary.scheme.upper()} symbols, which stand for the same {task.scheme.upper()} ones"]


def _staleness(summary: Summary, cutoff: pd.Timestamp) -> list[str]:
    whole = last_whole_month(cutoff)
    if summary.last_day < whole:
        return [f"it ends on {_day(summary.last_day)}, before the cutoff {_day(cutoff)}, and is counted up to there"]
    if whole < cutoff:
        return [f"it is counted in whole months, so up to {_day(whole)}, not to the cutoff {_day(cutoff)}"]
    return []


def _masked(place: np.ndarray) -> list[str]:
    unknown = np.count_nonzero(place < 0)
    return [f"{unknown} of {len(place)} codes are not in it by then; their pairs have no value"] if unknown else []


def _left_out(reason: str) -> BlockOutput:
    return BlockOutput(columns={}, warnings=(f"background: {reason}, so the block is left out",))


def _day(day: pd.Timestamp) -> str:
    return f"{day:%Y-%m-%d}"
