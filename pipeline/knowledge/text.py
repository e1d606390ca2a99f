"""Untrusted text made plain, and cut into overlapping chunks at the ends of sentences."""

import re
import unicodedata
from collections.abc import Iterator

WIDTH = 1200  # of a chunk: what an encoder that stops at 256 tokens reads of English
OVERLAP = 200  # width that a chunk repeats of the one before it, in whole sentences
WIDE = 4  # width of a character that is a token or more by itself

_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_SENTENCE = re.compile(r"(?<=[.!?;:])\s+|(?<=[。！？；])|\n+")
_BREAK = re.compile(r"[\s,，、](?=\S)")
_SELECTORS = frozenset((*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))  # marks that show nothing, and hide bytes
_FILLERS = frozenset((0x115F, 0x1160, 0x2800, 0x3164, 0xFFA0))  # letters and a symbol that print as nothing
_MARKS = 4  # marks in a row on one letter; more are no script


class _Plain(dict[int, int | str | None]):
    """Translation that drops what is not seen: control, format (bidi, zero width, tags), private, unassigned."""

    def __missing__(self, code: int) -> int | str | None:
        category = unicodedata.category(chr(code))
        if chr(code) in "\n\f\v\r\u2028\u2029":
            self[code] = "\n"
        elif category == "Zs" or chr(code) == "\t":
            self[code] = " "
        elif category[0] == "C" or code in _SELECTORS or code in _FILLERS:
            self[code] = None
        else:
            self[code] = code
        return self[code]


_PLAIN = _Plain()


def plain(text: str) -> str:
    """The text as a reader sees it: composed, without invisible characters; lines kept, runs of spaces one.

    >>> plain("a\\u202eb\\x00\\u200b  c\\r\\n\\n\\nd")
    'ab c\\nd'
    """
    seen = unicodedata.normalize("NFC", text).translate(_PLAIN)
    lines = (" ".join(line.split()) for line in seen.split("\n"))
    return _thin("\n".join(line for line in lines if line))


def width(text: str) -> int:
    """Length in characters, those of Chinese, Japanese and Korean counted four times."""
    return len(text) + (0 if text.isascii() else (WIDE - 1) * len(_WIDE.findall(text)))


def split(text: str, limit: int = WIDTH, overlap: int = OVERLAP) -> list[str]:
    """Plain text in chunks no wider than ``limit``, each beginning with the last sentences of the one before.

    Lines and sentences are joined by one space. A text that fits is one chunk; one that says nothing is none.
    """
    whole = " ".join(text.split())
    if width(whole) <= limit:
        return [whole] if whole else []
    chunks: list[str] = []
    held: list[str] = []
    for piece in _pieces(text, limit):
        if held and width(" ".join([*held, piece])) > limit:
            chunks.append(" ".join(held))
            held = _tail(held, min(overlap, limit - width(piece) - 1))
        held.append(piece)
    return [*chunks, " ".join(held)]


def _pieces(text: str, limit: int) -> Iterator[str]:
    """Sentences; one wider than the limit in parts, at a space or comma where there is one."""
    for part in _SENTENCE.split(text):
        sentence = part.strip()
        while width(sentence) > limit:
            end = _fitting(sentence, limit)
            at = max((found.end() for found in _BREAK.finditer(sentence, end // 2, end)), default=end)
            yield sentence[:at].strip()
            sentence = sentence[at:].strip()
        if sentence:
            yield sentence


def _fitting(text: str, limit: int) -> int:
    """How many leading characters are no wider than the limit; at least one."""
    if text.isascii():
        return limit
    total = 0
    for position, letter in enumerate(text):
        total += WIDE if _WIDE.match(letter) else 1
        if total > limit:
            return max(position, 1)
    return len(text)


def _tail(sentences: list[str], room: int) -> list[str]:
    """The last whole sentences that fit the room, never all of them."""
    kept: list[str] = []
    for sentence in reversed(sentences[1:]):
        if width(" ".join([sentence, *kept])) > room:
            break
        kept.insert(0, sentence)
    return kept


def _thin(text: str) -> str:
    marks = "".join(sorted(letter for letter in set(text) if unicodedata.category(letter) == "Mn"))
    return re.sub(f"([{marks}]{{{_MARKS}}})[{marks}]+", r"\1", text) if marks else text
