"""Counts of codes and pairs on a corpus small enough to count by hand."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from factories import corpus_from

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.features.bibliometric import bibliometric, positions
from pipeline.pairs.base import CandidatePairs
from pipeline.pairs.candidates import candidate_pairs

TASK = TaskConfig(window=3, min_patents=1)
ROWS = [
    # the window before: 2005 to 2007
    {"patent_id": "US1", "date": "2006-05-01", "ipc": "F25B 1/00;G06F 3/00", "family_id": "f1", "inventors": "Ada",
     "assignees": "Acme", "claims_count": "7"},
    # the window: 2008 to 2010
    {"patent_id": "US2", "date": "2008-03-01", "ipc": "F25B 1/00", "family_id": "f2", "inventors": "Ada;Bob",
     "assignees": "Acme", "claims_count": "10", "cited_ids": "US1;XX9"},
    {"patent_id": "EP2", "date": "2010-06-01", "ipc": "H01L 21/02", "family_id": "f2"},
    {"patent_id": "US3", "date": "2009-03-01", "ipc": "F25B 41/20;F25B 1/00", "family_id": "f3", "inventors": "Bob",
     "assignees": "Brand", "cited_ids": "US2;US1"},
    {"patent_id": "US4", "date": "2010-03-01", "ipc": "H01L 21/02;G06F 3/00", "family_id": "f4", "inventors": "Cyd",
     "assignees": "Acme;Brand", "claims_count": "4", "cited_ids": "US3"},
    # after the cutoff
    {"patent_id": "US5", "date": "2011-03-01", "ipc": "F25B 1/00;H01L 21/02", "family_id": "f5", "inventors": "Dan",
     "assignees": "Acme", "claims_count": "99", "cited_ids": "US2;US3;US4"},
    {"patent_id": "JP2", "date": "2011-06-01", "ipc": "F25B 1/00", "family_id": "f2"},
]  # fmt: skip


def columns_of(corpus: Corpus) -> dict[str, np.ndarray]:
    history = corpus.as_of(pd.Timestamp("2010-12-31"))
    return bibliometric(history, candidate_pairs(history, TASK).pairs, TASK).columns


@pytest.fixture
def columns() -> dict[str, np.ndarray]:
    history = corpus_from(ROWS).as_of(pd.Timestamp("2010-12-31"))
    pairs = candidate_pairs(history, TASK).pairs
    assert pairs.table[["code_a", "code_b"]].to_numpy().tolist() == [["F25B", "H01L"]]
    return bibliometric(history, pairs, TASK).columns


@pytest.mark.parametrize(
    ("value", "cooling", "semiconductor"),
    [
        ("patents", 2, 1),  # US2 and US3; US4, since EP2 is no invention of its own
        ("patents_added", 1, 1),  # one and none in the window before
        ("inventors", 2, 1),  # Ada, Bob; Cyd
        ("applicants", 2, 2),  # Acme, Brand; both
        ("claims", 20, 4),  # US2 has ten, US3 no count: two patents at ten each
        ("cited_patents", 4, 1),  # US2: US1 and XX9, US3: US2 and US1
        ("citing_patents", 2, 0),  # US3 cites US2, US4 cites US3; US5 is not known yet
        ("family_members", 3, 1),  # US2 with EP2, US3; JP2 is not known yet
    ],
)
def test_values_of_a_code_become_mean_minimum_and_range(
    columns: dict[str, np.ndarray], value: str, cooling: float, semiconductor: float
) -> None:
    assert columns[f"bibliometric__{value}_mean__w3__lag0"].tolist() == [(cooling + semiconductor) / 2]
    assert columns[f"bibliometric__{value}_min__w3__lag0"].tolist() == [min(cooling, semiconductor)]
    assert columns[f"bibliometric__{value}_range__w3__lag0"].tolist() == [abs(cooling - semiconductor)]


def test_joint_patents_are_those_of_the_window_and_their_change() -> None:
    corpus = corpus_from(ROWS)
    history = corpus.as_of(pd.Timestamp("2010-12-31"))
    names = np.array(["F25B", "G06F", "H01L"])
    a, b = np.array([0, 0, 1]), np.array([1, 2, 2])
    pairs = CandidatePairs(table=pd.DataFrame(index=range(3)), codes=names, a=a, b=b, cutoff=history.cutoff)
    columns = bibliometric(history, pairs, TASK).columns
    assert columns["bibliometric__joint_patents__w3__lag0"].tolist() == [0, 0, 1]
    assert columns["bibliometric__joint_patents_added__w3__lag0"].tolist() == [-1, 0, 1]


@pytest.mark.parametrize(
    ("field", "left_out"),
    [
        ("inventors", ["inventors"]),
        ("assignees", ["applicants"]),
        ("claims_count", ["claims"]),
        ("cited_ids", ["cited_patents", "citing_patents"]),
        ("family_id", ["family_members"]),
    ],
)
def test_what_the_source_lacks_is_left_out_with_a_warning_not_counted_as_zero(field: str, left_out: list[str]) -> None:
    rows = [{k: v for k, v in row.items() if k != field} for row in ROWS]
    history = corpus_from(rows).as_of(pd.Timestamp("2010-12-31"))
    found = bibliometric(history, candidate_pairs(history, TASK).pairs, TASK)
    for name in left_out:
        assert not [column for column in found.columns if column.startswith(f"bibliometric__{name}_")]
        assert any(f"so {name} is left out" in warning for warning in found.warnings)
    assert set(found.columns) < set(columns_of(corpus_from(ROWS)))


def test_non_patent_literature_is_counted_apart() -> None:
    corpus = corpus_from(ROWS)
    notes = pd.DataFrame({"citing": ["US2", "US2", "US4"], "cited": ["a book", "a paper", "a talk"], "kind": "npl"})
    notes = notes.assign(cited_key=notes["cited"])
    citations = pd.concat([corpus.citations, notes.astype(corpus.citations.dtypes)], ignore_index=True)
    columns = columns_of(dataclasses.replace(corpus, citations=citations))
    assert columns["bibliometric__cited_npl_range__w3__lag0"].tolist() == [1]
    assert columns["bibliometric__cited_npl_min__w3__lag0"].tolist() == [1]
    assert columns["bibliometric__cited_patents_range__w3__lag0"].tolist() == [3]


def test_a_code_unknown_to_a_history_stands_nowhere_in_it() -> None:
    assert positions(np.array(["A", "C"]), np.array(["A", "B", "C"])).tolist() == [0, -1, 1]


def test_unknown_claims_are_scaled_up_and_warned_of_never_counted_as_none() -> None:
    rows = [
        {"patent_id": f"US{n}", "date": "2012-03-01", "ipc": code, "claims_count": count}
        for n, (code, count) in enumerate(
            [("A01B 1/00", "8"), ("A01B 1/00", ""), ("F25B 1/00", ""), ("H01L 1/00", "5")]
        )
    ]
    history = corpus_from(rows)
    task = TaskConfig(min_patents=1)
    block = bibliometric(history, candidate_pairs(history, task).pairs, task)
    # pairs A01B-F25B, A01B-H01L, F25B-H01L: A01B has 2 patents at 8 claims each, nothing is known of F25B
    np.testing.assert_array_equal(block.columns["bibliometric__claims_min__w3__lag0"], [np.nan, 5, np.nan])
    assert "bibliometric: 50% of the patents have no claims count; claims are scaled up" in block.warnings


def test_a_family_counts_its_documents_whether_merged_or_kept() -> None:
    rows = [
        {"patent_id": "US1", "date": "2012-03-01", "ipc": "A01B 1/00", "family_id": "F"},
        {"patent_id": "EP1", "date": "2012-04-01", "ipc": "A01B 1/00", "family_id": "F"},
        {"patent_id": "US2", "date": "2012-05-01", "ipc": "F25B 1/00"},
    ]
    task = TaskConfig(min_patents=1)
    for families, expected in (("merge", 2.0), ("keep", 4.0)):  # kept: each of the two stands in a family of two
        history = corpus_from(rows, families)
        block = bibliometric(history, candidate_pairs(history, task).pairs, task)
        assert block.columns["bibliometric__family_members_range__w3__lag0"].tolist() == [expected - 1]
