"""Queries over the words of patents."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.opportunities.query import parse_query

TEXTS = pd.Series(
    [
        "Heat pipe for a battery pack",
        "Battery-pack cooling plate",
        "Robotic arm with cooled joints",
        "電池の冷却装置",
        "",
    ]
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("battery", [0, 1]),
        ("BATTERY pack", [0, 1]),  # words side by side are joined by AND
        ('"battery pack"', [0, 1]),  # a phrase, whatever stands between its words
        ('"pack battery"', []),
        ("batter", []),  # whole words only
        ("batter*", [0, 1]),
        ("cool*", [1, 2]),
        ("coole?", [2]),
        ("heat OR robotic", [0, 2]),
        ("battery AND NOT heat", [1]),
        ("battery NOT heat", [1]),
        ("NOT battery", [2, 3, 4]),
        ("NOT NOT battery", [0, 1]),
        ("heat OR robotic AND arm", [0, 2]),  # AND binds closer than OR
        ("(heat OR robotic) AND arm", [2]),
        ("“battery pack” AND (heat OR (cool* NOT robotic))", [0, 1]),
        ("and", []),  # only capitals are operators
        ("冷却", [3]),  # scripts without spaces have no word borders
        ("heat.*", [0]),  # no regular expressions
    ],
)
def test_a_query_finds(query: str, found: list[int]) -> None:
    matched = parse_query(query).matches(TEXTS)
    assert [number for number, hit in enumerate(matched) if hit] == found


@pytest.mark.parametrize(
    ("query", "place", "what"),
    [
        ("", 1, "wanted here"),
        ("(heat", 6, "not closed"),
        ("heat)", 5, "nothing opens"),
        ("heat AND", 9, "wanted here"),
        ("heat OR OR cold", 9, "wanted here"),
        ('heat "pipe', 6, "quotation mark"),
        ("heat **", 6, "no letter or digit"),
        ("(" * 60 + "heat" + ")" * 60, 52, "brackets within"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(query: str, place: int, what: str) -> None:
    with pytest.raises(ConfigError, match=what) as caught:
        parse_query(query)
    assert f"character {place}:" in str(caught.value)


@given(st.text(alphabet='ab*?()" ANDORT', max_size=40))
def test_any_text_is_a_query_or_an_error_of_ours(query: str) -> None:
    try:
        found = parse_query(query).matches(TEXTS)
    except ConfigError:
        return
    assert len(found) == len(TEXTS)


@given(st.lists(st.sampled_from(["heat", "battery", "cool*", "robotic"]), min_size=1, max_size=4))
def test_operators_are_those_of_sets(words: list[str]) -> None:
    each = [parse_query(word).matches(TEXTS) for word in words]
    every, some = each[0], each[0]
    for found in each[1:]:
        every, some = every & found, some | found
    assert (parse_query(" AND ".join(words)).matches(TEXTS) == every).all()
    assert (parse_query(" OR ".join(words)).matches(TEXTS) == some).all()
    assert (parse_query(f"NOT ({' OR '.join(words)})").matches(TEXTS) == ~some).all()
