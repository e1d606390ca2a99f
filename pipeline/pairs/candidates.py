"""The candidate universe at a cutoff: all pairs of active codes that never co-occurred (new-link track)."""

import dataclasses

import numpy as np
import pandas as pd

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.errors import NotEnoughDataError
from pipeline.pairs.base import CandidatePairs


@dataclasses.dataclass(frozen=True)
class Universe:
    """The candidates at one cutoff and the size of what they were drawn from."""

    pairs: CandidatePairs
    linked: int  # pairs of active codes that are linked already: not candidates of this track

    def summary(self) -> dict[str, int | str]:
        """Counts for the run record."""
        cutoff = self.pairs.cutoff
        return {
            "cutoff": f"{cutoff:%Y-%m-%d}",
            "codes": len(self.pairs.codes),
            "pairs": len(self.pairs),
            "linked": self.linked,
        }


def candidate_pairs(history: Corpus, task: TaskConfig) -> Universe:
    """All unordered pairs of codes with at least ``min_patents`` patents in the history and no joint patent.

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
    table = pd.DataFrame(
        {
            "cutoff": pd.Series(history.cutoff.as_unit("s"), index=range(len(a)), dtype="datetime64[s]"),
            "code_a": codes[a].astype(str),
            "code_b": codes[b].astype(str),
            "prior": np.zeros(len(a), dtype=np.int64),
            "status": "new",
        }
    )
    pairs = CandidatePairs(table=table, codes=codes, a=a, b=b, cutoff=history.cutoff)
    return Universe(pairs=pairs, linked=possible - len(a))
