"""Which pairs have evidence, counted again the slow way."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from factories import corpus_from
from leakage.edits import EVERYTHING, NOTHING, Edits, edited
from leakage.told import whole

from pipeline.background.summary import summarise
from pipeline.config import TaskConfig
from pipeline.corpus.readers import SourceTable
from pipeline.corpus.timeline import Corpus
from pipeline.pairs import evidence as module
from pipeline.pairs.candidates import find_candidates
from pipeline.pairs.evidence import evidence

ALL = 10**9
TASK = TaskConfig(level="maingroup", min_patents=1)
ROWS = [
    ("US1", "2005-01-05", "A01B 1/00;G06F 3/00", ["X9"]),
    ("US2", "2005-02-05", "F25B 1/00;G06F 3/00", ["US1", "X7"]),
    ("US3", "2006-01-05", "H01L 21/02", ["US2", "X9"]),
    ("US4", "2006-02-05", "A01B 3/00;H04L 9/00", []),
    ("US5", "2007-01-05", "H01L 23/02;H04L 9/00", ["X7"]),
]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return corpus_from(
        [{"patent_id": name, "date": date, "ipc": ipc, "cited_ids": cited} for name, date, ipc, cited in ROWS]
    )


def pairs_of(history: Corpus, kind: str, most: int = ALL, task: TaskConfig = TASK) -> set[tuple[str, str]]:
    codes = history.incidence(task.scheme, task.level).codes
    found = evidence(history, task, codes, most)[kind]
    assert (found != found.T).nnz == 0
    assert not found.diagonal().any()
    return {(codes[a], codes[b]) for a, b in zip(*sp.triu(found, k=1).nonzero(), strict=True)}


def test_a_neighbour_that_both_met(corpus: Corpus) -> None:
    assert pairs_of(corpus, "neighbour") == {("A01B 1/00", "F25B 1/00"), ("A01B 3/00", "H01L 23/00")}


def test_parents_that_are_one_or_met(corpus: Corpus) -> None:
    met = {("A01B", "G06F"), ("F25B", "G06F"), ("A01B", "H04L"), ("H01L", "H04L")}
    codes = corpus.incidence("ipc", "maingroup").codes
    expected = {(a, b) for a, b in itertools.combinations(codes, 2) if a[:4] == b[:4] or (a[:4], b[:4]) in met}
    assert pairs_of(corpus, "parent") == expected


def test_a_citation_of_the_other_or_of_one_document(corpus: Corpus) -> None:
    first, second, third = ("A01B 1/00", "G06F 3/00"), ("F25B 1/00", "G06F 3/00"), ("H01L 21/00",)
    fifth = ("H01L 23/00", "H04L 9/00")
    one_another = [(first, second), (second, third)]
    one_document = [(first, third), (second, fifth)]
    within = [(carried, carried) for carried in (first, second, fifth)]  # a patent cites what it cites
    expected = {
        (min(a, b), max(a, b))
        for these, those in one_another + one_document + within
        for a, b in itertools.product(these, those)
        if a != b
    }
    assert pairs_of(corpus, "citation") == expected


def test_what_a_source_lacks_is_absent(corpus: Corpus) -> None:
    codes = corpus.incidence("ipc", "maingroup").codes
    assert list(evidence(corpus, TASK, codes, ALL)) == ["neighbour", "parent", "citation"]


def test_the_nearest_texts(sample_corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NEAREST", 3)
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(len(sample_corpus.patents), 6)).astype(np.float32)
    vectors[rng.random(len(vectors)) < 0.2] = 0.0  # without text
    incidence = sample_corpus.incidence("ipc", "subclass")
    mean = incidence.matrix.T @ vectors
    spoken = np.flatnonzero(np.linalg.norm(mean, axis=1))
    unit = mean[spoken] / np.linalg.norm(mean[spoken], axis=1, keepdims=True)
    similar = unit @ unit.T
    np.fill_diagonal(similar, -2)
    near = {(spoken[a], spoken[b]) for a, row in enumerate(similar) for b in np.argsort(-row)[:3]}
    expected = {(incidence.codes[min(p)], incidence.codes[max(p)]) for p in near}
    task = TaskConfig(min_patents=1)
    assert pairs_of(sample_corpus.with_embeddings(vectors), "text", task=task) == expected


def test_joint_patents_in_the_background_up_to_the_cutoff(corpus: Corpus) -> None:
    rows = [("B1", "2006-05-05", "A01B 1/00;H04L 9/00"), ("B2", "2008-05-05", "A01B 1/00;F25B 1/00")]
    outside = summarise(
        corpus_from([{"patent_id": name, "date": date, "ipc": ipc} for name, date, ipc in rows]), "ipc", "maingroup"
    )
    codes = corpus.incidence("ipc", "maingroup").codes
    found = sp.triu(evidence(corpus, TASK, codes, ALL, outside)["background"], k=1).nonzero()
    assert [(codes[a], codes[b]) for a, b in zip(*found, strict=True)] == [("A01B 1/00", "H04L 9/00")]


CUTOFF = pd.Timestamp("2012-12-31").as_unit("s")


@pytest.mark.parametrize("edits", [dataclasses.replace(NOTHING, deleted=1.0), EVERYTHING], ids=["cut off", "edited"])
def test_nothing_after_the_cutoff_is_evidence(sample_rows: SourceTable, edits: Edits) -> None:
    told = [whole(rows, CUTOFF).as_of(CUTOFF) for rows in (sample_rows, edited(sample_rows, CUTOFF, edits))]
    limited = [find_candidates(history, TaskConfig(), limited=True) for history in told]
    assert len(limited[0]) == len(limited[1]) > 0
    assert limited[0].with_evidence == limited[1].with_evidence
    for a, b in zip(*(list(found.blocks()) for found in limited), strict=True):
        assert np.array_equal(a, b)


def test_no_size_of_a_part_changes_it(sample_corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    history = sample_corpus.as_of(CUTOFF)
    task = TaskConfig()
    codes = find_candidates(history, task).codes
    at_once = evidence(history, task, codes, 7)
    monkeypatch.setattr(module, "CELLS", 5 * len(codes))
    for kind, found in evidence(history, task, codes, 7).items():
        assert (found != at_once[kind]).nnz == 0


def test_of_each_code_the_strongest_are_kept(sample_corpus: Corpus) -> None:
    history = sample_corpus.as_of(pd.Timestamp("2012-12-31").as_unit("s"))
    task = TaskConfig(min_patents=1)
    joint = history.incidence("ipc", "subclass").joint().toarray() > 0
    shared = (joint / np.maximum(joint.sum(axis=0), 1)) @ joint.T
    np.fill_diagonal(shared, 0)
    own = {(a, b) for a, row in enumerate(shared) for b in np.argsort(-row.round(12), kind="stable")[:2] if row[b] > 0}
    codes = history.incidence("ipc", "subclass").codes
    kept = pairs_of(history, "neighbour", 2, task)
    assert len(kept) <= 2 * len(codes)
    expected = {(codes[min(p)], codes[max(p)]) for p in own}
    assert len(kept & expected) > 0.95 * len(expected)  # ties are broken by the last bit
