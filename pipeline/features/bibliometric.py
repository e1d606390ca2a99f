"""Bibliometric features (method A1): counts of a code's patents, people, claims, references and families.

Each value of a code becomes mean, min and range over the two codes of a pair.
"""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.features.base import BlockOutput, over_both_codes
from pipeline.pairs.base import CandidatePairs


def bibliometric(history: Corpus, pairs: CandidatePairs, task: TaskConfig) -> BlockOutput:
    """Features of the window (t - w, t] and their change against the window before it.

    Pair values: joint patents of the window, and how many more they are than in the window before (both are zero on
    the new-link track). Code values: see ``_code_values``; a value whose source is lacking is left out.
    """
    start = years_before(history.cutoff, task.window)
    before = history.once(Corpus.as_of, start)
    recent = history.once(_code_values, start, task, pairs.codes)
    earlier = before.once(_code_values, years_before(start, task.window), task, pairs.codes)
    columns: dict[str, np.ndarray] = {}
    window = f"w{task.window}"
    for name, value in recent.items():
        columns |= over_both_codes(f"bibliometric__{name}", f"{window}__lag0", value, pairs)
    columns |= over_both_codes(
        "bibliometric__patents_added", f"{window}__lag0", recent["patents"] - earlier["patents"], pairs
    )
    joint = _joint(history, start, task, pairs)
    joint_before = _joint(before, years_before(start, task.window), task, pairs)
    columns[f"bibliometric__joint_patents__{window}__lag0"] = joint
    columns[f"bibliometric__joint_patents_added__{window}__lag0"] = joint - joint_before
    missing = [name for name in _SOURCES if name not in recent]
    warnings = [f"bibliometric: no {_SOURCES[name]} in the data, so {name} is left out" for name in missing]
    unknown = history.patents["claims_count"].isna().mean()
    if 0 < unknown < 1:
        warnings.append(f"bibliometric: {unknown:.0%} of the patents have no claims count; claims are scaled up")
    return BlockOutput(columns=columns, warnings=tuple(warnings))


_SOURCES = {
    "inventors": "inventors",
    "applicants": "assignees",
    "claims": "claims counts",
    "cited_patents": "patent citations",
    "citing_patents": "patent citations",
    "cited_npl": "non-patent citations",
    "family_members": "families",
}


def _code_values(history: Corpus, start: pd.Timestamp, task: TaskConfig, codes: np.ndarray) -> dict[str, np.ndarray]:
    """Values of the codes over (start, cutoff], as far as the history holds their source.

    patents; distinct inventors and applicants; sums over patents of claims, cited patents, cited non-patent
    literature, patents citing them and family members, the last two as known at the cutoff. NaN where unknown.
    """
    incidence = history.incidence(task.scheme, task.level)
    column = positions(incidence.codes, codes)
    window = history.rows_since(start)
    carriers = incidence.matrix[window].T.tocsr()
    per_patent: dict[str, np.ndarray] = {}
    patents = history.patents
    for name, kind in (("cited_patents", "patent"), ("cited_npl", "npl")):
        citing = history.citations.loc[history.citations["kind"] == kind, "citing"]
        if len(citing):
            per_patent[name] = _per_row(history, citing)
    if "cited_patents" in per_patent:
        per_patent["citing_patents"] = _per_row(history, history.citations["cited"])
    if (patents["family_id"] != "").any():
        per_patent["family_members"] = _family_sizes(history)
    values = {"patents": np.asarray(carriers.sum(axis=1)).ravel()}
    for name, role in (("inventors", "inventor"), ("applicants", "assignee")):
        parties = history.parties[history.parties["role"] == role]
        if len(parties):
            values[name] = _distinct(history, parties, carriers, window)
    values |= {name: carriers @ value[window] for name, value in per_patent.items()}
    if patents["claims_count"].notna().any():
        values["claims"] = _claims(patents["claims_count"].iloc[window], carriers)
    return {name: _at(value, column) for name, value in values.items()}


def _claims(counts: pd.Series, carriers: sp.csr_array) -> np.ndarray:
    """Claims of each code's patents: of those whose count is known, scaled up to all; NaN where none is."""
    known = counts.notna().to_numpy(dtype=float)
    total = carriers @ counts.fillna(0).to_numpy(dtype=float)
    having, size = carriers @ known, np.asarray(carriers.sum(axis=1)).ravel()
    scale = np.divide(size, having, out=np.full_like(size, np.nan), where=having > 0)
    return np.where(size > 0, total * scale, 0.0)


def _family_sizes(history: Corpus) -> np.ndarray:
    """Documents known of each patent's family, itself included, whether or not the corpus merged them."""
    family = history.patents["family_id"]
    own = pd.Series(_per_row(history, history.members["patent_id"]), index=family.index)
    return own.groupby(family).transform("sum").where(family != "", own).to_numpy()


def _distinct(history: Corpus, parties: pd.DataFrame, carriers: sp.csr_array, window: slice) -> np.ndarray:
    party, names = pd.factorize(parties["party_id"])
    row = history.row_of(parties["patent_id"])
    holds = sp.csr_array((np.ones(len(row)), (row, party)), shape=(len(history.patents), len(names)))
    return np.diff((carriers @ holds[window]).indptr).astype(float)


def _per_row(history: Corpus, patent_ids: pd.Series) -> np.ndarray:
    """How often each patent of the history is named; ids unknown to it do not count."""
    rows = history.row_of(patent_ids)
    return np.bincount(rows[rows >= 0], minlength=len(history.patents)).astype(float)


def _joint(history: Corpus, start: pd.Timestamp, task: TaskConfig, pairs: CandidatePairs) -> np.ndarray:
    incidence = history.incidence(task.scheme, task.level)
    column = positions(incidence.codes, pairs.codes)
    joint = incidence.joint(history.rows_since(start))
    grid = pairs.grid
    here, there = column[grid.rows], column[grid.columns]
    block = np.zeros((len(here), len(there)))
    known = joint[here[here >= 0]][:, there[there >= 0]]
    block[np.ix_(here >= 0, there >= 0)] = known.toarray()
    return grid.at(block)


def positions(codes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where each wanted code stands among the codes of a history, -1 where it is not there yet."""
    return pd.Index(codes).get_indexer(pd.Index(wanted))


def _at(values: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Values of the wanted codes; a code the history does not know yet has zero patents, so zero of everything."""
    return np.where(column >= 0, values[np.maximum(column, 0)] if len(values) else 0.0, 0.0)
