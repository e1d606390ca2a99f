"""How many candidates to expect to converge: what the calibrated probabilities must add up to.

The share of positives falls as a corpus grows and its universe fills with rare codes: the last closed window is
``horizon`` years old and overstates it. The last year's new links are younger; they are scaled by what a horizon will
bring per link of the last year. Two accounts of that are averaged (as logarithms): how many links earlier origins saw
in a horizon per link of their first year, shrunk towards an even flow; and, on the new-link track, what is to be
expected if codes met at random: pairs that were likely to meet have met by now, and the young codes that have come
since are rare. Where the latest half-year brought far more links than the half before it (offices began to give more
codes), it stands for the year. On 341 origins of five real corpora and of random tenths to halves of them the squared
log error, each corpus weighing the same, was .56 with the first account alone, .41 with both, .33 with the half-year
too: smaller than with the first alone on four of the five and level on the other. A change of practice that comes after
the cutoff is not foreseen.

The strengthening track is held to the first account alone; its one-year outcome is growth over the year before, which
is about as frequent as growth over a whole horizon.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from pipeline.background.summary import Summary
from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, months_before, years_before
from pipeline.errors import NotEnoughDataError
from pipeline.pairs.candidates import Candidates, find_candidates
from pipeline.pairs.labels import converged, outcomes
from pipeline.ranking.base import Origin

ORIGINS = 3  # latest past origins over which the growth is averaged
EVEN_FLOW = 50  # positives in their first years that weigh as much as the assumption of an even flow
BREAK = 3.0  # standard errors of chance by which the halves of the last year differ where coding practice has changed


def expected_prior(history: Corpus, past: Sequence[Origin], task: TaskConfig, outside: Summary | None = None) -> float:
    """The expected share of positives among the candidates at the history's cutoff, from the history alone.

    ``outside``: the background, where it decides which pairs are candidates.

    Raises:
        NotEnoughDataError: when there were no candidates one year before the cutoff.
    """
    now = find_candidates(history, task, outside)
    one_year = task.model_copy(update={"horizon": 1})
    latest = history.as_of(years_before(history.cutoff, 1))
    then = find_candidates(latest, one_year, outside, now.limited)
    met = outcomes(history, then, one_year).nnz
    last_year = _prevalence(met, len(then))
    growth = _seen_growth(history, past, task, one_year)
    if task.track == "new":
        recent, candidates = _last_half_year(history, task, outside, now.limited)
        if 2 * recent - met > BREAK * np.sqrt(met):
            last_year = 2 * _prevalence(recent, candidates)
        patents = max(len(history.patents) - len(latest.patents), 1)
        at_random = _chance(history, now, task, task.horizon * patents) / _chance(latest, then, task, patents)
        growth = (growth + np.log(at_random)) / 2
    return float(min(last_year * np.exp(growth), 0.99))


def _seen_growth(history: Corpus, past: Sequence[Origin], task: TaskConfig, one_year: TaskConfig) -> float:
    """Log of the links that a horizon brought per link of its first year."""
    even = np.log(task.horizon) if task.track == "new" else 0.0  # links that come evenly grow with the years
    growth, evidence = [even], [float(EVEN_FLOW)]
    for origin in past[-ORIGINS:]:
        weight = np.ones(len(origin.outcome)) if origin.weights is None else origin.weights
        first_year = converged(history, origin.table.pairs, one_year) @ weight
        candidates = weight.sum()
        growth.append(np.log(_prevalence(origin.outcome @ weight, candidates) / _prevalence(first_year, candidates)))
        evidence.append(float(first_year))
    return float(np.average(growth, weights=evidence))


def _last_half_year(history: Corpus, task: TaskConfig, outside: Summary | None, limited: bool) -> tuple[int, int]:
    """How many candidates of half a year before the cutoff have met since, and of how many; 0 where there was none."""
    try:
        then = find_candidates(history.as_of(months_before(history.cutoff, 6)), task, outside, limited)
    except NotEnoughDataError:
        return 0, 0
    incidence = history.incidence(task.scheme, task.level)
    column = np.searchsorted(incidence.codes, then.codes)
    enough = incidence.joint()[column][:, column] >= task.min_joint
    return int(then.among(sp.triu(enough, k=1, format="csr")).nnz), len(then)


def _chance(history: Corpus, candidates: Candidates, task: TaskConfig, coming: float) -> float:
    """The mean chance of pairs that never met to meet in as many patents as are coming.

    A pair's rate is taken as exponential about that of two independent codes; none of the patents so far held both,
    which speaks the more against it, the more were to be expected.
    """
    incidence = history.incidence(task.scheme, task.level)
    patents = incidence.counts()[np.searchsorted(incidence.codes, candidates.codes)]
    more = coming / len(history.patents)
    chances = []
    for a, b in candidates.blocks():
        expected = patents[a] * patents[b] / len(history.patents)
        chances.append(expected * more / (1 + expected * (1 + more)))
    return float(np.mean(np.concatenate(chances)))


def _prevalence(positives: float, candidates: float) -> float:
    return (positives + 0.5) / (candidates + 1)  # the half keeps a year without links from meaning never
