"""BM25 against a library's, over what is seen; and postings that grow as if made anew."""

from pathlib import Path

import bm25s
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.knowledge import lexical
from pipeline.knowledge.lexical import ARRAYS, K1, B, Lexical, extended, load, nothing, save

VOCABULARY = ["oven", "pump", "fan", "valve", "电", "öl"]
texts_of_words = st.lists(st.lists(st.sampled_from(VOCABULARY), max_size=8).map(" ".join), min_size=1, max_size=12)


def made(texts: list[str]) -> Lexical:
    return extended(nothing(), np.zeros(0, dtype=int), texts, np.arange(len(texts)))


@settings(deadline=None, max_examples=40)
@given(texts_of_words, st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=4), st.data())
def test_scores_are_those_of_a_library_that_knows_only_what_is_seen(
    texts: list[str], query: list[str], data: st.DataObject
) -> None:
    known = data.draw(st.integers(0, len(texts)))
    seen = np.array(data.draw(st.lists(st.booleans(), min_size=known, max_size=known)), dtype=bool)
    ours = made(texts).scores(" ".join(query), seen)
    visible = [texts[row].split() for row in np.flatnonzero(seen)]
    vocabulary = {word for text in visible for word in text}
    expected = np.zeros(known)
    if vocabulary:
        library = bm25s.BM25(method="lucene", k1=K1, b=B)
        library.index(visible, show_progress=False)
        asked = [word for word in dict.fromkeys(query) if word in vocabulary]
        if asked:
            expected[seen] = library.get_scores(asked) * (K1 + 1)  # Lucene leaves the constant factor out
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


@settings(deadline=None, max_examples=40)
@given(texts_of_words, texts_of_words, st.data())
def test_postings_after_a_change_are_those_made_anew(old: list[str], new: list[str], data: st.DataObject) -> None:
    stays = np.array(data.draw(st.lists(st.booleans(), min_size=len(old), max_size=len(old))), dtype=bool)
    total = int(stays.sum()) + len(new)
    places = np.array(data.draw(st.permutations(range(total))), dtype=int)
    moved = np.full(len(old), -1)
    moved[stays] = places[: stays.sum()]
    rows = places[stays.sum() :]
    texts = [""] * total
    for place, text in zip([*moved[stays], *rows], [*np.array(old, dtype=object)[stays], *new], strict=True):
        texts[place] = text
    changed, anew = extended(made(old), moved, new, rows), made(texts)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(changed, name), getattr(anew, name))
        assert getattr(changed, name).dtype == getattr(anew, name).dtype


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("OVEN", [0]),
        ("the of and", []),
        ("3d-printer", [1]),
        ("池", [2]),
        ("unknown", []),
        ("", []),
        ("café", [3]),
    ],
)
def test_words_are_told_apart_as_readers_do(query: str, found: list[int]) -> None:
    words = made(["The oven, of ovens.", "A 3D printer", "电池 pack", "café"])
    assert np.flatnonzero(words.scores(query, np.ones(4, dtype=bool))).tolist() == found


def test_how_many_postings_are_scored_at_a_time_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    words = made([f"oven {'pump ' * (row % 4)} fan" for row in range(20)])
    seen = np.arange(18) % 5 > 0
    whole = words.scores("oven pump fan", seen)
    monkeypatch.setattr(lexical, "POSTINGS", 3)
    np.testing.assert_array_equal(words.scores("oven pump fan", seen), whole)
    assert (whole > 0).tolist() == seen.tolist()


def test_a_word_that_is_asked_twice_counts_once() -> None:
    words, seen = made(["oven pump", "pump"]), np.ones(2, dtype=bool)
    np.testing.assert_array_equal(words.scores("oven oven", seen), words.scores("oven", seen))


@pytest.mark.parametrize("texts", [["oven pump", ""], ["", "the"]])
def test_postings_survive_the_disk(tmp_path: Path, texts: list[str]) -> None:
    words = made(texts)
    save(words, tmp_path)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(load(tmp_path), name), getattr(words, name))
