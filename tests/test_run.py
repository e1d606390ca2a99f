"""Whole runs: what a run folder holds, that it can be repeated, and what stops a run before it begins."""

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases import names
from runs import FIRM, LIGHT, asked, predictions, silent_run, stored
from sklearn.metrics import average_precision_score

from pipeline.artifacts import sha256_file
from pipeline.corpus.readers import SourceTable
from pipeline.corpus.store import load_corpus
from pipeline.errors import ArtifactError, ConfigError, CorpusError, CutoffError, FirmError, TechconvergeError
from pipeline.ranking.baselines import HEURISTICS
from pipeline.run import check_request, load_request
from pipeline.run_request import RunRequest, part_requests


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place of its own for this module's corpora, runs and cache."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module", autouse=True)
def own_cache(home: Path) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TECHCONVERGE_CACHE", str(home / "cache"))
        yield


@pytest.fixture(scope="module")
def corpus(home: Path, sample_rows: SourceTable) -> Path:
    return stored(sample_rows, home / "corpus")


@pytest.fixture(scope="module")
def forecast(home: Path, corpus: Path) -> Path:
    return silent_run(asked("forecast", corpus, "2016-12-31", firm=FIRM), home / "forecast")


@pytest.fixture(scope="module")
def backtest(home: Path, corpus: Path) -> Path:
    return silent_run(asked("backtest", corpus, "2014-12-31", "2015-12-31"), home / "backtest")


