"""What is taken elsewhere can be read there, says the same as the run, and does nothing of its own."""

import csv
import io
import json
import re
import shutil
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from cases import names
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from python_calamine import CalamineWorkbook
from report.firm_fixtures import write_firm_run
from report.fixtures import write_run

from pipeline.errors import ArtifactError, ConfigError
from pipeline.export import tables
from pipeline.export.network import FORECASTS, convergence_network, gexf, graphml, vosviewer
from pipeline.export.run import FORMATS, RECORD, export_run
from pipeline.export.tables import write_xlsx
from pipeline.report.drawings import drawing_of_pair, drawings
from pipeline.report.tables import load_run

HOSTILE = "=cmd|'/c calc'!A1 <script>alert(1)</script>\t\x07\ufffe;\"&\u202e,"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("export") / "run")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("export") / "hostile", title=HOSTILE)


@pytest.fixture(scope="module")
def exported(run: Path) -> Path:
    out = run.parent / "out"
    export_run(run, out)
    return out


def sheet(path: Path, place: int = 0) -> list[list[object]]:
    """The cells of one sheet, the header first."""
    rows: list[list[object]] = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(place).to_python()
    return rows


def network(run: Path) -> nx.Graph:
    loaded = load_run(run)
    return convergence_network(loaded.codes, loaded.links, pd.read_parquet(run / "opportunities.parquet"), 7)


def test_every_table_of_the_run_comes_in_every_format_with_every_row(run: Path, exported: Path) -> None:
    stored = {path.stem: len(pd.read_parquet(path)) for path in run.glob("*.parquet")}
    record = json.loads((exported / RECORD).read_text())
    assert stored.items() <= record["rows"].items()
    assert set(record["rows"]) - set(stored) == {"metrics", "reliability"}
    for name, rows in record["rows"].items():
        assert len(pd.read_parquet(exported / "parquet" / f"{name}.parquet")) == rows
        assert len(pd.read_csv(exported / "csv" / f"{name}.csv")) == rows
        assert len(sheet(exported / "xlsx" / f"{name}.xlsx")) == rows + 1
    for name in stored:
        copy, original = exported / "parquet" / f"{name}.parquet", run / f"{name}.parquet"
        assert copy.read_bytes() == original.read_bytes()


def test_tables_of_a_firms_opportunities_lie_in_a_folder_of_theirs(tmp_path: Path) -> None:
    firm = write_firm_run(tmp_path / "run")
    rows = export_run(tmp_path / "run", tmp_path / "out", ["csv", "xlsx", "parquet"])["rows"]
    name = f"{firm.name}/topics"
    copy = tmp_path / "out" / "parquet" / f"{name}.parquet"
    assert copy.read_bytes() == (firm / "topics.parquet").read_bytes()
    assert len(sheet(tmp_path / "out" / "xlsx" / f"{name}.xlsx")) == rows[name] + 1
    assert len(pd.read_csv(tmp_path / "out" / "csv" / f"{name}.csv")) == rows[name]
    export_run(tmp_path / "run", tmp_path / "out", ["csv"])  # and is replaced like the rest


