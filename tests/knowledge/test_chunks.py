"""Patents and documents as chunks: what stands where, since when, and by which id."""

import datetime

import pandas as pd
import pytest
from factories import corpus_from

from pipeline.encoders.base import patent_texts
from pipeline.knowledge.chunks import document_chunks, patent_chunks
from pipeline.knowledge.documents import Document
from pipeline.knowledge.store import in_order
from pipeline.knowledge.text import WIDTH, width
from pipeline.schemas import Chunks, validate

DAY = pd.Timestamp("2012-03-31").as_unit("s")
LONG = " ".join(f"Sentence {number} speaks of compressors and of fans." for number in range(60))


def patents(**fields: str) -> pd.DataFrame:
    return corpus_from([{"patent_id": "US1", "date": "2010-01-05", "ipc": "F25B 41/20"} | fields]).patents


def test_a_short_patent_is_one_chunk_with_the_text_a_run_encodes() -> None:
    table = patents(title="Oven", abstract="It bakes.", claims="1. An oven.")
    chunks = validate(patent_chunks(table), Chunks, "chunks")
    assert chunks["text"].tolist() == patent_texts(table) == ["Oven. It bakes. 1. An oven."]
    row = chunks.iloc[0]
    assert (row["source"], row["kind"], row["firm"], row["position"]) == ("US1", "patent", "", 0)
    assert row["date"] == pd.Timestamp("2010-01-05")
    assert pd.isna(row["page"])


def test_further_chunks_repeat_the_title_and_stay_within_the_width() -> None:
    chunks = patent_chunks(patents(title="Heat pump", abstract=LONG))
    texts = chunks["text"].tolist()
    assert len(texts) > 2
    assert all(text.startswith("Heat pump. ") for text in texts)
    assert max(map(width, texts)) <= WIDTH
    assert chunks["position"].tolist() == list(range(len(texts)))
    assert all(f"Sentence {number} " in " ".join(texts) for number in range(60))


def test_a_title_as_long_as_a_chunk_is_not_repeated() -> None:
    texts = patent_chunks(patents(title="long " * 200, abstract=LONG))["text"]
    assert max(map(width, texts)) <= WIDTH
    assert not texts.iloc[1].startswith("long")


def test_a_patent_without_text_has_no_chunk() -> None:
    assert validate(patent_chunks(patents()), Chunks, "chunks").empty


def test_a_patent_cannot_hide_text() -> None:
    [text] = patent_chunks(patents(title="Oven", abstract="It\u202e bakes\x1b[0m\U000e0041."))["text"]
    assert text == "Oven. It bakes[0m."


def test_no_chunk_reaches_over_a_page() -> None:
    document = Document("plan.pdf", [(1, "One page."), (3, LONG)], 1, None)
    chunks = in_order(document_chunks(document, "acme", DAY))
    validate(chunks, Chunks, "chunks")
    assert chunks["page"].tolist() == [1] + [3] * (len(chunks) - 1)
    assert chunks["position"].tolist() == list(range(len(chunks)))
    assert set(chunks["firm"]) == {"acme"}
    assert (chunks["date"] == DAY).all()


def test_a_document_of_unknown_date_has_none() -> None:
    chunks = document_chunks(Document("a.txt", [(None, "x")], 0, datetime.date(2012, 1, 1)), "acme", None)
    assert validate(chunks, Chunks, "chunks")["date"].isna().all()


@pytest.mark.parametrize(
    ("document", "firm"),
    [
        (Document("b.txt", [(None, "x")], 0, None), "acme"),
        (Document("a.txt", [(None, "y")], 0, None), "acme"),
        (Document("a.txt", [(1, "x")], 0, None), "acme"),
        (Document("a.txt", [(None, "x")], 0, None), "bravo"),
    ],
)
def test_an_id_stands_for_text_source_page_and_firm_but_not_for_the_date(document: Document, firm: str) -> None:
    one = Document("a.txt", [(None, "x")], 0, None)
    [first] = document_chunks(one, "acme", DAY)["chunk_id"]
    assert document_chunks(one, "acme", None)["chunk_id"].tolist() == [first]
    assert document_chunks(document, firm, DAY)["chunk_id"].tolist() != [first]
