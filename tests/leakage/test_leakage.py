"""Nothing after the cutoff moves anything before it: the promise the whole forecast rests on."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases import real_data
from factories import flat_rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.config import TaskConfig
from pipeline.corpus.ingest import ingest_tables
from pipeline.corpus.readers import SourceTable, read_source
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.encoders.base import patent_texts
from pipeline.encoders.hashing import HashingEncoder
from pipeline.evaluation.metrics import evaluate
from pipeline.features.base import FeatureTable
from pipeline.features.build import build_features, ranked
from pipeline.forecast import CutoffForecast, forecast_at
from pipeline.fusion.base import FusionConfig
from pipeline.fusion.registry import make_fusion
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged
from pipeline.ranking.base import Origin
from pipeline.ranking.ensemble import EnsembleConfig, rank_pairs
from pipeline.ranking.prior import expected_prior
from pipeline.run_config import RunConfig

TASK = TaskConfig()
LIGHT = RunConfig(ensemble=EnsembleConfig(members=("logistic/none", "lightgbm/none")))
SEED = 11
ENCODER = HashingEncoder(max_characters=300)


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text).as_unit("s")


def silent(message: str) -> None:
    """Progress nobody listens to."""


def until(rows: SourceTable, cutoff: pd.Timestamp) -> SourceTable:
    """The rows of documents dated up to the cutoff: a source that was exported on that day."""
    dates = pd.to_datetime(rows.frame["date"], format="%Y-%m-%d", errors="coerce")
    return dataclasses.replace(rows, frame=rows.frame[dates <= cutoff])


def seen_on(rows: SourceTable, cutoff: pd.Timestamp, extra: SourceTable | None = None) -> Corpus:
    """What a corpus of the rows, with text vectors, knows on the cutoff; ``cutoff`` may lie after its last document."""
    corpus = ingest_tables([rows, *([extra] if extra else [])]).corpus
    corpus = dataclasses.replace(corpus, cutoff=max(corpus.cutoff, cutoff))
    return corpus.with_embeddings(ENCODER.encode(patent_texts(corpus.patents))).as_of(cutoff)


def features(history: Corpus) -> FeatureTable:
    return build_features(history, candidate_pairs(history, TASK).pairs, TASK, SEED)


def origins(history: Corpus, ages: tuple[int, ...]) -> list[Origin]:
    """Past origins with the outcomes the history knows."""
    made = []
    for age in ages:
        earlier = history.as_of(years_before(history.cutoff, age))
        table = features(earlier)
        labels = converged(history, table.pairs, TASK)
        made.append(Origin(table=table, features=ranked(table), labels=labels))
    return made


def assert_same_features(left: FeatureTable, right: FeatureTable) -> None:
    """Equal to the last bit, NaN equal to NaN."""
    pd.testing.assert_frame_equal(left.pairs.table, right.pairs.table)
    pd.testing.assert_frame_equal(left.columns, right.columns, check_exact=True)
    assert list(left.code_vectors) == list(right.code_vectors)
    for name, vectors in left.code_vectors.items():
        np.testing.assert_array_equal(vectors, right.code_vectors[name])
    np.testing.assert_array_equal(left.patent_vectors, right.patent_vectors)
    assert left.carriers.shape == right.carriers.shape
    assert (left.carriers != right.carriers).nnz == 0
    assert left.warnings == right.warnings


@pytest.fixture(scope="module", params=["simulated", "real"])
def source(request: pytest.FixtureRequest) -> tuple[SourceTable, pd.Timestamp]:
    if request.param == "simulated":
        return request.getfixturevalue("sample_rows"), day("2014-06-30")
    return read_source(real_data("corpora/dpl_google.parquet")), day("2008-12-31")


@pytest.fixture(scope="module")
def both(source: tuple[SourceTable, pd.Timestamp]) -> tuple[Corpus, Corpus]:
    """The history of the whole corpus, and of a corpus that never held anything later."""
    rows, cutoff = source
    return seen_on(rows, cutoff), seen_on(until(rows, cutoff), cutoff)


def test_a_history_is_the_corpus_that_could_have_been_made_on_that_day(both: tuple[Corpus, Corpus]) -> None:
    whole, truncated = both
    for name in ("patents", "patent_codes", "citations", "parties", "members"):
        pd.testing.assert_frame_equal(getattr(whole, name), getattr(truncated, name), obj=name)
    np.testing.assert_array_equal(whole.embeddings, truncated.embeddings)


def test_features_do_not_know_what_came_later(both: tuple[Corpus, Corpus]) -> None:
    whole, truncated = both
    assert_same_features(features(whole), features(truncated))


def test_past_outcomes_and_the_expected_prior_do_not_know_what_came_later(both: tuple[Corpus, Corpus]) -> None:
    past = [origins(history, (4, 3)) for history in both]
    for left, right in zip(*past, strict=True):
        np.testing.assert_array_equal(left.outcome, right.outcome)
        assert left.outcome.any()
    assert expected_prior(both[0], past[0], TASK) == expected_prior(both[1], past[1], TASK)


CUTOFF = day("2012-12-31")
SYMBOLS = ["A01B 1/02", "F25B 41/20", "G06F 3/00", "H01M 10/04", "H04L 9/32", "Y02E 60/10", "B60L 50/50"]


@st.composite
def absurd_patents(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Documents after the cutoff that carry everything, cite the past, join its families and repeat its firms."""
    rows = []
    for number in range(draw(st.integers(1, 8))):
        after = CUTOFF + pd.Timedelta(days=draw(st.integers(1, 9000)))
        rows.append(
            {
                "patent_id": f"ZZ{number}",
                "date": f"{after:%Y-%m-%d}",
                "ipc": draw(st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=7, unique=True)),
                "title": draw(st.sampled_from(["", "battery " * 50, "a claim on everything"])),
                "abstract": draw(st.sampled_from(["", "cooling neural tractor"])),
                "claims_count": draw(st.sampled_from(["", "0", "9999"])),
                "inventors": draw(st.sampled_from(["", "A. Nobody;B. Nobody"])),
            }
        )
    return rows


