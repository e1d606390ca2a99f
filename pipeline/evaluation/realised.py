"""What was filed after the cutoff on topic-level opportunities: the outcome against which scores are measured."""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.errors import CutoffError
from pipeline.opportunities.topics import TopicModel


def realised(
    later: Corpus, opportunities: pd.DataFrame, topics: TopicModel, cutoff: pd.Timestamp, task: TaskConfig
) -> np.ndarray:
    """Patents known within the horizon after the cutoff that carry both codes of the pair and whose text is nearest to
    the two topics that the opportunity puts together, of all topics of either side (one count an opportunity).

    ``later``: with embeddings by the encoder of the topics, knowing at least the whole window. A patent counts for
    one opportunity of its pair, or for none where it has no text and the sides have several topics.

    Raises:
        CutoffError: when the window is not over.
    """
    end = years_before(cutoff, -task.horizon)
    if end > later.cutoff:
        raise CutoffError(f"the outcome of {cutoff:%Y-%m-%d} is open until {end:%Y-%m-%d}, the data end earlier")
    return realised_in(later.as_of(end), opportunities, topics, cutoff, task)


def realised_in(
    window: Corpus, opportunities: pd.DataFrame, topics: TopicModel, cutoff: pd.Timestamp, task: TaskConfig
) -> np.ndarray:
    """As ``realised``, by the patents of ``window`` known after the cutoff, whether or not the horizon is over."""
    incidence = window.incidence(task.scheme, task.level)
    first = window.rows_since(cutoff).start
    carriers = sp.csc_array(incidence.matrix[first:])
    column = {code: number for number, code in enumerate(incidence.codes)}
    vectors = None if window.embeddings is None else window.embeddings[first:]
    table = topics.table.assign(number=np.arange(len(topics.table)))
    count = np.zeros(len(opportunities), dtype=np.int64)
    sides = opportunities[["firm_code", "target_code"]]
    for firm_code, target_code in sides.drop_duplicates().to_numpy().tolist():
        rows = np.flatnonzero((sides["firm_code"] == firm_code) & (sides["target_code"] == target_code))
        joint = np.flatnonzero(
            (carriers[:, [column[firm_code]]].toarray() * carriers[:, [column[target_code]]].toarray()).ravel()
        )
        if not len(joint):
            continue
        near = {
            side: _nearest(vectors, joint, table[(table["side"] == side) & (table["code"] == code)], topics.centres)
            for side, code in (("firm", firm_code), ("target", target_code))
        }
        chosen = opportunities.iloc[rows]
        met = (near["firm"][None, :] == chosen["firm_topic"].to_numpy()[:, None]) & (
            near["target"][None, :] == chosen["target_topic"].to_numpy()[:, None]
        )
        count[rows] = met.sum(axis=1)
    return count


def _nearest(vectors: np.ndarray | None, joint: np.ndarray, topics: pd.DataFrame, centres: np.ndarray) -> np.ndarray:
    """The id of the topic that each patent's text is nearest to; empty where nothing tells."""
    ids = topics["topic_id"].to_numpy(dtype=object)
    if len(ids) == 1:
        return np.repeat(ids, len(joint))
    if vectors is None:
        return np.repeat(np.array([""], dtype=object), len(joint))
    likeness = vectors[joint] @ centres[topics["number"].to_numpy()].T
    return np.where(np.any(vectors[joint], axis=1), ids[np.argmax(likeness, axis=1)], "")
