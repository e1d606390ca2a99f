"""Names of firms and people: the key on which they are counted, and near matches of a misspelt one."""

import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence

import pandas as pd
from rapidfuzz import fuzz, process

# words that end a firm's name in many countries, as ``normalise_person`` leaves them
_LEGAL_FORMS = frozenset((
    "ab", "ag", "aktiebolag", "aktiengesellschaft", "aktieselskab", "anpartsselskab", "aps", "as", "asa", "aş", "bhd",
    "bv", "bvba", "cie", "cjsc", "co", "company", "corp", "corporation", "cv", "dd", "doo", "eeig", "eg",
    "ehf", "ek", "eireli", "epe", "eurl", "ev", "gbr", "gesmbh", "gie", "gmbh", "hf", "inc", "incorporated",
    "jsc", "kabushiki", "kaisha", "kb", "kda", "kft", "kg", "kgaa", "kk", "kommanditgesellschaft", "ks", "lda",
    "limited", "limitada", "llc", "lllp", "llp", "lp", "ltd", "ltda", "mbh", "naamloze", "nv", "nyrt", "oao",
    "ohg", "ojsc", "ood", "ooo", "osakeyhtiö", "oü", "oy", "oyj", "pao", "pjsc", "plc", "pllc", "pte", "pty",
    "pvt", "sa", "saa", "sab", "sadecv", "sarl", "sas", "sasu", "sàrl", "sca", "scrl", "sdn", "se", "sgps", "sia", "sk",
    "sl", "slu", "snc", "societas", "spa", "spj", "spk", "spol", "spzoo", "sprl", "sro", "srl", "tbk", "teo", "uab",
    "ug", "vof", "yk", "yugen", "zao", "zrt", "ао", "ооо", "оао", "зао", "пао", "нпо",
))  # fmt: skip
_BEFORE = frozenset((
    "kabushiki", "kaisha", "kk", "yugen", "oao", "ooo", "pao", "pt", "the", "uab", "zao", "ао", "ооо", "оао", "зао",
    "пао", "нпо",
))  # fmt: skip
_AND = frozenset(("and", "und", "et", "y", "e", "og", "och", "en", "ja"))  # left over from "... and Company"
_PHRASES = re.compile(
    r"""\b(?:gesellschaft\ mit\ beschränkter\ haftung|société\ anonyme|societe\ anonyme
    |société\ par\ actions\ simplifiée
    |sociedad\ anónima|sociedad\ anonima|sociedade\ anônima|sociedad\ limitada|società\ per\ azioni|societa\ per\ azioni
    |società\ a\ responsabilità\ limitata|naamloze\ vennootschap|besloten\ vennootschap|limited\ liability\ company
    |limited\ liability\ partnership|limited\ partnership|public\ limited\ company|joint\ stock\ company
    |private\ limited|sa\ de\ cv|s\ de\ rl\ de\ cv|sp\ z\ oo|spółka\ z\ ograniczoną\ odpowiedzialnością|spółka\ akcyjna
    |sà\ rl|a\ rl|anonim\ şirketi|limited\ şirketi|ltd\ şti)$
    |^(?:общество\ с\ ограниченной\ ответственностью|(?:открытое|закрытое|публичное)?\ ?акционерное\ общество)\b""",
    re.VERBOSE,
)
_CJK = (
    "株式会社", "株式會社", "有限会社", "合同会社", "合資会社", "一般社団法人", "国立大学法人", "学校法人",
    "주식회사", "유한회사", "유한책임회사", r"\((?:株|有|同|資|주|유|합|재|사)\)",
    "股份有限公司", "有限责任公司", "有限責任公司", "股份公司", "有限公司", "公司",
)  # fmt: skip
_CJK_BEFORE = re.compile(rf"^(?:{'|'.join(_CJK[:12])})\s*")
_CJK_AFTER = re.compile(rf"\s*(?:{'|'.join(_CJK[:6] + _CJK[8:])})$")
_COUNTRY = re.compile(r"\s*[\[(][A-Z]{2}[\])]$")  # as the EPO writes it behind a name: SIEMENS AG [DE]


class _Spaces(dict[int, int | str]):
    """Translation in which letters, digits and combining marks stay and all else becomes a space, or nothing."""

    def __missing__(self, code: int) -> int | str:
        self[code] = code if unicodedata.category(chr(code))[0] in "LMN" else " "
        return self[code]


_SPACES = _Spaces(dict.fromkeys(map(ord, ".'’`´"), ""))  # S.A. is SA, O'Brien one word
_APART = re.compile(r"\b(\w) (?=\w\b)")  # single letters in a row are one abbreviation


def normalise_person(name: str) -> str:
    """The key of a person: case, composition of accents and punctuation do not count, the order of words does.

    >>> normalise_person("LANGOS, J. P."), normalise_person("Langos, JP")
    ('langos jp', 'langos jp')
    """
    text = unicodedata.normalize("NFKC", name).casefold()
    words = " ".join(text.translate(_SPACES).split())
    return _APART.sub(r"\1", words)


def normalise_party(name: str) -> str:
    """The key of a firm: that of a person without legal forms before and behind; never empty when the person's is not.

    Harmonises spellings, not firms: no subsidiary is merged, no script turned into another.

    >>> normalise_party("TOSHIBA CO., LTD."), normalise_party("株式会社東芝"), normalise_party("Société S. A.")
    ('toshiba', '東芝', 'société')
    >>> normalise_party("Siemens AG [DE]"), normalise_party("The Boeing Company"), normalise_party("Roche & Cie")
    ('siemens', 'boeing', 'roche')
    """
    folded = unicodedata.normalize("NFKC", name).strip()
    key = normalise_person(_COUNTRY.sub("", folded)) or normalise_person(folded)
    bare = _CJK_AFTER.sub("", _CJK_BEFORE.sub("", _COUNTRY.sub("", folded)))
    words = _without_forms(_PHRASES.sub("", normalise_person(bare)).split())
    return " ".join(words) or key


def _without_forms(words: list[str]) -> list[str]:
    first, last = 0, len(words)
    while last - first > 1 and words[last - 1] in _LEGAL_FORMS:
        last -= 1
        while last - first > 1 and words[last - 1] in _AND:
            last -= 1
    while last - first > 1 and words[first] in _BEFORE:
        first += 1
    return words[first:last]


KEYS = {"assignee": normalise_party, "inventor": normalise_person}
_CACHED = {role: functools.lru_cache(1 << 18)(key) for role, key in KEYS.items()}  # names come again, piece by piece


def normalise_parties(names: pd.Series, role: str, aliases: Mapping[str, str] | None = None) -> pd.Series:
    """Keys of many names of one role (each spelling is normalised once).

    ``aliases``: key of an assignee -> key of the group it is counted under.
    """
    key = _CACHED[role]
    grouped = aliases if aliases and role == "assignee" else {}
    keys = {name: key(name) for name in names.unique()}
    return names.map({name: grouped.get(own, own) for name, own in keys.items()}).astype("str")


def near_matches(query: str, names: Sequence[str], limit: int = 5) -> list[str]:
    """The names that resemble the query most, best first, ties by name; none when nothing does."""
    pool = sorted(set(names))
    found = process.extract(query, pool, scorer=fuzz.WRatio, processor=normalise_party, limit=limit, score_cutoff=60)
    return [name for name, _, _ in found]
