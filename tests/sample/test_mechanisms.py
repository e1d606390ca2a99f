"""The planted convergences can be seen in the corpus, each by its own mechanism, and make a fair forecasting task."""

import itertools

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import roc_auc_score

from pipeline.config import TaskConfig
from pipeline.corpus.ingest import ingest_tables
from pipeline.corpus.readers import SourceTable, flat_table
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged
from pipeline.sample.generator import generate, planted
from pipeline.sample.mechanisms import MECHANISMS

SEED, PATENTS = 0, 6000
CUTOFF = pd.Timestamp("2014-12-31")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return generate(SEED, PATENTS)


@pytest.fixture(scope="module")
def inventions(table: pd.DataFrame) -> pd.DataFrame:
    """The first document of each family, with its date, subclasses and main subclass."""
    first = table.iloc[:PATENTS].drop_duplicates("family_id", ignore_index=True)
    codes = first["ipc"].str.replace(r" [0-9/]+", "", regex=True).str.split(";").map(lambda cell: sorted(set(cell)))
    return first.assign(day=pd.to_datetime(first["date"]), codes=codes, main=first["ipc"].str[:4])


@pytest.fixture(scope="module")
def links() -> pd.DataFrame:
    return planted(SEED, PATENTS)


@pytest.fixture(scope="module")
def joint(inventions: pd.DataFrame) -> pd.DataFrame:
    """One row a pair of codes on an invention, in order of date."""
    rows = [
        (*pair, day, number)
        for number, (codes, day) in enumerate(zip(inventions["codes"], inventions["day"], strict=True))
        for pair in itertools.combinations(codes, 2)
    ]
    return pd.DataFrame(rows, columns=["code_a", "code_b", "day", "number"]).sort_values("day", kind="stable")


def test_the_plan_names_each_pair_once_with_a_stated_mechanism(links: pd.DataFrame) -> None:
    assert (links["code_a"] < links["code_b"]).all()
    assert not links.duplicated(["code_a", "code_b"]).any()
    assert set(links["mechanism"]) == set(MECHANISMS)
    assert (links["sign_date"] <= links["start_date"]).all()
    leads = links["mechanism"].isin(["citation", "drift"])
    assert ((links["sign_date"] < links["start_date"]) == leads).all()


def test_no_pair_meets_on_a_patent_before_its_link_starts(links: pd.DataFrame, joint: pd.DataFrame) -> None:
    met = joint.merge(links, on=["code_a", "code_b"], how="left")
    assert met["start_date"].notna().all()
    assert (met["day"] >= met["start_date"]).all()


def test_most_links_show_within_two_years_of_their_start(links: pd.DataFrame, joint: pd.DataFrame) -> None:
    first = joint.drop_duplicates(["code_a", "code_b"])
    shown = links.merge(first, on=["code_a", "code_b"], how="left")
    due = shown[shown["start_date"] < "2018"]
    assert ((due["day"] - due["start_date"]).dt.days < 730).mean() > 0.95


def test_closure_links_share_neighbours_before_they_start(links: pd.DataFrame, joint: pd.DataFrame) -> None:
    percentile = {}
    due = links[(links["start_date"] > CUTOFF) & (links["start_date"] < CUTOFF + pd.DateOffset(years=2))]
    graph = nx.from_edgelist(joint.loc[joint["day"] <= CUTOFF, ["code_a", "code_b"]].itertuples(index=False))
    scores = np.sort([score for *_, score in nx.adamic_adar_index(graph)])
    for mechanism, rows in due.groupby("mechanism"):
        known = rows[rows["code_a"].isin(graph) & rows["code_b"].isin(graph)]
        pairs = list(zip(known["code_a"], known["code_b"], strict=True))
        found = [score for *_, score in nx.adamic_adar_index(graph, pairs)]
        percentile[mechanism] = np.mean(np.searchsorted(scores, found) / len(scores))
    assert percentile["closure"] > 0.8
    assert percentile["closure"] > percentile["noise"] + 0.2


