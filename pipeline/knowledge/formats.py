"""Documents to text: one function a format, each given a path and bound by the same limits.

They run in a process of their own (see ``documents``), because a document may be made to harm its reader: what a
function here cannot read it refuses, and what it should not survive ends that process alone. So this module imports
nothing of weight at its top.
"""

import dataclasses
import datetime
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.knowledge.text import plain

MAX_BYTES = 100 * 2**20  # of a file
MAX_CHARACTERS = 5_000_000  # of the text of a document
MAX_PAGES = 5000
MAX_UNPACKED = 200 * 2**20  # bytes of what a docx unpacks to
MAX_MEMBERS = 5000  # files within a docx

Pages = list[tuple[int | None, str]]  # page number from 1 (None where the format has none), plain text


class RefusedError(Exception):
    """A document that cannot be used, and why, in one line."""


@dataclasses.dataclass(frozen=True)
class Parsed:
    """The text of a document: its pages that say something, how many do not, and the latest date it states."""

    pages: Pages
    silent: int
    date: datetime.date | None


def parse(path: Path) -> Parsed:
    """Read one document by the format its name ends in.

    Raises:
        RefusedError: when it is too large, broken, locked, of another format, or says nothing.
    """
    read = FORMATS.get(path.suffix.lower())
    if read is None:
        raise RefusedError(f"is none of {', '.join(sorted(FORMATS))}")
    if not path.is_file():
        raise RefusedError("is not a file")
    if path.stat().st_size > MAX_BYTES:
        raise RefusedError(f"is larger than {MAX_BYTES // 2**20} MB")
    try:
        pages, date = read(path)
    except RefusedError:
        raise
    except MemoryError as error:
        raise RefusedError("needs more memory than a document may") from error
    except Exception as error:  # whatever a broken or hostile file makes a library raise
        raise RefusedError(f"is not readable as {path.suffix[1:]}: {_line(error)}") from error
    spoken = [(number, text) for number, text in pages if text]
    if not spoken:
        raise RefusedError("holds no text (a scan? run a text recognition on it first)" if pages else "is empty")
    return Parsed(spoken, len(pages) - len(spoken), date)


def read_text(path: Path) -> tuple[Pages, datetime.date | None]:
    """Plain text; form feeds part pages."""
    return _numbered(_decoded(path.read_bytes()).rstrip("\f").split("\f")), None


def read_markdown(path: Path) -> tuple[Pages, datetime.date | None]:
    """Markdown as it stands; a date in its front matter (``date``, ``updated``, ``modified``) is its date."""
    text = _decoded(path.read_bytes())
    front = re.match(r"\A---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", text, re.DOTALL)
    if front is None:
        return _numbered([text]), None
    stated = re.findall(r"(?mi)^(?:date|updated|modified|lastmod)[ \t]*:[ \t]*(.*)$", front[1])
    return _numbered([text[front.end() :]]), _latest(stated)


def read_html(path: Path) -> tuple[Pages, datetime.date | None]:
    """What a browser would show of a page: no scripts, styles, comments or hidden elements; nothing is fetched."""
    from lxml import html

    content = path.read_bytes()
    parser = html.HTMLParser(
        encoding=_utf8(content), no_network=True, remove_comments=True, remove_pis=True, huge_tree=False
    )
    root = html.document_fromstring(content, parser=parser)
    if any(entry.type_name == "ERR_INTERNAL_ERROR" or "xcessive depth" in entry.message for entry in parser.error_log):
        raise RefusedError("is nested too deeply")
    stated = [
        element.get("content", "")
        for element in root.iter("meta")
        if _DATE_NAME.search(element.get("name") or element.get("property") or element.get("http-equiv") or "")
    ]
    text = "".join(_shown(root))
    _check_length(len(text))
    return [(None, plain(text))], _latest(stated)