def test_csv_opens_in_excel_as_unicode(exported: Path) -> None:
    content = (exported / "csv" / "codes.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in content


def test_the_same_run_gives_the_same_bytes(run: Path, exported: Path, tmp_path: Path) -> None:
    again = export_run(run, tmp_path / "again")
    assert again == json.loads((exported / RECORD).read_text())


def test_only_what_was_asked_for_is_written(run: Path, tmp_path: Path) -> None:
    export_run(run, tmp_path / "out", ["gexf", "csv"])
    assert names(tmp_path / "out") == ["csv", RECORD, "network"]
    assert names(tmp_path / "out" / "network") == ["convergence.gexf"]
    with pytest.raises(ConfigError, match="no format doc: choose from csv"):
        export_run(run, tmp_path / "other", ["csv", "doc"])
    assert not (tmp_path / "other").exists()


def test_an_export_replaces_an_earlier_one_and_nothing_else(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_run(run, out, ["csv"])
    export_run(run, out, ["svg"])
    assert names(out) == [RECORD, "figures"]
    (out / "figures" / "mine.txt").write_text("notes")
    with pytest.raises(ArtifactError, match=r"figures/mine\.txt"):
        export_run(run, out, ["csv"])
    for place in (run, run.parent):
        with pytest.raises(ArtifactError):
            export_run(run, place, ["csv"])
    assert (run / "run.json").exists()
    with pytest.raises(ArtifactError, match="is not a run"):
        export_run(tmp_path, tmp_path / "x", ["csv"])


def test_a_workbook_keeps_types_and_freezes_its_header(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "id": ["0012", "D668832", "6.0E3"],
            "day": pd.to_datetime(["2012-12-31", None, "2001-02-03"]),
            "count": pd.array([1, None, 3], dtype="Int32"),
            "share": [0.25, np.nan, np.inf],
            "held": [True, False, True],
            "label": pd.array([0, None, 1], dtype="Int8"),
        }
    )
    assert write_xlsx(table, tmp_path / "t.xlsx", "t") == 0
    head, *rows = sheet(tmp_path / "t.xlsx")
    assert head == list(table)
    assert [row[0] for row in rows] == ["0012", "D668832", "6.0E3"]
    assert [str(row[1])[:10] for row in rows] == ["2012-12-31", "", "2001-02-03"]
    assert [row[2] for row in rows] == [1, "", 3]
    assert [row[3] for row in rows] == [0.25, "", "inf"]
    assert [row[4] for row in rows] == [True, False, True]
    assert [row[5] for row in rows] == [0, "", 1]
    shutil.unpack_archive(tmp_path / "t.xlsx", tmp_path / "unpacked", "zip")
    inside = (tmp_path / "unpacked" / "xl" / "worksheets" / "sheet1.xml").read_text()
    assert '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>' in inside


def test_formulas_are_texts_in_a_workbook_and_stay_so_when_edited(tmp_path: Path) -> None:
    risky = ["=1+1", "+SUM(A1)", "-2", "@x", " =1", "＝1", "\t=1", "http://a.b", "plain"]
    write_xlsx(pd.DataFrame({"=head": risky}), tmp_path / "t.xlsx", "t")
    assert [row[0] for row in sheet(tmp_path / "t.xlsx")] == ["=head", *risky]
    shutil.unpack_archive(tmp_path / "t.xlsx", tmp_path / "unpacked", "zip")
    inside = (tmp_path / "unpacked" / "xl" / "worksheets" / "sheet1.xml").read_text()
    assert "<f>" not in inside
    assert "hyperlink" not in inside
    marked = re.findall(r'<c r="A(\d+)" s="(\d+)"', inside)
    assert [int(row) - 2 for row, _ in marked if row != "1"] == [i for i, text in enumerate(risky[:7])]
    assert 'quotePrefix="1"' in (tmp_path / "unpacked" / "xl" / "styles.xml").read_text()


def test_more_rows_than_a_sheet_holds_go_on_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "SHEET_ROWS", 4)
    write_xlsx(pd.DataFrame({"n": range(10)}), tmp_path / "t.xlsx", "t" * 40)
    read = [sheet(tmp_path / "t.xlsx", place) for place in range(3)]
    assert [row[0] for rows in read for row in rows[1:]] == list(range(10))
    assert [rows[0] for rows in read] == [["n"]] * 3


def test_a_text_that_is_too_long_is_cut_and_told(run: Path, tmp_path: Path) -> None:
    long = write_run(tmp_path / "long", title="x" * 40_000)
    record = export_run(long, tmp_path / "out", ["xlsx", "csv"])
    assert "examples.xlsx: 160 texts are longer than a cell holds and were cut" in record["notes"]
    titles = [str(row[5]) for row in sheet(tmp_path / "out" / "xlsx" / "examples.xlsx")[1:]]
    assert {len(title) for title in titles} == {32_767}
    assert all(title.endswith("in the Parquet file]") for title in titles)
    assert pd.read_csv(tmp_path / "out" / "csv" / "examples.csv")["title"].str.len().eq(40_000).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_any_text_comes_back_from_a_workbook(texts: list[str]) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        write_xlsx(pd.DataFrame({"text": ["start", *texts]}, dtype="str"), Path(folder) / "t.xlsx", "t")
        cells = [str(row[0]) for row in sheet(Path(folder) / "t.xlsx")[1:]]
    assert len(cells) == 1 + len(texts) or not texts[-1].strip()
    for wrote, read in zip(texts, cells[1:], strict=False):
        assert visible(read) == visible(wrote)


