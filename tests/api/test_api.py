"""The Python API says what the run folders say, and shows it without trusting it."""

import datetime
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from report.fixtures import ORIGINS, write_run
from runs import FIRM, LIGHT, stored

import pipeline
from pipeline import Backtest, BlockOutput, Corpus, Forecast, Opportunities, extensions
from pipeline.api.corpus import timestamp
from pipeline.api.html import plain
from pipeline.corpus.readers import SourceTable
from pipeline.errors import ArtifactError, ConfigError, CutoffError
from pipeline.features.base import BlockOutput as Inner

LIGHTEST: dict[str, Any] = LIGHT | {"features": {"blocks": ["network"]}, "ensemble": {"members": ["logistic/none"]}}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def corpus(home: Path, sample_rows: SourceTable) -> Corpus:
    return Corpus.open(stored(sample_rows, home / "corpus"))


@pytest.fixture(scope="module")
def written(home: Path) -> Forecast:
    """A forecast whose folder was written without computing it."""
    return Forecast.open(write_run(home / "forecast"))


@pytest.fixture(scope="module")
def backtest(home: Path) -> Backtest:
    return Backtest.open(write_run(home / "backtest", command="backtest", firm=None))


@pytest.fixture
def forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "_KNOWN", {})


def test_the_package_hands_the_api_out_when_it_is_asked_for() -> None:
    assert BlockOutput is Inner
    with pytest.raises(AttributeError):
        _ = pipeline.nothing
    program = "import sys, pipeline; print(sorted({'pandas', 'pipeline.api'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_a_corpus_tells_what_is_in_it(corpus: Corpus, sample_rows: SourceTable) -> None:
    facts = dict(corpus.describe().itertuples(index=False, name=None))
    assert facts["patents"] == len(corpus.patents) == corpus.by_year().sum()
    assert facts["simulated"] is True
    codes = corpus.codes()
    assert codes["patents"].is_monotonic_decreasing
    code = codes.loc[0]
    carrying = corpus.history.patent_codes.query("scheme == 'ipc'")
    on_it = carrying[carrying["symbol"].str.startswith(code["code"])]["patent_id"].nunique()
    assert code["patents"] == on_it
    firms = corpus.firms()
    assert FIRM in set(firms["name"])
    assert firms["patents"].is_monotonic_decreasing


def test_a_corpus_as_of_a_day_knows_nothing_later(corpus: Corpus) -> None:
    seen = corpus.as_of("2012-12-31")
    assert seen.cutoff == datetime.date(2012, 12, 31)
    assert seen.patents["knowledge_date"].max() <= pd.Timestamp("2012-12-31")
    assert len(seen.patents) == (corpus.patents["knowledge_date"] <= pd.Timestamp("2012-12-31")).sum()
    assert seen.as_of(datetime.date(2010, 1, 1)).cutoff == datetime.date(2010, 1, 1)
    for day in ("2013-01-01", corpus.cutoff):
        with pytest.raises(CutoffError):
            seen.as_of(day)
    pairs = seen.candidates(level="class")
    assert (pairs.table["cutoff"] == pd.Timestamp("2012-12-31")).all()
    with pytest.raises(ConfigError, match="is not a day"):
        seen.as_of("yesterday evening")


def test_a_corpus_is_made_from_files_and_from_the_simulation(home: Path, sample_rows: SourceTable) -> None:
    sample_rows.frame.to_csv(home / "patents.csv", index=False)
    made = Corpus.ingest([home / "patents.csv"], home / "made")
    assert len(made.patents) > 1000
    assert not made.manifest["simulated"]
    simulated = Corpus.sample(home / "simulated", seed=1, patents=200)
    assert "no real patent" in simulated._repr_html_()


