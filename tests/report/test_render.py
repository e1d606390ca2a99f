"""The report: what it says, that it is safe, and that it stands alone."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from report.fixtures import write_run

from pipeline.artifacts import read_json, read_table, write_json, write_table
from pipeline.report.render import render_report

HOSTILE = (
    "</title></style><script>alert('x')</script><img src=https://evil.example/i onerror=alert(1)> "
    "\"' \u202egnp.exe {{ 7*7 }} ]]> --> <!--"
)
VOID = {"meta", "link", "input", "img", "br", "hr"}


class Reading(HTMLParser):
    """Elements with attributes, the visible text, and a check that every tag closes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(folder) -> str:
    return render_report(folder).read_text(encoding="utf-8")


def reading_of(folder) -> Reading:
    reading = Reading(page_of(folder))
    assert reading.open == []
    return reading


def test_a_forecast_says_what_was_asked_found_tested_and_limited(tmp_path):
    text = reading_of(write_run(tmp_path / "run")).text
    for part in (
        "Where NORTHWIND THERMAL could combine technologies by 2015",
        "as of 31 December 2012",
        "What was asked",
        "The opportunities ranked first",
        "The map",
        "How good such forecasts were",
        "average precision of .163, against .148 for the best baseline (LightGBM, all features) and .041 by chance",
        "The data behind it",
        "Documents read 24,291",
        "The account adds up",
        "no claims in the corpus",
        "Limits",
        "Method in short",
        "Reproducibility",
        "9f2c9f2c",
        "share 14 neighbouring classes (top 1 % of pairs)",
        "What each kind of evidence adds",
        "Network +1.94",
        "Bibliometric −0.22",
        "changes by −2.16 on average, without as many drawn at random by −0.50",
        "the named matter more in 97 % of the 20 pairs explained; without the kind of evidence that adds most",
        "it changes by −2.37, without another by −0.80.",
        "62 % of its weight",
    ):
        assert part in text, part


def test_new_codes_are_marked_and_those_left_out_counted(tmp_path):
    folder = write_run(tmp_path / "run")
    assert not re.search(r"new code\b", reading_of(folder).text, re.IGNORECASE)
    record = read_json(folder / "run.json")
    record["candidates"][-1]["not_in_force"] = 2
    write_json(folder / "run.json", record)
    table = read_table(folder / "predictions.parquet")
    first = read_table(folder / "opportunities.parquet").iloc[0]
    chosen = (table["code_a"] == first["code_a"]) & (table["code_b"] == first["code_b"])
    write_table(folder / "predictions.parquet", table.assign(entered=chosen))
    text = reading_of(folder).text
    assert "3 patents by then; 2 such codes are left out, having come into force only later." in text
    assert len(re.findall(r"new code\b", text)) == 2  # on the card and in the table
    assert "New code: one of the two came into force after 31 December 2009." in text.replace("\u00a0", " ")


def test_twenty_opportunities_in_full_and_two_hundred_in_the_table(tmp_path):
    folder = write_run(tmp_path / "run")
    reading = reading_of(folder)
    cards = [attributes for attributes in reading.all("details") if attributes.get("class", "").startswith("card")]
    assert len(cards) == 20
    rows = [attributes for attributes in reading.all("tr") if "data-type" in attributes]
    assert [row["data-type"] for row in rows] == read_table(folder / "opportunities.parquet")["type"].head(200).tolist()


def test_without_a_firm_the_ranking_is_firm_blind_and_types_are_absent(tmp_path):
    text = reading_of(write_run(tmp_path / "run", firm=None)).text
    assert "Which technologies will meet by 2015" in text
    assert "Type II" not in text and "Nearness" not in text and "holds" not in text


def test_a_backtest_shows_every_date_the_intervals_and_what_became_of_the_first_pairs(tmp_path):
    folder = write_run(tmp_path / "run", command="backtest", firm=None)
    text = reading_of(folder).text
    assert "Backtest" in text and "How good the forecasts were" in text
    for date in ("31 December 2010", "31 December 2011", "31 December 2012"):
        assert f"Models compared as of {date}" in text
    assert "Models compared, mean over the test dates" in text and ".134 to .196" in text
    table = read_table(folder / "predictions.parquet")
    first = table[(table["cutoff"] == table["cutoff"].max()) & (table["rank"] <= 20)]
    assert f"Of the 20 pairs it put first, {first['label'].sum()} met" in text
    assert "✓ met" in text and "✗ did not meet" in text


