"""Many pages become one file: put in halves by date, resumed, without doubles, with an account that adds up."""

import dataclasses
import datetime
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cases import names

from pipeline.errors import FetchError
from pipeline.fetch.api import LostPlaceError
from pipeline.fetch.harvest import Harvest, Page, Span, harvest

NOTES = {"techconverge": "0", "address": "https://x"}
Pages = Callable[[Span | None, int], Page]


@dataclasses.dataclass
class Shelf:
    """A service of documents with days, two a page; of more than ``most`` it is asked again in halves."""

    days: list[str]
    most: int = 4
    shown: int | None = None
    counted: int = 10_000
    name: str = "shelf"
    suffix: str = ".txt"
    head: str = "<\n"
    tail: str = ">\n"
    asked: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    fails: dict[int, Exception] = dataclasses.field(default_factory=dict)

    def page(self, span: Span | None, number: int) -> Page:
        self.asked.append((str(span or "all"), number))
        if fault := self.fails.pop(len(self.asked), None):
            raise fault
        found = [(f"{place}", f"document {place}") for place, day in enumerate(self.days) if self._in(day, span)]
        there = found[: self.shown]
        last = 2 * (number + 1) >= len(there)
        total = min(len(found), self.counted)
        return Page(there[2 * number : 2 * number + 2], total, last, len(found) < self.counted)

    def _in(self, day: str, span: Span | None) -> bool:
        return span is None or (day != "" and str(span.first) <= day <= str(span.last))


def fetched(shelf: Shelf, folder: Path) -> Harvest:
    return harvest(shelf, {"query": "q"}, folder, NOTES)


def documents(found: Harvest) -> list[str]:
    first, *lines, last = found.path.read_text().splitlines()
    assert (first, last) == ("<", ">")
    return sorted(lines)


def expected(count: int) -> list[str]:
    return sorted(f"document {place}" for place in range(count))


def test_a_small_question_is_one_file_with_a_manifest(tmp_path: Path) -> None:
    found = fetched(Shelf(["2001-01-01"] * 3), tmp_path)
    assert documents(found) == expected(3)
    assert (found.promised, found.written, found.lacking, found.outcome) == (3, 3, (), "fetched")
    manifest = json.loads((tmp_path / f"{found.path.stem}.fetch.json").read_text())
    assert {key: manifest[key] for key in ("asked", "promised", "written", "lacking", "parts", "source")} == {
        "asked": {"query": "q"}, "promised": 3, "written": 3, "lacking": [], "parts": {"all": 3}, "source": "shelf",
    }  # fmt: skip
    assert names(tmp_path) == [".lock", f"{found.path.stem}.fetch.json", found.path.name]


def test_a_large_one_is_put_in_halves_until_every_part_is_small(tmp_path: Path) -> None:
    shelf = Shelf([f"{year}-06-01" for year in range(1990, 2020)])
    found = fetched(shelf, tmp_path)
    assert documents(found) == expected(30)
    assert (found.promised, found.written, found.lacking) == (30, 30, ())
    parts = json.loads((tmp_path / f"{found.path.stem}.fetch.json").read_text())["parts"]
    assert sum(parts.values()) == 30
    assert max(parts.values()) <= 4
    ends = sorted(tuple(name.split("_")) for name in parts)
    assert ends[0][0] == "1600-01-01"
    assert ends[-1][1] == str(datetime.datetime.now(datetime.UTC).date())
    for (_, last), (first, _) in itertools.pairwise(ends):  # no day twice, none left out
        assert datetime.date.fromisoformat(first) - datetime.date.fromisoformat(last) == datetime.timedelta(1)


def test_where_the_server_stops_counting_the_parts_are_what_it_promises(tmp_path: Path) -> None:
    found = fetched(Shelf([f"{year}-06-01" for year in range(1990, 2020)], counted=8), tmp_path)
    assert (found.promised, found.written, found.lacking) == (30, 30, ())


def test_what_lies_beyond_a_day_that_cannot_be_halved_is_said(tmp_path: Path) -> None:
    found = fetched(Shelf(["2001-01-01"] * 7 + ["2002-01-01"], shown=4), tmp_path)
    assert (found.promised, found.written) == (8, 5)
    assert found.lacking == ("3 published on 2001-01-01 lie beyond the 4 that are shown of one question: narrow it",)


