"""USPTO grants of 2001 to 2004: SGML (or XML) of the kind ``PATDOC``, numbered by WIPO ST.32.

SGML leaves the end tags of empty elements out: an element that no end tag in the document closes is taken as empty.
"""

import dataclasses
import re

from lxml import etree

from pipeline.corpus.readers.documents.base import (
    Row,
    UnreadableError,
    bounded_claims,
    joined,
    joined_ids,
    old_symbol,
    person,
    publication,
)
from pipeline.corpus.readers.documents.markup import Markup, parse_xml, raw, string, strings

ROOTS = ("PATDOC",)
_START = re.compile(rb"<([A-Za-z][A-Za-z0-9.-]*)((?:\s[^<>]*?)?)(/?)>")
_END = re.compile(rb"</([A-Za-z][A-Za-z0-9.-]*)")


def parse(document: Markup) -> Row:
    """One grant as a flat row."""
    root = parse_xml(_closed(document.without(b"SDODE")))
    biblio = root.find("SDOBI")
    if biblio is None:
        raise UnreadableError("has no bibliographic data")
    kind = string(biblio.find("B100/B130"))
    cited = biblio.findall("B500/B560/B561/PCIT/DOC")
    return {
        "patent_id": publication("US", string(biblio.find("B100/B110")), kind),
        "date": string(biblio.find("B100/B140")),
        "date_kind": "grant",
        "office": string(biblio.find("B100/B190")) or "US",
        "app_date": string(biblio.find("B200/B220")),
        "title": string(biblio.find("B500/B540")),
        "abstract": " ".join(strings(root, "SDOAB//PARA")),
        "claims": bounded_claims(strings(root, "SDOCL//CLM")),
        "claims_count": string(biblio.find("B500/B570/B577")),
        "ipc": "" if kind.startswith("S") else joined(_ipc(biblio)),
        "assignees": joined(_party(party) for party in biblio.iterfind("B700/B730/B731/PARTY-US")),
        "inventors": joined(_party(party) for party in biblio.iterfind("B700/B720/B721/PARTY-US")),
        "cited_ids": joined_ids(
            publication(string(part.find("CTRY")) or "US", string(part.find("DNUM")), string(part.find("KIND")))
            for part in cited
        ),
        "cited_npl": joined(strings(biblio, "B500/B560/B562/NCIT")),
    }


def _closed(document: Markup) -> Markup:
    ended = set(_END.findall(document.data))

    def close(tag: re.Match[bytes]) -> bytes:
        return tag[0] if tag[3] or tag[1] in ended else b"<" + tag[1] + tag[2] + b"/>"

    return dataclasses.replace(document, data=_START.sub(close, document.data))


def _ipc(biblio: etree._Element) -> list[str]:
    """Main class, then the further ones; the blanks in a symbol are columns."""
    places = ("B500/B510/B511", "B500/B510/B512")
    return [old_symbol(raw(entry)) for place in places for entry in biblio.iterfind(place)]


def _party(party: etree._Element) -> str:
    return string(party.find("NAM/ONM")) or person(string(party.find("NAM/SNM")), string(party.find("NAM/FNM")))
