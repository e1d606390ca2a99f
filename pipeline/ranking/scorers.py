"""The ensemble's members, each as a function of feature rows: what is needed to ask what would be if."""

import dataclasses
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import lightgbm
import numpy as np
import pandas as pd
from scipy.special import logit

from pipeline.config import FUSION
from pipeline.ranking.base import Origin
from pipeline.ranking.baselines import HEURISTICS, OF_LINKED
from pipeline.ranking.decompose import contributions
from pipeline.ranking.ensemble import Ranking
from pipeline.ranking.learners import logit_of_rank
from pipeline.ranking.prior_ranker import PriorRanker

_LEAST = -20.0  # below the logit of any rank: where heuristics put unknown values


@dataclasses.dataclass(frozen=True)
class Scorer(ABC):
    """One member: the columns it reads, and how it scores rows of them (float32 ranks, NaN where unknown).

    ``masks``: whether it can leave out what is unknown. The others cannot: LightGBM reads NaN as the lowest rank in
    any column that was complete in training.
    """

    columns: list[str]
    masks: ClassVar[bool] = False

    @abstractmethod
    def raw(self, X: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """One number a row, rising with the member's own score; log odds where it has them.

        ``rows``: the candidates that the rows of X are variants of.
        """

    @abstractmethod
    def parts(self, X: np.ndarray, population: np.ndarray) -> np.ndarray | None:
        """Additive parts of ``raw`` (rows x columns), None where there are none; see ``decompose.contributions``."""


def scorers(ranking: Ranking, target: Origin, window: int) -> dict[str, Scorer]:
    """The members that have a weight, by name.

    ``target``: with all its columns; ``window``: in years, for the heuristics of recent links.
    """
    made: dict[str, Scorer] = {}
    ranker = ranking.prior_ranker
    for name in (name for name, weight in ranking.weights.items() if weight > 0):
        kind, _, which = name.partition("/")
        if name == FUSION:
            made[name] = Net(ranking.columns, ranking.fitted[name], target.select(ranking.columns))
        elif kind == "heuristic":
            made[name] = Heuristic([(HEURISTICS | OF_LINKED)[which].format(w=window)])
        elif kind == "prior" and ranker is not None:
            made[name] = _travelled(ranker, name, target)
        else:
            made[name] = Learner(ranking.columns, ranking.fitted[name])
    return made


def _travelled(ranker: PriorRanker, member: str, target: Origin) -> Scorer:
    expert, model = ranker.model(member)
    if model == "boosted":
        return Trees(expert.columns, lightgbm.Booster(model_str=expert.boosted))
    head = expert.head(target.features)
    return Linear(list(head), np.array(list(head.values())))


@dataclasses.dataclass(frozen=True)
class Learner(Scorer):
    """A learner of stage one, fitted."""

    model: Any

    def raw(self, X: np.ndarray, rows: np.ndarray) -> np.ndarray:
        # in double precision: a learner may answer in single, where the upper bound would be 1
        probability = np.asarray(self.model.predict_proba(X)[:, 1], dtype=float)
        return np.asarray(logit(np.clip(probability, 1e-15, 1 - 1e-15)))

    def parts(self, X: np.ndarray, population: np.ndarray) -> np.ndarray | None:
        return contributions(self.model, X, population)


@dataclasses.dataclass(frozen=True)
class Trees(Scorer):
    """The boosted model of the prior ranker."""

    booster: lightgbm.Booster

    def raw(self, X: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.asarray(self.booster.predict(X, raw_score=True, num_threads=1))

    def parts(self, X: np.ndarray, population: np.ndarray) -> np.ndarray | None:
        return contributions(self.booster, X, population)


@dataclasses.dataclass(frozen=True)
class Linear(Scorer):
    """The linear model of the prior ranker: weights on the logits of ranks, a missing rank being the middle one."""

    weights: np.ndarray

    def raw(self, X: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.asarray(np.nan_to_num(logit_of_rank(X)) @ self.weights)

    def parts(self, X: np.ndarray, population: np.ndarray) -> np.ndarray | None:
        usual = np.nan_to_num(logit_of_rank(population)).mean(axis=0)
        return np.asarray((np.nan_to_num(logit_of_rank(X)) - usual) * self.weights)


@dataclasses.dataclass(frozen=True)
class Heuristic(Scorer):
    """The order of one column's values, unknown ones last."""

    def raw(self, X: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return self.parts(X, X)[:, 0]

    def parts(self, X: np.ndarray, population: np.ndarray) -> np.ndarray:
        return np.nan_to_num(logit(X.astype(float)), nan=_LEAST)


@dataclasses.dataclass(frozen=True)
class Net(Scorer):
    """The fusion net, which also reads the code vectors of the modalities that are not masked."""

    model: Any
    target: Origin
    masks: ClassVar[bool] = True

    def raw(self, X: np.ndarray, rows: np.ndarray) -> np.ndarray:
        table = self.target.take(rows).table
        return np.asarray(self.model.logits(dataclasses.replace(table, columns=pd.DataFrame(X, columns=self.columns))))

    def parts(self, X: np.ndarray, population: np.ndarray) -> np.ndarray | None:
        return None
