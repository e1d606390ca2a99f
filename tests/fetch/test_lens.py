"""A question to a server that scrolls as the Lens patent API does: pages, limits, lost places, faults and lies.

The answers are hand-made in the shapes that docs.api.lens.org has for API 2.19; none is a real patent.
"""

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cases import real_data
from fetch.server import Behaviour, Reply, Request, serving
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import FetchError
from pipeline.fetch.api import Line
from pipeline.fetch.harvest import Harvest, harvest
from pipeline.fetch.lens import Lens, question

TOKEN = "lens-token-5"
MINUTE, AFTER = "x-rate-limit-remaining-request-per-minute", "x-rate-limit-retry-after-seconds"
MONTH, RESET = "x-rate-limit-remaining-request-per-month", "x-rate-limit-reset-date"


def record(number: int, day: str) -> dict[str, Any]:
    return {
        "lens_id": f"{number:03}-000", "jurisdiction": "US", "doc_number": f"{9_000_000 + number}", "kind": "B2",
        "date_published": day, "lang": "en",
        "biblio": {
            "invention_title": [{"text": "Wärmepumpe", "lang": "de"}, {"text": f"Heat pump {number}", "lang": "en"}],
            "parties": {"applicants": [{"extracted_name": {"value": "Pump, Inc."}}]},
            "classifications_ipcr": {"classifications": [{"symbol": "F25B 41/20"}, {"symbol": "G06F 3/00"}]},
        },
        "families": {"simple_family": {"members": [{"lens_id": f"{number:03}-000"}]}},
        "abstract": [{"text": "A pump.", "lang": "en"}],
    }  # fmt: skip


@dataclasses.dataclass
class Library:
    """The Lens over records with days; ``instead`` may answer a request (counted from 1) otherwise.

    As a real scroll does, it moves on with every request that it hears, whether or not its answer arrives.
    """

    days: list[str]
    instead: Callable[[int], Reply | None] = lambda number: None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    bodies: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    scrolls: dict[str, list[dict[str, Any]]] = dataclasses.field(default_factory=dict)

    def __call__(self, request: Request, _: int) -> Reply:
        assert (request.method, request.path) == ("POST", "/patent/search")
        assert request.headers["Content-Type"] == "application/json"
        if request.headers["Authorization"] != f"Bearer {TOKEN}":
            return Reply(401, {}, b'{"message": "Unauthorized"}')
        body = json.loads(request.body)
        self.bodies.append(body)
        special = self.instead(len(self.bodies))
        if special is not None and special.status in (429, 500):
            return special
        reply = self._next(body)
        return reply if special is None else dataclasses.replace(reply, **vars(special)) if special.body else special

    def _next(self, body: dict[str, Any]) -> Reply:
        if "scroll_id" in body:
            assert set(body) <= {"scroll_id", "scroll", "include", "exclude"}
            rest = self.scrolls.pop(body["scroll_id"], None)
            if rest is None:
                return Reply(400, {}, b'{"message": "scroll_id has expired"}')
            if not rest:
                return Reply(204, self.headers)
            return self._page(rest, int(body["scroll_id"].partition("/")[0]))
        assert (body["size"], body["scroll"]) == (100, "1m")
        found = [record(number, day) for number, day in enumerate(self.days) if self._in(day, body["query"])]
        return self._page(found, len(found)) if found else Reply(404, self.headers)

    def _page(self, found: list[dict[str, Any]], total: int) -> Reply:
        place = f"{total}/{len(self.bodies)}"
        self.scrolls[place] = found[100:]
        said = {"total": total, "data": found[:100], "results": len(found[:100]), "scroll_id": place, "max_score": 1.0}
        return Reply(200, self.headers, json.dumps(said).encode())

    def _in(self, day: str, query: Any) -> bool:
        if isinstance(query, dict) and "bool" in query:
            days = query["bool"]["filter"][0]["range"]["date_published"]
            return bool(days["gte"] <= day <= days["lte"])
        span = re.search(r"\) AND date_published:\[(\S+) TO (\S+)\]$", query) if isinstance(query, str) else None
        return span is None or span[1] <= day <= span[2]