def test_citations_flow_before_citation_links_and_words_approach_before_drift_links(
    inventions: pd.DataFrame, links: pd.DataFrame
) -> None:
    """Each mechanism is the other's control: both have a lead of the same length."""
    vectors = TfidfVectorizer().fit_transform(inventions["title"] + " " + inventions["abstract"])
    row = pd.Series(np.arange(len(inventions)), index=inventions["patent_id"])
    cited = inventions["cited_ids"].str.split(";").explode()
    cited = cited[cited.isin(row.index)]
    size = len(inventions)
    cites = sp.csr_array((np.ones(len(cited)), (cited.index, row.loc[cited])), shape=(size, size))
    rises = []
    for link in links[links["mechanism"].isin(["citation", "drift"])].itertuples():
        lead = link.start_date - link.sign_date
        windows = [(link.sign_date - lead, link.sign_date), (link.start_date - lead / 2, link.start_date)]
        seen = [_contact(link.code_a, link.code_b, window, inventions, vectors, cites) for window in windows]
        if None not in seen:
            before, late = seen
            rises.append((link.mechanism, late[0] - before[0], late[1] - before[1]))
    mean = pd.DataFrame(rises, columns=["mechanism", "citations", "words"]).groupby("mechanism").mean()
    assert len(rises) > 100
    assert mean.loc["citation", "citations"] > 0.1 > 5 * abs(mean.loc["drift", "citations"])
    assert mean.loc["drift", "words"] > 0.05 > 2 * abs(mean.loc["citation", "words"])


def _contact(
    a: str,
    b: str,
    window: tuple[pd.Timestamp, pd.Timestamp],
    inventions: pd.DataFrame,
    vectors: sp.csr_matrix,
    cites: sp.csr_array,
) -> tuple[float, float] | None:
    """Citations between two technologies a patent, and the cosine of their words; None with few patents."""
    inside = (inventions["day"] >= window[0]) & (inventions["day"] < window[1])
    rows = [np.flatnonzero(inside & (inventions["main"] == code)) for code in (a, b)]
    all_rows = [np.flatnonzero(inventions["main"] == code) for code in (a, b)]
    if min(map(len, rows)) < 3:
        return None
    flow = cites[rows[0]][:, all_rows[1]].sum() + cites[rows[1]][:, all_rows[0]].sum()
    x, y = (np.asarray(vectors[positions].mean(axis=0)).ravel() for positions in rows)
    return flow / (len(rows[0]) + len(rows[1])), float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))


def test_firm_links_are_made_by_a_firm_that_held_both(
    inventions: pd.DataFrame, links: pd.DataFrame, joint: pd.DataFrame
) -> None:
    owners = inventions["assignees"].str.split(";")
    held: dict[tuple[str, str], pd.Timestamp] = {}
    for names, codes, day in zip(owners, inventions["codes"], inventions["day"], strict=True):
        for key in itertools.product(names, codes):
            held[key] = min(held.get(key, day), day)
    first = joint.drop_duplicates(["code_a", "code_b"]).merge(links, on=["code_a", "code_b"])
    both = [
        any(held[name, row.code_a] < row.day and held[name, row.code_b] < row.day for name in owners[row.number])
        for row in first.itertuples()
    ]
    share = pd.Series(both).groupby(first["mechanism"]).mean()
    assert share["firm"] > 0.8
    assert share["firm"] > share["noise"] + 0.3


@pytest.mark.parametrize("seed", [SEED, pytest.param(1, marks=pytest.mark.slow)])
def test_new_links_are_rare_and_neither_trivial_nor_random(seed: int) -> None:
    source = generate(seed, PATENTS)
    source.index = pd.RangeIndex(1, len(source) + 1)
    result = ingest_tables([SourceTable(frame=flat_table(source), format="table", name="sample")], "merge")
    task = TaskConfig()
    history = result.corpus.as_of(CUTOFF)
    pairs = candidate_pairs(history, task).pairs
    label = converged(result.corpus, pairs, task)
    assert 0.01 < label.mean() < 0.04
    assert label.sum() > 150
    incidence = history.incidence(task.scheme, task.level)
    graph = nx.from_scipy_sparse_array(incidence.joint())
    nx.relabel_nodes(graph, dict(enumerate(incidence.codes)), copy=False)
    ends = list(zip(pairs.table["code_a"], pairs.table["code_b"], strict=True))
    scores = [score for *_, score in nx.adamic_adar_index(graph, ends)]
    assert 0.68 < roc_auc_score(label, scores) < 0.9
