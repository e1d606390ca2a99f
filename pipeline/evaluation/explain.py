"""Why a pair ranks where it does: what moved it in the ranking, patents to read, and the map."""

from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.corpus.titles import titles
from pipeline.cutoff import CutoffForecast
from pipeline.evaluation.deletion import deletion_check
from pipeline.evaluation.drivers import Drivers, find_drivers
from pipeline.evaluation.words import in_words, standing
from pipeline.features.bibliometric import positions
from pipeline.opportunities.firm import Firm
from pipeline.opportunities.topic_words import topic_terms
from pipeline.ranking.rescore import rescorable, rescorer

EXAMPLES = 2  # patents a side
KEYWORDS = 4  # a code


def explanations(
    forecast: CutoffForecast, rows: np.ndarray, window: int, seed: int
) -> tuple[pd.DataFrame, dict[str, Any] | None]:
    """Why some candidates rank where they do, and whether the reasons stand the deletion check.

    The table has the columns code_a, code_b, kind, name, words, value, contribution, the largest contribution first.
    Kinds: ``attention`` (the fusion net's weight of a modality), ``modality`` (its Shapley value in the ranking) and
    ``feature`` (those of ``drivers.Drivers.named``). The check is the record of ``deletion_check``; None, and no
    modality and no feature in the table, where the ranking cannot be taken apart. ``window``: the task's, in years.
    """
    pairs = forecast.universe.pairs.table[["code_a", "code_b"]]
    parts, check = [_attention(forecast.ranking.attention, pairs, rows)], None
    if rescorable(forecast.ranking):
        drivers = find_drivers(rescorer(forecast.ranking, forecast.target, window), rows, seed)
        check = deletion_check(drivers, seed)
        parts += [_modalities(drivers, pairs), _features(drivers, forecast, pairs)]
    order = ["code_a", "code_b", "kind", "contribution", "name"]
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values(order, ascending=[True, True, True, False, True], ignore_index=True), check


