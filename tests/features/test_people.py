"""People features against sets and counters."""

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from factories import corpus_from
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.features.people import SHRINKAGE, people
from pipeline.pairs.base import CandidatePairs

TASK = TaskConfig(window=3, min_patents=1)
CODES = ["A01B", "B60L", "F25B", "G06F", "H01L"]
ROLES = {"assignees": "assignee", "inventors": "inventor"}
PAIR_MEASURES = ("shared", "shared_focus", "jaccard", "cosine")
Row = dict[str, Any]

BY_HAND: list[Row] = [
    {"patent_id": "US1", "date": "2001-01-01", "ipc": "A01B 1/00", "assignees": "Plough;Hoe"},
    {"patent_id": "US2", "date": "2008-01-01", "ipc": "A01B 1/00", "assignees": "Plough;Rake"},
    {"patent_id": "US3", "date": "2008-02-01", "ipc": "F25B 1/00", "assignees": "Plough"},
    {"patent_id": "US4", "date": "2008-03-01", "ipc": "F25B 1/00", "assignees": "Plough"},
    {"patent_id": "US5", "date": "2008-04-01", "ipc": "F25B 1/00;G06F 3/00", "assignees": "Chill"},
    {"patent_id": "US6", "date": "2008-05-01", "ipc": "H01L 1/00"},
]


def all_pairs(history: Corpus) -> CandidatePairs:
    codes = history.incidence("ipc", "subclass").codes
    a, b = np.triu_indices(len(codes), k=1)
    return CandidatePairs(table=pd.DataFrame(index=range(len(a))), codes=codes, a=a, b=b, cutoff=history.cutoff)


def columns_of(history: Corpus) -> dict[str, np.ndarray]:
    return people(history, all_pairs(history), TASK).columns


def test_farming_and_cooling_by_hand() -> None:
    columns = columns_of(corpus_from(BY_HAND))
    farm_and_cool = 1  # of A01B, F25B, G06F, H01L: pairs in the order of triu_indices, A01B x F25B first
    row = farm_and_cool - 1
    expected = {
        "shared__all__lag0": 1,  # Plough, of Plough, Hoe, Rake and Plough, Chill
        "jaccard__all__lag0": 1 / (4 + SHRINKAGE),
        "shared_focus__all__lag0": 1 / 2,  # Plough is in two codes
        # by party: farming 2, 1, 1, cooling 2, 1
        "cosine__all__lag0": 4 / (np.sqrt(6) * np.sqrt(5) + SHRINKAGE),
        "shared__w3__lag0": 1,
        # lately Rake is new to farming, Plough and Chill both are to cooling
        "entry_rate_min__w3__lag0": 1 / 2,
        "entry_rate_range__w3__lag0": 1 / 2,
        "concentration_range__w3__lag0": 5 / 9 - 1 / 2,
    }
    for measure, value in expected.items():
        assert columns[f"people__assignee_{measure}"][row] == pytest.approx(value), measure


def test_a_code_without_parties_is_unknown_and_a_role_without_any_is_left_out_and_said() -> None:
    history = corpus_from(BY_HAND)
    output = people(history, all_pairs(history), TASK)
    with_silent = output.columns["people__assignee_shared__all__lag0"][[2, 4, 5]]  # the three pairs of H01L
    assert np.isnan(with_silent).all()
    assert not any("inventor" in name for name in output.columns)
    assert output.warnings == ("people: no inventors in the data, so what they share is left out",)


@st.composite
def corpora(draw: st.DrawFn) -> list[Row]:
    count = draw(st.integers(4, 14))
    rows: list[Row] = []
    for number in range(count):
        carried = draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=3, unique=True))
        year = draw(st.integers(2001, 2009))
        row: Row = {"patent_id": f"US{number}", "date": f"{year}-{number % 12 + 1:02d}-11"}
        row["ipc"] = [f"{code} 1/00" for code in sorted(carried)]
        for field in ROLES:
            row[field] = draw(st.lists(st.sampled_from(["Ada", "Bo", "Cy", "Di"]), max_size=3, unique=True))
        rows.append(row)
    rows.append({"patent_id": "US99", "date": "2009-12-31", "ipc": [f"{code} 1/00" for code in CODES[:2]]})
    return rows


def holdings(rows: list[Row], field: str, since: str) -> dict[str, Counter[str]]:
    """Patents a party, for each code, of rows dated after a day."""
    held: dict[str, Counter[str]] = {code: Counter() for code in CODES}
    for row in rows:
        for symbol in row["ipc"] if row["date"] > since else []:
            held[symbol[:4]].update(row.get(field, []))
    return held


@given(corpora())
@settings(max_examples=25, deadline=None)
def test_every_measure_equals_one_made_of_sets(rows: list[Row]) -> None:
    history = corpus_from(rows)
    pairs, columns = all_pairs(history), columns_of(history)
    start = f"{years_before(history.cutoff, TASK.window):%Y-%m-%d}"
    for field, role in ROLES.items():
        if not any(row.get(field) for row in rows):
            continue
        for suffix, since in (("all__lag0", ""), ("w3__lag0", start)):
            held = holdings(rows, field, since)
            breadth = Counter(party for code in held.values() for party in code)
            for row, (a, b) in enumerate(zip(pairs.codes[pairs.a], pairs.codes[pairs.b], strict=True)):
                left, right = held[a], held[b]
                both = left.keys() & right.keys()
                found = {name: columns[f"people__{role}_{name}__{suffix}"][row] for name in PAIR_MEASURES}
                if not left or not right:
                    assert all(np.isnan(value) for value in found.values())
                    continue
                dot = sum(left[party] * right[party] for party in both)
                length = np.sqrt(sum(n * n for n in left.values()) * sum(n * n for n in right.values()))
                assert found == pytest.approx(
                    {
                        "shared": len(both),
                        "shared_focus": sum(1 / breadth[party] for party in both),
                        "jaccard": len(both) / (len(left.keys() | right.keys()) + SHRINKAGE),
                        "cosine": dot / (length + SHRINKAGE),
                    }
                )


def test_people_of_patents_after_the_cutoff_do_not_count() -> None:
    corpus = corpus_from(BY_HAND)
    cutoff = pd.Timestamp("2008-02-15").as_unit("s")
    history = corpus.as_of(cutoff)
    rows = [row for row in BY_HAND if row["date"] <= "2008-02-15"]
    alone = columns_of(dataclasses.replace(corpus_from(rows), cutoff=cutoff))
    for name, values in columns_of(history).items():
        np.testing.assert_array_equal(values, alone[name])
