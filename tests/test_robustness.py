"""Odd corpora: a sensible answer or one clear line, never a traceback, a NaN or a storm of warnings."""

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest
from cases import real_data
from leakage.told import features, silent, whole
from odd import (
    DEFAULT_DAY,
    USUAL,
    Edit,
    Odd,
    between,
    exploding,
    first_code,
    four_codes,
    in_turn,
    one_section,
    only_codes,
    together,
)
from runs import LIGHT
from sklearn.metrics import roc_auc_score

from pipeline.background.summary import summarise
from pipeline.config import TaskConfig
from pipeline.corpus.readers import SourceTable, read_source
from pipeline.corpus.timeline import Corpus
from pipeline.errors import CorpusError, CutoffError, NotEnoughDataError, TechconvergeError
from pipeline.forecast import CutoffForecast, forecast_at
from pipeline.pairs.labels import converged
from pipeline.run_config import load_config


def changed(rows: SourceTable, frame: pd.DataFrame) -> SourceTable:
    return dataclasses.replace(rows, frame=frame.set_axis(pd.RangeIndex(1, len(frame) + 1)))


def asked(corpus: Corpus, odd: Odd, outside: Corpus | None = None, prior_ranker: str = "shipped") -> CutoffForecast:
    """The forecast; a warning of any library is a failure."""
    light = LIGHT | {"ensemble": LIGHT["ensemble"] | {"min_positives": odd.min_positives}, "task": odd.task}
    config = load_config(None, light | {"prior_ranker": prior_ranker})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        background = summarise(outside, config.task.scheme, config.task.level) if outside else None
        return forecast_at(corpus.as_of(pd.Timestamp(odd.day).as_unit("s")), config, silent, background)


def corpus_of(rows: SourceTable, odd: Odd) -> Corpus:
    return whole(changed(rows, odd.edit(rows.frame)), pd.Timestamp(odd.day).as_unit("s"))


def assert_sensible(forecast: CutoffForecast) -> None:
    """Numbers everywhere, probabilities that add up to the count expected, a rank for each candidate."""
    table = forecast.predictions
    bounds = ["probability_low", "probability_high"]  # unknown where the prior ranker must not be asked
    assert table[bounds].isna().all(axis=None) or np.isfinite(table[bounds]).all(axis=None)
    numbers = table.select_dtypes("number").drop(columns=["label", *bounds])
    assert np.isfinite(numbers.to_numpy(dtype=float)).all()
    assert table["probability"].between(0, 1).all()
    assert table["probability"].sum() == pytest.approx(forecast.prior * len(table), rel=1e-6)
    assert 0 < forecast.prior < 1
    assert sorted(table["rank"]) == list(range(1, len(table) + 1))
    assert all("\n" not in warning and warning for warning in forecast.warnings)


def lead_over_chance(forecast: CutoffForecast, outcome: np.ndarray) -> float:
    """ROC-AUC above 1/2, in standard errors of a random ranking: sqrt((P + N + 1) / 12 P N) (Mann & Whitney 1947)."""
    positives, negatives = int(outcome.sum()), int((1 - outcome).sum())
    error = np.sqrt((positives + negatives + 1) / (12 * positives * negatives))
    return float((roc_auc_score(outcome, forecast.predictions["score_raw"]) - 0.5) / error)


def outcome_of(forecast: CutoffForecast, later: Corpus, odd: Odd) -> np.ndarray:
    return converged(later, forecast.universe.pairs, TaskConfig(**odd.task))


