"""Small tables of topics, topic opportunities and evidence for the judge's tests."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.schemas import TopicOpportunities, Topics, validate

CUTOFF = pd.Timestamp("2012-12-31")
CODES = ("A21B", "F24C", "G08B", "H05B", "B01D", "C12N", "G06F", "H01M", "F25B", "B65D")


def topics_and_opportunities(count: int, labels: Mapping[int, str] | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables of ``count`` opportunities, each of two topics of its own; ``labels``: of the firm's topic, by number."""
    topics, rows = [], []
    for number in range(count):
        a, b = sorted((CODES[number % 9], CODES[number % 9 + 1]))
        names = (f"firm:{a}:{number}", f"target:{b}:{number}")
        for side, code, name in zip(("firm", "target"), (a, b), names, strict=True):
            label = (labels or {}).get(number, "") if side == "firm" else ""
            topics.append(topic(name, side, code, label or f"{side} topic {number}"))
        rows.append(opportunity(number, a, b, names))
    table = pd.DataFrame(rows, columns=list(TopicOpportunities.to_schema().columns))
    return (
        validate(pd.DataFrame(topics, columns=list(Topics.to_schema().columns)), Topics, "topics"),
        validate(table, TopicOpportunities, "topic opportunities"),
    )


def topic(name: str, side: str, code: str, label: str) -> dict[str, Any]:
    return {
        "topic_id": name,
        "side": side,
        "code": code,
        "label": label,
        "terms": "oven;stone",
        "patents": 12,
        "firm_patents": 3,
        "representatives": "US1;US2",
        "uniqueness": 0.4,
        "maturity": 1.5,
        "growth_patents": 0.25,
        "growth_inventors": None,
        "citations_per_year": 1.2,
        "family_size": 2.0,
        "codes_per_patent": 1.7,
        "functional_diversity": 3.0,
        "novelty": 1.0,
        "growth": 1.0,
        "influence": 1.0,
        "versatility": 1.0,
        "development": 4.0,
    }


def opportunity(number: int, a: str, b: str, names: tuple[str, str]) -> dict[str, Any]:
    return {
        "topic_rank": number + 1,
        "opportunity_id": f"O{number:03d}",
        "code_a": a,
        "code_b": b,
        "firm_code": a,
        "target_code": b,
        "type": "II",
        "probability": 0.1,
        "firm_rank": number + 1,
        "firm_topic": names[0],
        "target_topic": names[1],
        "firm_label": f"firm topic {number}",
        "target_label": f"target topic {number}",
        "fusion": 0.6,
        "development": 4.0,
        "score": 1 / (number + 1),
        "firm_fit": 0.5,
        "white_space": 0.7,
        "partners": "ACME",
    }


def passages(query: str, count: int, texts: list[str] | None = None) -> pd.DataFrame:
    """What a retrieval finds: passages whose ids depend on the query."""
    name = query.split(";")[0].replace(" ", "-")
    return pd.DataFrame(
        {
            "evidence_id": [f"{name}-{place}" for place in range(count)],
            "source": [f"US{place}" for place in range(count)],
            "kind": "patent",
            "page": pd.array([None] * count, dtype="Int32"),
            "date": pd.Timestamp("2011-05-04").as_unit("s"),
            "text": texts or [f"An oven of kind {place} for {query}." for place in range(count)],
            "score": np.linspace(0.03, 0.01, count),
        }
    )


def no_passages(query: str, count: int) -> pd.DataFrame:
    return passages(query, 0)
