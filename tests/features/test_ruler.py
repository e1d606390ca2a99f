"""Ranks read off a sample's distribution."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import rankdata

from pipeline.features.ruler import Ruler

VALUES = st.one_of(st.just(float("nan")), st.integers(-300, 300).map(float))


def ranks(of: np.ndarray, weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    return Ruler.of(pd.DataFrame({"x": of.astype(np.float32)}), weights).ranks({"x": values.astype(np.float32)})["x"]


@settings(max_examples=80, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=60))
def test_with_every_candidate_in_the_sample_small_counts_have_their_exact_ranks(values: list[float]) -> None:
    column = np.array(values)
    known = ~np.isnan(column)
    got = ranks(column, np.ones(len(column)), column)
    assert_array_equal(np.isnan(got), ~known)
    assert_allclose(got[known], (rankdata(column[known]) - 0.5) / max(known.sum(), 1), atol=1e-6)


def test_a_row_that_stands_for_many_counts_as_many() -> None:
    few, weights = np.array([1.0, 2.0, 5.0]), np.array([3.0, 1.0, 2.0])
    assert_allclose(ranks(few, weights, few), ranks(np.repeat(few, [3, 1, 2]), np.ones(6), few))


def test_values_the_sample_never_saw_rank_between_their_neighbours_and_within_0_and_1() -> None:
    got = ranks(np.array([-1.0, 1.0]), np.full(2, 50.0), np.array([-1e30, -1.0, -0.0, 0.0, 3e-40, 1.0, 1e30]))
    assert_allclose(got, [0.005, 0.25, 0.5, 0.5, 0.5, 0.75, 0.995], atol=1e-6)


def test_the_error_is_the_samples_and_that_of_a_512th_of_the_value() -> None:
    rng = np.random.default_rng(3)
    every = np.exp(rng.normal(size=200_000)) * rng.choice([-1, 1], 200_000)
    sample = every[:20_000]
    exact = (rankdata(every) - 0.5) / len(every)
    assert np.abs(ranks(every, np.ones(len(every)), every) - exact).max() < 0.0005
    assert np.abs(ranks(sample, np.full(len(sample), 10.0), every) - exact).max() < 0.0138  # Massart at .001
    order = np.argsort(every)
    assert (np.diff(ranks(sample, np.ones(len(sample)), every[order])) >= 0).all()
