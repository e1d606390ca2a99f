"""The firm's page: what it says, that it is safe, and that it stands alone."""

import re

import numpy as np
import pandas as pd
import pytest
from report.firm_fixtures import FIRM, write_firm_run
from report.fixtures import write_run
from report.test_render import HOSTILE, Reading

from pipeline.artifacts import read_json, read_table, write_json, write_table
from pipeline.errors import ArtifactError, ConfigError
from pipeline.report.firm.content import firm_codes
from pipeline.report.firm.definitions import DEFINITIONS
from pipeline.report.firm.render import render_firm_report
from pipeline.report.firm.tables import find_firm_folder, firm_folder, load_firm_run


def page_of(folder) -> str:
    (path,) = render_firm_report(folder, formats=["html"])
    return path.read_text(encoding="utf-8")


def text_of(folder) -> str:
    reading = Reading(page_of(folder))
    assert reading.open == []
    return reading.text.replace("\u00a0", " ")


def test_the_first_page_says_what_to_do_why_and_how_far_to_trust_it(tmp_path):
    folder = write_firm_run(tmp_path / "run")
    table = read_table(folder / "topic_opportunities.parquet")
    text = text_of(folder)
    for part in (
        f"What {FIRM} could combine by 2015",
        "6 pairs of IPC subclasses that had never met on one patent suit the firm best.",
        "Taken apart into topics they give 24 opportunities.",
        f"The first joins {table['firm_label'][0]} , on the firm’s side, with {table['target_label'][0]} ;",
        "Why now",
        "First step",
        "average precision .163); the best baseline (LightGBM, all features)",
        "The lead is beyond the margin of error.",
        "No model judged them. Every number is computed from patents",
        "in 3 notes",
    ):
        assert part in text, part


def test_the_three_in_short_are_the_best_of_different_pairs_and_each_has_a_card(tmp_path):
    folder = write_firm_run(tmp_path / "run")
    table = read_table(folder / "topic_opportunities.parquet")
    first = table.drop_duplicates(["code_a", "code_b"]).head(3)
    reading = Reading(page_of(folder))
    ranks = [link["href"] for link in reading.all("a") if re.fullmatch(r"#o\d+", link["href"]) and "class" not in link]
    assert ranks == [f"#o{rank}" for rank in first["topic_rank"]]
    cards = {card["id"] for card in reading.all("details") if "id" in card}
    assert set(ranks) <= {f"#{card}" for card in cards}
    assert len(cards) >= 20


def test_every_number_has_its_unit_and_definition_and_none_is_without_one(tmp_path):
    folder = write_firm_run(tmp_path / "run")
    text = text_of(folder)
    for given in DEFINITIONS.values():
        assert f"{given.name} {given.of} {given.unit} {given.meaning}" in text
    shown = {"topic_rank", "opportunity_id", "code_a", "code_b", "firm_code", "target_code", "type"}
    topics = {"topic_id", "side", "code", "label", "terms", "patents", "firm_patents", "representatives"}
    names = set(read_table(folder / "topic_opportunities.parquet")) | set(read_table(folder / "topics.parquet"))
    labels = {"firm_topic", "target_topic", "firm_label", "target_label"}
    assert names - shown - topics - labels - {"novelty", "growth", "influence", "versatility"} <= set(DEFINITIONS)


def test_a_judge_is_shown_with_spread_evidence_and_what_it_could_not_settle(tmp_path):
    text = text_of(write_firm_run(tmp_path / "run", judged=True))
    for part in (
        "Scored by a language model, local:scripted , on 3 criteria, on passages of patents and of",
        "in 75 calls and 95,200 tokens.",
        ".580 of 1 (Krippendorff’s alpha; below .667 they are too scattered to rely on )",
        "Technical compatibility 4.2 ± 0.4 answer 1 on technical_compatibility [1]",  # 4 is nearest to 4.2
        "Feasibility 3.0 undecided",
        "The judge could not settle on: Feasibility.",
        "Judged weak on: Competitive risk (5 is the lowest risk), 1.4 of 5.",
        "Competitive risk (5 is the lowest risk) 1.4",
        "A coolant loop shared by both. US7000001B2",
        "strategy.pdf , page 4",
        "Rubric default-1",
    ):
        assert part in text, part
    assert "No model judged" not in text


