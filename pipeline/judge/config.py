"""Who judges, how often, and what it may cost."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from pipeline.config import Stage


class JudgeConfig(Stage):
    """The judge. Keys of model providers are read from the environment only (``OPENAI_API_KEY``)."""

    judges: tuple[str, ...] = Field(
        (), description="models as provider:model (openai:NAME, ollama:NAME); none: no judge"
    )
    base_url: str | None = Field(None, description="the server of the models, if not the provider's own")
    preset: Literal["default", "reference"] = Field("default", description="reference: one list-wise 1-10 prompt")
    rubric: Path | None = Field(
        None, description="a folder of prompts of one's own, like pipeline/judge/rubric/default"
    )
    repeats: int = Field(5, ge=1, le=50)
    evidence: int = Field(6, ge=0, le=50, description="passages shown for a criterion of an opportunity")
    evidence_characters: int = Field(1200, ge=50, description="a passage beyond this is cut")
    # repeats at temperature 0 would agree with each other and hide the model's doubt
    temperature: float | None = Field(0.7, ge=0, le=2, description="none: leave it to the model")
    max_output_tokens: int = Field(600, ge=50, description="of one verdict; more for models that reason first")
    structured: bool = Field(False, description="have the server hold the model to the schema (openai, ollama)")
    concurrency: int = Field(4, ge=1, le=256, description="requests in flight at once, over all judges")
    rate_per_minute: float | None = Field(None, gt=0, description="requests a minute and judge")
    timeout: float = Field(120, gt=0, description="seconds a request may take in all")
    retries: int = Field(4, ge=0, description="times a request that failed is sent again")
    backoff: float = Field(2, gt=0, description="seconds before the first of them, doubled each time, unless told")
    rejections: int = Field(2, ge=0, description="times a judge is asked again after an answer that broke the rules")
    max_calls: int = Field(5_000, ge=0, description="requests in all, those of interrupted runs included")
    max_tokens: int = Field(20_000_000, ge=0, description="tokens in all, prompts and answers")

    @field_validator("judges")
    @classmethod
    def _named(cls, judges: tuple[str, ...]) -> tuple[str, ...]:
        for judge in judges:
            provider, _, model = judge.partition(":")
            if not provider or not model:
                raise ValueError(f"{judge} is not a judge: write provider:model, as in openai:NAME or ollama:NAME")
        if len(set(judges)) < len(judges):
            raise ValueError("a judge is named twice: name each once")
        return judges

    @field_validator("base_url")
    @classmethod
    def _without_secrets(cls, url: str | None) -> str | None:
        return None if url is None else checked_url(url)

    @field_validator("rubric")
    @classmethod
    def _from_anywhere(cls, path: Path | None) -> Path | None:
        return path.absolute() if path else None  # a record is repeated from any folder


def checked_url(url: str) -> str:
    """The URL of a server, which is kept in records and therefore must hold no secret."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the server's URL must begin with http:// or https:// and name a host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("the server's URL must hold no password or key: give keys in the environment")
    return url.rstrip("/")
