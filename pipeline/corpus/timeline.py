"""The corpus in memory and the only door to its past: ``corpus.as_of(t)``.

Rows of ``patents`` are sorted by knowledge date, so a history is a prefix of it; every other table is cut by
the patents it belongs to. Feature code receives a ``Corpus`` that was cut already and never sees a later row.
"""

import dataclasses
import functools
import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.corpus.entry_dates import entered
from pipeline.corpus.symbols import roll_up
from pipeline.errors import CutoffError

Made = TypeVar("Made")


class _Kept:
    """Things made once, each in the thread that asks first; the others wait for that one alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._made: dict[Hashable, Any] = {}

    def of(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What was made under the key, or is made now."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]

    def __reduce__(self) -> tuple[type["_Kept"], tuple[()]]:
        return _Kept, ()  # a copy in another process makes its own


@dataclasses.dataclass(frozen=True)
class Incidence:
    """Which patent carries which code: 0/1 matrix (patents x codes), and the codes in sorted order.

    ``left_out``: patents of each code that stands on them but was not in force yet, and so is none of the codes.
    """

    matrix: sp.csr_array
    codes: np.ndarray
    left_out: np.ndarray

    def counts(self, rows: slice | None = None) -> np.ndarray:
        """Patents a code, over all rows or some."""
        matrix = self.matrix if rows is None else self.matrix[rows]
        return np.asarray(matrix.sum(axis=0)).ravel()

    def joint(self, rows: slice | None = None) -> sp.csr_array:
        """Patents a pair of codes (symmetric), the diagonal left empty; counted once and kept: not to be changed."""
        start, stop, _ = (rows or slice(None)).indices(self.matrix.shape[0])
        return self._joints.of((start, stop), lambda: self._count_joint(slice(start, stop)))

    @functools.cached_property
    def _joints(self) -> "_Kept":
        return _Kept()

    def _count_joint(self, rows: slice) -> sp.csr_array:
        matrix = self.matrix[rows]
        product = (matrix.T @ matrix).tocsr()
        product.setdiag(0)
        product.eliminate_zeros()
        return sp.csr_array(product)


@dataclasses.dataclass(frozen=True)
class Corpus:
    """The canonical tables (see ``pipeline.schemas``), optionally with one text vector a patent.

    ``cutoff`` is the last day this corpus knows of; for a whole corpus see ``last_day``. ``entry_dates``: the table of
    ``pipeline.corpus.entry_dates``; without one every code always existed.
    """

    patents: pd.DataFrame
    patent_codes: pd.DataFrame
    citations: pd.DataFrame
    parties: pd.DataFrame
    members: pd.DataFrame
    cutoff: pd.Timestamp
    embeddings: np.ndarray | None = None
    entry_dates: pd.DataFrame | None = None

    def as_of(self, cutoff: pd.Timestamp) -> "Corpus":
        """Everything known on ``cutoff`` (inclusive) and nothing else.

        Raises:
            CutoffError: when ``cutoff`` lies after what this corpus itself may see.
        """
        if cutoff > self.cutoff:
            raise CutoffError(f"cutoff {cutoff:%Y-%m-%d} lies after {self.cutoff:%Y-%m-%d}, the last day known here")
        known = int(self.patents["knowledge_date"].searchsorted(cutoff, side="right"))
        kept = {name: rows < known for name, rows in self._rows_of.items()}
        history = dataclasses.replace(
            self,
            patents=self.patents.iloc[:known],
            patent_codes=self.patent_codes[kept["patent_codes"]].reset_index(drop=True),
            citations=self.citations[kept["citations"]].reset_index(drop=True),
            parties=self.parties[kept["parties"]].reset_index(drop=True),
            members=self.members[self.members["knowledge_date"] <= cutoff].reset_index(drop=True),
            cutoff=cutoff,
            embeddings=None if self.embeddings is None else self.embeddings[:known],
        )
        # what was looked up here once is handed down, cut likewise: a history holds nothing of what came later
        history.__dict__["_rows_of"] = {name: self._rows_of[name][few] for name, few in kept.items()}
        history.__dict__["_rolled_up"] = {key: _cut(*known_up, known) for key, known_up in self._rolled_up.items()}
        return history

    @functools.cached_property
    def _rows_of(self) -> dict[str, np.ndarray]:
        """The patent of each row of the tables that are cut by patents, as a row of ``patents``; after all if none."""
        owners = {"patent_codes": "patent_id", "citations": "citing", "parties": "patent_id"}
        found = {name: self.row_of(getattr(self, name)[column]) for name, column in owners.items()}
        return {name: np.where(rows < 0, len(self.patents), rows) for name, rows in found.items()}

    def with_embeddings(self, embeddings: np.ndarray) -> "Corpus":
        """The same corpus with text vectors, one row a patent in the order of ``patents``."""
        if len(embeddings) != len(self.patents):
            raise ValueError(f"{len(embeddings)} vectors for {len(self.patents)} patents")
        return dataclasses.replace(self, embeddings=embeddings)

    def rows_since(self, start: pd.Timestamp) -> slice:
        """Rows of ``patents`` known strictly after ``start``: the window (start, cutoff]."""
        first = int(self.patents["knowledge_date"].searchsorted(start, side="right"))
        return slice(first, len(self.patents))

    def row_of(self, patent_ids: pd.Series) -> np.ndarray:
        """Row numbers in ``patents`` of the ids given, -1 where the id is unknown here."""
        rows: np.ndarray = self._ids.get_indexer(pd.Index(patent_ids))
        return rows

    @functools.cached_property
    def _ids(self) -> pd.Index:
        ids: pd.Index = pd.Index(self.patents["patent_id"])
        return ids

    def once(self, make: Callable[..., Made], *arguments: Any) -> Made:
        """``make(self, *arguments)``, made the first time and kept with this corpus: what blocks of pairs share.

        What is kept depends on the history and the arguments alone, so that keeping it changes no value.
        """
        key = (make, *map(_identity, arguments))
        # arguments known by their place must stay in it
        made, _ = self._kept.of(key, lambda: (make(self, *arguments), arguments))
        return cast("Made", made)

    @functools.cached_property
    def _kept(self) -> "_Kept":
        return _Kept()

    def incidence(self, scheme: str, level: str) -> Incidence:
        """The patent-code matrix of one scheme rolled up to one level; symbols coarser than it do not count.

        Nor do codes that are not in force on the cutoff's day: exports put today's symbols on old patents. This is the
        only place where they are dropped, so such a code is no candidate, no neighbour and no label of that day.
        """
        key = (scheme, level)
        if key not in self._incidences:
            self._incidences[key] = self._build_incidence(scheme, level)
        return self._incidences[key]

    @functools.cached_property
    def _incidences(self) -> dict[tuple[str, str], Incidence]:
        return {}

    def entered(self, codes: np.ndarray, scheme: str, level: str) -> np.ndarray:
        """The day from which each code existed, datetime64[s]; NaT: always, as far as is known."""
        if self.entry_dates is None:
            return np.full(len(codes), np.datetime64("NaT", "s"))
        return entered(codes, scheme, level, self.entry_dates)

    def in_force(self, codes: np.ndarray, scheme: str, level: str) -> np.ndarray:
        """Which of the codes exist on the cutoff's day: one bool each."""
        return ~(self.entered(codes, scheme, level) > self.cutoff.to_datetime64())

    def _build_incidence(self, scheme: str, level: str) -> Incidence:
        if (scheme, level) not in self._rolled_up:
            self._rolled_up[scheme, level] = self._roll_up(scheme, level)
        matrix, names = self._rolled_up[scheme, level]
        exists = self.in_force(names, scheme, level)
        left_out: np.ndarray = np.asarray(matrix[:, ~exists].sum(axis=0)).ravel()
        return Incidence(matrix=matrix[:, exists], codes=names[exists], left_out=left_out)

    @functools.cached_property
    def _rolled_up(self) -> dict[tuple[str, str], tuple[sp.csr_array, np.ndarray]]:
        """By scheme and level the 0/1 matrix patents x codes and the sorted codes, in force or not."""
        return {}

    def _roll_up(self, scheme: str, level: str) -> tuple[sp.csr_array, np.ndarray]:
        of_scheme = (self.patent_codes["scheme"] == scheme).to_numpy()
        rolled = roll_up(self.patent_codes["symbol"][of_scheme], level)
        kept = rolled.notna().to_numpy()
        column, codes = pd.factorize(rolled[kept], sort=True)
        row = self._rows_of["patent_codes"][of_scheme][kept].astype(np.int32)
        column = column.astype(np.int32)  # with both so, every product of this matrix has indices of half the size
        shape = (len(self.patents), len(codes))
        matrix = sp.csr_array((np.ones(len(row)), (row, column)), shape=shape)
        matrix.data[:] = 1.0  # several groups of one subclass on a patent are one membership
        return matrix, np.asarray(codes, dtype=str)


