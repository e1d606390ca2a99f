"""The strengthening track: pairs linked at the cutoff, and whether they are linked more often after it."""

import dataclasses
import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from factories import corpus_from
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import schemas
from pipeline.config import TaskConfig
from pipeline.corpus.ingest import ingest_tables
from pipeline.corpus.readers import SourceTable
from pipeline.corpus.timeline import Corpus
from pipeline.errors import CutoffError, NotEnoughDataError
from pipeline.features.build import build_features
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged, coverage, outcome_in_words

CODES = ["A01B", "F25B", "G06F", "H01L"]
CUTOFF = pd.Timestamp("2009-12-31").as_unit("s")
Rows = list[tuple[str, str]]


def task_of(**settings: Any) -> TaskConfig:
    return TaskConfig(**{"track": "strengthening", "min_patents": 1, "window": 2, "horizon": 3} | settings)


TASK = task_of()


def corpus_of(rows: Rows) -> Corpus:
    """Rows between a first patent of January 2000 and a last of December 2012."""
    ends = [("2000-01-05", "H04L"), ("2012-12-31", "H04L")]
    return corpus_from([{"patent_id": f"US{n}", "date": d, "ipc": ipc} for n, (d, ipc) in enumerate([*ends, *rows])])


def outcomes(rows: Rows, task: TaskConfig = TASK) -> dict[tuple[str, str], int]:
    corpus = corpus_of(rows)
    pairs = candidate_pairs(corpus.as_of(CUTOFF), task).pairs
    labels = converged(corpus, pairs, task).tolist()
    return dict(zip(pairs.table[schemas.PAIR].itertuples(index=False, name=None), labels, strict=True))


def test_candidates_are_the_linked_pairs_of_active_codes_with_their_past() -> None:
    rows = [
        ("2005-05-01", "A01B;F25B"),
        ("2006-05-01", "A01B;F25B"),
        ("2007-12-31", "F25B;G06F"),  # the window opens after this day
        ("2008-01-01", "G06F;H01L"),
        ("2006-01-01", "G06F;H01L"),
    ]
    universe = candidate_pairs(corpus_of(rows).as_of(CUTOFF), TASK)
    table = schemas.validate(universe.pairs.table, schemas.Pairs, "pairs")
    found = table[[*schemas.PAIR, "prior", "status"]].to_numpy().tolist()
    assert found == [["A01B", "F25B", 2, "dormant"], ["F25B", "G06F", 1, "dormant"], ["G06F", "H01L", 2, "active"]]
    assert universe.linked == 3
    rare = candidate_pairs(corpus_of(rows).as_of(CUTOFF), task_of(min_patents=3)).pairs.table
    assert rare[schemas.PAIR].to_numpy().tolist() == [["F25B", "G06F"]]


@pytest.mark.parametrize("day", ["2009-12-31", "2014-12-31"])
def test_the_two_tracks_share_no_pair_and_leave_none_out(sample_corpus: Corpus, day: str) -> None:
    history = sample_corpus.as_of(pd.Timestamp(day).as_unit("s"))
    new, linked = (candidate_pairs(history, TaskConfig(track=track)) for track in ("new", "strengthening"))
    assert len(linked.pairs) == linked.linked == new.linked > 0
    assert new.pairs.codes.tolist() == linked.pairs.codes.tolist()
    both = pd.concat([new.pairs.table, linked.pairs.table])[schemas.PAIR]
    assert not both.duplicated().any()
    assert len(both) == len(new.pairs.codes) * (len(new.pairs.codes) - 1) // 2
    assert set(new.pairs.table["status"]) == {"new"}
    assert set(linked.pairs.table["status"]) == {"active", "dormant"}


@pytest.mark.parametrize(
    ("before", "after", "min_joint", "outcome"),
    [
        (["2007-01-01"], ["2010-01-01", "2012-12-31"], 1, 1),
        (["2007-01-01"], ["2010-01-01"], 1, 0),  # as many are not more
        (["2006-12-31"], ["2012-12-31"], 1, 1),  # the years before begin after 31 December 2006
        (["2009-12-31"], ["2012-12-31"], 1, 0),  # and hold the cutoff's day
        (["2006-12-31"], [], 1, 0),
        (["2003-05-01"] * 9, ["2012-12-31"], 1, 1),  # older ones do not matter
        (["2003-05-01"], ["2010-05-01", "2011-05-01"], 3, 0),
        (["2003-05-01"], ["2010-05-01", "2011-05-01"], 2, 1),
    ],
)
def test_a_link_strengthens_with_strictly_more_joint_patents_than_in_as_many_years_before(
    before: list[str], after: list[str], min_joint: int, outcome: int
) -> None:
    rows = [(day, "A01B;F25B") for day in before + after]
    assert outcomes(rows, task_of(min_joint=min_joint)) == {("A01B", "F25B"): outcome}


def test_a_link_of_after_the_cutoff_is_none_of_this_track() -> None:
    assert outcomes([("2005-01-01", "A01B;F25B"), ("2010-05-01", "A01B;F25B;G06F")]) == {("A01B", "F25B"): 1}


days = st.integers(0, 9 * 366).map(lambda n: f"{pd.Timestamp('2003-12-31') + pd.Timedelta(days=n):%Y-%m-%d}")
patents = st.tuples(days, st.sets(st.sampled_from(CODES), min_size=1, max_size=3).map(lambda s: ";".join(sorted(s))))


