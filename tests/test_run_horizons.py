"""Runs over several horizons: each as a run of its own would give it, joined; and what cannot be known is left out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from runs import FEW_BLOCKS, FIRM, asked, predictions, silent_run, stored

from pipeline.corpus.readers import SourceTable
from pipeline.errors import CutoffError
from pipeline.run import load_request
from pipeline.run_request import part_requests

LIGHT = {
    "ensemble": {"members": ["logistic/none"], "training_origins": 2},
    "features": FEW_BLOCKS,
    "task": {"level": "class"},
}
KEY = ["cutoff", "code_a", "code_b"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A place of its own for this module's corpora, runs and cache."""
    folder = tmp_path_factory.mktemp("horizons")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TECHCONVERGE_CACHE", str(folder / "cache"))
        yield folder


@pytest.fixture(scope="module")
def corpus(home: Path, sample_rows: SourceTable) -> Path:
    """Documents of 2005 to 2019."""
    return stored(sample_rows, home / "corpus")


@pytest.fixture(scope="module")
def backtest(home: Path, corpus: Path) -> Path:
    """Two cutoffs; five years after the second one the data have ended."""
    request = asked("backtest", corpus, "2014-12-31", "2015-12-31", firm=FIRM, horizons=[1, 5], **LIGHT)
    return silent_run(request, home / "backtest")


@pytest.fixture(scope="module")
def forecast(home: Path, corpus: Path) -> Path:
    """A forecast whose past is long enough for one year ahead, and not for five or six."""
    task = LIGHT["task"] | {"horizon": 1}
    request = asked(
        "forecast", corpus, "2010-06-30", horizons=[2, 5, 6], **LIGHT | {"task": task, "prior_ranker": "none"}
    )
    return silent_run(request, home / "forecast")


def read(folder: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / name).read_text())
    return content


def horizons(folder: Path, cutoff: str) -> pd.DataFrame:
    table = pd.read_parquet(folder / "horizons.parquet")
    return table[table["cutoff"] == pd.Timestamp(cutoff)]


