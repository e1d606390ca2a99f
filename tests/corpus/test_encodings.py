"""Texts read in the wrong encoding."""

import pandas as pd
import pytest
from factories import corpus_from, ingested_from
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpus.encodings import mend, mended

GOOD = {"patent_id": "US1", "date": "2010-01-05", "ipc": "F25B"}


@pytest.mark.parametrize("text", ["Müller", "Société Générale", "東芝", "10 ±5 °C", "“quoted” – dash", "Ñandú", "Łódź"])
@pytest.mark.parametrize("wrong", ["cp1252", "latin-1"])
def test_what_was_read_wrongly_is_mended_even_twice(text: str, wrong: str) -> None:
    damaged = text.encode().decode(wrong, errors="surrogateescape")
    if not damaged.isprintable() and wrong == "cp1252":
        pytest.skip("a byte that Windows-1252 does not define")
    assert mended(damaged) == text
    if wrong == "latin-1":
        assert mended(damaged.encode().decode(wrong)) == text


@pytest.mark.parametrize("text", ["", "plain", "naïve café", "SÃO PAULO", "Ã", "Â", "Müller und Söhne", "€ 5", "東芝"])
def test_a_sound_text_is_left_alone(text: str) -> None:
    fixed, doubtful = mend(pd.Series([text]))
    assert (fixed.tolist(), doubtful.tolist()) == ([text], [False])


def test_what_cannot_be_mended_as_a_whole_is_flagged_and_kept() -> None:
    texts = ["MÃ¼ller – 東芝", "lost \ufffd letter"]
    fixed, doubtful = mend(pd.Series(texts))
    assert (fixed.tolist(), doubtful.tolist()) == (texts, [True, True])


@given(st.text(max_size=40))
def test_mending_is_stable_and_ascii_is_never_touched(text: str) -> None:
    assert mended(mended(text)) == mended(text)
    if text.isascii():
        assert mended(text) == text


def test_ingest_mends_counts_and_flags() -> None:
    rows = [
        GOOD | {"title": "KÃ¤lte", "assignees": "MÃ¼ller GmbH;Siemens"},
        GOOD | {"patent_id": "US2", "abstract": "a \ufffd b"},
    ]
    result = ingested_from(rows)
    assert result.corpus.patents["title"].tolist() == ["Kälte", ""]
    assert result.corpus.parties["party_id"].tolist() == ["müller", "siemens"]
    assert result.notes["mended"] == {"title": 1, "assignees": 1}
    assert result.quarantine[["row", "kind", "value"]].to_numpy().tolist() == [[2, "flag", "a \ufffd b"]]
    assert result.account.kept == 2
    assert [warning.partition(":")[0] for warning in result.warnings] == ["encodings", "encodings"]


def test_a_mended_and_a_sound_copy_of_a_row_are_repeats() -> None:
    rows = [GOOD | {"title": "KÃ¤lte"}, GOOD | {"title": "Kälte"}]
    assert ingested_from(rows).account.exact_repeats == 1
    assert corpus_from(rows[:1]).patents["title"].tolist() == ["Kälte"]
