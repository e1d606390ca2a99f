"""Two rankings compared: the numbers of each, and a difference that turns round with them."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss

from pipeline.errors import ConfigError
from pipeline.evaluation.compare import compare

PAIRS = list(combinations([f"A{n:02d}B" for n in range(20)], 2))


def ranking(seed: int, skill: float, cutoffs: tuple[str, ...] = ("2010-12-31", "2011-12-31")) -> pd.DataFrame:
    """Labelled predictions of all pairs; the labels depend on the cutoff alone."""
    tables = []
    for number, cutoff in enumerate(cutoffs):
        label = (np.random.default_rng(number).random(len(PAIRS)) < 0.2).astype(int)
        score = skill * label + np.random.default_rng([seed, number]).normal(size=len(PAIRS))
        table = pd.DataFrame(PAIRS, columns=["code_a", "code_b"]).assign(
            cutoff=pd.Timestamp(cutoff), label=label, score_raw=score, probability=1 / (1 + np.exp(-score))
        )
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="module")
def good() -> pd.DataFrame:
    return ranking(1, skill=2.0)


@pytest.fixture(scope="module")
def poor() -> pd.DataFrame:
    return ranking(2, skill=0.2)


@pytest.fixture(scope="module")
def table(good: pd.DataFrame, poor: pd.DataFrame) -> pd.DataFrame:
    return compare(good, poor.sample(frac=1, random_state=3), repeats=50, seed=7)


def test_each_value_is_that_of_its_own_ranking(table: pd.DataFrame, good: pd.DataFrame, poor: pd.DataFrame) -> None:
    for cutoff in ("2010-12-31", "2011-12-31"):
        for column, whole in (("this", good), ("other", poor)):
            one = whole[whole["cutoff"] == cutoff]
            told = table[table["cutoff"] == cutoff].set_index("metric")[column]
            assert told["average_precision"] == pytest.approx(average_precision_score(one["label"], one["score_raw"]))
            assert told["brier"] == pytest.approx(brier_score_loss(one["label"], one["probability"]))
    means = table[table["cutoff"] == "mean"].set_index(["metric", "k"])["this"]
    parts = table[table["cutoff"] != "mean"].groupby(["metric", "k"], dropna=False)["this"].mean()
    np.testing.assert_allclose(means.sort_index(), parts.sort_index())


def test_the_better_is_ahead_beyond_chance_and_only_where_it_is_resampled(table: pd.DataFrame) -> None:
    known = table[table["low"].notna()]
    assert set(known["metric"]) == {"average_precision", "roc_auc", "precision"}
    assert (known["low"] > 0).all()
    assert known["difference"].between(known["low"] - 0.1, known["high"] + 0.1).all()


def test_turned_round_it_says_the_same(table: pd.DataFrame, good: pd.DataFrame, poor: pd.DataFrame) -> None:
    turned = compare(poor, good, repeats=50, seed=7)
    np.testing.assert_allclose(turned["difference"], -table["difference"])
    np.testing.assert_allclose(turned["low"], -table["high"])


def test_only_shared_cutoffs_count_and_one_has_no_mean(good: pd.DataFrame, poor: pd.DataFrame) -> None:
    first = poor[poor["cutoff"] == "2010-12-31"]
    assert set(compare(good, first, repeats=20, seed=1)["cutoff"]) == {"2010-12-31"}
    with pytest.raises(ConfigError, match="no cutoff in common"):
        compare(good[good["cutoff"] == "2011-12-31"], first, repeats=20, seed=1)


def test_other_candidates_or_outcomes_are_refused(good: pd.DataFrame, poor: pd.DataFrame) -> None:
    for wrong in (poor.iloc[1:], poor.assign(label=1 - poor["label"])):
        with pytest.raises(ConfigError, match="in their candidates"):
            compare(good, wrong, repeats=20, seed=1)
