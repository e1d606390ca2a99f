"""Downloads that survive: resumed where they broke off, checked, and seen to have changed upstream.

A file grows as ``NAME.part`` beside a note of what the server said of it, and gets its name when it is whole. What was
fetched is recorded in ``fetch.json``. A file that is there is asked for again with its validators, and left alone when
the server says it is the same.
"""

import base64
import binascii
import contextlib
import hashlib
import threading
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import httpx

from pipeline.artifacts import held_alone, read_json, sha256_file, write_json
from pipeline.errors import ArtifactError, FetchError
from pipeline.fetch.http import AGAIN, ATTEMPTS, TIMEOUT, RetryError, answered, asked_to_wait
from pipeline.fetch.sources import Wanted

RECORD = "fetch.json"

Outcome = Literal["fetched", "unchanged", "changed upstream, fetched again"]
Progress = Callable[[str, int, int | None], None]  # file, bytes so far, bytes in all where known


def download(
    wanted: Sequence[Wanted],
    folder: Path,
    notes: Mapping[str, Any],
    progress: Progress = lambda name, done, total: None,
    workers: int = 4,
    wait: Callable[[float], None] = time.sleep,
) -> dict[str, Outcome]:
    """Fetch files into a folder, several at once; ``notes`` are kept in its record.

    Raises:
        FetchError: when the folder is in use or cannot be written, or a file could not be fetched: the others are
            fetched all the same, and what came of it is kept for the next time.
    """
    with alone_in(folder), httpx.Client(timeout=TIMEOUT, follow_redirects=False) as client:
        record = _Record(folder, notes)

        def fetch(file: Wanted) -> Outcome | FetchError:
            try:
                return _File(file, folder, record, client, progress, wait).fetch()
            except FetchError as error:
                return error
            except OSError as error:
                return FetchError(f"{folder / file.name} cannot be written: {error.strerror or error}")

        with ThreadPoolExecutor(workers) as pool:
            results = dict(zip((file.name for file in wanted), pool.map(fetch, wanted), strict=True))
    failed = [str(result) for result in results.values() if isinstance(result, FetchError)]
    if failed:
        more = f" (and {len(failed) - 1} more files failed)" if len(failed) > 1 else ""
        raise FetchError(f"{failed[0]}{more}; run the command again: it goes on from where it stopped")
    return {name: result for name, result in results.items() if not isinstance(result, FetchError)}


class _Record:
    """``fetch.json``: what was fetched into a folder; written anew with every file that is whole."""

    def __init__(self, folder: Path, notes: Mapping[str, Any]) -> None:
        self._path, self._lock = folder / RECORD, threading.Lock()
        try:
            earlier = read_json(self._path) if self._path.exists() else {}
        except ArtifactError as error:
            raise FetchError(f"{error}: remove it to fetch everything anew") from error
        self._files: dict[str, dict[str, Any]] = dict(earlier.get("files", {}))
        self._notes = {**notes}
        self._write()

    def get(self, name: str) -> dict[str, Any] | None:
        """What is known of a file."""
        return self._files.get(name)

    def put(self, name: str, entry: dict[str, Any]) -> None:
        """Note a file that is whole."""
        with self._lock:
            self._files[name] = entry
            self._write()

    def _write(self) -> None:
        write_json(self._path, {**self._notes, "files": dict(sorted(self._files.items()))})


