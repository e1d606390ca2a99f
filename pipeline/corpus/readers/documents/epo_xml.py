"""EPO's exchange documents: OPS answers with bibliographic data, and DOCDB exchange files.

The date is that of the publication itself. The IPC is that which DOCDB holds today: symbols of the eighth edition are
reclassified with time, those of editions 1 to 7 (``classification-ipc``) are as printed and read where no other is.
"""

import dataclasses
import re
from collections.abc import Sequence

from lxml import etree

from pipeline.corpus.readers.documents.base import Row, UnreadableError, joined, joined_ids, plain, publication
from pipeline.corpus.readers.documents.markup import Markup, parse_xml, string

ROOTS = ("exchange-document",)
_TAG = re.compile(rb"</?[A-Za-z][^<>]*>")
_PREFIX = re.compile(rb"\sxmlns(?::[\w.-]+)?\s*=\s*(?:\"[^\"]*\"|'[^']*')|(</?|\s)[A-Za-z][\w.-]*:(?=[A-Za-z])")
_NAMES = ("docdba", "docdb", "epodoc", "original")  # harmonised names first
_IDS = ("docdb", "epodoc", "original", None)
_COUNTRY = 5  # "ACME CORP [US]": the country behind a name


def parse(document: Markup) -> Row:
    """One publication as a flat row."""
    root = parse_xml(_without_prefixes(document))
    office, number, kind = (root.get(name, "") for name in ("country", "doc-number", "kind"))
    biblio = root.find("bibliographic-data")
    if biblio is None:
        raise UnreadableError("has no bibliographic data")
    if root.get("status") == "D":
        raise UnreadableError("is the deletion of a document, not a document")
    return {
        "patent_id": publication(office, number, kind),
        "date": root.get("date-publ") or _date(biblio, "publication-reference"),
        "date_kind": "publication",
        "office": office,
        "family_id": root.get("family-id", ""),
        "app_date": _date(biblio, "application-reference"),
        "title": _in_english(biblio.findall("invention-title")),
        "abstract": _in_english(root.findall("abstract")),
        "ipc": joined(_ipc(biblio)),
        "cpc": joined(_cpc(biblio)),
        "assignees": joined(_parties(biblio, "applicant")),
        "inventors": joined(_parties(biblio, "inventor")),
        "cited_ids": joined_ids(
            publication(*_document_id(cited)) for cited in biblio.iterfind("references-cited/citation/patcit")
        ),
        "cited_npl": joined(string(cited) for cited in biblio.iterfind("references-cited/citation/nplcit/text")),
    }


def _without_prefixes(document: Markup) -> Markup:
    """Tags by their local names: what declares the prefixes lies outside, and DOCDB prefixes but some of the tags."""
    return dataclasses.replace(document, data=_TAG.sub(lambda tag: _PREFIX.sub(rb"\1", tag[0]), document.data))


def _date(biblio: etree._Element, place: str) -> str:
    dates = (string(entry.find("date")) for entry in biblio.iterfind(f"{place}/document-id"))
    return next(filter(None, dates), "")


def _document_id(cited: etree._Element) -> tuple[str, str, str]:
    found = {entry.get("document-id-type"): entry for entry in reversed(cited.findall("document-id"))}
    chosen = next((found[kind] for kind in _IDS if kind in found), None)
    if chosen is None:
        return "", "", ""
    country, number, kind = (string(chosen.find(tag)) for tag in ("country", "doc-number", "kind"))
    return country, number, kind


def _in_english(texts: Sequence[etree._Element]) -> str:
    """The English text, else the first."""
    by_language = {text.get("lang", "").lower(): string(text) for text in reversed(texts)}
    return by_language.get("en") or next((text for text in map(string, texts) if text), "")


def _ipc(biblio: etree._Element) -> list[str]:
    current = [_classified(string(entry)) for entry in biblio.iterfind("classifications-ipcr/classification-ipcr/text")]
    return current or [string(entry) for entry in biblio.iterfind("classification-ipc/text")]


def _classified(text: str) -> str:
    """``A61M  31/    00            A I`` without what follows the symbol."""
    stem, _, rest = plain(text).partition("/")
    subgroup = rest.split()
    return f"{stem.strip()}/{subgroup[0]}" if subgroup and subgroup[0].isdigit() else stem


def _cpc(biblio: etree._Element) -> list[str]:
    symbols = []
    for entry in biblio.iterfind("patent-classifications/patent-classification"):
        scheme = entry.find("classification-scheme")
        if scheme is not None and scheme.get("scheme", "").startswith("CPC"):
            parts = [string(entry.find(tag)) for tag in ("section", "class", "subclass", "main-group", "subgroup")]
            written = f"{''.join(parts[:3])} {parts[3]}/{parts[4]}" if all(parts) else ""
            symbols.append(written or _classified(string(entry.find("classification-symbol"))))
    return symbols


def _parties(biblio: etree._Element, role: str) -> list[str]:
    """The names in the first of the forms they are given in."""
    parties = biblio.findall(f"parties/{role}s/{role}")
    for form in _NAMES:
        names = [string(party.find(f"{role}-name/name")) for party in parties if party.get("data-format") == form]
        if any(names):
            return [_without_country(name) for name in names]
    return [_without_country(string(party.find(f"{role}-name/name"))) for party in parties]


def _without_country(name: str) -> str:
    ends_in_country = name.endswith("]") and name[-_COUNTRY : -_COUNTRY + 2] == " ["
    return (name[:-_COUNTRY] if ends_in_country else name).rstrip(" ,")
