"""The candidate universe at a cutoff: all pairs of active codes that never co-occurred, or all that did.

New-link track: never up to the cutoff. Strengthening track: on one patent or more. The two share no pair.
"""

import dataclasses
import functools
from collections.abc import Iterator

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.config import TaskConfig
from pipeline.corpus.entry_dates import tag_pairs
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.errors import NotEnoughDataError
from pipeline.pairs.base import CandidatePairs

SPAN = 256  # codes whose pairs are worked on at once, at most
BLOCK = 500_000  # pairs that are worked on at once, and up to which all candidates make one table


@dataclasses.dataclass(frozen=True)
class Universe:
    """The candidates at one cutoff and the size of what they were drawn from."""

    pairs: CandidatePairs  # all of them, or those at the head of a list too long to be one table
    total: int  # candidates
    linked: int  # pairs of active codes that are linked already: the candidates of the strengthening track
    not_in_force: int  # codes with as many patents that came into force only after the cutoff: no candidates

    def summary(self) -> dict[str, int | str]:
        """Counts for the run record."""
        cutoff = self.pairs.cutoff
        return {
            "cutoff": f"{cutoff:%Y-%m-%d}",
            "codes": len(self.pairs.codes),
            "pairs": self.total,
            "linked": self.linked,
            "not_in_force": self.not_in_force,
        }


def candidate_pairs(history: Corpus, task: TaskConfig) -> Universe:
    """All unordered pairs of codes with ``min_patents`` patents or more in the history, linked or not by track.

    ``status``: ``new`` without a joint patent; ``active`` with one in the window, ``dormant`` with earlier ones only.
    Codes not in force at the cutoff are no codes of the history (``Corpus.incidence``). A pair whose younger code came
    into force within the window is tagged ``entered``.

    Raises:
        NotEnoughDataError: as ``find_candidates``.
    """
    found = find_candidates(history, task)
    return found.universe(found.pairs())


