"""Patents in JSON: answers of the PatentsView API (its old and its present shape), of USPTO's public search and ODP.

An answer is one object with the patents in an array, or JSON lines of such objects. The array is read entry by entry,
so that no more than one patent is held.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

from pipeline.corpus.readers.base import storable
from pipeline.corpus.readers.documents.base import (
    LARGEST,
    Chunk,
    Row,
    UnreadableError,
    joined,
    joined_ids,
    person,
    plain,
    publication,
)
from pipeline.corpus.readers.documents.streams import CHUNK, Readable

Record = dict[str, Any]
_LONGEST_NUMBER = 40  # digits
_DEEPEST = 100  # nested brackets; patents have three or four
_ARRAYS = re.compile(r'"(?:patents|patentFileWrapperDataBag)"\s*:\s*\[')
_PUBLISHED = re.compile(r"(19|20)[0-9]{9}")  # the number of a US application's publication


def is_patentsview(start: bytes) -> bool:
    """Whether a PatentsView answer begins so."""
    return _is_json(start) and b'"patents"' in start and bool(re.search(rb'"patent_(?:number|id)"', start))


def is_public_search(start: bytes) -> bool:
    """Whether an answer of USPTO's Patent Public Search begins so."""
    return _is_json(start) and b'"patents"' in start and b'"publicationReferenceDocumentNumber"' in start


def is_open_data_portal(start: bytes) -> bool:
    """Whether an answer of USPTO's Open Data Portal begins so."""
    return _is_json(start) and b'"patentFileWrapperDataBag"' in start


def _is_json(start: bytes) -> bool:
    return start.lstrip().startswith(b"{")


def split(stream: Readable) -> Iterator[Chunk]:
    """The entries of every array of patents, one after the other; what breaks an array off is a fault."""
    decoder, utf8 = json.JSONDecoder(parse_int=_whole), codecs.getincrementaldecoder("utf-8")("replace")
    text, at, ended, inside = "", 0, False, False
    while True:
        if not inside:
            found = _ARRAYS.search(text, at)
            if found is not None:
                inside, at = True, found.end()
                continue
            at = max(at, len(text) - 64)
        else:
            at = _skipped(text, at)
            if text.startswith("]", at):
                inside = False
                continue
            entry, end, fault = _entry(decoder, text, at)
            if entry is not None and (end < len(text) or ended):
                yield _chunk(entry, text[at : min(end, at + 200)])
                at = end
                continue
            if fault or ended or len(text) - at > LARGEST:
                yield Chunk(fault=fault or "is cut off, and all behind it lost", start=text[at : at + 200])
                return
        if ended:
            return
        data = stream.read(CHUNK)
        ended = not data
        text, at = text[at:] + utf8.decode(data, final=ended), 0


def _whole(digits: str) -> int | str:
    """A whole number; one longer than any that a patent has stays text, since Python refuses to read it."""
    return int(digits) if len(digits) <= _LONGEST_NUMBER else digits


def _skipped(text: str, at: int) -> int:
    while at < len(text) and text[at] in ", \t\r\n":
        at += 1
    return at


def _entry(decoder: json.JSONDecoder, text: str, at: int) -> tuple[Any, int, str]:
    """The JSON value at a place and where it ends; or a fault; or neither, when the text stops within it."""
    try:
        entry, end = decoder.raw_decode(text, at)
        return storable(entry) if text.find("\\u", at, end) >= 0 else entry, end, ""
    except RecursionError:
        return None, at, f"is nested more than {_DEEPEST} deep, and all behind it lost"
    except json.JSONDecodeError as error:
        if len(text) - error.pos > 64 and not error.msg.startswith("Unterminated string"):
            return None, at, f"is broken JSON ({error.msg}), and all behind it lost"
        return None, at, ""


def _chunk(entry: Any, start: str) -> Chunk:
    return Chunk(entry, start=start) if isinstance(entry, dict) else Chunk(fault="is no object", start=start)


def parse_patentsview(record: Record) -> Row:
    """One patent of PatentsView; its classes are those of the day of the answer, but for IPC at issue."""
    number = _text(record, "patent_id", "patent_number")
    if not number:
        raise UnreadableError("has no patent_id or patent_number")
    kind = _text(record, "wipo_kind", "patent_kind")
    return {
        "patent_id": publication("US", number, kind),
        "date": _text(record, "patent_date"),
        "date_kind": "grant",
        "office": "US",
        "app_date": _first(record, ("application", "applications"), ("filing_date", "app_date")),
        "title": plain(_text(record, "patent_title")),
        "abstract": plain(_text(record, "patent_abstract")),
        "claims_count": _text(record, "patent_num_claims", "patent_claims_count", "num_claims"),
        "ipc": joined(_ipc_of(entry) for entry in _list(record, "ipcr", "IPCs")),
        "cpc": joined(
            _text(entry, "cpc_group_id", "cpc_subgroup_id")
            if "/" in _text(entry, "cpc_group_id")
            else _text(entry, "cpc_subgroup_id", "cpc_group_id", "cpc_subclass_id")
            for entry in _list(record, "cpc_at_issue", "cpc_current", "cpcs")
        ),
        "assignees": joined(_party(entry, "assignee") for entry in _list(record, "assignees")),
        "inventors": joined(_party(entry, "inventor") for entry in _list(record, "inventors")),
        "cited_ids": joined_ids(
            [
                *(
                    publication(
                        "US", _text(entry, "citation_patent_id", "cited_patent_number"), _text(entry, "wipo_kind")
                    )
                    for entry in _list(record, "us_patent_citations", "cited_patents")
                ),
                *(
                    publication("US", _text(entry, "citation_document_number"), _text(entry, "wipo_kind"))
                    for entry in _list(record, "us_application_citations")
                ),
                *(
                    publication(_text(entry, "citation_country"), _text(entry, "citation_number"), "")
                    for entry in _list(record, "foreign_citations")
                ),
            ]
        ),
        "cited_npl": joined(_text(entry, "reference_text") for entry in _list(record, "other_references")),
    }


