"""Mapping files: the user's own columns, read as told, refused in one line; and the proposals that make them."""

from pathlib import Path

import pytest
from corpus.readers.samples import as_csv, as_xlsx
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.corpus.readers import read_source
from pipeline.corpus.readers.propose import propose, write_proposal
from pipeline.errors import ConfigError, CorpusError

MAPPING = """
columns:
  patent_id: Pub. No
  date: Published
  ipc: [IPC main, IPC]
  assignees: Firms
separator: "|"
separators:
  assignees: " / "
date_format: "%m/%d/%Y"
date_kind: grant
"""
HEADER = ["Pub. No", "Published", "IPC", "IPC main", "Firms", "Colour"]
ROWS = [
    ["US 7,155,747", "03/04/2010", "F25B 41/20|G06F 3/00", "", "Sato / Smith & Co.", "red"],
    ["US7155748", "soon", "F25B", "H01L", "", "blue"],
]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("content", [as_csv(HEADER, ROWS, ";"), as_xlsx([["Report"], HEADER, *ROWS])])
def test_a_mapping_file_names_the_columns(tmp_path: Path, content: bytes) -> None:
    table = read_source(write(tmp_path / "a", content), mapping=write(tmp_path / "map.yaml", MAPPING))
    assert (table.format, table.ignored) == ("mapping", ("Colour",))
    assert table.frame[["patent_id", "date", "ipc", "assignees", "date_kind", "office"]].to_numpy().tolist() == [
        ["US7155747", "2010-03-04", "F25B 41/20;G06F 3/00", "Sato;Smith & Co.", "grant", "US"],
        ["US7155748", "soon", "H01L", "", "grant", "US"],  # ingest says that it is no day
    ]


def test_a_file_without_a_named_column_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "a", as_csv(HEADER[:4], [row[:4] for row in ROWS]))
    with pytest.raises(
        CorpusError, match=r"lacks columns that .*map.yaml names, 'firms'; found 'Pub. No', 'Published'"
    ):
        read_source(file, mapping=write(tmp_path / "map.yaml", MAPPING))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("columns: {patent_id: a, date: b}", "columns must name ipc or cpc"),
        ("columns: {date: b, ipc: c}", "columns must name patent_id"),
        ("columns: {patent_id: a, date: b, ipc: c, color: d}", r"columns.color.*: Input should be 'patent_id'"),
        ("columns: {patent_id: a, date: b, ipc: c}\ndelimiter: x", "delimiter: Extra inputs are not permitted"),
        ("columns: {patent_id: a, date: b, ipc: c}\nseparator: ''", "separator: String should have at least 1"),
        ("- a\n- b", "the file: Input should be a valid dictionary"),
        ("a: [", "cannot be read"),
        ("!!python/object/apply:os.system ['true']", "cannot be read"),
    ],
)
def test_a_wrong_mapping_file_is_refused_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read_source(write(tmp_path / "a", as_csv(HEADER, ROWS)), mapping=write(tmp_path / "map.yaml", text))
    assert "\n" not in str(caught.value)


def test_a_mapping_and_a_format_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="exclude each other"):
        read_source(write(tmp_path / "a", as_csv(HEADER, ROWS)), "lens", write(tmp_path / "map.yaml", MAPPING))


# --- proposals ------------------------------------------------------------------------------------------------------

