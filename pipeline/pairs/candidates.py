"""The candidate universe at a cutoff: all pairs of active codes that never co-occurred, or all that did.

New-link track: never up to the cutoff. Strengthening track: on one patent or more. The two share no pair. Where the
pairs that never met are more than ``max_candidates``, only those with evidence are candidates (``pairs.evidence``).
"""

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.background.summary import Summary
from pipeline.config import TaskConfig
from pipeline.corpus.entry_dates import tag_pairs
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.errors import NotEnoughDataError
from pipeline.pairs.base import CandidatePairs
from pipeline.pairs.evidence import evidence

SPAN = 256  # codes whose pairs are worked on at once, at most
BLOCK = 500_000  # pairs that are worked on at once, and up to which all candidates make one table


@dataclasses.dataclass(frozen=True)
class Universe:
    """The candidates at one cutoff and the size of what they were drawn from."""

    pairs: CandidatePairs  # all of them, or those at the head of a list too long to be one table
    total: int  # candidates
    linked: int  # pairs of active codes that are linked already: the candidates of the strengthening track
    not_in_force: int  # codes with as many patents that came into force only after the cutoff: no candidates
    without_evidence: int = 0  # pairs that never met and are no candidates for want of any evidence
    with_evidence: dict[str, int] = dataclasses.field(default_factory=dict)  # candidates by kind, where it was asked

    def summary(self) -> dict[str, Any]:
        """Counts for the run record."""
        cutoff = self.pairs.cutoff
        counts = {
            "cutoff": f"{cutoff:%Y-%m-%d}",
            "codes": len(self.pairs.codes),
            "pairs": self.total,
            "linked": self.linked,
            "not_in_force": self.not_in_force,
        }
        limited = {"without_evidence": self.without_evidence, "with_evidence": self.with_evidence}
        return counts | limited if self.with_evidence else counts


def candidate_pairs(
    history: Corpus, task: TaskConfig, outside: Summary | None = None, limited: bool = False
) -> Universe:
    """All unordered pairs of codes with ``min_patents`` patents or more in the history, linked or not by track.

    ``outside``, ``limited``: as ``find_candidates``.

    ``status``: ``new`` without a joint patent; ``active`` with one in the window, ``dormant`` with earlier ones only.
    Codes not in force at the cutoff are no codes of the history (``Corpus.incidence``). A pair whose younger code came
    into force within the window is tagged ``entered``.

    Raises:
        NotEnoughDataError: as ``find_candidates``.
    """
    found = find_candidates(history, task, outside, limited)
    return found.universe(found.pairs())