def test_the_limits_tell_what_an_interval_is_and_how_often_it_held(tmp_path):
    text = reading_of(write_run(tmp_path / "run", command="backtest", firm=None)).text
    assert "in the test it held for 27 of 30 groups of pairs" in text
    assert "shown without an interval" not in text


def test_a_forecast_that_could_not_be_tested_says_so_first_and_why(tmp_path):
    text = reading_of(write_run(tmp_path / "run", tested=False)).text
    assert "this forecast could not be tested on the past" in text
    assert "Nothing could be tested." in text
    assert "the first origin would need patents before 1999-12-31" in text
    assert "average precision of" not in text


def test_a_model_behind_or_barely_ahead_of_a_baseline_is_not_praised(tmp_path):
    folder = write_run(tmp_path / "run")
    assert "within the margin of error" not in reading_of(folder).text
    metrics = read_json(folder / "metrics.json")
    for row in metrics["metrics"]:
        row["ahead_low"] = None if row["ahead_low"] is None else -0.01
    write_json(folder / "metrics.json", metrics)
    assert "within the margin of error" in reading_of(folder).text
    for row in metrics["metrics"]:
        row["value"] *= 0.5 if row["model"] == "model" else 1
    write_json(folder / "metrics.json", metrics)
    assert "It was not ahead of that baseline." in reading_of(folder).text


def test_reasons_that_fail_the_deletion_check_are_not_to_be_relied_on(tmp_path):
    folder = write_run(tmp_path / "run")
    assert "not to be relied on" not in reading_of(folder).text
    record = read_json(folder / "run.json")
    for part, warning in (
        ("features", "The reasons named are not to be relied on."),
        ("modalities", "What each kind of evidence is said to add is not to be relied on."),
    ):
        record["explanation_check"][part]["holds"] = False
        write_json(folder / "run.json", record)
        assert warning in reading_of(folder).text


def test_the_published_recipe_gives_no_reasons_and_says_so(tmp_path):
    folder = write_run(tmp_path / "run")
    record = read_json(folder / "run.json")
    record["config"]["recipe"], record["explanation_check"] = "reference", None
    write_json(folder / "run.json", record)
    write_table(folder / "explanations.parquet", read_table(folder / "explanations.parquet").head(0))
    text = reading_of(folder).text
    assert "No reasons are given pair by pair" in text
    assert "What raises it" not in text and "Reasons were checked" not in text


def test_without_a_fusion_net_there_is_no_attention_beside(tmp_path):
    folder = write_run(tmp_path / "run")
    assert "Attention" in reading_of(folder).text
    table = read_table(folder / "explanations.parquet")
    write_table(folder / "explanations.parquet", table[table["kind"] != "attention"].reset_index(drop=True))
    text = reading_of(folder).text
    assert "Network +1.94" in text and "Attention" not in text


def test_simulated_data_are_named_at_the_top_and_on_every_printed_page(tmp_path):
    page = page_of(write_run(tmp_path / "run", simulated=True))
    assert page.count('class="simulated"') == 1 and "Simulated data." in Reading(page).text
    assert "@top-center" in page and 'class="watermark"' in page
    real = page_of(write_run(tmp_path / "real"))
    assert "imulated data" not in real and 'class="watermark"' not in real


def test_an_account_that_does_not_add_up_is_said(tmp_path):
    folder = write_run(tmp_path / "run")
    record = read_json(folder / "run.json")
    record["corpus"]["account"]["read"] += 1
    write_json(folder / "run.json", record)
    assert "does not add up" in reading_of(folder).text


@pytest.mark.parametrize("command", ["forecast", "backtest"])
def test_optional_files_may_be_missing(tmp_path, command):
    folder = write_run(tmp_path / "run", command=command, firm=None)
    for name in ("links", "explanations", "examples", "codes"):
        (folder / f"{name}.parquet").unlink()
    (folder / "metrics.json").unlink()
    assert "Nothing could be tested." in reading_of(folder).text


