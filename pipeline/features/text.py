"""Text features (method A3): vectors of the codes from patent embeddings, a topic model, and their interactions.

The topic model is k-means on the stored patent vectors with a soft assignment, the documented equivalent of BERTopic
(whose UMAP and HDBSCAN differ between runs even under a seed). It is fitted on the history alone.
"""

import dataclasses

import numpy as np
import scipy.sparse as sp
from sklearn.cluster import MiniBatchKMeans

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.features.base import BlockOutput, vector_distances
from pipeline.features.bibliometric import positions
from pipeline.pairs.base import CandidatePairs, Grid

TEMPERATURE = 0.07  # of the softmax over cosines: gives a patent one to three topics of weight
COVERED = 0.1  # a topic counts as covered by a patent above this share (A3)
PATENTS_A_TOPIC = 60  # sets the number of topics, within the bounds below
TOPICS = (8, 60)


def shares_of(history: Corpus, seed: int) -> np.ndarray | None:
    """``topic_shares`` of the history's patents; None without embeddings."""
    if history.embeddings is None or not history.embeddings.any():
        return None
    return topic_shares(history.embeddings, np.any(history.embeddings, axis=1), seed)


def text(history: Corpus, pairs: CandidatePairs, task: TaskConfig, seed: int) -> BlockOutput:
    """Text interactions of all history and of the recent window, and topic features of all history.

    Blocks ``text`` (vector of a code = mean of its patents' vectors) and ``topic``. Without embeddings both are absent.
    A code without text in the window has NaN there: unknown, not dissimilar. A joint patent counts in both codes.
    """
    if history.embeddings is None or history.once(shares_of, seed) is None:
        return BlockOutput(columns={}, warnings=("text, topic: no titles or abstracts, so both blocks are left out",))
    known = history.once(_code_texts, task, pairs.codes, seed)
    columns = vector_distances("text", "all__lag0", known.everything, pairs)
    columns |= vector_distances("text", f"w{task.window}__lag0", known.lately, pairs)
    drift = columns[f"text__cosine__w{task.window}__lag0"] - columns["text__cosine__all__lag0"]
    columns[f"text__cosine_drift__w{task.window}__lag0"] = drift
    columns |= _topic_columns(known, pairs)
    return BlockOutput(columns=columns, code_vectors={"text": known.everything})


@dataclasses.dataclass(frozen=True)
class _CodeTexts:
    """Means over the patents of each code: their vectors, of all history and lately, and their topics (codes x any)."""

    everything: np.ndarray
    lately: np.ndarray
    intensity: np.ndarray
    coverage: np.ndarray


def _code_texts(history: Corpus, task: TaskConfig, codes: np.ndarray, seed: int) -> _CodeTexts:
    vectors, shares = history.embeddings, history.once(shares_of, seed)
    assert vectors is not None and shares is not None
    incidence = history.incidence(task.scheme, task.level)
    carriers = sp.csr_array(incidence.matrix.T)[positions(incidence.codes, codes)]
    has_text: np.ndarray = np.any(vectors, axis=1)
    recent = np.zeros(len(vectors), dtype=bool)
    recent[history.rows_since(years_before(history.cutoff, task.window))] = True
    return _CodeTexts(
        everything=_mean_over_patents(carriers, vectors, has_text),
        lately=_mean_over_patents(carriers, vectors, has_text & recent),
        intensity=_mean_over_patents(carriers, shares, has_text),
        coverage=_mean_over_patents(carriers, (shares > COVERED).astype(float), has_text),
    )


def topic_shares(vectors: np.ndarray, has_text: np.ndarray, seed: int) -> np.ndarray:
    """Topic distribution D_p of each patent (patents x topics, rows sum to 1; rows without text are zero)."""
    known = vectors[has_text]
    topics = min(int(np.clip(len(known) // PATENTS_A_TOPIC, *TOPICS)), len(known))
    model = MiniBatchKMeans(n_clusters=topics, random_state=seed, n_init=3, batch_size=4096).fit(known)
    centres = model.cluster_centers_ / np.maximum(np.linalg.norm(model.cluster_centers_, axis=1, keepdims=True), 1e-12)
    logits = (known @ centres.T.astype(np.float32)) / TEMPERATURE
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares = np.zeros((len(vectors), topics))
    shares[has_text] = weights / weights.sum(axis=1, keepdims=True)
    return shares


def _topic_columns(texts: _CodeTexts, pairs: CandidatePairs) -> dict[str, np.ndarray]:
    intensity, grid = texts.intensity, pairs.grid
    total = intensity.sum(axis=1)
    totals = np.add.outer(total[grid.rows], total[grid.columns])
    complementarity = (totals - 2 * intensity[grid.rows] @ intensity[grid.columns].T) / intensity.shape[1]
    known = ~np.isnan(total)
    dominant = np.where(known, np.argmax(np.nan_to_num(intensity), axis=1), -1).astype(float)
    dominant[~known] = np.nan
    same = np.where(
        np.isnan(dominant[pairs.a]) | np.isnan(dominant[pairs.b]), np.nan, dominant[pairs.a] == dominant[pairs.b]
    )
    return {
        "topic__intensity_cosine__all__lag0": _cosine(intensity, grid),
        "topic__coverage_cosine__all__lag0": _cosine(texts.coverage, grid),
        "topic__same_dominant__all__lag0": same,
        "topic__complementarity__all__lag0": grid.at(complementarity),
    }


def _mean_over_patents(carriers: sp.csr_array, values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Mean of the values over each code's counted patents (codes x width, float64); NaN where there are none."""
    chosen = carriers[:, np.flatnonzero(counted)]
    size = np.asarray(chosen.sum(axis=1)).ravel()
    with np.errstate(invalid="ignore", divide="ignore"):
        return (chosen @ values[counted].astype(np.float64)) / size[:, None]


def _cosine(vectors: np.ndarray, grid: Grid) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return grid.at(unit[grid.rows] @ unit[grid.columns].T)
