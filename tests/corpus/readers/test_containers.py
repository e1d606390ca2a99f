"""Containers: told from content, brought to UTF-8, bounded in memory; bad input is one clear line or a fault."""

import csv
import gzip
import io
import os
import struct
import zipfile
import zlib
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from corpus.readers.samples import TAGGED, as_csv, as_json_lines, as_xlsx, as_zip
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpus.readers import SourceTable, read_source
from pipeline.corpus.readers.containers import archive, excel
from pipeline.corpus.readers.containers import csv as csv_container
from pipeline.corpus.readers.containers import json as json_container
from pipeline.corpus.readers.containers.charset import guess_encoding
from pipeline.errors import CorpusError

HEADER = ["patent_id", "date", "ipc", "title"]
ROW = ["US1", "2010-01-05", "F25B 41/20", "Pump"]


def read(folder: Path, content: bytes) -> SourceTable:
    path = folder / "file.dat"
    path.write_bytes(content)
    return read_source(path)


def refusal(folder: Path, content: bytes) -> str:
    with pytest.raises(CorpusError) as caught:
        read(folder, content)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 1500
    assert "file.dat" in message
    return message


# --- encodings ------------------------------------------------------------------------------------------------------

TEXTS = {
    "cp1252": "Wärmepumpe für Kühlgeräte",
    "mac_roman": "Procédé de fabrication d’une pompe à chaleur",
    "gb18030": "一种热泵系统及其控制方法，本发明公开了一种电动汽车热泵空调系统",
    "big5": "一種熱泵系統及其控制方法，本發明公開了一種電動汽車熱泵空調系統",
    "cp932": "ヒートポンプ装置およびその制御方法、株式会社東芝",
    "cp949": "열펌프 시스템 및 그 제어 방법, 삼성전자주식회사",
    "cp1251": "Способ изготовления теплового насоса",
}


@pytest.mark.parametrize("encoding", TEXTS)
def test_other_encodings_are_read_and_declared(tmp_path: Path, encoding: str) -> None:
    table = read(tmp_path, as_csv(HEADER, [[*ROW[:3], TEXTS[encoding]]] * 3).decode().encode(encoding))
    assert table.frame["title"].tolist() == [TEXTS[encoding]] * 3
    assert len(table.warnings) == 1
    assert table.warnings[0].startswith("not UTF-8; read as ")


def test_chinese_headers_in_gb18030_are_not_taken_for_korean() -> None:
    assert (
        guess_encoding("公开（公告）号,公开（公告）日,IPC,标题\nCN1A,2010-01-05,F25B,一种热泵\n".encode("gb18030"))
        == "gb18030"
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_wide_encodings_are_read_with_or_without_mark(tmp_path: Path, encoding: str) -> None:
    table = read(tmp_path, as_csv(HEADER, [[*ROW[:3], "Wärmepumpe 热泵"]]).decode().encode(encoding))
    assert table.frame["title"].tolist() == ["Wärmepumpe 热泵"]
    assert bool(table.warnings) == (encoding != "utf-8-sig")


def test_a_few_broken_bytes_are_flagged_and_the_rest_stays_utf8(tmp_path: Path) -> None:
    content = as_csv(HEADER, [[*ROW[:3], "Wärmepumpe für Öl 热泵系统"]] * 60).replace("Öl".encode(), b"\xd6l", 1)
    table = read(tmp_path, content)
    assert table.frame["title"].tolist()[:2] == ["Wärmepumpe für \ufffdl 热泵系统", "Wärmepumpe für Öl 热泵系统"]
    assert table.warnings == ("1 places of it are not UTF-8 and stand as \ufffd",)


# --- CSV ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_of_four_delimiters(tmp_path: Path, delimiter: str) -> None:
    table = read(tmp_path, as_csv(HEADER, [[*ROW[:3], 'a "b" ,;|\t c']], delimiter))
    assert table.frame["title"].tolist() == ['a "b" ,;|\t c']


_CELL = st.text(st.sampled_from('ab",;\n\r é'), max_size=6)


@given(st.lists(st.lists(_CELL, min_size=1, max_size=5), max_size=6), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=60, deadline=None)
def test_records_are_those_of_pythons_reader_and_none_is_lost(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], ending: str
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=ending).writerows([HEADER, *rows])
    expected = [row for row in list(csv.reader(io.StringIO(out.getvalue(), newline="")))[1:] if row]
    table = read(tmp_path_factory.mktemp("csv"), out.getvalue().encode())
    whole = {number: row for number, row in enumerate(expected, start=1) if len(row) == len(HEADER)}
    assert table.rows == len(expected)
    assert table.frame["title"].to_dict() == {number: row[3].strip(" \n\r\xa0") for number, row in whole.items()}
    assert sorted(table.faults["row"]) == [number for number in range(1, len(expected) + 1) if number not in whole]


