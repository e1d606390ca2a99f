"""Candidates that go by in blocks: learnt from samples, ranked together."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipeline import forecast, forecast_in_blocks
from pipeline.corpus.timeline import Corpus
from pipeline.cutoff import CutoffForecast
from pipeline.evaluation.explain import explanations
from pipeline.pairs import candidates
from pipeline.run_config import RunConfig

CONFIG = RunConfig.model_validate({"features": {"blocks": ["network", "cooccurrence"]}})


def made(history: Corpus, at_once: int) -> CutoffForecast:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forecast, "BLOCK", 0)
        patch.setattr(candidates, "BLOCK", at_once)
        patch.setattr(forecast_in_blocks, "SAMPLE", 1500)
        patch.setattr(forecast_in_blocks, "HEAD", 50)
        return forecast.forecast_at(dataclasses.replace(history), CONFIG, lambda message: None)


@pytest.fixture(scope="module")
def history(sample_corpus: Corpus) -> Corpus:
    return sample_corpus.as_of(pd.Timestamp("2014-12-31").as_unit("s"))


@pytest.fixture(scope="module")
def forecast_made(history: Corpus) -> CutoffForecast:
    return made(history, 10_000)


def test_no_score_depends_on_the_size_of_a_block(history: Corpus, forecast_made: CutoffForecast) -> None:
    other = made(history, 400)
    assert forecast_made.whole_list and other.whole_list
    np.testing.assert_array_equal(forecast_made.whole_list.score_raw, other.whole_list.score_raw)
    pd.testing.assert_frame_equal(forecast_made.predictions, other.predictions)


def test_the_list_holds_all_candidates_and_the_predictions_its_head(
    forecast_made: CutoffForecast, tmp_path: Path
) -> None:
    whole = forecast_made.whole_list
    assert whole is not None
    whole.write(tmp_path / "whole_list.parquet")
    table = pq.read_table(tmp_path / "whole_list.parquet").to_pandas()
    assert len(table) == forecast_made.universe.summary()["pairs"] == len(whole.candidates)
    assert sorted(table["rank"]) == list(range(1, len(table) + 1))
    assert table["probability"].mean() == pytest.approx(forecast_made.prior)
    head = table.sort_values("rank").head(50)
    assert forecast_made.predictions["rank"].tolist() == list(range(1, 51))
    assert forecast_made.predictions["code_a"].tolist() == head["code_a"].tolist()
    assert forecast_made.predictions["probability"].tolist() == head["probability"].tolist()


def test_the_record_says_what_is_done_otherwise(forecast_made: CutoffForecast) -> None:
    said = " ".join(forecast_made.warnings)
    for words in ("too many for one table", "whole_list.parquet", "fusion net is left out", "heuristics only"):
        assert words in said


def test_no_member_beats_the_ranking_on_the_validation_origin(forecast_made: CutoffForecast) -> None:
    precision = forecast_made.ranking.details["validation_average_precision"]
    assert {"lightgbm/none", "heuristic/adamic_adar", "prior/boosted"} <= set(precision)
    assert precision["ranking"] == max(precision.values())


def test_the_head_is_explained(forecast_made: CutoffForecast) -> None:
    table, check = explanations(forecast_made, np.arange(5), 3, 7)
    assert table.groupby(["code_a", "code_b"]).ngroups == 5
    assert check is not None


def test_past_origins_are_limited_to_evidence_where_the_target_is(history: Corpus) -> None:
    said: list[str] = []
    task = CONFIG.task.model_copy(update={"max_candidates": 1000})  # fewer than the target's, more than the past's
    limited = CONFIG.model_copy(update={"task": task})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forecast, "BLOCK", 0)
        forecast_made = forecast.forecast_at(dataclasses.replace(history), limited, said.append)
    whole = forecast_made.whole_list
    assert whole is not None and whole.candidates.limited
    assert any("have evidence" in warning and "not ranked" in warning for warning in forecast_made.warnings)
    earlier = candidates.find_candidates(history.as_of(forecast_made.training[-1]), task, limited=True)
    assert f"a sample of {len(earlier):,} pairs" in " ".join(said)
    assert earlier.limited
