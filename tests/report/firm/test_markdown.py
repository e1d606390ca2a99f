"""The Markdown, rendered by another library."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from report.firm_fixtures import write_firm_run
from report.test_render import HOSTILE, Reading

from pipeline.artifacts import read_table
from pipeline.report import words
from pipeline.report.firm.markdown import markdown_text
from pipeline.report.firm.render import render_firm_report

RENDERER = MarkdownIt("commonmark").enable("table")


def markdown_of(folder) -> str:
    (path,) = render_firm_report(folder, formats=["md"])
    return path.read_text(encoding="utf-8")


def test_the_report_has_its_parts_and_its_tables(tmp_path):
    folder = write_firm_run(tmp_path / "run", judged=True)
    reading = Reading(RENDERER.render(markdown_of(folder)))
    text = reading.text.replace("\u00a0", " ")
    first = read_table(folder / "topic_opportunities.parquet").iloc[0]
    for part in (
        "What NORTHWIND THERMAL could combine by 2015",
        f"1: {first['firm_label']} × {first['target_label']}",
        "How far to trust it",
        "; 4 of 5 names were given by local:scripted.",
        "; words: heat pumps, cooling, storage)",
        "What to do next",
        "Technical compatibility 4.2 0.4 5 1",
        "US7000001B2 : A coolant loop shared by both.",
        "strategy.pdf, page 4: A coolant loop",
        "Feasibility (undecided)",
        "NORTHWIND THERMAL (the firm) 2 0 0.9 %",
        "Note: topics: fewer than 8 of their patents",
        "Inventor overlap firm and pair",
    ):
        assert part in text, part
    cards = len([1 for tag, _ in reading.elements if tag == "h3"]) - 1
    assert cards >= 20 and len(reading.all("table")) == cards + 5 + 2  # 5 judged, competitors, definitions
    links = [link["href"] for link in reading.all("a")]
    assert links and all(link.startswith("https://patents.google.com/patent/US") for link in links)


def test_hostile_text_stays_text(tmp_path):
    hostile = HOSTILE + " [x](javascript:alert(1)) `a` | b ![i](http://evil.example/i.png) # - 1. "
    page = RENDERER.render(markdown_of(write_firm_run(tmp_path / "run", judged=True, title=hostile, pairs=3)))
    reading = Reading(page)
    assert not reading.all("script") and not reading.all("img") and not reading.all("code")
    assert all(link["href"].startswith("https://patents.google.com/") for link in reading.all("a"))
    assert "<script>alert('x')</script>" in reading.text and "[x](javascript:alert(1)) `a` | b" in reading.text


@pytest.mark.parametrize(
    "text", ["1. x", "12) x", "- x", "+ x", "= x", "# x", "> x", "| x", "&amp;", "www.evil.example"]
)
def test_what_would_begin_a_block_is_a_word(text):
    assert RENDERER.render(f"- {markdown_text(text)}").count("<li>") == 1
    assert Reading(RENDERER.render(markdown_text(text))).text == text
    assert "<a" not in RENDERER.render(markdown_text(text))


def test_a_number_is_left_as_it_is():
    assert markdown_text("0.868") == "0.868"


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Co", "Cn"))))
def test_any_text_comes_out_as_it_went_in(text):
    reading = Reading(RENDERER.render("a " + markdown_text(text)))
    shown = " ".join(words.clean(text).replace(words.SPACE, " ").split())
    assert reading.text == f"a {shown}".strip()
    assert {tag for tag, _ in reading.elements} == {"p"}
