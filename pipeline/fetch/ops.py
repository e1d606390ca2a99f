"""EPO's Open Patent Services: what a CQL question finds, with bibliographic data.

The shapes are those of OPS 3.2 as its Reference Guide 1.3.20 (June 2024) has them, and of genuine answers; no call was
made to the service itself. A question shows 2,000 results, 100 a page, and says 10,000 of any more. A token lasts about
20 minutes. Every answer says how many searches a minute are welcome now (``X-Throttling-Control``): green, yellow (over
half of them used), red (over three quarters), black (closed until ``Retry-After``, in milliseconds). A quota that is
spent is a 403 with an ``X-Rejection-Reason``; that of the week begins anew on Monday, 00:00 UTC.
"""

import base64
import datetime
import json
import re
import time
from collections.abc import Callable
from urllib.parse import quote, urlencode

from lxml import etree

from pipeline.errors import FetchError
from pipeline.fetch.api import Answer, Line, Request
from pipeline.fetch.harvest import Page, Span
from pipeline.fetch.http import AGAIN, LONGEST_WAIT, RetryError, asked_to_wait

KEY, SECRET = "OPS_KEY", "OPS_SECRET"
WHERE = "consumer key and secret, free at developers.epo.org"
PAGE, SHOWN, COUNTED = 100, 2_000, 10_000
_BLACK = 60.0  # seconds of rest when closed without a word on how long
_LAST_SECONDS = 60.0  # of a token's life that are not relied on
_SLOWER = {"green": 1.0, "yellow": 2.0, "red": 4.0}
_NS = {"ops": "http://ops.epo.org", "epo": "http://www.epo.org/exchange"}
_SEARCH = re.compile(r"\bsearch\s*=\s*(\w+)\s*:\s*(\d+)")
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True)


