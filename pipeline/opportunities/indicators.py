"""The eight computed indicators of a topic, and its development score (method A7)."""

import dataclasses

import numpy as np
import pandas as pd

from pipeline.corpus.timeline import Corpus
from pipeline.opportunities.functions import function_table, functional_diversity

YEARS = 5  # of growth
DAYS_A_YEAR = 365.25
DIMENSION = 2.5  # highest value of each of the four


@dataclasses.dataclass(frozen=True)
class Indicator:
    """One indicator: its dimension, the words for a reader, and its unit."""

    dimension: str
    words: str
    unit: str


INDICATORS = {
    "uniqueness": Indicator("novelty", "how far the topic lies from the other topics of its side", "0 to 1"),
    "maturity": Indicator("novelty", "how much younger its patents are than the corpus's on average", "years"),
    "growth_patents": Indicator("growth", "patents of the last years over those of as many before, less one", "ratio"),
    "growth_inventors": Indicator(
        "growth", "inventors of the last years over those of as many before, less one", "ratio"
    ),
    "citations_per_year": Indicator("influence", "citations received so far a patent, over their mean age", "per year"),
    "family_size": Indicator("influence", "documents a patent family known so far", "documents"),
    "codes_per_patent": Indicator("versatility", "classification symbols a patent", "symbols"),
    "functional_diversity": Indicator("versatility", "effective number of functions that its texts name", "functions"),
}
DIMENSIONS = tuple(dict.fromkeys(indicator.dimension for indicator in INDICATORS.values()))


def raw_indicators(history: Corpus, scheme: str, topics: list[np.ndarray], centres: np.ndarray) -> pd.DataFrame:
    """The indicators of topics of one side, one row a topic; null where the source cannot tell.

    ``topics``: rows of ``history.patents`` of each; ``centres``: their mean text vectors (topics x d; zeros where
    there is no text). Growth compares the last YEARS with as many before, or the halves of a history shorter than both.
    """
    patents = history.patents
    age = (history.cutoff - patents["knowledge_date"]).dt.days.to_numpy() / DAYS_A_YEAR
    cited = _citations_received(history)
    family = history.members["patent_id"].value_counts().reindex(patents["patent_id"]).to_numpy(dtype=float)
    told = (patents["family_id"] != "").any()
    symbols = history.patent_codes[history.patent_codes["scheme"] == scheme]
    codes = symbols["patent_id"].value_counts().reindex(patents["patent_id"], fill_value=0).to_numpy(dtype=float)
    named = function_table(patents["title"].str.cat(patents["abstract"], sep=" "))
    span = min(float(YEARS), float(age.max(initial=0.0)) / 2)
    inventors = _inventors(history)
    rows = []
    for topic in topics:
        rows.append(
            {
                "maturity": age.mean() - age[topic].mean(),
                "growth_patents": _growth(age[topic], span),
                "growth_inventors": _growth_of_people(inventors, topic, age, span),
                "citations_per_year": cited[topic].mean() / max(age[topic].mean(), 1 / 12)
                if cited is not None
                else np.nan,
                "family_size": family[topic].mean() if told else np.nan,
                "codes_per_patent": codes[topic].mean(),
                "functional_diversity": functional_diversity(named[topic]),
            }
        )
    table = pd.DataFrame(rows, dtype=float)
    table.insert(0, "uniqueness", uniqueness(centres))
    return table[list(INDICATORS)]


def uniqueness(centres: np.ndarray) -> np.ndarray:
    """1 - (1/M) sum_j (cos(v_i, c_j) + 1) / 2 over the M other topics c_j (A7); NaN for one alone or without text."""
    length = np.linalg.norm(centres, axis=1)
    told = length > 0
    unit = centres / np.where(told, length, 1.0)[:, None]
    likeness = (unit @ unit.T + 1) / 2
    np.fill_diagonal(likeness, 0.0)
    likeness[:, ~told] = 0.0
    others = told.sum() - 1
    if others < 1:
        return np.full(len(centres), np.nan)
    return np.where(told, np.clip(1 - likeness.sum(axis=1) / others, 0, 1), np.nan)


def development(raw: pd.DataFrame) -> pd.DataFrame:
    """The four dimensions in [0, 2.5] and their sum, ``development`` in [0, 10], of topics that are compared.

    Each indicator is min-max scaled over the topics (0.5 where all are alike), a dimension is 2.5 times the mean of its
    indicators that are known. A dimension of which none is known is null and counts as the mean of the others.
    """
    scaled = raw.apply(_min_max)
    columns: dict[str, pd.Series] = {}
    for dimension in DIMENSIONS:
        members = [name for name, indicator in INDICATORS.items() if indicator.dimension == dimension]
        columns[dimension] = DIMENSION * scaled[members].mean(axis=1)
    table = pd.DataFrame(columns)
    return table.assign(development=len(DIMENSIONS) * table.mean(axis=1))


def _min_max(values: pd.Series) -> pd.Series:
    spread = values.max() - values.min()
    return (values - values.min()) / spread if spread > 0 else values.where(values.isna(), 0.5)


def _growth(age: np.ndarray, span: float) -> float:
    return _ratio(float((age < span).sum()), float(((age >= span) & (age <= 2 * span)).sum()), span)


def _growth_of_people(inventors: pd.DataFrame | None, topic: np.ndarray, age: np.ndarray, span: float) -> float:
    if inventors is None:
        return np.nan
    own = inventors[inventors["row"].isin(topic)]
    of_patent = age[own["row"]]
    lately = own["party_id"][of_patent < span].nunique()
    before = own["party_id"][(of_patent >= span) & (of_patent <= 2 * span)].nunique()
    return _ratio(lately, before, span)


def _ratio(lately: float, before: float, span: float) -> float:
    """Growth; what began within the span is measured against one, since nothing grows from nothing by a ratio."""
    return (lately - before) / max(before, 1) if span >= 1 else np.nan


def _citations_received(history: Corpus) -> np.ndarray | None:
    """Citations each patent received from patents of the history; None where the source has none within it."""
    cited = history.citations.loc[history.citations["kind"] == "patent", "cited"]
    rows = history.row_of(cited)
    rows = rows[rows >= 0]
    return np.bincount(rows, minlength=len(history.patents)).astype(float) if len(rows) else None


def _inventors(history: Corpus) -> pd.DataFrame | None:
    named = history.parties[history.parties["role"] == "inventor"]
    if named.empty:
        return None
    return pd.DataFrame({"row": history.row_of(named["patent_id"]), "party_id": named["party_id"].to_numpy()})
