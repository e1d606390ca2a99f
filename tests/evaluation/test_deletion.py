"""The deletion check: it holds where the reasons are true, and says so where they are not."""

import dataclasses

import numpy as np
import pytest
from evaluation.toy import toy_columns, toy_ensemble

from pipeline.evaluation.deletion import deletion_check
from pipeline.evaluation.drivers import Drivers, find_drivers
from pipeline.ranking.baselines import HEURISTICS

MATTERS = {"adamic_adar": 1.0, "activity_product": 0.2, "text_cosine": 0.1}


def head(weights: dict[str, float], seed: int = 5) -> Drivers:
    """The drivers of the ten candidates ranked first."""
    ensemble = toy_ensemble(toy_columns([HEURISTICS[name] for name in weights], seed), weights)
    return find_drivers(ensemble, np.argsort(-ensemble.score_raw)[:10], seed=1)


def test_true_reasons_stand_the_check() -> None:
    drivers = head(MATTERS)
    record = deletion_check(drivers, seed=1)
    assert (record["pairs"], record["decomposed_weight"]) == (10, 1)
    # each member reads its own column, so what is named takes its parts with it
    parts = (drivers.features * drivers.named).sum(axis=1)
    assert record["features"]["named"] == pytest.approx(parts.mean(), abs=1e-5)
    assert record["features"]["deleted"] == pytest.approx(drivers.named.sum(axis=1).mean())
    assert record["features"]["named"] >= record["features"]["random"] > record["features"]["least"] - 1e-9


def test_the_top_modality_is_compared_with_the_mean_of_the_others() -> None:
    drivers = head(MATTERS)
    values = np.sort(drivers.modalities.to_numpy(), axis=1)
    record = deletion_check(drivers, seed=1)["modalities"]
    assert record["named"] == pytest.approx(values[:, -1].mean(), abs=1e-5)
    assert record["other"] == pytest.approx(values[:, :-1].mean(), abs=1e-5)
    assert (record["share"], record["holds"]) == (1, True)


def test_false_reasons_fail_it() -> None:
    true = head(dict.fromkeys(HEURISTICS_OF_ALL, 0.1) | {"adamic_adar": 1.0})
    assert deletion_check(true, seed=1)["features"]["holds"]
    false = dataclasses.replace(true, features=-true.features, modalities=-true.modalities)
    record = deletion_check(false, seed=1)
    assert not record["features"]["holds"] and not record["modalities"]["holds"]
    assert record["features"]["named"] < record["features"]["random"]


HEURISTICS_OF_ALL = [
    "adamic_adar", "activity_product", "degree_product", "common_neighbours", "weighted_common_neighbours",
    "resource_allocation", "katz", "pmi", "text_cosine",
]  # fmt: skip


def test_a_modality_a_pair_lacks_is_neither_top_nor_rival() -> None:
    columns = toy_columns([HEURISTICS[name] for name in MATTERS], seed=5)
    columns[HEURISTICS["text_cosine"]][50:] = np.nan
    ensemble = toy_ensemble(columns, MATTERS)
    rows = 50 + np.argsort(ensemble.score_raw[50:])[:10]  # the last: what they have speaks against them
    drivers = find_drivers(ensemble, rows, seed=1)
    values = np.sort(drivers.modalities[["network", "cooccurrence"]].to_numpy(), axis=1)
    assert (values[:, 1] < 0).any()
    record = deletion_check(drivers, seed=1)["modalities"]
    assert record["named"] == pytest.approx(values[:, 1].mean(), abs=1e-5)
    assert record["other"] == pytest.approx(values[:, 0].mean(), abs=1e-5)


def test_with_one_modality_there_is_none_to_compare_with() -> None:
    record = deletion_check(head({"adamic_adar": 1.0, "katz": 0.5}), seed=1)
    assert record["modalities"] is None
    assert record["features"]["named"] > 0


def test_a_seed_decides_the_draws() -> None:
    drivers = head(MATTERS)
    assert deletion_check(drivers, seed=1) == deletion_check(drivers, seed=1)
    assert (
        deletion_check(drivers, seed=1)["features"]["random"] != deletion_check(drivers, seed=2)["features"]["random"]
    )
