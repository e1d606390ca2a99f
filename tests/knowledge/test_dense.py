"""Exact search against computing and sorting everything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from knowledge.bases import day

from pipeline.knowledge import coarse, dense
from pipeline.knowledge.coarse import coarsened
from pipeline.knowledge.dense import PATENTS, ExactIndex, Scope, best

ROWS, DIMENSION = 400, 12


@pytest.fixture(scope="module", autouse=True)
def _in_small_pieces() -> None:
    """So that few rows are many blocks, threads and folds."""
    with pytest.MonkeyPatch.context() as patched:
        for module, name, size in (
            (coarse, "BLOCK", 16),
            (coarse, "SPAN", 64),
            (dense, "CLOSELY", 32),
            (dense, "_FOLDED", 4),
        ):
            patched.setattr(module, name, size)
        yield


def sorted_all(values: np.ndarray, depth: int, decimals: int, above: float = -np.inf) -> list[int]:
    rows = [row for row in range(len(values)) if values[row] > above]
    return sorted(rows, key=lambda row: (-values[row].round(decimals), row))[:depth]


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0, 1, 30, ROWS]),
    st.sampled_from([0, 1, 5, 90, 500]),
    st.sampled_from(["apart", "crowded", "equal"]),
)
def test_it_finds_what_sorting_everything_finds(seed: int, known: int, depth: int, kind: str) -> None:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(ROWS, DIMENSION))
    if kind == "crowded":  # differences that coarse vectors do not show, and some that do not count
        vectors = vectors[random.integers(5, size=ROWS)] + 10.0 ** -random.integers(2, 7) * vectors
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    if kind == "equal":  # and not of length 1
        vectors = (4 * vectors).round()
    vectors = vectors.astype(np.float16)
    queries = np.vstack([vectors[:2], np.zeros(DIMENSION)]).astype(np.float32)
    seen = random.random(known) < random.choice([random.random(), 1 / dense.RARE])
    scope = Scope(day("2012-12-31"), frozenset({PATENTS}), seen)
    index = ExactIndex(vectors, coarsened(vectors))
    for query, rows in zip(queries, index.nearest(queries, scope, depth), strict=True):
        exact = vectors[:known].astype(float) @ query.astype(float)
        exact[~seen] = -np.inf
        assert rows.tolist() == sorted_all(exact, depth, dense.DECIMALS)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(0, 300), st.integers(0, 320), st.sampled_from(["few", "many", "rising"]))
def test_the_best_are_the_first_of_all_sorted(seed: int, size: int, depth: int, kind: str) -> None:
    random = np.random.default_rng(seed)
    values = random.integers(-2, 6, size) / 1.0 if kind == "many" else random.normal(size=size)
    values = np.sort(values) if kind == "rising" else values
    for above in (-np.inf, 0.0):
        assert best(values, depth, 2, above).tolist() == sorted_all(values, depth, 2, above)
