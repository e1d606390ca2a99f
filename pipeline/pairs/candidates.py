"""The candidate universe at a cutoff: all pairs of active codes that never co-occurred (new-link track)."""

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
    linked: int  # pairs of active codes that are linked already: not candidates of this track
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
    """All unordered pairs of codes with at least ``min_patents`` patents in the history and no joint patent.

    Codes not in force at the cutoff are no codes of the history (``Corpus.incidence``). A pair whose younger code came
    into force within the window is tagged ``entered``.

    Raises:
        NotEnoughDataError: fewer than two active codes, no candidate, or more than ``max_candidates``.
    """
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
    joint = incidence.joint()[active][:, active]
    a, b = np.triu_indices(len(active), k=1)
    linked = np.zeros((len(active), len(active)), dtype=bool)
    linked[joint.nonzero()] = True
    unlinked = ~linked[a, b]
    if not unlinked.any():
        raise NotEnoughDataError(f"every pair of active codes is linked already {where}: take a finer --level")
    a, b = a[unlinked], b[unlinked]
    codes = incidence.codes[active]
    since = years_before(history.cutoff, task.window)
    in_force = history.entered(codes, task.scheme, task.level)
    table = pd.DataFrame(
        {
            "cutoff": pd.Series(history.cutoff.as_unit("s"), index=range(len(a)), dtype="datetime64[s]"),
            "code_a": codes[a].astype(str),
            "code_b": codes[b].astype(str),
            "prior": np.zeros(len(a), dtype=np.int64),
            "status": "new",
            "entered": tag_pairs(in_force, a, b, since, history.cutoff) == "entered",
        }
    )
    pairs = CandidatePairs(table=table, codes=codes, a=a, b=b, cutoff=history.cutoff)
    not_in_force = int((incidence.left_out >= task.min_patents).sum())
    return Universe(pairs=pairs, linked=possible - len(a), not_in_force=not_in_force)
