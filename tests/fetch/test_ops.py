"""A CQL question to a server that speaks as OPS 3.2 does: pages, tokens, colours, quotas, faults and lies.

The answers are hand-made in the shapes of OPS's Reference Guide 1.3.20 and of genuine answers; none is a real patent.
"""

import base64
import dataclasses
import datetime
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cases import real_data
from fetch.server import Behaviour, Reply, Request, serving
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import FetchError
from pipeline.fetch import ops
from pipeline.fetch.api import Line
from pipeline.fetch.harvest import Harvest, harvest
from pipeline.fetch.ops import Ops

KEY, SECRET = "consumer-key-7", "consumer-secret-9"
GREEN = {"X-Throttling-Control": "idle (images=green:200, inpadoc=green:60, search=green:30, retrieval=green:200)"}
FAULT = '<?xml version="1.0"?><fault xmlns="http://ops.epo.org"><code>{}</code><message>{}</message></fault>'
ERROR = "<error><code>{}</code><message>{}</message></error>"


def document(number: int, day: str) -> str:
    return f"""<exchange-documents><exchange-document system="ops.epo.org" family-id="{number}" country="EP"
 doc-number="{number:07}" kind="A1"><bibliographic-data><publication-reference><document-id document-id-type="docdb">
<country>EP</country><doc-number>{number:07}</doc-number><kind>A1</kind><date>{day}</date></document-id>
</publication-reference><classifications-ipcr><classification-ipcr sequence="1"><text>F25B  41/    20            A I
</text></classification-ipcr><classification-ipcr sequence="2"><text>G06F   3/    00            A I</text>
</classification-ipcr></classifications-ipcr><parties><applicants><applicant data-format="epodoc"><applicant-name>
<name>Würth &amp; Co [DE]</name></applicant-name></applicant></applicants></parties>
<invention-title lang="en">Valve {number}</invention-title></bibliographic-data></exchange-document>
</exchange-documents>"""


def answer(begin: int, documents: list[str], total: int) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?><?xml-stylesheet type="text/xsl" href="/3.2/style/exchange.xsl"?>
<ops:world-patent-data xmlns="http://www.epo.org/exchange" xmlns:ops="http://ops.epo.org"
 xmlns:xlink="http://www.w3.org/1999/xlink"><ops:biblio-search total-result-count="{total}">
<ops:query syntax="CQL">x</ops:query><ops:range begin="{begin}" end="{begin + 99}"/>
<ops:search-result>{"".join(documents)}</ops:search-result></ops:biblio-search></ops:world-patent-data>""".encode()


@dataclasses.dataclass
class Office:
    """OPS over publications, one a day in ``days``; ``instead`` may answer a search (counted from 1) otherwise."""

    days: list[str]
    instead: Callable[[int, Request], Reply | None] = lambda number, request: None
    headers: dict[str, str] = dataclasses.field(default_factory=lambda: dict(GREEN))
    tokens: int = 0
    searches: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def __call__(self, request: Request, _: int) -> Reply:
        if request.path == "/auth/accesstoken":
            return self._token(request)
        parts = urlsplit(request.path)
        assert parts.path == "/rest-services/published-data/search/biblio"
        question = parse_qs(parts.query)
        self.searches.append((question["q"][0], question["Range"][0]))
        if request.headers.get("Authorization") != f"Bearer token-{self.tokens}":
            return Reply(400, {}, ERROR.format(400, "invalid_access_token").encode())
        return self.instead(len(self.searches), request) or self._found(*self.searches[-1])

    def _token(self, request: Request) -> Reply:
        expected = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        if (request.method, request.headers["Authorization"]) != ("POST", f"Basic {expected}"):
            return Reply(401, {}, b'{"ErrorCode":"invalid_client"}')
        assert request.body == b"grant_type=client_credentials"
        self.tokens += 1
        return Reply(200, {}, json.dumps({"access_token": f"token-{self.tokens}", "expires_in": "1199"}).encode())

    def _found(self, query: str, asked: str) -> Reply:
        begin, end = map(int, asked.split("-"))
        span = re.search(r'\) and pd within "(\d{8}) (\d{8})"$', query)
        found = [(number, day) for number, day in enumerate(self.days, 1) if span is None or span[1] <= day <= span[2]]
        if end > 2000 or end - begin > 99:
            return Reply(400, {}, FAULT.format("CLIENT.InvalidQuery", "The request was invalid").encode())
        if not found:
            return Reply(404, self.headers, FAULT.format("SERVER.EntityNotFound", "No results found").encode())
        shown = [document(*each) for each in found[begin - 1 : end]]
        return Reply(200, self.headers, answer(begin, shown, min(len(found), 10_000)))


def only(number: int, *replies: Reply) -> Callable[[int, Request], Reply | None]:
    """These replies from one search on, and the office's own otherwise."""
    return lambda count, request: replies[count - number] if number <= count < number + len(replies) else None