# header and a row ({n} is replaced by a number) in five languages; the fields expected; ipc separated so
LANGUAGES = {
    "English": (
        "No.,Patent Number,Issue Date,Invention,Company,Inventors,IPC codes,Times cited,Filed",
        "{n},US715574{n}B2,2010-01-0{n},Heat pump,Toshiba,Sato A,F25B 41/20 | G06F 3/00,99,2008-01-03",
        {"patent_id", "date", "title", "assignees", "inventors", "ipc", "app_date"},
    ),
    "Chinese": (
        "序号,公开（公告）号,公开（公告）日,名称,专利权人,发明人,国际分类号,被引用次数,申请日",
        "{n},CN10101234{n}A,2010.01.0{n},热泵,东芝公司,王伟,F25B41/20;G06F3/00,99,2008.01.03",
        {"patent_id", "date", "title", "assignees", "inventors", "ipc", "app_date"},
    ),
    "Japanese": (
        "公報番号,公開日,発明の名称,要約,出願人,発明者,国際特許分類,被引用数,出願日",
        "JP2010-12345{n},2010/1/{n},ヒートポンプ,空気調和機に関する制御の方法,東芝,山田太郎,"
        "F25B 41/20|G06F 3/00,99,2008/1/3",
        {"patent_id", "date", "title", "abstract", "assignees", "inventors", "ipc", "app_date"},
    ),
    "Korean": (
        "번호,공개번호,공개일자,발명의명칭,출원인,발명자,IPC코드,출원일자",
        "{n},KR102010001234{n},2010.01.0{n},열펌프,삼성전자주식회사,홍길동,F25B 41/20; G06F 3/00,2008.01.03",
        {"patent_id", "date", "title", "assignees", "inventors", "ipc", "app_date"},
    ),
    "German": (
        "Veröffentlichungsnummer;Veröffentlichungstag;Titel;Anmelder;Erfinder;IPC-Klassen;Anmeldetag;Anzahl Zitate",
        "DE10201000{n}123A1;0{n}.02.2010;Wärmepumpe;Müller GmbH;Maier, Hans;F25B 41/20, G06F 3/00;03.01.2008;99",
        {"patent_id", "date", "title", "assignees", "inventors", "ipc", "app_date"},
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mapping_is_proposed_in_five_languages_and_can_be_used(tmp_path: Path, language: str) -> None:
    header, row, fields = LANGUAGES[language]
    text = "\n".join([header, *(row.replace("{n}", str(number)) for number in range(1, 9))])
    file = write(tmp_path / "a", text)
    proposal = propose(file)
    assert {guess.field for guess in proposal.guesses} == fields
    assert all(0.4 <= guess.sure <= 1 and guess.why for guess in proposal.guesses)
    write_proposal(proposal, tmp_path / "map.yaml")
    table = read_source(file, mapping=tmp_path / "map.yaml")
    first = table.frame.iloc[0]
    assert first["ipc"].replace(" ", "") == "F25B41/20;G06F3/00"
    assert first["app_date"] == "2008-01-03"
    assert first["date"].startswith("2010-0")
    assert not (table.frame == "99").any(axis=None)


def test_contents_tell_where_names_do_not(tmp_path: Path) -> None:
    rows = [
        [f"US{7155740 + number}B2", f"2010-01-0{number}", "F25B 41/20", "Y02B 30/70; F25B2313/0233"]
        for number in range(1, 9)
    ]
    proposal = propose(write(tmp_path / "a", as_csv(["a", "b", "c", "d"], rows)))
    assert {guess.field: guess.column for guess in proposal.guesses} == {
        "patent_id": "a",
        "date": "b",
        "ipc": "c",
        "cpc": "d",
    }
    assert all(
        "called otherwise; 100% of 8 values look like it" in guess.why
        for guess in proposal.guesses
        if guess.field != "cpc"
    )


def test_days_that_can_be_read_two_ways_are_told(tmp_path: Path) -> None:
    rows = [[f"US{number}155747", f"0{number}/03/2010", "F25B 41/20"] for number in range(4, 9)]
    proposal = propose(write(tmp_path / "a", as_csv(["Patent number", "Date", "IPC"], rows)))
    assert proposal.warnings == ("date: 5 of 5 such as '04/03/2010': set date_format",)


def test_what_is_missing_is_told_and_the_file_says_so(tmp_path: Path) -> None:
    proposal = propose(write(tmp_path / "a", as_csv(["Colour", "# \nSize"], [["red", "1"], ["blue", "2"]])))
    assert [warning.partition(":")[0] for warning in proposal.warnings] == [
        "no column found for patent_id", "no column found for date", "no column found for ipc or cpc",
    ]  # fmt: skip
    write_proposal(proposal, tmp_path / "map.yaml")
    with pytest.raises(ConfigError, match=r"mapping .*map.yaml"):
        read_source(tmp_path / "a", mapping=tmp_path / "map.yaml")


def test_the_command_writes_a_mapping_that_ingest_takes(tmp_path: Path) -> None:
    file = write(
        tmp_path / "a.csv", as_csv(["Patent number", "Grant date", "IPC"], [["US7155747", "2010-01-05", "F25B 41/20"]])
    )
    run = CliRunner().invoke(app, ["propose-mapping", str(file), "--out", str(tmp_path / "map.yaml")])
    assert run.exit_code == 0, run.output
    assert "patent_id    = 'Patent number': 100% sure, called so; 100% of 1 values look like it" in run.output
    run = CliRunner().invoke(
        app, ["ingest", str(file), "--mapping", str(tmp_path / "map.yaml"), "--out", str(tmp_path / "corpus")]
    )
    assert run.exit_code == 0, run.output
    assert "read 1 = kept 1" in run.output
