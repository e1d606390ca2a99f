"""Symbols that the IPC has, by its own list."""

from pathlib import Path

import pandas as pd
import pytest
from cases import real_data
from factories import flat_rows

from pipeline.corpus.ingest import Cleaning, ingest_tables
from pipeline.corpus.readers import read_source
from pipeline.corpus.symbols import parse_symbols
from pipeline.corpus.validity import SymbolList, read_symbol_list

LINES = [
    "F25B0041000000;19680901;-",
    "F25B0041040000;19680901;20201231",
    "F25B0041200000;20210101;-",
    "G06V0010000000;20220101;-",
]
INVENTORY = "ipc_scheme/20250101_inventory_of_IPC_ever_used_symbols.csv"


@pytest.fixture
def known(tmp_path: Path) -> SymbolList:
    (tmp_path / "list.csv").write_text("\n".join(LINES) + "\n")
    return read_symbol_list(tmp_path / "list.csv")


def test_the_list_holds_what_stands_above_and_when_a_symbol_ended(known: SymbolList) -> None:
    table = known.table.set_index("symbol")
    assert set(table.index) == {
        "F", "F25", "F25B", "F25B 41/00", "F25B 41/04", "F25B 41/20", "G", "G06", "G06V", "G06V 10/00",
    }  # fmt: skip
    assert table["ended"].dropna().astype(str).to_dict() == {"F25B 41/04": "2020-12-31"}


def test_an_invalid_symbol_is_set_aside_by_itself_and_one_out_of_force_is_counted(known: SymbolList) -> None:
    rows = [
        {"patent_id": "US1", "date": "2022-01-05", "ipc": "F25B 41/20;F25B 41/99;F25B 41/04;X", "cpc": "F25B 41/99"},
        {"patent_id": "US2", "date": "2010-01-05", "ipc": "G06V 10/00;F25B"},
        {"patent_id": "US3", "date": "2010-01-05", "ipc": "H01L 99/99"},
    ]
    result = ingest_tables([flat_rows(rows)], cleaning=Cleaning(symbol_list=known))
    assert result.quarantine[["row", "kind", "reason", "value"]].to_numpy().tolist() == [
        [1, "symbol", "no such symbol in the IPC, by the list given", "F25B 41/99"],
        [1, "symbol", "not a symbol of IPC", "X"],
        [3, "row", "no valid IPC or CPC symbol", "H01L 99/99"],
    ]
    assert result.corpus.patent_codes["symbol"].tolist() == [
        "G06V 10/00", "F25B", "F25B 41/20", "F25B 41/04", "F25B 41/99",
    ]  # fmt: skip
    assert result.notes["out_of_force"] == {"before": 1, "after": 1}
    assert len(result.warnings) == 2


@pytest.mark.parametrize("name", ["pizza_patentscope", "green_aviation_patsnap", "dpl_google"])
def test_symbols_of_real_corpora_are_valid_but_for_one_in_a_thousand(name: str) -> None:
    known = read_symbol_list(real_data(INVENTORY))
    rows = read_source(real_data(f"corpora/{name}.parquet")).frame
    entries = rows["ipc"].str.split(";").explode().str.strip()
    symbols = parse_symbols(entries[entries != ""], "ipc").astype("str")
    parsed = symbols.dropna()
    assert known.has(parsed).mean() > (0.998 if name == "pizza_patentscope" else 0.999), (
        parsed[~known.has(parsed)].value_counts().head().to_dict()
    )
    assert isinstance(parsed, pd.Series)