def test_names_given_by_a_model_stand_with_the_words_they_rest_on_and_say_whose_they_are(tmp_path):
    folder = write_firm_run(tmp_path / "run", judged=True)
    text = text_of(folder)
    assert "4 of 5 names were given by local:scripted ; the words that each rests on stand beside it." in text
    assert "They keep a store cold." in text
    assert "Named and described by local:scripted ; the words it rests on: heat pumps cooling storage" in text
    named = read_table(folder / "topic_names.parquet").iloc[4]
    assert f"{named['label']} {named['topic_id'].split(':')[1]} Named" not in text  # its words stayed
    assert "Named and described by" not in text_of(write_firm_run(tmp_path / "unnamed"))


def test_the_firm_s_patents_and_the_intervals_are_its_own_though_the_run_was_made_for_none(tmp_path):
    folder = write_firm_run(tmp_path / "run")
    codes = read_table(folder.parent / "codes.parquet").assign(firm_patents=0)
    write_table(folder.parent / "codes.parquet", codes)
    view = read_table(folder / "opportunities.parquet")
    opportunity = read_table(folder / "topic_opportunities.parquet").iloc[0]
    code = opportunity["firm_code"]
    named = {side: view[f"code_{side}"] == code for side in "ab"}
    write_table(
        folder / "opportunities.parquet",
        view.assign(**{f"share_{side}": view[f"share_{side}"].mask(named[side], 0.5) for side in "ab"}),
    )
    patents = codes.set_index("code")["patents"][code]
    assert f"{code} {round(patents / 2):,} " in text_of(folder)
    run = load_firm_run(folder)
    assert firm_codes(run).set_index("code")["firm_patents"][code] == round(patents / 2)
    assert run.run.bounds.shape[0] == run.run.candidates


def test_notes_of_every_stage_are_listed(tmp_path):
    folder = write_firm_run(tmp_path / "run", judged=True)
    write_json(folder / "judge.json", read_json(folder / "judge.json") | {"notes": ["judge: the budget ended"]})
    text = text_of(folder)
    assert "so all of them stand for F25B" in text and "the budget ended" in text
    assert "no claims in the corpus" in text  # a warning of the forecast


def test_without_patents_and_competitors_the_report_says_what_it_lacks(tmp_path):
    folder = write_firm_run(tmp_path / "run")
    for name in ("topic_patents", "competitors"):
        (folder / f"{name}.parquet").unlink()
    text = text_of(folder)
    assert "no topic_patents.parquet, so patents are listed by number alone" in text
    assert "no competitors.parquet, so competitors are not shown" in text
    assert "(no title)" in text and "Who holds the patents" not in text


def test_the_firm_is_among_the_holders_wherever_it_stands_and_the_rest_is_counted(tmp_path):
    text = text_of(write_firm_run(tmp_path / "run"))
    assert "ACME COOLING 40 10 18 % HOLDER 0 30 7 14 %" in text
    assert f"{FIRM} place 11 2 0 0.9 % 4 other holders 42 9" in text


def test_links_lead_to_publication_numbers_and_to_none_of_an_invented_patent(tmp_path):
    links = {link["href"] for link in Reading(page_of(write_firm_run(tmp_path / "real"))).all("a")}
    outside = {link for link in links if not link.startswith("#")}
    assert outside and all(re.fullmatch(r"https://patents\.google\.com/patent/US\d{7}B2", link) for link in outside)
    page = page_of(write_firm_run(tmp_path / "simulated", simulated=True, judged=True))
    assert not re.search("https?://", page) and "Simulated data." in Reading(page).text


