"""Titles of codes: every level has one, and the table holds only symbols that exist."""

import csv
from pathlib import Path

import pytest
from cases import real_data

import pipeline.corpus.titles
from pipeline.corpus.symbols import parse_symbol
from pipeline.corpus.titles import title_of, titles
from pipeline.sample.vocabulary import technologies

TABLE = Path(pipeline.corpus.titles.__file__).with_name("ipc_titles.csv")


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("F", "Mechanics, heating, lighting, weapons"),
        ("F25", "Refrigeration and heat pumps"),
        ("F25B", "Refrigeration machines, heat pumps"),
        ("F25B 41/00", "Refrigeration machines, heat pumps"),
        ("F25B 41/20", "Refrigeration machines, heat pumps"),
        ("Y02E 60/10", "Low carbon energy"),
        ("C02B", "Water and waste water treatment"),  # a subclass that went out of use: its class
        ("F98Z", "Mechanics, heating, lighting, weapons"),  # an unknown class: its section
        ("Z99", ""),
        ("", ""),
    ],
)
def test_a_code_of_any_level_has_the_title_of_its_nearest_known_ancestor(code: str, title: str) -> None:
    assert title_of(code) == title


def test_titles_keep_the_order_of_codes() -> None:
    assert titles(["H01M", "F25B", "H01M"]) == [title_of("H01M"), title_of("F25B"), title_of("H01M")]


def test_each_symbol_stands_once_in_order_with_a_short_title() -> None:
    symbols = [row["symbol"] for row in rows()]
    assert symbols == sorted(set(symbols))
    assert all(parse_symbol(symbol, "cpc") == symbol for symbol in symbols)
    assert all(0 < len(row["title"]) <= 60 and row["title"] == row["title"].strip() for row in rows())


def test_all_technologies_of_the_sample_have_a_title_of_their_own() -> None:
    assert {technology.code for technology in technologies()} <= {row["symbol"] for row in rows()}


def test_every_symbol_exists_and_every_subclass_in_force_has_a_title() -> None:
    inventory = real_data("ipc_scheme/20250101_inventory_of_IPC_ever_used_symbols.csv")
    entries = [line.split(";") for line in inventory.read_text(encoding="utf-8").splitlines()]
    subclasses = {symbol: end for symbol, _, end in entries if len(symbol) == 4}
    known = {symbol[:length] for symbol in subclasses for length in (1, 3, 4)}
    table = {row["symbol"] for row in rows() if row["symbol"][0] != "Y"}  # section Y is the CPC's alone
    assert table <= known
    assert {symbol for symbol, end in subclasses.items() if end == "-"} <= table
