"""What the rest of the patent system says of a pair (method B6): co-occurrence, neighbourhood and activity outside.

The background may hold the domain's own patents. A candidate for a new link has no joint patent in the domain, so its
joint patents here all lie outside it; the neighbourhoods, and on the strengthening track the joint patents, are then
those of domain and background together.
"""

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.background.summary import Snapshot, Summary, last_whole_month
from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.features.base import BlockOutput, over_both_codes
from pipeline.features.bibliometric import positions
from pipeline.features.cooccurrence import low_rank, ppmi, profile_cosine
from pipeline.features.network import network_indices, weighted_common_neighbours
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
    summary = summary.keeping(history.in_force(summary.codes, task.scheme, task.level))
    known = summary.until(history.cutoff)
    if not known.patents:
        holds = "after" if summary.first_day > history.cutoff else "less than a whole month before"
        return _left_out(f"it begins on {_day(summary.first_day)}, {holds} the cutoff {_day(history.cutoff)}")
    place = positions(known.codes, pairs.codes)
    nodes, spot = place[place >= 0], np.where(place >= 0, np.cumsum(place >= 0) - 1, -1)
    a, b = spot[pairs.a], spot[pairs.b]
    both = (a >= 0) & (b >= 0)
    if not both.any():
        return _left_out(f"no candidate has both codes in it by {_day(history.cutoff)}")
    columns: dict[str, np.ndarray] = {}
    windowed, warnings = _windowed(summary, history.cutoff, task.window, nodes)
    for name, matrix in itertools.chain(_pair_measures(known, nodes, seed), windowed):
        columns[f"background__{name}"] = np.full(len(pairs), np.nan)
        columns[f"background__{name}"][both] = matrix[a[both], b[both]]
    patents = np.where(place >= 0, known.counts[place], np.nan)
    columns |= over_both_codes("background__patents", "all__lag0", patents, pairs)
    share = _domain_patents(summary, history, task, pairs) / patents
    columns |= over_both_codes("background__domain_share", "all__lag0", share, pairs)
    notes = [*_other_scheme(summary, task), *_staleness(summary, history.cutoff), *warnings, *_masked(place)]
    return BlockOutput(columns=columns, warnings=tuple(f"background: {note}" for note in notes))


def _pair_measures(known: Snapshot, nodes: np.ndarray, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """(measure__param__lag, matrix over the nodes) from the counts of all time, one matrix at a time."""
    joint = _block(known.joint, nodes)
    yield "joint_patents__all__lag0", np.log1p(joint)
    yield "linked__all__lag0", (joint > 0).astype(float)
    yield "lift__all__lag0", lift(joint, known.counts[nodes], known.patents)
    yield "npmi__all__lag0", npmi(joint, known.counts[nodes], known.patents)
    profile = ppmi(known.joint)
    yield "ppmi__all__lag0", _block(profile, nodes)
    for name, matrix in itertools.takewhile(
        lambda index: index[0] != "katz",  # from there on the indices solve dense systems over the whole background
        network_indices(known.joint, nodes),
    ):
        if name in _INDICES:
            yield f"{name}__all__lag0", matrix
    yield "weighted_common_neighbours__all__lag0", weighted_common_neighbours(known.joint, nodes)
    lonely = np.diff(profile[nodes].indptr) == 0
    for name, matrix in (
        ("ppmi_cosine", profile_cosine(profile, nodes)),
        ("low_rank", low_rank(profile, nodes, seed)),
    ):
        # a code that met no other has no profile: what it is like is unknown
        yield f"{name}__all__lag0", np.where(np.logical_or.outer(lonely, lonely), np.nan, matrix)


def lift(joint: np.ndarray, counts: np.ndarray, patents: int) -> np.ndarray:
    """Joint patents against chance, p_xy / (p_x p_y), of n codes (n x n) with ``counts`` patents (Brin et al. 1997)."""
    return joint * patents / np.multiply.outer(counts, counts)


def npmi(joint: np.ndarray, counts: np.ndarray, patents: int) -> np.ndarray:
    """Normalised pointwise mutual information log(p_xy / (p_x p_y)) / -log p_xy in [-1, 1] (Bouma 2009).

    Its limits: -1 for codes that never met, 1 for two codes that all patents carry.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.log(lift(joint, counts, patents)) / -np.log(joint / patents)
    return np.where(joint == 0, -1.0, np.where(joint == patents, 1.0, value))


def _windowed(
    summary: Summary, cutoff: pd.Timestamp, years: int, nodes: np.ndarray
) -> tuple[list[tuple[str, np.ndarray]], list[str]]:
    """Joint patents of the recent window and their growth over the one before, as far as the data reach back."""
    start = _whole_months_before(summary.counted_until(cutoff), years)
    earlier = _whole_months_before(start, years)
    begin = _begin(summary)
    short = f"it begins on {_day(summary.first_day)}, too late for"
    if start < begin:
        return [], [f"{short} joint_patents and joint_growth over {years} years, which are left out"]
    recent = summary.until(cutoff, start).joint
    logged = np.log1p(_block(recent, nodes))
    joint = (f"joint_patents__w{years}__lag0", logged)
    if earlier < begin:
        return [joint], [f"{short} joint_growth over {years} years, which is left out"]
    before = np.log1p(_block(sp.csr_array(summary.until(cutoff, earlier).joint - recent), nodes))
    return [joint, (f"joint_growth__w{years}__lag0", logged - before)], []


def _block(joint: sp.csr_array, nodes: np.ndarray) -> np.ndarray:
    return joint[nodes][:, nodes].toarray()


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