def only(number: int, *replies: Reply) -> Callable[[int], Reply | None]:
    return lambda count: replies[count - number] if number <= count < number + len(replies) else None


def fetched(url: str, folder: Path, waits: list[float] | None = None, asked: str = "title:pump") -> Harvest:
    body = question(asked)
    line = Line((waits if waits is not None else []).append)
    return harvest(Lens(line, f"{url}/patent/search", body, TOKEN), body, folder, {})


def refusal(behaviour: Behaviour, folder: Path) -> str:
    with serving(behaviour) as server, pytest.raises(FetchError) as caught:
        fetched(server.url, folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def ids(found: Harvest) -> list[str]:
    return [json.loads(line)["lens_id"] for line in found.path.read_text(encoding="utf-8").splitlines()]


def test_a_scroll_becomes_one_file_of_json_lines(tmp_path: Path) -> None:
    library = Library(["2020-01-01"] * 250)
    with serving(library) as server:
        found = fetched(server.url, tmp_path)
    assert (found.promised, found.written, found.lacking) == (250, 250, ())
    assert ids(found) == [f"{number:03}-000" for number in range(250)]
    assert "Wärmepumpe" in found.path.read_text(encoding="utf-8")
    assert [body.get("scroll_id") for body in library.bodies] == [None, "250/1", "250/2"]
    assert library.bodies[0]["query"] == "title:pump"
    assert {"lens_id", "biblio", "families", "claims"} <= set(library.bodies[0]["include"])
    assert library.bodies[1]["include"] == library.bodies[0]["include"]


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lens, "most", 200)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("asked", ["title:pump", {"match": {"title": "pump"}}])
def test_more_than_a_part_is_asked_for_by_date_of_publication(tmp_path: Path, asked: Any) -> None:
    if isinstance(asked, dict):
        (tmp_path / "q.json").write_text(json.dumps(asked))
        asked = str(tmp_path / "q.json")
    library = Library([f"{1990 + number % 30}-0{number % 9 + 1}-15" for number in range(660)])
    with serving(library) as server:
        found = fetched(server.url, tmp_path / "raw", asked=asked)
    assert (found.promised, found.written, found.lacking) == (660, 660, ())
    assert len(library.bodies) > 4


def test_nothing_found_is_said_with_the_address(tmp_path: Path) -> None:
    assert re.search("finds no patent for this question .*/patent/search", refusal(Library([]), tmp_path))


# --- the question ---------------------------------------------------------------------------------------------------


def test_a_file_holds_a_request_or_its_query(tmp_path: Path) -> None:
    file = tmp_path / "q.json"
    file.write_text('{"bool": {"must": []}}')
    assert question(str(file))["query"] == {"bool": {"must": []}}
    file.write_text('{"query": "x", "include": ["biblio", "lens_id"], "stemming": false}')
    assert question(str(file)) == {
        "query": "x",
        "include": ["lens_id", "jurisdiction", "doc_number", "kind", "date_published", "biblio"],
        "stemming": False,
    }
    file.write_text('{"query": "x", "exclude": ["description"]}')
    assert question(str(file)) == {"query": "x", "exclude": ["description"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        ("{", "is no JSON"),
        ("[]", "holds no question"),
        ("{}", "holds no question"),
        ('{"query": "x", "size": 5, "from": 0}', "'size', 'from' cannot be given"),
        ('{"query": "x", "group_by": "SIMPLE_FAMILY"}', "'group_by' cannot be given"),
        ('{"query": 7}', "neither text nor a query"),
        ('{"query": "x", "include": "biblio"}', "no list of names"),
    ],
)
def test_a_file_that_is_no_question_is_one_clear_line(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "q.json").write_text(text)
    with pytest.raises(FetchError, match=words):
        question(str(tmp_path / "q.json"))
    with pytest.raises(FetchError, match="empty"):
        question(" ")


# --- the pace -------------------------------------------------------------------------------------------------------