def test_every_candidate_has_every_horizon_and_labels_never_unhappen(backtest: Path) -> None:
    table = pd.read_parquet(backtest / "horizons.parquet")
    main = predictions(backtest)
    wide = table.pivot_table(index=KEY, columns="horizon", values=["probability", "cumulative", "label"])
    assert len(table) == 3 * len(main)
    assert wide["probability"].notna().all(axis=None)
    of_main = main.set_index(KEY).loc[wide.index]
    np.testing.assert_array_equal(wide["probability"][3], of_main["probability"])
    np.testing.assert_array_equal(wide["label"][3], of_main["label"].astype(float))
    assert (wide["cumulative"].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    known = wide["label"].dropna()
    assert (known.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    assert 0 < known[1].sum() < known[3].sum() < known[5].sum()


def test_a_further_horizon_is_what_a_run_of_its_own_gives(home: Path, corpus: Path, backtest: Path) -> None:
    task = LIGHT["task"] | {"horizon": 1}
    alone = silent_run(asked("backtest", corpus, "2015-12-31", **LIGHT | {"task": task}), home / "alone")
    table = horizons(backtest, "2015-12-31").query("horizon == 1")
    expected = predictions(alone)[[*KEY, "probability", "label"]]
    found = table[[*KEY, "probability", "label"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, check_exact=True)
    further = read(backtest, "metrics.json")["horizons"]["1"]
    assert further["horizon"] == 1
    rows = [row for row in further["metrics"] if row["cutoff"] == "2015-12-31"]
    assert rows == [row for row in read(alone, "metrics.json")["metrics"] if row["cutoff"] == "2015-12-31"]
    assert not (alone / "horizons.parquet").exists()
    assert "horizons" not in read(alone, "metrics.json")


def test_an_open_window_is_forecast_not_tested_and_said_once(backtest: Path) -> None:
    assert horizons(backtest, "2014-12-31").query("horizon == 5")["label"].notna().all()
    assert horizons(backtest, "2015-12-31").query("horizon == 5")["label"].isna().all()
    record, metrics = read(backtest, "run.json"), read(backtest, "metrics.json")
    said = [warning for warning in record["warnings"] if "not tested" in warning]
    assert said == [
        "horizon 5 is forecast from 2015-12-31 but not tested there: "
        "its window outlasts the data, which end on 2019-12-31"
    ]
    assert [origin["cutoff"] for origin in metrics["horizons"]["5"]["origins"]] == ["2014-12-31"]
    assert metrics["horizon"] == 3
    assert [origin["cutoff"] for origin in metrics["origins"]] == ["2014-12-31", "2015-12-31"]


def test_an_open_window_of_the_main_horizon_is_still_refused(home: Path, corpus: Path) -> None:
    with pytest.raises(CutoffError, match="cannot be tested"):
        silent_run(asked("backtest", corpus, "2018-12-31", horizons=[1], **LIGHT), home / "refused")


def test_the_record_and_the_list_name_every_horizon(backtest: Path) -> None:
    record = read(backtest, "run.json")
    assert (record["horizon"], record["config"]["horizons"]) == (3, [1, 5])
    assert {years: of_it["tested_cutoffs"] for years, of_it in record["further_horizons"].items()} == {
        "1": ["2014-12-31", "2015-12-31"],
        "5": ["2014-12-31"],
    }
    assert "horizons.parquet" in record["outputs"]
    ranked = pd.read_csv(backtest / "ranked.csv")
    assert ranked[["probability_1y", "probability_3y", "probability_5y"]].diff(axis=1).min(axis=None) >= 0
    best = ranked.loc[0, ["code_a", "code_b"]].tolist()
    table = horizons(backtest, "2015-12-31").set_index(KEY[1:])
    assert table.loc[tuple(best), "cumulative"].tolist() == pytest.approx(
        ranked.loc[0, ["probability_1y", "probability_3y", "probability_5y"]].tolist()
    )


def test_at_every_cutoff_and_horizon_no_member_beats_the_ranking_on_the_validation_origin(backtest: Path) -> None:
    record = read(backtest, "run.json")
    for horizon in (record, *record["further_horizons"].values()):
        for cutoff in ("2014-12-31", "2015-12-31"):
            precision = horizon["ensemble"][cutoff]["validation_average_precision"]
            assert {"logistic/none", "heuristic/adamic_adar", "prior/boosted"} <= set(precision)
            assert precision["ranking"] == max(precision.values())


def test_the_report_shows_each_horizon(backtest: Path) -> None:
    page = (backtest / "report.html").read_text()
    assert page.count('<svg class="soon"') == 20
    assert '<table class="numbers by-horizon">' in page


def test_a_horizon_without_enough_past_is_left_out_and_said(forecast: Path) -> None:
    assert set(pd.read_parquet(forecast / "horizons.parquet")["horizon"]) == {1, 2}
    record = read(forecast, "run.json")
    assert (record["horizon"], list(record["further_horizons"])) == (1, ["2"])
    said = [warning for warning in record["warnings"] if "is left out" in warning]
    assert said[0].startswith("horizon 5 is left out at 2010-06-30: no training origin before 2010-06-30 has")
    assert said[1].startswith("horizon 6 is left out at 2010-06-30: the data begin on 2005-")
    assert len(said) == 2
    page = (forecast / "report.html").read_text()
    assert all(warning in page for warning in said)


def test_each_horizon_of_a_forecast_is_tested_as_far_back_as_it_is_long(forecast: Path) -> None:
    assert pd.read_parquet(forecast / "horizons.parquet")["label"].isna().all()
    metrics = read(forecast, "metrics.json")
    assert [origin["cutoff"] for origin in metrics["origins"]] == ["2009-06-30"]
    assert [origin["cutoff"] for origin in metrics["horizons"]["2"]["origins"]] == ["2008-06-30"]
    tested = pd.read_parquet(forecast / "tested.parquet")
    assert tested["cutoff"].unique().tolist() == [pd.Timestamp("2009-06-30")]


def test_a_run_over_several_horizons_can_be_repeated(home: Path, forecast: Path) -> None:
    again = silent_run(load_request(forecast / "run.json"), home / "again")
    assert read(again, "run.json")["outputs"] == read(forecast, "run.json")["outputs"]


def test_a_part_is_the_same_whatever_other_horizons_the_run_has(corpus: Path) -> None:
    several = part_requests(asked("backtest", corpus, "2014-12-31", firm=FIRM, horizons=[1, 5]))
    assert [part.config.task.horizon for part in several] == [1, 5, 3]
    assert [part.explained for part in several] == [False, False, True]
    assert [part.known_until.year if part.known_until else None for part in several] == [2015, 2019, 2017]
    (alone,) = part_requests(asked("backtest", corpus, "2014-12-31", firm=FIRM))
    assert several[-1].key() == alone.key()
    assert len({part.key() for part in several}) == 3
