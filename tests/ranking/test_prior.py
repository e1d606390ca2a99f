"""The expected share of positives, by hand."""

import itertools

import numpy as np
import pandas as pd
import pytest
from factories import corpus_from
from scipy.integrate import quad

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.features.build import build_features, ranked
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged
from pipeline.ranking.base import Origin
from pipeline.ranking.prior import expected_prior

TASK = TaskConfig(horizon=2, min_patents=1)
CODES = ["A01B", "B60L", "F25B", "G06F", "H01L"]  # ten pairs


def corpus_with(links: list[tuple[str, str]]) -> Corpus:
    rows = [{"patent_id": f"US{n}", "date": "2004-12-01", "ipc": code} for n, code in enumerate(CODES)]
    rows += [{"patent_id": f"EP{n}", "date": date, "ipc": ipc} for n, (date, ipc) in enumerate(links)]
    return corpus_from([*rows, {"patent_id": "ZZ1", "date": "2008-12-31", "ipc": CODES[0]}])


def origin(history: Corpus, day: str) -> Origin:
    earlier = history.as_of(pd.Timestamp(day).as_unit("s"))
    table = build_features(earlier, candidate_pairs(earlier, TASK).pairs, TASK, seed=1)
    return Origin(table, ranked(table), converged(history, table.pairs, TASK))


LINKS = [
    ("2005-06-01", "A01B;B60L"),  # first year of the origin 2004
    ("2006-06-01", "A01B;F25B"),  # second year
    ("2006-07-01", "B60L;F25B"),
    ("2008-06-01", "G06F;H01L"),  # the last year, in which there is one patent more
]
# patents of each code one year before the cutoff and at it
THEN, NOW = (
    {"A01B": 3, "B60L": 3, "F25B": 3, "G06F": 1, "H01L": 1},
    {"A01B": 4, "B60L": 3, "F25B": 3, "G06F": 2, "H01L": 2},
)


def chance(patents: dict[str, int], met: set[str], total: int, coming: int) -> float:
    """The mean over pairs that have not met of 1 - E[exp(-rate coming)], by integration over the rates.

    The rates a patent are exponential about the product of the codes' shares; none of ``total`` patents held both.
    """
    chances = []
    for a, b in itertools.combinations(sorted(patents), 2):
        if f"{a};{b}" not in met:
            mean = patents[a] * patents[b] / total**2
            unmet, still = (
                quad(lambda rate, n=n, m=mean: np.exp(-rate * n - rate / m) / m, 0, 60 * mean)[0]
                for n in (total, total + coming)
            )
            chances.append(1 - still / unmet)
    return float(np.mean(chances))


def test_it_is_last_years_share_times_what_a_horizon_brings_per_year() -> None:
    history = corpus_with(LINKS)
    last_year = (1 + 0.5) / (7 + 1)  # three of ten pairs were linked when it began
    seen = (50 * np.log(2) + 1 * np.log(3.5 / 1.5)) / (50 + 1)  # one link of a first year speaks against fifty
    met = {"A01B;B60L", "A01B;F25B", "B60L;F25B"}
    # eight patents and then ten; two in the last year, so four are to come in two
    at_random = chance(NOW, met | {"G06F;H01L"}, 10, 4) / chance(THEN, met, 8, 2)
    expected = last_year * np.sqrt(np.exp(seen) * at_random)
    assert expected_prior(history, [origin(history, "2004-12-31")], TASK) == pytest.approx(expected)


def test_without_a_past_links_are_taken_to_come_evenly() -> None:
    history = corpus_with([("2005-06-01", "A01B;B60L")])
    patents = dict.fromkeys(CODES, 1) | {"A01B": 2, "B60L": 2}
    at_random = chance(patents | {"A01B": 3}, {"A01B;B60L"}, 7, 2) / chance(patents, {"A01B;B60L"}, 6, 1)
    expected = 0.5 / (9 + 1) * np.sqrt(2 * at_random)
    assert expected_prior(history, [], TASK) == pytest.approx(expected)
    assert expected > 0  # a year without links does not mean never


def test_where_the_last_half_year_breaks_with_the_half_before_it_stands_for_the_year() -> None:
    codes = [f"A{n:02d}B" for n in range(10, 30)]  # 190 pairs
    rows = [{"patent_id": f"US{n}", "date": "2004-12-01", "ipc": code} for n, code in enumerate(codes)]
    joint = [f"{a};{b}" for a, b in itertools.combinations(codes[:8], 2)]

    def expected(late: int) -> float:
        days = ["2008-03-01"] * 4 + ["2008-09-01"] * late
        links = [{"patent_id": f"EP{n}", "date": day, "ipc": joint[n]} for n, day in enumerate(days)]
        end = {"patent_id": "ZZ1", "date": "2008-12-31", "ipc": codes[-1]}
        return expected_prior(corpus_from([*rows, *links, end]), [], TASK)

    # the halves differ by 14 and 15; three times the root of their sum is 14.1 and 14.4
    assert expected(18) / expected(17) == pytest.approx((22.5 / 191) / (21.5 / 191), rel=0.03)
    assert expected(19) / expected(18) == pytest.approx(2 * (19.5 / 187) / (22.5 / 191), rel=0.03)


def test_a_universe_that_fills_with_rare_codes_is_expected_to_link_less() -> None:
    links = [("2006-06-01", "A01B;F25B"), ("2008-06-01", "A01B;B60L")]
    rare = [("2008-07-01", f"C{n:02d}B") for n in range(10, 40)]
    more = [("2008-07-01", CODES[n % 5]) for n in range(30)]  # as many patents of codes that were there
    filled, same = (expected_prior(corpus_with(links + added), [], TASK) for added in (rare, more))
    assert filled < 0.7 * same


def test_on_the_strengthening_track_growth_is_taken_to_be_as_frequent_over_years() -> None:
    task = TASK.model_copy(update={"track": "strengthening"})
    links = ["2001-06-01", "2004-06-01", "2005-06-01", "2006-06-01", "2006-07-01", "2008-06-01"]
    history = corpus_with([("2001-01-15", "F25B;G06F;H01L"), *((day, "A01B;B60L") for day in links)])
    earlier = history.as_of(pd.Timestamp("2004-12-31").as_unit("s"))
    table = build_features(earlier, candidate_pairs(earlier, task).pairs, task, seed=1)
    past = [Origin(table, ranked(table), converged(history, table.pairs, task))]
    assert past[0].outcome.tolist() == [1, 0, 0, 0]  # three in 2005 and 2006, one in 2003 and 2004
    last_year = (1 + 0.5) / (4 + 1)  # one in 2008, none in 2007
    # in 2005 as many as in 2004, no more: no evidence against it
    assert expected_prior(history, past, task) == pytest.approx(last_year)


def test_it_stays_below_certainty() -> None:
    everything = [f"{x};{y}" for i, x in enumerate(CODES) for y in CODES[:i]][:-1]  # one pair is left to expect
    history = corpus_with([("2006-06-01", CODES[0])] + [("2008-06-01", pair) for pair in everything])
    assert expected_prior(history, [origin(history, "2006-12-31")], TASK) == 0.99


def test_half_a_year_before_there_may_have_been_no_candidates() -> None:
    everything = [("2008-03-01", f"{x};{y}") for i, x in enumerate(CODES) for y in CODES[:i]]
    assert 0 < expected_prior(corpus_with([*everything, ("2008-09-01", "C12N")]), [], TASK) <= 0.99