def visible(text: str) -> str:
    """What of a text XML carries: no control characters, and line ends are one."""
    return re.sub(r"_x[0-9A-Fa-f]{4}_|[\x00-\x1f\x7f\ufffe\uffff]", "", text).strip()


def test_networkx_reads_the_network_back_as_it_was(run: Path) -> None:
    graph = network(run)
    for text, read in ((graphml(graph), nx.read_graphml), (gexf(graph), lambda f: nx.read_gexf(f))):
        again = read(io.BytesIO(text.encode()))
        assert dict(again.nodes).keys() == dict(graph.nodes).keys()
        for code, about in graph.nodes(data=True):
            assert {name: again.nodes[code][name] for name in about} == about
        assert {frozenset(edge) for edge in again.edges} == {frozenset(edge) for edge in graph.edges}
        for a, b, about in graph.edges(data=True):
            assert {name: again.edges[a, b][name] for name in about} == about


def test_the_network_holds_links_and_forecasts_with_what_is_known(run: Path) -> None:
    graph, loaded = network(run), load_run(run)
    codes = loaded.codes.set_index("code")
    for code in codes.index:
        assert graph.nodes[code]["patents"] == codes.loc[code, "patents"]
        assert graph.nodes[code]["title"] == codes.loc[code, "title"]
    kinds = pd.Series(nx.get_edge_attributes(graph, "kind")).value_counts()
    firm = pd.read_parquet(run / "opportunities.parquet").sort_values("firm_rank").head(FORECASTS)
    assert kinds["existing"] == len(loaded.links)
    assert kinds["forecast"] == len(firm)
    first = firm.iloc[0]
    edge = graph.edges[first["code_a"], first["code_b"]]
    assert edge["probability"] == edge["weight"] == first["probability"]
    assert (edge["firm_rank"], edge["firm_type"]) == (1, first["type"])


def test_a_forecast_of_an_existing_link_keeps_both() -> None:
    links = pd.DataFrame({"code_a": ["A01B"], "code_b": ["B01D"], "joint": [4]})
    ranked = links.assign(rank=1, probability=0.5)
    graph = convergence_network(pd.DataFrame({"code": []}), links, ranked, 1)
    assert dict(graph.edges["A01B", "B01D"]) == {
        "kind": "strengthening", "joint": 4, "weight": 4.0, "probability": 0.5, "rank": 1
    }  # fmt: skip
    assert graph.nodes["A01B"]["title"]  # of the shipped table: no candidate, so no count of patents
    assert "patents" not in graph.nodes["A01B"]


def test_communities_are_of_existing_links_only_and_the_same_each_time() -> None:
    cliques = [("A01B", "A01C"), ("A01C", "A01D"), ("A01B", "A01D"), ("F25B", "F25D")]
    links = pd.DataFrame(cliques, columns=["code_a", "code_b"]).assign(joint=9)
    ranked = pd.DataFrame({"code_a": ["A01B"], "code_b": ["F25B"], "rank": [1], "probability": [0.9]})
    graphs = [convergence_network(pd.DataFrame({"code": ["H01M"]}), links, ranked, 3) for _ in "ab"]
    found = [nx.get_node_attributes(graph, "community") for graph in graphs]
    assert found[0] == found[1] == {"A01B": 1, "A01C": 1, "A01D": 1, "F25B": 2, "F25D": 2, "H01M": 3}


def test_vosviewer_files_are_its_documented_tables(run: Path) -> None:
    graph = network(run)
    files = vosviewer(graph)
    head, *rows = list(csv.reader(io.StringIO(files["vosviewer_map.txt"]), delimiter="\t"))
    assert head == ["id", "label", "description", "cluster", "weight<Patents>", "weight<Links>", "score<Firm patents>"]
    label = {row[0]: row[1] for row in rows}
    assert list(label) == [str(i) for i in range(1, len(graph) + 1)]
    assert set(label.values()) == set(graph)
    assert all(1 <= int(row[3]) <= 1000 and float(row[4]) >= 0 for row in rows)
    for name, attribute in (("existing", "joint"), ("forecast", "probability")):
        lines = [line.split("\t") for line in files[f"vosviewer_{name}.txt"].splitlines()]
        read = {frozenset((label[a], label[b])): float(strength) for a, b, strength in lines}
        told = {frozenset((a, b)): value for a, b, value in graph.edges(data=attribute) if value is not None}
        assert read.keys() == told.keys()
        assert all(read[pair] == pytest.approx(value, rel=1e-5) for pair, value in told.items())


