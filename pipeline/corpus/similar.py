"""Assignees whose names are so alike that they may be one firm: proposals for a person to review, merged by nobody."""

import unicodedata
from collections.abc import Iterator

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process

from pipeline.spreadsheets import as_text

COLUMNS = ("name", "group", "score", "why", "patents_name", "patents_group", "accept")
MIN_SCORE = 90.0
_BLOCK = 3  # first letters that two names of a typing error are taken to share
_SHORTEST = 5  # letters below which one error makes another firm
_DIGRAPHS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe", "ł": "l"})


def similar_names(parties: pd.DataFrame, min_score: float = MIN_SCORE) -> pd.DataFrame:
    """Pairs of assignees that may be one (``COLUMNS``), the surest first; ``accept`` is left for the reviewer.

    ``parties``: schema ``Parties``. ``group`` is the one with more patents. ``score``: 100 where the names differ only
    in accents, spaces or the order of words, else the share of letters in common (Indel ratio, 0 to 100).
    """
    assignees = parties[parties["role"] == "assignee"]
    patents = assignees.groupby("party_id")["patent_id"].nunique()
    keys = patents.sort_index().index.to_series().reset_index(drop=True)
    found = pd.DataFrame(_pairs(keys, min_score), columns=["a", "b", "score", "why"])
    found = found.sort_values("score", ascending=False, kind="stable").drop_duplicates(["a", "b"])
    found = found.assign(n_a=found["a"].map(patents), n_b=found["b"].map(patents))
    swap = found["n_a"] > found["n_b"]
    spelt = _commonest(assignees)
    table = pd.DataFrame(
        {
            "name": found["a"].mask(swap, found["b"]).map(spelt),
            "group": found["b"].mask(swap, found["a"]).map(spelt),
            "score": found["score"].round(1),
            "why": found["why"],
            "patents_name": found[["n_a", "n_b"]].min(axis=1),
            "patents_group": found[["n_a", "n_b"]].max(axis=1),
            "accept": "",
        }
    )
    order = ["score", "patents_name", "patents_group", "name"]
    return table.sort_values(order, ascending=[False, False, False, True], kind="stable", ignore_index=True)


def for_spreadsheets(table: pd.DataFrame) -> pd.DataFrame:
    """The table with names that a spreadsheet would run as formulas made text; they are read back as the same firm."""
    return table.assign(**{column: as_text(table[column]) for column in ("name", "group")})


def latin(key: str) -> str:
    """A key without accents, umlauts written out, as other offices transliterate it.

    >>> latin("müller"), latin("société"), latin("東芝")
    ('mueller', 'societe', '東芝')
    """
    decomposed = unicodedata.normalize("NFKD", key.translate(_DIGRAPHS))
    return unicodedata.normalize("NFC", "".join(char for char in decomposed if not unicodedata.combining(char)))


def _pairs(keys: pd.Series, min_score: float) -> Iterator[tuple[str, str, float, str]]:
    plain = keys.map(latin)
    bare = keys.map(lambda key: latin(_without_accents(key)))  # ü for u, where plain has ue
    for forms, why in (
        (plain.str.replace(" ", ""), "accents or spaces"),
        (bare.str.replace(" ", ""), "accents or spaces"),
        (plain.map(lambda text: " ".join(sorted(text.split()))), "order of words"),
    ):
        for _, group in keys.groupby(forms):
            names = group.tolist()
            yield from ((a, b, 100.0, why) for i, a in enumerate(names) for b in names[i + 1 :])
    long = plain[plain.str.len() >= _SHORTEST]
    for _, group in long.groupby(long.str.replace(" ", "").str.slice(0, _BLOCK)):
        yield from _misspelt(keys[group.index], group, min_score)


def _misspelt(keys: pd.Series, plain: pd.Series, min_score: float) -> Iterator[tuple[str, str, float, str]]:
    if len(plain) < 2:
        return
    scores = process.cdist(plain.tolist(), plain.tolist(), scorer=fuzz.ratio, score_cutoff=min_score, workers=1)
    numbers = plain.str.findall(r"\d+").map(tuple).tolist()
    names = keys.tolist()
    for a, b in zip(*np.nonzero(np.triu(scores, k=1)), strict=True):
        if numbers[a] == numbers[b]:  # Works 1 and Works 2 are two
            yield names[a], names[b], float(scores[a, b]), "spelling"


def _without_accents(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def _commonest(assignees: pd.DataFrame) -> pd.Series:
    """The commonest spelling of each party."""
    counts = assignees.groupby(["party_id", "name"]).size().reset_index(name="n")
    best = counts.sort_values(["n", "name"], ascending=[False, True], kind="stable").drop_duplicates("party_id")
    return best.set_index("party_id")["name"]