@pytest.mark.parametrize("judged", [False, True])
def test_nothing_is_loaded_and_links_within_lead_somewhere(tmp_path, judged):
    page = page_of(write_firm_run(tmp_path / "run", judged=judged))
    reading = Reading(page)
    assert not re.search(r"url\(|@import|@font-face|fetch\(|XMLHttpRequest|<link[^>]+http", page)
    assert not reading.all("img") and len(reading.all("script")) == 1
    (policy,) = [meta["content"] for meta in reading.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "sha256-" in policy
    ids = [attributes["id"] for _, attributes in reading.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"][1:] for link in reading.all("a") if link["href"].startswith("#")} <= set(ids)
    assert len(reading.all("caption")) == len(reading.all("table"))
    assert all(figure.get("aria-label") for figure in reading.all("svg"))


def test_hostile_text_stays_text(tmp_path):
    folder = write_firm_run(tmp_path / "run", judged=True, title=HOSTILE)
    write_json(folder / "topics.json", read_json(folder / "topics.json") | {"notes": [HOSTILE], "domain": HOSTILE})
    page = page_of(folder)
    reading = Reading(page)
    assert reading.open == []
    assert len(reading.all("script")) == 1 and len(reading.all("style")) == 1 and not reading.all("img")
    assert not [name for _, attributes in reading.elements for name in attributes if name.startswith("on")]
    assert "<script>alert('x')</script>" in reading.text and "{{ 7*7 }}" in reading.text
    assert "\u202e" not in page


def test_missing_values_are_dashes_not_nan(tmp_path):
    folder = write_firm_run(tmp_path / "run", judged=True)
    table = read_table(folder / "topic_opportunities.parquet").assign(white_space=np.nan, partners="")
    write_table(folder / "topic_opportunities.parquet", table)
    topics = read_table(folder / "topics.parquet").assign(
        growth_patents=np.nan, growth_inventors=np.nan, family_size=np.nan, influence=np.nan, terms=""
    )
    write_table(folder / "topics.parquet", topics)
    judged = read_table(folder / "judged.parquet").assign(mean=np.nan, spread=np.nan, evidence_ids="")
    write_table(folder / "judged.parquet", judged)
    assert not re.search(r"\b(nan|NaN|None|<NA>|NaT)\b", page_of(folder))


def test_the_same_folder_gives_the_same_bytes_in_every_format(tmp_path):
    folder = write_firm_run(tmp_path / "run", judged=True)
    first = [path.read_bytes() for path in render_firm_report(folder)]
    assert [path.read_bytes() for path in render_firm_report(folder)] == first


def test_what_is_asked_wrongly_is_one_clear_line(tmp_path):
    folder = write_firm_run(tmp_path / "run")
    with pytest.raises(ConfigError, match="no format 'pdf': choose among html, xlsx, md"):
        render_firm_report(folder, formats=["pdf"])
    run = folder.parent
    assert find_firm_folder(run, "Northwind Thermal Inc.") == folder  # the same without its legal form
    assert find_firm_folder(run, None) == folder
    with pytest.raises(ArtifactError, match='no topic opportunities of "ACME", but of NORTHWIND THERMAL: make them'):
        find_firm_folder(run, "ACME")
    with pytest.raises(ArtifactError, match="has no topic opportunities: make them with `techconverge opportunities"):
        find_firm_folder(write_run(tmp_path / "pairs"), None)
    other = firm_folder(run, "ACME")
    write_json(other / "topics.json", {"firm": {"name": "ACME"}})
    with pytest.raises(ArtifactError, match="of several firms, name one by --firm: ACME; NORTHWIND THERMAL"):
        find_firm_folder(run, None)


def test_tables_that_do_not_belong_together_are_refused(tmp_path):
    folder = write_firm_run(tmp_path / "run")
    topics = read_table(folder / "topics.parquet")
    write_table(folder / "topics.parquet", topics.iloc[1:].reset_index(drop=True))
    with pytest.raises(ArtifactError, match="which an opportunity is made of"):
        render_firm_report(folder)
    write_table(folder / "topics.parquet", topics)
    write_table(folder / "judged.parquet", pd.DataFrame({"opportunity_id": ["x"]}))
    with pytest.raises(ArtifactError, match=r"judged\.parquet"):
        render_firm_report(folder)
