"""Every layout tells of the same two documents; what it lacks is empty, what it must not tell is not read."""

from pathlib import Path

import pandas as pd
import pytest
from corpus.readers.samples import FIRST, SAMPLES, SECOND, as_csv, as_xlsx, as_zip

from pipeline.corpus.ingest import Account, ingest_tables
from pipeline.corpus.readers import FLAT, LAYOUTS, SourceTable, format_names, read_source
from pipeline.errors import ConfigError, CorpusError

LACKS = {
    "Lens CSV of 2017": {"abstract"},
    "Patentscope XLSX of 2016": {"abstract", "app_date"},
}
FAMILIES = {
    "Lens CSV of 2017": ("priorities:US1", ""),
    "Lens CSV of today": ("EP2000002B1", "EP2000002B1"),
    "Lens API, lines": ("000-1", "000-1"),
    "BigQuery Parquet, nested": ("77", ""),
    "PatSnap XLSX, Chinese": ("EP2000002B1", "EP2000002B1"),
    "PatSnap XLSX, English": ("EP2000002B1", "EP2000002B1"),
    "incoPat XLSX": ("EP2000002B1", "EP2000002B1"),
    "Derwent Innovation XLSX": ("EP2000002B1", "EP2000002B1"),
    "Derwent tagged text": ("2010A00001", "2010A00002"),
}


def read(folder: Path, content: bytes, format: str | None = None) -> SourceTable:
    path = folder / "file.dat"  # no name tells what is in it
    path.write_bytes(content)
    return read_source(path, format)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SourceTable]:
    return {name: read(tmp_path_factory.mktemp("sample"), content) for name, (_, content) in SAMPLES.items()}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_layout_tells_of_the_same_documents(tables: dict[str, SourceTable], name: str) -> None:
    table = tables[name]
    assert table.format == SAMPLES[name][0]
    assert tuple(table.frame.columns) == FLAT
    assert {str(dtype) for dtype in table.frame.dtypes} == {"str"}
    assert (len(table.frame), len(table.faults)) == (2, 0)
    first, second = table.frame.iloc[0], table.frame.iloc[1]
    lacking = LACKS.get(name, set())
    assert first[[*FIRST]].to_dict() == {field: "" if field in lacking else text for field, text in FIRST.items()}
    assert second[[*SECOND]].to_dict() == SECOND
    assert (second[["title", "abstract", "assignees", "inventors", "app_date"]] == "").all()


@pytest.mark.parametrize("name", FAMILIES)
def test_families_are_told_where_the_export_has_them(tables: dict[str, SourceTable], name: str) -> None:
    assert tuple(tables[name].frame["family_id"]) == FAMILIES[name]


@pytest.mark.parametrize("name", SAMPLES)
def test_counts_as_of_the_export_day_are_not_read(tables: dict[str, SourceTable], name: str) -> None:
    assert not (tables[name].frame == "99").any(axis=None)


def test_cited_documents_and_literature_are_told_apart(tables: dict[str, SourceTable]) -> None:
    for name in (
        "Lens API, lines",
        "BigQuery JSON lines, nested",
        "BigQuery Parquet, nested",
        "BigQuery CSV, nested as JSON",
    ):
        first = tables[name].frame.iloc[0]
        assert first[["cited_ids", "cited_npl"]].tolist() == ["US7155747B2", "Doe, Pumps (1999)"], name
    assert tables["Lens CSV of 2017"].frame["cited_npl"].tolist() == ["Doe, Pumps (1999);Roe, Heat", ""]
    assert tables["Lens CSV of today"].frame["cited_npl"].tolist() == ["Doe, Pumps", ""]
    derwent = tables["Derwent tagged text"].frame.iloc[0]
    assert derwent[["cited_ids", "cited_npl"]].tolist() == ["US7155747B2", "Doe, J, Pumps, 1999"]


def test_a_derwent_family_is_dated_by_its_earliest_document_and_says_so(tables: dict[str, SourceTable]) -> None:
    assert tables["Derwent tagged text"].frame["date"].iloc[0] == "2010-01-07"
    assert any("symbols of all" in warning for warning in tables["Derwent tagged text"].warnings)


def test_offices_are_codes_whatever_the_export_calls_them(tables: dict[str, SourceTable]) -> None:
    assert {tuple(table.frame["office"]) for name, table in tables.items() if "plain" not in name} == {("US", "EP")}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_makes_a_corpus(tables: dict[str, SourceTable], name: str) -> None:
    account = ingest_tables([tables[name]], families="keep").account
    assert account == Account(read=2, kept=2, merged_families=0, exact_repeats=0, quarantined=0)


# --- naming the format ----------------------------------------------------------------------------------------------