def _ipc_of(entry: Record) -> str:
    """The symbol of one entry, whatever the shape names its parts."""
    parts = [_text(entry, f"ipc_{part}", part) for part in ("section", "class", "subclass", "main_group")]
    group = _text(entry, "ipc_subgroup", "subgroup")
    return f"{''.join(parts[:3])} {parts[3]}/{group}" if all(parts) and group else "".join(parts[:3])


def _party(entry: Record, role: str) -> str:
    """A party's name; PatentsView's key where the answer has no names."""
    name = _text(entry, f"{role}_organization") or person(
        _text(entry, f"{role}_name_last", f"{role}_last_name", f"{role}_individual_name_last"),
        _text(entry, f"{role}_name_first", f"{role}_first_name", f"{role}_individual_name_first"),
    )
    return name or _text(entry, f"{role}_id", f"{role}_key_id")


def parse_public_search(record: Record) -> Row:
    """One document of Patent Public Search: the symbols as printed; of several inventors, only the first is given."""
    number, kind = _text(record, "publicationReferenceDocumentNumber"), _joined_text(record, "kindCode")
    if not number:
        raise UnreadableError("has no publicationReferenceDocumentNumber")
    return {
        "patent_id": publication("US", number, kind),
        "date": _text(record, "datePublished")[:10],
        "date_kind": "publication" if _PUBLISHED.fullmatch(number) else "grant",
        "office": "US",
        "app_date": min((day[:10] for day in _texts(record, "applicationFilingDate")), default=""),
        "title": plain(_text(record, "inventionTitle")),
        "ipc": joined(_text(record, "ipcCodeFlattened").split(";")),
        "cpc": joined(f"{_text(record, 'cpcInventiveFlattened')};{_text(record, 'cpcAdditionalFlattened')}".split(";")),
        "assignees": joined(_texts(record, "assigneeName") or _texts(record, "applicantName")),
        "inventors": joined([re.sub(r"\s+et al\.?$", "", _text(record, "inventorsShort"))]),
        "cited_ids": joined_ids(publication("US", document, "") for document in _texts(record, "urpn")),
        "family_id": "",  # familyIdentifierCur numbers the application, not the family
    }


def parse_open_data_portal(record: Record) -> Row:
    """One application of the Open Data Portal, dated by its first publication, else by its grant; CPC of today."""
    meta = record.get("applicationMetaData")
    if not isinstance(meta, dict):
        raise UnreadableError("has no applicationMetaData")
    published, granted = _text(meta, "earliestPublicationNumber"), _text(meta, "patentNumber")
    if published and _text(meta, "earliestPublicationDate"):
        found = re.fullmatch(r"(?:US)?([0-9]{11})([A-Z][0-9]?)?", re.sub(r"[\s/-]", "", published.upper()))
        identity = publication("US", found[1], found[2] or "") if found else published
        date, date_kind = _text(meta, "earliestPublicationDate"), "publication"
    elif granted:
        identity, date, date_kind = publication("US", granted, ""), _text(meta, "grantDate"), "grant"
    else:
        raise UnreadableError("is not published yet")
    codes = meta.get("cpcClassificationBag")
    return {
        "patent_id": identity,
        "date": date,
        "date_kind": date_kind,
        "office": "US",
        "app_date": _text(meta, "filingDate"),
        "title": plain(_text(meta, "inventionTitle")),
        "cpc": joined(
            plain(_text(code, "classificationSymbolText") if isinstance(code, dict) else str(code))
            for code in (codes if isinstance(codes, list) else ())
        ),
        "assignees": joined(_text(party, "applicantNameText") for party in _list(meta, "applicantBag"))
        or joined([_text(meta, "firstApplicantName")]),
        "inventors": joined(
            person(_text(party, "lastName"), _text(party, "firstName"), _text(party, "middleName"))
            or _text(party, "inventorNameText")
            for party in _list(meta, "inventorBag")
        ),
    }


def _text(record: Record, *names: str) -> str:
    """The first of some fields that is filled, as text."""
    for name in names:
        value = record.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            return str(value)
    return ""


def _joined_text(record: Record, name: str) -> str:
    value = record.get(name)
    return str(value[0]) if isinstance(value, list) and value else _text(record, name)


def _texts(record: Record, name: str) -> list[str]:
    """The entries of a list of texts; one text is a list of itself."""
    value = record.get(name)
    return [str(entry) for entry in (value if isinstance(value, list) else [value]) if entry is not None]


def _list(record: Record, *names: str) -> list[Record]:
    """The first of some lists that is there; entries that are no objects are left out."""
    for name in names:
        value = record.get(name)
        if isinstance(value, list) and value:
            return [entry for entry in value if isinstance(entry, dict)]
    return []


def _first(record: Record, lists: tuple[str, ...], fields: tuple[str, ...]) -> str:
    return min(filter(None, (_text(entry, *fields) for entry in _list(record, *lists))), default="")
