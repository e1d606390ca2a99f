"""All results of one question to a patent interface, page by page, in one file with an account that adds up.

An interface shows only so many results of one question. A question with more is put in halves, by the date of
publication, until each part is small enough. Pages are kept as they come in ``FILE.part``, so that a later run asks
only for what is not there. When all are there the file is written, beside it a manifest: the question, what the server
promised, what is written, and where the difference lies. A file that is there is not asked for again.
"""

import contextlib
import dataclasses
import datetime
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from pipeline.artifacts import atomic_path, read_json, sha256_file, sha256_json, write_json
from pipeline.errors import ArtifactError, FetchError
from pipeline.fetch.api import LostPlaceError
from pipeline.fetch.download import alone_in
from pipeline.fetch.http import ATTEMPTS

FIRST_DAY = datetime.date(1600, 1, 1)
_STATE = "state.json"

Progress = Callable[[int, int], None]  # results so far, results promised as far as is known


@dataclasses.dataclass(frozen=True)
class Span:
    """Days of publication, both ends included."""

    first: datetime.date
    last: datetime.date

    def halves(self) -> tuple["Span", ...]:
        """Two spans that are this one; none for a single day."""
        if self.first >= self.last:
            return ()
        middle = self.first + (self.last - self.first) // 2
        return Span(self.first, middle), Span(middle + datetime.timedelta(days=1), self.last)

    def __str__(self) -> str:
        return f"{self.first}_{self.last}"


@dataclasses.dataclass(frozen=True)
class Page:
    """One answer: documents with their ids, and how many results the question has in all.

    ``total`` is None where the server does not say it again, not ``exact`` where there may be more. ``last``: no other
    page of this question can be had.
    """

    documents: Sequence[tuple[str, str]]
    total: int | None
    last: bool
    exact: bool = True


class Service(Protocol):
    """An interface. ``most`` results of one question are asked for, beyond which it is put in halves; ``shown`` of
    them can be had at all (None: each); ``head`` and ``tail`` enclose the documents in the file.
    """

    name: str
    suffix: str
    head: str
    tail: str
    most: int
    shown: int | None

    def page(self, span: Span | None, number: int) -> Page:
        """A page, counted from 0, of the results published within a span (None: whenever).

        Raises:
            LostPlaceError: when the span must be asked for from its first page.
            FetchError: when it cannot be had.
        """
        ...


@dataclasses.dataclass(frozen=True)
class Harvest:
    """What came of it. ``lacking``: in words, what makes up the difference of ``promised`` and ``written``."""

    path: Path
    promised: int
    written: int
    lacking: tuple[str, ...]
    outcome: str


@dataclasses.dataclass
class _Part:
    """How far a span has come."""

    total: int = 0
    exact: bool = True
    halved: bool = False
    pages: int = 0
    received: int = 0
    done: bool = False


def harvest(
    service: Service,
    asked: Mapping[str, Any],
    folder: Path,
    notes: Mapping[str, Any],
    progress: Progress = lambda done, promised: None,
) -> Harvest:
    """Fetch all results of a question; ``asked`` names it, ``notes`` are kept in the manifest.

    Raises:
        FetchError: when the folder is in use or cannot be written, there is no result, or they cannot be had: what was
            received is kept for the next time.
    """
    with alone_in(folder):
        try:
            return _Harvest(service, asked, folder, notes, progress).run()
        except OSError as error:
            raise FetchError(f"{folder} cannot be written: {error.strerror or error}") from error