def _attention(weights: pd.DataFrame, pairs: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    return _by_modality("attention", "share of attention on ", weights.iloc[rows], pairs.iloc[rows])


def _modalities(drivers: Drivers, pairs: pd.DataFrame) -> pd.DataFrame:
    return _by_modality("modality", "added to the score by ", drivers.modalities, pairs.iloc[drivers.rows])


def _by_modality(kind: str, words: str, table: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    chosen = pd.concat([pairs, table.set_axis(pairs.index)], axis=1)
    long = chosen.melt(["code_a", "code_b"], var_name="name", value_name="contribution")
    said = words + long["name"].astype(str)
    return long.assign(kind=kind, words=said, value=long["contribution"])[_COLUMNS].astype(_TYPES)


def _features(drivers: Drivers, forecast: CutoffForecast, pairs: pd.DataFrame) -> pd.DataFrame:
    columns, rows = np.array(drivers.rescorer.columns), drivers.rows
    pair, feature = np.nonzero(drivers.named)
    shares = drivers.rescorer.shares[rows[pair], feature]
    values = forecast.target.table.columns.reindex(columns=columns).to_numpy(dtype=float)
    words = [f"{in_words(n)}: {standing(s)}" for n, s in zip(columns[feature], shares, strict=True)]
    named = pairs.iloc[rows[pair]].reset_index(drop=True)
    return named.assign(
        kind="feature",
        name=columns[feature],
        words=words,
        value=values[rows[pair], feature],
        contribution=drivers.features[pair, feature],
    )[_COLUMNS].astype(_TYPES)


_COLUMNS = ["code_a", "code_b", "kind", "name", "words", "value", "contribution"]
_TYPES: dict[str, Any] = dict.fromkeys(_COLUMNS[:5], "str") | dict.fromkeys(_COLUMNS[5:], float)


def example_patents(history: Corpus, pairs: pd.DataFrame, task: TaskConfig) -> pd.DataFrame:
    """For each pair and side the recent patents nearest to the other side's texts; without texts the latest.

    Columns code_a, code_b, side ("a" or "b"), patent_id, knowledge_date, title, party.
    """
    incidence = history.incidence(task.scheme, task.level)
    carriers = sp.csr_array(incidence.matrix.T)
    assignees = history.parties[history.parties["role"] == "assignee"]
    party = assignees.groupby("patent_id", sort=False)["name"].first()
    chosen = []
    for row in pairs[["code_a", "code_b"]].itertuples(index=False):
        a, b = positions(incidence.codes, np.array([row.code_a, row.code_b]))
        for side, own, other in (("a", a, b), ("b", b, a)):
            for patent in _nearest(history, carriers, int(own), int(other), task):
                chosen.append((row.code_a, row.code_b, side, patent))
    table = pd.DataFrame(chosen, columns=["code_a", "code_b", "side", "row"])
    patents = history.patents.iloc[table["row"].to_numpy(dtype=int)].reset_index(drop=True)
    table = table.drop(columns="row").assign(
        patent_id=patents["patent_id"], knowledge_date=patents["knowledge_date"], title=patents["title"]
    )
    return table.assign(party=party.reindex(table["patent_id"], fill_value="").to_numpy())


def _nearest(history: Corpus, carriers: sp.csr_array, own: int, other: int, task: TaskConfig) -> np.ndarray:
    mine = carriers.indices[carriers.indptr[own] : carriers.indptr[own + 1]]
    start = history.rows_since(years_before(history.cutoff, task.window)).start
    recent = mine[mine >= start]
    mine = recent if len(recent) >= EXAMPLES else mine
    if history.embeddings is None:
        order = np.sort(mine)[::-1]
    else:
        theirs = carriers.indices[carriers.indptr[other] : carriers.indptr[other + 1]]
        likeness = history.embeddings[mine] @ history.embeddings[theirs].mean(axis=0)
        order = mine[np.lexsort((-mine, -likeness.round(6)))]  # rounded: the last bit must not decide
    # filed in several offices without a family number, an invention comes twice: one title is shown once
    head = order[: 5 * EXAMPLES]
    repeated = history.patents["title"].iloc[head].str.casefold().duplicated().to_numpy()
    return np.concatenate([head[~repeated], head[repeated]])[:EXAMPLES]


def code_table(history: Corpus, codes: np.ndarray, task: TaskConfig, firm: Firm | None) -> pd.DataFrame:
    """One row a code: title, keywords from its patents' titles, patents, recent patents, the firm's patents."""
    incidence = history.incidence(task.scheme, task.level)
    place = positions(incidence.codes, codes)
    held = np.zeros(len(codes))
    if firm is not None:
        mine = history.parties.loc[
            (history.parties["party_id"] == firm.party_id) & (history.parties["role"] == "assignee"), "patent_id"
        ]
        held = np.asarray(incidence.matrix[np.unique(history.row_of(mine))].sum(axis=0)).ravel()[place]
    window = history.rows_since(years_before(history.cutoff, task.window))
    return pd.DataFrame(
        {
            "code": codes.astype(str),
            "title": titles(codes),
            "keywords": _keywords(history, sp.csr_array(incidence.matrix[:, place])),
            "patents": incidence.counts()[place].astype(np.int64),
            "recent_patents": incidence.counts(window)[place].astype(np.int64),
            "firm_patents": held.astype(np.int64),
        }
    )


def _keywords(history: Corpus, carriers: sp.csr_array) -> list[str]:
    """The terms that set the titles of each code's patents apart."""
    of_code = sp.csc_array(carriers)
    rows = np.split(of_code.indices, of_code.indptr[1:-1])
    used = np.unique(of_code.indices)
    terms = topic_terms(history.patents["title"].iloc[used], [np.searchsorted(used, each) for each in rows])
    return [", ".join(said[:KEYWORDS]) for said in terms]


def link_table(history: Corpus, task: TaskConfig, limit: int) -> pd.DataFrame:
    """The strongest links of the convergence network: code_a, code_b, joint (patents of both), strongest first."""
    incidence = history.incidence(task.scheme, task.level)
    upper = sp.triu(incidence.joint(), k=1).tocoo()
    table = pd.DataFrame(
        {
            "code_a": incidence.codes[upper.row].astype(str),
            "code_b": incidence.codes[upper.col].astype(str),
            "joint": upper.data.astype(np.int64),
        }
    )
    return table.sort_values(["joint", "code_a", "code_b"], ascending=[False, True, True], ignore_index=True).head(
        limit
    )
