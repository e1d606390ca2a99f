"""What topics are called: the words and phrases that tell each from the others (class-based TF-IDF)."""

import itertools
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

TERMS = 8  # kept of a topic
IN_LABEL = 3
_TOKEN = re.compile(r"[^\W_][\w-]*[^\W_]|[^\w\s-]")  # words of two letters or more; other marks end a phrase
_OF_ANY_PATENT = frozenset((
    "according", "apparatus", "application", "arranged", "aspect", "assembly", "associated", "based", "best",
    "better", "capable", "claim", "claims", "component", "composition", "comprise", "comprised", "comprises",
    "comprising", "configured", "connected", "consisting", "corresponding", "described", "device", "devices",
    "different", "disclosed", "disclosure", "embodiment", "embodiments", "end", "example", "field", "first",
    "following", "form", "formed", "good", "having", "high", "improved", "include", "included", "includes",
    "including", "invention", "kind", "like", "low", "main", "means", "member", "method", "methods", "model", "new",
    "novel", "object", "obtained", "particular", "plural", "plurality", "portion", "preferably", "present",
    "process", "processes", "provide", "provided", "provides", "providing", "relate", "related", "relates",
    "respectively", "said", "second", "set", "side", "step", "steps", "structure", "system", "systems", "technical",
    "therefor", "thereof", "third", "type", "unit", "use", "used", "useful", "user", "uses", "using", "utility",
    "utilizing", "various", "whereby", "wherein", "which",
))  # fmt: skip
_STOP = ENGLISH_STOP_WORDS | _OF_ANY_PATENT


def topic_terms(texts: pd.Series, topics: Sequence[np.ndarray]) -> list[list[str]]:
    """The up to TERMS terms of one to two words that set each topic apart, best first.

    ``topics``: positions in ``texts`` of each topic's patents; a patent may be in several. A term weighs
    tf * log(1 + A / f): its share of the topic's terms, against its frequency f in all topics, with A the mean number
    of terms a topic (Grootendorst, BERTopic, arXiv 2203.05794, 2022). A term in one patent of many is a chance of its
    author's; a word is left out where a phrase that holds it came first.
    """
    if not (texts != "").any():  # an office's corpus may have no texts, and hundreds of thousands of patents
        return [[] for _ in topics]
    counter = CountVectorizer(analyzer=_words_and_phrases, binary=True)
    try:
        words = sp.csr_array(counter.fit_transform(texts), dtype=float)
    except ValueError:  # nothing but stop words
        return [[] for _ in topics]
    names = counter.get_feature_names_out()
    sizes = [len(rows) for rows in topics]
    member = sp.csr_array(
        (np.ones(sum(sizes)), (np.repeat(np.arange(len(topics)), sizes), np.concatenate(topics).astype(int))),
        shape=(len(topics), len(texts)),
    )
    counts = sp.csr_array(member @ words)
    total: np.ndarray = np.asarray(counts.sum(axis=0)).ravel()
    rarity = np.log1p(counts.sum() / len(topics) / np.maximum(total, 1))
    return [_best(counts, number, size, rarity, names) for number, size in enumerate(sizes)]


def _words_and_phrases(text: str) -> list[str]:
    """Its words, and the two of them that stand side by side; what any patent says breaks a phrase."""
    tokens = _TOKEN.findall(text.lower())
    telling = ["" if token in _STOP or not token[0].isalpha() else token for token in tokens]
    phrases = [f"{left} {right}" for left, right in itertools.pairwise(telling) if left and right]
    return [token for token in telling if token] + phrases


def _best(counts: sp.csr_array, number: int, size: int, rarity: np.ndarray, names: np.ndarray) -> list[str]:
    span = slice(counts.indptr[number], counts.indptr[number + 1])
    column, count = counts.indices[span], counts.data[span]
    shared = count >= min(2, size)
    column, count = column[shared], count[shared]
    chosen: dict[str, float] = {}
    for place in np.lexsort((column, -(count * rarity[column]).round(9))):
        _choose(chosen, str(names[column[place]]), count[place])
        if len(chosen) == TERMS:
            break
    return list(chosen)


def _choose(chosen: dict[str, float], term: str, count: float) -> None:
    """Add a term, unless a better one says it already; a phrase replaces its word when it is most of its use."""
    words = _stems(term)
    if any(words <= _stems(other) for other in chosen):
        return
    said = {other: uses for other, uses in chosen.items() if _stems(other) < words}
    if not said:
        chosen[term] = count
    elif count >= min(said.values()) / 2:
        first = next(iter(said))
        renamed = {(term if other == first else other): uses for other, uses in chosen.items()}
        chosen.clear()
        chosen.update({other: uses for other, uses in renamed.items() if other not in said})


def _stems(term: str) -> set[str]:
    return {_stem(word) for word in term.split()}


def _stem(word: str) -> str:
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def label_of(terms: Sequence[str], fallback: str) -> str:
    """A topic's name: its first terms; ``fallback`` where it has none."""
    return ", ".join(terms[:IN_LABEL]) or fallback