ANSWERED = {
    "nothing but a number, a date and codes": Odd(only_codes),
    "codes of one section": Odd(one_section),
    "twelve new links in all the past": Odd(together(12)),
    "four codes": Odd(four_codes, "2013-12-31", min_positives=1),
    "two years of data": Odd(between("2013-01-01", "2014-12-31"), task={"horizon": 1, "min_patents": 1}),
    "patents of two days": Odd(
        lambda frame: frame.assign(date=np.array(["2010-12-31", "2014-12-31"])[np.arange(len(frame)) % 2])
    ),
    "no patent in the last years": Odd(
        lambda frame: frame.assign(date=frame["date"].where(frame["date"] < "2011", "2018-12-31"))
    ),
    "a window longer than the data": Odd(lambda frame: frame, task={"window": 20}),
    "every text the same": Odd(lambda frame: frame.assign(title="cooling device", abstract="", claims="")),
}
MORE = "take another --level, a longer --horizon, a later --cutoff or a larger corpus"
REFUSED: dict[str, tuple[Odd, type[TechconvergeError], str]] = {
    "one code": (Odd(in_turn("A01B 1/00")), NotEnoughDataError, "only 1 codes have 3 or more .*: take a later"),
    "two codes, always together": (Odd(in_turn("A01B 1/00;F25B 1/00")), NotEnoughDataError, "take a finer --level"),
    "one section, asked for sections": (
        Odd(one_section, task={"level": "section"}),
        NotEnoughDataError,
        "only 1 codes .* take a later --cutoff, a coarser --level, the other --scheme",
    ),
    "one year of data": (
        Odd(between("2014-01-01", "2014-12-31"), task={"horizon": 1}),
        CutoffError,
        "the data begin on 2014-01-.*a horizon of 1 needs at least 2 years",
    ),
    "patents of one day": (
        Odd(lambda frame: frame.assign(date=DEFAULT_DAY)),
        CutoffError,
        "the data begin on 2014-12-31.* a horizon of 3 needs at least 4 years",
    ),
    "one patent": (Odd(lambda frame: frame.head(1)), NotEnoughDataError, "only 0 codes .*: take a later --cutoff"),
    "no codes of the scheme": (
        Odd(lambda frame: frame.assign(ipc="")),
        NotEnoughDataError,
        "only 0 codes .* the other --scheme",
    ),
    "no codes at all": (Odd(lambda frame: frame.assign(ipc="", cpc="")), CorpusError, "no valid IPC or CPC symbol"),
    # without a past to learn from
    "two codes, never together": (
        Odd(in_turn("A01B 1/00", "F25B 1/00")),
        NotEnoughDataError,
        rf"\(the best has 0\): {MORE}",
    ),
    "one new link in all the past": (Odd(together(1)), NotEnoughDataError, rf"\(the best has 1\): {MORE}"),
    "one new link, and one asked for": (
        Odd(together(1), min_positives=1),
        NotEnoughDataError,
        f"all new links .* into one fold by pair: {MORE}",
    ),
    "no new link ever": (Odd(together(0)), NotEnoughDataError, rf"\(the best has 0\): {MORE}"),
}


@pytest.fixture(scope="module", params=ANSWERED.values(), ids=ANSWERED.keys())
def answered(request: pytest.FixtureRequest, sample_rows: SourceTable) -> tuple[Corpus, Odd]:
    return corpus_of(sample_rows, request.param), request.param


def test_odd_corpora_get_a_sensible_answer(answered: tuple[Corpus, Odd]) -> None:
    assert_sensible(asked(*answered))


