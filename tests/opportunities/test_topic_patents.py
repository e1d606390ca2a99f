"""The patents that stand for a topic."""

import pandas as pd
import pytest
from factories import corpus_from

from pipeline.opportunities.topic_patents import topic_patents

ROWS = [
    {"patent_id": "P1", "date": "2008-01-01", "ipc": "A21B", "title": "Oven", "assignees": ["Other", "Baker Inc."]},
    {"patent_id": "P2", "date": "2009-01-01", "ipc": "A21B", "title": "Steam oven"},
    {"patent_id": "P3", "date": "2010-01-01", "ipc": "F24C", "title": "Stove", "assignees": "Other"},
]


def topics(**representatives: str) -> pd.DataFrame:
    return pd.DataFrame({"topic_id": list(representatives), "representatives": list(representatives.values())})


def test_representatives_keep_their_order_and_say_who_filed_them_first() -> None:
    table = topic_patents(corpus_from(ROWS), ["baker"], topics(ovens="P2;P1", stoves="P3"))
    assert table.drop(columns="knowledge_date").to_numpy().tolist() == [
        ["ovens", 1, "P2", "Steam oven", "", False],
        ["ovens", 2, "P1", "Oven", "Other", True],
        ["stoves", 1, "P3", "Stove", "Other", False],
    ]
    assert table["knowledge_date"].dt.year.tolist() == [2009, 2008, 2010]


def test_a_topic_without_representatives_has_no_row() -> None:
    assert topic_patents(corpus_from(ROWS), ["baker"], topics(ovens="")).empty


def test_a_patent_from_after_the_cutoff_cannot_stand_for_a_topic() -> None:
    history = corpus_from(ROWS).as_of(pd.Timestamp("2009-12-31").as_unit("s"))
    with pytest.raises(ValueError, match="P3"):
        topic_patents(history, ["baker"], topics(stoves="P3"))