@pytest.fixture(scope="module")
def settled(sample_rows: SourceTable) -> FeatureTable:
    return features(seen_on(sample_rows, CUTOFF))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(absurd=absurd_patents(), data=st.data())
def test_whatever_is_appended_deleted_or_changed_after_the_cutoff_moves_nothing(
    sample_rows: SourceTable, settled: FeatureTable, absurd: list[dict[str, Any]], data: st.DataObject
) -> None:
    past = sample_rows.frame[sample_rows.frame["date"] <= f"{CUTOFF:%Y-%m-%d}"]
    pick = st.sampled_from(range(len(past)))
    for row in absurd:  # a member of a family that began before, and references to what was there
        known = past.iloc[data.draw(pick)]
        row |= {"family_id": known["family_id"], "cited_ids": known["patent_id"]}
    frame = sample_rows.frame
    later = frame["date"] > f"{CUTOFF:%Y-%m-%d}"
    gone = later & (np.arange(len(frame)) % data.draw(st.integers(1, 3)) == 0)
    changed = frame[~gone].assign(
        ipc=frame["ipc"].mask(later, "A01B 1/02;H04L 9/32"), title=frame["title"].mask(later, "changed since")
    )
    moved = seen_on(dataclasses.replace(sample_rows, frame=changed), CUTOFF, flat_rows(absurd))
    assert_same_features(features(moved), settled)


def test_the_comparison_would_see_a_leak(sample_rows: SourceTable, settled: FeatureTable) -> None:
    """A patent on the cutoff day itself belongs to the past, and moves the features."""
    one = flat_rows([{"patent_id": "ZZ1", "date": f"{CUTOFF:%Y-%m-%d}", "ipc": SYMBOLS}])
    with pytest.raises(AssertionError):
        assert_same_features(features(seen_on(sample_rows, CUTOFF, one)), settled)


def same_forecast(left: CutoffForecast, right: CutoffForecast) -> None:
    pd.testing.assert_frame_equal(left.predictions, right.predictions, check_exact=True)
    pd.testing.assert_frame_equal(left.ranking.members, right.ranking.members, check_exact=True)
    assert left.ranking.weights == right.ranking.weights
    assert left.prior == right.prior
    assert left.universe.summary() == right.universe.summary()
    assert left.training == right.training
    assert left.warnings == right.warnings


@pytest.mark.slow
def test_a_whole_forecast_is_the_same_bytes_with_and_without_the_future(sample_rows: SourceTable) -> None:
    cutoff = day("2014-12-31")
    whole = forecast_at(seen_on(sample_rows, cutoff), LIGHT, silent)
    truncated = forecast_at(seen_on(until(sample_rows, cutoff), cutoff), LIGHT, silent)
    same_forecast(whole, truncated)


Relabel = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def test_a_model_taught_nonsense_ranks_no_better_than_chance(sample_corpus: Corpus) -> None:
    """With past outcomes shuffled over the pairs, average precision stands at prevalence; with the true ones, above.

    Shuffled, the mean lift over eight seeds must lie in (0.5, 1.7): single seeds scatter, since a nonsense model still
    ranks along some feature.
    """
    cutoff = day("2016-12-31")
    corpus = sample_corpus.with_embeddings(ENCODER.encode(patent_texts(sample_corpus.patents)))
    history = corpus.as_of(cutoff)
    table = features(history)
    target = Origin(table=table, features=ranked(table), labels=None)
    past = origins(history, (6, 4, 3))
    labels = converged(corpus, table.pairs, TASK)
    config = EnsembleConfig(members=("logistic/none",))

    def lift(origins: list[Origin], seed: int) -> float:
        ranking = rank_pairs(origins, target, TASK.horizon, 0.02, make_fusion(FusionConfig()), config, seed, silent)
        found = evaluate(labels, ranking.score_raw, None, table.pairs.a, table.pairs.b)
        precision = found.loc[found["metric"] == "average_precision", "value"].iloc[0]
        return float(precision / labels.mean())

    shuffled = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        nonsense = [dataclasses.replace(origin, labels=rng.permutation(origin.outcome)) for origin in past]
        shuffled.append(lift(nonsense, seed))
    assert 0.5 < np.mean(shuffled) < 1.7, shuffled
    assert lift(past, 0) > 2 * np.mean(shuffled)
