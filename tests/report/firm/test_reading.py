"""Sentences, each for its number and only then."""

import pandas as pd
import pytest

from pipeline.report.firm.reading import Case, read
from pipeline.report.words import SPACE

TOPIC = {"patents": 40, "firm_patents": 0, "growth_patents": 0.0, "growth_inventors": 0.0, "maturity": 0.0}
ROW = {
    "firm_code": "F25B",
    "target_code": "B60H",
    "type": "II",
    "probability": 0.4,
    "target_label": "cabin air",
    "partners": "",
    "white_space": 0.6,
    "firm_fit": 0.6,
    "fusion": 0.8,
}
PAIR = {
    "code_a": "B60H",
    "code_b": "F25B",
    **{f"{name}_{side}": value for name, value in (("share", 0.0), ("recency", None)) for side in "ab"},
    "inventor_overlap": None,
}


def case(
    row: dict | None = None,
    target: dict | None = None,
    firm: dict | None = None,
    pair: dict | None = None,
    holders: list | None = None,
    scores: list | None = None,
    span: float = 5.0,
    top: int = 5,
) -> Case:
    return Case(
        row=ROW | (row or {}),
        firm_topic=TOPIC | (firm or {}),
        target_topic=TOPIC | (target or {}),
        pair=PAIR | (pair or {}),
        holders=holders or [],
        scores=scores or [],
        verb="meet",
        until=pd.Timestamp("2015-12-31"),
        span=span,
        top=top,
    )


def said(of: Case, part: str) -> list[str]:
    return [text.replace(SPACE, " ") for text in getattr(read(of), part)]


def holder(name: str, share: float, own: bool = False) -> dict:
    return {"name": name, "own": own, "share": share, "patents": round(100 * share), "recent_patents": 1}


def test_where_nothing_stands_out_little_is_said():
    assert said(case(), "why") == ["F25B and B60H are forecast to meet by 31 December 2015 with a probability of 40 %."]
    assert said(case(), "brings") == ["No patent of its own on either side."]
    assert said(case(), "risks") == ["About 60 in 100 pairs of codes forecast like this one do not meet in time."]


@pytest.mark.parametrize(
    ("change", "part", "sentence"),
    [
        (
            {"target": {"growth_patents": 0.34}},
            "why",
            "Patents on the target topic rose by 34 % in the last five years",
        ),
        ({"target": {"growth_inventors": 2.5}}, "why", "Inventors on the target topic rose 3.5-fold in the last five"),
        ({"target": {"maturity": 4.04}}, "why", "Patents on the target topic are 4.0 years younger than all"),
        ({"row": {"white_space": 0.82}}, "why", "its three largest other holders leave 82 % of it to others."),
        ({"firm": {"firm_patents": 1}}, "brings", "1 patent of its own of the 40 of the topic on its side."),
        (
            {"pair": {"share_b": 0.02, "recency_b": 0.4}},
            "brings",
            "2.0 % of all patents in F25B, the latest 5 months ago.",
        ),
        ({"pair": {"share_a": 0.03}}, "brings", "3.0 % of all patents in B60H, though none on this topic."),
        ({"pair": {"inventor_overlap": 0.11}}, "brings", "Inventors at home in both codes: 11 % of those"),
        (
            {"row": {"white_space": 0.3}},
            "risks",
            "Crowded: three other holders have 70 % of the target topic’s patents.",
        ),
        ({"row": {"firm_fit": 0.17}}, "risks", "Far from what the firm does: fit .170 of 1."),
        ({"row": {"fusion": 0.5}}, "risks", "described in different words (fusion .500)."),
        ({"target": {"patents": 3}}, "risks", "Thin evidence: the target topic rests on 3 patents."),
        ({"firm": {"patents": 1}}, "risks", "Thin evidence: the firm’s topic rests on 1 patent."),
        (
            {"target": {"growth_patents": -0.25}},
            "risks",
            "Patents on the target topic fell by 25 % in the last five years.",
        ),
        ({"holders": [holder("ACME", 0.31)]}, "risks", "Strong others in B60H: ACME (31 %)."),
        (
            {"scores": [{"title": "IP risk (5 is the lowest risk)", "mean": 1.4, "abstained": False}]},
            "risks",
            "Judged weak on: IP risk (5 is the lowest risk), 1.4 of 5.",
        ),
        (
            {"scores": [{"title": "Overall", "mean": 3.6, "abstained": False}], "top": 10},
            "risks",
            "Judged weak on: Overall, 3.6 of 10.",
        ),
        (
            {"scores": [{"title": "Need", "mean": 3, "abstained": True}]},
            "risks",
            "The judge could not settle on: Need.",
        ),
        (
            {"target": {"growth_patents": 0.34}, "span": 3.25},
            "why",
            "rose by 34 % in the last 3.2 years, against as many before.",
        ),
        ({"holders": [holder("ACME", 0.31)]}, "steps", "freedom to operate checked in B60H against ACME (31 patents)."),
        ({"row": {"white_space": 0.9}}, "steps", "File early where the reading finds a gap"),
        (
            {"row": {"partners": "Acme;Nestec S.A."}},
            "steps",
            "Before building up B60H, talk to Acme and Nestec S.A., who",
        ),
        ({"row": {"partners": "Acme", "type": "I"}}, "steps", "The firm holds neither code: before building up B60H"),
        ({"row": {"type": "III"}}, "steps", "so bring inventors of F25B and B60H together."),
        ({"row": {"type": "III"}, "pair": {"inventor_overlap": 0.2}}, "steps", "ask the inventors who work in both"),
        ({"row": {"type": "III", "partners": "Acme Inc."}}, "steps", "For what is missing, talk to Acme Inc."),
        ({}, "steps", "No partner stands near the firm in B60H"),
    ],
)
def test_a_number_has_its_sentence(change, part, sentence):
    texts = said(case(**change), part)
    assert any(sentence in text for text in texts), texts
    assert not any(text.endswith("..") for text in texts)
    if change:
        assert not any(sentence in text for text in said(case(), part))


def test_the_firm_itself_is_no_competitor():
    assert len(said(case(holders=[holder("US", 0.5, own=True), holder("SMALL", 0.1)]), "risks")) == 1


def test_what_is_not_known_is_not_spoken_of():
    unknown = case(
        row={"white_space": None, "fusion": None},
        target={"growth_patents": None, "growth_inventors": None},
        scores=[{"title": "Need", "mean": None, "abstained": False}],
    )
    assert [len(said(unknown, part)) for part in ("why", "brings", "risks")] == [1, 1, 1]