def test_a_card_says_what_the_firm_has_in_each_code(tmp_path):
    folder = write_run(tmp_path / "run")
    table = read_table(folder / "opportunities.parquet")
    known = table.index == 0
    changed = table.assign(
        holds_a=True, share_a=0.02, recency_a=0.4, holds_b=False, inventor_overlap=np.where(known, 0.1, np.nan)
    )
    write_table(folder / "opportunities.parquet", changed)
    text = reading_of(folder).text.replace("\u00a0", " ")
    first = table.iloc[0]
    assert f"{first['code_a']} 2.0 % 5 months ago {first['code_b']} none –" in text
    assert text.count("10 % have patents in both") == 1  # where it is not known, nothing is said
    assert "What the firm has" not in reading_of(write_run(tmp_path / "blind", firm=None)).text


def test_missing_values_are_dashes_not_nan(tmp_path):
    folder = write_run(tmp_path / "run", interval=False)
    write_table(folder / "codes.parquet", read_table(folder / "codes.parquet").iloc[5:].reset_index(drop=True))
    assert not re.search(r"\b(nan|NaN|None|<NA>|NaT)\b", page_of(folder))


def test_hostile_text_stays_text(tmp_path):
    folder = write_run(tmp_path / "run", title=HOSTILE, simulated=True)
    record = read_json(folder / "run.json")
    record["warnings"] = [HOSTILE]
    record["corpus"]["sources"][0]["name"] = HOSTILE
    record["versions"] = {HOSTILE: HOSTILE}
    write_json(folder / "run.json", record)
    for name in ("predictions", "opportunities", "links"):  # a code is checked when it is read, and still not trusted
        table = read_table(folder / f"{name}.parquet")
        changed = table.assign(code_b=table["code_b"] + "\"'><script>alert(2)</script>")
        write_table(folder / f"{name}.parquet", changed)
    page = page_of(folder)
    reading = Reading(page)
    assert reading.open == []
    assert len(reading.all("script")) == 1 and len(reading.all("style")) == 1 and not reading.all("img")
    assert not [name for _, attributes in reading.elements for name in attributes if name.startswith("on")]
    assert "<script>alert('x')</script>" in reading.text
    assert "{{ 7*7 }}" in reading.text
    assert "\u202e" not in page


def test_the_file_stands_alone(tmp_path):
    page = page_of(write_run(tmp_path / "run", simulated=True))
    reading = Reading(page)
    loads = [
        attributes[name]
        for _, attributes in reading.elements
        for name in ("src", "href", "srcset", "data", "action")
        if name in attributes
    ]
    assert loads and all(target.startswith(("#", "data:,")) for target in loads)
    assert not re.search(r"https?://|url\(|@import|@font-face|fetch\(|XMLHttpRequest", page)
    (policy,) = [meta["content"] for meta in reading.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "sha256-" in policy


def test_links_within_lead_somewhere_and_tables_have_captions(tmp_path):
    page = page_of(write_run(tmp_path / "run"))
    reading = Reading(page)
    ids = {attributes["id"] for _, attributes in reading.elements if "id" in attributes}
    assert {link["href"].removeprefix("#") for link in reading.all("a")} <= ids
    assert len(reading.all("caption")) == len(reading.all("table"))
    assert all(figure.get("aria-label") for figure in reading.all("svg"))


@pytest.mark.parametrize("command", ["forecast", "backtest"])
def test_the_same_folder_gives_the_same_bytes(tmp_path, command):
    folder = write_run(tmp_path / "run", command=command)
    assert render_report(folder) == folder / "report.html"
    first = (folder / "report.html").read_bytes()
    render_report(folder)
    assert (folder / "report.html").read_bytes() == first


def test_an_outcome_already_known_to_a_forecast_is_shown(tmp_path):
    folder = write_run(tmp_path / "run")
    predictions = read_table(folder / "predictions.parquet")
    label = pd.Series((predictions["rank"] % 2).astype("Int8"))
    write_table(folder / "predictions.parquet", predictions.assign(label=label))
    assert "✓ met" in reading_of(folder).text
