"""The page and the text of a corpus: whole, escaped, self-contained, and readable on a phone."""

import io
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from factories import ingested_from
from report.browser import browser
from rich.console import Console

from pipeline.corpus.describe import Description, describe
from pipeline.corpus.store import save_corpus
from pipeline.report.corpus_page import account_rows, write_corpus_page, year_columns
from pipeline.report.corpus_text import print_description

EVIL = '<script>alert("x")</script> & Söhne \u202egpj'
ROWS = [
    {
        "patent_id": f"US{year}{n:03d}",
        "date": f"{year}-0{1 + n % 9}-11",
        "ipc": "F25B 41/20;G06F 3/00" if n % 2 else "H01L 21/02",
        "title": "The cooling of a device",
        "assignees": EVIL if n % 3 else "東芝株式会社",
        "office": "US" if n % 4 else "EP",
    }
    for year in range(2005, 2012)
    for n in range(year - 2003)
] + [{"patent_id": "US9", "date": "soon", "ipc": "F25B"}, {"patent_id": "US8", "date": "2010-01-01", "ipc": EVIL}]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Description, dict[str, Any]]:
    ingested = ingested_from(ROWS)
    manifest = save_corpus(ingested, tmp_path_factory.mktemp("corpus") / "corpus")
    return describe(ingested.corpus, manifest, ingested.quarantine), manifest


@pytest.fixture(scope="module")
def page(corpus: tuple[Description, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "corpus.html"
    write_corpus_page(*corpus, EVIL, path)
    return path


def test_what_the_source_says_is_text_and_nothing_is_loaded(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "\u202e" not in text
    assert not re.search(r"(?:src|href)=[\"'](?!#|data:)", text)
    assert "default-src 'none'" in text


def test_the_numbers_of_the_description_stand_on_the_page(
    corpus: tuple[Description, dict[str, Any]], page: Path
) -> None:
    description, manifest = corpus
    text = " ".join(re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8").partition("</style>")[2]).split())
    assert f"Rows read {description.account['read']}" in text
    for label, number in account_rows(description.account):
        assert f"{label[0].upper()}{label[1:]} {number}" in text
    assert manifest["content_hash"] in text
    assert "The largest assignees" in text
    assert "東芝" in text
    assert "2011 ends on" in text


def test_the_same_corpus_gives_the_same_bytes(
    corpus: tuple[Description, dict[str, Any]], page: Path, tmp_path: Path
) -> None:
    write_corpus_page(*corpus, EVIL, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_laptop_and_phone_and_draws_every_year(page: Path, width: int, tmp_path: Path) -> None:
    with browser(tmp_path / "profile") as tab:
        tab.open(page, width, 900)
        assert tab.run("document.documentElement.scrollWidth <= window.innerWidth")
        assert tab.run("document.querySelectorAll('.chart .plot > i').length") == 14
        assert tab.run("Array.from(document.querySelectorAll('.chart .plot > i')).every(i => i.clientHeight > 0)")
        assert not [event for event in tab.events if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")]


def test_the_text_tells_the_same(corpus: tuple[Description, dict[str, Any]]) -> None:
    out = io.StringIO()
    print_description(corpus[0], Console(file=out, width=120, highlight=False))
    text = out.getvalue()
    assert "\u202e" not in text
    for part in (
        "rows read",
        "= kept as patents",
        "F25B",
        "東芝株式会社",
        "no valid IPC or CPC symbol",
        "note: last year",
    ):
        assert part in text


def test_columns_reach_the_top_of_their_axis_and_never_over_it() -> None:
    years = pd.DataFrame({"year": [2010, 2011, 2012], "patents": [0, 7, 93], "codes": [float("nan"), 1.0, 2.5]})
    chart = year_columns(years)
    assert [row["height"] for row in chart["columns"]] == [0, 7, 93]
    assert [row["codes_height"] for row in chart["columns"]] == [
        None,
        pytest.approx(33.33, abs=0.1),
        pytest.approx(83.3, abs=0.1),
    ]
    assert chart["ticks"] == [(0, "0"), (25, "25"), (50, "50"), (75, "75"), (100, "100")]
    assert [row["label"] for row in chart["columns"]] == [2010, 2011, 2012]
