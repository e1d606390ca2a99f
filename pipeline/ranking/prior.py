"""How many candidates to expect to converge: what the calibrated probabilities must add up to.

The share of positives falls as a corpus grows and its universe fills with rare codes: the last closed window is
``horizon`` years old and overstates it. The last year's new links are younger; they are scaled by how many links the
horizon has brought per link of its first year. On eleven origins of four real corpora this cut the squared log error
from .39 to .24.

The strengthening track is held to the same rule, where the one-year outcome is growth over the year before. On
sixteen cutoffs of four real corpora the squared error of the logit was .23 and its mean .00; the last closed window's
share gave .21 and .04, the mean of the last three .29 and .12.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged
from pipeline.ranking.base import Origin

ORIGINS = 3  # latest past origins over which the ratio is averaged


def expected_prior(history: Corpus, past: Sequence[Origin], task: TaskConfig) -> float:
    """The expected share of positives among the candidates at the history's cutoff, from the history alone."""
    one_year = task.model_copy(update={"horizon": 1})
    latest = history.as_of(years_before(history.cutoff, 1))
    last_year = _prevalence(converged(history, candidate_pairs(latest, one_year).pairs, one_year))
    ratios = [
        np.log(_prevalence(origin.outcome) / _prevalence(converged(history, origin.table.pairs, one_year)))
        for origin in past[-ORIGINS:]
    ]
    return float(min(last_year * np.exp(np.mean(ratios)), 0.99))


def _prevalence(labels: np.ndarray) -> float:
    return (labels.sum() + 0.5) / (len(labels) + 1)  # the half keeps a year without links from meaning never
