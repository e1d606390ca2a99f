"""Patent documents in XML and SGML: cut one by one out of a stream, and parsed where nothing can expand.

A document is cut from its root's start tag to its end tag, so a DOCTYPE never reaches the parser: no entity can be
declared, none expanded, nothing fetched. Entities with a name in HTML (``&eacute;``) become their characters; any
other stays as it was written.
"""

import codecs
import dataclasses
import html.entities
import re
from collections.abc import Iterator, Sequence

from lxml import etree

from pipeline.corpus.readers.documents.base import LARGEST, Chunk, UnreadableError, plain
from pipeline.corpus.readers.documents.streams import CHUNK, Readable

_TAG = 256  # bytes a tag may be cut in two by
_PROLOG = re.compile(rb"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>|</?[A-Za-z][^<>]*>", re.DOTALL)
_TEXT_ENTITY = re.compile(rb"<!ENTITY\s+(?:%\s+)?[^\s>]+\s+(?![^>]*\bNDATA\b)")
_DECLARED = re.compile(rb"<\?xml[^>]*\bencoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_NAMED = re.compile(rb"&([A-Za-z][A-Za-z0-9.]{0,31});")
_XML_OWN = frozenset((b"amp", b"lt", b"gt", b"quot", b"apos"))
_BLANK = b"\0\x1a\xef\xbb\xbf \r\n\t"


@dataclasses.dataclass(frozen=True)
class Markup:
    """One document's bytes, the name of its root without prefix, and the encoding its file declared."""

    root: str
    data: bytes
    encoding: str

    def without(self, *parts: bytes) -> "Markup":
        """The document without elements that nothing is read of."""
        data = self.data
        for part in parts:
            data = cut_out(data, part)[0]
        return dataclasses.replace(self, data=data)


def cut_out(data: bytes, name: bytes) -> tuple[bytes, bytes]:
    """A document without its first element of a name, and that element; the name occurs once, or nested in it."""
    start, end_tag = data.find(b"<" + name), b"</" + name + b">"
    end = data.find(end_tag, start)
    if not 0 <= start < end:
        return data, b""
    end += len(end_tag)
    return data[:start] + data[end:], data[start:end]


def cut_documents(stream: Readable, roots: Sequence[str]) -> Iterator[Chunk]:
    """The documents of a stream: what lies from the start tag of one of ``roots`` to its end tag, whatever is between.

    What is no whole document (half of one, one too large, text outside of any) comes as a fault in its place.
    """
    start = re.compile(rb"<((?:[A-Za-z][\w.-]*:)?(" + "|".join(roots).encode() + rb"))(?=[\s>/])")
    window = Window(stream)
    encoding = "utf-8"
    while True:
        gap = window.upto(start)
        yield from _outside(gap)
        found = window.match(start)
        if found is None:
            return
        if declared := _DECLARED.search(gap):
            encoding = declared[1].decode()
        end_tag = b"</" + found[1] + b">"
        end = window.find(end_tag, LARGEST)
        again = min(
            (place for mark in b" >" if (place := window.within(found[0] + bytes([mark]), end)) is not None),
            default=None,
        )
        if again is not None:
            yield Chunk(fault="ends before its end tag", start=_shown(window.take(again)))
        elif end is None:
            reason = "ends before its end tag" if window.ended else f"is larger than {LARGEST >> 20} MiB"
            yield Chunk(fault=reason, start=_shown(window.head(_TAG)))
            window.skip(end_tag)
        else:
            data = window.take(end)
            if _TEXT_ENTITY.search(gap):
                reason = "declares text entities of its own, which are never expanded"
                yield Chunk(fault=reason, start=_shown(data))
            else:
                yield Chunk(Markup(found[2].decode(), data, encoding), start=_shown(data))


def _shown(data: bytes) -> str:
    return data[:200].decode("utf-8", "replace")


def parse_xml(document: Markup) -> etree._Element:
    """The root of one document; no DTD, no entities, no network, no huge nodes.

    Bytes that are not UTF-8 are read in the encoding that the file declares, else as Windows-1252.

    Raises:
        UnreadableError: when it is not well-formed.
    """
    data = _NAMED.sub(_character, document.data)
    try:
        return etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        recoded = _recoded(data, document.encoding)
        if recoded is not None:
            return parse_xml(dataclasses.replace(document, data=recoded))
        raise UnreadableError(f"is not well-formed: {plain(str(error).split(', line')[0])[:120]}") from error


def string(element: etree._Element | None) -> str:
    """All text of an element on one line; empty when there is none."""
    return "" if element is None else plain(raw(element))


def raw(element: etree._Element) -> str:
    """All text of an element as it stands."""
    return str(_string(element))


def strings(root: etree._Element, path: str) -> list[str]:
    """The texts of all elements of a path."""
    return [string(element) for element in root.iterfind(path)]


_string = etree.XPath("string()", smart_strings=False)
_PARSER = etree.XMLParser(
    encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True,
    remove_comments=True, collect_ids=False,
)  # fmt: skip


def _recoded(data: bytes, encoding: str) -> bytes | None:
    """Bytes that are not UTF-8 as UTF-8; None when they are."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        try:
            declared = codecs.lookup(encoding).name
        except LookupError:
            declared = "utf-8"
        return data.decode("cp1252" if declared == "utf-8" else declared, "replace").encode()
    return None


def _character(entity: re.Match[bytes]) -> bytes:
    name = entity[1]
    if name in _XML_OWN:
        return entity[0]
    known = html.entities.html5.get(name.decode() + ";")
    return known.encode() if known else b"&amp;" + name + b";"


def _outside(gap: bytes) -> Iterator[Chunk]:
    """A fault when more than prologs, comments and tags of an envelope lies between documents."""
    if not gap.strip(_BLANK):
        return
    rest = _PROLOG.sub(b"", gap).strip(_BLANK)
    if rest:
        yield Chunk(fault="is text outside of any patent document", start=_shown(rest))


class Window:
    """What is held of a stream: from the place reached to as far as was needed to find something."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._data = b""
        self._at = 0
        self.ended = False

    def match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """The pattern at the place reached."""
        return pattern.match(self._data, self._at)

    def find(self, mark: bytes, most: int) -> int | None:
        """Where the mark next ends, counted from the place reached; None when not within ``most`` bytes."""
        searched = 0
        while (found := self._data.find(mark, self._at + searched)) < 0:
            held = len(self._data) - self._at
            if self.ended or held > most:
                return None
            searched = max(0, held - _TAG)
            self._grow()
        return found + len(mark) - self._at

    def within(self, mark: bytes, end: int | None) -> int | None:
        """Where the mark next begins after the place reached and before another one, in what is held."""
        found = self._data.find(mark, self._at + 1, len(self._data) if end is None else self._at + end)
        return None if found < 0 else found - self._at

    def upto(self, pattern: re.Pattern[bytes]) -> bytes:
        """Go to where the pattern next begins, or to the end; the bytes passed, the first ``CHUNK`` of them."""
        passed = b""
        while True:
            found = pattern.search(self._data, self._at)
            held = len(self._data) - self._at
            step = found.start() - self._at if found else held if self.ended else max(0, held - _TAG)
            passed += self._data[self._at : self._at + min(step, CHUNK - len(passed))]
            self._at += step
            if found or self.ended:
                return passed
            self._grow()

    def skip(self, mark: bytes) -> None:
        """Go behind the mark's next end, or to the end, holding nothing of what is passed."""
        while (end := self.find(mark, 0)) is None and not self.ended:
            self._at = max(self._at, len(self._data) - _TAG)
            self._grow()
        self._at = len(self._data) if end is None else self._at + end

    def head(self, size: int) -> bytes:
        """The next bytes held."""
        return self._data[self._at : self._at + size]

    def take(self, size: int) -> bytes:
        """The next bytes, and go behind them."""
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken

    def _grow(self) -> None:
        """Hold twice as much, so that a long search does not copy what it has seen over and over."""
        pieces = [self._data[self._at :]]
        wanted = max(CHUNK, len(pieces[0]))
        while wanted > 0 and not self.ended:
            pieces.append(self._stream.read(CHUNK))
            wanted -= len(pieces[-1])
            self.ended = not pieces[-1]
        self._data, self._at = b"".join(pieces), 0