def test_neither_forecast_nor_backtest_looks_past_what_is_known(corpus: Corpus, tmp_path: Path) -> None:
    seen = corpus.as_of("2014-12-31")
    with pytest.raises(CutoffError, match="lies after 2014-12-31"):
        Forecast.run(seen, tmp_path / "run", cutoff="2015-12-31")
    with pytest.raises(CutoffError, match="window ends on 2015-12-31, known here is 2014-12-31"):
        Backtest.run(seen, tmp_path / "run", cutoffs=["2012-12-31"])
    with pytest.raises(ConfigError, match=r"task\.horizn"):
        Forecast.run(seen, tmp_path / "run", horizn=3)
    assert not (tmp_path / "run").exists()


def age(history: Any, pairs: Any, task: Any, seed: Any) -> BlockOutput:
    """Patents of the smaller code: a block of one's own."""
    incidence = history.incidence(task.scheme, task.level)
    counts = incidence.counts()[np.searchsorted(incidence.codes, pairs.codes)]
    return BlockOutput({"age__patents__all__lag0": np.minimum(counts[pairs.a], counts[pairs.b])})


def bayes(seed: int, positives: int) -> Any:
    """A learner of one's own."""
    from sklearn.naive_bayes import GaussianNB

    return GaussianNB()


@pytest.mark.usefixtures("forgetting")
def test_a_forecast_with_ones_own_is_run_read_explained_and_compared(
    corpus: Corpus, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TECHCONVERGE_CACHE", str(home / "cache"))
    told: list[str] = []
    run = Forecast.run(
        corpus.as_of("2016-12-31"),
        home / "run",
        firm=FIRM,
        level="class",
        min_patents=2,
        blocks=[age],
        learners=[bayes],
        settings=LIGHTEST | {"prior_ranker": "none"},
        progress=told.append,
    )
    assert any("candidate pairs" in line for line in told)
    assert run.record["cutoffs"] == ["2016-12-31"]
    assert set(run.record["extensions"]) == {"block:age", "learner:bayes"}
    assert run.record["config"]["task"]["level"] == "class"
    first = run.explained.iloc[0]
    explanation = run.explain(first["code_b"], first["code_a"])
    assert "age" in set(explanation.evidence["evidence"])
    assert explanation.pair["rank"] == first["rank"] == 1
    mine = run.opportunities
    assert len(mine.pairs) == sum(len(mine.of_type(which)) for which in ("I", "II", "III"))  # type: ignore[arg-type]
    same = run.compare(run)
    assert (same["difference"].dropna() == 0).all()
    assert set(same["cutoff"]) == {"2013-12-31"}


def test_a_run_is_what_its_folder_says(written: Forecast) -> None:
    stored_pairs = pd.read_parquet(written.folder / "predictions.parquet")
    assert len(written.pairs) == len(stored_pairs)
    assert written.pairs["rank"].is_monotonic_increasing
    assert written.pairs["title_a"].ne("").all()
    assert {"model", "adamic_adar"} <= set(written.metrics["model"])
    assert written.table("codes").equals(pd.read_parquet(written.folder / "codes.parquet"))
    with pytest.raises(ConfigError, match="has no table nothing: choose from codes"):
        written.table("nothing")
    with pytest.raises(ConfigError, match="no figure pie: choose from map, baselines, calibration"):
        written.figure("pie")
    assert written.figure("map").svg.startswith("<svg")
    assert written.export(written.folder.parent / "elsewhere", ["csv"])["formats"] == ["csv"]
    with pytest.raises(ConfigError, match="was not tested"):
        _ = written.tested


def test_a_pair_is_explained_from_either_side_or_refused(written: Forecast) -> None:
    first = written.explained.iloc[0]
    explanation = written.explain(first["code_b"], first["code_a"])
    assert explanation.reasons["words"].str.len().gt(0).all()
    assert explanation.evidence["adds"].is_monotonic_decreasing
    assert set(explanation.examples["side"]) == {"a", "b"}
    assert [figure.name.split("_")[0] for figure in explanation.figures] == ["evidence"]
    known = set(zip(written.explained["code_a"], written.explained["code_b"], strict=True))
    unknown = next(p for p in written.pairs[["code_a", "code_b"]].itertuples(index=False, name=None) if p not in known)
    with pytest.raises(ConfigError, match="head of the list"):
        written.explain(*unknown)
    with pytest.raises(ConfigError, match="not among the candidates"):
        written.explain("X00X", "X99X")


def test_only_a_run_of_its_kind_is_opened(written: Forecast, backtest: Backtest, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="is a backtest, not a forecast"):
        Forecast.open(backtest.folder)
    with pytest.raises(ArtifactError, match="is not a run"):
        Backtest.open(tmp_path)
    with pytest.raises(ConfigError, match="no firm"):
        Opportunities(Forecast.open(write_run(tmp_path / "none", firm=None)))


def test_a_portfolio_is_the_firms_patents_against_the_domains(written: Forecast) -> None:
    table, codes = Opportunities(written).portfolio, written.table("codes").set_index("code")
    assert set(table["code"]) == set(codes.index[codes["firm_patents"] > 0])
    row = table.iloc[0]
    held, all_of = codes.loc[row["code"], ["firm_patents", "patents"]]
    assert row["share"] == held / all_of
    assert row["rta"] == pytest.approx((held / codes["firm_patents"].sum()) / (all_of / codes["patents"].sum()))


def test_backtests_are_compared_where_they_rank_the_same(backtest: Backtest, home: Path) -> None:
    other = write_run(home / "other", command="backtest", firm=None)
    table = pd.read_parquet(other / "predictions.parquet")
    worse = table.assign(score_raw=table["score_raw"] + np.random.default_rng(0).normal(0, 3, len(table)))
    worse.to_parquet(other / "predictions.parquet")
    result = backtest.compare(Backtest.open(other)).set_index(["cutoff", "metric"])
    assert set(result.index.get_level_values("cutoff")) == {*ORIGINS, "mean"}
    ap = result.xs("average_precision", level="metric")
    assert (ap["difference"] > 0).all()
    assert (ap["low"] <= ap["high"]).all()
    assert ap.loc["mean", "this"] == pytest.approx(ap.loc[list(ORIGINS), "this"].mean())
    fewer = table[table["rank"] > 3].assign(rank=lambda t: t.groupby("cutoff")["rank"].rank().astype(int))
    fewer.to_parquet(other / "predictions.parquet")
    with pytest.raises(ConfigError, match="in their candidates"):
        backtest.compare(Backtest.open(other))
    later = table.assign(cutoff=table["cutoff"] + pd.Timedelta(days=30))
    later.to_parquet(other / "predictions.parquet")
    with pytest.raises(ConfigError, match="no cutoff in common"):
        backtest.compare(Backtest.open(other))


def test_what_is_shown_in_a_notebook_is_escaped(home: Path) -> None:
    hostile = Forecast.open(write_run(home / "hostile", title="<img src=x onerror=alert(1)>\u202e"))
    first = hostile.explained.iloc[0]
    shown = [hostile, hostile.opportunities, hostile.explain(first["code_a"], first["code_b"]), hostile.figure("map")]
    for each in shown:
        page = each._repr_html_()
        assert "<img src=x" not in page
        assert "onerror" not in re.sub("&lt;.*?&gt;", "", page)
        assert "\u202e" not in page
        assert repr(each)
    assert "&lt;img" in shown[0]._repr_html_()


def test_tables_in_a_notebook_set_numbers_to_the_right_and_words_to_the_left() -> None:
    table = pd.DataFrame({"p": [0.12345, None], "pair": ["A & B", None], "on": pd.to_datetime(["2012-12-31", None])})
    left = " style='text-align:left'"
    assert f"<th>p</th><th{left}>pair</th><th{left}>on</th>" in plain(table)
    assert f"<td>0.123</td><td{left}>A &amp; B</td><td{left}>2012-12-31</td>" in plain(table)
    assert f"<td>–</td><td{left}>–</td><td{left}>–</td>" in plain(table)


def test_a_day_is_a_day_whatever_it_is_given_as() -> None:
    days = ("2012-12-31", datetime.date(2012, 12, 31), pd.Timestamp("2012-12-31 15:00"))
    assert {timestamp(day) for day in days} == {pd.Timestamp("2012-12-31")}
    assert json.dumps(str(timestamp(days[0]).date())) == '"2012-12-31"'
