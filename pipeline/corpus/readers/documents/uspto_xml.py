"""USPTO full text since 2004: grants and applications in XML v4.x (Red Book), as in the weekly files.

The date is that of the document's own publication: grant, or publication of the application. The codes are those
printed on it. The description, which is most of a document, is cut away before parsing.
"""

import dataclasses
import html
import re
from collections.abc import Iterator, Sequence

from lxml import etree

from pipeline.corpus.readers.documents.base import (
    Chunk,
    Row,
    UnreadableError,
    bounded_claims,
    joined,
    joined_ids,
    old_symbol,
    person,
    publication,
)
from pipeline.corpus.readers.documents.markup import Markup, cut_documents, cut_out, parse_xml, string, strings
from pipeline.corpus.readers.documents.streams import Readable

ROOTS = ("us-patent-grant", "us-patent-application")
_UNREAD = (b"description", b"drawings", b"us-sequence-list-doc", b"us-chemistry")
_REFERENCES = (b"us-references-cited", b"references-cited")
_CITED = re.compile(
    rb"<patcit[^>]*>\s*<document-id[^>]*>\s*<country>([^<]*)</country>\s*<doc-number>([^<]*)</doc-number>"
    rb"\s*(?:<kind>([^<]*)</kind>)?"
)
_LITERATURE = re.compile(rb"<othercit>(.*?)</othercit>", re.DOTALL)
_TAGS = re.compile(rb"<[^>]*>")


def split(stream: Readable, roots: Sequence[str]) -> Iterator[Chunk]:
    """The documents of a stream, without what is not read of them."""
    for chunk in cut_documents(stream, roots):
        if chunk.fault or chunk.content.root not in ROOTS:
            yield chunk
        else:
            yield dataclasses.replace(chunk, content=chunk.content.without(*_UNREAD))


def parse(document: Markup) -> Row:
    """One grant or application as a flat row."""
    data, references = document.data, b""
    for name in _REFERENCES:
        data, part = cut_out(data, name)
        references += part
    root = parse_xml(dataclasses.replace(document, data=data))
    biblio = root.find("us-bibliographic-data-grant")
    if biblio is None:
        biblio = root.find("us-bibliographic-data-application")
    if biblio is None:
        raise UnreadableError("has no bibliographic data")
    own = biblio.find("publication-reference/document-id")
    parts = _parts(own)
    claims = strings(root, "claims/claim")
    return {
        "patent_id": _publication(own),
        "date": parts.get("date", ""),
        "date_kind": "grant" if root.tag == ROOTS[0] else "publication",
        "office": parts.get("country", ""),
        "app_date": biblio.findtext("application-reference/document-id/date", ""),
        "title": string(biblio.find("invention-title")),
        "abstract": " ".join(strings(root, "abstract")),
        "claims": bounded_claims(claims),
        "claims_count": biblio.findtext("number-of-claims", "").strip() or str(len(claims) or ""),
        "ipc": joined(_ipc(biblio))
        if not parts.get("kind", "").startswith("S")
        else "",  # designs have Locarno classes there
        "cpc": joined(_cpc(biblio)),
        "assignees": joined(_assignees(biblio)),
        "inventors": joined(_inventors(biblio)),
        **_cited(references),
    }


def _parts(element: etree._Element | None) -> dict[str, str]:
    """The texts of an element's children by their tags; a loop over children is far quicker than finding each."""
    return {} if element is None else {child.tag: child.text or "" for child in element}


def _publication(document_id: etree._Element | None) -> str:
    parts = _parts(document_id)
    return publication(parts.get("country", ""), parts.get("doc-number", ""), parts.get("kind", ""))


def _ipc(biblio: etree._Element) -> list[str]:
    main: list[str] = []
    further: list[str] = []
    for entry in biblio.iterfind("classifications-ipcr/classification-ipcr"):
        (main if entry.findtext("symbol-position") == "F" else further).append(_symbol(entry))
    printed = biblio.find("classification-ipc")
    if printed is not None:
        main += [old_symbol(entry.text or "") for entry in printed.iterfind("main-classification")]
        further += [old_symbol(entry.text or "") for entry in printed.iterfind("further-classification")]
    return main + further


def _cpc(biblio: etree._Element) -> list[str]:
    return [
        _symbol(entry)
        for place in ("main-cpc", "further-cpc")
        for entry in biblio.iterfind(f"classifications-cpc/{place}/classification-cpc")
    ]


def _symbol(entry: etree._Element) -> str:
    parts = _parts(entry)
    stem, group, subgroup = (
        "".join(parts.get(tag, "").strip() for tag in tags)
        for tags in (("section", "class", "subclass"), ("main-group",), ("subgroup",))
    )
    return f"{stem} {group}/{subgroup}" if group and subgroup else stem


def _assignees(biblio: etree._Element) -> list[str]:
    """Assignees; where none is named, the applicants that are no persons."""
    named = [_party(party) for party in biblio.iterfind("assignees/assignee")]
    if named:
        return named
    return [
        name
        for place in ("us-parties/us-applicants/us-applicant", "parties/applicants/applicant")
        for party in biblio.iterfind(place)
        if (name := string(party.find("addressbook/orgname")))
    ]


def _inventors(biblio: etree._Element) -> list[str]:
    listed = biblio.findall("us-parties/inventors/inventor") or biblio.findall("parties/inventors/inventor")
    return [_party(party) for party in listed] or [
        _party(party)
        for party in biblio.iterfind("parties/applicants/applicant")
        if "inventor" in party.get("app-type", "inventor")
    ]


def _party(party: etree._Element) -> str:
    book = party.find("addressbook")
    book = party if book is None else book
    name = string(book.find("orgname"))
    return name or person(book.findtext("last-name"), book.findtext("first-name"), book.findtext("middle-name"))


def _cited(data: bytes) -> Row:
    """The references, read by their pattern: they are a third of a document, and a tree of them takes twice as long."""
    documents = (publication(*(part.decode("utf-8", "replace") for part in parts)) for parts in _CITED.findall(data))
    literature = (html.unescape(_TAGS.sub(b"", text).decode("utf-8", "replace")) for text in _LITERATURE.findall(data))
    return {"cited_ids": joined_ids(documents), "cited_npl": joined(literature)}