class _File:
    """One file on its way."""

    def __init__(
        self,
        wanted: Wanted,
        folder: Path,
        record: _Record,
        client: httpx.Client,
        progress: Progress,
        wait: Callable[[float], None],
    ) -> None:
        self._wanted, self._record, self._client = wanted, record, client
        self._progress, self._wait = progress, wait
        self._path = folder / wanted.name
        self._part = folder / f"{wanted.name}.part"
        self._note = folder / f"{wanted.name}.part.json"

    def fetch(self) -> Outcome:
        """Fetch, resume or confirm the file, with patience.

        Raises:
            FetchError: when it cannot be had.
        """
        failures, most = 0, self._held()
        while True:
            try:
                return self._attempt()
            except httpx.TransportError as error:
                fault = RetryError(f"{type(error).__name__}: {error}")
            except RetryError as error:
                fault = error
            failures = 1 if self._held() > most else failures + 1  # what was had before is no progress
            most = max(most, self._held())
            if failures >= ATTEMPTS:
                raise FetchError(f"{self._wanted.url}: {' '.join(str(fault).split())[:200]}, {ATTEMPTS} times in a row")
            self._wait(2.0 ** (failures - 1) if fault.after is None else fault.after)

    def _held(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _attempt(self) -> Outcome:
        known = self._known()
        said = self._said()
        headers = {"Accept-Encoding": "identity"}
        if known is not None:
            headers |= _conditions(known)
        elif said is not None:
            headers |= {"Range": f"bytes={self._held()}-", "If-Range": said["etag"] or said["last_modified"]}
        with answered(self._client, "GET", self._wanted.url, headers, self._wanted.headers) as response:
            self._check(response)
            if known is not None and (response.status_code == 304 or _same(known, response)):
                return "unchanged"
            self._receive(response, said if known is None else None)
        self._finish()
        return "fetched" if known is None else "changed upstream, fetched again"

    def _known(self) -> dict[str, Any] | None:
        """The record of the file when it is there as it was fetched."""
        entry = self._record.get(self._wanted.name)
        whole = entry is not None and self._path.is_file() and self._path.stat().st_size == entry["size"]
        return entry if whole and entry is not None and entry["url"] == self._wanted.url else None

    def _said(self) -> dict[str, Any] | None:
        """What the server said of the part that is held, when it can be resumed."""
        if not self._held() or not self._note.exists():
            return None
        try:
            said = read_json(self._note)
        except ArtifactError:
            return None
        resumable = isinstance(said, dict) and said.get("url") == self._wanted.url
        return said if resumable and (said.get("etag") or said.get("last_modified")) else None

    def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in (200, 206, 304):
            return
        if status == 416:  # what is held does not fit what is there now
            self._drop()
            raise RetryError("the server has other bytes than the part that is held", 0.0)
        if status in AGAIN:
            raise RetryError(f"the server answers {status}", asked_to_wait(response.headers, self._wanted.url))
        advice = {
            401: "the key is missing or wrong",
            403: "access is refused: the key may be wrong, or this address closed",
            404: "there is no such file: the publisher may have moved it, see sources.yaml and --base-url",
        }.get(status, "see sources.yaml and --base-url")
        raise FetchError(f"{self._wanted.url}: the server answers {status}: {advice}")

    def _receive(self, response: httpx.Response, said: dict[str, Any] | None) -> None:
        start, total = 0, _number(response.headers.get("content-length"))
        if response.status_code == 206:
            start, total = _content_range(response)
            if said is None or start != self._held() or (said["size"] and total and total != said["size"]):
                self._drop()
                raise RetryError("the server sends another part than was asked for", 0.0)
            total = total or said["size"]
        note = {
            "url": self._wanted.url,
            "size": total,
            "etag": _strong(response.headers.get("etag", "")),
            "last_modified": response.headers.get("last-modified", ""),
            "digest": _digest(response) or (said or {}).get("digest", {}),
        }
        write_json(self._note, note)
        with self._part.open("r+b" if start else "wb") as handle:
            handle.truncate(start)
            handle.seek(start)
            done = start
            self._progress(self._wanted.name, done, total)
            for data in response.iter_raw():
                handle.write(data)
                done += len(data)
                self._progress(self._wanted.name, done, total)
        if total is not None and done < total:
            raise RetryError(f"the connection ended at {done:,} of {total:,} bytes")
        if total is not None and done > total:
            self._drop()
            raise RetryError(f"the server sent {done:,} bytes and announced {total:,}")

    def _finish(self) -> None:
        """Check what is whole by its digests and its own form, then give it its name."""
        note = read_json(self._note)
        digest = sha256_file(self._part)
        expected = self._wanted.sha256 or note["digest"].get("sha-256", "")
        md5 = note["digest"].get("md5", "")
        if (expected and digest != expected.lower()) or (md5 and _md5(self._part) != md5):
            self._drop()
            raise RetryError("the file differs from its published digest")
        if self._wanted.name.endswith(".zip") and not zipfile.is_zipfile(self._part):
            with self._part.open("rb") as handle:
                beginning = handle.read(60).decode("utf-8", "replace")
            self._drop()
            raise FetchError(f"{self._wanted.url} is no zip archive, or only part of one: it begins {beginning!r}")
        size = self._held()
        self._part.replace(self._path)
        self._note.unlink(missing_ok=True)
        kept = {name: note[name] for name in ("etag", "last_modified")}
        self._record.put(self._wanted.name, {"url": self._wanted.url, "size": size, **kept, "sha256": digest})

    def _drop(self) -> None:
        self._part.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)


def alone_in(folder: Path) -> contextlib.AbstractContextManager[None]:
    """Hold a folder for one fetch.

    Raises:
        FetchError: when another fetch holds it, or nothing can be written there.
    """
    busy = f"another fetch is writing to {folder}: wait for it, or choose another --out"
    return held_alone(folder, ".lock", busy, FetchError)


def _conditions(known: Mapping[str, Any]) -> dict[str, str]:
    if known["etag"]:
        return {"If-None-Match": known["etag"]}
    return {"If-Modified-Since": known["last_modified"]} if known["last_modified"] else {}


def _same(known: Mapping[str, Any], response: httpx.Response) -> bool:
    """Whether a server that knows no conditions describes the file that is held; without validators, by its size."""
    etag, modified = _strong(response.headers.get("etag", "")), response.headers.get("last-modified", "")
    size = _number(response.headers.get("content-length"))
    if known["etag"] and etag:
        return bool(known["etag"] == etag)
    if known["last_modified"] and modified:
        return bool(known["last_modified"] == modified and size in (None, known["size"]))
    return size == known["size"]


def _strong(etag: str) -> str:
    """An entity tag that vouches for every byte; a weak one does not."""
    return "" if etag.startswith("W/") else etag


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None


def _content_range(response: httpx.Response) -> tuple[int, int | None]:
    """Where a part begins and how long the whole is; -1 when the server does not say."""
    span, _, total = response.headers.get("content-range", "").removeprefix("bytes ").partition("/")
    start = _number(span.partition("-")[0])
    return (-1 if start is None else start), _number(total)


def _digest(response: httpx.Response) -> dict[str, str]:
    """Digests of the whole file that the server publishes, in hexadecimals."""
    found = {}
    with contextlib.suppress(binascii.Error, ValueError):
        for name in ("repr-digest", "digest"):
            for entry in response.headers.get(name, "").split(","):
                algorithm, _, value = entry.strip().partition("=")
                if algorithm.lower() == "sha-256":
                    found["sha-256"] = base64.b64decode(value.strip(":"), validate=True).hex()
        if response.status_code == 200 and "content-md5" in response.headers:
            found["md5"] = base64.b64decode(response.headers["content-md5"], validate=True).hex()
    return found


def _md5(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
