"""The list of addresses, which files a request means, and the commands."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from fetch.server import Reply, Request, honest, serving
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import FetchError
from pipeline.fetch.sources import load_sources, parse_years, wanted_files


def test_the_shipped_list_names_what_ingest_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USPTO_API_KEY", "k")
    sources = load_sources()
    urls = [file.url for file in wanted_files(sources["patentsview"], ["g_patent", "g_claims"], (2005, 2006))]
    base = "https://api.uspto.gov/api/v1/datasets/products/files"
    assert urls == [
        f"{base}/PVGPATDIS/g_patent.tsv.zip",
        f"{base}/PVGPATTXT/g_claims_2005.tsv.zip",
        f"{base}/PVGPATTXT/g_claims_2006.tsv.zip",
    ]
    assert [file.name for file in wanted_files(sources["ipc"], [])] == [
        f"EN_ipc_title_list_{sources['ipc'].edition}.zip",
        f"{sources['ipc'].edition}_inventory_of_IPC_ever_used_symbols.csv",
    ]


def test_another_base_is_asked_without_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USPTO_API_KEY", "k")
    patentsview = load_sources()["patentsview"]
    assert wanted_files(patentsview, ["g_patent"])[0].headers == {"X-API-KEY": "k"}
    mirror = wanted_files(patentsview, ["g_patent"], base_url="http://mirror/x/")[0]
    assert (mirror.url, mirror.headers) == ("http://mirror/x/PVGPATDIS/g_patent.tsv.zip", {})


@pytest.mark.parametrize(
    ("names", "years", "message"),
    [
        (["g_patents"], (), "no table g_patents: known are g_patent, "),
        (["g_claims"], (), "--years"),
        (["g_patent"], (), "USPTO_API_KEY"),
    ],
)
def test_what_is_wrong_with_a_request_is_said(
    monkeypatch: pytest.MonkeyPatch, names: list[str], years: tuple[int, ...], message: str
) -> None:
    monkeypatch.delenv("USPTO_API_KEY", raising=False)
    if message == "--years":
        monkeypatch.setenv("USPTO_API_KEY", "k")
    with pytest.raises(FetchError, match=message):
        wanted_files(load_sources()["patentsview"], names, years)


@pytest.mark.parametrize(
    "text",
    [
        "- a\n",
        "x: 1\n",
        "x: [\n",
        "x: {base_url: 'ftp://x', files: {a: b}, default: []}\n",
        "x: {base_url: 'http://x', files: {a: b}, default: [], colour: red}\n",
    ],
)
def test_a_list_that_is_none_is_one_clear_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(FetchError) as caught:
        load_sources(tmp_path / "s.yaml")
    assert "\n" not in str(caught.value)
    assert "s.yaml" in str(caught.value)


def test_a_name_is_never_a_path(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("x: {base_url: 'http://x', files: {a: 'b/..'}, default: [a]}\n")
    with pytest.raises(FetchError, match="plain file name"):
        wanted_files(load_sources(tmp_path / "s.yaml")["x"], [])


def test_years() -> None:
    assert parse_years("2005-2007, 2010") == (2005, 2006, 2007, 2010)
    for wrong in ("", "05", "2007-2005", "2005-", "a"):
        with pytest.raises(FetchError):
            parse_years(wrong)


def zipped(name: str, text: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(name, text)
    return archive.getvalue()


def test_what_was_fetched_is_ingested(tmp_path: Path) -> None:
    tables = {
        "g_patent": "patent_id\tpatent_date\tpatent_title\twipo_kind\n7\t2004-01-06\tOld\tB2\n8\t2005-01-04\tNew\tB2\n",
        "g_ipc_at_issue": "patent_id\tipc_sequence\tsection\tipc_class\tsubclass\tmain_group\tsubgroup\n"
        "8\t0\tF\t25\tB\t41\t20\n8\t1\tG\t06\tF\t3\t00\n7\t0\tA\t01\tB\t1\t00\n",
    }

    def behave(request: Request, _: int) -> Reply:
        name = request.path.rsplit("/", 1)[1].removesuffix(".tsv.zip")
        return honest(zipped(f"{name}.tsv", tables[name]), request) if name in tables else Reply(404)

    raw, corpus = tmp_path / "raw", tmp_path / "corpus"
    with serving(behave) as server:
        arguments = ["fetch", "patentsview", "--tables", ",".join(tables), "--years", "2005-2024", "--out", str(raw)]
        result = CliRunner().invoke(app, [*arguments, "--base-url", server.url], catch_exceptions=False)
    assert result.exit_code == 0
    assert "g_patent.tsv.zip: fetched" in result.output
    assert json.loads((raw / "fetch.json").read_text())["years"][0] == 2005
    result = CliRunner().invoke(app, ["ingest", str(raw), "--out", str(corpus)], catch_exceptions=False)
    assert "read 1 = kept 1" in result.output


def test_the_command_line_starts_without_the_network() -> None:
    code = "import sys, pipeline.cli; print([m for m in ('httpx', 'pandas', 'yaml') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
