"""When pairs converged: the labels' definition, dated."""

import numpy as np
import pandas as pd
import pytest
from factories import corpus_from
from watch.case import AFTER, BEFORE, FIRST, LISTS, TASK, B, C, D, F, corpus

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged
from pipeline.schemas import PAIR
from pipeline.watch.meetings import meetings, outcomes


@pytest.mark.parametrize(
    "task",
    [
        TaskConfig(horizon=2),
        TaskConfig(horizon=1, min_joint=2, level="class"),
        TaskConfig(horizon=2, track="strengthening"),
        TaskConfig(horizon=2, track="strengthening", min_joint=3),
    ],
    ids=["new", "two joint patents", "strengthening", "strengthening, three"],
)
def test_over_a_whole_horizon_they_are_the_labels(sample_corpus: Corpus, task: TaskConfig) -> None:
    cutoff = pd.Timestamp("2014-06-30").as_unit("s")
    pairs = candidate_pairs(sample_corpus.as_of(cutoff), task).pairs
    labels = converged(sample_corpus, pairs, task)
    found = outcomes(meetings(sample_corpus, task), pairs.table, cutoff, task)
    expected = pairs.table.loc[labels == 1, PAIR].sort_values(PAIR, ignore_index=True)
    assert 0 < len(expected) < len(pairs)
    pd.testing.assert_frame_equal(found[PAIR].sort_values(PAIR, ignore_index=True), expected)


def test_the_day_is_that_of_the_patent_that_made_it_enough() -> None:
    pairs = pd.DataFrame([(B, C), (D, F)], columns=PAIR)
    known = meetings(corpus(), TASK)
    by_first, by_second = (outcomes(known, pairs, day, TASK) for day in (FIRST, BEFORE))
    # of B and C the second patent came after the year from the first cutoff was over
    assert by_first[PAIR].to_numpy().tolist() == [[D, F]]
    assert by_first["patents"].tolist() == ["USP3;USP4"]
    assert by_first["converged_on"].tolist() == [pd.Timestamp("2011-06-20")]
    assert by_second["patents"].tolist() == ["USP1;USP2"]
    assert by_second["converged_on"].tolist() == [pd.Timestamp("2011-07-05")]


def test_nothing_later_than_the_corpus_is_seen() -> None:
    pairs = pd.DataFrame(list(LISTS), columns=PAIR)
    known = meetings(corpus().as_of(pd.Timestamp("2011-06-20").as_unit("s")), TASK)
    assert outcomes(known, pairs, BEFORE, TASK).empty
    assert known.corpus.cutoff < AFTER


def test_growth_is_counted_against_as_many_years_before() -> None:
    days = ("2009-03-01", "2009-04-01", "2010-02-01", "2010-03-01", "2010-04-01")
    rows = [{"patent_id": f"US{n}", "date": day, "ipc": (B, C)} for n, day in enumerate(days)]
    task = TaskConfig(horizon=1, track="strengthening")
    grown = corpus_from([*rows, {"patent_id": "US9", "date": "2010-12-31", "ipc": D}])
    cutoff = pd.Timestamp("2009-12-31").as_unit("s")
    found = outcomes(meetings(grown, task), pd.DataFrame([(B, C)], columns=PAIR), cutoff, task)
    assert found["converged_on"].tolist() == [pd.Timestamp("2010-04-01")]  # the third, after two in the year before
    assert found["patents"].tolist() == ["US2;US3;US4"]


def test_all_meetings_are_those_of_a_count_by_hand(sample_corpus: Corpus) -> None:
    task = TaskConfig()
    known = meetings(sample_corpus, task)
    joint = sample_corpus.incidence(task.scheme, task.level).joint().toarray()
    codes = sample_corpus.incidence(task.scheme, task.level).codes
    a, b = np.triu_indices(len(codes), k=1)
    pairs = pd.DataFrame({"code_a": codes[a], "code_b": codes[b]})
    np.testing.assert_array_equal(known.count(pairs), joint[a, b])
    assert known.count(pd.DataFrame([("A01B", "unknown")], columns=PAIR)).tolist() == [0]