def test_what_has_no_day_is_said(tmp_path: Path) -> None:
    found = fetched(Shelf(["2001-01-01", "2005-01-01", "2011-01-01", "2015-01-01", "", ""]), tmp_path)
    assert (found.promised, found.written) == (6, 4)
    assert "2 have no day of publication" in found.lacking[0]


def test_doubles_are_written_once_and_what_was_not_sent_is_said(tmp_path: Path) -> None:
    pages = [
        Page([("a", "document a"), ("b", "document b")], 6, False),
        Page([("b", "document b"), ("c", "document c")], 6, True),
    ]

    class Careless(Shelf):
        def page(self, span: Span | None, number: int) -> Page:
            return pages[number]

    found = fetched(Careless([], most=10), tmp_path)
    assert documents(found) == ["document a", "document b", "document c"]
    assert (found.promised, found.written) == (6, 3)
    assert found.lacking == ("2 were promised and not sent", "1 were sent twice and are written once")


def test_what_is_there_is_not_asked_for_again(tmp_path: Path) -> None:
    days = [f"{year}-06-01" for year in range(1990, 2020)]
    whole = Shelf(days)
    fetched(whole, tmp_path / "whole")
    broken = Shelf(days, fails={20: FetchError("the connection is gone")})
    with pytest.raises(FetchError, match=r"connection is gone; \d+ results are kept: run the same command again"):
        fetched(broken, tmp_path / "two")
    rest = Shelf(days)
    found = fetched(rest, tmp_path / "two")
    assert broken.asked[:-1] + rest.asked == whole.asked
    assert documents(found) == expected(30)
    again = Shelf(days)
    unchanged = fetched(again, tmp_path / "two")
    assert again.asked == []
    assert "there already" in unchanged.outcome
    assert dataclasses.replace(unchanged, outcome="fetched") == found
    found.path.write_text("damaged")
    assert documents(fetched(Shelf(days), tmp_path / "two")) == expected(30)


@pytest.mark.parametrize("damage", ["{", "[]", '{"until": "x", "parts": {}}', '{"until": "2026-01-01"}'])
def test_pages_without_a_state_of_theirs_are_none(tmp_path: Path, damage: str) -> None:
    days = ["2001-01-01"] * 4
    with pytest.raises(FetchError):
        fetched(Shelf(days, fails={2: FetchError("gone")}), tmp_path)
    (state,) = tmp_path.glob("*.part/state.json")
    state.write_text(damage)
    assert documents(fetched(Shelf(days), tmp_path)) == expected(4)


def test_a_lost_place_begins_its_part_anew_and_not_for_ever(tmp_path: Path) -> None:
    shelf = Shelf(["2001-01-01"] * 4, fails={2: LostPlaceError("lost")})
    found = fetched(shelf, tmp_path)
    assert shelf.asked == [("all", 0), ("all", 1), ("all", 0), ("all", 1)]
    assert (documents(found), found.lacking) == (expected(4), ())

    class Forgetful(Shelf):
        def page(self, span: Span | None, number: int) -> Page:
            if number:
                raise LostPlaceError("lost its place")
            return super().page(span, number)

    with pytest.raises(FetchError, match="lost its place, 6 times in a row"):
        fetched(Forgetful(["2001-01-01"] * 4), tmp_path / "other")


def test_a_result_that_changes_on_the_way_begins_anew(tmp_path: Path) -> None:
    class Growing(Shelf):
        def page(self, span: Span | None, number: int) -> Page:
            if len(self.asked) == 1:
                self.days.append("2002-01-01")
            return super().page(span, number)

    found = fetched(Growing(["2001-01-01"] * 3), tmp_path)
    assert (documents(found), found.promised) == (expected(4), 4)


def test_nothing_found_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="shelf finds no patent"):
        fetched(Shelf([]), tmp_path)
    with pytest.raises(FetchError, match=r"^no key$"):
        fetched(Shelf(["2001-01-01"], fails={1: FetchError("no key")}), tmp_path)
    assert names(tmp_path) == [".lock"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("x")
    with pytest.raises(FetchError, match="cannot write"):
        fetched(Shelf([]), tmp_path / "raw")


def test_progress_ends_at_what_was_promised(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    shelf = Shelf([f"{year}-06-01" for year in range(1990, 2020)])
    harvest(shelf, {}, tmp_path, NOTES, lambda done, promised: seen.append((done, promised)))
    assert seen[-1] == (30, 30)
    assert {promised for _, promised in seen} == {30}
