"""The Lens patent API: what a question finds, as lines of JSON.

The shapes are those of API 2.19, patent schema 1.6.4 (December 2025), as docs.api.lens.org has them; no call was made
to the service itself. Results are scrolled: the server keeps its place for a minute and moves on with every request,
so that a request whose answer is lost cannot be repeated, and a part begins anew. It says in headers how many requests
are left in the minute, and how many requests and records in the month.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import FetchError
from pipeline.fetch.api import Answer, Line, LostPlaceError, Request
from pipeline.fetch.harvest import Page, Span
from pipeline.fetch.http import AGAIN, LONGEST_WAIT, RetryError, asked_to_wait

TOKEN = "LENS_API_TOKEN"
WHERE = "a token of your access plan, from your profile at lens.org"
PAGE = 100  # records: what the smallest plan allows
PART = 2_000  # records of one scroll: what has to be asked for again when the server loses its place
_KEPT = "1m"  # the longest that the server keeps its place
_MINUTE = 60.0
_NEEDED = ("lens_id", "jurisdiction", "doc_number", "kind", "date_published")
_INCLUDE = (*_NEEDED, "lang", "biblio", "families", "abstract", "claims")
_TAKEN = ("query", "include", "exclude", "stemming", "language", "regex", "min_score")

_MONTH = {"request": "x-rate-limit-remaining-request-per-month", "record": "x-rate-limit-remaining-record-per-month"}


def question(given: str) -> dict[str, Any]:
    """The body of a request, without paging, from a query as text or a JSON file.

    A file holds a request (``{"query": ..., "include": [...]}``) or only its query (``{"match": ...}``).

    Raises:
        FetchError: when the file cannot be read or asks for what this client settles itself.
    """
    path = Path(given)
    if not given.lower().endswith(".json"):
        if not given.strip():
            raise FetchError("the question is empty")
        return {"query": given, "include": list(_INCLUDE)}
    try:
        body = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise FetchError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise FetchError(f"{path} is no JSON: {' '.join(str(error).split())[:120]}") from error
    if not isinstance(body, dict) or not body:
        raise FetchError(f"{path} holds no question: write a request of the Lens API, or its query")
    if "query" not in body:
        body = {"query": body}
    foreign = [name for name in body if name not in _TAKEN]
    if foreign:
        raise FetchError(f"{path}: {', '.join(map(repr, foreign))} cannot be given; known are {', '.join(_TAKEN)}")
    if not isinstance(body["query"], str | dict) or not body["query"]:
        raise FetchError(f"{path}: query is neither text nor a query of the Lens API")
    if "include" in body:
        if not isinstance(body["include"], list) or not all(isinstance(name, str) for name in body["include"]):
            raise FetchError(f"{path}: include is no list of names")
        body["include"] = list(dict.fromkeys([*_NEEDED, *body["include"]]))
    elif "exclude" not in body:
        body["include"] = list(_INCLUDE)
    return body


class Lens:
    """One question to the Lens (a ``Service`` of ``harvest``)."""

    name = "lens"
    suffix = ".jsonl"
    head = tail = ""
    most = PART
    shown: int | None = None

    def __init__(self, line: Line, address: str, body: Mapping[str, Any], token: str) -> None:
        self._line, self._address, self._body = line, address, body
        self._key = {"Authorization": f"Bearer {token}"}
        self._place, self._received, self._total, self._spent = "", 0, 0, ""
        line.secret(token)

    def page(self, span: Span | None, number: int) -> Page:
        """The next page of up to 100 records; see ``Service``."""
        if self._spent:
            raise FetchError(self._spent)
        if number == 0:
            self._place, self._received = "", 0
            said = self._line.ask(lambda: self._request(self._first(span)), self._read)
            if said is None and span is None:
                raise FetchError(f"the Lens finds no patent for this question (or {self._address} is not its address)")
            said = said or {"total": 0, "documents": [], "place": ""}
            self._total = said["total"]
        elif not self._place:
            raise LostPlaceError("the server keeps its place for a minute only")
        else:
            body = {"scroll_id": self._place, "scroll": _KEPT, **self._chosen()}
            said = self._line.ask(lambda: self._request(body, repeatable=False), self._read)
            if said is None:
                return Page([], None, last=True)
        self._place = said["place"]
        self._received += len(said["documents"])
        last = not said["documents"] or self._received >= self._total or not self._place
        return Page(said["documents"], said["total"], last)

    def _first(self, span: Span | None) -> dict[str, Any]:
        query = self._body["query"]
        if span is not None and isinstance(query, str):
            query = f"({query}) AND date_published:[{span.first} TO {span.last}]"
        elif span is not None:
            days = {"range": {"date_published": {"gte": str(span.first), "lte": str(span.last)}}}
            query = {"bool": {"must": [query], "filter": [days]}}
        return {**self._body, "query": query, "size": PAGE, "scroll": _KEPT}

    def _chosen(self) -> dict[str, Any]:
        return {name: self._body[name] for name in ("include", "exclude") if name in self._body}

    def _request(self, body: Mapping[str, Any], repeatable: bool = True) -> Request:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        content = json.dumps(body, ensure_ascii=False).encode()
        return Request(self._address, "POST", headers, self._key, content, repeatable)

    def _read(self, answer: Answer) -> dict[str, Any] | None:
        """Total, records and the place in the scroll; None when there are no more."""
        self._keep_pace(answer)
        if answer.status == 200:
            said_here = _records(answer.body)
            if said_here["total"] and not said_here["documents"] and not self._place:
                raise RetryError(f"the answer promises {said_here['total']:,} records and holds none")
            return said_here
        if answer.status == 204 or (answer.status == 404 and not self._place):
            return None
        said = self._line.hidden(_message(answer.body))
        if answer.status in (400, 404) and self._place:
            raise LostPlaceError(f"the server has lost its place ({said})")
        if answer.status in (401, 403):
            raise FetchError(f"the Lens refuses access: {TOKEN} is wrong, or its plan does not cover this ({said})")
        if answer.status == 429:
            if self._spent:
                raise FetchError(self._spent)
            raise RetryError("the Lens asks for fewer requests", self._turned_away_for(answer), True)
        if answer.status in AGAIN:
            raise RetryError(f"the server answers {answer.status}", asked_to_wait(answer.headers, "the Lens"))
        raise FetchError(f"the Lens answers {answer.status}: {said or 'without a word'}")

    def _keep_pace(self, answer: Answer) -> None:
        left = {what: answer.number(header) for what, header in _MONTH.items()}
        spent = [what for what, number in left.items() if number == 0]
        if spent:
            day = self._line.hidden(answer.headers.get("x-rate-limit-reset-date", ""))[:40]
            self._spent = (
                f"the month's {spent[0]}s of this plan of the Lens are spent: go on after {day or 'they are renewed'}"
            )
        elif answer.status == 200 and answer.number("x-rate-limit-remaining-request-per-minute") == 0:
            self._line.rest(min(self._asked(answer) or _MINUTE, _MINUTE))

    def _turned_away_for(self, answer: Answer) -> float | None:
        seconds = self._asked(answer)
        if seconds is not None and seconds > LONGEST_WAIT:
            raise FetchError(f"the Lens asks to come back in {seconds:,.0f} seconds: do so then")
        return seconds

    def _asked(self, answer: Answer) -> float | None:
        """Seconds that the server asks to wait, by whichever of its headers."""
        asked = [asked_to_wait(answer.headers, "the Lens"), answer.number("x-rate-limit-retry-after-seconds")]
        milliseconds = answer.number("x-rate-limit-retry-after-millis")
        return max(
            (
                seconds
                for seconds in (*asked, None if milliseconds is None else milliseconds / 1000)
                if seconds is not None
            ),
            default=None,
        )


def _records(body: bytes) -> dict[str, Any]:
    """The total, the records as ids and lines of JSON, and the place in the scroll."""
    try:
        said = json.loads(body)
        total, data = (said.get("total"), said.get("data")) if isinstance(said, dict) else (None, None)
        if not isinstance(total, int) or total < 0 or not isinstance(data, list):
            raise RetryError("the answer does not say how many records there are, or holds none")
        documents = [(_id(record), _line_of(record)) for record in data]
    except (ValueError, RecursionError) as error:
        raise RetryError(f"the answer is no JSON, or only part of it ({' '.join(str(error).split())[:80]})") from error
    place = said.get("scroll_id")
    return {"total": total, "documents": documents, "place": place if isinstance(place, str) else ""}


def _id(record: Any) -> str:
    identity = record.get("lens_id") if isinstance(record, dict) else None
    if not isinstance(identity, str) or not identity.isascii():
        raise RetryError("the answer holds a record without a lens_id")
    return identity


def _line_of(record: Mapping[str, Any]) -> str:
    line = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    return line.encode("utf-8", "replace").decode()  # half a character, which JSON can hold and UTF-8 cannot


def _message(body: bytes) -> str:
    text = body[:2000].decode("utf-8", "replace")
    found = re.search(r'"(?:message|error|detail)"\s*:\s*"([^"]*)"', text)
    return found[1] if found else text
