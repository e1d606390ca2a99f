"""Which pairs are forecast."""

import numpy as np
import pandas as pd
import pytest
from factories import corpus_from

from pipeline import schemas
from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.errors import NotEnoughDataError
from pipeline.pairs import candidates
from pipeline.pairs.candidates import candidate_pairs, find_candidates
from pipeline.pairs.labels import converged, outcomes

ROWS = [
    ("US1", "2005-01-05", "F25B 1/00;G06F 3/00"),
    ("US2", "2005-01-05", "F25B 1/00"),
    ("US3", "2006-01-05", "H01L 21/02"),
    ("US4", "2006-01-05", "H01L 21/02;F25B 1/00"),
    ("US5", "2007-01-05", "G06F 3/00"),
    ("US6", "2007-01-05", "A01B 1/02"),
    ("US7", "2008-01-05", "A01B 1/02;G06F 3/00"),
]
TASK = TaskConfig(min_patents=2)


@pytest.fixture
def corpus() -> Corpus:
    return corpus_from([{"patent_id": name, "date": date, "ipc": ipc} for name, date, ipc in ROWS])


def names(history: Corpus, task: TaskConfig = TASK) -> list[list[str]]:
    return candidate_pairs(history, task).pairs.table[schemas.PAIR].to_numpy().tolist()


def test_candidates_are_the_pairs_of_active_codes_never_seen_together(corpus: Corpus) -> None:
    universe = candidate_pairs(corpus.as_of(pd.Timestamp("2007-12-31")), TASK)
    assert universe.pairs.codes.tolist() == ["F25B", "G06F", "H01L"]  # A01B has one patent
    assert universe.pairs.table[schemas.PAIR].to_numpy().tolist() == [["G06F", "H01L"]]
    assert universe.linked == 2
    assert universe.summary() == {"cutoff": "2007-12-31", "codes": 3, "pairs": 1, "linked": 2, "not_in_force": 0}


def test_a_lower_threshold_lets_rarer_codes_in(corpus: Corpus) -> None:
    history = corpus.as_of(pd.Timestamp("2007-12-31"))
    expected = [["A01B", "F25B"], ["A01B", "G06F"], ["A01B", "H01L"], ["G06F", "H01L"]]
    assert names(history, TaskConfig(min_patents=1)) == expected


def test_a_link_takes_a_pair_out_from_its_day_on(corpus: Corpus) -> None:
    task = TaskConfig(min_patents=1)
    assert ["A01B", "G06F"] in names(corpus.as_of(pd.Timestamp("2008-01-04")), task)
    assert ["A01B", "G06F"] not in names(corpus.as_of(pd.Timestamp("2008-01-05")), task)


def test_the_table_keeps_its_schema_order_and_indices(sample_corpus: Corpus) -> None:
    history = sample_corpus.as_of(pd.Timestamp("2012-12-31"))
    universe = candidate_pairs(history, TaskConfig())
    pairs = universe.pairs
    table = schemas.validate(pairs.table, schemas.Pairs, "pairs")
    assert (pairs.codes[pairs.a] == table["code_a"]).all()
    assert (pairs.codes[pairs.b] == table["code_b"]).all()
    assert (table["code_a"] < table["code_b"]).all()
    assert not table.duplicated().any()
    assert len(pairs) + universe.linked == len(pairs.codes) * (len(pairs.codes) - 1) // 2
    assert (history.incidence("ipc", "subclass").joint().toarray().diagonal() == 0).all()


def test_too_few_codes_are_refused_with_what_to_do(corpus: Corpus) -> None:
    with pytest.raises(NotEnoughDataError, match=r"only 0 codes have 3 .* 2005-12-31 .*--min-patents"):
        candidate_pairs(corpus.as_of(pd.Timestamp("2005-12-31")), TaskConfig(min_patents=3))


def test_of_too_many_pairs_those_with_evidence_are_candidates_and_the_rest_is_told(corpus: Corpus) -> None:
    task = TaskConfig(min_patents=1, max_candidates=5)
    found = find_candidates(corpus, task)  # A01B-G06F-F25B-H01L is a chain: its ends share no neighbour
    assert names(corpus, task) == [["A01B", "F25B"], ["G06F", "H01L"]]
    assert (len(found), found.without_evidence) == (2, 1)
    assert found.told() == [
        "candidates: 2 of the 3 pairs that never met have evidence (a shared neighbour 2, parents that met 0); the "
        "rest are not ranked"
    ]
    assert candidate_pairs(corpus, task).summary()["without_evidence"] == 1
    every = find_candidates(corpus, TaskConfig(min_patents=1, max_candidates=6))
    assert (len(every), every.without_evidence, every.told()) == (3, 0, [])


def test_too_many_linked_pairs_are_refused(corpus: Corpus) -> None:
    task = TaskConfig(track="strengthening", horizon=1, min_patents=1, max_candidates=2)
    with pytest.raises(NotEnoughDataError, match="make 3 candidates, more than 2: take a coarser --level"):
        candidate_pairs(corpus, task)


def test_a_fully_linked_universe_is_refused(corpus: Corpus) -> None:
    with pytest.raises(NotEnoughDataError, match=r"linked already .* take a finer --level"):
        candidate_pairs(corpus.as_of(pd.Timestamp("2005-12-31")), TaskConfig(min_patents=1))


@pytest.mark.parametrize(("track", "most"), [("new", 40_000_000), ("strengthening", 40_000_000), ("new", 600)])
def test_blocks_hold_every_candidate_once_and_outcomes_are_those_of_the_whole(
    sample_corpus: Corpus, track: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = TaskConfig.model_validate({"track": track, "max_candidates": most})
    found = find_candidates(sample_corpus.as_of(pd.Timestamp("2012-12-31").as_unit("s")), task)
    whole = found.pairs()
    monkeypatch.setattr(candidates, "BLOCK", 60)
    blocks = [found.chosen(a, b) for a, b in found.blocks()]
    assert len(blocks) > 1
    assert len(found) == len(whole)
    pd.testing.assert_frame_equal(pd.concat([block.table for block in blocks], ignore_index=True), whole.table)
    happened = outcomes(sample_corpus, found, task)
    labels = converged(sample_corpus, whole, task)
    assert happened.nnz == labels.sum() > 0
    assert (happened.toarray()[whole.a, whole.b] == labels).all()


@pytest.mark.parametrize("most", [40_000_000, 600])
def test_a_sample_holds_each_candidate_at_most_once_and_all_as_often(sample_corpus: Corpus, most: int) -> None:
    task = TaskConfig(max_candidates=most)
    found = find_candidates(sample_corpus.as_of(pd.Timestamp("2012-12-31").as_unit("s")), task)
    whole = found.pairs()
    keys = whole.a * len(found.codes) + whole.b
    drawn = np.zeros(len(whole))
    for seed in range(40):
        a, b = found.sample(len(whole) // 4, seed)
        key = a * len(found.codes) + b
        assert (np.diff(key) > 0).all()
        drawn[np.isin(keys, key)] += 1
    assert drawn.sum() == 40 * (len(whole) // 4)
    half = drawn[: len(whole) // 2]
    assert abs(half.mean() - 10) < 5 / len(half) ** 0.5
    assert found.sample(10**9, 0)[0].tolist() == whole.a.tolist()
