"""Joining tokens, against the formulas pair by pair."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from pipeline.fusion.pooling import POOLINGS, AttentionPooling, Concatenation, GatedMean

PRESENT = torch.tensor([[1, 1, 1], [1, 0, 1], [0, 0, 1], [0, 0, 0], [1, 1, 0], [1, 1, 0]]).bool()


def values(module: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: value.detach().numpy() for name, value in module.state_dict().items()}


def attention_score(module: AttentionPooling) -> Callable[[np.ndarray], float]:
    own = values(module)
    return lambda token: float(np.exp(own["query.weight"][0] @ np.tanh(own["down.weight"] @ token + own["down.bias"])))


def gate(module: GatedMean) -> Callable[[np.ndarray], float]:
    own = values(module)
    return lambda token: float(1 / (1 + np.exp(-(own["gate.weight"][0] @ token + own["gate.bias"][0]))))


@pytest.mark.parametrize(("kind", "score"), [(AttentionPooling, attention_score), (GatedMean, gate)])
def test_the_fused_vector_is_the_mean_of_the_present_tokens_by_their_scores(kind, score) -> None:
    torch.manual_seed(0)
    module, tokens = kind(3, 4), torch.randn(6, 3, 4)
    of = score(module)
    fused, weights = (result.detach().numpy() for result in module(tokens, PRESENT))
    for pair in range(6):
        there = [index for index in range(3) if PRESENT[pair, index]]
        scores = np.array([of(tokens[pair, index].numpy()) for index in there])
        expected = np.zeros(3)
        expected[there] = scores / scores.sum()
        np.testing.assert_allclose(weights[pair], expected, atol=1e-6)
        np.testing.assert_allclose(fused[pair], expected @ tokens[pair].numpy(), atol=1e-6)


def test_concatenation_is_linear_in_the_present_tokens_and_has_no_weights() -> None:
    torch.manual_seed(0)
    module, tokens = Concatenation(3, 4), torch.randn(6, 3, 4)
    fused, weights = (result.detach().numpy() for result in module(tokens, PRESENT))
    shown = (tokens.numpy() * PRESENT.numpy()[:, :, None]).reshape(6, 12)
    own = values(module)
    np.testing.assert_allclose(fused, shown @ own["layer.weight"].T + own["layer.bias"], atol=1e-5)
    assert weights.shape == (6, 0)


@pytest.mark.parametrize("name", list(POOLINGS))
def test_an_absent_token_has_no_say(name: str) -> None:
    torch.manual_seed(0)
    module, tokens = POOLINGS[name](3, 4), torch.randn(6, 3, 4)
    other = torch.where(PRESENT.unsqueeze(2), tokens, torch.randn(6, 3, 4))
    torch.testing.assert_close(module(tokens, PRESENT)[0], module(other, PRESENT)[0])
