"""Genuine exports, where they are present: the account of each, and how many of its symbols WIPO knows."""

import csv
from functools import cache

import pytest
from cases import real_data

from pipeline.corpus.ingest import Ingested, ingest
from pipeline.corpus.readers import read_source
from pipeline.errors import CorpusError

# name: format, rows, at least kept or merged, entries of IPC that are no symbols at most
ACCOUNTS = {
    "lens_csv_2015_pizza1000.csv": ("lens", 1000, 851, 0),
    "lens_csv_2017_autonomous.csv": ("lens", 863, 863, 0),
    "lens_api_biopoly_broken1.jsonl": ("lens_api", 10, 9, 0),
    "google_patents_bigquery_export.csv": ("google_patents", 493, 493, 4),
    "patentscope_2016_layout.zip": ("patentscope", 24294, 23994, 274),
    "patsnap_export_zh_headers.xlsx": ("patsnap", 1999, 1980, 0),
    "derwent_parsed_sample.xlsx": ("derwent_index", 10, 10, 0),
}


@cache
def ingested(name: str) -> Ingested:
    return ingest([real_data(f"formats/{name}")])


@cache
def ever_used() -> frozenset[str]:
    path = real_data("ipc_scheme/20250101_inventory_of_IPC_ever_used_symbols.csv")
    with path.open(encoding="utf-8-sig") as handle:
        return frozenset(row[0] for row in csv.reader(handle, delimiter=";"))


def st8(symbol: str) -> str:
    """A symbol as the inventory writes it: F25B 41/20 is F25B0041200000."""
    stem, _, group = symbol.partition(" ")
    main, _, sub = group.partition("/")
    return f"{stem}{int(main):04d}{sub:0<6}" if group else stem


@pytest.mark.parametrize("name", ACCOUNTS)
def test_every_row_of_a_genuine_export_is_accounted_for(name: str) -> None:
    format, rows, used, invalid = ACCOUNTS[name]
    result = ingested(name)
    account = result.account
    assert (result.sources[0].format, account.read) == (format, rows)
    assert account.kept + account.merged >= used
    assert account.quarantined == (result.quarantine["kind"] == "row").sum() == rows - account.kept - account.merged
    reasons = result.quarantine["reason"]
    assert (reasons == "not a symbol of IPC").sum() <= invalid


@pytest.mark.parametrize("name", ACCOUNTS)
def test_of_the_symbols_read_99_9_percent_are_of_the_ipc(name: str) -> None:
    codes = ingested(name).corpus.patent_codes
    symbols = codes.loc[codes["scheme"] == "ipc", "symbol"]
    assert len(symbols)
    assert symbols.map(st8).isin(ever_used()).mean() >= 0.999


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("google_patents_csv_2017_autonomous.csv", "no IPC or CPC symbols"),
        ("google_patents_search_export.csv", "no IPC or CPC symbols"),
        ("sumobrain_autonomous1.xls", "US classes"),
        ("lens_api_min.jsonl", "lacks one of the columns 'biblio.classifications_ipcr"),
    ],
)
def test_genuine_exports_without_symbols_are_refused(name: str, reason: str) -> None:
    with pytest.raises(CorpusError, match=reason):
        read_source(real_data(f"formats/{name}"))


@pytest.mark.parametrize(
    ("name", "patent_id", "fields"),
    [
        ("lens_csv_2015_pizza1000.csv", "US4632836A", {"date": "1986-12-30"}),  # written 30/12/87, a year of weeks
        ("lens_csv_2015_pizza1000.csv", "US20130101709A1", {"date": "2013-04-25", "app_date": "2012-10-22"}),
        ("lens_csv_2017_autonomous.csv", "US8818681B1", {"date": "2014-08-26", "app_date": "2013-07-24"}),
        ("lens_api_biopoly_broken1.jsonl", "CN102206141A", {"date": "2011-10-05", "family_id": "038-066-141-127-891"}),
        ("patentscope_2016_layout.zip", "US2190483", {"date": "1940-02-13", "assignees": "SALVATORE PACILIO"}),
        (
            "patsnap_export_zh_headers.xlsx",
            "CN103104575A",
            {"ipc": "F15D1/00;B64C23/06", "assignees": "南京航空航天大学"},
        ),
        ("derwent_parsed_sample.xlsx", "CN109502914A", {"date": "2019-03-22", "app_date": "2018-12-24"}),
    ],
)
def test_documents_are_read_as_they_were_published(name: str, patent_id: str, fields: dict[str, str]) -> None:
    frame = read_source(real_data(f"formats/{name}")).frame.set_index("patent_id")
    assert frame.loc[patent_id, list(fields)].to_dict() == fields


def test_old_lens_exports_are_declared_as_not_utf8() -> None:
    for name in ("lens_csv_2015_pizza1000.csv", "lens_csv_2017_autonomous.csv"):
        assert any("not UTF-8; read as Mac Roman" in warning for warning in ingested(name).warnings)
