"""What a judge must answer. No field has a default, so half an answer cannot pass for a whole one."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Reply(BaseModel):
    """Base of the replies: exact types, no further keys."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class VerdictReply(Reply):
    """One opportunity by one criterion; no score where the judge says that it cannot tell."""

    score: Annotated[int, Field(ge=0, le=5)] | None
    evidence_ids: list[str]
    reason: Annotated[str, Field(min_length=1)]


class NameReply(Reply):
    """The name of one topic."""

    label: Annotated[str, Field(min_length=1)]
    description: Annotated[str, Field(min_length=1)]


class RankedItem(Reply):
    """One opportunity of a list."""

    id: str
    score: Annotated[int, Field(ge=1, le=10)]
    reason: Annotated[str, Field(min_length=1)]
    scenarios: list[str]


class RankingReply(Reply):
    """All opportunities of a list."""

    items: list[RankedItem]
