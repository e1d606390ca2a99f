"""Codes that came into force later than a cutoff are no candidates, no neighbours and no labels of it."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from factories import corpus_from

from pipeline import schemas
from pipeline.background.summary import summarise
from pipeline.config import Level, TaskConfig
from pipeline.corpus.entry_dates import load_entry_dates
from pipeline.corpus.timeline import Corpus
from pipeline.features.build import build_features
from pipeline.pairs.candidates import Universe, candidate_pairs
from pipeline.pairs.labels import converged, coverage

# as of an export of 2025: what is G06V today stood in G06K before 2022, F25B 41/20 in F25B 41/04 before 2021
ROWS = [
    ("2014-01-01", "A01B 1/02"),  # meets none
    ("2014-02-01", "A01B 1/02"),
    ("2015-03-01", "F25B 41/20"),
    ("2015-04-01", "G06V 10/40;G06K 9/00"),
    ("2016-05-01", "G06V 20/00;G06K 9/00"),
    ("2016-06-01", "F25B 41/20;F25B 1/00"),
    ("2017-01-05", "G06K 9/00"),
    ("2017-02-01", "H04N 7/18;G06K 9/00"),
    ("2018-07-01", "H04N 7/18"),
    ("2019-03-01", "G06V 10/40;H04N 7/18"),
    ("2020-01-05", "F25B 1/00"),
    ("2022-06-01", "G06V 10/40;F25B 41/20"),
    ("2023-06-01", "G06V 10/40;H04N 7/18;F25B 1/00"),
    ("2024-12-31", "H04N 7/18"),
]
G06V, F25B = "2022-01-01", "2021-01-01"


def corpus_of(rows: list[tuple[str, str]]) -> Corpus:
    """Dated by the shipped table, as every corpus that is read from disk."""
    named = [{"patent_id": f"US{n}", "date": date, "ipc": ipc} for n, (date, ipc) in enumerate(rows)]
    return dataclasses.replace(corpus_from(named), entry_dates=load_entry_dates())


def task_of(level: Level, **settings: int) -> TaskConfig:
    return TaskConfig(level=level, min_patents=1, **settings)


def universe(cutoff: str, task: TaskConfig, rows: list[tuple[str, str]] = ROWS) -> Universe:
    return candidate_pairs(corpus_of(rows).as_of(day(cutoff)), task)


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text).as_unit("s")


@pytest.mark.parametrize(
    ("level", "code", "before", "after"),
    [
        ("subclass", "G06V", "2021-12-31", G06V),
        ("subgroup", "G06V 10/40", "2021-12-31", G06V),
        ("subgroup", "F25B 41/20", "2020-12-31", F25B),
    ],
)
def test_a_code_takes_part_from_the_day_it_came_into_force(level: Level, code: str, before: str, after: str) -> None:
    task = task_of(level)
    early, late = universe(before, task), universe(after, task)
    assert code not in early.pairs.codes
    assert code in late.pairs.codes
    assert early.not_in_force - late.not_in_force == (2 if code == "G06V 10/40" else 1)  # G06V 20/00 came with it
    assert early.summary()["not_in_force"] == early.not_in_force
    tagged = late.pairs.table.loc[late.pairs.table["entered"], schemas.PAIR]
    others = late.pairs.table.loc[~late.pairs.table["entered"], schemas.PAIR]
    assert tagged.isin([code]).any(axis=1).any()
    assert not others.isin([code]).any(axis=None)


def test_a_new_group_does_not_take_its_old_subclass_out() -> None:
    assert "F25B" in universe("2020-12-31", task_of("subclass")).pairs.codes
    assert not universe("2020-12-31", task_of("subclass")).pairs.table["entered"].any()


@pytest.mark.parametrize(("window", "tagged"), [(1, False), (2, True)])
def test_a_pair_is_tagged_while_the_day_lies_within_the_window(window: int, tagged: bool) -> None:
    table = universe("2023-05-31", task_of("subclass", window=window)).pairs.table
    assert table.loc[table["entered"], schemas.PAIR].to_numpy().tolist() == ([["A01B", "G06V"]] if tagged else [])


def test_only_codes_that_would_be_active_are_counted_as_left_out() -> None:
    task = TaskConfig(min_patents=2, level="subgroup")
    assert universe("2019-12-31", task).not_in_force == 2  # F25B 41/20 and G06V 10/40 have two patents, G06V 20/00 one


def test_without_a_table_every_code_always_existed() -> None:
    history = dataclasses.replace(corpus_of(ROWS), entry_dates=None).as_of(day("2018-12-31"))
    found = candidate_pairs(history, task_of("subclass"))
    assert "G06V" in found.pairs.codes
    assert found.not_in_force == 0
    assert not found.pairs.table["entered"].any()


@pytest.mark.parametrize("level", ["subclass", "subgroup"])
def test_features_are_those_of_a_corpus_that_never_carried_the_code(level: Level) -> None:
    """Also of the snapshots before, and of the background."""
    task = task_of(level)
    gone = ("G06V", "F25B 41/20") if level == "subgroup" else ("G06V",)
    stripped = [
        (date, ";".join(code for code in ipc.split(";") if not code.startswith(gone)) or "A") for date, ipc in ROWS
    ]
    tables = []
    for rows in (ROWS, stripped):
        corpus = corpus_of(rows)
        history = corpus.as_of(day("2020-12-31"))
        pairs = candidate_pairs(history, task).pairs
        outside = summarise(corpus, task.scheme, task.level)
        # a patent without any code left is none of the background's patents; their number is no matter of codes
        tables.append(
            build_features(history, pairs, task, 1, outside).columns.filter(regex="^(?!background__(lift|npmi))")
        )
    assert len(tables[0]) > 0
    assert tables[0].filter(like="background__").shape[1] > 5
    pd.testing.assert_frame_equal(*tables)


def test_a_code_that_enters_after_the_cutoff_makes_no_label_but_a_miss() -> None:
    corpus, task = corpus_of(ROWS), task_of("subclass", horizon=4)
    pairs = candidate_pairs(corpus.as_of(day("2019-12-31")), task).pairs
    labels = converged(corpus, pairs, task)
    met = pairs.table.loc[labels == 1, schemas.PAIR].to_numpy().tolist()
    assert met == [["F25B", "H04N"]]
    # new in the window besides: F25B with G06V; G06V with H04N was there before
    assert coverage(corpus, pairs, task) == 1 / 2


def test_a_corpus_without_a_code_in_force_has_none_at_all() -> None:
    history = corpus_of([("2015-01-01", "G06V 10/40"), ("2015-02-01", "G06V 20/00")]).as_of(day("2015-02-28"))
    incidence = history.incidence("ipc", "subclass")
    assert incidence.codes.tolist() == []
    assert incidence.matrix.shape == (2, 0)
    np.testing.assert_array_equal(incidence.left_out, [2])
