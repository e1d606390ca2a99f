"""What became of past forecasts, and what was to be expected of them by now; against numbers by hand."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from factories import corpus_from
from watch.case import AFTER, BEFORE, FIRST, TASK, corpus, forecast

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.pairs.candidates import candidate_pairs
from pipeline.schemas import TrackRecord, empty
from pipeline.watch.forecasts import FEWEST, by_now, spent, timing
from pipeline.watch.meetings import meetings
from pipeline.watch.track_record import KEPT, all_records, track_record


def group(table: pd.DataFrame, name: str, listed: str = "all", k: int | None = None) -> pd.Series:
    rows = table[(table["group"] == name) & (table["listed"] == listed)]
    rows = rows if k is None else rows[rows["k"] == k]
    assert len(rows) == 1
    return rows.iloc[0]


def test_a_forecast_whose_horizon_is_over_is_counted_and_calibrated() -> None:
    table = track_record(forecast(0), meetings(corpus(), TASK), TASK)
    assert table["complete"].all() and (table["elapsed"] == 1).all()
    whole, first = group(table, "all"), group(table, "first", k=10)
    # D x F and C x H met within the year, B x C only after it
    assert (whole["pairs"], whole["converged"]) == (4, 2)
    assert whole["expected"] == pytest.approx(0.05 + 0.09 + 0.25 + 0.2)
    assert whole["expected_by_now"] == pytest.approx(whole["expected"])
    assert (first["pairs"], first["converged"]) == (3, 2)  # B x C was at place 40
    assert first["hit_rate"] == pytest.approx(2 / 3)
    bins = table[table["group"] == "probability"].set_index(["low", "high"])
    assert bins["pairs"].to_dict() == {(0.03, 0.1): 2, (0.1, 0.3): 2}
    assert bins["converged"].to_dict() == {(0.03, 0.1): 1, (0.1, 0.3): 1}


def test_of_an_open_forecast_only_what_is_known_is_told() -> None:
    table = track_record(forecast(1), meetings(corpus(), TASK), TASK)
    assert not table["complete"].any()
    assert "probability" not in set(table["group"])
    whole = group(table, "all")
    assert whole["elapsed"] == pytest.approx(61 / 366)  # 31 May to 31 July 2011, of a year with a 29 February
    assert (whole["pairs"], whole["converged"]) == (11, 1)  # B x C
    assert np.isnan(whole["expected_by_now"])  # the past was too short to tell how chances are spent


def test_expected_by_now_spends_a_pairs_hazard_as_the_cohort_did() -> None:
    half = (0.0, *(0.5,) * 11, 1.0)  # half in the first month, nothing after, half in the last
    opened = dataclasses.replace(forecast(1), timing=half)
    table = track_record(opened, meetings(corpus(), TASK), TASK)
    first = group(table, "first", k=10)
    places = [0.2, 0.15, 0.09, 0.12, 0.1, 0.08]  # of the first ten
    assert first["expected"] == pytest.approx(sum(places))
    assert first["expected_by_now"] == pytest.approx(sum(1 - (1 - p) ** 0.5 for p in places))
    assert spent(opened, BEFORE) == 0.0
    assert spent(opened, BEFORE + pd.DateOffset(days=15)) == pytest.approx(0.25)  # half of June
    assert spent(opened, opened.until) == 1.0
    assert by_now(pd.Series([0.3, 0.0]), 1.0).tolist() == pytest.approx([0.3, 0.0])


def test_a_firms_list_has_its_own_head() -> None:
    table = track_record(forecast(0, firm=True), meetings(corpus(), TASK), TASK)
    assert group(table, "first", "firm", k=10)["pairs"] == 3
    assert group(table, "first", "all", k=10)["pairs"] == 0  # its ranks run backwards


def test_timing_is_read_off_the_cohort_of_one_horizon_before() -> None:
    """Of 100 pairs 10 meet in the first month of the year, 20 in the last, 70 never."""
    codes = [f"{letter}{number:02d}B" for letter in "ABCD" for number in range(1, 60)]
    pairs = pd.DataFrame({"code_a": codes[:100], "code_b": codes[100:200]})
    rows = [{"patent_id": f"US{n}", "date": "2009-06-01", "ipc": code} for n, code in enumerate(codes[:200])]
    rows += [
        {"patent_id": f"EP{n}", "date": "2010-01-20" if n < 10 else "2010-12-20", "ipc": (a, b)}
        for n, (a, b) in enumerate(pairs.head(30).itertuples(index=False, name=None))
    ]
    task, cutoff = TaskConfig(horizon=1, min_patents=1), pd.Timestamp("2009-12-31").as_unit("s")
    known = meetings(corpus_from(rows), task)
    curve = timing(known, pairs.assign(cutoff=cutoff), task)
    share = np.log(0.9) / np.log(0.7)
    assert curve == pytest.approx((0.0, *(share,) * 11, 1.0), abs=1e-6)
    few = pairs.iloc[30 - FEWEST + 1 :].assign(cutoff=cutoff)
    assert timing(known, few, task) is None


def test_a_cohorts_own_probability_is_spent_as_it_was(sample_corpus: Corpus) -> None:
    """If every pair of the cohort is given its prevalence, what is expected by any month is what came by then."""
    task = TaskConfig(horizon=2)
    cutoff, later = (pd.Timestamp(day).as_unit("s") for day in ("2014-12-31", "2015-09-30"))
    pairs = candidate_pairs(sample_corpus.as_of(cutoff), task).pairs.table
    known = meetings(sample_corpus, task)
    curve = timing(known, pairs, task)
    assert curve is not None
    until = cutoff + pd.DateOffset(years=2)
    listed = pairs[["code_a", "code_b"]].assign(rank=range(1, len(pairs) + 1))
    listed = listed.assign(firm_rank=pd.array([pd.NA] * len(pairs), dtype="Int32"))
    came = track_record(
        dataclasses.replace(forecast(0), cutoff=cutoff, until=until, pairs=listed.assign(probability=0.5)), known, task
    )
    prevalence = group(came, "all")["converged"] / len(pairs)
    made = dataclasses.replace(
        forecast(0), cutoff=cutoff, until=until, pairs=listed.assign(probability=prevalence), timing=curve
    )
    known_later = meetings(sample_corpus.as_of(later), task)
    row = group(track_record(made, known_later, task), "all")
    assert row["converged"] > 5
    assert row["expected_by_now"] == pytest.approx(row["converged"], rel=0.02)


def test_complete_records_stay_up_to_a_bound() -> None:
    known = meetings(corpus(), TASK)
    done = track_record(forecast(0), known, TASK)
    many = pd.concat([done.assign(cutoff=FIRST - pd.DateOffset(months=month)) for month in range(KEPT + 5)])
    table = all_records([track_record(forecast(1), known, TASK)], many)
    assert table["cutoff"].nunique() == KEPT + 1
    assert table["cutoff"].is_monotonic_increasing
    assert table["cutoff"].min() == FIRST - pd.DateOffset(months=KEPT - 1)
    assert all_records([], empty(TrackRecord)).empty
    assert AFTER not in set(table["cutoff"])
