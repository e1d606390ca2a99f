"""One line to a publisher's interface: a request at a time, with patience, and with its secrets hidden."""

import dataclasses
import os
import re
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import httpx

from pipeline.errors import FetchError
from pipeline.fetch.http import ATTEMPTS, TIMEOUT, RetryError, answered

LARGEST = 512 << 20  # bytes of one answer, unpacked
_KEY = re.compile(r"[!-~]+")
_SHOWN = 200  # characters of what a server says

Result = TypeVar("Result")


class LostPlaceError(Exception):
    """The server no longer knows how far it had come: this part must be asked for from its beginning."""


@dataclasses.dataclass(frozen=True)
class Request:
    """What is asked; the headers ``key`` stay with the host of ``url``.

    ``repeatable``: to ask again changes nothing. Where it does, a fault is a LostPlaceError.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    key: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    content: bytes | None = None
    repeatable: bool = True


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came back, whole; names of headers in any case."""

    status: int
    headers: httpx.Headers
    body: bytes

    def number(self, header: str) -> float | None:
        """A header that is a number of zero or more; None when there is none."""
        text = self.headers.get(header, "").strip()
        return float(text) if re.fullmatch(r"\d{1,12}(?:\.\d+)?", text) else None


class Line:
    """The connection. ``rest`` sets how long the next request waits; whatever is quoted is ``hidden`` first."""

    def __init__(self, wait: Callable[[float], None] = time.sleep) -> None:
        self._client = httpx.Client(timeout=TIMEOUT, follow_redirects=False, limits=httpx.Limits(max_connections=1))
        self._wait, self._rest = wait, 0.0
        self._secrets: set[str] = set()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def secret(self, *values: str) -> None:
        """Never show these."""
        self._secrets |= {value for value in values if value}

    def rest(self, seconds: float) -> None:
        """Wait before the next request."""
        self._rest = seconds

    def hidden(self, text: str) -> str:
        """A server's text on one line, shortened, without secrets."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return "".join(c for c in " ".join(text.split()) if c.isprintable())[:_SHOWN]

    def ask(self, request: Callable[[], Request], read: Callable[[Answer], Result]) -> Result:
        """What ``read`` makes of the answer; asked again while either says that it may pass.

        Raises:
            FetchError: when it does not pass, or ``read`` says that it will not.
            LostPlaceError: when ``read`` says so, or the request is not repeatable and its answer was lost.
        """
        failures = 0
        while True:
            asked = request()
            try:
                return read(self._answer(asked))
            except httpx.RequestError as error:
                fault = RetryError(self.hidden(f"{type(error).__name__}: {error}"))
            except RetryError as error:
                fault = error
            if not asked.repeatable and not fault.turned_away:
                raise LostPlaceError(str(fault))
            failures += 1
            if failures >= ATTEMPTS:
                raise FetchError(f"{place(asked.url)}: {fault}, {ATTEMPTS} times in a row")
            self._wait(2.0 ** (failures - 1) if fault.after is None else fault.after)

    def _answer(self, asked: Request) -> Answer:
        if self._rest:
            self._wait(self._rest)
            self._rest = 0.0
        with answered(self._client, asked.method, asked.url, asked.headers, asked.key, asked.content) as response:
            body = bytearray()
            for data in response.iter_bytes():
                body += data
                if len(body) > LARGEST:
                    raise FetchError(f"{place(asked.url)}: the answer is larger than {LARGEST >> 20} MiB")
            return Answer(response.status_code, response.headers, bytes(body))


def place(url: str) -> str:
    """An address without its question."""
    return url.partition("?")[0]


def base_address(given: str) -> str:
    """An address that a key may be sent to.

    Raises:
        FetchError: when it is none, or not encrypted and of another machine, or holds a key itself.
    """
    try:
        url = httpx.URL(given)
    except httpx.InvalidURL as error:
        raise FetchError(f"{given[:80]!r} is no address: write one such as https://proxy.example/ops") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise FetchError(f"{given[:80]!r} is no address: write one such as https://proxy.example/ops")
    if url.userinfo or url.query:
        raise FetchError("the address holds a name, a password or a question: keys belong in the environment")
    if url.scheme == "http" and url.host not in ("localhost", "127.0.0.1", "::1"):
        raise FetchError(f"{given[:80]!r} is not encrypted: a key is sent to https only, or to this machine")
    return given.rstrip("/")


def key_from(name: str, publisher: str, where: str) -> str:
    """A key from the environment; it is written and shown nowhere.

    Raises:
        FetchError: when it is not set, or is none.
    """
    value = os.environ.get(name, "").strip()
    if not value:
        raise FetchError(f"{publisher} asks for a key ({where}): set it in the environment as {name}")
    if not _KEY.fullmatch(value):
        raise FetchError(f"{name} holds characters that no key has: set it anew")
    return value
