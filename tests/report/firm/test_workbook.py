"""The workbook, read back by another library and in its raw XML."""

import zipfile

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook
from report.firm_fixtures import FIRM, write_firm_run

from pipeline.artifacts import read_table, write_table
from pipeline.report.firm import workbook
from pipeline.report.firm.render import render_firm_report

HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2",
    "@SUM(A1)",
    "\tx",
    "\r=1",
    "＝1",
    "http://evil.example",
    "1e5",
    "x\u202ey\x01",
]


def workbook_of(folder) -> CalamineWorkbook:
    (path,) = render_firm_report(folder, formats=["xlsx"])
    return CalamineWorkbook.from_path(str(path))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_firm_run(tmp_path_factory.mktemp("book") / "run", judged=True)


def test_one_sheet_a_table_with_every_row(folder):
    book = workbook_of(folder)
    tables = {
        "Opportunities": "topic_opportunities",
        "Topics": "topics",
        "Topic names": "topic_names",
        "Patents": "topic_patents",
        "Pairs": "opportunities",
        "Competitors": "competitors",
        "Firm names": "firm_names",
        "Judge": "judged",
        "Verdicts": "verdicts",
        "Evidence": "evidence",
    }
    assert book.sheet_names == ["About", *tables, "Definitions"]
    for sheet, name in tables.items():
        rows = book.get_sheet_by_name(sheet).to_python()
        assert len(rows) == 1 + len(read_table(folder / f"{name}.parquet")), sheet
        assert all(rows[0])
    about = {row[0]: row[1] for row in book.get_sheet_by_name("About").to_python()}
    assert about["Firm"] == FIRM and about["Sheet Opportunities"] == "24 rows" and about["Judge"] == "local:scripted"


def test_values_come_back_as_they_were(folder):
    table = read_table(folder / "topic_opportunities.parquet")
    rows = workbook_of(folder).get_sheet_by_name("Opportunities").to_python()
    sheet = pd.DataFrame(rows[1:], columns=rows[0])
    assert sheet["Opportunity id"].tolist() == table["opportunity_id"].tolist()
    assert sheet["Probability"].tolist() == pytest.approx(table["probability"].tolist())
    assert sheet["White space"].eq("").tolist() == table["white_space"].isna().tolist()
    dates = workbook_of(folder).get_sheet_by_name("Patents").to_python()
    assert str(dates[1][dates[0].index("Knowledge date")]) == "2011-05-03"


def test_text_is_never_a_formula_or_a_link_and_stays_text_when_edited(folder, tmp_path):
    hostile = write_firm_run(tmp_path / "run", pairs=3)
    table = read_table(hostile / "topic_patents.parquet").head(len(HOSTILE)).assign(title=HOSTILE)
    write_table(hostile / "topic_patents.parquet", table)
    rows = workbook_of(hostile).get_sheet_by_name("Patents").to_python()
    titles = [row[rows[0].index("Title")] for row in rows[1:]]
    assert titles == [*HOSTILE[:-1], "xy"]
    with zipfile.ZipFile(hostile / "firm-report.xlsx") as archive:
        parts = {
            name: archive.read(name).decode("utf-8") for name in archive.namelist() if name.endswith((".xml", ".rels"))
        }
    assert not any("<f>" in text or "<f " in text or "hyperlink" in text for text in parts.values())
    assert 'quotePrefix="1"' in parts["xl/styles.xml"]


def test_the_heading_stays_in_sight_and_columns_are_neither_slits_nor_streets(folder):
    workbook_of(folder)
    with zipfile.ZipFile(folder / "firm-report.xlsx") as archive:
        sheet = archive.read("xl/worksheets/sheet2.xml").decode()
    assert 'ySplit="1"' in sheet and 'state="frozen"' in sheet and "<autoFilter" in sheet
    widths = [float(part.split('"')[0]) for part in sheet.split(' width="')[1:]]
    assert len(widths) >= 10 and all(workbook.NARROWEST <= width <= workbook.WIDEST + 1 for width in widths)


def test_rows_beyond_the_most_are_told_of(folder, monkeypatch):
    monkeypatch.setattr(workbook, "MOST_ROWS", 10)
    book = workbook_of(folder)
    assert len(book.get_sheet_by_name("Opportunities").to_python()) == 11
    about = {row[0]: row[1] for row in book.get_sheet_by_name("About").to_python()}
    assert about["Sheet Opportunities"] == "10 rows, the first 10 of 24"


def test_without_a_judge_there_is_no_sheet_of_one(tmp_path):
    book = workbook_of(write_firm_run(tmp_path / "run", pairs=3, simulated=True))
    assert not {"Judge", "Verdicts", "Evidence"} & set(book.sheet_names)
    about = book.get_sheet_by_name("About").to_python()
    assert ["Judge", "none: no model judged these opportunities"] in about
    assert about[1] == ["Simulated data", "Every patent, firm and number is invented."]
