"""One key for the spellings of one number."""

import pandas as pd
import pytest
from cases import real_data
from factories import corpus_from
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpus.ingest import ingest
from pipeline.corpus.numbers import number_key, number_keys


@pytest.mark.parametrize(
    ("spellings", "key"),
    [
        (["US-2008173533-A1", "US2008173533A1", "US 2008/0173533 A1", "US20080173533"], "US2008/173533"),
        (["US7155747B2", "US7155747", "US 7,155,747", "US07155747"], "US7155747"),
        (["USD668832S1", "US D668,832", "US-D0668832-S"], "USD668832"),
        (["USRE43123E1", "US RE43,123"], "USRE43123"),
        (["USPP12345P2", "US PP12,345"], "USPP12345"),
        (["WO 2005/012345", "WO05012345", "WO2005012345A1", "WO 05/012345 A2"], "WO2005/12345"),
        (["WO 99/12345", "WO9912345A1", "WO1999012345"], "WO1999/12345"),
        (["EP 0 123 456 A1", "EP0123456B1", "EP123456"], "EP123456"),
        (["JP H07-12345", "JPH0712345A", "JP H7-12345", "JPH07012345"], "JPH7/12345"),
        (["JP 2005-123456 A", "JP2005123456"], "JP2005/123456"),
        (["JPS6012345U", "JP S60-12345 U"], "JPS60/12345U"),
        (["DE 10 2005 012345", "DE102005012345A1"], "DE102005012345"),
        (["KR 10-2005-0012345 A", "KR20050012345A"], "KR20050012345"),
        (["KR 20-2005-0012345", "KR20050012345U"], "KR20050012345U"),
        (["CN 101234567 B", "CN101234567A"], "CN101234567"),
        (["TWI234567B", "TW I234567"], "TWI234567"),
        (["東芝"], "東芝"),
        ([""], ""),
    ],
)
def test_spellings_of_one_number_share_a_key(spellings: list[str], key: str) -> None:
    assert [number_key(spelling) for spelling in spellings] == [key] * len(spellings)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("US7155747B2", "US7155748B2"),
        ("US668832A", "USD668832S1"),
        ("JPH0712345A", "JPH0712345U"),
        ("JPH0712345A", "JPS0712345A"),
        ("WO2005012345", "WO2006012345"),
        ("US2008173533A1", "US2008173534A1"),
        ("KR20050012345A", "KR20050012345U"),
    ],
)
def test_two_documents_have_two_keys(one: str, other: str) -> None:
    assert number_key(one) != number_key(other)


def test_a_bare_number_belongs_to_the_office_it_stands_with() -> None:
    ids = pd.Series(
        ["7155747", "D668832", "RE43123", "2008/0173533", "EP123456A1", "7155747"], index=[3, 1, 4, 0, 5, 2]
    )
    keys = number_keys(ids, pd.Series(["US", "US", "us", "US", "US", ""], index=ids.index))
    assert keys.to_dict() == {
        3: "US7155747",
        1: "USD668832",
        4: "USRE43123",
        0: "US2008/173533",
        5: "EP123456",
        2: "7155747",
    }


@given(st.from_regex(r"[A-Z]{2}[A-Z]{0,2}[0-9]{1,13}[A-Z]?[0-9]?", fullmatch=True) | st.text(max_size=15))
def test_separators_and_case_never_change_a_key(number: str) -> None:
    key = number_key(number)
    assert number_key(" " + "-".join(number) if number.isascii() and number.isalnum() else number) == key
    assert bool(key) or not any(char.isalnum() for char in number)


def test_a_reference_in_another_spelling_finds_its_document() -> None:
    rows = [
        {"patent_id": "US2008173533A1", "date": "2008-07-24", "ipc": "F25B", "office": "US"},
        {"patent_id": "US7155747B2", "date": "2007-01-02", "ipc": "F25B", "office": "US"},
        {
            "patent_id": "US9",
            "date": "2010-01-05",
            "ipc": "F25B",
            "office": "US",
            "cited_ids": "US 2008/0173533 A1;7,155,747;WO 05/012345;WO2005012345A2;EP1;US8",
        },
        {"patent_id": "US8", "date": "2010-01-06", "ipc": "F25B", "office": "US", "cited_ids": "wo 2005/012345"},
    ]
    citations = corpus_from(rows).citations
    of = citations[citations["citing"] == "US9"]
    assert of["cited"].tolist() == ["US2008173533A1", "US7155747B2", "WO05012345", "EP1", "US8"]
    assert of["cited_key"].tolist() == ["US2008/173533", "US7155747", "WO2005/12345", "EP1", "US8"]
    other = citations[citations["citing"] == "US8"]
    assert other[["cited", "cited_key"]].to_numpy().tolist() == [["WO2005012345", "WO2005/12345"]]


def test_of_documents_of_one_number_the_earliest_known_is_meant() -> None:
    rows = [
        {"patent_id": "EP123456B1", "date": "2009-01-05", "ipc": "F25B"},
        {"patent_id": "EP123456A1", "date": "2007-01-05", "ipc": "F25B"},
        {"patent_id": "EP7", "date": "2010-01-05", "ipc": "F25B", "cited_ids": "EP 0 123 456"},
        {"patent_id": "EP6", "date": "2006-01-05", "ipc": "F25B", "cited_ids": "EP 0 123 456"},
    ]
    citations = corpus_from(rows).citations
    assert citations[["citing", "cited"]].to_numpy().tolist() == [["EP6", "EP0123456"], ["EP7", "EP123456A1"]]


def test_references_of_a_real_corpus_join_where_their_ids_do_and_beyond() -> None:
    corpus = ingest([real_data("corpora/dpl_google.parquet")], families="keep").corpus
    known = corpus.patents.set_index("patent_id")["knowledge_date"]
    citations = corpus.citations
    plain = citations["cited"].isin(known.index)
    assert plain.sum() > 1000
    assert citations["cited_key"].nunique() <= citations["cited"].nunique()
    numbers = number_keys(pd.Series(known.index))
    assert citations["cited_key"].isin(numbers).sum() >= plain.sum()
