"""Names of firms and people: the key on which they are counted, and near matches of a misspelt one."""

import re
import unicodedata
from collections.abc import Sequence

import pandas as pd
from rapidfuzz import fuzz, process

_LEGAL_FORMS = frozenset((
    "ab", "ag", "aps", "as", "bhd", "bv", "cie", "co", "company", "corp", "corporation", "gmbh", "inc",
    "incorporated", "kabushiki", "kaisha", "kg", "kgaa", "kk", "limited", "llc", "llp", "lp", "ltd", "mbh", "nv",
    "oao", "ooo", "oy", "oyj", "plc", "pte", "pty", "sa", "sarl", "sas", "sdn", "se", "spa", "srl", "zao",
))  # fmt: skip
_CJK_FORMS = re.compile(
    r"^(?:株式会社|有限会社|주식회사|\(株\)|\(有\))|(?:株式会社|有限会社|주식회사|\(株\)|\(有\)|股份有限公司|有限责任公司|有限公司)$"
)


class _Spaces(dict[int, int | str]):
    """Translation in which letters, digits and combining marks stay and all else becomes a space."""

    def __missing__(self, code: int) -> int | str:
        self[code] = code if unicodedata.category(chr(code))[0] in "LMN" else " "
        return self[code]


_SPACES = _Spaces()


def normalise_person(name: str) -> str:
    """The key of a person: case, composition of accents and punctuation do not count, the order of words does.

    >>> normalise_person("LANGOS, J. P."), normalise_person("Langos, JP")
    ('langos jp', 'langos jp')
    """
    text = re.sub(r"[.'’`´]", "", unicodedata.normalize("NFKC", name).casefold())  # S.A. is SA, O'Brien one word
    words = " ".join(text.translate(_SPACES).split())
    return re.sub(r"\b(\w) (?=\w\b)", r"\1", words)  # single letters in a row are one abbreviation


def normalise_party(name: str) -> str:
    """The key of a firm: that of a person without trailing legal forms.

    Never empty when the name holds a letter or digit. Harmonises spellings, not firms: no subsidiary is merged.

    >>> normalise_party("TOSHIBA CO., LTD."), normalise_party("株式会社東芝"), normalise_party("Société S. A.")
    ('toshiba', '東芝', 'société')
    """
    folded = unicodedata.normalize("NFKC", name).strip()
    words = (normalise_person(_CJK_FORMS.sub("", folded)) or normalise_person(folded)).split()
    kept = len(words)
    while kept > 1 and words[kept - 1] in _LEGAL_FORMS:
        kept -= 1
    return " ".join(words[:kept])


KEYS = {"assignee": normalise_party, "inventor": normalise_person}


def normalise_parties(names: pd.Series, role: str) -> pd.Series:
    """Keys of many names of one role (each spelling is normalised once)."""
    key = KEYS[role]
    return names.map({name: key(name) for name in names.unique()}).astype("str")


def near_matches(query: str, names: Sequence[str], limit: int = 5) -> list[str]:
    """The names that resemble the query most, best first, ties by name; none when nothing does."""
    pool = sorted(set(names))
    found = process.extract(query, pool, scorer=fuzz.WRatio, processor=normalise_party, limit=limit, score_cutoff=60)
    return [name for name, _, _ in found]
