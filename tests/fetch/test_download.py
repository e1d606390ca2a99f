"""Downloads against a server that breaks off, lies about lengths, throttles, redirects and answers errors."""

import base64
import dataclasses
import fcntl
import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from cases import names
from fetch.server import Behaviour, Reply, Request, honest, serving

from pipeline.errors import FetchError
from pipeline.fetch.download import Outcome, download
from pipeline.fetch.http import ATTEMPTS
from pipeline.fetch.sources import Wanted

BODY = bytes(range(256)) * 4000
NOTES = {"techconverge": "0", "source": "test", "years": []}


def fetch(
    url: str, folder: Path, waits: list[float] | None = None, files: Sequence[str] = ("a.bin",), **more: object
) -> dict[str, Outcome]:
    wanted = [dataclasses.replace(Wanted(name, f"{url}/{name}"), **more) for name in files]
    return download(wanted, folder, NOTES, wait=(waits if waits is not None else []).append)


def refusal(behaviour: Behaviour, folder: Path, **more: object) -> tuple[str, int]:
    with serving(behaviour) as server:
        with pytest.raises(FetchError) as caught:
            fetch(server.url, folder, **more)
        assert "\n" not in str(caught.value)
        return str(caught.value), len(server.requests)


def ranges(requests: Sequence[Request]) -> list[str | None]:
    return [request.headers.get("Range") for request in requests]


def test_a_file_is_fetched_with_a_record_of_what_it_is(tmp_path: Path) -> None:
    with serving(lambda request, _: honest(BODY, request)) as server:
        seen: list[tuple[str, int, int | None]] = []
        wanted = [Wanted("a.bin", f"{server.url}/a.bin")]
        outcomes = download(wanted, tmp_path, NOTES, lambda *step: seen.append(step))
    assert outcomes == {"a.bin": "fetched"}
    assert (tmp_path / "a.bin").read_bytes() == BODY
    assert names(tmp_path) == [".lock", "a.bin", "fetch.json"]
    entry = json.loads((tmp_path / "fetch.json").read_text())["files"]["a.bin"]
    assert (entry["size"], entry["sha256"]) == (len(BODY), hashlib.sha256(BODY).hexdigest())
    assert seen[0] == ("a.bin", 0, len(BODY))
    assert seen[-1] == ("a.bin", len(BODY), len(BODY))


def test_several_files_are_fetched_and_a_failing_one_stops_none(tmp_path: Path) -> None:
    def behave(request: Request, _: int) -> Reply:
        return Reply(404) if request.path == "/b.bin" else honest(request.path.encode(), request)

    message, _ = refusal(behave, tmp_path, files=("a.bin", "b.bin", "c.bin"))
    assert "b.bin: the server answers 404" in message
    assert "run the command again" in message
    assert {"a.bin", "c.bin"} <= set(names(tmp_path))


@pytest.mark.parametrize("etag", [True, False])
def test_a_broken_connection_is_resumed_where_it_ended(tmp_path: Path, etag: bool) -> None:
    def behave(request: Request, number: int) -> Reply:
        reply = honest(BODY, request, etag, "" if etag else "Wed, 21 Oct 2015 07:28:00 GMT")
        return dataclasses.replace(reply, sent=300_000) if number < 3 else reply

    with serving(behave) as server:
        fetch(server.url, tmp_path)
        assert ranges(server.requests) == [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]
    assert (tmp_path / "a.bin").read_bytes() == BODY


def test_a_later_run_goes_on_with_the_part_of_an_earlier_one(tmp_path: Path) -> None:
    def breaking(request: Request, number: int) -> Reply:
        return dataclasses.replace(honest(BODY, request), sent=100_000 if number == 0 else 0)

    message, requests = refusal(breaking, tmp_path)
    assert f"{ATTEMPTS} times in a row" in message
    assert requests == ATTEMPTS
    assert {"a.bin.part", "a.bin.part.json"} <= set(names(tmp_path))
    note = json.loads((tmp_path / "a.bin.part.json").read_text())
    with serving(lambda request, _: honest(BODY, request)) as server:
        (tmp_path / "a.bin.part.json").write_text(json.dumps({**note, "url": f"{server.url}/a.bin"}))
        fetch(server.url, tmp_path)
        assert ranges(server.requests) == ["bytes=100000-"]
    assert (tmp_path / "a.bin").read_bytes() == BODY


