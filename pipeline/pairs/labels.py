"""What became of candidate pairs within the horizon, (cutoff, cutoff + horizon].

New-link track: the pair, never linked before, has ``min_joint`` joint patents or more. Strengthening track: the pair,
linked before, has ``min_joint`` or more, and strictly more than in the as many years up to the cutoff.
"""

import numpy as np
import scipy.sparse as sp

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.errors import CutoffError
from pipeline.pairs.base import CandidatePairs
from pipeline.pairs.candidates import Candidates


def outcome_in_words(task: TaskConfig) -> str:
    """What counts as a positive, for those who read its metrics.

    >>> outcome_in_words(TaskConfig(track="strengthening"))
    'linked by the cutoff; 1 or more joint patents in the 3 years after it, and more than in the 3 years up to it'
    """
    joint = f"{task.min_joint} or more joint patents in the {task.horizon} years after it"
    if task.track == "new":
        return f"never linked by the cutoff; {joint}"
    return f"linked by the cutoff; {joint}, and more than in the {task.horizon} years up to it"


def converged(later: Corpus, pairs: CandidatePairs, task: TaskConfig) -> np.ndarray:
    """1 where the pair has the outcome of the task's track within the horizon, else 0; int8.

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
    codes = window.incidence(task.scheme, task.level).codes
    column = np.searchsorted(codes, pairs.codes)  # a later history holds every earlier code
    happened: np.ndarray = _happened(window, pairs, task)[column][:, column].toarray()[pairs.a, pairs.b]
    return happened.astype(np.int8)


def outcomes(later: Corpus, candidates: Candidates, task: TaskConfig) -> sp.csr_array:
    """Which of all candidates have the outcome, as ``converged``: codes x codes, the upper triangle, bool.

    ``later`` must know the whole window.
    """
    window = later.as_of(years_before(candidates.cutoff, -task.horizon))
    column = np.searchsorted(window.incidence(task.scheme, task.level).codes, candidates.codes)
    happened = sp.triu(_happened(window, candidates, task)[column][:, column], k=1, format="csr")
    return candidates.among(happened)


def coverage(later: Corpus, pairs: CandidatePairs, task: TaskConfig) -> float | None:
    """The share of all pairs with the outcome, also those of codes unseen or rare at the cutoff, that the candidates
    held; None when there was none."""
    window = later.as_of(years_before(pairs.cutoff, -task.horizon))
    until = slice(0, window.rows_since(pairs.cutoff).start)
    happened = _happened(window, pairs, task)
    before = happened.multiply(window.incidence(task.scheme, task.level).joint(until) > 0).nnz
    both_ways = before if task.track == "strengthening" else happened.nnz - before
    return float(converged(later, pairs, task).sum() / (both_ways / 2)) if both_ways else None


def _happened(window: Corpus, pairs: CandidatePairs | Candidates, task: TaskConfig) -> sp.csr_array:
    """Which two codes have joint patents enough after the cutoff, whether candidates or not (symmetric, bool).

    ``window`` ends with the horizon.
    """
    incidence = window.incidence(task.scheme, task.level)
    first = window.rows_since(pairs.cutoff).start
    after = incidence.joint(slice(first, None))
    happened = after >= task.min_joint
    if task.track == "strengthening":
        start = window.rows_since(years_before(pairs.cutoff, task.horizon)).start
        happened = happened.multiply(after > incidence.joint(slice(start, first)))
    return sp.csr_array(happened)
