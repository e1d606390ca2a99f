"""How many topics: clouds whose number is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from pipeline.opportunities.clusters import FEWEST, SMALLEST, Choice, cluster


def clouds(sizes: list[int], spread: float, width: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around as many directions, and which direction each belongs to."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    points = np.eye(width)[truth] + spread * rng.normal(size=(len(truth), width)) / np.sqrt(width)
    return points / np.linalg.norm(points, axis=1, keepdims=True), truth


@pytest.mark.parametrize("choice", ["stability", "elbow"])
@pytest.mark.parametrize("sizes", [[60, 40], [50, 40, 30], [40, 30, 30, 20]])
def test_clouds_apart_are_found_whatever_the_way(choice: Choice, sizes: list[int]) -> None:
    points, truth = clouds(sizes, 0.7)
    found = cluster(points, 6, choice, seed=3)
    assert adjusted_rand_score(truth, found) > 0.95
    assert np.bincount(found).tolist() == sorted(np.bincount(found).tolist(), reverse=True)  # the largest is 0


@pytest.mark.parametrize("patents", [1, 3, 2 * SMALLEST - 1])
def test_few_patents_are_one_topic(patents: int) -> None:
    points, _ = clouds([patents], 1.0)
    assert cluster(points, 6, "stability", seed=0).tolist() == [0] * patents


def test_copies_of_one_text_are_one_topic() -> None:
    points = np.repeat(clouds([1], 1.0)[0], 40, axis=0)
    assert set(cluster(points, 6, "stability", seed=0)) == {0}


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 60), st.integers(1, 6), st.sampled_from(["stability", "elbow"]), st.integers(0, 99))
def test_topics_are_numbered_without_gaps_and_the_same_twice(
    patents: int, most: int, choice: Choice, seed: int
) -> None:
    points, _ = clouds([patents], 3.0, seed=seed)
    found = cluster(points, most, choice, seed)
    assert set(found) == set(range(found.max() + 1))
    assert found.max() < most
    assert found.max() == 0 or np.bincount(found).min() >= FEWEST
    assert (cluster(points, most, choice, seed) == found).all()
