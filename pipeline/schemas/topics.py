"""Tables of the topic stage."""

import pandas as pd
import pandera.pandas as pa
from pandera.typing.pandas import Series

from pipeline.schemas.base import OUTCOMES, SIDES, Table


class Topics(Table):
    """One row a topic of one side of an opportunity: the patents of a code, on the firm's side or the target's.

    Indicators are those of method A7; one that the source cannot tell (no inventors, citations or families) is null.
    """

    topic_id: Series[str] = pa.Field(unique=True)  # SIDE:CODE:NUMBER
    side: Series[str] = pa.Field(isin=SIDES)
    code: Series[str]
    label: Series[str] = pa.Field(str_length={"min_value": 1})
    terms: Series[str]  # the words that tell it from its sisters, joined by ;
    patents: Series["int64"] = pa.Field(ge=1)
    firm_patents: Series["int64"] = pa.Field(ge=0)
    representatives: Series[str]  # patent ids joined by ;, the most central first
    uniqueness: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    maturity: Series[float]  # years that its patents are younger than the corpus's mean
    growth_patents: Series[float] = pa.Field(nullable=True)  # last five years over the five before, less one
    growth_inventors: Series[float] = pa.Field(nullable=True)
    citations_per_year: Series[float] = pa.Field(ge=0, nullable=True)
    family_size: Series[float] = pa.Field(ge=1, nullable=True)
    codes_per_patent: Series[float] = pa.Field(ge=1)
    functional_diversity: Series[float] = pa.Field(ge=0)
    novelty: Series[float] = pa.Field(ge=0, le=2.5, nullable=True)  # the four dimensions, of min-max scaled indicators
    growth: Series[float] = pa.Field(ge=0, le=2.5, nullable=True)
    influence: Series[float] = pa.Field(ge=0, le=2.5, nullable=True)
    versatility: Series[float] = pa.Field(ge=0, le=2.5, nullable=True)
    development: Series[float] = pa.Field(ge=0, le=10)  # their sum; a dimension that is lacking counts as their mean


class TopicOpportunities(Table):
    """Topic-level opportunities, best first: a topic of the firm's side times a topic of the target side."""

    topic_rank: Series["int64"] = pa.Field(ge=1, unique=True)
    opportunity_id: Series[str] = pa.Field(unique=True)
    code_a: Series[str]
    code_b: Series[str]
    firm_code: Series[str]
    target_code: Series[str]
    type: Series[str] = pa.Field(isin=("I", "II", "III", ""))  # empty where no firm is asked about
    probability: Series[float] = pa.Field(ge=0, le=1)  # of the pair of codes
    firm_rank: Series["int64"] = pa.Field(ge=1)  # of the pair of codes, for the firm
    firm_topic: Series[str]
    target_topic: Series[str]
    firm_label: Series[str]
    target_label: Series[str]
    fusion: Series[float] = pa.Field(nullable=True, ge=0, le=1)  # (cosine of the two topics + 1) / 2
    development: Series[float] = pa.Field(ge=0, le=10)
    score: Series[float] = pa.Field(ge=0)  # what it is ranked by
    firm_fit: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    white_space: Series[float] = pa.Field(ge=0, le=1, nullable=True)
    partners: Series[str]  # who holds the other half and stands near the firm, joined by ;


class TopicNames(Table):
    """One row a topic that a model was asked to name, in the order asked."""

    topic_id: Series[str] = pa.Field(unique=True)
    label: Series[str] = pa.Field(str_length={"min_value": 1})  # the name, or the words where none was given
    words: Series[str] = pa.Field(str_length={"min_value": 1})  # the label it has by class-based TF-IDF
    description: Series[str]
    named_by: Series[str]  # provider:model; empty where the words stay
    outcome: Series[str] = pa.Field(isin=(*OUTCOMES, "taken"))  # taken: another topic of the pair is called so
    reason: Series[str]  # why the words stay
    tokens_in: Series[pd.Int64Dtype] = pa.Field(nullable=True, ge=0)
    tokens_out: Series[pd.Int64Dtype] = pa.Field(nullable=True, ge=0)
    rubric: Series[str]


class TopicPatents(Table):
    """One row a representative patent of a topic: what a reader needs to recognise it, the most central first."""

    topic_id: Series[str]
    place: Series["int64"] = pa.Field(ge=1)
    patent_id: Series[str]
    knowledge_date: Series["datetime64[s]"]
    title: Series[str]
    party: Series[str]  # its first assignee, empty where none is named
    own: Series[bool]  # the firm is among its assignees


class Competitors(Table):
    """Who holds the patents of a code: one row a code and holder, codes in order, the most patents first.

    The firm, under all its names, is one holder and has a row in every code. A patent of two holders counts for each.
    """

    code: Series[str]
    party: Series[str]
    name: Series[str]
    own: Series[bool]
    patents: Series["int64"] = pa.Field(ge=0)
    share: Series[float] = pa.Field(ge=0, le=1)  # of all patents of the code, those without an assignee too
    recent_patents: Series["int64"] = pa.Field(ge=0)  # in the window up to the cutoff

    @pa.dataframe_check(error="a code and party in one row only, and the firm once in each code")
    def one_row_each(cls, frame: pd.DataFrame) -> bool:
        owned = frame.groupby("code")["own"].sum()
        return not frame.duplicated(["code", "party"]).any() and bool((owned == 1).all())
