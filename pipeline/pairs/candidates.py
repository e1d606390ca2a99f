"""The candidate universe at a cutoff: all pairs of active codes that never co-occurred, or all that did.

New-link track: never up to the cutoff. Strengthening track: on one patent or more. The two share no pair.
"""

import dataclasses

import numpy as np
import pandas as pd

from pipeline.config import TaskConfig
from pipeline.corpus.entry_dates import tag_pairs
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.errors import NotEnoughDataError
from pipeline.pairs.base import CandidatePairs


@dataclasses.dataclass(frozen=True)
class Universe:
    """The candidates at one cutoff and the size of what they were drawn from."""

    pairs: CandidatePairs
    linked: int  # pairs of active codes that are linked already: the candidates of the strengthening track
    not_in_force: int  # codes with as many patents that came into force only after the cutoff: no candidates

    def summary(self) -> dict[str, int | str]:
        """Counts for the run record."""
        cutoff = self.pairs.cutoff
        return {
            "cutoff": f"{cutoff:%Y-%m-%d}",
            "codes": len(self.pairs.codes),
            "pairs": len(self.pairs),
            "linked": self.linked,
            "not_in_force": self.not_in_force,
        }


def candidate_pairs(history: Corpus, task: TaskConfig) -> Universe:
    """All unordered pairs of codes with ``min_patents`` patents or more in the history, linked or not by track.

    ``status``: ``new`` without a joint patent; ``active`` with one in the window, ``dormant`` with earlier ones only.
    Codes not in force at the cutoff are no codes of the history (``Corpus.incidence``). A pair whose younger code came
    into force within the window is tagged ``entered``.

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
    joint = incidence.joint()[active][:, active].toarray()
    a, b = np.triu_indices(len(active), k=1)
    linked = joint[a, b] > 0
    chosen = linked if task.track == "strengthening" else ~linked
    if not chosen.any():
        what, advice = ("no", "coarser") if task.track == "strengthening" else ("every", "finer")
        raise NotEnoughDataError(f"{what} pair of active codes is linked already {where}: take a {advice} --level")
    a, b = a[chosen], b[chosen]
    codes, prior = incidence.codes[active], joint[a, b]
    since = years_before(history.cutoff, task.window)
    recent = incidence.joint(history.rows_since(since))[active][:, active].toarray()[a, b]
    in_force = history.entered(codes, task.scheme, task.level)
    table = pd.DataFrame(
        {
            "cutoff": pd.Series(history.cutoff.as_unit("s"), index=range(len(a)), dtype="datetime64[s]"),
            "code_a": codes[a].astype(str),
            "code_b": codes[b].astype(str),
            "prior": prior.astype(np.int64),
            "status": np.select([prior == 0, recent > 0], ["new", "active"], "dormant"),
            "entered": tag_pairs(in_force, a, b, since, history.cutoff) == "entered",
        }
    )
    pairs = CandidatePairs(table=table, codes=codes, a=a, b=b, cutoff=history.cutoff)
    not_in_force = int((incidence.left_out >= task.min_patents).sum())
    return Universe(pairs=pairs, linked=int(linked.sum()), not_in_force=not_in_force)


def _check_years_before(history: Corpus, task: TaskConfig) -> None:
    """Refuse a cutoff before which the data hold no whole horizon: every link would seem to grow."""
    start = years_before(history.cutoff, task.horizon)
    first = history.patents["knowledge_date"].iloc[0]
    if first.replace(day=1) > start + pd.Timedelta(days=1):  # data that begin on 5 January are whole for the year
        raise NotEnoughDataError(
            f"growth is measured against the {task.horizon} years up to {history.cutoff:%Y-%m-%d}, but the data begin "
            f"on {first:%Y-%m-%d}: take a later --cutoff or a shorter --horizon"
        )
