"""The encoder that knows nothing of the future: hashed words and word pairs, projected at random; nothing is learnt."""

import functools
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from pipeline.encoders.base import readable

FEATURES = 2**18  # slots for hashed words and word pairs
DIMENSION = 256
TARGETS = 8  # dimensions a slot is spread over, with random signs
VERSION = 1  # raise it when any vector changes


class HashingEncoder:
    """Words and word pairs without English stop words, hashed, scaled to length 1, spread over 256 dimensions."""

    identity = f"hashing-{DIMENSION}-v{VERSION}"
    dimension = DIMENSION
    knows_future = False
    chunk = 20_000

    def __init__(self, max_characters: int) -> None:
        self.max_characters = max_characters

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of the texts; one without a word of two letters is a row of zeros."""
        from sklearn.feature_extraction.text import HashingVectorizer
        from sklearn.preprocessing import normalize

        if not len(texts):
            return np.zeros((0, DIMENSION), dtype=np.float32)
        vectorizer = HashingVectorizer(n_features=FEATURES, ngram_range=(1, 2), stop_words="english")
        projected = vectorizer.transform(readable(texts, self.max_characters)) @ _projection()
        vectors: np.ndarray = normalize(projected.toarray()).astype(np.float32)
        return vectors


@functools.cache
def _projection() -> sp.csr_array:
    """The fixed sparse sign matrix (slots x dimensions): column and sign come from a hash of (slot, turn)."""
    bits = _splitmix64(np.arange(FEATURES * TARGETS, dtype=np.uint64))
    column = (bits % np.uint64(DIMENSION)).astype(np.int32)
    sign = np.where(bits >> np.uint64(63), 1.0, -1.0)
    starts = np.arange(0, FEATURES * TARGETS + 1, TARGETS)
    matrix = sp.csr_array((sign, column, starts), shape=(FEATURES, DIMENSION))
    matrix.sum_duplicates()
    return matrix


def _splitmix64(values: np.ndarray) -> np.ndarray:
    """Mix integers into 64 random-looking bits each; the same on every machine and version (Steele et al. 2014)."""
    mixed = (values + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
