"""A corpus, a firm and a judge that mean harm: every page made of them, in a real browser, with a tripwire."""

import csv
import datetime
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from report.browser import Page, browser
from report.firm_fixtures import write_firm_run
from report.fixtures import write_run
from report.test_browser import complaints, requests
from runs import FEW_BLOCKS, FIRM, asked, silent_run, stored

from pipeline.corpus.aliases import read_aliases
from pipeline.corpus.describe import describe
from pipeline.corpus.readers import SourceTable
from pipeline.corpus.similar import for_spreadsheets
from pipeline.corpus.store import load_corpus, load_manifest, load_quarantine
from pipeline.export.run import export_run
from pipeline.export.tables import write_xlsx
from pipeline.opportunities.topic_pairs import TopicConfig
from pipeline.opportunities_config import OpportunitiesConfig
from pipeline.report.corpus_page import write_corpus_page
from pipeline.report.firm.render import render_firm_report
from pipeline.report.render import render_report
from pipeline.run_opportunities import OpportunitiesRequest, find_opportunities
from pipeline.spreadsheets import write_csv

HOSTILE = (
    '</script><script>__hit.push(1)</script></style></title></textarea>--><img src=x onerror="__hit.push(2)">'
    "<svg onload=__hit.push(3)><a href=javascript:__hit.push(4)>a</a>\"'><b onmouseover='__hit.push(5)' autofocus "
    "onfocus=__hit.push(6) tabindex=1>b</b>{{7*7}}${7*7}<%= 7*7 %>{% raw %}\u202egpj.exe\u2066&lt;script&gt;"
    "<iframe src=javascript:parent.__hit.push(7)></iframe><meta http-equiv=refresh content='0;url=//evil.example'>"
    "<link rel=stylesheet href=//evil.example/x.css><form action=//evil.example><button>go</button></form>"
)
CLASSES = {"level": "class"}
EVIL_FIRM = f"=cmd|' /C calc'!A0 {HOSTILE}"
# before any script of the page: what runs trips it, and so does a dialog
TRIPWIRE = """
window.__hit = [];
for (const name of ['alert', 'confirm', 'prompt', 'print', 'open']) window[name] = () => __hit.push(name);
"""
# a reader who opens, hovers and focuses everything, and clicks every link but those that we make
READER = """
document.querySelectorAll('details').forEach(part => part.open = true);
for (const part of document.querySelectorAll('body *')) {
  for (const kind of ['mouseover', 'mouseenter', 'focus', 'error', 'load', 'toggle', 'animationend'])
    part.dispatchEvent(new Event(kind));
  const link = part.matches('a') ? part.getAttribute('href') || '#' : '#';
  if (!link.startsWith('#') && !link.startsWith('https://patents.google.com/patent/'))
    part.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
}
"""