def test_the_minute_that_is_used_up_is_waited_for(tmp_path: Path) -> None:
    waits: list[float] = []
    with serving(Library(["2020-01-01"] * 150, headers={MINUTE: "0", AFTER: "8"})) as server:
        fetched(server.url, tmp_path, waits)
    with serving(Library(["2020-01-01"] * 150, headers={MINUTE: "9"})) as server:
        fetched(server.url, tmp_path / "b", waits)
    assert waits == [8.0]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({AFTER: "9"}, 9.0),
        ({"x-rate-limit-retry-after-millis": "2500", AFTER: "2"}, 2.5),
        ({}, 1.0),
    ],
)
def test_a_request_turned_away_is_asked_again_in_its_place(
    tmp_path: Path, headers: dict[str, str], seconds: float
) -> None:
    waits: list[float] = []
    library = Library(["2020-01-01"] * 150, only(2, Reply(429, headers)))
    with serving(library) as server:
        assert fetched(server.url, tmp_path, waits).lacking == ()
    assert waits == [seconds]
    assert [body.get("scroll_id") for body in library.bodies] == [None, "150/1", "150/1"]


def test_a_spent_month_ends_with_the_day_to_go_on(tmp_path: Path) -> None:
    spent = Reply(429, {MONTH: "0", RESET: "2026-12-01"})
    message = refusal(Library(["2020-01-01"] * 250, only(3, spent)), tmp_path)
    assert "the month's requests of this plan of the Lens are spent: go on after 2026-12-01" in message
    assert "200 results are kept" in message
    foreseen = Library(["2020-01-01"] * 250, headers={"x-rate-limit-remaining-record-per-month": "0"})
    assert "the month's records" in refusal(foreseen, tmp_path / "b")
    assert len(foreseen.bodies) == 1
    assert "come back in 7,200 seconds" in refusal(Library([], only(1, Reply(429, {AFTER: "7200"}))), tmp_path / "c")


# --- places lost, answers lost --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Reply(400), Reply(404), Reply(500), Reply(sent=50, body=b"x" * 60)])
def test_where_a_page_may_be_lost_the_part_begins_anew(tmp_path: Path, fault: Reply) -> None:
    library = Library(["2020-01-01"] * 350, only(3, fault))
    with serving(library) as server:
        found = fetched(server.url, tmp_path)
    assert (found.promised, found.written, found.lacking) == (350, 350, ())
    assert [body.get("scroll_id") for body in library.bodies] == [
        None, "350/1", "350/2", None, "350/4", "350/5", "350/6",
    ]  # fmt: skip


@pytest.mark.usefixtures("small_parts")
def test_a_later_run_keeps_whole_parts_and_begins_the_broken_one_anew(tmp_path: Path) -> None:
    days = [f"{1990 + number % 30}-06-15" for number in range(660)]
    whole = Library(days)
    with serving(whole) as server:
        fetched(server.url, tmp_path / "whole")
    second = [number for number, body in enumerate(whole.bodies, 1) if "scroll_id" in body][1]
    first = Library(days, only(second, Reply(429, {AFTER: "7200"})))
    refusal(first, tmp_path)
    rest = Library(days)
    with serving(rest) as server:
        found = fetched(server.url, tmp_path)
    assert (found.promised, found.written, found.lacking) == (660, 660, ())
    broken = [body["query"] for body in first.bodies if "query" in body][-1]
    assert rest.bodies[0]["query"] == broken  # what came before is there, or known to be too large