def test_a_file_that_changes_in_between_is_begun_anew(tmp_path: Path) -> None:
    def behave(request: Request, number: int) -> Reply:
        return dataclasses.replace(honest(BODY, request), sent=5000) if number == 0 else honest(BODY[::-1], request)

    with serving(behave) as server:
        fetch(server.url, tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == BODY[::-1]


def test_a_server_without_ranges_or_validators_is_asked_for_all_again(tmp_path: Path) -> None:
    def behave(request: Request, number: int) -> Reply:
        return Reply(200, {}, BODY, sent=5000 if number == 0 else None)

    with serving(behave) as server:
        fetch(server.url, tmp_path)
        assert ranges(server.requests) == [None, None]
    assert (tmp_path / "a.bin").read_bytes() == BODY


@pytest.mark.parametrize(
    "lie",
    [
        Reply(206, {"Content-Range": "bytes 0-99/100"}, b"x" * 100),  # another part
        Reply(206, {}, b"x" * 100),  # no word on which
        Reply(206, {"Content-Range": f"bytes 5000-5099/{len(BODY) + 7}"}, b"x" * 100),  # another whole
        Reply(416, {"Content-Range": "bytes */10"}),
    ],
)
def test_a_part_that_does_not_fit_is_never_glued_on(tmp_path: Path, lie: Reply) -> None:
    def behave(request: Request, number: int) -> Reply:
        if number == 0:
            return dataclasses.replace(honest(BODY, request), sent=5000)
        return lie if number == 1 else honest(BODY, request)

    with serving(behave) as server:
        fetch(server.url, tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == BODY


def test_a_length_too_large_is_never_taken_for_a_whole_file(tmp_path: Path) -> None:
    message, _ = refusal(lambda request, _: dataclasses.replace(honest(BODY, request), length=len(BODY) + 10), tmp_path)
    assert "a.bin" in message
    assert "a.bin" not in names(tmp_path)


def test_an_archive_cut_short_by_a_length_too_small_is_no_archive(tmp_path: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a", BODY)
    body = archive.getvalue()
    message, _ = refusal(
        lambda request, _: Reply(200, {}, body, length=len(body) // 2, sent=len(body) // 2), tmp_path, files=("a.zip",)
    )
    assert "is no zip archive, or only part of one" in message
    page, requests = refusal(lambda request, _: Reply(200, {}, b"<html>Sorry</html>"), tmp_path, files=("b.zip",))
    assert "begins '<html>Sorry" in page
    assert requests == 1
    assert not {"a.zip", "b.zip"} & set(names(tmp_path))


def test_a_published_digest_is_checked(tmp_path: Path) -> None:
    true = {"Digest": f"sha-256={base64.b64encode(hashlib.sha256(BODY).digest()).decode()}"}
    with serving(lambda request, number: Reply(200, true, BODY if number else BODY[::-1])) as server:
        fetch(server.url, tmp_path)
        assert len(server.requests) == 2
    md5 = {"Content-MD5": base64.b64encode(hashlib.md5(b"other").digest()).decode()}
    assert (
        "differs from its published digest"
        in refusal(lambda request, _: Reply(200, md5, BODY), tmp_path, files=("b",))[0]
    )
    wrong = refusal(lambda request, _: Reply(200, {}, BODY), tmp_path, files=("c",), sha256="0" * 64)
    assert wrong[1] == ATTEMPTS
    assert not {"b", "c"} & set(names(tmp_path))


def test_a_throttling_server_is_waited_for_as_long_as_it_asks(tmp_path: Path) -> None:
    waits: list[float] = []

    def behave(request: Request, number: int) -> Reply:
        return [
            Reply(429, {"Retry-After": "7"}),
            Reply(503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),  # past: at once
            Reply(500),
            honest(BODY, request),
        ][number]

    with serving(behave) as server:
        fetch(server.url, tmp_path, waits)
    assert waits == [7.0, 0.0, 4.0]  # what no one says grows with the failures


def test_a_server_that_asks_for_an_hour_is_left(tmp_path: Path) -> None:
    message, requests = refusal(lambda request, _: Reply(429, {"Retry-After": "3600"}), tmp_path)
    assert "asks to come back in 3,600 seconds" in message
    assert requests == 1


@pytest.mark.parametrize(("status", "advice"), [(401, "key"), (403, "key"), (404, "--base-url"), (410, "sources.yaml")])
def test_an_error_that_will_not_pass_is_told_at_once(tmp_path: Path, status: int, advice: str) -> None:
    message, requests = refusal(lambda request, _: Reply(status), tmp_path)
    assert f"the server answers {status}" in message
    assert advice in message
    assert requests == 1


def test_nothing_listens(tmp_path: Path) -> None:
    with serving(lambda request, _: Reply()) as server:
        pass
    with pytest.raises(FetchError, match="ConnectError"):
        fetch(server.url, tmp_path)


# --- again ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("conditions", [True, False])
@pytest.mark.parametrize("etag", [True, False])
def test_a_file_that_is_there_is_confirmed_and_a_change_upstream_is_seen(
    tmp_path: Path, conditions: bool, etag: bool
) -> None:
    current = [BODY, "Wed, 21 Oct 2015 07:28:00 GMT"]

    def behave(request: Request, number: int) -> Reply:
        if not conditions:
            del request.headers["If-None-Match"], request.headers["If-Modified-Since"]
        return honest(current[0], request, etag, "" if etag else current[1])

    with serving(behave) as server:
        assert fetch(server.url, tmp_path) == {"a.bin": "fetched"}
        assert fetch(server.url, tmp_path) == {"a.bin": "unchanged"}
        current[:] = [BODY + b"more", "Thu, 22 Oct 2015 07:28:00 GMT"]
        assert fetch(server.url, tmp_path) == {"a.bin": "changed upstream, fetched again"}
        assert (tmp_path / "a.bin").read_bytes() == BODY + b"more"
        assert fetch(server.url, tmp_path) == {"a.bin": "unchanged"}
        (tmp_path / "a.bin").write_bytes(b"damaged")
        assert fetch(server.url, tmp_path) == {"a.bin": "fetched"}
    assert (tmp_path / "a.bin").read_bytes() == BODY + b"more"


def test_without_validators_a_change_is_seen_by_the_size(tmp_path: Path) -> None:
    current = [BODY]
    with serving(lambda request, _: Reply(200, {}, current[0])) as server:
        fetch(server.url, tmp_path)
        assert fetch(server.url, tmp_path) == {"a.bin": "unchanged"}
        current[0] = BODY[1:]
        assert fetch(server.url, tmp_path) == {"a.bin": "changed upstream, fetched again"}


def test_two_at_once_do_not_meet_in_one_folder(tmp_path: Path) -> None:
    with (tmp_path / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(FetchError, match="another fetch is writing"):
            fetch("http://127.0.0.1:9", tmp_path)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("x")
    with pytest.raises(FetchError, match="cannot write"):
        fetch("http://127.0.0.1:9", tmp_path / "raw")


# --- keys -----------------------------------------------------------------------------------------------------------


def test_a_key_stays_with_the_host_it_is_for(tmp_path: Path) -> None:
    with serving(lambda request, _: honest(BODY, request)) as store:
        redirect = Reply(302, {"Location": f"{store.url}/signed"})
        with serving(lambda request, _: redirect) as front:
            fetch(front.url, tmp_path, headers={"X-API-KEY": "secret"})
            assert front.requests[0].headers["X-API-KEY"] == "secret"
        assert store.requests[0].headers["X-API-KEY"] is None
    assert (tmp_path / "a.bin").read_bytes() == BODY
    assert "secret" not in (tmp_path / "fetch.json").read_text() + repr(Wanted("a", "b", {"X-API-KEY": "secret"}))


def test_a_redirect_in_circles_or_to_a_file_is_not_followed(tmp_path: Path) -> None:
    assert "leads in circles" in refusal(lambda request, _: Reply(302, {"Location": "/a.bin"}), tmp_path)[0]
    message, requests = refusal(lambda request, _: Reply(302, {"Location": "file:///etc/passwd"}), tmp_path)
    assert "leads to file" in message
    assert requests == 1