@pytest.fixture(scope="module")
def pages(sample_rows: SourceTable, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The report, the firm's report and the page of a hostile corpus; and both reports with a hostile judge."""
    home = tmp_path_factory.mktemp("hostile")
    frame = sample_rows.frame
    rows = SourceTable(
        frame=frame.assign(
            title=frame["title"] + HOSTILE,
            abstract=frame["abstract"] + HOSTILE,
            assignees=frame["assignees"].str.replace(FIRM, EVIL_FIRM.replace(";", ","), regex=False),
            inventors=frame["inventors"] + " " + HOSTILE.replace(";", ","),
            ipc=frame["ipc"].where(frame.index % 50 != 0, HOSTILE.replace(";", ",")),  # quarantined, and shown
        ),
        format=sample_rows.format,
        name=HOSTILE.replace("/", "⁄"),
    )
    corpus = stored(rows, home / "corpus")
    known = load_corpus(corpus)
    firm = next(name for name in known.parties["name"] if name.startswith("=cmd"))
    few = {"members": ["logistic/none"], "training_origins": 1}
    request = asked("forecast", corpus, "2016-12-31", firm=firm, features=FEW_BLOCKS, ensemble=few, task=CLASSES)
    run = silent_run(request, home / "run")
    config = OpportunitiesConfig(topics=TopicConfig(top_pairs=3))
    folder = find_opportunities(OpportunitiesRequest(run=run, firm=firm, config=config), run, lambda message: None)
    description = describe(known, load_manifest(corpus), load_quarantine(corpus))
    write_corpus_page(description, load_manifest(corpus), HOSTILE, home / "corpus.html")
    judged = write_firm_run(home / "judged", judged=True, title=HOSTILE)
    return [
        run / "report.html",
        *render_firm_report(folder, ["html"]),
        home / "corpus.html",
        *render_firm_report(judged, ["html"]),
        render_report(home / "judged"),
    ]


@pytest.mark.slow
def test_nothing_of_a_hostile_corpus_firm_or_judge_runs_on_any_page(pages: list[Path], tmp_path: Path) -> None:
    with browser(tmp_path / "profile") as page:
        page.call("Page.enable")
        page.call("Page.addScriptToEvaluateOnNewDocument", source=TRIPWIRE)
        for path in pages:
            assert HOSTILE[:20] not in path.read_text(encoding="utf-8")
            page.events.clear()
            page.open(path, 1280, 900)
            page.run(READER)
            page.run("new Promise(done => setTimeout(done, 200))")
            assert page.run("__hit") == [], path.name
            assert (
                found(page, "img, iframe, object, embed, form[action], link:not([rel=icon]), meta[http-equiv=refresh]")
                == []
            )
            assert page.run("document.documentElement.outerHTML.match(/[\u202a-\u202e\u2066-\u2069]/)") is None
            assert complaints(page) == [], path.name
            assert requests(page) == {path.as_uri()}
            assert "{{7*7}}${7*7}" in page.run("document.documentElement.textContent"), path.name


def found(page: Page, what: str) -> list[str]:
    """Elements that none of our pages has, and attributes that run."""
    handlers = "[...p.attributes].some(a => /^on/i.test(a.name) || /^\\s*javascript:/i.test(a.value))"
    every = "[...document.querySelectorAll('body *')]"
    return page.run(
        f"[...document.querySelectorAll({what!r}), ...{every}.filter(p => {handlers})].map(p => p.outerHTML)"
    )


def test_the_tripwire_trips(tmp_path: Path) -> None:
    """On a page that escapes nothing, or the test above would say nothing."""
    path = tmp_path / "naive.html"
    path.write_text(f"<!doctype html><body><p>{HOSTILE.partition('<meta')[0]}</p></body>", encoding="utf-8")
    with browser(tmp_path / "profile") as page:
        page.call("Page.enable")
        page.call("Page.addScriptToEvaluateOnNewDocument", source=TRIPWIRE)
        page.open(path, 1280, 900)
        page.run(READER)
        page.run("new Promise(done => setTimeout(done, 200))")
        assert {1, 2, 3, 4, 5} <= set(page.run("__hit"))
        assert len(found(page, "img, iframe")) > 3


FORMULAS = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", " =1", "＝1", "＋1", "－1", "＠x", "=cmd|' /C calc'!A0"]
RUNS = re.compile(r"^\s*[=+\-@＝＋－＠]|^[\t\r\n]")


def cells_of_csv(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        yield from (cell for row in csv.reader(handle) for cell in row)


def no_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("formula", FORMULAS[:1] + FORMULAS[-1:])
def test_no_file_for_spreadsheets_runs_what_a_patent_says(tmp_path: Path, formula: str) -> None:
    """Every CSV and workbook of a run, an export and a firm's report, where every text of a patent is a formula."""
    folder = write_firm_run(tmp_path / "run", judged=True, title=formula, pairs=3)
    write_run(tmp_path / "run", title=formula, firm="=FIRM()")
    render_firm_report(folder, ["xlsx"])
    export_run(tmp_path / "run", tmp_path / "out", ["csv", "xlsx", "svg"])
    tables = [path for path in tmp_path.rglob("*.csv")]
    books = [path for path in tmp_path.rglob("*.xlsx")]
    assert len(tables) > 8 and len(books) > 8
    for path in tables:
        bad = [cell for cell in cells_of_csv(path) if RUNS.match(cell) and no_number(cell)]
        assert bad == [], path.name
    assert any("'" + formula in set(cells_of_csv(path)) for path in tables)
    for path in books:
        assert_no_formula(path)


def assert_no_formula(path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(path) as archive:
        sheets = [archive.read(name).decode() for name in archive.namelist() if "/sheet" in name]
    assert not any("<f>" in sheet or "<f " in sheet or "hyperlink" in sheet.lower() for sheet in sheets), path.name


texts = st.lists(
    st.one_of(st.sampled_from(FORMULAS), st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))),
    min_size=1,
    max_size=4,
)


@settings(max_examples=25, deadline=None)
@given(texts)
def test_no_writer_of_tables_writes_a_formula(tmp_path_factory: pytest.TempPathFactory, given_texts: list[str]) -> None:
    """The writers themselves: of text in any type of column, of headings, of names for review."""
    home = tmp_path_factory.mktemp("cells")
    table = pd.DataFrame(
        {
            "plain": pd.Series(given_texts, dtype="str"),
            "object": pd.Series(given_texts, dtype=object),
            "category": pd.Categorical(given_texts),
            given_texts[0] or "x": 1.0,
            "day": datetime.date(2012, 12, 31),
        }
    )
    write_csv(table, home / "t.csv")
    assert not [cell for cell in cells_of_csv(home / "t.csv") if RUNS.match(cell)]
    write_xlsx(table, home / "t.xlsx", "t")
    assert_no_formula(home / "t.xlsx")
    CalamineWorkbook.from_path(str(home / "t.xlsx"))
    review = for_spreadsheets(pd.DataFrame({"name": given_texts, "group": given_texts}))
    assert not review.map(lambda cell: bool(RUNS.match(cell))).any(axis=None)


def test_names_that_are_formulas_come_back_from_the_review_as_they_were(tmp_path: Path) -> None:
    table = pd.DataFrame({"name": ["=EVIL Ltd", "＝Wide KK"], "group": ["-Minus AG", "Plain GmbH"], "accept": "yes"})
    for_spreadsheets(table).to_csv(tmp_path / "review.csv", index=False)
    plain = tmp_path / "plain.csv"
    table.to_csv(plain, index=False)
    assert read_aliases(tmp_path / "review.csv").keys == read_aliases(plain).keys
