"""IPC and CPC symbols: reading them in their usual spellings, and rolling them up the hierarchy.

Canonical spelling: ``F``, ``F25``, ``F25B``, ``F25B 41/20``; a main group is written ``F25B 41/00``.
"""

import functools
import re

import pandas as pd

_LONGEST = 200  # characters of a symbol with all its attributes
_SYMBOL = re.compile(
    r"""^(?:(?:INT|IPC|IPCR|CPC)[\s.]*(?:CL|C1)?[\s.]*(?:\(?[1-8¹²³⁴-⁸]\)?)?\s*[:.,]?\s+      # Int. Cl.7
      |IPC(?:[1-8]|1-7)?:\s*)?
    (?P<section>[A-HY])
    (?:\s?(?P<class>[0-9]{2})
    (?:\s?(?P<subclass>[A-Z])
    (?:[\s-]*(?P<group>[0-9]{1,4})\s*[/:]\s*(?P<subgroup>[0-9]{2,6})    # F25B 41/20, F 25 B 41/20, F25B-041/20
      |(?P<padded_group>[0-9]{4})(?P<padded_subgroup>[0-9]{6})          # F25B0041200000 (WIPO ST.8)
      |\s+(?P<main_group>[0-9]{1,4})                                 # F25B 41: the main group
    )?)?)?
    (?:\s*[([]?[0-9]{4}\.[0-9]{2}[)\]]?.*                             # a version: (2006.01)
      |\s*(?:19|20)[0-9]{6}\s*[ACS]?[FLIN ]*.*                         # attributes of IPC-R: 20060101AFI
    )?$""",
    re.VERBOSE,
)


def parse_symbol(raw: str, scheme: str) -> str | None:
    """The canonical form of one symbol, or None when it is not a symbol of the scheme.

    >>> parse_symbol("f25b41/20", "ipc"), parse_symbol("F25B0041200000", "ipc"), parse_symbol("Y02E 10/50", "ipc")
    ('F25B 41/20', 'F25B 41/20', None)
    >>> parse_symbol("Int. Cl.7 F25B 41/20", "ipc"), parse_symbol("F25B  41/20        20060101AFI20060101BHEP", "ipc")
    ('F25B 41/20', 'F25B 41/20')
    """
    text = " ".join(raw.upper().split())  # long runs of blanks would be tried in all their divisions
    match = _SYMBOL.match(text) if len(text) <= _LONGEST else None
    if match is None or (match["section"] == "Y" and scheme == "ipc") or match["class"] == "00":
        return None
    stem = match["section"] + (match["class"] or "") + (match["subclass"] or "")
    group = match["group"] or match["padded_group"] or match["main_group"]
    if group is None:
        return stem
    if int(group) == 0:  # group 0/00 stands for the whole subclass
        return stem if match["padded_group"] else None
    subgroup = match["subgroup"] or match["padded_subgroup"] or "00"
    # trailing zeros beyond two digits are padding: 41/200000 is 41/20
    subgroup = subgroup[:2] + subgroup[2:].rstrip("0") if match["padded_group"] else subgroup
    return f"{stem} {int(group)}/{subgroup}"


def parse_symbols(raw: pd.Series, scheme: str) -> pd.Series:
    """Canonical forms of many symbols (each spelling is parsed once); missing where invalid."""
    spellings = raw.unique()
    return raw.map({spelling: _parsed(spelling, scheme) for spelling in spellings})


def _parsed(raw: str, scheme: str) -> str | None:
    return _cached(raw, scheme) if len(raw) <= _LONGEST else parse_symbol(raw, scheme)


_cached = functools.lru_cache(1 << 17)(parse_symbol)  # spellings come again, piece by piece


def roll_up(symbols: pd.Series, level: str) -> pd.Series:
    """The ancestors of canonical symbols at a level; missing where the symbol is coarser than the level.

    >>> roll_up(pd.Series(["F25B 41/20", "F25B"]), "maingroup").tolist()
    ['F25B 41/00', nan]
    """
    return symbols.map({symbol: ancestor(symbol, level) for symbol in symbols.unique()})


def ancestor(symbol: str, level: str) -> str | None:
    """The ancestor of one canonical symbol at a level, itself included; None when it is coarser."""
    if level in _STEM_LENGTHS:
        length = _STEM_LENGTHS[level]
        return symbol[:length] if len(symbol) >= length else None
    if "/" not in symbol:
        return None
    return symbol if level == "subgroup" else symbol.partition("/")[0] + "/00"


_STEM_LENGTHS = {"section": 1, "class": 3, "subclass": 4}