def fetched(url: str, folder: Path, waits: list[float] | None = None, query: str = "cpc=F25B") -> Harvest:
    line = Line((waits if waits is not None else []).append)
    addresses = f"{url}/auth/accesstoken", f"{url}/rest-services/published-data/search/biblio"
    return harvest(Ops(line, *addresses, query, KEY, SECRET), {"query": query}, folder, {})


def refusal(behaviour: Behaviour, folder: Path) -> str:
    with serving(behaviour) as server, pytest.raises(FetchError) as caught:
        fetched(server.url, folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_pages_of_a_hundred_become_one_file(tmp_path: Path) -> None:
    office = Office(["20200101"] * 250)
    with serving(office) as server:
        found = fetched(server.url, tmp_path)
    assert office.searches == [("cpc=F25B", span) for span in ("1-100", "101-200", "201-300")]
    assert (found.promised, found.written, found.lacking, office.tokens) == (250, 250, (), 1)
    text = found.path.read_text(encoding="utf-8")
    assert len(re.findall("<exchange-document ", text)) == 250
    assert "Würth &amp; Co" in text


def test_more_than_2000_results_are_asked_for_by_date_of_publication(tmp_path: Path) -> None:
    days = [f"{1990 + number % 30}0{number % 9 + 1}15" for number in range(2_300)]
    office = Office(days)
    with serving(office) as server:
        found = fetched(server.url, tmp_path, query="cpc=F25B or ti=valve")
    assert (found.promised, found.written, found.lacking) == (2_300, 2_300, ())
    assert any(query.startswith('(cpc=F25B or ti=valve) and pd within "1') for query, _ in office.searches)


def test_a_day_with_more_than_2000_is_said_to_lack_them(tmp_path: Path) -> None:
    with serving(Office(["20200102"] * 2_050)) as server:
        found = fetched(server.url, tmp_path)
    assert (found.promised, found.written) == (2_050, 2_000)
    assert found.lacking == (
        "50 published on 2020-01-02 lie beyond the 2,000 that are shown of one question: narrow it",
    )


def test_no_result_is_said(tmp_path: Path) -> None:
    assert refusal(Office([]), tmp_path) == "ops finds no patent for this question"


# --- the pace -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("light", "seconds"),
    [("green:30", 2.0), ("green:15", 4.0), ("yellow:30", 4.0), ("red:15", 16.0), ("black:0", 60.0), ("green:0", 60.0)],
)
def test_searches_keep_to_the_pace_that_the_colour_asks(tmp_path: Path, light: str, seconds: float) -> None:
    waits: list[float] = []
    header = {"X-Throttling-Control": f"busy (images=black:0, search={light}, other=green:1000)"}
    with serving(Office(["20200101"] * 150, headers=header)) as server:
        fetched(server.url, tmp_path, waits)
    assert waits == [seconds]


def test_a_black_light_is_waited_for_as_long_as_it_says_in_milliseconds(tmp_path: Path) -> None:
    black = {
        "X-Throttling-Control": "idle (search=black:0)",
        "Retry-After": "216383",
        "X-Rejection-Reason": "ThrottlingControlQuota",
    }
    waits: list[float] = []
    with serving(Office(["20200101"], only(1, Reply(403, black)))) as server:
        assert fetched(server.url, tmp_path, waits).written == 1
    assert waits == [216.383]
    message = refusal(Office(["20200101"], only(1, Reply(403, {**black, "Retry-After": "7200000"}))), tmp_path / "b")
    assert re.search(r"OPS is closed to this key for now: go on at \d{4}-\d\d-\d\d \d\d:\d\d UTC", message)


def test_a_page_that_comes_with_a_black_light_is_kept(tmp_path: Path) -> None:
    black = {"X-Throttling-Control": "busy (search=black:0)", "Retry-After": "7200000"}
    office = Office(["20200101"] * 250, headers=black)
    message = refusal(office, tmp_path)
    assert "OPS is closed to this key for now" in message
    assert "100 results are kept" in message
    assert len(office.searches) == 1


@pytest.mark.parametrize(
    ("reason", "when"),
    [
        ("RegisteredQuotaPerWeek", r"the week's quota .* go on after Monday \d{4}-\d\d-\d\d 00:00 UTC"),
        ("IndividualQuotaPerHour", r"the hour's quota .* go on at \d{4}-\d\d-\d\d \d\d:\d\d UTC"),
    ],
)
def test_a_spent_quota_ends_with_the_time_to_go_on_and_nothing_is_lost(tmp_path: Path, reason: str, when: str) -> None:
    office = Office(["20200101"] * 250, only(3, Reply(403, {"X-Rejection-Reason": reason})))
    message = refusal(office, tmp_path)
    assert re.search(when, message)
    assert "200 results are kept: run the same command again" in message
    assert len(office.searches) == 3
    rest = Office(["20200101"] * 250)
    with serving(rest) as server:
        assert fetched(server.url, tmp_path).written == 250
    assert rest.searches == [("cpc=F25B", "201-300")]


