"""Text and topic features against loops over patents."""

import numpy as np
import pandas as pd
import pytest
from factories import corpus_from

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.features.text import COVERED, TEMPERATURE, TOPICS, text, topic_shares
from pipeline.pairs.base import CandidatePairs
from pipeline.pairs.candidates import candidate_pairs

TASK = TaskConfig(window=2, min_patents=1)
CODES = ["A01B", "B60L", "F25B", "G06F", "H01L", "H04L"]
SILENT = "H04L"  # its one patent has no text


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Three patents a code and year 2005 to 2008, some with two codes; unit vectors at random."""
    rng = np.random.default_rng(5)
    rows = []
    for number in range(60):
        carried = rng.choice(CODES[:5], size=1 + (number % 6 == 0), replace=False)
        ipc = [f"{code} 1/00" for code in sorted(carried)]
        rows.append({"patent_id": f"US{number}", "date": f"{2005 + number // 15}-06-01", "ipc": ipc})
    rows.append({"patent_id": "US99", "date": "2008-07-01", "ipc": f"{SILENT} 9/32"})
    made = corpus_from(rows)
    vectors = rng.normal(size=(len(made.patents), 12))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[made.row_of(pd.Series(["US99", "US3"]))] = 0.0
    return made.with_embeddings(vectors.astype(np.float32))


@pytest.fixture(scope="module")
def pairs(corpus: Corpus) -> CandidatePairs:
    return candidate_pairs(corpus, TASK).pairs


def carriers(corpus: Corpus, code: str, first: int) -> list[int]:
    """Row numbers of the patents with text that carry the code."""
    held = corpus.patent_codes[corpus.patent_codes["symbol"].str.startswith(code)]
    rows = sorted(corpus.row_of(held["patent_id"]))
    assert corpus.embeddings is not None
    return [row for row in rows if row >= first and corpus.embeddings[row].any()]


def test_distances_are_those_of_the_mean_vectors(corpus: Corpus, pairs: CandidatePairs) -> None:
    got = text(corpus, pairs, TASK, seed=1)
    window = int((corpus.patents["knowledge_date"] <= pd.Timestamp("2006-07-31")).sum())
    assert corpus.embeddings is not None
    vectors = corpus.embeddings.astype(float)
    for suffix, first in (("all", 0), ("w2", window)):
        for row, (x, y) in enumerate(pairs.table[["code_a", "code_b"]].to_numpy()):
            left, right = (carriers(corpus, code, first) for code in (x, y))
            if not left or not right:
                assert np.isnan(got.columns[f"text__cosine__{suffix}__lag0"][row])
                assert SILENT in (x, y)
                continue
            u, v = vectors[left].mean(axis=0), vectors[right].mean(axis=0)
            expected = {
                "cosine": u @ v / np.sqrt(u @ u) / np.sqrt(v @ v),
                "dot": u @ v,
                "euclidean": np.sqrt(((u - v) ** 2).sum()),
                "l1": np.abs(u - v).sum(),
            }
            for name, value in expected.items():
                assert got.columns[f"text__{name}__{suffix}__lag0"][row] == pytest.approx(value, abs=1e-9)
    drift = got.columns["text__cosine__w2__lag0"] - got.columns["text__cosine__all__lag0"]
    np.testing.assert_array_equal(got.columns["text__cosine_drift__w2__lag0"], drift)


def test_topics_are_those_of_the_formulas(corpus: Corpus, pairs: CandidatePairs) -> None:
    got = text(corpus, pairs, TASK, seed=1).columns
    assert corpus.embeddings is not None
    shares = topic_shares(corpus.embeddings, corpus.embeddings.any(axis=1), seed=1)
    topics = shares.shape[1]
    for row, (x, y) in enumerate(pairs.table[["code_a", "code_b"]].to_numpy()):
        if SILENT in (x, y):
            assert all(np.isnan(values[row]) for name, values in got.items() if name.startswith("topic__"))
            continue
        left, right = (shares[carriers(corpus, code, 0)] for code in (x, y))
        s, r = left.mean(axis=0), right.mean(axis=0)
        c, d = (left > COVERED).mean(axis=0), (right > COVERED).mean(axis=0)
        expected = {
            "intensity_cosine": s @ r / np.linalg.norm(s) / np.linalg.norm(r),
            "coverage_cosine": c @ d / np.linalg.norm(c) / np.linalg.norm(d),
            "same_dominant": float(np.argmax(s) == np.argmax(r)),
            "complementarity": sum(s[i] * (1 - r[i]) + r[i] * (1 - s[i]) for i in range(topics)) / topics,
        }
        for name, value in expected.items():
            assert got[f"topic__{name}__all__lag0"][row] == pytest.approx(value, abs=1e-9), name


def test_shares_are_a_distribution_and_sharp_where_a_patent_sits_on_its_topic() -> None:
    corners = np.eye(TOPICS[0], dtype=np.float32)
    vectors = np.vstack([np.repeat(corners, 60, axis=0), np.zeros((1, TOPICS[0]), dtype=np.float32)])
    shares = topic_shares(vectors, vectors.any(axis=1), seed=0)
    assert shares.shape == (len(vectors), TOPICS[0])
    np.testing.assert_allclose(shares[:-1].sum(axis=1), 1)
    assert not shares[-1].any()
    sharp = 1 / (1 + (TOPICS[0] - 1) * np.exp(-1 / TEMPERATURE))
    np.testing.assert_allclose(shares.max(axis=1)[:-1], sharp, rtol=1e-5)
    assert len(set(shares[:-1].argmax(axis=1))) == TOPICS[0]


def test_fewer_texts_than_topics_are_a_topic_each() -> None:
    vectors = np.eye(3, dtype=np.float32)
    assert topic_shares(vectors, vectors.any(axis=1), seed=0).shape == (3, 3)


@pytest.mark.parametrize("vectors", [None, "zeros"])
def test_without_any_text_both_blocks_are_absent_with_a_warning(
    corpus: Corpus, pairs: CandidatePairs, vectors: str | None
) -> None:
    bare = corpus.with_embeddings(np.zeros((len(corpus.patents), 4), dtype=np.float32))
    if vectors is None:
        bare = corpus_from([{"patent_id": f"US{n}", "date": "2005-06-01", "ipc": c} for n, c in enumerate(CODES)])
    got = text(bare, pairs, TASK, seed=1)
    assert not got.columns
    assert not got.code_vectors
    assert got.warnings == ("text, topic: no titles or abstracts, so both blocks are left out",)


def test_the_same_seed_gives_the_same_bytes(corpus: Corpus, pairs: CandidatePairs) -> None:
    one, two = (text(corpus, pairs, TASK, seed=4).columns for _ in range(2))
    assert {name: values.tobytes() for name, values in one.items()} == {n: v.tobytes() for n, v in two.items()}
