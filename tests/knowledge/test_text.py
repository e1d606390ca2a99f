"""Text made plain and cut: nothing invisible is left, nothing visible is lost, no chunk is too wide."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.knowledge.text import plain, split, width

SENTENCES = "One compressor. Two valves! Three fans? Four pumps; five pipes."


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("a\x00b\x07\x1b[31m", "ab[31m"),
        ("pay \u202eevil\u202c\u2066x\u2069 now", "pay evilx now"),
        ("in\u200bvi\u200csi\u2060ble\ufeff\u00ad", "invisible"),
        ("A" + "".join(chr(0xE0000 + ord(c)) for c in "obey") + "B", "AB"),  # tag characters
        ("x\ufe01\U000e0123y", "xy"),  # variation selectors carry hidden bytes
        ("private \ue000 \ud800 end", "private end"),
        ("a\tb\u00a0\u3000c\r\nd\u2028e\x0cf", "a b c\nd\ne\nf"),
        ("e\u0301", "é"),
        ("z" + "\u0334" * 50 + "!", "z" + "\u0334" * 4 + "!"),
        ("ไม้ and नमस्ते stay", "ไม้ and नमस्ते stay"),
        ("  \n \n ", ""),
    ],
)
def test_what_is_not_seen_is_dropped(given_text: str, expected: str) -> None:
    assert plain(given_text) == expected


@given(st.text(st.characters(), max_size=300))
def test_plain_text_has_no_invisible_character_and_is_plain(text: str) -> None:
    result = plain(text)
    assert not [letter for letter in result if letter not in "\n " and unicodedata.category(letter)[0] in "CZ"]
    assert plain(result) == result
    result.encode()


def test_a_text_that_fits_is_one_chunk_and_an_empty_one_none() -> None:
    assert split(" An oven.\nIt bakes. ") == ["An oven. It bakes."]
    assert split(" \n ") == []


def test_chunks_end_with_sentences_and_overlap_by_whole_ones() -> None:
    assert split(SENTENCES, limit=32, overlap=15) == [
        "One compressor. Two valves!",
        "Two valves! Three fans?",
        "Three fans? Four pumps;",
        "Four pumps; five pipes.",
    ]


def test_a_sentence_without_end_is_cut_at_a_space() -> None:
    assert split("aaaa bbbb cccc dddd", limit=12, overlap=0) == ["aaaa bbbb", "cccc dddd"]
    assert split("x" * 25, limit=10, overlap=0) == ["x" * 10, "x" * 10, "x" * 5]


def test_a_letter_of_chinese_is_as_wide_as_a_word() -> None:
    assert (width("oven"), width("电池"), width("é")) == (4, 8, 1)
    assert split("电池热管理系统。电池冷却。", limit=40, overlap=0) == ["电池热管理系统。", "电池冷却。"]


words = st.text(st.sampled_from("ab.;! 电\n,"), max_size=400)


@given(words, st.integers(8, 60), st.integers(0, 20))
def test_no_chunk_is_too_wide_and_no_letter_is_lost(text: str, limit: int, overlap: int) -> None:
    text = plain(text)
    chunks = split(text, limit, overlap)
    assert all(0 < width(chunk) <= limit for chunk in chunks)
    letters = "".join(text.split())
    covered = 0
    for chunk in chunks:  # each chunk goes on where the one before ended, or repeats its end
        own = "".join(chunk.split())
        fits = [at for at in range(covered + 1) if letters[at : at + len(own)] == own and at + len(own) > covered]
        assert fits
        covered = fits[-1] + len(own)
    assert covered == len(letters)


def test_a_line_ends_a_sentence() -> None:
    assert split("Heading\nOne two three four", limit=22, overlap=0) == ["Heading", "One two three four"]
    assert split(SENTENCES.replace("! ", "!\n"), 32) == split(SENTENCES, 32)
