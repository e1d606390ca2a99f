"""What a forecast at one cutoff consists of, whether its candidates are one table or go by in blocks."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import schemas
from pipeline.artifacts import atomic_path
from pipeline.background.summary import Summary
from pipeline.corpus.timeline import Corpus, months_before, years_before
from pipeline.features.base import modality_columns
from pipeline.mapping import Item, Made
from pipeline.pairs.candidates import Candidates, Universe
from pipeline.ranking.base import PARTIAL, Origin, shared_columns
from pipeline.ranking.calibration import interval
from pipeline.ranking.ensemble import Ranking
from pipeline.ranking.prior_ranker import PriorRanker, load_prior_ranker
from pipeline.ranking.provenance import taught_later
from pipeline.run_config import RunConfig


@dataclasses.dataclass(frozen=True)
class WholeList:
    """All candidates with their scores, one number a candidate in the order of ``Candidates.blocks``."""

    candidates: Candidates
    score_raw: np.ndarray
    probability: np.ndarray
    rank: np.ndarray

    def write(self, path: Path) -> None:
        """As Parquet with a row group a block: code_a, code_b, score_raw, probability, rank."""
        codes = pa.array(self.candidates.codes.astype(str).tolist())
        done = 0
        with atomic_path(path) as temporary, pq.ParquetWriter(temporary, _WHOLE_LIST, compression="zstd") as writer:
            for a, b in self.candidates.blocks():
                rows = slice(done, done := done + len(a))
                columns = [
                    *(pa.DictionaryArray.from_arrays(pa.array(side, type=pa.int32()), codes) for side in (a, b)),
                    *(pa.array(values[rows]) for values in (self.score_raw, self.probability, self.rank)),
                ]
                writer.write_table(pa.Table.from_arrays(columns, schema=_WHOLE_LIST))


_NAME = pa.dictionary(pa.int32(), pa.string())
_WHOLE_LIST = pa.schema(
    [
        ("code_a", _NAME),
        ("code_b", _NAME),
        ("score_raw", pa.float64()),
        ("probability", pa.float64()),
        ("rank", pa.int64()),
    ]
)


@dataclasses.dataclass(frozen=True)
class CutoffForecast:
    """What one cutoff gives: predictions (schema ``Predictions``, labels open), and how they came about.

    ``target`` and ``ranking``: the candidates in the order of the predictions. ``whole_list``: where these are too many
    for one table, the scores of all; then the predictions are the head of the list, and after it in ``target`` and
    ``ranking`` comes a sample of all.
    """

    predictions: pd.DataFrame
    universe: Universe
    target: Origin
    ranking: Ranking
    prior: float
    training: list[pd.Timestamp]
    timings: dict[str, float]
    warnings: tuple[str, ...]
    whole_list: WholeList | None = None


class Remote(Protocol):
    """Applies a function to items in other processes, which have the history of this forecast too: see ``Mapper``.

    The function is given that history, the configuration and the background beside the item.
    """

    def __call__(
        self, function: Callable[[Corpus, RunConfig, Summary | None, Item], Made], items: Iterable[Item], /
    ) -> Iterator[Made]:
        """The results, in the order of the items."""


def usable_prior_ranker(history: Corpus, config: RunConfig) -> tuple[PriorRanker | None, list[str]]:
    path = config.prior_ranker_file()
    if path is None:
        return None, []
    ranker = load_prior_ranker(path)
    refused, notes = taught_later(history, ranker.card)
    return None if refused else ranker, notes


def past_cutoffs(cutoff: pd.Timestamp, first: pd.Timestamp, horizon: int, count: int) -> list[pd.Timestamp]:
    """``count`` cutoffs one horizon back and as many two horizons back, oldest first: yearly, or quarterly where the
    data hold fewer than three such years.

    They are counted from the last quarter's end, so that what is learnt from them serves every month of a quarter.
    """
    latest = pd.offsets.QuarterEnd().rollback(cutoff).as_unit("s")
    step = 12 if years_before(latest, horizon + 2) >= first else 3
    ages = {start + step * n for n in range(count) for start in (12 * horizon, 24 * horizon)}
    days = [months_before(latest, age) for age in sorted(ages, reverse=True)]
    return [day for day in days if day >= first]


def lost_modalities(target: Origin, past: list[Origin]) -> list[str]:
    shared = set(shared_columns([*past, target]))
    kept = modality_columns([str(c) for c in target.features if c in shared])
    warnings = []
    for modality, columns in modality_columns([str(c) for c in target.features]).items():
        lost = dict.fromkeys(_STATISTIC.sub("", c.split("__")[1]) for c in columns if c not in shared)
        if lost:
            what = f"{modality} ({', '.join(lost)})" if modality in kept else modality
            where = "any" if modality in PARTIAL else "every"
            warnings.append(f"{what}: not available at {where} training origin, so the model does without it")
    for modality in PARTIAL:
        having = sum(modality in origin.table.modalities() for origin in past)
        if modality in kept and having < len(past):
            warnings.append(f"{modality}: available at {having} of {len(past)} training origins, missing at the others")
    return warnings


_STATISTIC = re.compile("_(mean|min|range)$")


def predictions_of(universe: Universe, ranking: Ranking, spread: float | None, baselines: pd.DataFrame) -> pd.DataFrame:
    """The candidates' predictions from their ranking; ``spread``: of the interval, see ``calibration``."""
    table = universe.pairs.table
    linked = ["prior", "status"] if (table["prior"] > 0).any() else []  # constant on the new-link track
    table = table[[*schemas.PAIR_KEY, "entered", *linked]]
    # equal scores are ranked by code, so that a rank is a permutation and two runs agree
    order = np.lexsort((table["code_b"], table["code_a"], -ranking.score_raw))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    unknown = np.full(len(table), np.nan)
    low, high = (unknown, unknown) if spread is None else interval(ranking.probability, spread)
    frame = table.assign(
        label=pd.array([pd.NA] * len(table), dtype="Int8"),
        score_raw=ranking.score_raw,
        probability=ranking.probability,
        probability_low=low,
        probability_high=high,
        rank=rank,
    )
    return schemas.validate(pd.concat([frame, baselines], axis=1), schemas.Predictions, "predictions")