class _Harvest:
    """One question on its way."""

    def __init__(
        self, service: Service, asked: Mapping[str, Any], folder: Path, notes: Mapping[str, Any], progress: Progress
    ) -> None:
        self._service, self._progress = service, progress
        self._notes = {**notes, "source": service.name, "asked": dict(asked)}
        name = f"{service.name}-{sha256_json(dict(asked))[:8]}"
        self._path = folder / f"{name}{service.suffix}"
        self._manifest = folder / f"{name}.fetch.json"
        self._kept = folder / f"{self._path.name}.part"
        self._until = datetime.datetime.now(datetime.UTC).date()
        self._parts: dict[str, _Part] = {}

    def run(self) -> Harvest:
        """Fetch, go on with, or find the file."""
        there = self._there()
        if there is not None:
            return there
        self._restore()
        try:
            self._visit(None)
        except FetchError as error:
            kept = sum(part.received for part in self._parts.values())
            if not any(part.total for part in self._parts.values()):
                shutil.rmtree(self._kept)
                raise
            raise FetchError(
                f"{error}; {kept:,} results are kept: run the same command again, it goes on from there"
            ) from error
        if not self._part(None).total:
            shutil.rmtree(self._kept)
            raise FetchError(f"{self._service.name} finds no patent for this question")
        return self._finished()

    def _there(self) -> Harvest | None:
        """What an earlier run wrote, when it is as it was written."""
        if not (self._path.is_file() and self._manifest.is_file()):
            return None
        with contextlib.suppress(ArtifactError, KeyError, TypeError):
            said = read_json(self._manifest)
            if self._path.stat().st_size == said["size"]:
                outcome = f"there already, asked for on {said['until']}; remove it to ask anew"
                return Harvest(self._path, said["promised"], said["written"], tuple(said["lacking"]), outcome)
        return None

    def _restore(self) -> None:
        """Go on with the pages of an earlier run; without a state of theirs they are none."""
        try:
            state = read_json(self._kept / _STATE)
            self._until = datetime.date.fromisoformat(state["until"])
            self._parts = {name: _Part(**part) for name, part in state["parts"].items()}
            for name, part in self._parts.items():
                for number in range(part.pages):
                    read_json(self._page(name, number))
        except (ArtifactError, KeyError, TypeError, ValueError, AttributeError):
            shutil.rmtree(self._kept, ignore_errors=True)
            self._kept.mkdir()
            self._parts = {}

    def _part(self, span: Span | None) -> _Part:
        return self._parts.setdefault(_named(span), _Part())

    def _visit(self, span: Span | None) -> None:
        part = self._part(span)
        if not part.halved and not part.done:
            self._fetch(span, part)
        for half in self._halves(span) if part.halved else ():
            self._visit(half)

    def _halves(self, span: Span | None) -> tuple[Span, ...]:
        return (Span(FIRST_DAY, self._until) if span is None else span).halves()

    def _fetch(self, span: Span | None, part: _Part) -> None:
        losses = 0
        while not part.done and not part.halved:
            try:
                page = self._service.page(span, part.pages)
                if part.pages and page.total not in (None, part.total):
                    raise LostPlaceError(f"{part.total:,} results became {page.total:,} on the way")
            except LostPlaceError as error:
                losses += 1
                if losses >= ATTEMPTS:
                    raise FetchError(f"{self._service.name}: {error}, {ATTEMPTS} times in a row") from error
                part.pages = part.received = 0
                continue
            self._take(span, part, page)
            self._progress(*self._counted())

    def _take(self, span: Span | None, part: _Part, page: Page) -> None:
        if not part.pages:
            part.total, part.exact = page.total or 0, page.exact
            part.halved = part.total > self._service.most and bool(self._halves(span))
        if not part.halved:
            write_json(self._page(_named(span), part.pages), [list(document) for document in page.documents])
            part.pages, part.received, part.done = part.pages + 1, part.received + len(page.documents), page.last
        parts = {name: dataclasses.asdict(part) for name, part in self._parts.items()}
        write_json(self._kept / _STATE, {"until": str(self._until), "parts": parts})

    def _page(self, name: str, number: int) -> Path:
        return self._kept / f"{name}.{number:04}.json"

    def _counted(self) -> tuple[int, int]:
        whole = self._part(None)
        whole_parts = [part for part in self._parts.values() if not part.halved]
        known = sum(part.total for part in whole_parts)
        return sum(part.received for part in whole_parts), whole.total if whole.exact else max(known, whole.total)

    def _leaves(self, span: Span | None = None) -> Iterator[tuple[Span | None, _Part]]:
        part = self._part(span)
        if not part.halved:
            yield span, part
        for half in self._halves(span) if part.halved else ():
            yield from self._leaves(half)

    def _finished(self) -> Harvest:
        written, seen = 0, set()
        with atomic_path(self._path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(self._service.head)
            for span, part in self._leaves():
                for number in range(part.pages):
                    for identity, document in read_json(self._page(_named(span), number)):
                        if identity not in seen:
                            seen.add(identity)
                            file.write(document + "\n")
                            written += 1
            file.write(self._service.tail)
        promised, lacking = self._account(written)
        spans = {_named(span): part.total for span, part in self._leaves()}
        found = {"promised": promised, "written": written, "lacking": lacking, "until": str(self._until)}
        file_of = {"file": self._path.name, "size": self._path.stat().st_size, "sha256": sha256_file(self._path)}
        write_json(self._manifest, {**self._notes, **found, **file_of, "parts": spans})
        shutil.rmtree(self._kept)
        return Harvest(self._path, promised, written, tuple(lacking), "fetched")

    def _account(self, written: int) -> tuple[int, list[str]]:
        """What was promised, and the words for every part of its difference to what is written."""
        whole, leaves = self._part(None), list(self._leaves())
        in_spans = sum(part.total for _, part in leaves)
        received = sum(part.received for _, part in leaves)
        promised = whole.total if whole.exact else in_spans
        beyond = [(span, part, self._beyond(part)) for span, part in leaves if self._beyond(part)]
        unsent = in_spans - received - sum(number for _, _, number in beyond)
        lacking = []
        if promised > in_spans:
            lacking.append(f"{promised - in_spans:,} have no day of publication, or went while the others were fetched")
        if promised < in_spans:
            lacking.append(f"{in_spans - promised:,} more came while they were fetched")
        for span, part, number in beyond:
            day = f" published on {span.first}" if span else ""
            lacking.append(
                f"{'' if part.exact else 'at least '}{number:,}{day} lie beyond the {self._service.shown:,} that are "
                "shown of one question: narrow it"
            )
        if unsent:
            lacking.append(f"{abs(unsent):,} {'were promised and not sent' if unsent > 0 else 'more were sent'}")
        if received != written:
            lacking.append(f"{received - written:,} were sent twice and are written once")
        return promised, lacking

    def _beyond(self, part: _Part) -> int:
        """Results of a part that the interface does not show."""
        return 0 if self._service.shown is None else max(0, part.total - self._service.shown)


def _named(span: Span | None) -> str:
    return "all" if span is None else str(span)
