"""On which patents two codes stand together, and when a pair converged by that: the outcome, dated, while it is open.

The definition is that of ``pairs.labels``; there a window is over and gets a label, here the day and the patents count.
"""

import dataclasses

import numpy as np
import pandas as pd

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.schemas import PAIR

NAMED = 5  # patents that are named of a pair, those that came last


@dataclasses.dataclass(frozen=True)
class Meetings:
    """Every meeting of two codes on a patent, in the order in which the patents became known.

    ``pair``: the number of the pair (see ``numbers``), and ``row`` of ``corpus.patents``: one entry a meeting.
    """

    corpus: Corpus
    codes: pd.Index
    pair: np.ndarray
    row: np.ndarray

    def numbers(self, pairs: pd.DataFrame) -> np.ndarray:
        """The number of each pair, by columns code_a and code_b; -1 where a code is unknown here."""
        a, b = (self.codes.get_indexer(pd.Index(pairs[code])) for code in PAIR)
        return np.where((a < 0) | (b < 0), -1, a.astype(np.int64) * len(self.codes) + b)

    def between(self, start: pd.Timestamp, end: pd.Timestamp) -> "Meetings":
        """Those on patents known in (start, end]."""
        known = self.corpus.patents["knowledge_date"]
        rows = np.searchsorted(self.row, known.searchsorted([start, end], side="right"))
        return dataclasses.replace(self, pair=self.pair[slice(*rows)], row=self.row[slice(*rows)])

    def count(self, pairs: pd.DataFrame) -> np.ndarray:
        """Meetings of each pair."""
        number, (found, times) = self.numbers(pairs), np.unique(self.pair, return_counts=True)
        place = np.searchsorted(found, number).clip(max=max(len(found) - 1, 0))
        return np.where(found[place] == number, times[place], 0) if len(found) else np.zeros(len(number), dtype=int)


def meetings(corpus: Corpus, task: TaskConfig) -> Meetings:
    """All meetings of codes in a corpus, at the task's level."""
    incidence = corpus.incidence(task.scheme, task.level)
    matrix = incidence.matrix.sorted_indices()
    # each entry of a row together with those after it in the row
    after = np.repeat(matrix.indptr[1:], np.diff(matrix.indptr)) - np.arange(matrix.nnz) - 1
    left = np.repeat(np.arange(matrix.nnz), after)
    right = left + 1 + np.arange(len(left)) - np.repeat(np.cumsum(after) - after, after)
    patent = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    pair = matrix.indices[left].astype(np.int64) * len(incidence.codes) + matrix.indices[right]
    return Meetings(corpus, pd.Index(incidence.codes), pair, patent[left])


def outcomes(meetings: Meetings, pairs: pd.DataFrame, cutoff: pd.Timestamp, task: TaskConfig) -> pd.DataFrame:
    """Which pairs forecast from a cutoff have converged by now: code_a, code_b, converged_on, patents; by day.

    A pair has when it met often enough within (cutoff, cutoff + horizon]: ``min_joint`` times, on the strengthening
    track also more often than in as many years before. ``converged_on`` is the day of the patent that made it enough,
    ``patents`` the ids up to that one (at most NAMED, the deciding one last), joined by ``;``.
    """
    window = meetings.between(cutoff, years_before(cutoff, -task.horizon))
    needed = np.full(len(pairs), task.min_joint)
    if task.track == "strengthening":
        before = meetings.between(years_before(cutoff, task.horizon), cutoff).count(pairs)
        needed = np.maximum(needed, before + 1)
    asked = pd.DataFrame({"pair": meetings.numbers(pairs), "needed": needed, "of": np.arange(len(pairs))})
    met = pd.DataFrame({"pair": window.pair, "row": window.row}).merge(asked[asked["pair"] >= 0], on="pair")
    met = met.sort_values(["of", "row"]).assign(time=lambda table: table.groupby("of").cumcount() + 1)
    enough = met[met["time"] == met["needed"]]
    named = met[(met["time"] <= met["needed"]) & (met["time"] > met["needed"] - NAMED)]
    named = named[named["of"].isin(enough["of"])]
    patents = meetings.corpus.patents
    ids = pd.Series(patents["patent_id"].to_numpy()[named["row"]], index=named["of"].to_numpy(), dtype="str")
    found = pairs.iloc[enough["of"].to_numpy()][PAIR].reset_index(drop=True)
    table = found.assign(
        converged_on=patents["knowledge_date"].to_numpy()[enough["row"]],
        patents=pd.Series([";".join(group) for _, group in ids.groupby(level=0)], dtype="str"),
    )
    table["patents"] = table["patents"].astype("str")
    return table.sort_values(["converged_on", *PAIR], ignore_index=True)
