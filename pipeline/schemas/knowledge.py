"""Tables of the knowledge base."""

import pandas as pd
import pandera.pandas as pa
from pandera.typing.pandas import Series

from pipeline.schemas.base import Table


class Chunks(Table):
    """The knowledge base: one row a piece of text that can be found and cited.

    Sorted by date, source, firm and position, undated chunks last: what is known on a day is a prefix of the rows.
    """

    chunk_id: Series[str] = pa.Field(unique=True, str_matches=r"^[0-9a-f]{16}$")  # a hash of all but the date
    source: Series[str] = pa.Field(str_length={"min_value": 1})  # patent id, or name of a document
    kind: Series[str] = pa.Field(isin=("patent", "document"))
    firm: Series[str]  # party id of the firm that alone may see it; empty: all may
    date: Series["datetime64[s]"] = pa.Field(nullable=True)  # the day it was known; unknown: usable at no cutoff
    page: Series[pd.Int32Dtype] = pa.Field(nullable=True, ge=1)  # where the format has pages
    position: Series["int32"] = pa.Field(ge=0)  # order within the source
    text: Series[str] = pa.Field(str_length={"min_value": 1})

    @pa.dataframe_check(error="a document belongs to a firm, a patent to none")
    def owned(cls, frame: pd.DataFrame) -> "pd.Series[bool]":
        return (frame["kind"] == "document") == (frame["firm"] != "")

    @pa.dataframe_check(error="rows must be sorted by date, source, firm, position")
    def sorted_by_date(cls, frame: pd.DataFrame) -> bool:
        expected = frame.sort_values(["date", "source", "firm", "position"], kind="stable").index
        return bool(expected.equals(frame.index))


class Evidence(Table):
    """What retrieval found for one query, best first: known on the cutoff's day, and to be seen by the firm."""

    evidence_id: Series[str] = pa.Field(unique=True)  # a chunk_id
    source: Series[str]
    kind: Series[str] = pa.Field(isin=("patent", "document"))
    page: Series[pd.Int32Dtype] = pa.Field(nullable=True, ge=1)
    date: Series["datetime64[s]"]
    text: Series[str]
    score: Series[float] = pa.Field(gt=0)  # of reciprocal ranks, at most 2/61
