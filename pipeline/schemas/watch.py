"""Tables of a watch."""

from typing import ClassVar

import pandas as pd
import pandera.pandas as pa
from pandera.typing.pandas import Series

from pipeline.schemas.base import CHANGES, REASONS, Table


class PastForecast(Table):
    """What a watch keeps of a forecast until its horizon is over: one row a candidate, sorted by pair."""

    code_a: Series[str]
    code_b: Series[str]
    probability: Series["float32"] = pa.Field(ge=0, le=1)
    rank: Series["int32"] = pa.Field(ge=1)
    firm_rank: Series[pd.Int32Dtype] = pa.Field(nullable=True, ge=1)  # <NA> throughout where no firm was named

    @pa.dataframe_check(error="code_a < code_b in every row")
    def in_order(cls, frame: pd.DataFrame) -> "pd.Series[bool]":
        return frame["code_a"] < frame["code_b"]


class Changes(Table):
    """What became different from one run of a watch to the next: one row a change; see ``watch.pair_changes``.

    A place is one on the firm's list where a firm was named, else the rank; of topics it is the topic rank.
    ``forecast_*``: the forecast that a realised or expired pair belongs to, and what it said.
    """

    scope: Series[str] = pa.Field(isin=("pair", "topic"))
    kind: Series[str] = pa.Field(isin=CHANGES)
    reason: Series[str] = pa.Field(isin=REASONS)
    code_a: Series[str]
    code_b: Series[str]
    title_a: Series[str]
    title_b: Series[str]
    firm_topic: Series[str]  # labels of the two topics; empty where the scope is pair
    target_topic: Series[str]
    place_before: Series[pd.Int64Dtype] = pa.Field(nullable=True, ge=1)
    place_after: Series[pd.Int64Dtype] = pa.Field(nullable=True, ge=1)
    probability_before: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    probability_after: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    forecast_cutoff: Series["datetime64[s]"] = pa.Field(nullable=True)
    forecast_place: Series[pd.Int64Dtype] = pa.Field(nullable=True, ge=1)
    forecast_probability: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    converged_on: Series["datetime64[s]"] = pa.Field(nullable=True)
    patents: Series[str]  # that made it converge, joined by ;, the deciding one last

    @pa.dataframe_check(error="a day exactly where the pair is realised")
    def dated_when_realised(cls, frame: pd.DataFrame) -> "pd.Series[bool]":
        return frame["converged_on"].notna() == (frame["kind"] == "realised")


class TrackRecord(Table):
    """What became of a watch's past forecasts: one row a forecast and group of its pairs.

    ``listed``: the list that a group of the first k is the head of; ``all`` and groups of like probability are of every
    candidate. ``expected``: the sum of the probabilities, over the whole horizon; ``expected_by_now``: see
    ``watch.timing``.
    """

    cutoff: Series["datetime64[s]"]
    until: Series["datetime64[s]"]  # the end of its horizon
    elapsed: Series[float] = pa.Field(ge=0, le=1)  # share of the horizon that is over
    complete: Series[bool]
    group: Series[str] = pa.Field(isin=("first", "all", "probability"))
    listed: Series[str] = pa.Field(isin=("all", "firm"))
    k: Series[pd.Int64Dtype] = pa.Field(nullable=True, ge=1)
    low: Series[float] = pa.Field(nullable=True, ge=0, le=1)  # of the probability, within a group of that kind
    high: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    pairs: Series["int64"] = pa.Field(ge=0)
    expected: Series[float] = pa.Field(ge=0)
    expected_by_now: Series[float] = pa.Field(nullable=True, ge=0)
    converged: Series["int64"] = pa.Field(ge=0)
    hit_rate: Series[float] = pa.Field(nullable=True, ge=0, le=1)  # converged of pairs, so far

    class Config:
        unique: ClassVar[list[str]] = ["cutoff", "group", "listed", "k", "low"]


class Drift(Table):
    """How the newest patents of a corpus differ from those before: one row a measure; see ``watch.drift``."""

    measure: Series[str] = pa.Field(unique=True)
    recent: Series[float] = pa.Field(nullable=True)
    usual: Series[float] = pa.Field(nullable=True)  # median of the months before
    low: Series[float] = pa.Field(nullable=True)  # bounds beyond which it is told of
    high: Series[float] = pa.Field(nullable=True)
    spreads: Series[float] = pa.Field(nullable=True)  # how many it lies from the median
    patents: Series["int64"] = pa.Field(ge=0)  # it is measured on
    months: Series["int64"] = pa.Field(ge=0)  # before, that it is compared with
    flagged: Series[bool]