def last_day(members: pd.DataFrame) -> pd.Timestamp:
    """The day up to which a whole corpus is taken to be complete: the end of the month of its last document.

    Offices publish weekly, so data that end on 30 December are whole for the year.
    """
    last = members["knowledge_date"].max()
    return pd.Timestamp(last + pd.offsets.MonthEnd(0)).as_unit("s")


def years_before(day: pd.Timestamp, years: int) -> pd.Timestamp:
    """The same calendar day ``years`` earlier (29 February becomes the 28th)."""
    return day + pd.DateOffset(years=-years)


def months_before(day: pd.Timestamp, months: int) -> pd.Timestamp:
    """The same day of the month ``months`` earlier; the last day of a month stays a last day."""
    earlier = day + pd.DateOffset(months=-months)
    return pd.Timestamp(earlier + pd.offsets.MonthEnd(0)).as_unit("s") if day.is_month_end else earlier


def _identity(argument: Any) -> Hashable:
    """An argument as part of a key: arrays by content, values by themselves, all else by its place in memory."""
    if isinstance(argument, np.ndarray):
        return argument.dtype.str, argument.tobytes()
    try:
        hash(argument)
    except TypeError:
        return id(argument)
    return argument


def _cut(matrix: sp.csr_array, codes: np.ndarray, known: int) -> tuple[sp.csr_array, np.ndarray]:
    """The first rows, and the codes that stand on them."""
    first = matrix[:known]
    used = np.bincount(first.indices, minlength=len(codes)) > 0
    return sp.csr_array(first[:, used]), codes[used]
