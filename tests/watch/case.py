"""A small corpus and three forecasts of it, in which every kind of change happens once; all of it by hand.

One year ahead, new links, two joint patents make a convergence. Forecasts of 30 June 2010 (its year ends on 30 June
2011), of 31 May 2011 (the last run) and of 31 July 2011 (this one).
"""

import functools
from typing import Any

import pandas as pd
from factories import corpus_from

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.schemas import PAIR, PastForecast, validate
from pipeline.watch.forecasts import Forecast

TASK = TaskConfig(horizon=1, min_joint=2, min_patents=1)
FIRST, BEFORE, AFTER = (pd.Timestamp(day).as_unit("s") for day in ("2010-06-30", "2011-05-31", "2011-07-31"))
B, C, D, F, G, H = (f"A01{letter}" for letter in "BCDFGH")

# pair: place and probability at the three cutoffs; None: no candidate then
LISTS: dict[tuple[str, str], list[tuple[int, float] | None]] = {
    (B, C): [(40, 0.05), (3, 0.2), None],  # met on 10 June and 5 July 2011
    (D, F): [(7, 0.09), None, None],  # met on 5 January and 20 June 2011
    (G, H): [None, None, (5, 0.3)],
    (B, D): [None, (30, 0.02), (15, 0.06)],
    (B, F): [None, (150, 0.01), (60, 0.02)],
    (B, G): [None, (4, 0.15), (14, 0.08)],
    (B, H): [None, (50, 0.015), (130, 0.01)],
    (C, D): [None, (29, 0.025), (15, 0.05)],  # 14 places, not to half
    (C, F): [None, (9, 0.09), (1, 0.4)],  # to a ninth, 8 places
    (C, G): [(2, 0.25), (6, 0.12), (6, 0.11)],  # its year is over, and it has not met
    (C, H): [(3, 0.2), None, None],  # met twice in January 2011: told of then
    (D, G): [None, (8, 0.1), None],  # a patent of 2010 was added
    (D, H): [None, (10, 0.08), None],  # met once, on 20 July 2011
    (F, G): [None, (11, 0.07), None],
}
MET = {
    "P1": ("2011-06-10", (B, C)),
    "P2": ("2011-07-05", (B, C)),
    "P3": ("2011-01-05", (D, F)),
    "P4": ("2011-06-20", (D, F)),
    "P5": ("2011-01-10", (C, H)),
    "P6": ("2011-01-15", (C, H)),
    "P7": ("2010-03-01", (D, G)),
    "P8": ("2011-07-20", (D, H)),
    "P9": ("2011-08-20", (C, F)),  # after all three
}


@functools.cache
def corpus(title: str = "A thing", party: str = "Someone") -> Corpus:
    """Everything up to the last cutoff."""
    rows: list[dict[str, Any]] = [
        {"patent_id": f"US{name}", "date": day, "ipc": codes, "title": f"{title} {name}", "assignees": party}
        for name, (day, codes) in MET.items()
    ]
    return corpus_from(rows).as_of(AFTER)


def forecast(which: int, firm: bool = False) -> Forecast:
    """The first, the second or the third forecast; for a firm its places are the firm's and the ranks run backwards."""
    cutoff = (FIRST, BEFORE, AFTER)[which]
    listed = {pair: said[which] for pair, said in LISTS.items() if said[which] is not None}
    table = pd.DataFrame(sorted(listed), columns=PAIR).assign(
        probability=[listed[pair][1] for pair in sorted(listed)],
        rank=[1000 - listed[pair][0] if firm else listed[pair][0] for pair in sorted(listed)],
        firm_rank=pd.array([listed[pair][0] if firm else pd.NA for pair in sorted(listed)], dtype="Int32"),
    )
    return Forecast(cutoff, cutoff + pd.DateOffset(years=1), validate(table, PastForecast, "case"), None)
