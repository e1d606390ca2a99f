"""The published fusion, net by net, against plain numpy."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from fusion.case import SIZES, planted
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ortho_group

from pipeline.fusion.base import ReferenceConfig
from pipeline.fusion.reference import Anchor, AttentionPooling, BilinearRelation, ReferenceFusion, recent_patents

QUICK = ReferenceConfig(epochs=5, batch_size=256)
ORIGINS = [planted(1), planted(2)]
TABLES = [table for table, _ in ORIGINS]
LABELS = [labels for _, labels in ORIGINS]
LATER, _ = planted(3)


@pytest.fixture(scope="module")
def fitted():
    return ReferenceFusion(QUICK).fit(TABLES, LABELS, seed=5)


def numbers(parameter):
    return parameter.detach().numpy()


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_the_most_recent_patents_with_text_are_pooled(seed, limit):
    rng = np.random.default_rng(seed)
    carriers, has_text = rng.random((6, 12)) < 0.4, rng.random(12) < 0.7
    patents, padding = recent_patents(sp.csr_array(carriers.astype(float)), has_text, limit)
    for code in range(6):
        expected = np.flatnonzero(carriers[code] & has_text)[::-1][:limit]
        assert patents[code][~padding[code]].tolist() == expected.tolist()


def test_pooling_is_a_softmax_over_the_codes_own_patents():
    torch.manual_seed(0)
    net = AttentionPooling(5, 3)
    vectors = torch.randn(7, 5)
    carried = [[0, 2, 6], [1], [], [3, 4]]
    patents, padding = torch.zeros(4, 3, dtype=torch.long), torch.ones(4, 3, dtype=torch.bool)
    for code, own in enumerate(carried):
        patents[code, : len(own)] = torch.tensor(own, dtype=torch.long)
        padding[code, : len(own)] = False
    pooled = numbers(net(vectors, patents, padding))
    down, bias, score = numbers(net.down.weight), numbers(net.down.bias), numbers(net.score.weight)[0]
    for code, own in enumerate(carried):
        weight = np.array([np.exp(score @ np.tanh(down @ vectors[p].numpy() + bias)) for p in own])
        expected = sum((w * vectors[p].numpy() for w, p in zip(weight / weight.sum(), own, strict=True)), np.zeros(5))
        np.testing.assert_allclose(pooled[code], expected, atol=1e-6)


def test_the_relation_is_built_from_projections_and_their_outer_product():
    torch.manual_seed(0)
    net = BilinearRelation(dimension=5, rank=3, width=4)
    codes, a, b = torch.randn(6, 5), torch.tensor([0, 2, 5]), torch.tensor([1, 4, 0])
    assert net.U.bias is None and net.V.bias is None
    relation = numbers(net(codes, a, b))
    for row, (i, j) in enumerate(zip(a, b, strict=True)):
        left, right = numbers(net.U.weight) @ codes[i].numpy(), numbers(net.V.weight) @ codes[j].numpy()
        joined = np.concatenate([left, right, np.outer(left, right).mean(axis=0)])
        hidden = np.maximum(numbers(net.relate[0].weight) @ joined + numbers(net.relate[0].bias), 0)
        expected = numbers(net.relate[2].weight) @ hidden + numbers(net.relate[2].bias)
        np.testing.assert_allclose(relation[row], expected, atol=1e-5)


def test_alignment_undoes_a_rotation_also_when_codes_come_and_go():
    rotation = ortho_group.rvs(6, random_state=1)
    turned = LATER.code_vectors["graph"] @ rotation
    turned[2] = np.nan
    aligned = Anchor.of(LATER).align(LATER.pairs.codes[::-1], turned[::-1])[::-1]
    np.testing.assert_allclose(
        np.delete(aligned, 2, axis=0), np.delete(LATER.code_vectors["graph"], 2, axis=0), atol=1e-6
    )
    assert (aligned[2] == 0).all()


def test_a_rotation_of_a_later_origins_graph_vectors_moves_no_score(fitted):
    rotation = ortho_group.rvs(6, random_state=2)
    turned = LATER.code_vectors | {"graph": LATER.code_vectors["graph"] @ rotation}
    other = dataclasses.replace(LATER, code_vectors=turned)
    np.testing.assert_allclose(fitted.logits(other), fitted.logits(LATER), atol=1e-4)


def test_vectors_are_the_concatenation_in_the_published_order(fitted):
    vectors, relation = fitted.vectors(LATER), QUICK.relation_width
    assert vectors.shape[1] == sum(SIZES.values()) + 2 * relation
    training = pd.concat([table.columns for table in TABLES])
    standard = ((LATER.columns - training.mean()) / training.std(ddof=0)).to_numpy()
    # bibliometric | relation, network, graph | relation, text, topic
    starts = {"bibliometric": 0, "network": 3 + relation, "graph": 7 + relation}
    starts |= {"text": 9 + 2 * relation, "topic": 12 + 2 * relation}
    place = 0
    for modality, size in SIZES.items():
        part = vectors[:, starts[modality] : starts[modality] + size]
        np.testing.assert_allclose(part, standard[:, place : place + size], atol=1e-4)
        place += size


def test_has_no_attention_over_modalities(fitted):
    weights = fitted.attention(LATER)
    assert weights.shape == (len(LATER.pairs), 0)
