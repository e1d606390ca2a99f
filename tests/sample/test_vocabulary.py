"""The technologies of the sample: real symbols in force throughout, enough words, a sound nearness."""

import numpy as np
import pytest
from cases import real_data

from pipeline.corpus.symbols import parse_symbol
from pipeline.sample.texts import article
from pipeline.sample.vocabulary import proximity, technologies
from pipeline.sample.world import FIRST_YEAR, YEARS


def test_technologies_span_all_sections() -> None:
    codes = [technology.code for technology in technologies()]
    assert codes == sorted(set(codes))
    assert len(codes) == 150
    assert {code[0] for code in codes} == set("ABCDEFGH")


def test_each_technology_has_the_words_and_groups_a_text_needs() -> None:
    for technology in technologies():
        assert len(set(technology.groups)) >= 3, technology.code
        assert len(set(technology.things)) >= 3, technology.code
        assert len(set(technology.parts)) >= 5, technology.code  # four parts of a patent are all different
        assert len(set(technology.purposes)) >= 2, technology.code
        assert technology.trend in ("steady", "grow", "burst", "decline"), technology.code


def test_symbols_are_canonical() -> None:
    for technology in technologies():
        assert all(parse_symbol(group, "ipc") == group for group in technology.groups)
        assert not technology.tag or parse_symbol(technology.tag, "cpc") == technology.tag


def test_symbols_exist_and_are_in_force_through_all_simulated_years() -> None:
    inventory = real_data("ipc_scheme/20250101_inventory_of_IPC_ever_used_symbols.csv")
    entries = [line.split(";") for line in inventory.read_text(encoding="utf-8").splitlines()]
    in_force = {
        parse_symbol(symbol, "ipc")
        for symbol, entry, end in entries
        # the eighth edition of the IPC came into force in the course of the first years: 2006 counts as the start
        if int(entry[:4]) <= FIRST_YEAR + 1 and (end == "-" or int(end[:4]) >= FIRST_YEAR + YEARS)
    }
    assert {group for technology in technologies() for group in technology.groups} <= in_force


def test_nearness_is_symmetric_and_highest_within_a_field() -> None:
    values = proximity()
    fields = np.array([technology.field for technology in technologies()])
    same = (fields[:, None] == fields) & ~np.eye(len(fields), dtype=bool)
    assert (values == values.T).all()
    assert (values.diagonal() == 0).all()
    assert (values[same] == 1).all()
    assert values[~same].max() < 1


@pytest.mark.parametrize(
    ("noun", "expected"),
    [("heat pump", "a heat pump"), ("evaporator", "an evaporator"), ("user account", "a user account"),
     ("ultraviolet source", "an ultraviolet source"), ("unmanned vehicle", "an unmanned vehicle")],
)  # fmt: skip
def test_nouns_take_the_right_article(noun: str, expected: str) -> None:
    assert article(noun) == expected