def test_a_week_begins_on_monday() -> None:
    for day, monday in ((23, 30), (27, 30), (29, 30)):
        assert ops._next_week(datetime.datetime(2026, 11, day, 12)) == f"Monday 2026-11-{monday} 00:00 UTC"


def test_an_overloaded_or_silent_server_is_asked_again(tmp_path: Path) -> None:
    replies = [
        Reply(503, {"Retry-After": "7"}),
        Reply(500),
        Reply(403, {}, FAULT.format("CLIENT.RobotDetected", "Recent behaviour implies you are a robot").encode()),
        Reply(200, GREEN, answer(1, [document(1, "20200101")], 1), sent=300),
        Reply(200, GREEN, answer(1, [document(1, "20200101")], 1)[:300], length=300),  # too short a length
    ]
    waits: list[float] = []
    with serving(Office(["20200101"], only(1, *replies))) as server:
        assert fetched(server.url, tmp_path, waits).written == 1
    assert waits == [7.0, 2.0, 60.0, 8.0, 16.0, 2.0]  # the last: the pace that the cut answer asked for all the same
    assert "500, 6 times in a row" in refusal(Office(["20200101"], lambda *_: Reply(500)), tmp_path / "b")


# --- tokens and keys ------------------------------------------------------------------------------------------------


def test_a_token_that_has_expired_is_renewed(tmp_path: Path) -> None:
    refused = Reply(400, {}, ERROR.format(400, "invalid_access_token").encode())
    office = Office(["20200101"] * 250, only(2, refused))
    waits: list[float] = []
    with serving(office) as server:
        assert fetched(server.url, tmp_path, waits).written == 250
    assert office.tokens == 2
    assert [span for _, span in office.searches] == ["1-100", "101-200", "101-200", "201-300"]


def test_a_token_is_renewed_a_minute_before_it_expires(tmp_path: Path) -> None:
    clock = [0.0]
    office = Office(["20200101"] * 250, lambda number, _: clock.__setitem__(0, number * 700.0))
    with serving(office) as server:
        addresses = f"{server.url}/auth/accesstoken", f"{server.url}/rest-services/published-data/search/biblio"
        service = Ops(Line(lambda _: None), *addresses, "q", KEY, SECRET, now=lambda: clock[0])
        assert harvest(service, {}, tmp_path, {}).written == 250
    assert office.tokens == 2


def test_a_token_that_is_never_accepted_is_not_asked_for_for_ever(tmp_path: Path) -> None:
    refused = Reply(401, {}, ERROR.format(401, "Access Token is not approved").encode())
    office = Office(["20200101"], lambda *_: refused)
    assert "the token is refused (401: Access Token is not approved), 6 times in a row" in refusal(office, tmp_path)
    assert office.tokens == 6


def test_a_wrong_key_is_one_clear_line(tmp_path: Path) -> None:
    assert refusal(lambda request, _: Reply(401), tmp_path) == "OPS knows no such key: OPS_KEY or OPS_SECRET is wrong"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"access_token": 7}', b'{"access_token": "a b"}'])
def test_an_answer_without_a_token_is_one_clear_line(tmp_path: Path, body: bytes) -> None:
    assert "the answer holds no token, 6 times in a row" in refusal(lambda *_: Reply(200, {}, body), tmp_path)


def test_no_key_or_token_goes_to_another_host(tmp_path: Path) -> None:
    with serving(lambda request, _: Reply(200, GREEN, answer(1, [document(1, "20200101")], 1))) as other:
        office = Office(["20200101"], lambda *_: Reply(302, {"Location": f"{other.url}/moved"}))
        with serving(office) as server:
            assert fetched(server.url, tmp_path).written == 1
        moved = Reply(307, {"Location": f"{other.url}/token"})
        with serving(lambda *_: moved) as front, pytest.raises(FetchError, match="no token"):
            fetched(front.url, tmp_path / "b")
    assert {request.path for request in other.requests} == {"/moved", "/token"}
    assert all(request.headers["Authorization"] is None for request in other.requests)


# --- answers that are none ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no XML, or only part"),
        (b"<html><body>Sorry</body>", "no XML, or only part"),
        (b"<a/>", "does not say how many results"),
        (answer(1, [], 7).replace(b'"7"', b'"many"'), "does not say how many results"),
        (answer(1, [], 7), "promises 7 results and holds none with bibliographic data"),
        (answer(1, [document(1, "20200101").replace('doc-number="0000001"', "")], 1), "document without a number"),
    ],
)
def test_an_answer_that_is_none_is_one_clear_line(tmp_path: Path, body: bytes, words: str) -> None:
    message = refusal(Office([], lambda *_: Reply(200, {}, body)), tmp_path)
    assert words in message
    assert "6 times in a row" in message


