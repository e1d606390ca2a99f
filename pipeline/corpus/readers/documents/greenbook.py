"""USPTO grants of 1976 to 2001: Green Book text, a tag of four letters a line, one ``PATN`` a document.

Texts are ASCII with a few bytes of no certain meaning, read as Latin-1. Kinds are not printed; the type of the
document tells them.
"""

import itertools
import re
from collections.abc import Iterator

from pipeline.corpus.readers.documents.base import (
    LARGEST,
    Chunk,
    Row,
    UnreadableError,
    bounded_claims,
    joined,
    joined_ids,
    old_symbol,
    plain,
    publication,
)
from pipeline.corpus.readers.documents.streams import CHUNK, Readable

_START = re.compile(rb"^PATN[ ]*\r?$", re.MULTILINE)
_LINE = re.compile(r"^([A-Z][A-Z0-9]{2,3})(?:$|\s\s?(.*)$)")
_KINDS = {"1": "A", "2": "E", "4": "S", "5": "H", "6": "P", "7": "H"}  # by APT; reissue, design, plant, SIR
_PARAGRAPHS = ("PAL", "PAR", "PA0", "PA1", "PA2", "PA3", "PA4", "PA5", "FNT")

Section = tuple[str, list[tuple[str, str]]]  # its tag (INVT, CLAS ...) and its fields in order


def recognises(start: bytes) -> bool:
    """Whether a patent's first lines are there."""
    found = _START.search(start)
    return found is not None and start[found.end() :].lstrip(b"\r\n").startswith(b"WKU ")


def split(stream: Readable) -> Iterator[Chunk]:
    """The documents, from one ``PATN`` to the next; what stands before the first is the file's own header."""
    held, oversize = b"", False
    while True:
        data = stream.read(CHUNK)
        held += data
        starts = [found.start() for found in _START.finditer(held) if data or found.end() <= len(held)]
        if data and starts and len(held) - starts[-1] < 16:
            starts.pop()  # the tag's line may go on
        if not data:
            starts.append(len(held))
        for begin, end in itertools.pairwise(starts):
            yield _chunk(held[begin:end], oversize)
            oversize = False
        if not data:
            return
        held = held[starts[-1] :] if starts else held[-16:] if not held.startswith(b"PATN") else held
        if len(held) > LARGEST:
            held, oversize = held[:CHUNK], True


def _chunk(data: bytes, oversize: bool) -> Chunk:
    fault = f"is larger than {LARGEST >> 20} MiB" if oversize else ""
    return Chunk(data, fault, data[:200].decode("latin-1"))


def parse(data: bytes) -> Row:
    """One grant as a flat row."""
    sections = _sections(data.decode("latin-1"))
    own = dict(reversed(sections[0][1])) if sections else {}
    number = own.get("WKU", "").strip()
    if not number:
        raise UnreadableError("has no number (WKU)")
    kind = _KINDS.get(own.get("APT", "").strip(), "")
    return {
        "patent_id": publication("US", number[:-1] if len(number) == 9 else number, kind),  # the last is a check digit
        "date": own.get("ISD", "").strip(),
        "date_kind": "grant",
        "office": "US",
        "app_date": own.get("APD", "").strip(),
        "title": plain(own.get("TTL")),
        "abstract": _prose(sections, "ABST"),
        "claims": bounded_claims(_claims(sections)),
        "claims_count": own.get("NCL", "").strip(),
        "ipc": "" if kind == "S" else joined(old_symbol(symbol) for symbol in _values(sections, "CLAS", "ICL")),
        "assignees": joined(_values(sections, "ASSG", "NAM")),
        "inventors": joined(name.replace(";", ",") for name in _values(sections, "INVT", "NAM")),
        "cited_ids": joined_ids(_cited(sections)),
        "cited_npl": joined(_values(sections, "OREF", "PAL") + _values(sections, "OREF", "PAR")),
    }


def _sections(text: str) -> list[Section]:
    """Sections in order; a line without a tag goes on with the field before it."""
    sections: list[Section] = []
    for line in text.splitlines():
        tagged = _LINE.match(line)
        if tagged is None:
            if sections and sections[-1][1] and line.strip():
                tag, value = sections[-1][1][-1]
                sections[-1][1][-1] = (tag, f"{value} {line.strip()}")
        elif len(tagged[1]) == 4 and not (tagged[2] or "").strip():
            sections.append((tagged[1], []))
        elif sections:
            sections[-1][1].append((tagged[1], tagged[2] or ""))
    return sections


def _values(sections: list[Section], section: str, field: str) -> list[str]:
    return [value for name, fields in sections if name == section for tag, value in fields if tag == field]


def _prose(sections: list[Section], section: str) -> str:
    texts = [value for name, fields in sections if name == section for tag, value in fields if tag in _PARAGRAPHS]
    return plain(" ".join(texts))


def _claims(sections: list[Section]) -> list[str]:
    """One text a claim: a claim's number opens it."""
    claims: list[list[str]] = []
    for name, fields in sections:
        for tag, value in fields if name in ("CLMS", "DCLM") else ():
            if tag == "NUM" or (not claims and tag in _PARAGRAPHS):
                claims.append([])
            if tag in _PARAGRAPHS:
                claims[-1].append(value)
    return [plain(" ".join(parts)) for parts in claims]


def _cited(sections: list[Section]) -> Iterator[str]:
    for name, fields in sections:
        parts = dict(fields)
        if name == "UREF":
            yield publication("US", parts.get("PNO", ""), "")
        elif name == "FREF":
            yield publication(parts.get("CNT", "")[:2], parts.get("PNO", ""), "")
