"""Ranks of values among candidates that are never all at hand: read off the distribution of a sample of them.

Exact ranks need the whole column, sorted. Here the sample's shares are kept in a table over the leading bits of a
float32: one look-up a value, whatever the sample's size. Two errors follow, both small beside what a learner can see.
The sample's: with n rows drawn, no share is off by more than sqrt(log(2 / d) / 2n) with chance 1 - d (Dvoretzky, Kiefer
& Wolfowitz 1956; Massart 1990): .004 for 200,000 rows and d = .001. The bits': values within a 512th of each other may
count as ties.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np
import pandas as pd

DROPPED = 14  # bits of a float32: sign, exponent and 9 bits of the fraction stay
_STEPS = 1 << (32 - DROPPED)


@dataclasses.dataclass(frozen=True)
class Ruler:
    """Of each column the rank share, in (0, 1), of every value a float32 can have."""

    shares: dict[str, np.ndarray]

    @classmethod
    def of(cls, columns: pd.DataFrame, weights: np.ndarray) -> "Ruler":
        """The distribution of the columns (float32) over rows that stand for so many candidates each."""
        return cls({str(name): _shares(values.to_numpy(), weights) for name, values in columns.items()})

    def ranks(self, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Rank shares (float32) of the columns it knows, ties at their mean; a missing value stays missing."""
        return {name: table.take(_places(columns[name])) for name, table in self.shares.items()}


def _shares(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    mass = np.bincount(_places(values[known]), weights[known], minlength=_STEPS)
    total = max(mass.sum(), 1.0)
    # beyond the sample's extremes a value ranks as the last of all candidates would
    shares = np.clip((np.cumsum(mass) - mass / 2) / total, 0.5 / total, 1 - 0.5 / total).astype(np.float32)
    shares[: _INFINITE[0]] = shares[_INFINITE[1] + 1 :] = np.nan  # beyond the infinities lie the missing values
    return shares


def _places(values: np.ndarray) -> np.ndarray:
    """The leading bits of float32 values as numbers that rise with them."""
    bits = (np.asarray(values, dtype=np.float32) + np.float32(0)).view(np.int32)  # + 0 makes one zero of two
    rising = bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))
    return (rising >> DROPPED) + np.int32(_STEPS // 2)


_INFINITE = _places(np.array([-np.inf, np.inf]))
