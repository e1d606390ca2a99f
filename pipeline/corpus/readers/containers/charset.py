"""Guess the encoding of a text that is not UTF-8, among those exports are found in.

An encoding is likely when the characters it yields are the usual ones of its language: Hangul syllables of KS X 1001,
kana with Chinese characters, the 3,755 commonest Chinese characters of GB 2312, the 5,401 of Big5, Cyrillic letters,
Latin letters with accents. Statistics of bytes alone take Chinese headers for Korean, and broken Latin for Cyrillic.
"""

import re
from collections.abc import Callable

_WIDE_SIGNS = "　、。〈〉《》「」『』【】〔〕・！（），．：；？～—…·“”‘’°％＋－／"
_LATIN = re.compile(r"[À-ÖØ-öø-ÿ‘’“”–—…°±²³µ·®©™«»§€×]")


def guess_encoding(sample: bytes) -> str:
    """The likeliest encoding of a text; one of the Latin ones where nothing speaks for another.

    >>> guess_encoding("Wärmepumpe für Öl".encode("cp1252")), guess_encoding("一种热泵系统".encode("gb18030"))
    ('cp1252', 'gb18030')
    """
    words = b"\n".join(line for line in re.split(rb"[\r\n]+", sample) if not line.isascii())
    in_runs = _share_in_runs(words)
    for encoding, usual, least in _CANDIDATES:
        if (in_runs > 0.9 or encoding == "cp932") and _share(words, encoding, usual) >= least:
            return encoding
    # bytes that Windows-1252 lacks, or letters it shows as ž for é, are those of old Macintosh files
    latin, roman = (
        _share(words, encoding, lambda sign: bool(_LATIN.match(sign))) for encoding in ("cp1252", "mac_roman")
    )
    return "mac_roman" if roman > latin or "\ufffd" in words.decode("cp1252", "replace") else "cp1252"


def _share(words: bytes, encoding: str, usual: Callable[[str], bool]) -> float:
    """The share of usual characters among those beyond ASCII."""
    signs = [sign for sign in words.decode(encoding, "replace") if sign > "\x7f"]
    return sum(map(usual, signs)) / len(signs) if signs else 0.0


def _share_in_runs(words: bytes) -> float:
    """The share of bytes beyond ASCII that have one for a neighbour: nearly all where characters take two bytes."""
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", words)]
    return sum(run for run in runs if run > 1) / sum(runs) if runs else 0.0


def _lead(sign: str, encoding: str) -> int:
    try:
        coded = sign.encode(encoding)
    except UnicodeEncodeError:
        return 0
    return coded[0] if len(coded) == 2 else 0


def _is_korean(sign: str) -> bool:
    return 0xB0 <= _lead(sign, "euc_kr") <= 0xC8 or sign in _WIDE_SIGNS


def _is_japanese(sign: str) -> bool:
    return "ぁ" <= sign <= "ヶ" or sign == "ー" or 0x88 <= _lead(sign, "cp932") <= 0x98 or sign in _WIDE_SIGNS


def _is_chinese(sign: str) -> bool:
    return 0xB0 <= _lead(sign, "gb2312") <= 0xD7 or sign in _WIDE_SIGNS


def _is_chinese_in_big5(sign: str) -> bool:
    return 0xA4 <= _lead(sign, "big5") <= 0xC6 or sign in _WIDE_SIGNS


def _is_russian(sign: str) -> bool:
    return "А" <= sign <= "я" or sign in "Ёё№«»—"


# a text of one language yields nearly only its usual characters; in another's encoding at most some three in four
_CANDIDATES: tuple[tuple[str, Callable[[str], bool], float], ...] = (
    ("cp949", _is_korean, 0.95),
    ("cp932", _is_japanese, 0.9),
    ("gb18030", _is_chinese, 0.8),
    ("big5", _is_chinese_in_big5, 0.8),
    ("cp1251", _is_russian, 0.95),
)
