"""Every table that crosses a border: its columns, types and invariants. Column names live here.

Missing text is the empty string, missing dates are NaT, missing counts are <NA>: a missing value is never a zero.
"""

from typing import Any, ClassVar

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaError, SchemaErrors
from pandera.typing.pandas import Series

from pipeline.errors import ArtifactError

LEVELS = ("section", "class", "subclass", "maingroup", "subgroup")
PRECISIONS = ("day", "month", "year")  # of a date, as the source gives it
SCHEMES = ("ipc", "cpc")
SHARED_LEVELS = LEVELS[:3]  # at which a symbol means the same in the IPC and the CPC
ROLES = ("assignee", "inventor")
DATE_KINDS = ("grant", "publication", "application", "priority", "")  # what the source says its date is
LANGUAGES = ("en", "de", "fr", "es", "zh", "ja", "ko", "other", "")
SIDES = ("firm", "target")
PAIR = ["code_a", "code_b"]
OUTCOMES = ("ok", "invalid", "refused", "error", "over_budget")
PAIR_KEY = ["cutoff", *PAIR]
CHANGES = ("realised", "new", "risen", "fallen", "expired")
REASONS = (
    "",
    *("candidate_now", "into_head", "within_head", "out_of_head"),  # of new, risen and fallen
    *("horizon_over", "met_before", "met_too_little", "no_candidate"),  # of expired
    *("topics_apart", "not_refined", "topic_gone"),  # of expired, where the scope is topic
)


class Table(pa.DataFrameModel):
    """Base of all tables: exact columns, coerced types."""

    class Config:
        strict = True
        coerce = True
        ordered = True


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


class ShownEvidence(Table):
    """One row a passage shown to the judge for an opportunity, best first within it."""

    opportunity_id: Series[str]
    evidence_id: Series[str] = pa.Field(str_length={"min_value": 1})
    source: Series[str]  # a patent id, or the name of a document
    kind: Series[str]
    page: Series[pd.Int32Dtype] = pa.Field(nullable=True)
    date: Series["datetime64[s]"] = pa.Field(nullable=True)
    text: Series[str]
    score: Series[float]

    class Config:
        unique: ClassVar[list[str]] = ["opportunity_id", "evidence_id"]


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


def validate(frame: pd.DataFrame, schema: Any, name: str) -> pd.DataFrame:
    """Check a frame against its schema at a border; all faults in one message with sample rows.

    Raises:
        ArtifactError: naming the table, each broken rule and up to three offending values.
    """
    try:
        checked: pd.DataFrame = schema.validate(frame, lazy=True)
        return checked
    except (SchemaErrors, SchemaError) as error:
        cases = error.failure_cases
        if not isinstance(cases, pd.DataFrame):
            raise ArtifactError(f"table {name}: {error}") from error
        raise ArtifactError(f"table {name} breaks its schema: {'; '.join(_faults(cases))}") from error


def _faults(cases: pd.DataFrame) -> list[str]:
    """Each broken rule once; a rule on whole rows is reported by pandera for every column of them."""
    of_rows = (cases["schema_context"] == "DataFrameSchema") & ~cases["check"].astype(str).str.startswith("column_in_")
    rules = [str(check) for check in cases.loc[of_rows, "check"].unique()]
    by_column = cases[~of_rows].fillna({"column": ""}).groupby(["column", "check"])
    return rules + [
        f"{column or 'table'}: {check} (e.g. {', '.join(map(repr, group['failure_case'].head(3)))})"
        for (column, check), group in by_column
    ]


def empty(schema: Any) -> pd.DataFrame:
    """An empty frame with the schema's columns and types."""
    columns = list(schema.to_schema().columns)
    frame: pd.DataFrame = schema.validate(pd.DataFrame({column: [] for column in columns}))
    return frame
