"""What moved a candidate: shares that add up to its score, and are what a small known ensemble says they are."""

import dataclasses
from itertools import permutations

import numpy as np
import pytest
from evaluation.toy import toy_columns, toy_ensemble

from pipeline.evaluation import shapley
from pipeline.evaluation.drivers import FEATURES, find_drivers, smallest
from pipeline.ranking.baselines import HEURISTICS
from pipeline.ranking.rescore import Member, Rescorer
from pipeline.ranking.scorers import Learner

WEIGHTS = {"adamic_adar": 0.6, "katz": 0.3, "activity_product": 0.4, "text_cosine": 0.2}
ROWS = np.array([3, 100, 7, 324])


class Both:
    """A learner to whom only both of its two columns together matter."""

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        probability = 1 / (1 + np.exp(-4 * X[:, 0] * X[:, 1] * X[:, 2]))
        return np.column_stack([1 - probability, probability])


@pytest.fixture
def ensemble() -> Rescorer:
    return toy_ensemble(toy_columns([HEURISTICS[name] for name in WEIGHTS], seed=5), WEIGHTS)


def interacting(ensemble: Rescorer) -> Rescorer:
    """The same with a learner that reads one column of each modality, its weight not in the shipped score."""
    scorer = Learner([HEURISTICS[name] for name in ("adamic_adar", "activity_product", "text_cosine")], Both())
    place = np.array([ensemble.columns.index(column) for column in scorer.columns])
    raw = scorer.raw(ensemble.shares[:, place], ROWS)
    known, first = np.unique(raw, return_index=True)
    member = Member(scorer, 0.7, place, raw, (known, raw[first]), 1.0)
    return dataclasses.replace(
        ensemble, score_raw=ensemble.score_raw + 0.7 * raw, members=ensemble.members | {"both": member}
    )


def logits(ensemble: Rescorer, name: str) -> np.ndarray:
    share = ensemble.shares[ROWS, ensemble.columns.index(HEURISTICS[name])].astype(float)
    return np.log(share / (1 - share))


def test_where_members_add_up_a_modality_gets_what_its_members_give(ensemble: Rescorer) -> None:
    drivers = find_drivers(ensemble, ROWS, seed=1)
    expected = {
        "network": 0.6 * logits(ensemble, "adamic_adar") + 0.3 * logits(ensemble, "katz"),
        "cooccurrence": 0.4 * logits(ensemble, "activity_product"),
        "text": 0.2 * logits(ensemble, "text_cosine"),
    }
    assert list(drivers.modalities) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(drivers.modalities[name], values, atol=1e-5)
    np.testing.assert_allclose(drivers.base, -2.5, atol=1e-5)


def test_where_they_interact_it_is_the_mean_gain_over_all_orders(ensemble: Rescorer) -> None:
    joint = interacting(ensemble)
    drivers = find_drivers(joint, ROWS, seed=1)
    modality = np.array([column.partition("__")[0] for column in joint.columns])
    gains = dict.fromkeys(drivers.modalities, np.zeros(len(ROWS)))
    orders = list(permutations(gains))
    for order in orders:
        for place, name in enumerate(order):
            before, after = (
                joint.without(ROWS, np.tile(~np.isin(modality, order[:end]), (len(ROWS), 1)))
                for end in (place, place + 1)
            )
            gains[name] = gains[name] + (after - before) / len(orders)
    for name, expected in gains.items():
        np.testing.assert_allclose(drivers.modalities[name], expected, atol=1e-9)
    assert np.abs(drivers.modalities - find_drivers(ensemble, ROWS, 1).modalities).to_numpy().max() > 0.1


@pytest.mark.parametrize("limit", [shapley.EXACT, 1], ids=["exact", "sampled"])
def test_base_and_modalities_add_up_to_the_shipped_score(
    ensemble: Rescorer, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapley, "EXACT", limit)
    joint = interacting(ensemble)
    drivers = find_drivers(joint, ROWS, seed=1)
    total = drivers.base + drivers.modalities.sum(axis=1).to_numpy()
    np.testing.assert_allclose(total, joint.score_raw[ROWS], rtol=0, atol=1e-12)


def test_a_modality_a_pair_lacks_gives_it_nothing_and_one_that_all_lack_is_not_there() -> None:
    columns = toy_columns([HEURISTICS[name] for name in WEIGHTS], seed=5)
    columns[HEURISTICS["text_cosine"]][ROWS[1]] = np.nan
    part = find_drivers(toy_ensemble(columns, WEIGHTS), ROWS, seed=1)
    assert part.modalities["text"].iloc[1] == pytest.approx(0, abs=1e-12)
    assert (part.modalities["text"].drop(1).abs() > 1e-3).all()
    columns[HEURISTICS["text_cosine"]][:] = np.nan
    none = find_drivers(toy_ensemble(columns, WEIGHTS), ROWS, seed=1)
    assert list(none.modalities) == ["network", "cooccurrence"]


def test_a_features_part_is_weighted_as_its_member_is_in_the_ensemble(ensemble: Rescorer) -> None:
    drivers = find_drivers(ensemble, ROWS, seed=1)
    for name, weight in WEIGHTS.items():
        part = drivers.features[:, ensemble.columns.index(HEURISTICS[name])]
        np.testing.assert_allclose(part, weight * logits(ensemble, name), rtol=1e-4)
    assert drivers.decomposed == 1
    assert find_drivers(interacting(ensemble), ROWS, seed=1).decomposed == pytest.approx(1.5 / 2.2)


def test_named_are_the_first_that_speak_for_the_pair_and_are_known() -> None:
    columns = toy_columns([HEURISTICS[name] for name in WEIGHTS], seed=5)
    columns[HEURISTICS["adamic_adar"]][ROWS] = np.nan  # unknown ranks last, which is no reason to name it
    drivers = find_drivers(toy_ensemble(columns, WEIGHTS), ROWS, seed=1)
    assert ((drivers.features > 0) == drivers.named).all()  # four features: all that are positive
    assert not (drivers.named & ~drivers.known).any()
    assert drivers.named.sum(axis=1).max() <= FEATURES


def test_of_many_only_the_largest_are_named(ensemble: Rescorer) -> None:
    parts = np.array([[9.0, 1, 2, 3, 4, 5, 6, -1], [0, -1, 0, 0, 0, 0, 2, 1]])
    drivers = dataclasses.replace(find_drivers(ensemble, ROWS, seed=1), features=parts)
    assert [np.flatnonzero(row).tolist() for row in drivers.named] == [[0, 3, 4, 5, 6], [6, 7]]


def test_smallest_marks_as_many_as_asked_a_row() -> None:
    marked = smallest(np.array([[3.0, 1, 2], [1, 1, 1], [0, 9, 8]]), np.array([2, 1, 0]))
    assert marked.tolist() == [[False, True, True], [True, False, False], [False, False, False]]
