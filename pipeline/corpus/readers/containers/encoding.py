"""Encodings: every text is brought to UTF-8; which encoding it was in is told, and what did not fit is flagged."""

import codecs
import dataclasses
import re
from pathlib import Path

from pipeline.corpus.readers.base import one_line
from pipeline.corpus.readers.containers.charset import guess_encoding
from pipeline.errors import CorpusError

REPLACEMENT = "\ufffd"  # stands for bytes that are no character
_BLOCK = 2**20
_SAMPLE = 2**18
_FEW = 0.02  # of the characters outside ASCII: fewer broken ones are damage, more another encoding
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_SHOWN = {"cp932": "Shift-JIS", "cp949": "EUC-KR", "gb18030": "GB18030", "cp1252": "Windows-1252",
          "cp1251": "Windows-1251", "mac_roman": "Mac Roman", "big5": "Big5"}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Utf8Text:
    """A text file in UTF-8 without mark. ``shown`` names its source; ``warnings`` tell what was done to it."""

    path: Path
    shown: str
    warnings: tuple[str, ...] = ()
    offset: int = 0  # bytes of mark to skip

    def head(self, size: int = 2**16) -> bytes:
        """Its first bytes."""
        with self.path.open("rb") as handle:
            handle.seek(self.offset)
            return handle.read(size)


def as_utf8(path: Path, shown: str, scratch: Path) -> Utf8Text:
    """The text in UTF-8, itself if it is, else a copy in ``scratch``.

    Raises:
        CorpusError: when the file is no text.
    """
    with path.open("rb") as handle:
        head = handle.read(_SAMPLE)
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            if encoding == "utf-8":
                return _utf8(path, shown, scratch, len(mark))
            return _transcoded(path, shown, scratch, encoding, len(mark), f"read as {encoding[:6].upper()}")
    wide = _wide(head)
    if wide:
        return _transcoded(path, shown, scratch, wide, 0, f"read as {wide[:6].upper()}, which it does not declare")
    return _utf8(path, shown, scratch, 0)


def _wide(head: bytes) -> str:
    """UTF-16 without a mark: every other byte of what is mostly ASCII is zero."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) / 2
    if half >= 8 and max(even, odd) > half * 0.3 and min(even, odd) < half * 0.05:
        return "utf-16-le" if odd > even else "utf-16-be"
    return ""


def _utf8(path: Path, shown: str, scratch: Path, offset: int) -> Utf8Text:
    good, broken, sample = _examine(path, offset)
    if not broken:
        return Utf8Text(path, shown, offset=offset)
    if broken <= _FEW * (good + broken):
        told = f"{broken} places of it are not UTF-8 and stand as {REPLACEMENT}"
        return _transcoded(path, shown, scratch, "utf-8", offset, told)
    encoding = guess_encoding(sample)
    told = f"not UTF-8; read as {_SHOWN.get(encoding, encoding)}, the likeliest encoding: check its names and titles"
    return _transcoded(path, shown, scratch, encoding, offset, told)


_CONTINUED = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")


def _examine(path: Path, offset: int) -> tuple[int, int, bytes]:
    """Characters beyond ASCII that are UTF-8, places that are not, and lines around the latter."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="strict")
    with path.open("rb") as handle:
        handle.seek(offset)
        try:
            while block := handle.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
            return 0, 0, b""
        except UnicodeDecodeError:
            pass
        handle.seek(offset)
        good = broken = 0
        sample = bytearray()
        while block := handle.read(_BLOCK):
            wrong = block.decode("utf-8", "replace").count(REPLACEMENT) - block.count(REPLACEMENT.encode())
            broken += max(wrong, 0)
            good += len(_CONTINUED.findall(block))
            if len(sample) < _SAMPLE:
                sample += b"\n".join(line for line in block.splitlines() if not line.isascii())[:_SAMPLE]
    return good, max(broken, 1), bytes(sample)


def _transcoded(path: Path, shown: str, scratch: Path, encoding: str, offset: int, told: str) -> Utf8Text:
    target = scratch / "text"
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    lost = 0
    try:
        with path.open("rb") as source, target.open("w", encoding="utf-8", newline="") as out:
            source.seek(offset)
            while block := source.read(_BLOCK):
                text = decoder.decode(block)
                lost += text.count(REPLACEMENT)
                out.write(text)
            text = decoder.decode(b"", final=True)
            lost += text.count(REPLACEMENT)
            out.write(text)
    except (OSError, UnicodeError) as error:
        raise CorpusError(f"{shown} cannot be read as {encoding}: {one_line(error)}") from error
    if lost and encoding != "utf-8":
        told += f"; {lost} places do not fit it and stand as {REPLACEMENT}"
    return Utf8Text(target, shown, (told,))
