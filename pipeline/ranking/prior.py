"""How many candidates to expect to converge: what the calibrated probabilities must add up to.

The share of positives falls as a corpus grows and its universe fills with rare codes: the last closed window is
``horizon`` years old and overstates it. The last year's new links are younger; they are scaled by how many links the
horizon has brought per link of its first year, shrunk towards an even flow. On 76 origins of four real corpora and of
random tenths to thirds of them the squared log error was .35; with the last closed window's share it was .60.

The strengthening track is held to the same rule, where the one-year outcome is growth over the year before, which is
about as frequent as growth over a whole horizon.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged
from pipeline.ranking.base import Origin

ORIGINS = 3  # latest past origins over which the growth is averaged
EVEN_FLOW = 50  # positives in their first years that weigh as much as the assumption of an even flow


def expected_prior(history: Corpus, past: Sequence[Origin], task: TaskConfig) -> float:
    """The expected share of positives among the candidates at the history's cutoff, from the history alone.

    Raises:
        NotEnoughDataError: when there were no candidates one year before the cutoff.
    """
    one_year = task.model_copy(update={"horizon": 1})
    latest = history.as_of(years_before(history.cutoff, 1))
    last_year = _prevalence(converged(history, candidate_pairs(latest, one_year).pairs, one_year))
    even = np.log(task.horizon) if task.track == "new" else 0.0  # links that come evenly grow with the years
    growth, evidence = [even], [float(EVEN_FLOW)]
    for origin in past[-ORIGINS:]:
        first_year = converged(history, origin.table.pairs, one_year)
        growth.append(np.log(_prevalence(origin.outcome) / _prevalence(first_year)))
        evidence.append(float(first_year.sum()))
    return float(min(last_year * np.exp(np.average(growth, weights=evidence)), 0.99))


def _prevalence(labels: np.ndarray) -> float:
    return (labels.sum() + 0.5) / (len(labels) + 1)  # the half keeps a year without links from meaning never