@dataclasses.dataclass(frozen=True)
class Candidates:
    """The candidates at one cutoff, made into pairs for some codes at a time.

    ``codes``: the active ones, sorted. ``joint``, ``recent``: their joint patents, of all history and of the window
    (codes x codes, symmetric). ``in_force``: since when each exists; ``since``: the day the window begins after.
    """

    codes: np.ndarray
    joint: sp.csr_array
    recent: sp.csr_array
    in_force: np.ndarray
    since: pd.Timestamp
    cutoff: pd.Timestamp
    linked_track: bool
    not_in_force: int

    def __len__(self) -> int:
        return int(self.sizes.sum())

    @property
    def linked(self) -> int:
        """Pairs that have met."""
        return int(self.joint.nnz // 2)

    @functools.cached_property
    def sizes(self) -> np.ndarray:
        """Candidates of each code with those after it."""
        linked = np.diff(sp.triu(self.joint, k=1, format="csr").indptr)
        return linked if self.linked_track else np.arange(len(self.codes) - 1, -1, -1) - linked

    def places(self, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """Positions in ``codes`` of the pairs of the codes ``rows`` with those after each, in order."""
        met = self.joint[rows].toarray() > 0
        first = rows.indices(len(self.codes))[0]
        later = np.arange(len(self.codes)) > np.arange(first, first + len(met))[:, None]
        a, b = np.nonzero((met if self.linked_track else ~met) & later)
        return a + first, b

    def pairs(self) -> CandidatePairs:
        """All candidates."""
        return self.chosen(*self.places(slice(None)), whole=True)

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The places of all candidates, some ``BLOCK`` pairs at a time, each code's pairs together."""
        for rows in self.rows_of_blocks():
            yield self.places(rows)

    def rows_of_blocks(self) -> Iterator[slice]:
        """The codes whose pairs with those after them make each block."""
        yield from runs(np.maximum(self.sizes, BLOCK // SPAN), BLOCK)

    def sample(self, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """The places of so many candidates, drawn without repeats, each as likely, in order; of all if there are no
        more."""
        total = len(self)
        drawn = np.sort(np.random.default_rng(seed).choice(total, min(count, total), replace=False, shuffle=False))
        ends = np.cumsum(self.sizes)
        parts = []
        for rows in runs(self.sizes, BLOCK):
            first, last = int(ends[rows.start] - self.sizes[rows.start]), int(ends[rows.stop - 1])
            chosen = drawn[np.searchsorted(drawn, first) : np.searchsorted(drawn, last)] - first
            a, b = self.places(rows)
            parts.append((a[chosen], b[chosen]))
        return np.concatenate([a for a, _ in parts]), np.concatenate([b for _, b in parts])

    def chosen(self, a: np.ndarray, b: np.ndarray, whole: bool = False) -> CandidatePairs:
        """The candidates at these places, which are in order, as a table."""
        prior, recent = (_at(matrix, a, b) for matrix in (self.joint, self.recent))
        names = pd.Series(self.codes.astype(str))
        table = pd.DataFrame(
            {
                "cutoff": pd.Series(self.cutoff.as_unit("s"), index=range(len(a)), dtype="datetime64[s]"),
                "code_a": names.take(a).array,
                "code_b": names.take(b).array,
                "prior": prior.astype(np.int64),
                "status": np.select([prior == 0, recent > 0], ["new", "active"], "dormant"),
                "entered": tag_pairs(self.in_force, a, b, self.since, self.cutoff) == "entered",
            }
        )
        return CandidatePairs(table=table, codes=self.codes, a=a, b=b, cutoff=self.cutoff, whole=whole)

    def universe(self, pairs: CandidatePairs) -> Universe:
        """What is told of the candidates, with all or some of them as pairs."""
        return Universe(pairs=pairs, total=len(self), linked=self.linked, not_in_force=self.not_in_force)


def find_candidates(history: Corpus, task: TaskConfig) -> Candidates:
    """The candidates, not yet made into a table; see ``candidate_pairs``.

    Raises:
        NotEnoughDataError: fewer than two active codes, no candidate, or more than ``max_candidates``; on the
            strengthening track also a history that begins after the years that growth is measured against.
    """
    if task.track == "strengthening":
        _check_years_before(history, task)
    incidence = history.incidence(task.scheme, task.level)
    active = np.flatnonzero(incidence.counts() >= task.min_patents)
    where = f"up to {history.cutoff:%Y-%m-%d} at level {task.level} ({task.scheme})"
    if len(active) < 2:
        raise NotEnoughDataError(
            f"only {len(active)} codes have {task.min_patents} or more patents {where}: "
            "take a later --cutoff, a coarser --level, the other --scheme or a lower --min-patents"
        )
    possible = len(active) * (len(active) - 1) // 2
    if possible > task.max_candidates:
        raise NotEnoughDataError(
            f"{len(active):,} active codes {where} make {possible:,} pairs, more than {task.max_candidates:,}: "
            "take a coarser --level or a higher --min-patents"
        )
    since = years_before(history.cutoff, task.window)
    codes = incidence.codes[active]
    found = Candidates(
        codes=codes,
        joint=incidence.joint()[active][:, active],
        recent=incidence.joint(history.rows_since(since))[active][:, active],
        in_force=history.entered(codes, task.scheme, task.level),
        since=since,
        cutoff=history.cutoff,
        linked_track=task.track == "strengthening",
        not_in_force=int((incidence.left_out >= task.min_patents).sum()),
    )
    if not len(found):
        what, advice = ("no", "coarser") if task.track == "strengthening" else ("every", "finer")
        raise NotEnoughDataError(f"{what} pair of active codes is linked already {where}: take a {advice} --level")
    return found


def runs(sizes: np.ndarray, most: int) -> Iterator[slice]:
    """Neighbouring rows with no more than ``most`` in all, or one row with more.

    >>> list(runs(np.array([3, 1, 5, 9, 0]), 6))
    [slice(0, 2, None), slice(2, 3, None), slice(3, 4, None), slice(4, 5, None)]
    """
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        before = ends[start] - sizes[start]
        stop = max(int(np.searchsorted(ends, before + most, side="right")), start + 1)
        yield slice(start, stop)
        start = stop


def few_codes(a: np.ndarray, codes: int) -> Iterator[slice]:
    """Runs of pairs, in the order of their first codes ``a``, that have few of these and are few themselves."""
    count = np.bincount(a, minlength=codes)
    for rows in runs(np.maximum(count, BLOCK // SPAN), BLOCK):
        some = slice(*np.searchsorted(a, [rows.start, rows.stop]).tolist())
        if some.start < some.stop:
            yield some


def _at(matrix: sp.csr_array, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The values of a codes x codes matrix at some places."""
    values = np.zeros(len(a))
    for some in few_codes(a, matrix.shape[0]):
        first, last = a[some.start], a[some.stop - 1]
        values[some] = matrix[first : last + 1].toarray()[a[some] - first, b[some]]
    return values


def _check_years_before(history: Corpus, task: TaskConfig) -> None:
    """Refuse a cutoff before which the data hold no whole horizon: every link would seem to grow."""
    start = years_before(history.cutoff, task.horizon)
    first = history.patents["knowledge_date"].iloc[0]
    if first.replace(day=1) > start + pd.Timedelta(days=1):  # data that begin on 5 January are whole for the year
        raise NotEnoughDataError(
            f"growth is measured against the {task.horizon} years up to {history.cutoff:%Y-%m-%d}, but the data begin "
            f"on {first:%Y-%m-%d}: take a later --cutoff or a shorter --horizon"
        )
