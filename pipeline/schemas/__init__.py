"""Every table that crosses a border: its columns, types and invariants. Column names live here.

Missing text is the empty string, missing dates are NaT, missing counts are <NA>: a missing value is never a zero.
"""

from pipeline.schemas.base import (
    CHANGES,
    DATE_KINDS,
    LANGUAGES,
    LEVELS,
    OUTCOMES,
    PAIR,
    PAIR_KEY,
    PRECISIONS,
    REASONS,
    ROLES,
    SCHEMES,
    SHARED_LEVELS,
    SIDES,
    Table,
    empty,
    validate,
)
from pipeline.schemas.corpus import Citations, History, Members, Parties, PatentCodes, Patents, Quarantine
from pipeline.schemas.judge import Hindsight, Judged, Reliability, ShownEvidence, Verdicts
from pipeline.schemas.knowledge import Chunks, Evidence
from pipeline.schemas.pairs import Horizons, Opportunities, Pairs, Predictions
from pipeline.schemas.topics import Competitors, TopicNames, TopicOpportunities, TopicPatents, Topics
from pipeline.schemas.watch import Changes, Drift, PastForecast, TrackRecord

__all__ = [
    "CHANGES",
    "DATE_KINDS",
    "LANGUAGES",
    "LEVELS",
    "OUTCOMES",
    "PAIR",
    "PAIR_KEY",
    "PRECISIONS",
    "REASONS",
    "ROLES",
    "SCHEMES",
    "SHARED_LEVELS",
    "SIDES",
    "Changes",
    "Chunks",
    "Citations",
    "Competitors",
    "Drift",
    "Evidence",
    "Hindsight",
    "History",
    "Horizons",
    "Judged",
    "Members",
    "Opportunities",
    "Pairs",
    "Parties",
    "PastForecast",
    "PatentCodes",
    "Patents",
    "Predictions",
    "Quarantine",
    "Reliability",
    "ShownEvidence",
    "Table",
    "TopicNames",
    "TopicOpportunities",
    "TopicPatents",
    "Topics",
    "TrackRecord",
    "Verdicts",
    "empty",
    "validate",
]
