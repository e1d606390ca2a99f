"""What every request to a publisher keeps to: a key stays with its host, and who is asked to wait waits."""

import contextlib
import email.utils
import time
from collections.abc import Iterator, Mapping

import httpx

from pipeline.errors import FetchError

ATTEMPTS = 6  # in a row that brought nothing new
LONGEST_WAIT = 900.0  # seconds a server may ask us to wait
TIMEOUT = httpx.Timeout(60.0, connect=20.0)
AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504))  # statuses that may pass
_REDIRECTS = 5
_KEEP_BODY = (307, 308)


class RetryError(Exception):
    """Try again after some seconds; ``None``: after a wait that grows.

    ``turned_away``: the server did not begin to work on the request.
    """

    def __init__(self, reason: str, after: float | None = None, turned_away: bool = False) -> None:
        super().__init__(reason)
        self.after = after
        self.turned_away = turned_away


@contextlib.contextmanager
def answered(
    client: httpx.Client,
    method: str,
    address: str,
    headers: Mapping[str, str],
    key: Mapping[str, str],
    content: bytes | None = None,
) -> Iterator[httpx.Response]:
    """The answer to a request, redirects followed; the headers ``key`` go to the host of ``address`` and to no other.

    Raises:
        FetchError: when it is led in circles, out of encryption, or to nowhere.
        httpx.RequestError: when there is no answer.
    """
    url = httpx.URL(address)
    home = (url.scheme, url.host, url.port)
    for _ in range(_REDIRECTS + 1):
        own = key if (url.scheme, url.host, url.port) == home else {}
        with client.stream(method, url, headers={**headers, **own}, content=content) as response:
            if not response.has_redirect_location:
                yield response
                return
            place, status = response.headers["location"], response.status_code
        try:
            target = url.join(place)
        except httpx.InvalidURL as error:
            raise FetchError(f"{address} leads to an address that is none") from error
        if target.scheme not in ("http", "https") or (url.scheme == "https" and target.scheme == "http"):
            raise FetchError(f"{address} leads to {target.scheme}: no longer encrypted, not followed")
        if content is not None and status not in _KEEP_BODY:
            raise FetchError(f"{address} has moved ({status}): see sources.yaml and --base-url")
        url = target
    raise FetchError(f"{address} leads in circles: more than {_REDIRECTS} redirects")


def asked_to_wait(headers: Mapping[str, str], address: str) -> float | None:
    """The seconds of a ``Retry-After``, a number or a date; None without one.

    Raises:
        FetchError: when they are more than ``LONGEST_WAIT``.
    """
    text = headers.get("retry-after", "").strip()
    if text.isdigit():
        seconds = float(text)
    else:
        day = email.utils.parsedate_tz(text)
        if day is None:
            return None
        seconds = max(0.0, email.utils.mktime_tz(day) - time.time())
    if seconds > LONGEST_WAIT:
        raise FetchError(f"{address}: the server asks to come back in {seconds:,.0f} seconds: do so then")
    return seconds
