"""The shipped ensemble on changed features: what a candidate's score would be were it otherwise, all else equal.

A member's score of a changed row is looked up among its scores of the target's candidates as they are, so it stands
on the rank-logit scale that the weights apply to. With nothing changed the score is the shipped one.
"""

import dataclasses

import numpy as np

from pipeline.ranking.base import Origin
from pipeline.ranking.ensemble import Ranking
from pipeline.ranking.scorers import Scorer, scorers

MIDDLE = 0.5  # the rank that stands for a value taken away


@dataclasses.dataclass(frozen=True)
class Member:
    """A member with its weight, the places of its columns, and its curve from raw score to rank logit.

    ``logits``: its rank logits of the candidates. ``slope``: rank logits that one unit of the raw score is worth among
    the better half of them, as a ratio of standard deviations.
    """

    scorer: Scorer
    weight: float
    place: np.ndarray
    logits: np.ndarray
    curve: tuple[np.ndarray, np.ndarray]
    slope: float


@dataclasses.dataclass(frozen=True)
class Rescorer:
    """The ensemble at one target; ``shares``: the candidates' ranks as they are (candidates x ``columns``, float32)."""

    columns: list[str]
    shares: np.ndarray
    score_raw: np.ndarray
    members: dict[str, Member]

    def score(self, X: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """The raw score of each row of X (variants x columns), a variant of the candidate in ``rows``.

        A known value set to NaN is hidden: masked where a member can, the middle rank elsewhere.
        """
        filled = np.where(np.isnan(X) & ~np.isnan(self.shares[rows]), np.float32(MIDDLE), X)
        total = self.score_raw[rows].astype(float)
        for member in self.members.values():
            seen = (X if member.scorer.masks else filled)[:, member.place]
            now = np.interp(member.scorer.raw(seen, rows), *member.curve)
            total += member.weight * (now - member.logits[rows])
        return total

    def without(self, rows: np.ndarray, hidden: np.ndarray) -> np.ndarray:
        """Scores of the candidates ``rows`` with the values marked in ``hidden`` (rows x columns, bool) hidden."""
        return self.score(np.where(hidden, np.float32(np.nan), self.shares[rows]), rows)


def rescorable(ranking: Ranking) -> bool:
    """Whether the score is a weighted sum of the members' rank logits: the reference recipe's is not."""
    return list(ranking.weights) == list(ranking.members) and any(ranking.weights.values())


def rescorer(ranking: Ranking, target: Origin, window: int) -> Rescorer:
    """The ensemble that gave the ranking, ready to score changed rows of ``target`` (with all its columns).

    ``window``: in years, for the heuristics of recent links. The ranking must be ``rescorable``.
    """
    made = scorers(ranking, target, window)
    columns = list(dict.fromkeys(column for scorer in made.values() for column in scorer.columns))
    at = {column: place for place, column in enumerate(columns)}
    shares = target.features.reindex(columns=columns).to_numpy(dtype=np.float32)
    everyone = np.arange(len(shares))
    members = {}
    for name, scorer in made.items():
        place = np.array([at[column] for column in scorer.columns])
        raw, logits = scorer.raw(shares[:, place], everyone), ranking.members[name].to_numpy()
        known, first = np.unique(raw, return_index=True)
        better = logits > 0
        slope = float(logits[better].std() / max(raw[better].std(), 1e-12)) if better.any() else 0.0
        members[name] = Member(scorer, ranking.weights[name], place, logits, (known, logits[first]), slope)
    return Rescorer(columns, shares, ranking.score_raw, members)
