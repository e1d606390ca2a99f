"""Bulk tables: joined like a database would, whatever the files' names, order and number of parts; faults are told."""

import gzip
import io
import random
import sqlite3
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import pipeline.corpus.readers.bulk.partition as partition
import pipeline.corpus.readers.bulk.tables as tables
from pipeline.corpus.ingest import ingest
from pipeline.corpus.readers import FLAT, SourceTable, read_source
from pipeline.errors import CorpusError

PATENTSVIEW = {
    "g_patent": [
        ["patent_id", "patent_type", "patent_date", "patent_title", "wipo_kind", "num_claims", "withdrawn", "filename"],
        ["10000001", "utility", "2018-06-19", 'Press "X"\nof\ttwo lines', "B2", "20", "0", "f"],
        ["D800000", "design", "2017-10-17", "Lamp", "S1", "1", "0", "f"],
        ["10000003", "utility", "2018-06-19", "Gone", "B2", "", "1", "f"],
        ["10000001", "utility", "2018-06-20", "Twice", "B2", "2", "0", "f"],
    ],
    "g_application": [["application_id", "patent_id", "filing_date"], ["15/1", "10000001", "2015-03-02"]],
    "g_patent_abstract": [["patent_id", "patent_abstract"], ["10000001", "A press; for plastics."]],
    "g_ipc_at_issue": [
        ["patent_id", "ipc_sequence", "section", "ipc_class", "subclass", "main_group", "subgroup"],
        ["10000001", "10", "B", "30", "B", "15", "04"],
        ["10000001", "0", "B", "29", "C", "45", "64"],
        ["10000001", "2", "B", "29", "K", "", ""],
        ["99", "0", "A", "01", "B", "1", "00"],
    ],
    "g_cpc_current": [
        ["patent_id", "cpc_sequence", "cpc_section", "cpc_class", "cpc_subclass", "cpc_group", "cpc_type"],
        ["10000001", "0", "B", "B29", "B29C", "B29C45/64", "inventional"],
    ],
    "g_us_patent_citation": [
        ["patent_id", "citation_sequence", "citation_patent_id", "wipo_kind"],
        ["10000001", "1", "5000000", "A"],
        ["10000001", "0", "D345393", "S"],
        ["10000001", "2", "", ""],
    ],
    "g_us_application_citation": [
        ["patent_id", "citation_sequence", "citation_document_number", "wipo_kind"],
        ["10000001", "3", "2007/0140112", "A1"],
    ],
    "g_foreign_citation": [
        ["patent_id", "citation_sequence", "citation_application_id", "citation_country"],
        ["10000001", "4", "0680812", "EP"],
    ],
    "g_other_reference": [
        ["patent_id", "other_reference_sequence", "other_reference_text"],
        ["10000001", "0", "Smith; A book,\n1999"],
    ],
    "g_assignee_disambiguated": [
        ["patent_id", "assignee_sequence", "disambig_assignee_individual_name_first",
         "disambig_assignee_individual_name_last", "disambig_assignee_organization"],
        ["10000001", "1", "Ada", "Lovelace", ""],
        ["10000001", "0", "", "", "Press; Co., Ltd."],
    ],
    "g_inventor_disambiguated": [
        ["patent_id", "inventor_sequence", "disambig_inventor_name_first", "disambig_inventor_name_last"],
        ["10000001", "0", "Marie", "Curie"],
        ["D800000", "0", "", "Plato"],
    ],
    "g_claims_2018": [
        ["patent_id", "claim_sequence", "claim_text"],
        ["10000001", "1", "2. The press; of claim 1."],
        ["10000001", "0", "1. A press."],
    ],
}  # fmt: skip
PATSTAT = {
    "tls201_part01": [
        ["appln_id", "appln_auth", "appln_filing_date", "docdb_family_id"],
        ["1", "EP", "1999-11-08", "19768124"],
        ["2", "US", "9999-12-31", "0"],
    ],
    "tls202_part01": [["appln_id", "appln_title_lg", "appln_title"], ["1", "en", "Bricks"]],
    "tls203_part01": [["appln_id", "appln_abstract_lg", "appln_abstract"], ["1", "en", "Green; bricks."]],
    "tls206_part01": [["person_id", "person_name"], ["7", "BOER BEHEER"]],
    "tls206_part02": [["person_id", "person_name"], ["8", "KOSMAN, W."]],
    "tls207_part01": [
        ["person_id", "appln_id", "applt_seq_nr", "invt_seq_nr"],
        ["8", "1", "0", "1"],
        ["7", "1", "1", "0"],
    ],
    "tls209_part01": [
        ["appln_id", "ipc_class_symbol", "ipc_position"],
        ["1", "B28B   5/02", "L"],
        ["1", "B28B   1/29", "F"],
    ],
    "tls211_part01": [
        ["pat_publn_id", "publn_auth", "publn_nr", "publn_kind", "appln_id", "publn_date", "publn_first_grant",
         "publn_claims"],
        ["11", "EP", "1000000", "A1", "1", "2000-05-17", "N", "9"],
        ["12", "EP", "1000000", "B1", "1", "2003-01-08", "Y", "8"],
        ["13", "US", "5000000", "A", "2", "1991-03-19", "Y", "0"],
    ],
    "tls212_part01": [
        ["pat_publn_id", "citn_id", "cited_pat_publn_id", "cited_npl_publn_id"],
        ["11", "2", "12", "0"],
        ["11", "1", "13", "0"],
        ["11", "3", "0", "954321"],
        ["11", "4", "999", "0"],
    ],
    "tls224_part01": [["appln_id", "cpc_class_symbol"], ["1", "B28B   5/022"]],
}  # fmt: skip
Tables = dict[str, list[list[str]]]


