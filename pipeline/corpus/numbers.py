"""Numbers of documents: one key for the spellings of one number, on which citations join.

The key holds the office and the number, without kind code and without padding: ``US2008/173533``, ``EP123456``,
``JPH7/12345``. The id as the source gives it is kept beside it. Rules by office:

- US: applications are a year and a serial of six or seven digits; designs, plants, reissues and the like keep their
  letters (``USD668832``, ``USRE43123``).
- WO: a year of two or four digits and a serial; EP and all others: the digits.
- JP: an era (S, H, R) and its year, or a year of four digits, and a serial. Before 1996 utility models and examined
  applications share the serials of applications, so their kind (B, U, Y) is part of the key.
- KR: the old ``10-`` and ``20-`` before the year and serial are dropped, the latter for a ``U``.
"""

import re
from collections.abc import Callable

import pandas as pd

_SEPARATORS = re.compile(r"[\s\-‐-―/.,_()]+")
_PREFIXED = re.compile(r"([A-Z]{2})(.*)")
_NUMBER = re.compile(r"([A-Z]*?)([0-9]+)(?:([A-Z])[0-9]?)?")
_US_LETTERS = frozenset(("D", "PP", "RE", "H", "T", "AI", "X", "RX"))  # series of their own; bare ids have them too
_US_APPLICATION = re.compile(r"((?:19|20)[0-9]{2})([0-9]{6,7})")
_WO = re.compile(r"((?:19|20)[0-9]{2})([0-9]{5,6})|([0-9]{2})([0-9]{5,6})")
_YEAR_SERIAL = re.compile(r"((?:19|20)[0-9]{2})([0-9]{5,7})")
_KR = re.compile(r"([12])0((?:19|20)[0-9]{9}|[0-9]{7})")
_LAST_ERA_YEAR = {"S": 64, "H": 31, "R": 99}
_FIRST_WO_YEAR = 78  # the Patent Cooperation Treaty came into force in 1978
_OWN_NUMBERS = "BUY"  # kinds of Japanese documents numbered as applications are


def number_keys(ids: pd.Series, offices: pd.Series | None = None) -> pd.Series:
    """The keys of many ids in their normal form (see ``number_key``); ``offices``: where a bare number belongs."""
    bare = ~ids.str.match("[A-Z]{2}[A-Z]{0,2}[0-9]") | ids.str.match("(?:PP|RE|RX|AI)[0-9]")
    pairs = pd.DataFrame({"id": ids, "office": ""})
    if offices is not None and bare.any():
        pairs = pairs.assign(office=offices.str.upper().where(bare & offices.str.fullmatch("[A-Za-z]{2}"), ""))
    distinct = pairs.drop_duplicates(ignore_index=True)
    keys = [number_key(number, office) for number, office in zip(distinct["id"], distinct["office"], strict=True)]
    found = distinct.assign(key=pd.Series(keys, dtype="str", index=distinct.index))
    return pairs.merge(found, how="left", on=["id", "office"])["key"].set_axis(ids.index)


def number_key(number: str, office: str = "") -> str:
    """The key of one id in any spelling; an id that is no publication number is its own key, in capitals.

    >>> [number_key(text) for text in ("US-2008173533-A1", "US 2008/0173533 A1", "WO05012345", "WO 2005/012345")]
    ['US2008/173533', 'US2008/173533', 'WO2005/12345', 'WO2005/12345']
    >>> number_key("7,155,747", office="US"), number_key("US7155747B2"), number_key("D668,832", "US")
    ('US7155747', 'US7155747', 'USD668832')
    """
    text = _SEPARATORS.sub("", number).upper()
    prefixed = _PREFIXED.fullmatch(text)
    if prefixed and not (office == "US" and prefixed[1] in _US_LETTERS):
        country, rest = prefixed[1], prefixed[2]
    else:
        country, rest = office, text
    match = _NUMBER.fullmatch(rest)
    if not country or match is None:
        return text
    letters, digits, kind = match[1], match[2], match[3] or ""
    number_of = _OFFICES.get(country)
    found = number_of(letters, digits, kind) if number_of else letters + _unpadded(digits)
    return country + found if found else text


def _unpadded(digits: str) -> str:
    return digits.lstrip("0") or "0"


def _us(letters: str, digits: str, kind: str) -> str | None:
    if letters and letters not in _US_LETTERS:
        return None
    application = _US_APPLICATION.fullmatch(digits)
    if application and not letters:
        return f"{application[1]}/{int(application[2])}"
    return letters + _unpadded(digits)


def _wo(letters: str, digits: str, kind: str) -> str | None:
    match = _WO.fullmatch(digits)
    if letters or match is None:
        return None
    if match[1]:
        return f"{match[1]}/{int(match[2])}"
    century = 19 if int(match[3]) >= _FIRST_WO_YEAR else 20
    return f"{century}{match[3]}/{int(match[4])}"


def _jp(letters: str, digits: str, kind: str) -> str | None:
    if letters in _LAST_ERA_YEAR and len(digits) > 2:
        short = digits[0] != "0" and (int(digits[:2]) > _LAST_ERA_YEAR[letters] or len(digits) <= 6)
        width = 1 if short else 2  # H7-12345 has lost its hyphen
        series = kind if kind in _OWN_NUMBERS else ""
        return f"{letters}{int(digits[:width])}/{int(digits[width:])}{series}"
    application = _YEAR_SERIAL.fullmatch(digits)
    series = kind if kind in "UY" else ""
    if application and not letters:
        return f"{application[1]}/{int(application[2])}{series}"
    return letters + _unpadded(digits) + series


def _kr(letters: str, digits: str, kind: str) -> str | None:
    match = _KR.fullmatch(digits)
    series = "U" if kind in ("U", "Y") or (match and match[1] == "2") else ""
    return letters + _unpadded(match[2] if match else digits) + series


_OFFICES: dict[str, Callable[[str, str, str], str | None]] = {"US": _us, "WO": _wo, "JP": _jp, "KR": _kr}
