"""The eight computed indicators of a topic, and its development score (method A7)."""

import numpy as np
import pandas as pd

from pipeline.corpus.timeline import Corpus
from pipeline.opportunities.functions import function_table, functional_diversity

YEARS = 5  # of growth
DAYS_A_YEAR = 365.25
DIMENSION = 2.5  # highest value of each of the four


INDICATORS = {  # and the dimension each belongs to; ``report.firm.definitions`` puts them into words
    "uniqueness": "novelty",
    "maturity": "novelty",
    "growth_patents": "growth",
    "growth_inventors": "growth",
    "citations_per_year": "influence",
    "family_size": "influence",
    "codes_per_patent": "versatility",
    "functional_diversity": "versatility",
}
DIMENSIONS = tuple(dict.fromkeys(INDICATORS.values()))


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
    span = growth_years(history)
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


def growth_years(history: Corpus) -> float:
    """Years that growth looks back over: YEARS, or half of a history shorter than twice that."""
    whole = (history.cutoff - history.patents["knowledge_date"].min()).days / DAYS_A_YEAR
    return min(float(YEARS), whole / 2)


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
        members = [name for name, of in INDICATORS.items() if of == dimension]
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
