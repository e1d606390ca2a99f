"""Tables of a stored corpus."""

import pandas as pd
import pandera.pandas as pa
from pandera.typing.pandas import Series

from pipeline.schemas.base import DATE_KINDS, LANGUAGES, PRECISIONS, ROLES, SCHEMES, Table


class Patents(Table):
    """One row an invention (families merged) or a document (families kept), sorted by knowledge date, then id."""

    patent_id: Series[str] = pa.Field(unique=True, str_length={"min_value": 1})
    knowledge_date: Series["datetime64[s]"]  # the day the world could read it: publication or grant where known
    filing_date: Series["datetime64[s]"] = pa.Field(nullable=True)
    title: Series[str]
    abstract: Series[str]
    claims: Series[str]
    claims_count: Series[pd.Int32Dtype] = pa.Field(nullable=True, ge=0)
    family_id: Series[str]
    office: Series[str]
    date_kind: Series[str] = pa.Field(isin=DATE_KINDS)  # of the knowledge date
    date_precision: Series[str] = pa.Field(isin=PRECISIONS)  # a month or year is known at its end
    language: Series[str] = pa.Field(isin=LANGUAGES)  # of title and abstract; empty: too little text to tell

    @pa.dataframe_check(error="rows must be sorted by knowledge_date, patent_id")
    def sorted_by_date(cls, frame: pd.DataFrame) -> bool:
        expected = frame.sort_values(["knowledge_date", "patent_id"], kind="stable").index
        return bool(expected.equals(frame.index))


class PatentCodes(Table):
    """One row a symbol of a patent; the symbol canonical (``F25B 41/20``, or ``F25B`` when the source stops there)."""

    patent_id: Series[str]
    symbol: Series[str] = pa.Field(str_matches=r"^[A-HY](\d{2}([A-Z]( [0-9]{1,4}/[0-9]{2,6})?)?)?$")
    scheme: Series[str] = pa.Field(isin=SCHEMES)
    position: Series["int16"] = pa.Field(ge=0)  # order of the symbol on the document, 0 first


class Citations(Table):
    """One row a reference made by a patent of the corpus."""

    citing: Series[str]
    cited: Series[str]  # a patent_id, or the reference's text when kind is npl
    kind: Series[str] = pa.Field(isin=("patent", "npl"))
    cited_key: Series[str]  # on which references to one document agree, however it is spelt (corpus.numbers)


class Parties(Table):
    """One row a named party of a patent."""

    patent_id: Series[str]
    role: Series[str] = pa.Field(isin=ROLES)
    name: Series[str]  # as the source has it
    party_id: Series[str]  # normalised name: the key on which parties are counted and matched


class Members(Table):
    """One row a source document: the invention that stands for it, and when it became known."""

    member_id: Series[str] = pa.Field(unique=True)
    patent_id: Series[str]
    knowledge_date: Series["datetime64[s]"]
    office: Series[str]


class Quarantine(Table):
    """One row a thing that could not be used: a whole source row, or one symbol or value of a kept row; or a ``flag``:
    a value that was used and looks wrong."""

    source: Series[str]
    row: Series["int64"]  # 1-based data row in the source
    patent_id: Series[str]
    kind: Series[str] = pa.Field(isin=("row", "symbol", "value", "flag"))
    reason: Series[str]
    value: Series[str]


class History(Table):
    """One row a field that a later file corrected: what it said, what it says now, and where either stands."""

    patent_id: Series[str]
    field: Series[str]
    before: Series[str]
    after: Series[str]
    known_before: Series["datetime64[s]"]  # knowledge date of the record that was replaced
    known_after: Series["datetime64[s]"]  # and of the one that replaced it, never later
    source_before: Series[str]
    row_before: Series["int64"]
    source_after: Series[str]
    row_after: Series["int64"]
