"""The default fusion: symmetric in the two codes, silent about what is absent, attentive to what carries the signal."""

import dataclasses

import numpy as np
import pytest
from fusion.case import SIZES, planted
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from pipeline.fusion.attention import AttentionFusion
from pipeline.fusion.base import AttentionConfig

QUICK = AttentionConfig(epochs=30, batch_size=1024, learning_rate=2e-2)
ORIGINS = [planted(1), planted(2)]
LATER, OUTCOME = planted(3)


@pytest.fixture(scope="module")
def fitted():
    return AttentionFusion(QUICK).fit([table for table, _ in ORIGINS], [labels for _, labels in ORIGINS], seed=5)


def test_the_order_of_the_two_codes_changes_no_bit(fitted):
    pairs = LATER.pairs
    swapped = dataclasses.replace(LATER, pairs=dataclasses.replace(pairs, a=pairs.b, b=pairs.a))
    np.testing.assert_array_equal(fitted.logits(swapped), fitted.logits(LATER))
    np.testing.assert_array_equal(fitted.vectors(swapped), fitted.vectors(LATER))


def test_text_vectors_of_the_codes_count_and_graph_vectors_do_not(fitted):
    def turned(name):
        vectors = LATER.code_vectors | {name: LATER.code_vectors[name][:, ::-1]}
        return fitted.logits(dataclasses.replace(LATER, code_vectors=vectors))

    assert (turned("graph") == fitted.logits(LATER)).all()
    assert (turned("text") != fitted.logits(LATER)).any()


def test_weights_sum_to_one_and_name_the_modalities(fitted):
    weights = fitted.attention(LATER)
    assert list(weights.columns) == list(SIZES)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    assert (weights.to_numpy() >= 0).all()


def test_the_modality_that_carries_the_signal_gets_the_attention_of_those_that_converge(fitted):
    positives = fitted.attention(LATER)[OUTCOME == 1].mean()
    assert positives.idxmax() == "network" and positives["network"] > 2 / len(SIZES)


def test_ranks_about_as_well_as_logistic_regression_on_its_home_ground(fitted):
    X = np.concatenate([table.columns for table, _ in ORIGINS])
    y = np.concatenate([labels for _, labels in ORIGINS])
    linear = LogisticRegression(C=100.0).fit(X, y).decision_function(LATER.columns.to_numpy())
    ours = average_precision_score(OUTCOME, fitted.logits(LATER))
    assert ours > 0.9 * average_precision_score(OUTCOME, linear)


def test_an_absent_modality_has_exactly_no_weight_and_no_say(fitted):
    gone = np.arange(len(LATER.pairs)) % 3 == 0
    columns = LATER.columns.copy()
    columns.loc[gone, [name for name in columns if name.startswith("text")]] = np.nan
    table = dataclasses.replace(LATER, columns=columns)
    weights = fitted.attention(table)
    assert (weights.loc[gone, "text"] == 0).all() and (weights.loc[~gone, "text"] > 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    other = dataclasses.replace(table, code_vectors=table.code_vectors | {"text": -table.code_vectors["text"]})
    np.testing.assert_array_equal(fitted.logits(other)[gone], fitted.logits(table)[gone])


def test_a_pair_without_any_modality_has_no_weights_and_a_finite_logit(fitted):
    columns = LATER.columns.copy()
    columns.iloc[0] = np.nan
    table = dataclasses.replace(LATER, columns=columns)
    assert (fitted.attention(table).iloc[0] == 0).all()
    assert np.isfinite(fitted.logits(table)).all()


def test_columns_that_are_not_ranks_are_refused():
    table, labels = planted(1)
    with pytest.raises(ValueError, match="ranks in"):
        AttentionFusion(QUICK).fit([dataclasses.replace(table, columns=table.columns * 10)], [labels], seed=5)


@pytest.mark.parametrize("pooling", ["gated_mean", "concatenation"])
def test_another_pooling_finds_the_signal_too_and_only_what_has_weights_shows_them(pooling):
    config = QUICK.model_copy(update={"pooling": pooling})
    fitted = AttentionFusion(config).fit([table for table, _ in ORIGINS], [labels for _, labels in ORIGINS], seed=5)
    assert average_precision_score(OUTCOME, fitted.logits(LATER)) > 8 * OUTCOME.mean()
    assert list(fitted.attention(LATER).columns) == (list(SIZES) if pooling == "gated_mean" else [])


def test_resampling_ranks_but_leaves_the_level_too_high():
    tables, labels = [table for table, _ in ORIGINS], [labels for _, labels in ORIGINS]
    plain = AttentionFusion(QUICK.model_copy(update={"tau": 0.0})).fit(tables, labels, seed=5).logits(LATER)
    resampled = AttentionFusion(QUICK.model_copy(update={"imbalance": "resampling"})).fit(tables, labels, seed=5)
    logits = resampled.logits(LATER)
    assert average_precision_score(OUTCOME, logits) > 8 * OUTCOME.mean()
    assert np.median(expit(logits)) > 1.1 * np.median(expit(plain))  # by how much depends on the draws
