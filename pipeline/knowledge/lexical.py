"""BM25 over the chunks that a cutoff and a firm may see, and over no others.

The statistics of BM25 (how many chunks hold a word, how long they are) are those of the chunks seen: a chunk of a later
day, or of another firm, changes no score. A library's index would have them computed over everything beforehand.
"""

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

K1 = 1.2
B = 0.75
BATCH = 20_000  # texts whose words are counted at a time
POSTINGS = 2**15  # of a word that are scored at a time: they stay in the processor's cache
_APART = r"[^\pL\pN\pM]+"
_WORD_OF_ONE = r"([\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}])"  # scripts without spaces: a letter is a word


@dataclasses.dataclass(frozen=True)
class Lexical:
    """Postings: for each word (by a 64-bit hash, ascending) the rows that hold it, ascending, and how often.

    ``terms`` (words,), ``starts`` (words + 1,) into ``rows`` and ``counts``; ``lengths``: words a row.
    """

    terms: np.ndarray
    starts: np.ndarray
    rows: np.ndarray
    counts: np.ndarray
    lengths: np.ndarray

    def scores(self, query: str, seen: np.ndarray) -> np.ndarray:
        """The score of each row, 0 of one that holds no word of the query or is not seen.

        ``seen``: one bool a row of a prefix of the rows; no other row counts. Robertson and Zaragoza, The probabilistic
        relevance framework (2009), with the idf that is never negative, ln(1 + (N - n + .5) / (n + .5)).
        """
        scores = np.zeros(len(seen))
        unseen = np.flatnonzero(~seen)
        total, lengths = len(seen) - len(unseen), self.lengths[: len(seen)]
        if not total:
            return scores
        words = int(lengths.sum(dtype=np.int64)) - int(lengths[unseen].sum(dtype=np.int64))
        flat, steep = K1 * (1 - B), K1 * B / (words / total or 1.0)
        for place in self._places(query):
            start, stop = self.starts[place], self.starts[place + 1]
            stop = start + np.searchsorted(self.rows[start:stop], len(seen))
            holding = np.count_nonzero(seen.take(self.rows[start:stop]))
            idf = np.log1p((total - holding + 0.5) / (holding + 0.5))
            for first in range(start, stop, POSTINGS):
                rows = self.rows[first : min(first + POSTINGS, stop)]
                added = self.counts[first : min(first + POSTINGS, stop)].astype(float)
                below = lengths.take(rows) * steep
                below += flat
                below += added
                added *= idf * (K1 + 1)
                added /= below
                np.add.at(scores, rows, added)
        scores[unseen] = 0
        return scores

    def _places(self, query: str) -> np.ndarray:
        """Where the query's different words stand among the terms."""
        wanted = np.unique(_hashes(_words([query]).flatten().unique()))
        at = np.searchsorted(self.terms, wanted)
        known = at < len(self.terms)
        return at[known][self.terms[at[known]] == wanted[known]]


ARRAYS = tuple(field.name for field in dataclasses.fields(Lexical))


def extended(previous: Lexical, moved: np.ndarray, texts: Sequence[str], rows: np.ndarray) -> Lexical:
    """The postings after a change: each old row moves to ``moved`` (-1: it goes), ``texts`` come in at ``rows``.

    The same as if all had been counted anew.
    """
    total = int((moved >= 0).sum()) + len(rows)
    lengths = np.zeros(total, dtype=np.int32)
    lengths[moved[moved >= 0]] = previous.lengths[moved >= 0]
    parts = []
    for start in range(0, len(texts), BATCH):
        batch = rows[start : start + BATCH]
        hashes, holding, count, length = _counted(texts[start : start + BATCH])
        parts.append((hashes, batch[holding], count))
        lengths[batch] = length
    terms = _merged([previous.terms, *(hashes for hashes, _, _ in parts)])
    row = moved[previous.rows]
    stay = row >= 0
    place = np.repeat(np.searchsorted(terms, previous.terms), np.diff(previous.starts))
    keys, counts = [(place * total + row)[stay]], [previous.counts[stay]]
    for hashes, row, count in parts:
        keys.append(np.searchsorted(terms, hashes) * total + row)
        counts.append(count.astype(np.uint16))
    key = np.concatenate(keys)
    order = np.argsort(key, kind="stable")  # in runs that are in order already, which this kind makes use of
    place, row = np.divmod(key[order], max(total, 1))
    holding = np.bincount(place, minlength=len(terms))
    return Lexical(
        terms=terms[holding > 0],
        starts=np.concatenate([[0], holding[holding > 0].cumsum()]),
        rows=row.astype(np.int32),
        counts=np.concatenate(counts)[order],
        lengths=lengths,
    )


def nothing() -> Lexical:
    """The postings of no text."""
    empty = np.zeros(0, dtype=np.int32)
    return Lexical(empty.astype(np.uint64), np.zeros(1, dtype=np.int64), empty, empty.astype(np.uint16), empty)


def save(words: Lexical, folder: Path) -> None:
    """Write the postings as plain arrays."""
    for name in ARRAYS:
        np.save(folder / f"{name}.npy", getattr(words, name), allow_pickle=False)


def load(folder: Path) -> Lexical:
    """Map the postings into memory."""
    return Lexical(**{name: mapped(folder / f"{name}.npy") for name in ARRAYS})


def mapped(path: Path) -> np.ndarray:
    """A stored array as memory that is read when it is needed."""
    array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return array.view(np.ndarray)  # a ``memmap`` takes its time over every slice


def _counted(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Hash, row and count of each different word of each text, by hash and row; and the words a text."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    words = _words(texts)
    coded = words.flatten().dictionary_encode()
    told = ~pc.is_in(coded.dictionary, pa.array(sorted({*ENGLISH_STOP_WORDS, ""}), pa.large_string())).to_numpy(False)
    hashes, place = np.unique(_hashes(coded.dictionary), return_inverse=True)
    code, row = coded.indices.to_numpy(), pc.list_parent_indices(words).to_numpy()
    kept = told[code]
    code, row = place[code[kept]], row[kept]
    key, count = np.unique(code * len(texts) + row, return_counts=True)
    lengths = np.bincount(row, minlength=len(texts))
    return hashes[key // len(texts)], key % len(texts), count.clip(max=np.iinfo(np.uint16).max), lengths


def _merged(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The different values of arrays that are sorted, in order."""
    values = np.sort(np.concatenate(parts), kind="stable")
    return values[np.append(True, values[1:] != values[:-1])[: len(values)]]


def _words(texts: Sequence[str]) -> pa.LargeListArray:
    """The words of each text, in lower case."""
    lower = pc.utf8_lower(pa.array(texts, pa.large_string()))
    apart = pc.replace_substring_regex(lower, _APART, " ")
    return pc.utf8_split_whitespace(pc.utf8_trim_whitespace(pc.replace_substring_regex(apart, _WORD_OF_ONE, r" \1 ")))


def _hashes(words: pa.Array) -> np.ndarray:
    digests = (hashlib.blake2b(word.encode(), digest_size=8).digest() for word in words.to_pylist())
    return np.frombuffer(b"".join(digests), dtype="<u8")
