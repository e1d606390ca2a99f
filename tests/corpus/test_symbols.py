"""Symbols in the spellings that sources use."""

import pandas as pd
import pytest
from cases import real_data
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import schemas
from pipeline.corpus.symbols import ancestor, parse_symbol, parse_symbols, roll_up


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("F25B 41/20", "F25B 41/20"),
        ("f25b41/20", "F25B 41/20"),
        (" F25B  41/20 ", "F25B 41/20"),
        ("F25B\u00a041/20", "F25B 41/20"),
        ("F25B0041200000", "F25B 41/20"),
        ("H01L0021020000", "H01L 21/02"),
        ("G06F 3/00 (2006.01)", "G06F 3/00"),
        ("A61K 31/5575", "A61K 31/5575"),
        ("G01R 19/16542", "G01R 19/16542"),
        ("F25B", "F25B"),
        ("F25", "F25"),
        ("F", "F"),
        ("F25B 41", "F25B 41/00"),
        ("F25B 041/20", "F25B 41/20"),
        ("F25B-041/20", "F25B 41/20"),
        ("F 25 B 41/20", "F25B 41/20"),
        ("Int. Cl.7 F25B 41/20", "F25B 41/20"),
        ("Int.Cl.⁷: F25B 41/20", "F25B 41/20"),
        ("IPC1-7: F25B 41/20", "F25B 41/20"),
        ("IPC(8): F25B 41/20", "F25B 41/20"),
        ("B29K 105:04", "B29K 105/04"),
        ("F25B  41/20        20060101AFI20060101BHEP", "F25B 41/20"),
        ("F25B004120000020060101AFI20060101BHEP", "F25B 41/20"),
        ("F25B 41/20 20060101 A I", "F25B 41/20"),
        ("F25B 41/20 (2021.01) A", "F25B 41/20"),
    ],
)
def test_usual_spellings_have_one_canonical_form(raw: str, canonical: str) -> None:
    assert parse_symbol(raw, "ipc") == canonical


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "I01B 1/00",
        "F25B 41/",
        "G01C/",
        "B00D 447/00",
        "F25B 0/00",
        "garbage",
        "F2",
        "٢",
        "F25B 41/20, F25B 1/00",
    ],
)
def test_what_is_no_symbol_is_none(raw: str) -> None:
    assert parse_symbol(raw, "ipc") is None


@pytest.mark.parametrize(
    "raw", ["INT" + "." * 100_000, "Int. Cl" + " " * 100_000 + "7", "F25B 41/20" + " (2006.01)" * 10_000]
)
def test_an_endless_text_is_none_at_once(raw: str) -> None:
    assert parse_symbol(raw, "ipc") is None  # tried in all ways of dividing it, it would take hours


def test_section_y_belongs_to_cpc_only() -> None:
    assert parse_symbol("Y02E 10/50", "cpc") == "Y02E 10/50"
    assert parse_symbol("Y02E 10/50", "ipc") is None


_RAW = st.text(max_size=20) | st.from_regex(r"[A-Y]\d{2}[A-Z] ?\d{1,4}/\d{2,6}", fullmatch=True)


@given(st.lists(_RAW, min_size=20, max_size=20))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_parsed_symbol_fits_the_schema_and_parses_to_itself(raws: list[str]) -> None:
    symbols = [symbol for raw in raws if (symbol := parse_symbol(raw, "cpc")) is not None]
    assert [parse_symbol(symbol, "cpc") for symbol in symbols] == symbols
    rows = pd.DataFrame({"patent_id": "US1", "symbol": symbols, "scheme": "cpc", "position": 0})
    schemas.validate(rows, schemas.PatentCodes, "patent_codes")


def test_a_symbol_rolls_up_to_each_level_and_no_finer() -> None:
    ancestors = {level: ancestor("F25B 41/20", level) for level in schemas.LEVELS}
    assert list(ancestors.values()) == ["F", "F25", "F25B", "F25B 41/00", "F25B 41/20"]
    assert [ancestor("F25B", level) for level in schemas.LEVELS] == ["F", "F25", "F25B", None, None]


def test_rolling_up_is_elementwise_and_keeps_the_index() -> None:
    symbols = pd.Series(["F25B 41/20", "G06F", "F25B 41/20"], index=[3, 1, 2])
    rolled = roll_up(symbols, "maingroup")
    assert rolled.index.tolist() == [3, 1, 2]
    assert rolled.dropna().to_dict() == {3: "F25B 41/00", 2: "F25B 41/00"}


def test_every_symbol_the_ipc_ever_used_is_understood() -> None:
    path = real_data("ipc_scheme/20250101_inventory_of_IPC_ever_used_symbols.csv")
    inventory = pd.read_csv(path, sep=None, engine="python", dtype="str", header=None)
    raw = inventory[inventory.iloc[:, 0].str.fullmatch(r"[A-H]\d{2}[A-Z]\d{10}").fillna(False)].iloc[:, 0]
    assert len(raw) > 80_000
    assert parse_symbols(raw, "ipc").notna().all()