def text(rows: list[list[str]], delimiter: str) -> str:
    return "".join(delimiter.join('"' + field.replace('"', '""') + '"' for field in row) + "\n" for row in rows)


def folder(path: Path, source: Tables, delimiter: str = "\t") -> Path:
    path.mkdir()
    for name, rows in source.items():
        (path / f"{name}.tsv").write_text(text(rows, delimiter), encoding="utf-8")
    return path


def filled(table: SourceTable, row: int) -> dict[str, str]:
    return {name: value for name, value in table.frame.loc[row].items() if value}


def test_patentsview_is_joined(tmp_path: Path) -> None:
    table = read_source(folder(tmp_path / "raw", PATENTSVIEW))
    assert (table.format, table.name, tuple(table.frame.columns)) == ("patentsview", "raw", FLAT)
    assert filled(table, 1) == {
        "patent_id": "US10000001B2", "date": "2018-06-19", "title": 'Press "X"\nof\ttwo lines',
        "abstract": "A press; for plastics.", "claims": "1. A press.\n2. The press; of claim 1.",
        "ipc": "B29C 45/64;B29K;B30B 15/04", "cpc": "B29C45/64", "assignees": "Press, Co., Ltd.;Lovelace, Ada",
        "inventors": "Curie, Marie", "cited_ids": "USD345393S;US5000000A;US20070140112A1;EP0680812",
        "cited_npl": "Smith, A book, 1999", "claims_count": "20", "office": "US", "app_date": "2015-03-02",
        "date_kind": "grant",
    }  # fmt: skip
    assert filled(table, 2)["inventors"] == "Plato"
    assert table.faults[["row", "patent_id", "kind", "reason"]].to_numpy().tolist() == [
        [3, "US10000003", "row", "is withdrawn"],
        [4, "US10000001", "row", "another row of g_patent has this patent_id"],
    ]
    assert table.rows == 4
    assert table.warnings == ("g_ipc_at_issue: 1 rows belong to patents that g_patent does not hold",)