@settings(max_examples=40, deadline=None)
@given(st.lists(patents, max_size=25), st.integers(1, 4), st.integers(1, 2))
def test_outcomes_are_what_counting_patents_one_by_one_gives(rows: Rows, horizon: int, min_joint: int) -> None:
    rows = [("2000-02-01", "A01B;F25B"), *[row for row in rows if row[0] <= "2012-12-31"]]
    cutoff = pd.Timestamp("2008-12-31")
    task = task_of(horizon=horizon, min_joint=min_joint)

    def joint(pair: tuple[str, str], start: pd.Timestamp, end: pd.Timestamp) -> int:
        return sum(set(pair) <= set(ipc.split(";")) and start < pd.Timestamp(day) <= end for day, ipc in rows)

    expected, possible = {}, 0
    for pair in itertools.combinations(CODES, 2):
        ends = [cutoff + pd.DateOffset(years=years) for years in (-horizon, horizon)]
        after = joint(pair, cutoff, ends[1])
        grown = after >= min_joint and after > joint(pair, ends[0], cutoff)
        if joint(pair, pd.Timestamp(0), cutoff):
            expected[pair] = int(grown)
            possible += grown
    corpus = corpus_of(rows)
    pairs = candidate_pairs(corpus.as_of(cutoff.as_unit("s")), task).pairs
    labels = converged(corpus, pairs, task)
    names = pairs.table[schemas.PAIR].itertuples(index=False, name=None)
    assert dict(zip(names, labels.tolist(), strict=True)) == expected
    assert coverage(corpus, pairs, task) == (1.0 if possible else None)


def test_coverage_is_the_share_of_strengthened_links_whose_codes_were_active() -> None:
    rows = [("2005-01-01", "A01B;F25B"), ("2005-02-01", "A01B;F25B"), ("2005-01-01", "G06F;H01L")]
    rows += [("2010-01-01", "A01B;F25B;G06F"), ("2010-01-01", "G06F;H01L")]  # A01B with G06F is new, not stronger
    corpus, task = corpus_of(rows), task_of(min_patents=2)
    assert coverage(corpus, candidate_pairs(corpus.as_of(CUTOFF), task).pairs, task) == 1 / 2


def test_an_open_window_has_no_labels() -> None:
    corpus = corpus_of([("2005-01-01", "A01B;F25B")])
    pairs = candidate_pairs(corpus.as_of(CUTOFF), TASK).pairs
    with pytest.raises(CutoffError, match="open until 2012-12-31"):
        converged(corpus.as_of(pd.Timestamp("2012-12-30")), pairs, TASK)


def test_where_the_years_before_are_not_in_the_data_growth_is_not_measured() -> None:
    corpus = corpus_of([("2000-06-01", "A01B;F25B")])  # the first patent is of 5 January 2000: the year is whole
    assert len(candidate_pairs(corpus.as_of(pd.Timestamp("2002-12-31")), TASK).pairs) == 1
    with pytest.raises(NotEnoughDataError, match=r"3 years up to 2002-12-30, but the data begin on 2000-01-05: take a"):
        candidate_pairs(corpus.as_of(pd.Timestamp("2002-12-30")), TASK)


def test_without_a_link_there_is_nothing_to_strengthen() -> None:
    with pytest.raises(
        NotEnoughDataError, match=r"no pair of active codes is linked already .* take a coarser --level"
    ):
        candidate_pairs(corpus_of([("2005-01-01", "A01B")]).as_of(CUTOFF), TASK)


def test_candidates_and_features_do_not_know_what_came_later(sample_rows: SourceTable) -> None:
    cutoff, task = pd.Timestamp("2012-12-31").as_unit("s"), TaskConfig(track="strengthening")
    dates = pd.to_datetime(sample_rows.frame["date"], format="%Y-%m-%d", errors="coerce")
    truncated = dataclasses.replace(sample_rows, frame=sample_rows.frame[dates <= cutoff])
    tables = []
    for rows in (sample_rows, truncated):
        history = ingest_tables([rows]).corpus.as_of(cutoff)
        tables.append(build_features(history, candidate_pairs(history, task).pairs, task, seed=1))
    pd.testing.assert_frame_equal(tables[0].pairs.table, tables[1].pairs.table)
    pd.testing.assert_frame_equal(tables[0].columns, tables[1].columns, check_exact=True)


def test_the_outcome_is_told_in_words() -> None:
    assert outcome_in_words(task_of(min_joint=2, horizon=5)) == (
        "linked by the cutoff; 2 or more joint patents in the 5 years after it, and more than in the 5 years up to it"
    )
    assert outcome_in_words(TaskConfig()).startswith(
        "never linked by the cutoff; 1 or more joint patents in the 3 years"
    )


def test_indices_and_codes_of_the_pairs_agree(sample_corpus: Corpus) -> None:
    pairs = candidate_pairs(sample_corpus, TaskConfig(track="strengthening")).pairs
    np.testing.assert_array_equal(pairs.codes[pairs.a], pairs.table["code_a"])
    np.testing.assert_array_equal(pairs.codes[pairs.b], pairs.table["code_b"])
