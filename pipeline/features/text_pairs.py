"""Text beyond centroids (method B7): how the patents of two codes lie to each other, not only their means.

Modality ``text``, beside the distances of the mean vectors in ``text.py``; the official titles are no patent's text and
stand in ``scheme``. Formulas: ``prototypes.py`` and below.
"""

import dataclasses
import functools

import numpy as np
import scipy.sparse as sp
from scipy.special import entr
from sklearn.feature_extraction.text import TfidfVectorizer

from pipeline.config import TaskConfig
from pipeline.corpus import titles
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.features.base import BlockOutput
from pipeline.features.bibliometric import positions
from pipeline.features.prototypes import cross_similarity, random_directions, representatives, sliced_wasserstein
from pipeline.features.text import shares_of
from pipeline.pairs.base import CandidatePairs

RANDOM_PATENTS = 1000  # drawn to learn how similar two patents of the history are by chance
CLOSE = 0.95  # a cross pair is close above this quantile of the similarity by chance
FREQUENCIES = 512  # of the random Fourier features
CHUNK = 2048  # patents, or pairs, worked on at once: bounds the memory
ROUNDING = 0.01  # distance below which two float32 vectors of length 1 may be the same text
LEFT_OUT = "text: so many candidates are not compared patent by patent; their mean vectors and topics are"
WINDOWED = ("top_similarity", "mmd")  # the best of the cheap measures: also of the recent window


@dataclasses.dataclass(frozen=True)
class CodeTexts:
    """Patents with their vectors (patents x d, of length 1), the codes they carry (patents x codes, 0/1), and which
    of them count."""

    vectors: np.ndarray
    membership: sp.csr_array
    counted: np.ndarray

    def since(self, first: int) -> "CodeTexts":
        """The same with only the rows from ``first`` on counted."""
        return dataclasses.replace(self, counted=self.counted & (np.arange(len(self.counted)) >= first))

    def sizes(self) -> np.ndarray:
        """Counted patents of each code."""
        return np.asarray(self.membership.T @ self.counted.astype(float))


def text_pairs(
    history: Corpus, pairs: CandidatePairs, task: TaskConfig, seed: int, shares: np.ndarray | None = None
) -> BlockOutput:
    """Similarities and distances of the codes' patents, over all history and, for two, lately with their change.

    ``shares``: of the patents in topics, in place of the history's own (``text.shares_of``).
    A code without text in the window has NaN there. With fewer than two texts only the official titles are compared.
    Where the pairs are a block of the candidates only the titles are compared: patent by patent takes too long there.
    A joint patent counts in both codes, so linked ones (strengthening track) have a cross pair of similarity 1.
    """
    columns = {"scheme__title_similarity__all__lag0": official_title_similarity(pairs)}
    if not pairs.whole:
        return BlockOutput(columns=columns, warnings=() if history.embeddings is None else (LEFT_OUT,))
    vectors = history.embeddings
    has_text = np.zeros(0, dtype=bool) if vectors is None else np.any(vectors, axis=1)
    if vectors is None or has_text.sum() < 2:
        # that there is no text at all is for the block ``text`` to say
        lack = "text: one patent only has title or abstract, so no two can be compared"
        return BlockOutput(columns=columns, warnings=(lack,) if has_text.any() else ())
    incidence = history.incidence(task.scheme, task.level)
    membership = sp.csr_array(incidence.matrix[:, positions(incidence.codes, pairs.codes)])
    texts = CodeTexts(vectors, membership, has_text)
    rng = np.random.default_rng(seed)
    by_chance = similarity_by_chance(texts, rng)
    close = float(np.quantile(by_chance, CLOSE))
    frequencies = fourier_frequencies(vectors.shape[1], bandwidth(by_chance), rng)
    everything = _measures(texts, pairs, close, frequencies)
    rows = representatives(membership, has_text)
    apart = sliced_wasserstein(vectors, rows, random_directions(vectors.shape[1], rng))
    everything["sliced_wasserstein"] = apart[pairs.a, pairs.b]
    shares = history.once(shares_of, seed) if shares is None else shares
    assert shares is not None
    everything["topic_divergence"] = topic_divergence(texts, pairs, shares)
    columns |= {f"text__{name}__all__lag0": values for name, values in everything.items()}
    start = history.rows_since(years_before(history.cutoff, task.window)).start
    lately = _measures(texts.since(start), pairs, close, frequencies)
    for name in WINDOWED:
        columns[f"text__{name}__w{task.window}__lag0"] = lately[name]
        columns[f"text__{name}_drift__w{task.window}__lag0"] = lately[name] - everything[name]
    return BlockOutput(columns=columns)


def _measures(texts: CodeTexts, pairs: CandidatePairs, close: float, frequencies: np.ndarray) -> dict[str, np.ndarray]:
    similar = cross_similarity(texts.vectors, representatives(texts.membership, texts.counted), close)
    values = {name: matrix[pairs.a, pairs.b] for name, matrix in similar.items()}
    return values | mean_discrepancies(texts, pairs, frequencies)


