"""What a firm has in two codes, by hand and against sets."""

import numpy as np
import pandas as pd
import pytest
from factories import corpus_from
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpus.timeline import Corpus
from pipeline.opportunities.holdings import holdings

CODES = ["A21B", "F24C", "G06F"]


def held(history: Corpus, firm: str) -> dict[tuple[str, str], dict[str, float]]:
    """The values of all pairs, by pair."""
    incidence = history.incidence("ipc", "subclass")
    a, b = np.triu_indices(len(incidence.codes), k=1)
    party = history.parties.loc[history.parties["name"] == firm, "party_id"].iloc[0]
    values = holdings(history, party, incidence, a, b)
    return {
        (incidence.codes[x], incidence.codes[y]): {name: float(value[row]) for name, value in values.items()}
        for row, (x, y) in enumerate(zip(a, b, strict=True))
    }


def test_an_oven_maker_by_hand() -> None:
    rows = [
        {"patent_id": "P1", "date": "2007-12-31", "ipc": "A21B", "assignees": "Baker", "inventors": "Ann;Ben"},
        {"patent_id": "P2", "date": "2009-12-31", "ipc": "A21B", "assignees": "Baker", "inventors": "Ann"},
        {"patent_id": "P3", "date": "2008-12-31", "ipc": "F24C", "assignees": "Baker", "inventors": "Ann;Cid"},
        {"patent_id": "P4", "date": "2009-12-31", "ipc": "F24C", "assignees": "Other", "inventors": "Ben;Dee"},
        {"patent_id": "P5", "date": "2010-12-31", "ipc": "G06F", "assignees": "Other", "inventors": "Dee"},
    ]
    history = corpus_from(rows)
    ovens = held(history, "Baker")["A21B", "F24C"]
    assert ovens == {
        "share_a": 1.0,
        "share_b": 0.5,
        "recency_a": pytest.approx(365 / 365.25),
        "recency_b": pytest.approx(730 / 365.25),
        "inventor_overlap": pytest.approx(1 / 3),  # Ann, of Ann, Ben, Cid; what Ben did elsewhere is not Baker's
    }
    software = held(history, "Baker")["A21B", "G06F"]
    assert software["share_b"] == 0 and np.isnan(software["recency_b"])
    assert software["inventor_overlap"] == 0


def test_without_inventors_the_overlap_is_unknown() -> None:
    rows = [{"patent_id": "P1", "date": "2007-12-31", "ipc": "A21B;F24C", "assignees": "Baker"}]
    assert np.isnan(held(corpus_from(rows), "Baker")["A21B", "F24C"]["inventor_overlap"])


PATENTS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(CODES), min_size=1, max_size=2, unique=True),
        st.lists(st.sampled_from(["Ann", "Ben", "Cid"]), max_size=2, unique=True),
        st.booleans(),
        st.integers(2001, 2009),
    ),
    min_size=1,
    max_size=10,
)


@given(PATENTS)
@settings(max_examples=30, deadline=None)
def test_every_value_equals_one_made_of_sets(patents: list[tuple[list[str], list[str], bool, int]]) -> None:
    patents = [*patents, (CODES, [], True, 2001)]  # all codes exist, and the firm does
    rows = [
        {
            "patent_id": f"P{n}",
            "date": f"{year}-06-{n + 1:02d}",
            "ipc": sorted(codes),
            "inventors": people,
            "assignees": "Firm" if own else "Other",
        }
        for n, (codes, people, own, year) in enumerate(patents)
    ]
    history = corpus_from(rows)
    for (x, y), values in held(history, "Firm").items():
        people = {
            code: {name for codes, who, own, _ in patents if own and code in codes for name in who} for code in (x, y)
        }
        either = people[x] | people[y]
        expected = len(people[x] & people[y]) / len(either) if either else np.nan
        assert values["inventor_overlap"] == pytest.approx(expected, nan_ok=True)
        for side, code in (("a", x), ("b", y)):
            carrying = [own for codes, _, own, _ in patents if code in codes]
            assert values[f"share_{side}"] == pytest.approx(sum(carrying) / len(carrying))
            latest = max(pd.Timestamp(row["date"]) for row in rows if code in row["ipc"] and row["assignees"] == "Firm")
            assert values[f"recency_{side}"] == pytest.approx((history.cutoff - latest).days / 365.25)
