"""USPTO applications published from March 2001 to 2004: XML of the kind ``patent-application-publication``."""

from lxml import etree

from pipeline.corpus.readers.documents.base import (
    Row,
    UnreadableError,
    bounded_claims,
    joined,
    old_symbol,
    person,
    publication,
)
from pipeline.corpus.readers.documents.markup import Markup, parse_xml, string, strings

ROOTS = ("patent-application-publication",)


def parse(document: Markup) -> Row:
    """One application as a flat row."""
    root = parse_xml(document.without(b"subdoc-description"))
    biblio = root.find("subdoc-bibliographic-information")
    if biblio is None:
        raise UnreadableError("has no bibliographic data")
    technical, own = biblio.find("technical-information"), biblio.find("document-id")
    technical = biblio if technical is None else technical
    own = biblio if own is None else own
    claims = strings(root, "subdoc-claims/claim")
    return {
        "patent_id": publication("US", own.findtext("doc-number", ""), own.findtext("kind-code", "")),
        "date": own.findtext("document-date", ""),
        "date_kind": "publication",
        "office": "US",
        "app_date": biblio.findtext("domestic-filing-data/filing-date", ""),
        "title": string(technical.find("title-of-invention")),
        "abstract": " ".join(strings(root, "subdoc-abstract/paragraph")),
        "claims": bounded_claims(claims),
        "claims_count": str(len(claims) or ""),
        "ipc": joined(old_symbol(entry.text or "") for entry in _ipc(technical)),
        "assignees": joined(strings(biblio, "assignee/organization-name")),
        "inventors": joined(
            person(*(string(name.find(part)) for part in ("family-name", "given-name", "middle-name")))
            for inventors in biblio.iterfind("inventors")
            for name in inventors.iter("name")
        ),
    }


def _ipc(technical: etree._Element) -> list[etree._Element]:
    places = ("classification-ipc-primary/ipc", "classification-ipc-secondary/ipc")
    return [entry for place in places for entry in technical.iterfind(f"classification-ipc/{place}")]
