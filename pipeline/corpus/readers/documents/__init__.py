"""Files of patent documents (XML, SGML, tagged text, JSON), plain, gzip or zip: known by content, read as a stream."""

import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.corpus.readers.base import SourceTable
from pipeline.corpus.readers.documents import (
    epo_xml,
    greenbook,
    patents_json,
    reading,
    uspto_pap,
    uspto_sgml,
    uspto_xml,
)
from pipeline.corpus.readers.documents.base import Chunk, DocumentFormat, Row, UnreadableError
from pipeline.corpus.readers.documents.markup import Markup
from pipeline.corpus.readers.documents.streams import Readable

_PARSERS: dict[str, Callable[[Markup], Row]] = {
    root: module.parse for module in (uspto_xml, uspto_pap, uspto_sgml, epo_xml) for root in module.ROOTS
}
_NO_PATENTS = ("sequence-cwu", "sequence-listing")  # documents of the weekly files that are none
_TODAY = (
    "symbols are those of the day of the export: later re-classification is in them, and flatters a test on the past"
)


def _split(stream: Readable) -> Iterator[Chunk]:
    return uspto_xml.split(stream, (*_PARSERS, *_NO_PATENTS))


def _parse(document: Markup) -> Row:
    if document.root in _NO_PATENTS:
        raise UnreadableError("is a sequence listing, not a patent")
    return _PARSERS[document.root](document)


def _markup(name: str, roots: tuple[str, ...], warning: str = "") -> DocumentFormat:
    """A format known by the first root in the file; documents of the others are read with it, should they be mixed."""
    pattern = re.compile(rb"<(?:[A-Za-z][\w.-]*:)?(?:" + "|".join(roots).encode() + rb")[\s>]")
    return DocumentFormat(name, functools.partial(_found, pattern), _split, _parse, warning=warning)


def _refused(name: str, pattern: bytes, refusal: str) -> DocumentFormat:
    return DocumentFormat(name, functools.partial(_found, re.compile(pattern)), _split, _parse, refusal=refusal)


def _found(pattern: re.Pattern[bytes], start: bytes) -> bool:
    return start.lstrip(b"\xef\xbb\xbf \r\n\t\0").startswith(b"<") and pattern.search(start) is not None


DOCUMENT_FORMATS = (
    _markup("uspto_xml", uspto_xml.ROOTS),
    _markup("uspto_pap", uspto_pap.ROOTS),
    _markup("uspto_sgml", uspto_sgml.ROOTS),
    _markup("epo_xml", epo_xml.ROOTS, warning=_TODAY),
    _refused(
        "epo_ops_list",
        rb"<(?:ops:)?(?:biblio-search|patent-family|register-search)[\s/>]",
        "lists publications without their codes: ask OPS for them with biblio (published-data/search/biblio)",
    ),
    _refused(
        "epo_ops_fulltext",
        rb"<(?:[a-z]+:)?fulltext-document[\s>]",
        "holds claims or descriptions without dates and codes: ask OPS for the same documents with biblio",
    ),
    _refused(
        "unknown_xml",
        rb"^[\xef\xbb\xbf\s\0]*<(?![^>]*\bhtml)(?:\?xml|!DOCTYPE|[A-Za-z])",
        "is XML of no known patent format: USPTO grants and applications, OPS and DOCDB exchange documents are read",
    ),
    DocumentFormat("greenbook", greenbook.recognises, greenbook.split, greenbook.parse),
    DocumentFormat(
        "patentsview_api",
        patents_json.is_patentsview,
        patents_json.split,
        patents_json.parse_patentsview,
        warning=_TODAY,
    ),
    DocumentFormat(
        "uspto_ppubs", patents_json.is_public_search, patents_json.split, patents_json.parse_public_search
    ),
    DocumentFormat(
        "uspto_odp", patents_json.is_open_data_portal, patents_json.split, patents_json.parse_open_data_portal,
        warning=_TODAY,
    ),
)  # fmt: skip


def read_documents(path: Path, scratch: Path | None = None) -> SourceTable | None:
    """All documents of a file as one flat table; None when it is no file of documents. ``scratch``: see
    ``shards.gathered``.

    Raises:
        CorpusError: when the file cannot be read, holds no document, or is of a format that is of no use.
    """
    if not path.is_file():
        return None
    known = reading.recognised(path, DOCUMENT_FORMATS)
    return None if known is None else reading.read(path, known, scratch)
