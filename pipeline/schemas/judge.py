"""Tables of the judge and of its validation."""

from typing import ClassVar

import pandas as pd
import pandera.pandas as pa
from pandera.typing.pandas import Series

from pipeline.schemas.base import OUTCOMES, Table


class ShownEvidence(Table):
    """One row a passage shown to the judge for an opportunity and criterion, best first within them.

    Where a list is judged, the criterion is ``overall``.
    """

    opportunity_id: Series[str]
    criterion: Series[str]
    evidence_id: Series[str] = pa.Field(str_length={"min_value": 1})
    source: Series[str]  # a patent id, or the name of a document
    kind: Series[str]
    page: Series[pd.Int32Dtype] = pa.Field(nullable=True)
    date: Series["datetime64[s]"] = pa.Field(nullable=True)
    text: Series[str]
    score: Series[float]

    class Config:
        unique: ClassVar[list[str]] = ["opportunity_id", "criterion", "evidence_id"]


class Verdicts(Table):
    """One row a judge's verdict: a criterion of an opportunity, once for every repeat."""

    opportunity_id: Series[str]
    criterion: Series[str]
    judge: Series[str]  # provider:model
    repeat: Series["int64"] = pa.Field(ge=0)
    order: Series["int64"] = pa.Field(ge=0)  # which arrangement of what it was shown; repeats may share one
    position: Series[pd.Int64Dtype] = pa.Field(nullable=True, ge=1)  # the place on the list, when a list was judged
    score: Series[pd.Int8Dtype] = pa.Field(nullable=True, ge=0, le=10)  # 0-5; 1-10 by the reference preset
    outcome: Series[str] = pa.Field(isin=OUTCOMES)
    reason: Series[str]  # the model's, or why there is no score
    scenarios: Series[str]  # applications it named, joined by ; (reference preset)
    evidence_ids: Series[str]  # passages it relied on, joined by ;
    tokens_in: Series[pd.Int64Dtype] = pa.Field(nullable=True, ge=0)  # of all answers got for it; of a list of
    tokens_out: Series[pd.Int64Dtype] = pa.Field(nullable=True, ge=0)  # opportunities, on the first row
    rubric: Series[str]

    class Config:
        unique: ClassVar[list[str]] = ["opportunity_id", "criterion", "judge", "repeat"]

    @pa.dataframe_check(error="a score exactly where the outcome is ok")
    def scored_when_ok(cls, frame: pd.DataFrame) -> "pd.Series[bool]":
        return frame["score"].notna() == (frame["outcome"] == "ok")


class Judged(Table):
    """The verdicts summed up: one row an opportunity, criterion and judge.

    Criterion ``overall`` is the mean over the criteria; judge ``panel`` the mean over the judges, where several judged.
    """

    opportunity_id: Series[str]
    criterion: Series[str]
    judge: Series[str]
    mean: Series[float] = pa.Field(nullable=True, ge=0, le=10)
    low: Series[float] = pa.Field(nullable=True, ge=0, le=10)  # 90 % interval of the mean over repeats
    high: Series[float] = pa.Field(nullable=True, ge=0, le=10)
    spread: Series[float] = pa.Field(nullable=True, ge=0)  # standard deviation of the scores
    n: Series["int64"] = pa.Field(ge=0)  # scores
    asked: Series["int64"] = pa.Field(ge=1)
    agreement: Series[float] = pa.Field(nullable=True, ge=0, le=1)  # share of pairs of scores at most a point apart
    abstained: Series[bool]  # too few scores, or too far apart, to say
    evidence_ids: Series[str]  # joined by ;, the most relied on first

    class Config:
        unique: ClassVar[list[str]] = ["opportunity_id", "criterion", "judge"]


class Reliability(Table):
    """How far a judge agrees with itself, by criterion, and how far judges agree with each other (judge ``panel``)."""

    judge: Series[str]
    criterion: Series[str]
    measure: Series[str]
    value: Series[float] = pa.Field(nullable=True)
    units: Series["int64"] = pa.Field(ge=0)  # opportunities it rests on

    class Config:
        unique: ClassVar[list[str]] = ["judge", "criterion", "measure"]


class Hindsight(Table):
    """How well scores given at a cutoff order what was filed after it; see ``judge.hindsight``."""

    score: Series[str]
    metric: Series[str]
    k: Series[pd.Int64Dtype] = pa.Field(nullable=True)
    value: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)  # 90 % interval, codes resampled
    high: Series[float] = pa.Field(nullable=True)
    lead: Series[float] = pa.Field(nullable=True)  # over the computed score, on the same resamples
    lead_low: Series[float] = pa.Field(nullable=True)
    lead_high: Series[float] = pa.Field(nullable=True)
    pairs: Series["int64"] = pa.Field(ge=0)
    filed: Series["int64"] = pa.Field(ge=0)  # pairs with a later patent

    class Config:
        unique: ClassVar[list[str]] = ["score", "metric", "k"]