def test_hostile_texts_stay_texts(hostile: Path, tmp_path: Path) -> None:
    export_run(hostile, tmp_path / "out")
    graph = nx.read_graphml(tmp_path / "out" / "network" / "convergence.graphml")
    assert nx.read_gexf(tmp_path / "out" / "network" / "convergence.gexf").nodes == graph.nodes
    shown = graph.nodes["F25B"]["title"]
    assert "<script>" in shown  # as text: the XML was read back
    assert not re.search("[\x07\u202e\ufffe]", shown)
    rows = (tmp_path / "out" / "network" / "vosviewer_map.txt").read_text().splitlines()
    assert len(rows) == 1 + len(graph)
    assert {row.count("\t") for row in rows} == {6}
    assert "<script>" not in "".join(rows)
    for path in (tmp_path / "out" / "figures").glob("*.svg"):
        assert not etree.parse(path).findall(".//{*}script")
        assert "<script" not in path.read_text()
    for path in (tmp_path / "out" / "csv").glob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as handle:
            cells = [cell for row in csv.reader(handle) for cell in row]
        assert not [cell for cell in cells if re.match(r"\s*[=@]", cell)]


def test_every_figure_is_an_svg_document_with_its_data(run: Path, exported: Path) -> None:
    found = drawings(load_run(run))
    assert [drawing.name for drawing in found[:3]] == ["map", "baselines", "calibration"]
    assert len(found) == 3 + 20
    for drawing in found:
        root = etree.fromstring(drawing.svg.encode())
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.get("viewBox")
        assert drawing.data
        assert all(len(table) for table in drawing.data.values())
        assert (exported / "figures" / f"{drawing.name}.svg").read_text() == drawing.svg
    dots = etree.fromstring(found[1].svg.encode()).findall(".//{*}circle")
    assert len(dots) == len(found[1].data[""])
    lines = found[0].data["lines"]
    assert len(etree.fromstring(found[0].svg.encode()).findall(".//{*}line")) == len(lines)
    assert (lines["kind"] == "existing").eq(lines["joint"].notna()).all()


def test_a_figure_without_numbers_is_left_out(tmp_path: Path) -> None:
    bare = write_run(tmp_path / "bare", tested=False, firm=None)
    (bare / "explanations.parquet").unlink()
    record = export_run(bare, tmp_path / "out", ["svg", "csv"])
    assert [name for name in record["files"] if name.endswith(".svg")] == ["figures/map.svg"]
    assert "metrics" not in record["rows"]


def test_codes_of_a_stranger_lead_out_of_no_folder(run: Path) -> None:
    loaded = load_run(run)
    loaded.ranked.loc[0, "code_a"] = "../../../etc/passwd"
    assert {re.fullmatch(r"[A-Za-z0-9_-]+", drawing.name) is not None for drawing in drawings(loaded)} == {True}


def test_the_figures_of_one_pair(run: Path) -> None:
    loaded = load_run(run)
    a, b = loaded.ranked.loc[3, ["code_a", "code_b"]]
    assert [drawing.name for drawing in drawing_of_pair(loaded, a, b)] == [f"evidence_004_{a}_{b}"]
    assert drawing_of_pair(loaded, a, "X99Z") == []


def test_the_command_writes_every_format_unless_some_are_named(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pipeline.cli import main
    from pipeline.cli.runs import export

    assert export.__defaults__ == (",".join(FORMATS),)
    for formats, code in (("gexf, graphml", 0), ("gexf,doc", 2)):
        monkeypatch.setattr(
            sys, "argv", ["techconverge", "export", str(run), "--format", formats, "--out", str(tmp_path / "out")]
        )
        with pytest.raises(SystemExit) as left:
            main()
        assert (left.value.code or 0) == code
    said = capsys.readouterr()
    assert said.out.startswith("note: network: the strongest ")
    assert said.out.endswith("out: 2 files\n")
    assert said.err.splitlines()[-1].startswith("error: no format doc: choose from csv")
    assert names(tmp_path / "out" / "network") == ["convergence.gexf", "convergence.graphml"]