@pytest.mark.parametrize(
    "line",
    [
        'US2,2010-01-05,F25B,"never closed',
        'US2,2010-01-05,F25B,"closed" twice"',
        'US2,2010-01-05,F25B,"open\nUS3,x,y,"z"',
    ],
)
def test_quotes_that_leave_rows_in_doubt_are_refused_with_their_line(tmp_path: Path, line: str) -> None:
    assert "broken quoting" in refusal(tmp_path, as_csv(HEADER, [ROW]) + line.encode() + b"\nUS9,2010-01-05,F25B,x\n")


def test_a_quote_within_a_field_is_a_quote(tmp_path: Path) -> None:
    table = read(tmp_path, as_csv(HEADER, [ROW]) + b'US2,2010-01-05,F25B,5" pipe\n')
    assert table.frame["title"].tolist() == ["Pump", '5" pipe']


def test_a_wrong_delimiter_in_the_rows_leaves_all_of_them_as_faults(tmp_path: Path) -> None:
    table = read(tmp_path, b"patent_id,date,ipc\nUS1;2010-01-05;F25B\nUS2;2010-01-05;F25B\n")
    assert (len(table.frame), table.malformed) == (0, 2)


def test_ten_thousand_columns_are_read(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(10_000)]
    table = read(tmp_path, as_csv([*HEADER, *names], [[*ROW, *names]]))
    assert (table.rows, len(table.ignored)) == (1, 10_000)


def test_nul_bytes_and_marks_of_direction_are_taken_out(tmp_path: Path) -> None:
    table = read(tmp_path, as_csv(HEADER, [["US\x001", "2010-01-05", "F25B\u202e 41/20", "Pu\u202emp\x07"]]))
    assert table.frame.iloc[0][HEADER].tolist() == ROW


def test_formulas_are_text(tmp_path: Path) -> None:
    table = read(tmp_path, as_csv(HEADER, [[*ROW[:3], '=HYPERLINK("http://x","y")']]))
    assert table.frame["title"].tolist() == ['=HYPERLINK("http://x","y")']


@pytest.mark.parametrize("before", [as_csv(HEADER, [ROW]), as_csv(HEADER, [ROW]) + b'US2,2010-01-05,F25B,"'])
def test_a_record_without_end_is_refused_before_it_fills_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    monkeypatch.setattr(csv_container, "_LONGEST", 2**16)
    monkeypatch.setattr(csv_container, "_BLOCK", 2**14)
    assert "a record is longer than" in refusal(tmp_path, before + b"x" * 2**18)


def test_a_record_longer_than_a_block_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_container, "_BLOCK", 2**10)
    table = read(tmp_path, as_csv(HEADER, [[*ROW[:3], "x" * 5000], ROW]))
    assert table.frame["title"].str.len().tolist() == [5000, 4]


# --- workbooks ------------------------------------------------------------------------------------------------------


def test_cells_are_text_as_they_are_shown(tmp_path: Path) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [*HEADER, "claims_count"])
        sheet.write_number(1, 0, 7155747)
        sheet.write_datetime(
            1, 1, pd.Timestamp("2010-01-05").to_pydatetime(), book.add_format({"num_format": "d/m/yy"})
        )
        sheet.write_string(1, 2, "F25B 41/20")
        sheet.write_formula(1, 3, '=HYPERLINK("http://x","Pump")', value="Pump")
        sheet.write_number(1, 4, 12)
    row = read(tmp_path, out.getvalue()).frame.iloc[0]
    assert row[[*HEADER, "claims_count"]].tolist() == ["7155747", "2010-01-05", "F25B 41/20", "Pump", "12"]


def test_one_far_cell_does_not_take_the_program_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "_MAX_MEMORY", 2**29)
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write(1_000_000, 16_000, "far")
    assert "needs more than" in refusal(tmp_path, out.getvalue())


