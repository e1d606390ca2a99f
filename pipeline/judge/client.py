"""The one place that knows of LangChain: a model by name, asked for text, with every way to fail told in our words.

Answers are asked for as text and validated by ``asks``: LangChain's own structured output loses the text of an answer
that does not fit, repairs a truncated one, or gives None. ``structured`` only binds the schema to the request, so that
the server holds the model to it; the text comes back all the same.
"""

import asyncio
import dataclasses
import datetime
import email.utils
import os
from typing import Any, Literal

from pydantic import BaseModel

from pipeline.errors import ConfigError, JudgeError
from pipeline.judge.config import JudgeConfig, checked_url
from pipeline.judge.secrets import scrubbed, secrets
from pipeline.judge.untrusted import clean

Finish = Literal["stop", "length", "refused"]
Kind = Literal["rate_limited", "server_error", "timed_out", "dropped", "unreachable", "garbled", "request_refused"]

LONGEST_REPLY = 200_000  # characters
_DETAIL = 200  # characters of a server's message that are kept
_KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "google_genai": "GOOGLE_API_KEY"}
_BASE_URLS = {"openai": "OPENAI_BASE_URL", "ollama": "OLLAMA_HOST", "anthropic": "ANTHROPIC_BASE_URL"}
_REFUSALS = ("content_filter", "refusal", "safety", "prohibited_content")
_CUT_OFF = ("length", "max_tokens")


@dataclasses.dataclass(frozen=True)
class Reply:
    """A model's answer; tokens are None where the server does not tell them."""

    text: str
    finish: Finish
    detail: str
    tokens_in: int | None
    tokens_out: int | None


@dataclasses.dataclass(eq=False)
class FailureError(Exception):
    """A request came to nothing. ``billed``: it may have cost something all the same."""

    kind: Kind
    detail: str
    retry_after: float | None = None  # seconds
    billed: bool = False

    @property
    def lasting(self) -> bool:
        """Whether sending the same again is useless."""
        return self.kind == "request_refused"


class Model:
    """One judge: a chat model behind a rate limit and a deadline, which tries once."""

    def __init__(self, judge: str, config: JudgeConfig, max_output_tokens: int, schema: type[BaseModel]) -> None:
        """Raises: ConfigError when the provider is unknown, its package is missing or its key is not set."""
        # traces go to a server that nobody asked for
        os.environ.update(LANGSMITH_TRACING="false", LANGCHAIN_TRACING_V2="false", LANGCHAIN_TRACING="false")
        from langchain_core.rate_limiters import InMemoryRateLimiter

        self.judge = judge
        self.timeout = config.timeout
        self.base_url = base_url_of(judge, config)
        self._hidden = secrets()
        self._chat = _chat_model(judge, config, self.base_url, max_output_tokens)
        self._bound = _bound_schema(judge, schema) if config.structured else {}
        self._limiter = (
            InMemoryRateLimiter(
                requests_per_second=config.rate_per_minute / 60, check_every_n_seconds=0.02, max_bucket_size=1
            )
            if config.rate_per_minute
            else None
        )

    async def ready(self) -> None:
        """Wait for the rate limit."""
        if self._limiter:
            await self._limiter.aacquire()

    async def send(self, system: str, user: str) -> Reply:
        """Ask once. No tools are given, and nothing is kept from one request to the next.

        Raises:
            FailureError: whatever the server or the way to it did wrong.
            JudgeError: when it will go wrong every time: the key or the model is not accepted.
        """
        try:
            async with asyncio.timeout(self.timeout):  # in all: a server that drips would never time out by itself
                message = await self._chat.ainvoke([("system", system), ("human", user)], **self._bound)
        except Exception as error:
            outcome = self._outcome(error)
        else:
            return _reply(message, self._hidden)
        # outside of the except clause, so that the provider's exception, which may quote a key, is not carried along
        if isinstance(outcome, Reply):
            return outcome
        raise outcome

    def _outcome(self, error: Exception) -> Exception | Reply:
        completion = getattr(error, "completion", None)
        if completion is not None:  # openai, held to a schema: raised where the answer is cut off
            usage = completion.usage
            told = (usage.prompt_tokens, usage.completion_tokens) if usage else (None, None)
            text = scrubbed((completion.choices[0].message.content or "")[:LONGEST_REPLY], self._hidden)
            return Reply(text, "length", "", *told)
        status = _status(error)
        if status is not None:
            return self._of_status(status, error)
        names = " ".join(kind.__name__ for kind in type(error).__mro__)
        if "Timeout" in names:
            return FailureError("timed_out", f"no answer within {self.timeout:g} s", billed=True)
        if any("ConnectError" in type(cause).__name__ for cause in _chain(error)):
            return FailureError("unreachable", f"cannot reach {self.base_url or self.judge}")
        if "Connection" in names or "TransportError" in names:
            return FailureError("dropped", "the connection broke before the answer was whole", billed=True)
        return FailureError(
            "garbled", f"the server's answer is not a chat answer ({type(error).__name__})", billed=True
        )

    def _of_status(self, status: int, error: Exception) -> Exception:
        where = f"{self.judge}{f' at {self.base_url}' if self.base_url else ''}"
        if status in (401, 403):
            key = _KEYS.get(self.judge.partition(":")[0], "the provider's key")
            return JudgeError(f"{where} does not accept the key (HTTP {status}): set {key} in the environment")
        if status == 404:
            return JudgeError(f"{where} is not known there (HTTP 404): check the name of the model and the URL")
        if status == 429:
            return FailureError("rate_limited", "HTTP 429: too many requests", _retry_after(error))
        if status >= 500 or status in (408, 409):
            return FailureError("server_error", f"HTTP {status}", _retry_after(error))
        said = clean(scrubbed(str(error), self._hidden), _DETAIL)
        return FailureError("request_refused", f"HTTP {status}: {said}")