@pytest.mark.parametrize(("odd", "kind", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_answered_is_refused_in_a_line_that_says_what_to_do(
    sample_rows: SourceTable, odd: Odd, kind: type[TechconvergeError], message: str
) -> None:
    with pytest.raises(kind, match=message) as raised:
        asked(corpus_of(sample_rows, odd), odd, prior_ranker="none")
    assert "\n" not in str(raised.value)


WITHOUT_A_PAST = ("two codes, never together", "one new link in all the past", "no new link ever")


@pytest.mark.parametrize("name", WITHOUT_A_PAST)
def test_what_other_corpora_taught_answers_where_there_is_no_past(sample_rows: SourceTable, name: str) -> None:
    odd = REFUSED[name][0]
    forecast = asked(corpus_of(sample_rows, odd), odd, prior_ranker="shipped")
    assert any("the prior ranker, taught by other corpora, ranks alone" in warning for warning in forecast.warnings)
    assert forecast.predictions["probability"].between(0, 1).all()


def test_every_block_has_a_value_or_none_for_each_pair_of_an_odd_corpus(answered: tuple[Corpus, Odd]) -> None:
    corpus, odd = answered
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = features(corpus, pd.Timestamp(odd.day).as_unit("s"))
    for name in set(told) - {"history", "universe"}:
        block = told[name]
        assert len(block.columns) == len(told["universe"].pairs) or block.columns.shape[1] == 0, name
        assert not np.isinf(block.columns.to_numpy()).any(), name
        assert block.columns.shape[1] or block.warnings, name


REAL = {
    "600 patents on lithium cells": ("dpl_google", Odd(lambda f: f.sample(600, random_state=1), "2011-06-30")),
    "600 patents on pizza": ("pizza_patentscope", Odd(lambda f: f.sample(600, random_state=1), "2012-12-31")),
    "600 patents on reactors": (
        "nuclear_g21_patentsview",
        Odd(lambda f: f.sample(600, random_state=1), "2020-12-31", {"scheme": "cpc", "horizon": 1}),
    ),
    "a field that explodes": ("pizza_patentscope", Odd(lambda f: exploding(f, 2012, 400), "2012-12-31")),
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "odd"), REAL.values(), ids=REAL.keys())
def test_small_and_exploding_real_corpora_are_ranked_better_than_chance(name: str, odd: Odd) -> None:
    """By three standard errors of a random ranking at least; and the count expected is of the right order."""
    corpus = corpus_of(read_source(real_data(f"corpora/{name}.parquet")), odd)
    forecast = asked(corpus, odd)
    assert_sensible(forecast)
    outcome = outcome_of(forecast, corpus, odd)
    assert outcome.sum() > 5
    assert lead_over_chance(forecast, outcome) > 3
    assert outcome.sum() / 10 < forecast.predictions["probability"].sum() < 10 * outcome.sum()


def test_the_field_that_explodes_grows_as_told() -> None:
    corpus = read_source(real_data("corpora/pizza_patentscope.parquet")).frame
    by_year = exploding(corpus, 2012, 400)["date"].str[:4].value_counts()
    assert by_year["2012"] > 25 * by_year["2002"]


@pytest.fixture(scope="module")
def usual(sample_rows: SourceTable) -> tuple[Corpus, CutoffForecast]:
    """The simulated corpus as it is, and its forecast."""
    corpus = corpus_of(sample_rows, USUAL)
    return corpus, asked(corpus, USUAL)


def test_where_offices_stop_giving_second_codes_few_links_are_expected(
    usual: tuple[Corpus, CutoffForecast], sample_rows: SourceTable
) -> None:
    """From 2013 on nothing is linked: at the end of 2014 next to nothing is expected, and nothing is claimed."""
    broken = Odd(lambda frame: frame.assign(ipc=frame["ipc"].mask(frame["date"] > "2012-12-31", first_code(frame))))
    before, after = usual[1], asked(corpus_of(sample_rows, broken), broken)
    assert_sensible(after)
    assert after.predictions["probability"].sum() < before.predictions["probability"].sum() / 10
    assert after.predictions["probability"].max() < 0.1


@pytest.mark.parametrize("code", ["H10N 99/00", "G06Q 99/00"])
def test_where_all_patents_get_one_more_code_the_ranking_of_the_others_holds(
    sample_rows: SourceTable, code: str
) -> None:
    """An indexing code on every patent from July 2013: its pairs all converge, and are seen to come."""
    late = sample_rows.frame["date"] > "2013-06-30"
    odd = Odd(lambda frame: frame.assign(ipc=frame["ipc"].mask(late, frame["ipc"] + ";" + code)))
    corpus = corpus_of(sample_rows, odd)
    forecast = asked(corpus, odd)
    assert_sensible(forecast)
    outcome = outcome_of(forecast, corpus, odd)
    table = forecast.predictions
    tagged = ((table["code_a"] == code[:4]) | (table["code_b"] == code[:4])).to_numpy()
    others = dataclasses.replace(forecast, predictions=table[~tagged])
    assert outcome[tagged].mean() > 5 * outcome[~tagged].mean()
    assert table["rank"][tagged].median() < len(table) / 5
    assert lead_over_chance(others, outcome[~tagged]) > 3


SILENT_BACKGROUNDS = {
    "of one patent": lambda frame: frame.head(1),
    "that begins later": between("2016-01-01", "2019-12-31"),
    "of other codes": in_turn("C12N 1/00;C12P 1/00"),
}


@pytest.mark.slow
@pytest.mark.parametrize("edit", SILENT_BACKGROUNDS.values(), ids=SILENT_BACKGROUNDS.keys())
def test_a_background_that_has_nothing_to_say_changes_nothing_and_says_so(
    usual: tuple[Corpus, CutoffForecast], sample_rows: SourceTable, edit: Edit
) -> None:
    corpus, alone = usual
    beside = asked(corpus, USUAL, corpus_of(sample_rows, Odd(edit)))
    pd.testing.assert_frame_equal(alone.predictions, beside.predictions, check_exact=True)
    assert any(warning.startswith("background: ") for warning in beside.warnings)
