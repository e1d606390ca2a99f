"""What became of pairs, read strictly after the cutoff up to the last day of the horizon."""

import pandas as pd
import pytest
from factories import corpus_from

from pipeline import schemas
from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.errors import CutoffError
from pipeline.pairs.base import CandidatePairs
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged, coverage

CUTOFF = pd.Timestamp("2005-12-31")
TASK = TaskConfig(horizon=3, min_patents=1)
OUTSET = [(f"US{n}", "2005-12-31", code) for n, code in enumerate(["A01B", "F25B", "G06F", "H01L"])]


def corpus_with(later: list[tuple[str, str]]) -> Corpus:
    rows = [*OUTSET, *((f"EP{n}", date, ipc) for n, (date, ipc) in enumerate(later)), ("ZZ1", "2009-06-15", "H04L")]
    return corpus_from([{"patent_id": name, "date": date, "ipc": ipc} for name, date, ipc in rows])


def universe(corpus: Corpus) -> CandidatePairs:
    return candidate_pairs(corpus.as_of(CUTOFF), TASK).pairs


def linked(corpus: Corpus, task: TaskConfig = TASK) -> list[str]:
    pairs = universe(corpus)
    labels = converged(corpus, pairs, task)
    assert len(labels) == 6
    return (pairs.table["code_a"] + pairs.table["code_b"])[labels == 1].tolist()


@pytest.mark.parametrize(("date", "counts"), [("2006-01-01", True), ("2008-12-31", True), ("2009-01-01", False)])
def test_the_window_begins_after_the_cutoff_and_ends_with_its_last_day(date: str, counts: bool) -> None:
    assert linked(corpus_with([(date, "A01B;F25B")])) == (["A01BF25B"] if counts else [])


def test_a_patent_of_the_cutoff_day_makes_no_candidate_converge() -> None:
    rows = [*OUTSET, ("US9", "2005-12-31", "A01B;F25B"), ("ZZ1", "2009-06-15", "H04L")]
    corpus = corpus_from([{"patent_id": name, "date": date, "ipc": ipc} for name, date, ipc in rows])
    pairs = universe(corpus)
    assert len(pairs) == 5
    assert ["A01B", "F25B"] not in pairs.table[schemas.PAIR].to_numpy().tolist()
    assert not converged(corpus, pairs, TASK).any()


def test_a_patent_of_three_codes_makes_three_pairs_converge() -> None:
    assert linked(corpus_with([("2006-05-01", "A01B;F25B;H01L")])) == ["A01BF25B", "A01BH01L", "F25BH01L"]


def test_convergence_needs_min_joint_patents() -> None:
    corpus = corpus_with([("2006-05-01", "A01B;F25B"), ("2007-05-01", "A01B;F25B"), ("2007-05-01", "G06F;H01L")])
    assert linked(corpus, TASK.model_copy(update={"min_joint": 2})) == ["A01BF25B"]


def test_an_open_window_has_no_labels() -> None:
    corpus = corpus_with([("2006-05-01", "A01B;F25B")])
    pairs = universe(corpus)
    with pytest.raises(CutoffError, match=r"open until 2008-12-31, but the data end on 2008-12-30"):
        converged(corpus.as_of(pd.Timestamp("2008-12-30")), pairs, TASK)
    assert converged(corpus.as_of(pd.Timestamp("2008-12-31")), pairs, TASK).sum() == 1


def test_coverage_is_the_share_of_new_links_that_the_candidates_held() -> None:
    # one of a code unseen at the cutoff; one outside the window
    corpus = corpus_with([("2006-05-01", "A01B;F25B"), ("2007-05-01", "A01B;H04L"), ("2009-05-01", "G06F;H01L")])
    assert coverage(corpus, universe(corpus), TASK) == 1 / 2


def test_coverage_counts_no_link_that_was_there_before() -> None:
    rows = [*OUTSET, ("US9", "2005-12-31", "A01B;F25B"), ("EP1", "2006-05-01", "A01B;F25B;G06F")]
    corpus = corpus_from([{"patent_id": n, "date": d, "ipc": i} for n, d, i in [*rows, ("ZZ1", "2009-06-15", "H04L")]])
    assert coverage(corpus, universe(corpus), TASK) == 1


def test_coverage_is_unknown_without_a_new_link() -> None:
    corpus = corpus_with([])
    assert coverage(corpus, universe(corpus), TASK) is None