def test_a_format_can_be_named(tmp_path: Path) -> None:
    content = SAMPLES["Lens CSV of today"][1]
    assert read(tmp_path, content, "lens").format == "lens"
    with pytest.raises(CorpusError, match="is not of the format patsnap; found the columns '#', 'Jurisdiction'"):
        read(tmp_path, content, "patsnap")
    with pytest.raises(ConfigError, match="there is no format 'lense': known are derwent_index, derwent_innovation, "):
        read(tmp_path, content, "lense")


def test_names_of_formats_are_unique_and_their_columns_plain() -> None:
    assert len(format_names()) == len(set(format_names()))
    assert {layout.name for layout in LAYOUTS} < set(format_names())
    for layout in LAYOUTS:
        assert all(name == name.strip().lower() for name in layout.used)


# --- what has no use ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("search URL:,https://patents.google.com/?q=pump", "no IPC or CPC symbols"),
        ("id,title,assignee,inventor/author,priority date,publication date,result link", "no IPC or CPC symbols"),
        ("Document Number,Document Type,Publication Date,Title,Primary Class,Other Class", "US classes"),
        ("Jurisdiction,Kind,Lens ID,Publication Date,Priority Numbers,Title", "lacks one of the columns 'ipcr class"),
        ("lens_id,jurisdiction,doc_number,kind,date_published", "lacks one of the columns 'biblio.class"),
    ],
)
def test_exports_without_symbols_are_refused_with_what_to_do(tmp_path: Path, header: str, reason: str) -> None:
    with pytest.raises(CorpusError, match=reason) as caught:
        read(tmp_path, (header + "\n" + ",".join("x" * (header.count(",") + 1)) + "\n").encode())
    assert "\n" not in str(caught.value)


def test_a_column_given_twice_is_refused_where_it_is_used(tmp_path: Path) -> None:
    header = ["patent_id", "date", "ipc", "note", "note"]
    assert read(tmp_path, as_csv(header, [["US1", "2010-01-05", "F25B", "a", "b"]])).rows == 1
    with pytest.raises(CorpusError, match="more than one column 'date'"):
        read(tmp_path, as_csv([*header, "Date "], [["US1", "2010-01-05", "F25B", "a", "b", "c"]]))


def test_the_header_may_stand_below_titles_in_csv_too(tmp_path: Path) -> None:
    text = "Exported on 2020-01-01\n\nQuery: pump; heat\npatent_id,date,ipc\nUS1,2010-01-05,F25B\nUS2,2010\n"
    table = read(tmp_path, text.encode())
    assert table.frame["patent_id"].to_dict() == {1: "US1"}
    assert table.faults["row"].tolist() == [2]


def test_the_first_sheet_with_a_known_header_is_read(tmp_path: Path) -> None:
    rows = [["patent_id", "date", "ipc"], [], ["US1", "2010-01-05", "F25B"], ["", "", ""], ["US2", 20100105, "F25B"]]
    table = read(tmp_path, as_xlsx(rows))
    assert table.frame["patent_id"].to_dict() == {2: "US1", 4: "US2"}  # rows as they stand below the header
    assert table.frame["date"].tolist() == ["2010-01-05", "2010-01-05"]


# --- archives -------------------------------------------------------------------------------------------------------


def test_the_files_of_a_zip_are_read_one_below_the_other(tmp_path: Path) -> None:
    lens, patentscope = SAMPLES["Lens CSV of today"][1], SAMPLES["Patentscope XLSX of 2016"][1]
    broken = b"patent_id,date,ipc\nUS5,2010-01-05,F25B\nUS6\n"
    table = read(
        tmp_path,
        as_zip(
            {"a/lens": lens, "b.csv": broken, "c.xlsx": patentscope, "notes.txt": b"Two exports.", "__MACOSX/._b": b"x"}
        ),
    )
    assert table.format == "lens+table+patentscope"
    assert table.frame["patent_id"].to_dict() == {
        1: "US20100000001A1", 2: "EP2000002B1", 3: "US5", 5: "US20100000001A1", 6: "EP2000002B1",
    }  # fmt: skip
    assert table.faults["row"].tolist() == [4]
    assert "rows 3 to 4 are those of b.csv" in table.warnings
    assert "not read, since of no known layout: 'notes.txt'" in table.warnings
    assert table.rows == 6


def test_a_zip_of_nothing_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no known layout"):
        read(tmp_path, as_zip({"a.txt": b"nothing, here"}))


def test_day_of_knowledge_is_publication_in_every_layout(tables: dict[str, SourceTable]) -> None:
    kinds = pd.Series({name: table.frame["date_kind"].iloc[0] for name, table in tables.items() if "plain" not in name})
    assert set(kinds) == {"publication"}
