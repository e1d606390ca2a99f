"""The digest: what it says is what the tables say; everything from patents is text; it fits laptop and phone."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from report.browser import browser
from watch.case import AFTER, BEFORE, TASK, B, C, D, F, G, H, corpus, forecast

from pipeline import schemas
from pipeline.artifacts import write_table
from pipeline.watch.digest import Digest, write_digest
from pipeline.watch.drift import drift
from pipeline.watch.meetings import meetings
from pipeline.watch.pair_changes import pair_changes
from pipeline.watch.track_record import all_records, track_record

EVIL = "<script>alert(1)</script> | [x](http://evil.example) & Söhne \u202egpj"


def record(firm: str | None) -> dict[str, Any]:
    return {
        "techconverge": "0",
        "firm": {"name": firm, "party_id": "x"} if firm else None,
        "corpus": {"path": "corpus", "simulated": True},
        "config": {"task": TASK.model_dump(mode="json")},
        "warnings": [EVIL],
    }


def made(folder: Path, title: str = "A thing", party: str = "Someone", first: bool = False) -> Digest:
    """The digest of the small case; with ``first`` that of a first run."""
    run = folder / "runs" / f"{AFTER:%Y-%m-%d}"
    run.mkdir(parents=True)
    codes = pd.DataFrame({"code": [B, C, D, F, G, H], "title": title})
    write_table(run / "codes.parquet", codes)
    grown = corpus(title, party)
    known, past = meetings(grown, TASK), [forecast(0, firm=True), forecast(1, firm=True)]
    changes = pair_changes(past[1], forecast(2, firm=True), past, known, TASK)
    tables = {
        "changes": schemas.empty(schemas.Changes) if first else changes,
        "track_record": all_records(
            [] if first else [track_record(one, known, TASK) for one in past], schemas.empty(schemas.TrackRecord)
        ),
        "drift": drift(grown, BEFORE, TASK.scheme, TASK.level),
    }
    since = None if first else BEFORE
    return Digest(run, record(party), since, AFTER, forecast(2, firm=True), grown, tables, [f"a note with {EVIL}"])


def words_of(page: Path) -> str:
    text = re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8").partition("</style>")[2])
    return " ".join(text.replace("\u00a0", " ").split())


def test_the_page_says_what_changed(tmp_path: Path) -> None:
    said = write_digest(made(tmp_path), tmp_path)
    assert said == (
        "Someone, 2011-07-31: 2 realised (2 of them foreseen among the first 100), 1 new, 2 risen, 2 fallen, 4 expired"
    )
    text = words_of(tmp_path / "digest.html")
    for expected in (
        "What changed for Someone from 31 May 2011 to 31 July 2011",
        "A01B × A01C A01 Agriculture",
        "5 July 2011 A thing P1 USP1 · Someone A thing P2 USP2 · Someone 31 May 2011 , place 3, 20 %",
        "20 June 2011 A thing P3 USP3 · Someone A thing P4 USP4 · Someone 30 June 2010 , place 7, 9.0 %",
        "no longer among the first 100",
        "came into the first 100",
        "had it at the head has ended (forecast of 30 June 2010 , place 2, 25 %)",
        "patents added since show that its codes had met before",
        "2010-06-30 100 % 2 67 %",  # of its first, those up to place 20
        "2011-05-31 17 % 1 14 %",
        "Calibration over the 1 forecast whose horizon is over",
        "3.0 % to 10 % 2 0.1 1",
        "10 % to 30 % 2 0.5 1",
    ):
        assert expected.replace("A01 Agriculture", "").strip() in text, expected


def test_the_text_is_short_and_says_the_same(tmp_path: Path) -> None:
    write_digest(made(tmp_path), tmp_path)
    text = (tmp_path / "digest.md").read_text(encoding="utf-8").replace("\u00a0", " ")
    assert len(text) < 3000
    assert "# What changed for Someone, 31 May 2011 to 31 July 2011" in text
    assert "## Realised: 2, of them 2 foreseen among the first 100" in text
    assert "met on 5 July 2011 by USP2, A thing P2; forecast of 31 May 2011, place 3, 20 %" in text
    assert "place 150 to 60, 2.0 %" in text


def test_a_first_run_compares_with_nothing(tmp_path: Path) -> None:
    said = write_digest(made(tmp_path, first=True), tmp_path)
    assert said == "Someone, 2011-07-31: the first run of the watch"
    assert "A watch begins for Someone on 31 July 2011" in words_of(tmp_path / "digest.html")
    text = (tmp_path / "digest.md").read_text(encoding="utf-8")
    assert "- 1. A01C × A01F" in text and "Realised" not in text


def test_what_came_from_patents_is_text_and_nothing_is_loaded(tmp_path: Path) -> None:
    write_digest(made(tmp_path, EVIL, EVIL), tmp_path)
    page, text = ((tmp_path / name).read_text(encoding="utf-8") for name in ("digest.html", "digest.md"))
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "\u202e" not in page + text
    assert not re.search(r"(?:src|href)=[\"'](?!#|data:)", page)
    assert "default-src 'none'" in page
    assert not re.search(r"(?<!\\)(<script|\]\(http)", text)


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    digest = made(tmp_path)
    write_digest(digest, tmp_path)
    first = [(tmp_path / name).read_bytes() for name in ("digest.html", "digest.md")]
    write_digest(dataclasses.replace(digest), tmp_path)
    assert [(tmp_path / name).read_bytes() for name in ("digest.html", "digest.md")] == first


@pytest.mark.slow
def test_nothing_is_wider_than_the_screen_and_nothing_runs(tmp_path: Path) -> None:
    write_digest(made(tmp_path, EVIL + "Averyveryverylongunbrokentitle" * 4, EVIL), tmp_path)
    with browser(tmp_path / "profile") as tab:
        for width in (390, 1280):
            tab.open(tmp_path / "digest.html", width, 844)
            tab.run("document.querySelectorAll('details').forEach(part => part.open = true)")
            assert tab.run("document.documentElement.scrollWidth") <= width
            assert tab.run("document.querySelectorAll('script').length") == 0
            if width == 390:  # a change is a block of lines there, each as wide as the page
                cells = "[...document.querySelectorAll('.changes td:not(:empty)')].map(cell => cell.clientWidth)"
                assert min(tab.run(cells)) > 300
        urls = [e["params"]["request"]["url"] for e in tab.events if e["method"] == "Network.requestWillBeSent"]
        assert {url for url in urls if not url.startswith("data:")} == {(tmp_path / "digest.html").as_uri()}