def test_patstat_is_joined(tmp_path: Path) -> None:
    table = read_source(folder(tmp_path / "raw", PATSTAT, ","))
    common = {
        "title": "Bricks", "abstract": "Green; bricks.", "ipc": "B28B   1/29;B28B   5/02", "cpc": "B28B   5/022",
        "assignees": "BOER BEHEER", "inventors": "KOSMAN, W.", "family_id": "19768124", "office": "EP",
        "app_date": "1999-11-08",
    }  # fmt: skip
    assert filled(table, 1) == {
        **common, "patent_id": "EP1000000A1", "date": "2000-05-17", "cited_ids": "US5000000A;EP1000000B1",
        "cited_npl": "NPL 954321", "claims_count": "9", "date_kind": "publication",
    }  # fmt: skip
    assert filled(table, 2) == {
        **common, "patent_id": "EP1000000B1", "date": "2003-01-08", "claims_count": "8", "date_kind": "grant",
    }  # fmt: skip
    assert filled(table, 3) == {"patent_id": "US5000000A", "date": "1991-03-19", "date_kind": "grant", "office": "US"}
    assert "edition's day" in table.warnings[0]


def test_tables_are_known_by_their_headers_in_any_container(tmp_path: Path) -> None:
    plain = read_source(folder(tmp_path / "raw", PATENTSVIEW))
    other = tmp_path / "other"
    other.mkdir()
    for number, (name, rows) in enumerate(sorted(PATENTSVIEW.items(), reverse=True)):
        data = text(rows, "\t").replace("\n", "\r\n" if number == 1 else "\n").encode()
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(f"{name}.tsv", data)
        packed = [data, archive.getvalue(), gzip.compress(data), b"\xef\xbb\xbf" + data]
        (other / f"{number}.bin").write_bytes(packed[number % 4])
    (other / "notes.txt").write_text("nothing")
    table = read_source(other)
    pd.testing.assert_frame_equal(table.frame, plain.frame)
    assert "notes.txt is no table that is read, and left out" in table.warnings


@pytest.mark.parametrize("source", [PATENTSVIEW, PATSTAT], ids=["patentsview", "patstat"])
def test_the_number_of_parts_and_the_size_of_batches_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Tables
) -> None:
    raw = folder(tmp_path / "raw", source)
    whole = read_source(raw)
    monkeypatch.setattr(partition, "PART", 40)
    monkeypatch.setattr(tables, "BLOCK", 600)
    parts = read_source(raw)
    pd.testing.assert_frame_equal(parts.frame.sort_index(), whole.frame)
    assert parts.warnings == whole.warnings
    assert len(parts.faults) == len(whole.faults)


def test_the_join_agrees_with_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(5)
    ids = [str(7_000_000 + n) for n in range(300)]
    citations = [(rng.choice(ids), str(n), str(rng.randrange(5_000_000, 6_000_000))) for n in range(4000)]
    source = {
        "p": [["patent_id", "patent_date", "patent_title"], *([i, "2010-01-05", f"title {i}"] for i in ids)],
        "c": [["patent_id", "citation_sequence", "citation_patent_id"], *map(list, citations)],
        "i": [
            ["patent_id", "ipc_sequence", "section", "ipc_class", "subclass"],
            *([i, "0", "A", "01", "B"] for i in ids),
        ],
    }
    monkeypatch.setattr(partition, "PART", 10_000)
    frame = read_source(folder(tmp_path / "raw", source)).frame.set_index("patent_id")
    database = sqlite3.connect(":memory:")
    database.execute("create table c (citing text, sequence integer, cited text)")
    database.executemany("insert into c values (?, ?, ?)", citations)
    ordered = "(select * from c order by citing, sequence)"
    query = f"select citing, group_concat('US' || cited, ';') from {ordered} group by citing"
    expected = {f"US{citing}": cited for citing, cited in database.execute(query)}
    assert frame["cited_ids"][frame["cited_ids"] != ""].to_dict() == expected
    assert len(frame) == len(ids)


def test_symbols_at_issue_are_preferred_and_current_ones_warned_of(tmp_path: Path) -> None:
    at_issue = [
        ["patent_id", "cpc_sequence", "cpc_version_indicator", "cpc_section", "cpc_class", "cpc_subclass", "cpc_group"],
        ["10000001", "0", "2013-01-01", "B", "29", "C", "45/00"],
    ]
    table = read_source(folder(tmp_path / "a", {**PATENTSVIEW, "g_cpc_at_issue": at_issue}))
    assert table.frame.loc[1, "cpc"] == "B29C 45/00"
    only = {name: rows for name, rows in PATENTSVIEW.items() if name != "g_ipc_at_issue"}
    table = read_source(folder(tmp_path / "b", only))
    assert "only current CPC symbols" in table.warnings[0]
    assert "only current CPC symbols" in " ".join(ingest([tmp_path / "b"]).warnings)