def test_damaged_workbooks_are_refused(tmp_path: Path) -> None:
    whole = as_xlsx([HEADER, ROW])
    assert "damaged" in refusal(tmp_path, whole[: len(whole) // 2])
    assert "damaged or locked workbook" in refusal(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4096)
    assert "damaged or locked workbook" in refusal(tmp_path, as_zip({"xl/workbook.xml": b"<no"}))
    assert "nothing in it" in refusal(tmp_path, empty_workbook())


def empty_workbook() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.add_worksheet()
    return out.getvalue()


# --- JSON and tagged text -------------------------------------------------------------------------------------------


def test_lines_that_are_no_records_are_faults(tmp_path: Path) -> None:
    good = as_json_lines([dict(zip(HEADER, ROW, strict=True))])
    table = read(tmp_path, good + b'{"patent_id": \n\n[1, 2]\n"text"\n' + b"[" * 100_000 + b"\n" + good)
    assert table.frame["patent_id"].to_dict() == {1: "US1", 6: "US1"}
    assert table.faults["row"].tolist() == [2, 3, 4, 5]
    assert table.rows == 6


def test_a_line_too_long_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_container, "_LONGEST", 1000)
    good = as_json_lines([dict(zip(HEADER, ROW, strict=True))])
    table = read(tmp_path, good + b'{"patent_id": "' + b"x" * 5000 + b'"}\n' + good)
    assert (table.frame.index.tolist(), table.faults["row"].tolist()) == ([1, 3], [2])


def test_a_json_document_that_is_no_table_is_refused(tmp_path: Path) -> None:
    assert "no JSON that can be read" in refusal(tmp_path, b'{\n"data": [')
    assert "no known layout" in refusal(tmp_path, b'{"a": 1}')


def test_a_field_met_late_is_read_all_the_same(tmp_path: Path) -> None:
    rows = [dict(zip(HEADER[:3], ROW[:3], strict=True)) | {"patent_id": f"US{number}"} for number in range(1200)]
    table = read(tmp_path, as_json_lines([*rows, {**rows[0], "patent_id": "US9999", "title": "late"}]))
    assert table.frame["title"].iloc[-1] == "late"


def test_a_tagged_record_cut_off_is_a_fault(tmp_path: Path) -> None:
    table = read(tmp_path, TAGGED.encode()[: TAGGED.index("PD EP2000002-B1")])
    assert (table.frame["patent_id"].tolist(), table.faults["row"].tolist()) == (["US20100000001A1"], [2])


# --- archives and what is no table ----------------------------------------------------------------------------------


def test_gzip_is_unpacked(tmp_path: Path) -> None:
    assert read(tmp_path, gzip.compress(as_csv(HEADER, [ROW]))).frame["title"].tolist() == ["Pump"]


@pytest.mark.parametrize("pack", [lambda content: as_zip({"a.csv": content}), gzip.compress])
def test_truncated_archives_are_refused(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    whole = pack(as_csv(HEADER, [[*ROW[:3], os.urandom(2000).hex()]] * 20))
    for kept in (3, len(whole) // 2, len(whole) - 9):
        assert "damaged" in refusal(tmp_path, whole[:kept]) or kept == 3


@pytest.mark.parametrize("pack", [lambda content: as_zip({"a.csv": content}), gzip.compress])
def test_bombs_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: object) -> None:
    assert callable(pack)
    monkeypatch.setattr(archive, "_FREE_BYTES", 2**20)
    assert "zip bomb" in refusal(tmp_path, pack(b"0" * 2**23))
    monkeypatch.setattr(archive, "MAX_BYTES", 2**10)
    assert "zip bomb" in refusal(tmp_path, pack(os.urandom(2**11)))


def test_names_in_a_zip_are_never_paths(tmp_path: Path) -> None:
    table = read(tmp_path, as_zip({"../../evil.csv": as_csv(HEADER, [ROW]), "/etc/evil.csv": as_csv(HEADER, [ROW])}))
    assert table.rows == 2
    assert [path.name for path in tmp_path.iterdir()] == ["file.dat"]


def test_a_zip_that_lies_about_a_size_is_refused(tmp_path: Path) -> None:
    content = as_csv(HEADER, [ROW])
    whole = bytearray(as_zip({"a.csv": content}))
    central = whole.index(b"PK\x01\x02")
    whole[central + 24 : central + 28] = struct.pack("<I", 5)
    assert zlib.crc32(content)
    assert "damaged" in refusal(tmp_path, bytes(whole))


def test_an_empty_zip_and_a_locked_one_are_refused(tmp_path: Path) -> None:
    assert "no file in it" in refusal(tmp_path, as_zip({"folder/": b"", "__MACOSX/._x": b"x"}))
    locked = bytearray(as_zip({"a.csv": as_csv(HEADER, [ROW])}))
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(signature) + place] |= 1
    assert "password" in refusal(tmp_path, bytes(locked))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"Rar!\x1a\x07\x00", "a RAR archive"),
        (b"<html><table><tr><td>patent_id</td></tr></table></html>", "HTML or XML"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><a/>", "XML of no known patent format"),
    ],
)
def test_what_is_no_table_is_named(tmp_path: Path, content: bytes, what: str) -> None:
    assert what in refusal(tmp_path, content)


def test_nothing_but_a_readable_file_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for ever
    for path, reason in ((tmp_path, "a folder"), (tmp_path / "pipe", "a pipe"), (tmp_path / "none", "does not exist")):
        with pytest.raises(CorpusError, match=reason):
            read_source(path)
    locked = tmp_path / "locked.csv"
    locked.write_bytes(as_csv(HEADER, [ROW]))
    locked.chmod(0)
    if os.access(locked, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(CorpusError, match="cannot be read: Permission denied"):
        read_source(locked)


def test_nothing_is_left_in_the_folder_of_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    read(tmp_path, as_zip({"a.xlsx": as_xlsx([HEADER, ROW]), "b.csv": "ü".encode("cp1252") + as_csv(HEADER, [ROW])}))
    assert list(scratch.iterdir()) == []


def test_lists_of_lists_in_parquet_are_refused_by_name(tmp_path: Path) -> None:
    out = io.BytesIO()
    table = pa.table({"patent_id": ["US1"], "date": ["2010-01-05"], "ipc": pa.array([[["F25B"]]])})
    pq.write_table(table, out)
    assert "column ipc of type" in refusal(tmp_path, out.getvalue())


def test_zip_needs_no_names_of_files(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(zipfile.ZipInfo("x" * 300), as_csv(HEADER, [ROW]))
    assert read(tmp_path, out.getvalue()).rows == 1
