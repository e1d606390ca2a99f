"""Ways to join the tokens of a pair's modalities into one vector; a token that is absent has no say in any.

Each takes tokens (pairs x modalities x width) and which are present (pairs x modalities), and gives the fused vector
(pairs x width) and the weights of the modalities (pairs x modalities, 0 for all where none is present; no columns where
the pooling has no weights).
"""

import torch
from torch import Tensor, nn


class AttentionPooling(nn.Module):
    """Additive attention of one learnt query (Bahdanau, Cho & Bengio 2015): the modalities compete."""

    def __init__(self, modalities: int, width: int) -> None:
        super().__init__()
        self.down = nn.Linear(width, width)
        self.query = nn.Linear(width, 1, bias=False)

    def forward(self, tokens: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """See the module."""
        score = self.query(torch.tanh(self.down(tokens))).squeeze(2)
        score = score.masked_fill(~present, torch.finfo(score.dtype).min)
        weights = torch.softmax(score, dim=1) * present
        return (weights.unsqueeze(2) * tokens).sum(dim=1), weights


class GatedMean(nn.Module):
    """Mean of the tokens, each under a gate of its own in (0, 1): they do not compete (cf. Arevalo et al. 2017)."""

    def __init__(self, modalities: int, width: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, 1)

    def forward(self, tokens: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """See the module."""
        gates = torch.sigmoid(self.gate(tokens)).squeeze(2) * present
        weights = gates / gates.sum(dim=1, keepdim=True).clamp(min=1e-6)
        return (weights.unsqueeze(2) * tokens).sum(dim=1), weights


class Concatenation(nn.Module):
    """The tokens side by side, absent ones as zeros, through one linear layer."""

    def __init__(self, modalities: int, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(modalities * width, width)

    def forward(self, tokens: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """See the module."""
        shown = (tokens * present.unsqueeze(2)).flatten(start_dim=1)
        return self.layer(shown), tokens.new_zeros((len(tokens), 0))


POOLINGS: dict[str, type[nn.Module]] = {
    "attention": AttentionPooling,
    "gated_mean": GatedMean,
    "concatenation": Concatenation,
}