def record(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return content


def test_a_forecast_says_nothing_about_outcomes_it_cannot_know(forecast: Path) -> None:
    table = predictions(forecast)
    assert table["label"].isna().all()
    assert table["cutoff"].unique().tolist() == [pd.Timestamp("2016-12-31")]
    assert sorted(table["rank"]) == list(range(1, len(table) + 1))
    assert table["probability"].between(0, 1).all()


def test_a_forecast_is_the_same_from_a_corpus_that_ends_on_its_cutoff(
    home: Path, forecast: Path, sample_rows: SourceTable
) -> None:
    known = sample_rows.frame[sample_rows.frame["date"] <= "2016-12-31"]
    truncated = stored(dataclasses.replace(sample_rows, frame=known), home / "truncated")
    again = silent_run(asked("forecast", truncated, "2016-12-31", firm=FIRM), home / "from_truncated")
    names = [path.name for path in forecast.glob("*.parquet")]
    assert {"predictions.parquet", "tested.parquet", "opportunities.parquet", "explanations.parquet"} <= set(names)
    for name in names:
        pd.testing.assert_frame_equal(
            pd.read_parquet(again / name), pd.read_parquet(forecast / name), check_exact=True, obj=name
        )


def test_a_forecast_is_tested_one_horizon_earlier(forecast: Path) -> None:
    tested = pd.read_parquet(forecast / "tested.parquet")
    assert tested["cutoff"].unique().tolist() == [pd.Timestamp("2013-12-31")]
    assert set(tested["label"].unique()) == {0, 1}
    assert record(forecast)["tested_cutoffs"] == ["2013-12-31"]


def test_a_backtest_labels_every_candidate_by_what_came(backtest: Path, corpus: Path) -> None:
    table = predictions(backtest)
    data = load_corpus(corpus)
    carried = data.patent_codes[data.patent_codes["scheme"] == "ipc"].merge(
        data.patents[["patent_id", "knowledge_date"]]
    )
    carried["code"] = carried["symbol"].str[:4]
    for cutoff, block in table.groupby("cutoff"):
        end = cutoff + pd.DateOffset(years=3)
        later = carried[(carried["knowledge_date"] > cutoff) & (carried["knowledge_date"] <= end)]
        together = later[["patent_id", "code"]].drop_duplicates().merge(later[["patent_id", "code"]], on="patent_id")
        joint = set(zip(together["code_x"], together["code_y"], strict=True))
        expected = [pair in joint for pair in zip(block["code_a"], block["code_b"], strict=True)]
        np.testing.assert_array_equal(block["label"].to_numpy(dtype=bool), expected)
        assert 0 < sum(expected) < len(block) / 5
        assert sorted(block["rank"]) == list(range(1, len(block) + 1))
        best_first = block.sort_values("rank")
        assert best_first["score_raw"].is_monotonic_decreasing
        assert best_first["probability"].is_monotonic_decreasing


def test_every_candidate_has_every_baselines_score(backtest: Path) -> None:
    table = predictions(backtest)
    scores = [name for name in table if name.startswith("baseline__")]
    named = {name.removeprefix("baseline__") for name in scores}
    assert set(HEURISTICS) <= named
    assert {"logistic_all", "lightgbm_all", "node2vec_logistic"} <= named
    assert table[scores].notna().all(axis=None)


def test_metrics_name_the_model_and_every_baseline_with_prevalence_and_interval(backtest: Path) -> None:
    content = json.loads((backtest / "metrics.json").read_text())
    assert [origin["cutoff"] for origin in content["origins"]] == ["2014-12-31", "2015-12-31"]
    table = predictions(backtest)
    models = {"model", *(n.removeprefix("baseline__") for n in table if n.startswith("baseline__"))}
    for origin in content["origins"]:
        block = table[table["cutoff"] == origin["cutoff"]]
        assert origin["prevalence"] == pytest.approx(block["label"].mean())
        rows = [row for row in content["metrics"] if row["cutoff"] == origin["cutoff"]]
        for metric in ("average_precision", "roc_auc"):
            measured = {row["model"]: row for row in rows if row["metric"] == metric}
            assert set(measured) == models
            assert all(row["low"] <= row["value"] <= row["high"] for row in measured.values())
    y, score = block["label"].to_numpy(dtype=int), block["score_raw"].to_numpy()
    last = next(r for r in rows if (r["model"], r["metric"]) == ("model", "average_precision"))
    assert last["value"] == pytest.approx(average_precision_score(y, score))


def test_the_order_in_which_cutoffs_are_given_does_not_matter(corpus: Path) -> None:
    parts, others = (
        part_requests(asked("backtest", corpus, *days))
        for days in (("2014-12-31", "2015-12-31"), ("2015-12-31", "2014-12-31"))
    )
    assert parts == others


def test_the_record_says_what_was_run_on_what_and_what_came_of_it(forecast: Path, corpus: Path) -> None:
    content = record(forecast)
    manifest = json.loads((corpus / "manifest.json").read_text())
    assert content["corpus"]["content_hash"] == manifest["content_hash"]
    assert content["config"]["seed"] == 7
    assert content["config"]["encoder"]["model"] == "hashing"
    assert {"python", "lightgbm", "torch"} <= set(content["versions"])
    assert set(content["timings"]) == {"load", "encode", "features", "ranking", "baselines", "explanations"}
    assert all(content["explanation_check"][part]["holds"] for part in ("features", "modalities"))
    written = {str(p.relative_to(forecast)) for p in forecast.rglob("*.*")} - {"run.json", "report.html"}
    assert set(content["outputs"]) == written
    for name, digest in content["outputs"].items():
        assert sha256_file(forecast / name) == digest


def test_a_run_repeated_from_its_record_gives_the_same_bytes(home: Path, forecast: Path) -> None:
    repeated = silent_run(load_request(forecast / "run.json"), home / "repeated")
    for path in forecast.rglob("*.*"):
        if path.name not in ("run.json", "report.html"):  # they tell how long it took
            assert sha256_file(repeated / path.relative_to(forecast)) == sha256_file(path), path.name
    assert record(repeated)["outputs"] == record(forecast)["outputs"]
    assert record(repeated)["request"] == record(forecast)["request"]


def test_a_changed_corpus_or_a_strange_record_is_not_repeated(
    home: Path, forecast: Path, sample_rows: SourceTable
) -> None:
    content = record(forecast)
    other = stored(dataclasses.replace(sample_rows, frame=sample_rows.frame.iloc[:1000]), home / "other")
    changed = home / "changed.json"
    changed.write_text(json.dumps(content | {"request": content["request"] | {"corpus": str(other)}}))
    with pytest.raises(CorpusError, match="has changed since"):
        load_request(changed)
    changed.write_text(json.dumps({"request": {"command": "rm"}}))
    with pytest.raises(ArtifactError, match="not the record of a run"):
        load_request(changed)
    changed.write_text("[1]")
    with pytest.raises(ArtifactError, match="not the record of a run"):
        load_request(changed)


@pytest.mark.parametrize(
    ("without", "warning", "block"),
    [
        (("title", "abstract", "claims"), "no titles or abstracts, so both blocks are left out", "text"),
        (("assignees", "inventors"), "no assignees in the data, so applicants is left out", "bibliometric__applicants"),
        (("cited_ids", "cited_npl"), "no patent citations in the data, so", "bibliometric__cited"),
    ],
)
def test_what_the_source_lacks_is_left_out_and_said(
    home: Path, sample_rows: SourceTable, without: tuple[str, ...], warning: str, block: str
) -> None:
    assert (sample_rows.frame[list(without)] != "").any(axis=None), "the sample never had it"
    poorer = stored(sample_rows, home / f"no_{block}", without)
    folder = silent_run(asked("backtest", poorer, "2016-12-31"), home / f"run_no_{block}")
    assert warning in " ".join(record(folder)["warnings"])
    assert warning in (folder / "report.html").read_text()
    explained = pd.read_parquet(folder / "explanations.parquet")["name"]
    assert not explained.str.startswith(block).any()
    assert explained.str.startswith("network").any()
    assert predictions(folder)["probability"].notna().all()


def test_a_source_that_begins_late_is_done_without_and_said(home: Path, sample_rows: SourceTable) -> None:
    late = sample_rows.frame["date"] < "2010-06-30"
    columns = ["title", "abstract", "claims", "cited_ids"]
    frame = sample_rows.frame.assign(**{name: sample_rows.frame[name].mask(late, "") for name in columns})
    corpus = stored(dataclasses.replace(sample_rows, frame=frame), home / "late")
    members = {"members": ["logistic/none", "fusion"], "training_origins": 2}
    folder = silent_run(asked("backtest", corpus, "2016-12-31", ensemble=members), home / "run_late")
    warnings = record(folder)["warnings"]
    assert "text: not available at every training origin, so the model does without it" in warnings
    assert any(w.startswith("bibliometric (cited_patents, citing_patents): not available") for w in warnings)
    attended = pd.read_parquet(folder / "explanations.parquet").query("kind == 'attention'")["name"]
    others = {"bibliometric", "network", "graph", "cooccurrence", "dynamics", "people", "scheme"}
    assert set(attended) == others


def test_a_window_in_which_nothing_converged_is_reported_as_such(home: Path, sample_rows: SourceTable) -> None:
    alone = sample_rows.frame["ipc"].str.partition(";")[0]
    frame = sample_rows.frame.assign(ipc=sample_rows.frame["ipc"].mask(sample_rows.frame["date"] > "2014-12-31", alone))
    corpus = stored(dataclasses.replace(sample_rows, frame=frame), home / "alone")
    folder = silent_run(asked("backtest", corpus, "2014-12-31"), home / "run_alone")
    assert not predictions(folder)["label"].any()
    content = json.loads((folder / "metrics.json").read_text())
    assert content["origins"][0]["coverage"] is None
    assert {row["value"] for row in content["metrics"] if row["metric"] == "average_precision"} == {None}
    assert "<h2>How good" in (folder / "report.html").read_text()


def test_sections_are_a_level_too(home: Path, corpus: Path) -> None:
    task = {"level": "section", "scheme": "cpc", "min_patents": 1}
    members = {"members": ["logistic/none", "lightgbm/balanced_bagging"], "min_positives": 1}
    try:
        folder = silent_run(asked("backtest", corpus, "2009-12-31", task=task, ensemble=members), home / "sections")
    except TechconvergeError as refused:  # almost every two sections have met: there may be nothing left to forecast
        assert "take " in str(refused)
    else:
        assert predictions(folder)["code_a"].str.fullmatch("[A-HY]").all()


FAULTS = [
    (("forecast", "1950-12-31"), {}, CutoffError, "lies outside the data, which run from 2005-"),
    (("forecast", "2031-12-31"), {}, CutoffError, "choose one between them"),
    (("forecast", "2006-06-30"), {"prior_ranker": "none"}, CutoffError, "too near to the cutoff"),
    (("backtest", "2018-12-31"), {}, CutoffError, "cannot be tested: its window of 3 years ends on 2021-12-31"),
    (("backtest", "2014-12-31", "2014-12-31"), {}, ConfigError, "given twice"),
    (("backtest",), {}, ConfigError, "no cutoff given"),
    (("forecast", "2016-12-31"), {"firm": "Nobody Ltd"}, FirmError, "Nobody Ltd"),
    (("forecast", "2016-12-31"), {"firm": "sample"}, FirmError, "sample"),
    (("forecast", "2016-12-31"), {"firm": "our/firm.yaml"}, FirmError, "takes a firm file"),
    (("forecast", "2016-12-31"), {"task": {"min_patents": 5000}}, TechconvergeError, "min-patents"),
]


@pytest.mark.parametrize(("command", "settings", "kind", "message"), FAULTS, ids=[f[3][:30] for f in FAULTS])
def test_what_cannot_work_is_one_line_and_leaves_nothing(
    tmp_path: Path, corpus: Path, command: tuple[str, ...], settings: dict, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as raised:
        silent_run(asked(command[0], corpus, *command[1:], **settings), tmp_path / "out" / "run")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not list((tmp_path / "out").glob("*") if (tmp_path / "out").exists() else [])


def test_an_earlier_run_is_replaced_and_a_strangers_folder_is_not(tmp_path: Path, corpus: Path, forecast: Path) -> None:
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "thesis.txt").write_text("mine")
    with pytest.raises(ArtifactError, match="choose another --out"):
        silent_run(asked("forecast", corpus, "2016-12-31"), stranger)
    assert names(stranger) == ["thesis.txt"]
    with pytest.raises(ArtifactError, match="not an earlier result of this command"):
        silent_run(asked("forecast", corpus, "2016-12-31"), corpus)
    assert load_corpus(corpus)
    before = sha256_file(forecast / "run.json")
    with pytest.raises(CutoffError):
        silent_run(asked("forecast", corpus, "1950-12-31"), forecast)
    assert sha256_file(forecast / "run.json") == before


def test_the_parts_of_a_run_know_no_more_than_they_may(corpus: Path) -> None:
    test, main = part_requests(asked("forecast", corpus, "2016-12-31", firm=FIRM))
    assert (test.cutoff, test.known_until) == (datetime.date(2013, 12, 31), datetime.date(2016, 12, 31))
    assert (main.cutoff, main.known_until, main.firm) == (datetime.date(2016, 12, 31), None, FIRM)
    first, last = part_requests(asked("backtest", corpus, "2015-12-31", "2014-12-31"))
    assert (first.cutoff.year, first.known_until.year if first.known_until else None) == (2014, 2017)
    assert (first.explained, last.explained) == (False, True)


def test_a_parts_key_changes_with_what_decides_its_content(corpus: Path, tmp_path: Path) -> None:
    keys: set[str] = set()
    base = part_requests(asked("forecast", corpus, "2016-12-31"))[1]
    changed = [
        base.model_copy(update={"cutoff": datetime.date(2015, 12, 31)}),
        base.model_copy(update={"content_hash": "0"}),
        base.model_copy(update={"firm": FIRM}),
        base.model_copy(update={"known_until": datetime.date(2019, 12, 31)}),
        part_requests(asked("forecast", corpus, "2016-12-31", seed=8))[1],
    ]
    for line in ("G06N,ipc,2015-01-01", "G06N,ipc,2016-01-01"):  # one path, two contents
        (tmp_path / "dates.csv").write_text(f"symbol,scheme,in_force\n{line}\n")
        dated = asked("forecast", corpus, "2016-12-31", task={"entry_dates": tmp_path / "dates.csv"})
        keys.add(part_requests(dated)[1].key())
    assert len({base.key(), *(request.key() for request in changed)} | keys) == len(changed) + 3
    assert base.model_copy(update={"corpus": Path("elsewhere")}).key() == base.key()


def test_a_good_request_passes_the_check_and_computes_nothing(corpus: Path) -> None:
    request: RunRequest = asked("backtest", corpus, "2014-12-31", firm=FIRM, **LIGHT)
    before = sorted(path.name for path in corpus.parent.iterdir())
    check_request(request)
    assert sorted(path.name for path in corpus.parent.iterdir()) == before
