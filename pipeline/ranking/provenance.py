"""Whether a corpus is one that the prior ranker was taught by: then its score there would be no forecast.

A sketch keeps the smallest hashes of a corpus's patents (bottom-k, Broder 1997): few numbers tell how much of another
corpus was in it, whatever the sizes of the two, and name no patent.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.corpus.timeline import Corpus, years_before

SIZE = 400  # hashes kept a corpus
TAUGHT_BY = 0.1  # share of a corpus's patents from which on it counts as one that was taught


def sketch(patents: Iterable[str]) -> list[str]:
    """The ``SIZE`` smallest hashes of the patents, sorted."""
    return sorted(map(_hash, patents))[:SIZE]


def contained(patents: Iterable[str], of: Sequence[str]) -> float:
    """The share of the patents that belong to the corpus with the sketch ``of``, from those whose hashes it covers."""
    return _share(_numbers(patents), of)


def names(corpus: Corpus) -> list[str]:
    """What a corpus's patents are known by here: id and knowledge date."""
    days = corpus.patents["knowledge_date"].dt.strftime("%Y-%m-%d")
    return (corpus.patents["patent_id"] + " " + days).tolist()


def taught_later(history: Corpus, card: dict[str, Any]) -> tuple[bool, list[str]]:
    """Whether a ranker with this card must not score the history, and what a reader has to know of its dates.

    It must not where it was taught by the history's own patents, in windows that end after the cutoff. Windows of
    other corpora that do so are no leak of this one's future, but they are told.
    """
    horizon = int(card["task"]["horizon"])
    late = [
        (corpus, years_before(pd.Timestamp(max(corpus["cutoffs"])), -horizon))
        for corpus in card["corpora"]
        if corpus["cutoffs"]
    ]
    late = [(corpus, end) for corpus, end in late if end > history.cutoff]
    hashes = _numbers(names(history) if late else [])  # once for all sketches: there may be millions
    for corpus, end in late:
        if _share(hashes, corpus["sketch"]) >= TAUGHT_BY:
            what = f"it was taught by {corpus['corpus']}, which holds these patents, up to {end:%Y-%m-%d}"
            return True, [f"prior ranker: {what}, after the cutoff, so it is left out"]
    if not late:
        return False, []
    last = max(end for _, end in late)
    return False, [f"prior ranker: taught by other corpora's outcomes up to {last:%Y-%m-%d}, later than the cutoff"]


def _share(hashes: np.ndarray, of: Sequence[str]) -> float:
    known = np.array([int(value, 16) for value in of], dtype=np.uint64)
    covered = hashes[hashes <= known[-1]] if len(of) == SIZE else hashes
    return float(np.isin(covered, known).mean()) if len(of) and len(covered) else 0.0


def _numbers(patents: Iterable[str]) -> np.ndarray:
    """The hashes as numbers (uint64), in the order of their texts."""
    return np.frombuffer(b"".join(_digest(patent) for patent in patents), dtype=">u8")


def _hash(patent: str) -> str:
    return _digest(patent).hex()


def _digest(patent: str) -> bytes:
    return hashlib.sha256(patent.encode()).digest()[:8]
