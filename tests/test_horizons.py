"""Several horizons side by side: cumulative probabilities that never fall, hazards, and the table they make."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.isotonic import IsotonicRegression

from pipeline.errors import ArtifactError
from pipeline.horizons import horizon_table, never_falling, with_cumulative, yearly_hazard
from pipeline.schemas import Horizons, validate

CUTOFF = pd.Timestamp("2010-12-31")
PROBABILITIES = arrays(
    float, st.tuples(st.integers(1, 20), st.integers(1, 10)), elements=st.floats(0, 1, allow_subnormal=False)
)


def forecast(*probability: float, cutoff: pd.Timestamp = CUTOFF, label: int | None = None) -> pd.DataFrame:
    """Predictions for as many pairs, in the order of their codes."""
    codes = [f"B{number:02}B" for number in range(len(probability))]
    frame = pd.DataFrame({"cutoff": cutoff, "code_a": "A01B", "code_b": codes, "probability": probability})
    return frame.assign(label=pd.array([label] * len(frame), dtype="Int8"))


@given(PROBABILITIES)
def test_each_row_is_evened_out_as_by_isotonic_regression(probability: np.ndarray) -> None:
    years = np.arange(probability.shape[1])
    expected = [IsotonicRegression().fit_transform(years, row) for row in probability]
    np.testing.assert_allclose(never_falling(probability), expected, atol=1e-12)


@given(PROBABILITIES)
def test_it_never_falls_stays_a_probability_and_keeps_the_mean(probability: np.ndarray) -> None:
    fit = never_falling(probability)
    assert (np.diff(fit, axis=1) >= 0).all()
    assert fit.min() >= 0
    assert fit.max() <= 1
    np.testing.assert_allclose(fit.mean(axis=1), probability.mean(axis=1), atol=1e-12)
    np.testing.assert_allclose(never_falling(np.sort(probability)), np.sort(probability), atol=1e-12)


def test_the_hazard_of_a_hand_worked_pair() -> None:
    # of 1000 pairs 100 meet in year 1; of the 900 left a tenth in each of years 2 and 3: 90 and 81; then none
    cumulative = np.array([[0.100, 0.271, 0.271]])
    np.testing.assert_allclose(yearly_hazard(cumulative, [1, 3, 5]), [[0.1, 0.1, 0.0]], atol=1e-12)


def test_where_none_is_left_there_is_no_hazard() -> None:
    hazard = yearly_hazard(np.array([[0.5, 1.0, 1.0], [0.0, 0.0, 1.0]]), [1, 2, 4])
    np.testing.assert_array_equal(hazard, [[0.5, 1.0, np.nan], [0.0, 0.0, 1.0]])


@given(PROBABILITIES, st.integers(1, 3))
def test_living_through_the_hazards_gives_the_cumulative_back(probability: np.ndarray, step: int) -> None:
    cumulative = never_falling(probability * 0.99)
    years = step * np.arange(1, cumulative.shape[1] + 1)
    survival = np.cumprod((1 - yearly_hazard(cumulative, years.tolist())) ** step, axis=1)
    np.testing.assert_allclose(1 - survival, cumulative, atol=1e-9)


def test_one_row_a_cutoff_pair_and_horizon_with_what_is_known_of_each() -> None:
    later = pd.Timestamp("2012-12-31")
    table = horizon_table(
        {
            3: pd.concat([forecast(0.2, 0.1, label=1), forecast(0.3, cutoff=later)]),
            1: pd.concat([forecast(0.1, 0.3, label=0), forecast(0.1, cutoff=later)]),
            5: forecast(0.4, 0.5),  # it could not be forecast from the later cutoff
        }
    )
    assert table["horizon"].tolist() == [1, 3, 5, 1, 3, 5, 1, 3]
    assert table["probability"].tolist() == [0.1, 0.2, 0.4, 0.3, 0.1, 0.5, 0.1, 0.3]
    np.testing.assert_allclose(table["cumulative"], [0.1, 0.2, 0.4, 0.2, 0.2, 0.5, 0.1, 0.3])
    assert table["label"].tolist() == [0, 1, pd.NA, 0, 1, pd.NA, pd.NA, pd.NA]
    assert table.loc[table["cutoff"] == later, "code_b"].tolist() == ["B00B", "B00B"]


def test_horizons_of_other_candidates_are_not_joined() -> None:
    with pytest.raises(ArtifactError, match="candidates of 2010-12-31 are not the same at horizons 1 and 3") as raised:
        horizon_table({1: forecast(0.1, 0.2), 3: forecast(0.1)})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"cumulative": [0.2, 0.1]}, "cumulative never falls"),
        ({"horizon": [3, 1]}, "horizons rise"),
        ({"horizon": [1, 1]}, "horizons rise"),
        ({"code_b": ["A01A", "B00B"]}, "code_a < code_b"),
        ({"hazard": [0.1, 1.1]}, "hazard"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(changes: dict[str, list[float]], rule: str) -> None:
    good = horizon_table({1: forecast(0.1), 3: forecast(0.2)})
    validate(good, Horizons, "horizons")
    with pytest.raises(ArtifactError, match=rule):
        validate(good.assign(**changes), Horizons, "horizons")


def test_a_list_takes_the_probabilities_of_the_last_cutoff_along_in_its_own_order() -> None:
    later = pd.Timestamp("2012-12-31")
    table = horizon_table(
        {
            1: pd.concat([forecast(0.9, 0.9), forecast(0.1, 0.3, cutoff=later)]),
            3: pd.concat([forecast(0.9, 0.9), forecast(0.2, 0.4, cutoff=later)]),
        }
    )
    ranked = pd.DataFrame({"rank": [1, 2], "code_a": "A01B", "code_b": ["B01B", "B00B"]})
    listed = with_cumulative(ranked, table)
    assert listed.drop(columns=["probability_1y", "probability_3y"]).equals(ranked)
    assert listed["probability_1y"].tolist() == [0.3, 0.1]
    assert listed["probability_3y"].tolist() == [0.4, 0.2]
