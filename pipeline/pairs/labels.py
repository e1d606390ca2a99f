"""What became of candidate pairs: whether they converged within the horizon."""

import numpy as np

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.errors import CutoffError
from pipeline.pairs.base import CandidatePairs


def converged(later: Corpus, pairs: CandidatePairs, task: TaskConfig) -> np.ndarray:
    """1 where the pair co-occurs on ``min_joint`` or more patents in (cutoff, cutoff + horizon], else 0; int8.

    Raises:
        CutoffError: when ``later`` does not yet know the whole window: an open window has no label.
    """
    end = years_before(pairs.cutoff, -task.horizon)
    if end > later.cutoff:
        raise CutoffError(
            f"the outcome of {pairs.cutoff:%Y-%m-%d} is open until {end:%Y-%m-%d}, "
            f"but the data end on {later.cutoff:%Y-%m-%d}"
        )
    window = later.as_of(end)
    incidence = window.incidence(task.scheme, task.level)
    joint = incidence.joint(window.rows_since(pairs.cutoff))
    column = np.searchsorted(incidence.codes, pairs.codes)  # a later history holds every earlier code
    counts: np.ndarray = joint[column][:, column].toarray()[pairs.a, pairs.b]
    return np.asarray(counts >= task.min_joint, dtype=np.int8)


def coverage(later: Corpus, pairs: CandidatePairs, task: TaskConfig) -> float | None:
    """The share of all new links of the window, also those of codes unseen or rare at the cutoff, that the candidates
    held; None when there was none."""
    end = years_before(pairs.cutoff, -task.horizon)
    window = later.as_of(end)
    incidence = window.incidence(task.scheme, task.level)
    start = window.rows_since(pairs.cutoff).start
    before = incidence.joint(slice(0, start))
    after = incidence.joint(slice(start, None))
    linked = after.multiply(after >= task.min_joint)
    new = (linked.nnz - linked.multiply(before).nnz) // 2
    return float(converged(later, pairs, task).sum() / new) if new else None