def test_years_that_were_fetched_are_those_that_are_read(tmp_path: Path) -> None:
    raw = folder(tmp_path / "raw", PATENTSVIEW)
    (raw / "fetch.json").write_text('{"years": [2017]}')
    table = read_source(raw)
    assert table.frame["patent_id"].tolist() == ["USD800000S1"]
    assert "only patents granted in 2017 to 2017" in " ".join(table.warnings)


# --- bad input ------------------------------------------------------------------------------------------------------


def refusal(path: Path) -> str:
    with pytest.raises(CorpusError) as caught:
        read_source(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_line_of_another_length_is_a_fault_with_its_place(tmp_path: Path) -> None:
    raw = folder(tmp_path / "raw", PATENTSVIEW)
    with (raw / "g_patent.tsv").open("a") as handle:
        handle.write('"1"\t"2"\n')
    with (raw / "g_inventor_disambiguated.tsv").open("a") as handle:
        handle.write('"1"\t"2"\t"3"\t"4"\t"5"\n')
    faults = read_source(raw).faults
    found = faults[faults["reason"].str.contains("fields")][["kind", "reason"]].to_numpy().tolist()
    assert sorted(kind for kind, _ in found) == ["row", "value"]
    assert "of g_patent.tsv has 2 fields where the header has 8" in str(found)


@pytest.mark.parametrize(("source", "base"), [(PATENTSVIEW, "g_patent"), (PATSTAT, "tls211_part01")])
def test_lines_that_cannot_be_read_take_no_other_rows_place(tmp_path: Path, source: Tables, base: str) -> None:
    raw = folder(tmp_path / "raw", source)
    path = raw / f"{base}.tsv"
    header, rest = path.read_text().split("\n", 1)
    path.write_text(f'{header}\n"1"\n{rest}"2"\n')
    (raw / "another_part.tsv").write_text(f'{header}\n"3"\n"4"\n')
    table = read_source(raw)
    lost = table.faults[table.faults["kind"] == "row"]
    places = sorted([*table.frame.index, *lost["row"]])
    assert places == list(range(1, len(source[base]) - 1 + 4 + 1))
    assert lost["reason"].str.contains("has 1 fields").sum() == 4


def test_nul_bytes_and_bytes_of_another_encoding_are_mended_and_told(tmp_path: Path) -> None:
    raw = folder(tmp_path / "raw", PATENTSVIEW)
    data = (raw / "g_patent.tsv").read_bytes().replace(b"Lamp", b"L\0\xfcmp")
    (raw / "g_patent.tsv").write_bytes(data)
    table = read_source(raw)
    assert table.frame.loc[2, "title"] == "Lümp"
    assert "were read as Windows-1252" in " ".join(table.warnings)


def test_an_endless_line_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "BLOCK", 1 << 16)
    raw = folder(tmp_path / "raw", PATENTSVIEW)
    with (raw / "g_patent.tsv").open("a") as handle:
        handle.write('"' + "x" * 1_000_000)
    assert "has a line longer than" in refusal(raw)


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    raw = folder(tmp_path / "raw", PATENTSVIEW)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("g_patent.tsv", (raw / "g_patent.tsv").read_bytes())
    (raw / "g_patent.tsv").write_bytes(archive.getvalue()[:-30])
    assert "damaged" in refusal(raw)


@pytest.mark.parametrize("name", ["g_patent", "nothing"])
def test_a_folder_without_patents_is_refused(tmp_path: Path, name: str) -> None:
    source = {key: rows for key, rows in PATENTSVIEW.items() if key != "g_patent"} if name == "g_patent" else {}
    assert "without PatentsView's g_patent" in refusal(folder(tmp_path / "raw", source))


def test_what_is_too_much_for_memory_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.corpus.readers.shards.LARGEST_TABLE", 100)
    assert "leave out years or tables" in refusal(folder(tmp_path / "raw", PATENTSVIEW))
