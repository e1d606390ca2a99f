"""Who holds what in the target codes, by hand and against sets."""

import pandas as pd
import pytest
from factories import corpus_from
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpus.timeline import Corpus
from pipeline.errors import ArtifactError
from pipeline.opportunities.competitors import competitors
from pipeline.schemas import Competitors, validate

CODES = ["A21B", "F24C", "G06F"]
ROWS = [
    {"patent_id": "P1", "date": "2004-06-30", "ipc": "A21B", "assignees": "Baker Inc."},
    {"patent_id": "P2", "date": "2009-06-30", "ipc": "A21B", "assignees": ["BAKER", "Oven Works"]},
    {"patent_id": "P3", "date": "2009-12-31", "ipc": "A21B;F24C", "assignees": "Baker"},
    {"patent_id": "P4", "date": "2006-12-31", "ipc": "F24C", "assignees": "Oven Works"},
    {"patent_id": "P5", "date": "2009-12-31", "ipc": "F24C"},
    {"patent_id": "P6", "date": "2009-12-31", "ipc": "G06F", "assignees": "Chip"},
]


def held(history: Corpus, firm: list[str], codes: list[str], window: int = 3) -> pd.DataFrame:
    return competitors(history, firm, history.incidence("ipc", "subclass"), codes, window)


def test_holders_of_two_codes_by_hand() -> None:
    table = held(corpus_from(ROWS), ["oven works"], ["F24C", "A21B"])
    # P4 became known on the day the window of three years begins, which is outside it
    assert table.to_dict("split")["data"] == [
        ["A21B", "baker", "BAKER", False, 3, 1.0, 2],
        ["A21B", "oven works", "Oven Works", True, 1, pytest.approx(1 / 3), 1],
        ["F24C", "baker", "BAKER", False, 1, pytest.approx(1 / 3), 1],
        ["F24C", "oven works", "Oven Works", True, 1, pytest.approx(1 / 3), 0],
    ]


def test_the_firm_stands_in_a_code_it_does_not_hold() -> None:
    table = held(corpus_from(ROWS), ["oven works"], ["G06F"])
    assert table[["party", "own", "patents", "share"]].to_numpy().tolist() == [
        ["chip", False, 1, 1.0],
        ["oven works", True, 0, 0.0],
    ]


def test_a_firm_of_several_names_is_one_holder_and_its_patent_counts_once() -> None:
    table = held(corpus_from(ROWS), ["oven works", "baker"], ["A21B"])
    assert table[["party", "patents", "own"]].to_numpy().tolist() == [["oven works", 3, True]]


def test_nothing_after_the_cutoff_counts() -> None:
    history = corpus_from(ROWS).as_of(pd.Timestamp("2006-12-31").as_unit("s"))
    table = held(history, ["oven works"], ["F24C"])
    assert table[["party", "patents", "recent_patents"]].to_numpy().tolist() == [["oven works", 1, 1]]


def test_what_the_history_does_not_have_is_refused() -> None:
    history = corpus_from(ROWS)
    with pytest.raises(ValueError, match="B60L"):
        held(history, ["baker"], ["A21B", "B60L"])
    with pytest.raises(ValueError, match="no patent of"):
        held(history, ["nobody"], ["A21B"])


def test_the_schema_wants_the_firm_once_in_each_code() -> None:
    table = held(corpus_from(ROWS), ["baker"], ["A21B"])
    with pytest.raises(ArtifactError, match="the firm once in each code"):
        validate(table.assign(own=False), Competitors, "competitors")


HOLDERS = ["Ann", "Ben", "Cid"]
PATENTS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(CODES), min_size=1, unique=True),
        st.lists(st.sampled_from(HOLDERS), unique=True),
        st.integers(2001, 2009),
    ),
    min_size=1,
    max_size=10,
)


@given(PATENTS, st.lists(st.sampled_from(["ann", "ben"]), min_size=1, unique=True))
@settings(max_examples=10, deadline=None)
def test_counts_equal_those_of_sets(patents: list[tuple[list[str], list[str], int]], firm: list[str]) -> None:
    patents = [*patents, (CODES, ["Ann", "Ben"], 2001), (["A21B"], [], 2009)]
    rows = [
        {"patent_id": f"P{n}", "date": f"{year}-06-{n + 1:02d}", "ipc": codes, "assignees": who}
        for n, (codes, who, year) in enumerate(patents)
    ]
    table = held(corpus_from(rows), firm, CODES).set_index(["code", "party"])
    holder = {name: firm[0] if name.lower() in firm else name.lower() for name in HOLDERS}
    for code in CODES:
        carrying = [({holder[name] for name in who}, year) for codes, who, year in patents if code in codes]
        for party in set(holder.values()):
            years = [year for who, year in carrying if party in who]
            if years:
                row = table.loc[(code, party)]
                assert row["patents"] == len(years)
                assert row["recent_patents"] == sum(year >= 2007 for year in years)  # the last day is in June 2009
                assert row["share"] == pytest.approx(len(years) / len(carrying))
            else:
                assert (code, party) not in table.index
