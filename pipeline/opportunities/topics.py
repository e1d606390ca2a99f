"""Topics of the two sides of pairs of codes: which patents make each, what they are called, how they score."""

import dataclasses
import zlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.corpus.timeline import Corpus, Incidence
from pipeline.corpus.titles import title_of
from pipeline.opportunities.clusters import Choice, cluster
from pipeline.opportunities.indicators import development, raw_indicators
from pipeline.opportunities.topic_words import label_of, topic_terms
from pipeline.schemas import SIDES, Topics, validate

PATENTS = 1000  # of a side at most, the latest
FEWEST = 8  # patents below which the firm's own choice gives way to all patents of the code
REPRESENTATIVES = 5


@dataclasses.dataclass(frozen=True)
class TopicModel:
    """Topics of some sides.

    ``table``: schema ``Topics``. ``rows``: rows of ``history.patents`` of each topic, and ``centres``: their mean text
    vectors of length 1 (topics x d, zeros without text), both in the table's order. ``notes``: what was done otherwise
    than asked, and why.
    """

    table: pd.DataFrame
    rows: list[np.ndarray]
    centres: np.ndarray
    notes: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Side:
    """One side of an opportunity: a code, and the patents that may stand for it (one bool a patent)."""

    side: str
    code: str
    chosen: np.ndarray


def find_topics(
    history: Corpus,
    incidence: Incidence,
    sides: Sequence[Side],
    own: np.ndarray,
    scheme: str,
    most: int,
    choice: Choice,
    seed: int,
) -> TopicModel:
    """The topics of each side, in the order given; a side without a patent has none and is told of.

    ``own``: which patents are the firm's; ``most``: topics a side at most. A side is its code's patents among those
    chosen, or all of its code's where fewer than FEWEST are.
    """
    carriers = sp.csr_array(incidence.matrix.T)
    place = {code: number for number, code in enumerate(incidence.codes)}
    spoken = np.zeros(len(own), dtype=bool) if history.embeddings is None else np.any(history.embeddings, axis=1)
    found: list[tuple[Side, np.ndarray]] = []
    thin: dict[str, list[str]] = {}
    for side in sides:
        column = place[side.code]
        rows = carriers.indices[carriers.indptr[column] : carriers.indptr[column + 1]]
        rows, whole = _standing_for(np.sort(rows), side, spoken)
        if whole:
            thin.setdefault(side.side, []).append(side.code)
        for topic in _split(history.embeddings, rows, spoken, most, choice, _seed_of(seed, side)):
            found.append((side, topic))
    rows_of = [topic for _, topic in found]
    centres = np.stack([_centre(history.embeddings, topic) for topic in rows_of]) if found else np.zeros((0, 1))
    table = _table(history, found, centres, own, scheme)
    notes = tuple(
        f"topics: fewer than {FEWEST} of their patents are among those chosen for the {side}'s side, "
        f"so all of them stand for {', '.join(codes)}"
        for side, codes in thin.items()
    )
    return TopicModel(validate(table, Topics, "topics"), rows_of, centres, notes)


def _standing_for(rows: np.ndarray, side: Side, spoken: np.ndarray) -> tuple[np.ndarray, bool]:
    """The latest patents of a side, those with text where there are enough of them; and whether all of the code's
    patents stand for it, since too few were chosen."""
    kept = rows[side.chosen[rows]]
    whole = len(kept) < min(FEWEST, len(rows))
    kept = rows if whole else kept
    with_text = kept[spoken[kept]]
    return (with_text if len(with_text) >= min(FEWEST, len(kept)) else kept)[-PATENTS:], whole


def _split(
    vectors: np.ndarray | None, rows: np.ndarray, spoken: np.ndarray, most: int, choice: Choice, seed: int
) -> list[np.ndarray]:
    """The rows of each topic, the largest first; without text on all of them they are one topic."""
    if not len(rows):
        return []
    if vectors is None or not spoken[rows].all():
        return [rows]
    labels = cluster(vectors[rows], most, choice, seed)
    return [rows[labels == topic] for topic in range(labels.max() + 1)]


def _seed_of(seed: int, side: Side) -> int:
    """A side's own seed: its topics do not depend on which other sides are asked for."""
    return zlib.crc32(f"{seed}:{side.side}:{side.code}".encode())


def _centre(vectors: np.ndarray | None, rows: np.ndarray) -> np.ndarray:
    if vectors is None:
        return np.zeros(1)
    mean = vectors[rows].mean(axis=0, dtype=np.float64)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12))


def _table(
    history: Corpus, found: list[tuple[Side, np.ndarray]], centres: np.ndarray, own: np.ndarray, scheme: str
) -> pd.DataFrame:
    rows_of = [rows for _, rows in found]
    patents = history.patents
    used = np.unique(np.concatenate(rows_of)) if rows_of else np.array([], dtype=int)
    texts = (patents["title"] + ". " + patents["abstract"]).iloc[used]
    terms = topic_terms(texts, [np.searchsorted(used, rows) for rows in rows_of]) if rows_of else []
    number: dict[tuple[str, str], int] = {}
    records = []
    for (side, rows), words, centre in zip(found, terms, centres, strict=True):
        number[side.side, side.code] = number.get((side.side, side.code), 0) + 1
        records.append(
            {
                "topic_id": f"{side.side}:{side.code}:{number[side.side, side.code]}",
                "side": side.side,
                "code": side.code,
                "label": label_of(words, title_of(side.code) or side.code),
                "terms": ";".join(words),
                "patents": len(rows),
                "firm_patents": int(own[rows].sum()),
                "representatives": ";".join(patents["patent_id"].iloc[_nearest(history.embeddings, rows, centre)]),
            }
        )
    table = pd.DataFrame(records, columns=[c for c in _columns() if c not in _SCORES])
    return table.join(_scores(history, scheme, table["side"].tolist(), rows_of, centres))[_columns()]


def _nearest(vectors: np.ndarray | None, rows: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """The most central patents; without text the latest."""
    if vectors is None:
        return rows[::-1][:REPRESENTATIVES]
    likeness = (vectors[rows] @ centre).round(6)  # rounded: the last bit must not decide
    return np.asarray(rows[np.lexsort((-rows, -likeness))][:REPRESENTATIVES])


def _scores(
    history: Corpus, scheme: str, sides: list[str], rows_of: list[np.ndarray], centres: np.ndarray
) -> pd.DataFrame:
    """Indicators and dimensions, compared within each side."""
    parts = []
    for side in SIDES:
        chosen = [number for number, name in enumerate(sides) if name == side]
        if chosen:
            raw = raw_indicators(history, scheme, [rows_of[number] for number in chosen], centres[chosen])
            parts.append(raw.join(development(raw)).set_axis(pd.Index(chosen)))
    return pd.concat(parts) if parts else pd.DataFrame(columns=_SCORES, dtype=float)


def _columns() -> list[str]:
    return list(Topics.to_schema().columns)


_SCORES = _columns()[_columns().index("uniqueness") :]
