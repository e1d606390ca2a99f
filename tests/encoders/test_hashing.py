"""The hashing encoder: nothing learnt, nothing remembered, alike texts alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import EncoderConfig
from pipeline.encoders import load_encoder
from pipeline.encoders.hashing import FEATURES, TARGETS, HashingEncoder, _projection

ENCODER = HashingEncoder(max_characters=2000)
TEXTS = st.text(alphabet="abcde Éß電池.", max_size=40)


def test_it_is_the_encoder_named_hashing_and_knows_no_future() -> None:
    encoder = load_encoder(EncoderConfig(model="hashing"))
    assert (encoder.identity, encoder.dimension, encoder.knows_future) == ("hashing-256-v1", 256, False)


@given(st.lists(TEXTS, max_size=6), TEXTS)
def test_a_vector_depends_on_its_text_alone(others: list[str], text: str) -> None:
    alone = ENCODER.encode([text])[0]
    np.testing.assert_array_equal(ENCODER.encode([*others, text])[-1], alone)
    assert np.linalg.norm(alone) == pytest.approx(1, abs=1e-6) or not alone.any()


def test_vectors_never_change_between_versions() -> None:
    vector = ENCODER.encode(["pizza oven"])[0]
    assert vector.dtype == np.float32
    strongest = np.argsort(-np.abs(vector), kind="stable")[:3]
    assert {int(i): round(float(vector[i]), 4) for i in strongest} == {1: -0.2041, 11: 0.2041, 23: 0.2041}


def test_shared_words_bring_texts_together() -> None:
    oven, stove, drug = ENCODER.encode(
        ["oven for baking a pizza on a stone", "pizza oven with a baking stone", "antibody against interleukin"]
    )
    assert oven @ stove > 0.4 > 0.2 > abs(oven @ drug)


def test_the_projection_keeps_cosines_of_the_hashed_words() -> None:
    """Independent oracle: plain bag-of-words cosines; 256 random dimensions keep them to about 1/sqrt(256)."""
    words = [f"word{i}" for i in range(400)]
    rng = np.random.default_rng(5)
    chosen = [set(rng.choice(words, 60, replace=False)) for _ in range(30)]
    vectors = ENCODER.encode(["\n".join(sorted(text)) for text in chosen])
    exact = np.array([[len(a & b) / 60 for b in chosen] for a in chosen])
    error = (vectors @ vectors.T - exact / 2)[np.triu_indices(30, 1)]  # half the weight is in pairs of words
    assert np.sqrt(np.mean(error**2)) < 0.12


def test_the_projection_spreads_slots_evenly() -> None:
    matrix = _projection()
    per_dimension = np.abs(matrix).sum(axis=0)
    expected = FEATURES * TARGETS / matrix.shape[1]
    assert np.all(np.abs(per_dimension - expected) < 0.06 * expected)
    assert np.all(np.abs(matrix.sum(axis=0)) < 6 * np.sqrt(expected))


@pytest.mark.parametrize("text", ["", "   ", "the of and", "!?"])
def test_a_text_that_says_nothing_is_a_zero_row(text: str) -> None:
    assert not ENCODER.encode([text]).any()


def test_text_beyond_the_limit_is_not_read() -> None:
    short = HashingEncoder(max_characters=10)
    np.testing.assert_array_equal(*short.encode(["pizza oven and drug", "pizza oven"]))


def test_no_texts_give_no_rows() -> None:
    assert ENCODER.encode([]).shape == (0, 256)
