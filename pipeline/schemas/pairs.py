"""Tables of pairs of codes: candidates, forecasts, a firm's view of them."""

import pandas as pd
import pandera.pandas as pa
from pandera.typing.pandas import Series

from pipeline.schemas.base import PAIR_KEY, Table


class Pairs(Table):
    """The candidates at one cutoff. ``prior`` counts their joint patents up to it."""

    cutoff: Series["datetime64[s]"]
    code_a: Series[str]
    code_b: Series[str]
    prior: Series["int64"] = pa.Field(ge=0)
    status: Series[str] = pa.Field(isin=("new", "dormant", "active"))
    entered: Series[bool]  # a code of the pair came into force within the window: its links may be inherited

    @pa.dataframe_check(error="code_a < code_b in every row")
    def in_order(cls, frame: pd.DataFrame) -> "pd.Series[bool]":
        return frame["code_a"] < frame["code_b"]


class Predictions(pa.DataFrameModel):
    """The ranked candidates: one row a pair and cutoff; baselines' scores stand in columns ``baseline__NAME``."""

    cutoff: Series["datetime64[s]"]
    code_a: Series[str]
    code_b: Series[str]
    entered: Series[bool]  # see ``Pairs``
    label: Series[pd.Int8Dtype] = pa.Field(nullable=True, isin=(0, 1))  # <NA> while the window is open
    score_raw: Series[float]
    probability: Series[float] = pa.Field(ge=0, le=1)
    probability_low: Series[float] = pa.Field(ge=0, le=1, nullable=True)  # see ranking.calibration.interval
    probability_high: Series[float] = pa.Field(ge=0, le=1, nullable=True)
    rank: Series["int64"] = pa.Field(ge=1)

    class Config:
        strict = False
        coerce = True

    @pa.dataframe_check(error="code_a < code_b in every row")
    def in_order(cls, frame: pd.DataFrame) -> "pd.Series[bool]":
        return frame["code_a"] < frame["code_b"]

    @pa.dataframe_check(error="ranks are a permutation within each cutoff")
    def ranks_permute(cls, frame: pd.DataFrame) -> bool:
        sizes = frame.groupby("cutoff")["rank"].agg(["size", "min", "max", "nunique"])
        return bool(((sizes["size"] == sizes["max"]) & (sizes["size"] == sizes["nunique"])).all())


class Horizons(Table):
    """The candidates over several horizons: one row a cutoff, pair and horizon, sorted so; no pair without a horizon
    that others of its cutoff have."""

    cutoff: Series["datetime64[s]"]
    code_a: Series[str]
    code_b: Series[str]
    horizon: Series["int64"] = pa.Field(ge=1)  # years after the cutoff
    probability: Series[float] = pa.Field(ge=0, le=1)  # as forecast for this horizon alone
    cumulative: Series[float] = pa.Field(ge=0, le=1)  # the same, evened out so that it never falls with the horizon
    hazard: Series[float] = pa.Field(nullable=True, ge=0, le=1)  # a year since the horizon before, of those left
    label: Series[pd.Int8Dtype] = pa.Field(nullable=True, isin=(0, 1))  # <NA> while the window is open

    @pa.dataframe_check(error="code_a < code_b in every row")
    def in_order(cls, frame: pd.DataFrame) -> "pd.Series[bool]":
        return frame["code_a"] < frame["code_b"]

    @pa.dataframe_check(error="within a pair horizons rise and cumulative never falls")
    def rising(cls, frame: pd.DataFrame) -> "pd.Series[bool]":
        step = frame[["horizon", "cumulative"]].diff()
        same_pair = (frame[PAIR_KEY] == frame[PAIR_KEY].shift()).all(axis=1)
        return ~same_pair | ((step["horizon"] > 0) & (step["cumulative"] >= 0))


class Opportunities(pa.DataFrameModel):
    """A firm's view of the ranked pairs, best first."""

    firm_rank: Series["int64"] = pa.Field(ge=1)
    code_a: Series[str]
    code_b: Series[str]
    type: Series[str] = pa.Field(isin=("I", "II", "III"))
    probability: Series[float] = pa.Field(ge=0, le=1)
    rank: Series["int64"] = pa.Field(ge=1)  # the firm-blind rank
    firm_score: Series[float]
    holds_a: Series[bool]
    holds_b: Series[bool]
    rta_a: Series[float] = pa.Field(ge=0, nullable=True)
    rta_b: Series[float] = pa.Field(ge=0, nullable=True)
    density_a: Series[float] = pa.Field(ge=0, le=1)
    density_b: Series[float] = pa.Field(ge=0, le=1)
    share_a: Series[float] = pa.Field(ge=0, le=1)  # of all patents of the code; see opportunities.holdings
    share_b: Series[float] = pa.Field(ge=0, le=1)
    recency_a: Series[float] = pa.Field(ge=0, nullable=True)  # years since the firm's latest patent in the code
    recency_b: Series[float] = pa.Field(ge=0, nullable=True)
    inventor_overlap: Series[float] = pa.Field(ge=0, le=1, nullable=True)

    class Config:
        strict = True
        coerce = True
        ordered = True