def read_pdf(path: Path) -> tuple[Pages, datetime.date | None]:
    """A PDF page by page; one locked with the empty password is opened."""
    from pypdf import PdfReader

    reader = PdfReader(path, strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise RefusedError("is locked by a password: save it without")
    if len(reader.pages) > MAX_PAGES:
        raise RefusedError(f"has more than {MAX_PAGES:,} pages")
    pages: Pages = []
    total = 0
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        total += len(text)
        _check_length(total)
        pages.append((number, plain(text)))
    information = reader.metadata or {}
    return pages, _latest([str(information.get(key, "")) for key in ("/CreationDate", "/ModDate")])


def read_docx(path: Path) -> tuple[Pages, datetime.date | None]:
    """The body of a Word document, tables and boxes included; pages where Word noted their breaks.

    Hidden and deleted text, headers, footers and notes are left out.
    """
    import docx

    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_UNPACKED:
        raise RefusedError(f"unpacks to more than {MAX_UNPACKED // 2**20} MB or {MAX_MEMBERS:,} files")
    document = docx.Document(str(path))
    properties = document.core_properties
    stated = [str(properties.created or ""), str(properties.modified or "")]
    return _docx_pages(document.element.body), _latest(stated)


FORMATS: dict[str, Callable[[Path], tuple[Pages, datetime.date | None]]] = {
    ".txt": read_text,
    ".md": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
}

_DATE_NAME = re.compile(r"(?i)(?:^|[.:_-])(?:date|created|issued|modified|(?:published|modified|updated)_time)$")
_UNSEEN = frozenset(("script", "style", "noscript", "template", "svg", "math", "iframe", "object", "select"))
_HIDDEN = re.compile(r"(?i)display\s*:\s*none|visibility\s*:\s*hidden|(?:font-size|opacity)\s*:\s*0(?![.\d]*[1-9])")
_INLINE = frozenset((
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins",
    "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
))  # fmt: skip


def _shown(root: Any) -> Iterator[str]:
    """The texts of an element tree in reading order, new lines around blocks."""
    waiting: list[Any] = [root]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
            continue
        waiting.append(item.tail or "")
        if not isinstance(item.tag, str) or item.tag in _UNSEEN or item.get("hidden") is not None:
            continue
        if _HIDDEN.search(item.get("style", "")):
            continue
        edge = "" if item.tag in _INLINE else "\n"
        waiting += [edge, *reversed(item), item.text or "", edge]


def _docx_pages(body: Any) -> Pages:
    """The text of a document's body, parted where Word last broke the page."""
    from docx.oxml.ns import qn

    hidden, fallback = qn("w:vanish"), "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
    said = {qn("w:tab"): " ", qn("w:br"): "\n", qn("w:cr"): "\n"}
    parts: list[list[str]] = [[]]
    waiting: list[Any] = [body]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            parts[-1].append(item)
            continue
        if item.tag == fallback or (item.tag == qn("w:r") and item.find(f"{qn('w:rPr')}/{hidden}") is not None):
            continue
        if item.tag == qn("w:lastRenderedPageBreak"):
            parts.append([])
        parts[-1].append(item.text or "" if item.tag == qn("w:t") else said.get(item.tag, ""))
        if item.tag in (qn("w:p"), qn("w:tc")):
            waiting.append("\n")
        waiting += reversed(item)
    return _numbered(["".join(part) for part in parts])


def _numbered(texts: list[str]) -> Pages:
    """The pages made plain; the only page of a document has no number."""
    _check_length(sum(map(len, texts)))
    return [(number if len(texts) > 1 else None, plain(text)) for number, text in enumerate(texts, start=1)]


def _check_length(characters: int) -> None:
    if characters > MAX_CHARACTERS:
        raise RefusedError(f"holds more than {MAX_CHARACTERS:,} characters of text")


def _decoded(content: bytes) -> str:
    """Text in UTF-8, in UTF-16 with its mark, or failing those in Windows' Western code page."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = content.decode("utf-16", errors="replace")
    else:
        text = content.decode(_utf8(content) or "cp1252", errors="replace").removeprefix("\ufeff")
    if "\x00" in text:
        raise RefusedError("is not text")
    return text


def _utf8(content: bytes) -> str | None:
    try:
        content.decode()
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _latest(stated: list[str]) -> datetime.date | None:
    """The latest day among the dates stated, in ISO or PDF form; what is no date counts for nothing."""
    days = []
    for text in stated:
        found = re.search(r"(?<!\d)([12]\d{3})[-/.]?(\d{2})[-/.]?(\d{2})", text)
        if found:
            try:
                days.append(datetime.date(*map(int, found.groups())))
            except ValueError:
                continue
    return max(days, default=None)


def _line(error: BaseException) -> str:
    """An error's own words, made plain: they may quote the document."""
    words = plain(str(error)).partition("\n")[0][:120]
    return words or type(error).__name__