def test_an_end_before_what_was_promised_is_said(tmp_path: Path) -> None:
    with serving(Library(["2020-01-01"] * 250, only(3, Reply(204)))) as server:
        found = fetched(server.url, tmp_path)
    assert (found.promised, found.written) == (250, 200)
    assert found.lacking == ("50 were promised and not sent",)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no JSON, or only part"),
        (b"<html>", "no JSON, or only part"),
        (b"[" * 100_000, "no JSON, or only part"),
        (b"[]", "does not say how many records"),
        (b'{"total": "7", "data": []}', "does not say how many records"),
        (b'{"total": 7, "data": []}', "promises 7 records and holds none"),
        (b'{"total": 1, "data": [{"jurisdiction": "US"}]}', "a record without a lens_id"),
    ],
)
def test_an_answer_that_is_none_is_one_clear_line(tmp_path: Path, body: bytes, words: str) -> None:
    message = refusal(lambda *_: Reply(200, {}, body), tmp_path)
    assert words in message
    assert "6 times in a row" in message


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, b'{"message": "Unrecognized\\nfields"}', "the Lens answers 400: Unrecognized"),
        (401, b"", "the Lens refuses access: LENS_API_TOKEN is wrong"),
        (403, b"", "the Lens refuses access"),
        (415, b"", "the Lens answers 415: without a word"),
    ],
)
def test_a_fault_that_will_not_pass_is_told_at_once(tmp_path: Path, status: int, body: bytes, words: str) -> None:
    with serving(lambda *_: Reply(status, {}, body)) as server:
        with pytest.raises(FetchError) as caught:
            fetched(server.url, tmp_path)
        assert len(server.requests) == 1
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_half_a_character_does_not_end_the_fetch(tmp_path: Path) -> None:
    body = b'{"total": 1, "scroll_id": "s", "data": [{"lens_id": "1", "x": "\\ud800"}]}'
    with serving(lambda *_: Reply(200, {}, body)) as server:
        assert ids(fetched(server.url, tmp_path)) == ["1"]


# --- the token and the command --------------------------------------------------------------------------------------


def test_the_token_stays_with_its_host(tmp_path: Path) -> None:
    library = Library(["2020-01-01"])
    with serving(lambda request, number: library(request, number)) as other:
        front = [Reply(status, {"Location": f"{other.url}/patent/search"}) for status in (308, 302)]
        with serving(lambda *_: front[0]) as server, pytest.raises(FetchError, match="refuses access"):
            fetched(server.url, tmp_path)
        assert other.requests[0].headers["Authorization"] is None
        with serving(lambda *_: front[1]) as server, pytest.raises(FetchError, match=r"has moved \(302\)"):
            fetched(server.url, tmp_path)
        assert len(other.requests) == 1


def test_what_was_fetched_is_ingested_and_no_token_is_written_or_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LENS_API_TOKEN", TOKEN)
    raw, corpus = tmp_path / "raw", tmp_path / "corpus"
    echo = Reply(403, {}, f'{{"message": "{TOKEN} may not"}}'.encode())
    with serving(Library(["2020-01-01"] * 120, only(1, echo))) as server:
        words = ["fetch", "lens", "title:pump", "--out", str(raw), "--base-url", server.url]
        failed = CliRunner().invoke(app, words)
        assert "the Lens refuses access" in str(failed.exception)
        result = CliRunner().invoke(app, words, catch_exceptions=False)
        again = CliRunner().invoke(app, words, catch_exceptions=False)
    assert "fetched; promised 120, written 120" in result.output
    assert "there already" in again.output
    written = "".join(path.read_text() for path in raw.rglob("*") if path.is_file())
    assert TOKEN not in written + result.output + failed.output + str(failed.exception)
    (file,) = raw.glob("lens-*.jsonl")
    result = CliRunner().invoke(app, ["ingest", str(file), "--out", str(corpus)], catch_exceptions=False)
    assert "read 120 = kept 120" in result.output


def test_without_a_token_nothing_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LENS_API_TOKEN", raising=False)
    result = CliRunner().invoke(app, ["fetch", "lens", "q", "--out", str(tmp_path / "raw")])
    assert re.search("the Lens asks for a key .* LENS_API_TOKEN", str(result.exception))
    assert not (tmp_path / "raw").exists()


def test_genuine_records_come_back_as_they_were(tmp_path: Path) -> None:
    lines = real_data("formats/lens_api_biopoly_broken1.jsonl").read_text(encoding="utf-8").splitlines()
    records = []
    for line in lines:
        try:
            records.append(json.loads(line))
        except ValueError:
            continue  # the sample has a broken line
    body = json.dumps({"total": len(records), "data": records, "scroll_id": "s"}).encode()
    with serving(lambda *_: Reply(200, {}, body)) as server:
        found = fetched(server.url, tmp_path / "raw")
    assert [json.loads(line) for line in found.path.read_text(encoding="utf-8").splitlines()] == records
    result = CliRunner().invoke(app, ["ingest", str(found.path), "--out", str(tmp_path / "c")], catch_exceptions=False)
    assert f"read {len(records)} = kept" in result.output