@dataclasses.dataclass(frozen=True)
class Candidates:
    """The candidates at one cutoff, made into pairs for some codes at a time.

    ``codes``: the active ones, sorted. ``joint``, ``recent``: their joint patents, of all history and of the window
    (codes x codes, symmetric). ``in_force``: since when each exists; ``since``: the day the window begins after.
    ``limit``: where all pairs that never met would be too many, those with evidence (codes x codes, the upper triangle,
    bool); ``with_evidence``: how many of them have which.
    """

    codes: np.ndarray
    joint: sp.csr_array
    recent: sp.csr_array
    in_force: np.ndarray
    since: pd.Timestamp
    cutoff: pd.Timestamp
    linked_track: bool
    not_in_force: int
    limit: sp.csr_array | None = None
    with_evidence: dict[str, int] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.sizes.sum())

    @property
    def linked(self) -> int:
        """Pairs that have met."""
        return int(self.joint.nnz // 2)

    @functools.cached_property
    def sizes(self) -> np.ndarray:
        """Candidates of each code with those after it."""
        if self.limit is not None:
            return np.diff(self.limit.indptr)
        linked = np.diff(sp.triu(self.joint, k=1, format="csr").indptr)
        return linked if self.linked_track else np.arange(len(self.codes) - 1, -1, -1) - linked

    def places(self, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """Positions in ``codes`` of the pairs of the codes ``rows`` with those after each, in order."""
        if self.limit is not None:
            start, stop, _ = rows.indices(len(self.codes))
            some = slice(self.limit.indptr[start], self.limit.indptr[stop])
            return np.repeat(np.arange(start, stop), self.sizes[start:stop]), self.limit.indices[some].astype(np.int64)
        met = self.joint[rows].toarray() > 0
        first = rows.indices(len(self.codes))[0]
        later = np.arange(len(self.codes)) > np.arange(first, first + len(met))[:, None]
        a, b = np.nonzero((met if self.linked_track else ~met) & later)
        return a + first, b

    def among(self, pairs: sp.csr_array) -> sp.csr_array:
        """Those of some pairs that are candidates; codes x codes, the upper triangle, bool."""
        if self.limit is not None:
            return sp.csr_array(pairs.multiply(self.limit))
        linked = pairs.multiply(self.joint > 0)
        return sp.csr_array(linked if self.linked_track else pairs > linked)

    def told(self) -> list[str]:
        """What a reader has to know of which pairs are ranked."""
        if self.limit is None:
            return []
        every = len(self) + self.without_evidence
        kinds = ", ".join(f"{_KINDS[name]} {count:,}" for name, count in self.with_evidence.items())
        return [
            f"candidates: {len(self):,} of the {every:,} pairs that never met have evidence ({kinds}); the rest are "
            "not ranked"
        ]

    @property
    def limited(self) -> bool:
        """Whether only pairs with evidence are candidates."""
        return self.limit is not None

    @property
    def without_evidence(self) -> int:
        """Pairs that never met and are no candidates, for want of evidence."""
        return 0 if self.limit is None else len(self.codes) * (len(self.codes) - 1) // 2 - self.linked - len(self)

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
        return Universe(
            pairs=pairs,
            total=len(self),
            linked=self.linked,
            not_in_force=self.not_in_force,
            without_evidence=self.without_evidence,
            with_evidence=self.with_evidence,
        )


_KINDS = {
    "neighbour": "a shared neighbour",
    "parent": "parents that met",
    "citation": "a citation",
    "text": "near texts",
    "background": "joint patents in the background",
}


def find_candidates(
    history: Corpus, task: TaskConfig, outside: Summary | None = None, limited: bool = False
) -> Candidates:
    """The candidates, not yet made into a table; see ``candidate_pairs``.

    ``outside``: the background's summary, which may be evidence. ``limited``: only pairs with evidence, however few all
    would be: so it is at the past origins of a target where they are too many.

    Raises:
        NotEnoughDataError: fewer than two active codes, no candidate, or more codes or more candidates than can be;
            on the strengthening track also a history that begins after the years that growth is measured against.
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
    possible = len(active) * (len(active) - 1) // 2
    if not found.linked_track and (limited or possible > task.max_candidates):
        found = _with_evidence(found, history, task, outside)
    if len(found) > task.max_candidates:
        raise NotEnoughDataError(
            f"{len(active):,} active codes {where} make {len(found):,} candidates, more than {task.max_candidates:,}: "
            "take a coarser --level or a higher --min-patents"
        )
    if not len(found):
        what, advice = ("no", "coarser") if task.track == "strengthening" else ("every", "finer")
        raise NotEnoughDataError(f"{what} pair of active codes is linked already {where}: take a {advice} --level")
    return found


def _with_evidence(found: Candidates, history: Corpus, task: TaskConfig, outside: Summary | None) -> Candidates:
    """The candidates limited to pairs with evidence; of each code so many a kind that all kinds together are few."""
    most = max(task.max_candidates // (len(_KINDS) * len(found.codes)), 1)
    kinds = evidence(history, task, found.codes, most, outside)
    new = {name: sp.triu(kind > kind.multiply(found.joint > 0), k=1, format="csr") for name, kind in kinds.items()}
    limit = sp.csr_array(sum(new.values(), sp.csr_array(found.joint.shape, dtype=bool)).astype(bool))
    limit.sort_indices()
    return dataclasses.replace(found, limit=limit, with_evidence={name: int(kind.nnz) for name, kind in new.items()})


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
