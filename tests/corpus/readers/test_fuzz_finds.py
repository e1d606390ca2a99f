"""What the fuzzing of the readers has found, one test a find: see ``benchmarks/fuzz.py``."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from cases import PROJECT
from corpus.readers import documents as fixtures
from corpus.readers import test_bulk
from corpus.readers.samples import SAMPLES, as_csv

from pipeline.corpus.readers import SourceTable, read_source
from pipeline.corpus.readers.days import iso_days
from pipeline.corpus.readers.documents.base import old_symbol

HALF = "\\ud800"  # half of a surrogate pair, as JSON can write it


def read(folder: Path, content: bytes | str) -> SourceTable:
    path = folder / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_source(path)


def test_a_number_longer_than_python_reads_costs_no_document(tmp_path: Path) -> None:
    entry = json.loads(fixtures.PATENTSVIEW_NEW)["patents"][0]
    entries = [json.dumps(entry | {"times_cited": 1}).replace(": 1}", f": {'9' * 5000}}}"), json.dumps(entry)]
    table = read(tmp_path, '{"patents": [' + ", ".join(entries) + "]}")
    assert len(table.frame) == table.rows == 2


@pytest.mark.parametrize("name", ["plain JSON lines", "BigQuery JSON lines, nested", "Lens API, one answer"])
def test_half_a_surrogate_pair_becomes_a_question_mark(tmp_path: Path, name: str) -> None:
    table = read(tmp_path, SAMPLES[name][1].replace(b"Heat", HALF.encode()))
    assert table.frame["title"].iloc[0] == "? pump"
    json.dumps(table.frame.to_dict("records"), ensure_ascii=False).encode()


def test_half_a_surrogate_pair_in_other_places_of_json(tmp_path: Path) -> None:
    titled = fixtures.PATENTSVIEW_NEW.replace('patent_title": "', f'patent_title": "{HALF}')
    assert titled != fixtures.PATENTSVIEW_NEW
    assert read(tmp_path, titled).frame["title"].iloc[0].startswith("?")
    cell = f'[{{"text": "{HALF}x", "language": "en"}}]'
    header = ["publication_number", "publication_date", "ipc_code", "title_localized"]
    table = read(tmp_path, as_csv(header, [["US-1-A", "20100107", "F25B 41/20", cell]]))
    assert table.frame["title"].iloc[0] == "?x"
    keyed = SAMPLES["plain JSON lines"][1].replace(b'"title"', f'"{HALF}": 1, "title"'.encode(), 1)
    assert read(tmp_path, keyed).ignored == ("?",)


def test_fields_that_are_no_lists_where_lists_belong_are_taken_for_one_entry(tmp_path: Path) -> None:
    record = json.loads(fixtures.PUBLIC_SEARCH)["patents"][0]
    table = read(tmp_path, json.dumps({"patents": [record | {"urpn": 7155747, "applicationFilingDate": 5}]}))
    assert table.frame["cited_ids"].iloc[0] == "US7155747"
    assert table.rows == 1


@pytest.mark.parametrize("year", ["1e9", "2010.5", "inf", "99999", "nan"])
def test_a_number_that_is_no_year_completes_no_day(year: str) -> None:
    assert iso_days(pd.Series(["12.31.10"]), pd.Series([year]), pd.Series([year])).tolist() == ["12.31.10"]


def test_a_printed_symbol_with_a_blank_in_its_group_stays_as_it_was_printed() -> None:
    assert old_symbol("B60R5 900") == "B60R5 900"


def test_a_header_that_ends_in_a_bare_carriage_return_is_a_header(tmp_path: Path) -> None:
    raw = test_bulk.folder(tmp_path / "raw", test_bulk.PATENTSVIEW)
    path = raw / "g_ipc_at_issue.tsv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r"))
    assert read_source(raw).frame.loc[1, "ipc"] == "B29C 45/64;B29K;B30B 15/04"


@pytest.mark.slow
def test_a_thousand_damaged_inputs_lose_no_row(tmp_path: Path) -> None:
    program = [sys.executable, PROJECT / "benchmarks" / "fuzz.py", "--cases", "1000", "--out", tmp_path / "fuzz.md"]
    done = subprocess.run(
        list(map(str, program)), env=os.environ | {"PYTHONPATH": str(PROJECT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "**Faults: 0.**" in (tmp_path / "fuzz.md").read_text()
