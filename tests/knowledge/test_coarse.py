"""Vectors at a byte a component: no product is further off than is said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.knowledge import coarse
from pipeline.knowledge.coarse import Coarse, coarsened


def drawn(seed: int, kind: str, rows: int, dimension: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(rows, dimension))
    if kind == "sparse":
        vectors *= random.random(vectors.shape) < 0.05
    if kind == "lopsided":
        vectors[:, 0] *= 1000
    if kind == "tiny":
        vectors *= 1e-6
    return vectors.astype(np.float16)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(["plain", "sparse", "lopsided", "tiny"]), st.sampled_from([1, 7, 384])
)
def test_products_are_no_further_off_than_their_errors(seed: int, kind: str, dimension: int) -> None:
    vectors = drawn(seed, kind, 40, dimension)
    queries = np.vstack([drawn(seed + 1, kind, 3, dimension), vectors[:1]]).astype(np.float32)
    made = coarsened(vectors)
    off = np.abs(made.products(queries, 40) - queries.astype(float) @ vectors.astype(float).T)
    assert (off <= made.errors * np.linalg.norm(queries.astype(float), axis=1)[:, None]).all()


def test_errors_of_unit_vectors_are_small() -> None:
    vectors = drawn(0, "plain", 100, 384).astype(float)
    made = coarsened((vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16))
    assert made.errors.max() < 0.015
    assert (made.steps.dtype, made.scales.dtype, made.errors.dtype) == (np.int8, np.float32, np.float32)


def test_a_vector_of_nought_has_products_of_nought() -> None:
    made = coarsened(np.zeros((2, 5), dtype=np.float16))
    assert made.products(np.ones((1, 5), dtype=np.float32), 2).tolist() == [[0.0, 0.0]]
    assert made.errors.max() < 1e-30


@pytest.mark.parametrize("known", [0, 1, 9, 50])
def test_blocks_and_threads_do_not_matter(known: int, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = drawn(3, "plain", 50, 16)
    made, queries = coarsened(vectors), drawn(4, "plain", 3, 16).astype(np.float32)
    whole = made.products(queries, known)
    assert whole.shape == (3, known)
    monkeypatch.setattr(coarse, "BLOCK", 4)
    monkeypatch.setattr(coarse, "SPAN", 12)
    np.testing.assert_array_equal(made.products(queries, known), whole)


def test_a_row_is_made_coarse_alone() -> None:
    vectors = drawn(5, "lopsided", 30, 8)
    whole, part = coarsened(vectors), coarsened(vectors[10:20])
    for name in coarse.ARRAYS:
        np.testing.assert_array_equal(getattr(whole, name)[10:20], getattr(part, name))
    assert isinstance(whole, Coarse)
