"""The level of the probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ranking.calibration import shift_to_prior

logits = st.lists(st.floats(-15, 15), min_size=1, max_size=50).map(np.array)


@given(logits, st.floats(0.0005, 0.5))
def test_probabilities_add_up_to_the_prior_in_the_order_of_the_logits(values: np.ndarray, prior: float) -> None:
    probability = shift_to_prior(values, prior)
    assert probability.mean() == pytest.approx(prior, rel=1e-6)
    assert (np.diff(probability[np.argsort(values)]) >= 0).all()
    assert ((probability >= 0) & (probability <= 1)).all()


@given(logits, st.floats(-5, 5))
def test_a_constant_added_to_every_logit_changes_nothing(values: np.ndarray, constant: float) -> None:
    np.testing.assert_allclose(shift_to_prior(values + constant, 0.1), shift_to_prior(values, 0.1), atol=1e-9)


def test_differences_of_log_odds_are_kept() -> None:
    probability = shift_to_prior(np.array([-3.0, -1.0, 0.5]), 0.2)
    np.testing.assert_allclose(np.diff(np.log(probability / (1 - probability))), [2.0, 1.5])
