"""Which corpora taught the ranker, and when that makes its score no forecast."""

import pandas as pd
import pytest
from factories import corpus_from
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpus.timeline import Corpus
from pipeline.ranking.provenance import SIZE, contained, sketch, taught_later


def ids(first: int, count: int) -> list[str]:
    return [f"US{n}" for n in range(first, first + count)]


@settings(max_examples=20, deadline=None)
@given(st.integers(100, 3000), st.integers(100, 3000), st.integers(0, 3000))
def test_a_sketch_tells_how_much_of_a_corpus_was_in_another(size: int, other: int, shift: int) -> None:
    mine = ids(shift, size)
    truth = len(set(mine) & set(ids(0, other))) / size
    of = sketch(ids(0, other))
    assert len(of) == min(other, SIZE)
    covered = size if other < SIZE else size * SIZE / other  # about how many of mine the sketch can judge
    assert contained(mine, of) == pytest.approx(
        truth, abs=4 * (max(truth * (1 - truth), 0.05) / max(covered, 1)) ** 0.5
    )


def test_a_part_of_a_taught_corpus_is_known_and_a_stranger_is_not() -> None:
    of = sketch(ids(0, 20_000))
    assert contained(ids(5000, 600), of) == 1.0
    assert contained(ids(30_000, 600), of) == 0.0
    assert contained([], of) == contained(ids(0, 3), []) == 0.0


def history(first: int, cutoff: str) -> Corpus:
    rows = [{"patent_id": patent, "date": "2005-01-01", "ipc": "A01B"} for patent in ids(first, 50)]
    return corpus_from([*rows, {"patent_id": "ZZ", "date": "2020-01-01", "ipc": "A01B"}]).as_of(pd.Timestamp(cutoff))


CARS = [f"{patent} 2005-01-01" for patent in ids(0, 50)]
CARD = {
    "task": {"horizon": 3},
    "corpora": [
        {
            "corpus": "cars",
            "cutoffs": ["2008-12-31", "2010-12-31"],
            "sketch": sketch(f"{patent} 2005-01-01" for patent in ids(0, 50)),
        }
    ],
}


def test_a_ranker_does_not_score_what_taught_it_the_future() -> None:
    assert taught_later(history(0, "2012-12-31"), CARD) == (
        True,
        ["prior ranker: it was taught by cars, which holds these patents, up to 2013-12-31, after the cutoff, "
         "so it is left out"],
    )  # fmt: skip


def test_what_it_learnt_of_a_corpus_before_the_cutoff_is_the_past() -> None:
    assert taught_later(history(0, "2013-12-31"), CARD) == (False, [])


def test_later_outcomes_of_other_corpora_are_told() -> None:
    assert taught_later(history(1000, "2012-12-31"), CARD) == (
        False,
        ["prior ranker: taught by other corpora's outcomes up to 2013-12-31, later than the cutoff"],
    )