def similarity_by_chance(texts: CodeTexts, rng: np.random.Generator) -> np.ndarray:
    """Cosines of all pairs among RANDOM_PATENTS counted patents, drawn without repeats."""
    known = np.flatnonzero(texts.counted)
    drawn = texts.vectors[rng.choice(known, size=min(RANDOM_PATENTS, len(known)), replace=False)]
    return np.asarray((drawn @ drawn.T)[np.triu_indices(len(drawn), k=1)])


def bandwidth(by_chance: np.ndarray) -> float:
    """Median distance sqrt(2 - 2 cos) of two random patents: the median heuristic (Gretton et al. 2012, section 8)."""
    distance = float(np.median(np.sqrt(np.maximum(2 - 2 * by_chance, 0.0))))
    return max(distance, ROUNDING)  # where most texts are one and the same, the median is rounding


def fourier_frequencies(dimension: int, width: float, rng: np.random.Generator) -> np.ndarray:
    """FREQUENCIES draws from N(0, I / width^2) (dimension x FREQUENCIES, float32)."""
    return np.asarray(rng.normal(size=(dimension, FREQUENCIES)) / width, dtype=np.float32)


def mean_discrepancies(texts: CodeTexts, pairs: CandidatePairs, frequencies: np.ndarray) -> dict[str, np.ndarray]:
    """Squared maximum mean discrepancy of the two codes' patents X and Y under k(u, v) = exp(-|u - v|^2 / 2 width^2).

    ``mmd``: mean k(x, x') + mean k(y, y') - 2 mean k(x, y), over all patents (Gretton et al. 2012, eq. 5): the
    further above zero, the fewer the patents. ``mmd_unbiased``: over x != x' and y != y' (eq. 3), whose mean does not
    depend on their number; NaN where a code has one only. The kernel is taken by random Fourier features (Rahimi &
    Recht 2007), k(u, v) ~ mean over frequencies w of cos(wu) cos(wv) + sin(wu) sin(wv), so the cost is linear in them.
    """
    total = np.zeros((texts.membership.shape[1], 2 * frequencies.shape[1]))
    for start in range(0, len(texts.vectors), CHUNK):
        some = start + np.flatnonzero(texts.counted[start : start + CHUNK])
        phase = texts.vectors[some] @ frequencies
        total += texts.membership[some].T @ np.hstack([np.cos(phase), np.sin(phase)])
    total /= np.sqrt(frequencies.shape[1])
    kernel_sum = total @ total.T  # over the patents of the two codes
    size = texts.sizes()
    own = np.diag(kernel_sum)
    with np.errstate(invalid="ignore", divide="ignore"):
        cross = 2 * kernel_sum[pairs.a, pairs.b] / (size[pairs.a] * size[pairs.b])
        every = own / size**2
        # a patent is like itself: cos^2 + sin^2 = 1
        others = np.where(size > 1, (own - size) / (size * (size - 1)), np.nan)
    return {
        "mmd": np.maximum(every[pairs.a] + every[pairs.b] - cross, 0.0),
        "mmd_unbiased": others[pairs.a] + others[pairs.b] - cross,
    }


def topic_divergence(texts: CodeTexts, pairs: CandidatePairs, shares: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence in bits, 0 to 1, of the mean topic distributions of the two codes (Lin 1991).

    ``shares``: patents x topics (``text.topic_shares``). H((p + q) / 2) - (H(p) + H(q)) / 2 with H the entropy.
    """
    held = sp.csr_array(sp.diags_array(texts.counted.astype(float)) @ texts.membership)
    with np.errstate(invalid="ignore", divide="ignore"):
        intensity = (held.T @ shares) / texts.sizes()[:, None]
    entropy = _bits(intensity)
    result = np.empty(len(pairs))
    for start in range(0, len(pairs), CHUNK):
        part = slice(start, start + CHUNK)
        a, b = pairs.a[part], pairs.b[part]
        result[part] = _bits((intensity[a] + intensity[b]) / 2) - (entropy[a] + entropy[b]) / 2
    return np.clip(result, 0.0, 1.0)


def _bits(shares: np.ndarray) -> np.ndarray:
    return np.asarray(entr(shares).sum(axis=1) / np.log(2))


def official_title_similarity(pairs: CandidatePairs) -> np.ndarray:
    """Cosine of the official titles of the two codes; NaN where a code has none.

    TF-IDF over the words' character n-grams of 3 to 5, which match across endings (bake, baking), fitted on the table
    of titles alone: it learns nothing from patents, and a text encoder is not at hand in a block. Groups have the
    title of their subclass.
    """
    unique, place = np.unique(np.array(titles.titles(pairs.codes), dtype=str), return_inverse=True)
    unit = sp.csr_array(_title_model().transform(unique))
    similar = (unit @ unit.T).toarray()
    similar[unique == ""] = np.nan
    similar[:, unique == ""] = np.nan
    return np.asarray(similar[place[pairs.a], place[pairs.b]])


@functools.cache
def _title_model() -> TfidfVectorizer:
    return TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit(titles._table().values())