class Ops:
    """One CQL question to OPS (a ``Service`` of ``harvest``)."""

    name = "ops"
    suffix = ".xml"
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ops:world-patent-data xmlns="http://www.epo.org/exchange" '
        'xmlns:ops="http://ops.epo.org"><exchange-documents>\n'
    )
    tail = "</exchange-documents></ops:world-patent-data>\n"
    most = SHOWN
    shown: int | None = SHOWN

    def __init__(
        self,
        line: Line,
        token_address: str,
        search_address: str,
        query: str,
        key: str,
        secret: str,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if not query.strip():
            raise FetchError("the question is empty")
        self._line, self._query, self._now = line, query.strip(), now
        self._token_address, self._search_address = token_address, search_address
        self._basic = base64.b64encode(f"{key}:{secret}".encode()).decode()
        self._token, self._until, self._proven, self._closed = "", 0.0, False, ""
        line.secret(key, secret, self._basic)

    def page(self, span: Span | None, number: int) -> Page:
        """A page of 100 results, as documents of XML; see ``Service``."""
        if self._closed:
            raise FetchError(self._closed)
        begin = number * PAGE + 1
        query = self._query if span is None else f'({self._query}) and pd within "{_day(span.first)} {_day(span.last)}"'
        total, documents = self._line.ask(lambda: self._request(query, begin), self._read)
        there = min(total, SHOWN)
        return Page(documents, total, begin + PAGE > there, total < COUNTED)

    def _request(self, query: str, begin: int) -> Request:
        question = urlencode({"q": query, "Range": f"{begin}-{begin + PAGE - 1}"}, quote_via=quote)
        return Request(
            f"{self._search_address}?{question}",
            headers={"Accept": "application/xml"},
            key={"Authorization": f"Bearer {self._valid_token()}"},
        )

    def _valid_token(self) -> str:
        if not self._token or self._now() >= self._until:
            request = Request(
                self._token_address,
                "POST",
                {"Content-Type": "application/x-www-form-urlencoded"},
                {"Authorization": f"Basic {self._basic}"},
                b"grant_type=client_credentials",
            )
            self._token, seconds = self._line.ask(lambda: request, self._read_token)
            self._until, self._proven = self._now() + max(0.0, seconds - _LAST_SECONDS), False
        return self._token

    def _read_token(self, answer: Answer) -> tuple[str, float]:
        if answer.status in AGAIN:
            raise self._later(answer)
        if answer.status in (400, 401):
            raise FetchError(f"OPS knows no such key: {KEY} or {SECRET} is wrong")
        self._refuse_spent(answer)
        if answer.status != 200:
            raise FetchError(f"OPS gives no token, but answers {answer.status}: {self._said(answer)}")
        try:
            said = json.loads(answer.body)
            token, seconds = said["access_token"], float(said.get("expires_in", 0))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RetryError("the answer holds no token") from error
        if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
            raise RetryError("the answer holds no token")
        self._line.secret(token)
        return token, seconds

    def _read(self, answer: Answer) -> tuple[int, list[tuple[str, str]]]:
        """How many results there are, and the documents of this page."""
        self._keep_pace(answer)
        if answer.status == 200:
            self._proven = True
            return _results(answer.body)
        said = self._said(answer)
        if answer.status == 404 and "EntityNotFound" in said:
            return 0, []
        if answer.status in (400, 401) and re.search(r"access[ _]?token", said, re.IGNORECASE):
            again = 0.0 if self._proven else None
            self._token, self._proven = "", False
            raise RetryError(f"the token is refused ({said})", again)
        self._refuse_spent(answer)
        if answer.status in AGAIN:
            raise self._later(answer)
        advice = {404: "see sources.yaml and --base-url", 413: "narrow the question"}
        raise FetchError(f"OPS answers {answer.status}: {said or advice.get(answer.status, 'without a word')}")

    def _keep_pace(self, answer: Answer) -> None:
        """Wait between requests as the colour and number for searches ask."""
        light = _SEARCH.search(answer.headers.get("x-throttling-control", ""))
        if light is None:
            return
        colour, a_minute = light[1].lower(), int(light[2])
        if colour in _SLOWER and a_minute:
            self._line.rest(60.0 / a_minute * _SLOWER[colour])
        elif answer.status == 200:  # a refusal says itself how long; what was sent is kept in any case
            try:
                self._line.rest(self._closed_for(answer))
            except FetchError as error:
                self._closed = str(error)

    def _closed_for(self, answer: Answer) -> float:
        """Seconds until it opens again.

        Raises:
            FetchError: when they are more than ``LONGEST_WAIT``.
        """
        milliseconds = answer.number("retry-after")
        seconds = _BLACK if milliseconds is None else milliseconds / 1000
        if seconds > LONGEST_WAIT:
            raise FetchError(f"OPS is closed to this key for now: go on {_at(_utc_now(), seconds)}")
        return seconds

    def _refuse_spent(self, answer: Answer) -> None:
        if answer.status != 403:
            return
        reason, said = self._line.hidden(answer.headers.get("x-rejection-reason", "")), self._said(answer)
        told = f"{reason} {said}".lower()
        if re.search(r"per ?week", told):
            raise FetchError(
                f"the week's quota of OPS is spent ({reason or said}): go on after {_next_week(_utc_now())}"
            )
        if re.search(r"per ?hour", told):
            raise FetchError(f"the hour's quota of OPS is spent ({reason or said}): go on {_at(_utc_now(), 3600)}")
        light = _SEARCH.search(answer.headers.get("x-throttling-control", ""))
        closed = light is not None and light[1].lower() not in _SLOWER
        if closed or "throttling" in told or "robot" in told or "retry-after" in answer.headers:
            raise RetryError(f"OPS asks for fewer requests ({reason or said})", self._closed_for(answer), True)
        raise FetchError(f"OPS refuses access ({reason or said or 'without a word'}): is the key in order?")

    def _later(self, answer: Answer) -> RetryError:
        after = asked_to_wait(answer.headers, "OPS")
        return RetryError(f"the server answers {answer.status}", after)

    def _said(self, answer: Answer) -> str:
        """The code and message of a fault, else how the body begins."""
        try:
            root = etree.fromstring(answer.body, _PARSER)
        except (etree.XMLSyntaxError, ValueError):
            return self._line.hidden(answer.body[:2000].decode("utf-8", "replace"))
        told = [element.text or "" for element in root.iter("{*}code", "{*}message", "{*}description", "{*}cause")]
        return self._line.hidden(": ".join(told))


def _results(body: bytes) -> tuple[int, list[tuple[str, str]]]:
    try:
        root = etree.fromstring(body, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise RetryError(f"the answer is no XML, or only part of it ({' '.join(str(error).split())[:80]})") from error
    search = root.find("ops:biblio-search", _NS)
    total = "" if search is None else search.get("total-result-count", "")
    if search is None or not re.fullmatch(r"\d{1,12}", total):
        raise RetryError("the answer does not say how many results there are")
    documents = [(_number(document), _xml(document)) for document in search.iterfind(".//epo:exchange-document", _NS)]
    if int(total) and not documents:
        raise RetryError(f"the answer promises {int(total):,} results and holds none with bibliographic data")
    return int(total), documents


def _number(document: etree._Element) -> str:
    number = ".".join(document.get(part, "") for part in ("country", "doc-number", "kind"))
    if not document.get("doc-number"):
        raise RetryError("the answer holds a document without a number")
    return number


def _xml(document: etree._Element) -> str:
    return str(etree.tostring(document, encoding="unicode", with_tail=False))


def _day(day: datetime.date) -> str:
    return day.isoformat().replace("-", "")


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _at(now: datetime.datetime, seconds: float) -> str:
    return f"at {now + datetime.timedelta(seconds=seconds):%Y-%m-%d %H:%M} UTC"


def _next_week(now: datetime.datetime) -> str:
    """The next Monday, 00:00.

    >>> _next_week(datetime.datetime(2026, 11, 27, 9))
    'Monday 2026-11-30 00:00 UTC'
    """
    monday = now.date() + datetime.timedelta(days=7 - now.weekday())
    return f"Monday {monday} 00:00 UTC"