@pytest.mark.parametrize(
    ("status", "fault", "words"),
    [
        (400, FAULT.format("CLIENT.InvalidQuery", "The request was invalid"), "400: CLIENT.InvalidQuery: The request"),
        (404, "", "404: see sources.yaml and --base-url"),
        (403, FAULT.format("FORBIDDEN", "Not\nfor you"), "refuses access (FORBIDDEN: Not for you)"),
    ],
)
def test_a_fault_that_will_not_pass_is_told_at_once(tmp_path: Path, status: int, fault: str, words: str) -> None:
    office = Office([], lambda *_: Reply(status, {}, fault.encode()))
    assert words in refusal(office, tmp_path)
    assert len(office.searches) == 1


def test_entities_of_an_answer_are_never_expanded(tmp_path: Path) -> None:
    body = answer(1, [document(1, "20200101").replace("Valve 1", "&e;")], 1)
    bomb = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><ops:world'
    with serving(Office([], lambda *_: Reply(200, {}, body.replace(b"<ops:world", bomb)))) as server:
        found = fetched(server.url, tmp_path)
    assert "&e;" in found.path.read_text()


# --- the command ----------------------------------------------------------------------------------------------------


def test_what_was_fetched_is_ingested_and_no_key_is_written_or_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_KEY", KEY)
    monkeypatch.setenv("OPS_SECRET", SECRET)
    monkeypatch.setattr("time.sleep", lambda _: None)
    raw, corpus = tmp_path / "raw", tmp_path / "corpus"

    def echo(number: int, request: Request) -> Reply | None:
        text = f"{request.headers['Authorization']} {KEY} {SECRET}"
        return Reply(400, {}, ERROR.format(400, text).encode()) if number == 2 else None

    with serving(Office(["20200101"] * 120, echo)) as server:
        words = ["fetch", "ops", "cpc=F25B", "--out", str(raw), "--base-url", server.url]
        failed = CliRunner().invoke(app, words)
        assert isinstance(failed.exception, FetchError)
        assert "OPS answers 400: 400: Bearer *** *** ***; 100 results are kept" in str(failed.exception)
        result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert "fetched; promised 120, written 120" in result.output
    written = "".join(path.read_text() for path in raw.rglob("*") if path.is_file())
    secrets = (KEY, SECRET, "token-", base64.b64encode(f"{KEY}:{SECRET}".encode()).decode())
    for secret in secrets:
        assert secret not in written + result.output + failed.output + str(failed.exception)
    (file,) = raw.glob("ops-*.xml")
    assert f"ingest {file} --out corpus/" in result.output
    result = CliRunner().invoke(app, ["ingest", str(file), "--out", str(corpus)], catch_exceptions=False)
    assert "read 120 = kept 120" in result.output


@pytest.mark.parametrize(
    ("environment", "words", "message"),
    [
        ({}, (), "OPS asks for a key .* set it in the environment as OPS_KEY"),
        ({"OPS_KEY": "k"}, (), "OPS_SECRET"),
        ({"OPS_KEY": "a\nb", "OPS_SECRET": "s"}, (), "^OPS_KEY holds characters that no key has: set it anew$"),
        ({"OPS_KEY": "k", "OPS_SECRET": "s"}, ("--base-url", "http://x.example"), "not encrypted"),
        ({"OPS_KEY": "k", "OPS_SECRET": "s"}, ("--base-url", "https://u:p@x.example"), "^the address holds a name"),
        ({"OPS_KEY": "k", "OPS_SECRET": "s"}, ("--base-url", "x.example"), "is no address"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], words: tuple[str, ...], message: str
) -> None:
    for name in ("OPS_KEY", "OPS_SECRET"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, ["fetch", "ops", "q", "--out", str(tmp_path / "raw"), *words])
    assert isinstance(result.exception, FetchError)
    assert re.search(message, str(result.exception))
    assert not (tmp_path / "raw").exists()


def test_a_genuine_answer_is_read_and_written_as_it_is_ingested(tmp_path: Path) -> None:
    genuine = real_data("formats/epo_ops/published_test_biblio_example.xml").read_text(encoding="utf-8")
    documents = re.search("<exchange-documents>.*</exchange-documents>", genuine, re.DOTALL)
    assert documents is not None
    with serving(Office([], lambda *_: Reply(200, GREEN, answer(1, [documents[0]], 1)))) as server:
        found = fetched(server.url, tmp_path / "raw")
    result = CliRunner().invoke(app, ["ingest", str(found.path), "--out", str(tmp_path / "c")], catch_exceptions=False)
    assert "read 1 = kept 1" in result.output
