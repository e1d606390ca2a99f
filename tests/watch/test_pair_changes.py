"""What changed, against a table written by hand: every kind of change, and what is none."""

import pandas as pd
import pytest
from watch.case import BEFORE, FIRST, TASK, B, C, D, F, G, H, corpus, forecast

from pipeline.config import TaskConfig
from pipeline.schemas import PAIR
from pipeline.watch.meetings import meetings
from pipeline.watch.pair_changes import pair_changes

# kind, reason, pair, place before, place now, and of the realised and expired: forecast, its place
EXPECTED = [
    ("realised", "", B, C, 3, None, BEFORE, 3),
    ("realised", "", D, F, None, None, FIRST, 7),
    ("new", "candidate_now", G, H, None, 5, None, None),
    ("risen", "within_head", B, D, 30, 15, None, None),
    ("risen", "into_head", B, F, 150, 60, None, None),
    ("fallen", "within_head", B, G, 4, 14, None, None),
    ("fallen", "out_of_head", B, H, 50, 130, None, None),
    ("expired", "horizon_over", C, G, 6, 6, FIRST, 2),
    ("expired", "met_before", D, G, 8, None, BEFORE, 8),
    ("expired", "met_too_little", D, H, 10, None, BEFORE, 10),
    ("expired", "no_candidate", F, G, 11, None, BEFORE, 11),
]


def changes(firm: bool = False, task: TaskConfig = TASK) -> pd.DataFrame:
    past = [forecast(which, firm) for which in (0, 1)]
    return pair_changes(past[1], forecast(2, firm), past, meetings(corpus(), task), task)


@pytest.mark.parametrize("firm", [False, True], ids=["ranks", "the firm's places"])
def test_every_kind_of_change_is_told_once_and_nothing_else(firm: bool) -> None:
    table = changes(firm)
    columns = ["kind", "reason", *PAIR, "place_before", "place_after", "forecast_cutoff", "forecast_place"]
    rows = table[columns].astype(object)
    told = [tuple(row) for row in rows.where(rows.notna(), None).to_numpy().tolist()]
    assert told == EXPECTED


def test_what_was_said_of_a_pair_stands_beside_it() -> None:
    table = changes().set_index(PAIR)
    assert table.loc[(B, C), "forecast_probability"] == pytest.approx(0.2)
    assert table.loc[(B, C), "patents"] == "USP1;USP2"
    assert table.loc[(B, C), "converged_on"] == pd.Timestamp("2011-07-05")
    assert table.loc[(D, F), "forecast_probability"] == pytest.approx(0.09)
    assert table.loc[(B, D), ["probability_before", "probability_after"]].tolist() == pytest.approx([0.02, 0.06])
    assert table.loc[(C, G), ["probability_before", "probability_after"]].tolist() == pytest.approx([0.12, 0.11])
    assert table["title_a"].ne("").all()


def test_a_realised_pair_is_told_of_once() -> None:
    """One run later the pairs realised by now are not told of again, whatever forecasts are still open."""
    past = [forecast(which) for which in (0, 1, 2)]
    later = forecast(2)
    table = pair_changes(past[2], later, past, meetings(corpus(), TASK), TASK)
    assert table.empty


def test_a_horizon_that_ends_is_told_of_once() -> None:
    past = [forecast(which) for which in (0, 1, 2)]
    end = past[1].until
    grown = meetings(corpus(), TASK)
    again = pair_changes(past[2], type(past[2])(end, end, past[2].pairs, None), past, grown, TASK)
    over = again[again["reason"] == "horizon_over"]
    # the second forecast's year is over: its head less what met, less C x G, which the first had at its head too
    assert set(over[PAIR].itertuples(index=False, name=None)) == {
        *((B, D), (B, G), (B, H), (C, D), (C, F), (D, G), (D, H), (F, G))
    }


def test_no_earlier_forecast_no_change() -> None:
    only = forecast(1)
    assert pair_changes(only, only, [only], meetings(corpus().as_of(BEFORE), TASK), TASK).empty