def base_url_of(judge: str, config: JudgeConfig) -> str | None:
    """The server of a judge: as configured, else as the environment says, else None for the provider's own."""
    if config.base_url:
        return config.base_url
    variable = _BASE_URLS.get(judge.partition(":")[0], "")
    url = os.environ.get(variable)
    if not url or not url.startswith("http"):  # OLLAMA_HOST may be a bare host, which its client reads by itself
        return None
    try:
        return checked_url(url)
    except ValueError as error:
        raise ConfigError(f"{variable}: {error}") from None


def _chat_model(judge: str, config: JudgeConfig, base_url: str | None, max_output_tokens: int) -> Any:
    from langchain.chat_models import init_chat_model

    provider, _, name = judge.partition(":")
    settings: dict[str, Any] = {"timeout": config.timeout, "max_retries": 0, "max_tokens": max_output_tokens}
    if provider == "ollama":  # its client has its own words for them, and tries once anyway
        settings = {"num_predict": max_output_tokens, "client_kwargs": {"timeout": config.timeout}}
    if provider == "openai" and base_url:
        # compatible servers know the older name of the limit, and ignore the newer one
        settings["extra_body"] = {"max_tokens": max_output_tokens}
    if base_url:
        settings["base_url"] = base_url
    if config.temperature is not None:
        settings["temperature"] = config.temperature
    key = _KEYS.get(provider)
    if key and not os.environ.get(key):
        raise ConfigError(f"judge {judge} needs {key} in the environment (any text for a server that asks for none)")
    fault = ""
    try:
        return init_chat_model(name, model_provider=provider, **settings)
    except ImportError:
        fault = f"judge {judge} needs another package: pip install {_package(provider)}"
    except ValueError:
        fault = f"judge {judge}: LangChain cannot make it of provider {provider!r}: check the name and the environment"
    except Exception as error:  # its providers raise whatever they like
        fault = f"judge {judge} cannot be made ({type(error).__name__}): check its name and the environment"
    raise ConfigError(fault)


def _package(provider: str) -> str:
    stems = {"google_genai": "google-genai", "google_vertexai": "google-vertexai", "mistralai": "mistralai"}
    return f"langchain-{stems.get(provider, 'aws' if 'bedrock' in provider else provider.replace('_', '-'))}"


def _bound_schema(judge: str, schema: type[BaseModel]) -> dict[str, Any]:
    form = schema.model_json_schema()
    provider = judge.partition(":")[0]
    if provider == "openai":
        named = {"name": schema.__name__, "strict": True, "schema": form}
        return {"response_format": {"type": "json_schema", "json_schema": named}}
    if provider == "ollama":
        return {"format": form}
    raise ConfigError(f"judge {judge}: structured output is for openai and ollama: leave structured out")


def _reply(message: Any, hidden: list[str]) -> Reply:
    told = {**message.response_metadata, **message.additional_kwargs}
    ended = next((told[name] for name in ("finish_reason", "stop_reason", "done_reason") if told.get(name)), "")
    usage = message.usage_metadata or {}
    refusal = told.get("refusal")
    finish: Finish = "stop"
    if refusal or str(ended).lower() in _REFUSALS:
        finish = "refused"
    elif str(ended).lower() in _CUT_OFF:
        finish = "length"
    detail = clean(scrubbed(str(refusal or ended), hidden), _DETAIL) if finish == "refused" else ""
    text = scrubbed(str(message.text)[:LONGEST_REPLY], hidden)
    return Reply(text, finish, detail, usage.get("input_tokens"), usage.get("output_tokens"))


def _status(error: Exception) -> int | None:
    for cause in _chain(error):
        for holder in (cause, getattr(cause, "response", None)):
            status = getattr(holder, "status_code", None)
            if isinstance(status, int) and status >= 400:
                return status
    return None


def _retry_after(error: Exception) -> float | None:
    """Seconds that the server asks to wait, by its header, in seconds or as a date."""
    for cause in _chain(error):
        headers = getattr(getattr(cause, "response", None), "headers", None) or {}
        told = headers.get("retry-after")
        if not told:
            continue
        try:
            return max(0.0, float(told))
        except ValueError:
            pass
        try:
            until = email.utils.parsedate_to_datetime(told)
        except ValueError:
            return None
        return max(0.0, (until - datetime.datetime.now(tz=until.tzinfo)).total_seconds())
    return None


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
