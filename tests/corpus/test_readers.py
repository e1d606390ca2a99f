"""Source files: recognised by their header, read as text, refused in one line."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cases import real_data

from pipeline.corpus.readers import FLAT, read_source
from pipeline.corpus.readers.google_patents import parse_list
from pipeline.errors import CorpusError

CSV = "patent_id,date,ipc,title\nUS-1,20100105,F25B 41/20;G06F 3/00, Pump \n"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_csv_is_read_whatever_its_delimiter_mark_line_ends_and_name(
    tmp_path: Path, delimiter: str, encoding: str, ending: str
) -> None:
    text = delimiter.join(["Patent_ID", "date", '"ipc"', "title"]) + "\n"
    text += delimiter.join(["US-1", "20100105", '"F25B 41/20;G06F 3/00"', '"Pump, ""東芝"";\n2nd line"']) + "\n\n"
    table = read_source(write(tmp_path / "patents.parquet", text.replace("\n", ending), encoding))
    assert (table.format, table.ignored, len(table.faults)) == ("table", (), 0)
    assert tuple(table.frame.columns) == FLAT
    assert {str(dtype) for dtype in table.frame.dtypes} == {"str"}
    row = table.frame.iloc[0]
    assert row[["patent_id", "date", "ipc"]].tolist() == ["US1", "2010-01-05", "F25B 41/20;G06F 3/00"]
    assert row["title"] == f'Pump, "東芝";{ending}2nd line'
    assert (row[["abstract", "cpc", "family_id", "office"]] == "").all()


def test_unknown_columns_are_named_and_left_out(tmp_path: Path) -> None:
    table = read_source(write(tmp_path / "a.csv", "colour,patent_id,date,cpc\nred,US1,2010-01-05,F25B\n"))
    assert table.ignored == ("colour",)
    assert tuple(table.frame.columns) == FLAT


def test_a_line_with_another_number_of_fields_is_a_fault_and_keeps_the_count(tmp_path: Path) -> None:
    table = read_source(
        write(tmp_path / "a.csv", CSV + "US2,2010-01-05\nUS3,2010-01-05,F25B,x,y\nUS4,2010-01-05,F25B,x\n")
    )
    assert table.frame["patent_id"].to_dict() == {1: "US1", 4: "US4"}
    assert table.faults[["row", "kind", "reason"]].to_numpy().tolist() == [
        [2, "row", "has 2 fields where the header has 4"],
        [3, "row", "has 5 fields where the header has 4"],
    ]


def test_claims_longer_than_a_csv_field_usually_is_are_read(tmp_path: Path) -> None:
    claims = "a claim " * 50_000
    table = read_source(write(tmp_path / "a.csv", f"patent_id,date,ipc,claims\nUS1,2010-01-05,F25B,{claims}\n"))
    assert table.frame.loc[1, "claims"] == claims.strip()


def test_a_parquet_of_typed_columns_is_taken_as_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "patent_id": pa.array([7155747, 7155748]),
            "date": pa.array(pd.to_datetime(["2010-01-05", "2011-02-28"])),
            "ipc": pa.array([["F25B 41/20", None, "G06F 3/00"], None]),
            "cpc": pa.array(["F25B", "G06F"]).dictionary_encode(),
            "claims_count": pa.array([12.0, None]),
            "score": pa.array([0.5, 0.5]),
        }
    )
    pq.write_table(table, tmp_path / "a.csv")
    source = read_source(tmp_path / "a.csv")
    assert source.ignored == ("score",)
    assert source.frame[["patent_id", "date", "ipc", "cpc", "claims_count", "title"]].to_numpy().tolist() == [
        ["7155747", "2010-01-05", "F25B 41/20;G06F 3/00", "F25B", "12", ""],
        ["7155748", "2011-02-28", "", "G06F", "", ""],
    ]


# --- what is refused ------------------------------------------------------------------------------------------------


def refusal(path: Path) -> str:
    with pytest.raises(CorpusError) as caught:
        read_source(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_a_file_that_is_not_there_or_not_a_file_or_empty_is_refused(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "none.csv")
    assert "not a file" in refusal(tmp_path)
    assert "is empty" in refusal(write(tmp_path / "a.csv", ""))


@pytest.mark.parametrize(
    ("text", "encoding", "message"),
    [
        ("patent_id,date\nUS1,2010-01-05\n", "utf-8", "date and ipc or cpc"),
        ("ipc,title\nF25B,x\n", "utf-8", "found 'ipc', 'title'"),
        ('"a\nb",c\n', "utf-8", "no known layout"),
        ("\n\n", "utf-8", "no known layout"),
        (CSV.replace("title", "ipc"), "utf-8", "more than one column 'ipc'"),
        (CSV + 'US2,2010-01-05,F25B,"never closed\nUS3,2010-01-05,F25B,x\n', "utf-8", "broken quoting"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused(tmp_path: Path, text: str, encoding: str, message: str) -> None:
    assert message in refusal(write(tmp_path / "a.csv", text, encoding))


@pytest.mark.parametrize("kept", [4, 100, -9])
def test_a_truncated_parquet_is_refused(tmp_path: Path, kept: int) -> None:
    pd.DataFrame({"patent_id": ["US1"] * 99, "date": ["2010-01-05"] * 99, "ipc": ["F25B"] * 99}).to_parquet(
        tmp_path / "a"
    )
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes()[:kept])
    assert "damaged Parquet" in refusal(tmp_path / "a")


def test_a_parquet_column_of_another_kind_is_refused(tmp_path: Path) -> None:
    table = pa.table({"patent_id": ["US1"], "date": ["2010-01-05"], "ipc": pa.array([[["F25B"]]])})
    pq.write_table(table, tmp_path / "a.parquet")
    assert "column ipc" in refusal(tmp_path / "a.parquet")


@pytest.mark.parametrize("name", ["google_patents_csv_2017_autonomous.csv", "google_patents_search_export.csv"])
def test_a_search_page_export_is_refused_since_it_carries_no_symbols(name: str) -> None:
    assert "no IPC or CPC symbols" in refusal(real_data(f"formats/{name}"))


# --- Google Patents -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("['C25B1/00', 'C25B3/00']", "C25B1/00;C25B3/00"),
        ("[]", ""),
        ("", ""),
        ("[\"a\", 'b',]", "a;b"),
        (r"['it\'s']", "it's"),
        ("C25B1/00", "C25B1/00"),
        ("['a'", None),
        ("['a' 'b']", None),
        ("[__import__('os').system('true')]", None),
        ("[" * 100_000, None),
    ],
)
def test_lists_are_parsed_never_evaluated(text: str, joined: str | None) -> None:
    assert parse_list(text) == joined


def test_a_list_that_is_none_is_a_fault_of_that_value_only(tmp_path: Path) -> None:
    text = "publication_number,publication_date,family_id,ipc_code,refs\n"
    text += "US-1-A1,20080724,-1,['F25B41/20'],['US-2-A'\nUS-3-A1,20080724,5,['F25B41/20'],['US-2-A']\n"
    text = text.replace("['US-2-A'\n", "\"['US-2-A'\"\n")
    table = read_source(write(tmp_path / "a.csv", text))
    assert table.format == "google_patents"
    assert table.frame[["patent_id", "cited_ids", "family_id"]].to_numpy().tolist() == [
        ["US1A1", "", ""],  # -1 stands for no family
        ["US3A1", "US2A", "5"],
    ]
    assert table.faults[["row", "patent_id", "kind"]].to_numpy().tolist() == [[1, "US1A1", "value"]]


def test_a_real_bigquery_export_is_read() -> None:
    table = read_source(real_data("formats/google_patents_bigquery_export.csv"))
    first = table.frame.iloc[0]
    assert len(table.frame) == 493
    assert table.ignored == ("", "uspc_code", "embedding_v1", "valid")
    assert first[["patent_id", "date", "office", "family_id"]].tolist() == [
        "US2008173533A1",
        "2008-07-24",
        "US",
        "39640183",
    ]
    assert first["ipc"] == "C25B1/00;C25B3/00"
    assert first["cited_ids"].startswith("US4668494A;US4342738A"[:10])
    assert first["date_kind"] == "publication"
