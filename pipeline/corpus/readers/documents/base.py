"""What a document format is, and how one document becomes a flat row.

A file of documents is a stream that ``split`` cuts into chunks, one a document, without ever holding more than one;
``parse`` turns a chunk into a row of flat columns or raises ``UnreadableError`` with the reason. To add a format:
write both in a file of its own and name it in ``documents/__init__.py``.
"""

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pipeline.corpus.readers.documents.streams import Readable

Row = dict[str, str]  # flat column -> text

PEEKED = 1 << 16  # bytes a format is recognised by
LONGEST_CLAIMS = 20_000  # characters of claims kept of one document: the first claims, which come first
LARGEST = 64 << 20  # bytes of one document


class UnreadableError(Exception):
    """Why a document is none that can be read; it becomes a fault in its place."""


@dataclasses.dataclass(frozen=True)
class Chunk:
    """One document of a file, ``content`` as its format wants it; or why there is none, and how it begins."""

    content: Any = None
    fault: str = ""
    start: str = ""


@dataclasses.dataclass(frozen=True)
class DocumentFormat:
    """One format. ``recognises`` sees the first ``PEEKED`` bytes; ``parse`` takes a chunk's content.

    ``refusal``: why such a file is of no use and what to do; not read then. ``warning``: what to know of its data.
    """

    name: str
    recognises: Callable[[bytes], bool]
    split: Callable[[Readable], Iterator[Chunk]]
    parse: Callable[[Any], Row]
    refusal: str = ""
    warning: str = ""


def plain(text: str | None) -> str:
    """Text on one line, without doubled spaces."""
    return " ".join((text or "").split())


def joined(values: Iterable[str | None]) -> str:
    """A list as flat text: entries on one line, joined by ``;``, which none of them holds; empty ones dropped.

    >>> joined(["Hoff; Don G.", None, " Young,  Patrick"])
    'Hoff, Don G.;Young, Patrick'
    """
    entries = (plain(value).replace(" ;", ",").replace(";", ",") for value in values if value)
    return ";".join(dict.fromkeys(entry for entry in entries if entry))


def joined_ids(ids: Iterable[str]) -> str:
    """As ``joined``, for ids, which hold neither blanks nor ``;``."""
    return ";".join(dict.fromkeys(filter(None, ids)))


def bounded_claims(claims: Iterable[str]) -> str:
    """Claims one a line, cut at ``LONGEST_CLAIMS``."""
    return "\n".join(filter(None, claims))[:LONGEST_CLAIMS]


def person(last: str | None, *first: str | None) -> str:
    """A person as ``Last, First``, in the order of words that EPO and Lens use.

    >>> person("Lin", "Wayne", "W"), person("Plato")
    ('Lin, Wayne W', 'Plato')
    """
    given = plain(" ".join(filter(None, first)))
    return f"{plain(last)}, {given}" if given and last else plain(last) or given


def us_number(raw: str) -> str:
    """A US publication's number without padding and separators.

    >>> us_number("08930553"), us_number("D0806350"), us_number("2007/0140112"), us_number("RE045,678")
    ('8930553', 'D806350', '20070140112', 'RE45678')
    """
    if raw.isdigit():
        return raw.lstrip("0")
    text = re.sub(r"[^0-9A-Z]", "", raw.upper())
    parts = re.fullmatch(r"([A-Z]{0,2})0*([0-9]+)", text)
    return parts[1] + parts[2] if parts else text


def publication(country: str, number: str, kind: str) -> str:
    """A publication's id; empty without a number.

    >>> publication("US", "08930553", "B2"), publication("WO", "96/25012", ""), publication("EP", "0680812", "A1")
    ('US8930553B2', 'WO96/25012', 'EP0680812A1')
    """
    if not number.isalnum():
        number = re.sub(r"[\s;]", "", number)
        if not number:
            return ""
    country, kind = country.strip().upper(), kind.strip().upper()
    return country + (us_number(number) if country == "US" else number) + kind


def old_symbol(text: str) -> str:
    """An IPC symbol as printed up to 2005 in columns: subclass, three for the group, the rest for the subgroup.

    >>> old_symbol("H04M 1100"), old_symbol("B60R  900"), old_symbol("A61K 31415"), old_symbol("A61B005/00")
    ('H04M 11/00', 'B60R 9/00', 'A61K 31/415', 'A61B005/00')
    """
    columns = re.fullmatch(r"([A-H][0-9]{2}[A-Z])( {2}[0-9]| [0-9]{2}|[0-9]{3})([0-9]{2,4})", text.strip())
    return f"{columns[1]} {int(columns[2])}/{columns[3]}" if columns else text.strip()
