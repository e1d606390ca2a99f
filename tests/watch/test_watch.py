"""A whole watch on a corpus that grows: what it writes, that it is done once, goes on after a kill, and stays small."""

import dataclasses
import datetime
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from cases import names
from runs import FIRM, LIGHT, stored

from pipeline.cli import main
from pipeline.corpus.readers import SourceTable
from pipeline.corpus.store import load_corpus
from pipeline.errors import ArtifactError, ConfigError, CutoffError
from pipeline.opportunities_config import OpportunitiesConfig
from pipeline.run_config import load_config
from pipeline.run_opportunities import OpportunitiesRequest, find_opportunities
from pipeline.schemas import PAIR, Changes, Drift, PastForecast, TrackRecord, validate
from pipeline.watch.folder import KEPT_RUNS, WatchRecord, commit, open_at, prune, read_past, read_watch, write_results
from pipeline.watch.forecasts import Forecast
from pipeline.watch.plan import WatchRequest, last_complete_day, plan_watch
from pipeline.watch.run import watch

pytestmark = pytest.mark.slow

SETTINGS: dict[str, Any] = LIGHT | {
    "ensemble": {"members": ["logistic/none"], "training_origins": 1},
    "features": {"blocks": ["bibliometric", "network"]},
    "task": {"horizon": 1, "level": "class"},
}
FIRST, SECOND = "2015-12-31", "2016-06-30"
TABLES = {"changes": Changes, "track_record": TrackRecord, "drift": Drift}


def until(rows: SourceTable, day: str, folder: Path) -> Path:
    """The corpus as it stood on a day."""
    return stored(dataclasses.replace(rows, frame=rows.frame[rows.frame["date"] <= day]), folder)


def request(corpus: Path, cutoff: str | None = None, firm: str | None = FIRM, **task: Any) -> WatchRequest:
    settings = SETTINGS | {"task": SETTINGS["task"] | task}
    day = datetime.date.fromisoformat(cutoff) if cutoff else None
    return WatchRequest(corpus=corpus, firm=firm, config=load_config(None, settings), cutoff=day)


def state(place: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(path.relative_to(place)): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    place = tmp_path_factory.mktemp("watch")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TECHCONVERGE_CACHE", str(place / "cache"))
        yield place


@pytest.fixture(scope="module")
def first(home: Path, sample_rows: SourceTable) -> Path:
    """A watch that has been once, its run refined to topics."""
    corpus = until(sample_rows, "2015-12-31", home / "corpus")
    done = watch(request(corpus, FIRST), home / "watch", lambda message: None)
    assert done.changed
    run = home / "watch" / "runs" / "2015-12-31"
    asked = OpportunitiesRequest(
        run=run, firm=FIRM, config=OpportunitiesConfig.model_validate({"topics": {"top_pairs": 5}})
    )
    find_opportunities(asked, run, lambda message: None)
    shutil.copytree(home / "watch", home / "after_first")
    return home / "watch"


@pytest.fixture(scope="module")
def second(home: Path, first: Path, sample_rows: SourceTable) -> Path:
    """The same half a year on."""
    until(sample_rows, "2016-06-30", home / "corpus")
    watch(request(home / "corpus", SECOND), first, lambda message: None)
    return first


def test_it_writes_checked_tables_and_a_digest(second: Path) -> None:
    assert names(second) == sorted(
        [*(f"{name}.parquet" for name in TABLES), "digest.html", "digest.md", "history", "runs", "watch.json"]
    )
    for name, schema in TABLES.items():
        validate(pd.read_parquet(second / f"{name}.parquet"), schema, name)
    assert names(second / "runs") == ["2015-12-31", "2016-06-30"]
    assert "What changed for" in (second / "digest.html").read_text(encoding="utf-8")


def test_the_realised_pairs_are_those_that_met_in_between(second: Path, home: Path) -> None:
    """Counted again from the corpus's tables alone."""
    corpus = load_corpus(home / "corpus")
    codes = corpus.patent_codes.query("scheme == 'ipc'").merge(corpus.patents[["patent_id", "knowledge_date"]])
    codes = codes.assign(code=codes["symbol"].str[:3])[["patent_id", "knowledge_date", "code"]].drop_duplicates()
    joint = codes.merge(codes, on=["patent_id", "knowledge_date"], suffixes=("_a", "_b")).query("code_a < code_b")
    first_day = joint.sort_values(["knowledge_date", "patent_id"]).drop_duplicates(PAIR)
    between = first_day[first_day["knowledge_date"] > "2015-12-31"]
    asked = pd.read_parquet(second / "runs" / "2015-12-31" / "predictions.parquet")[PAIR]
    expected = between.merge(asked, on=PAIR)
    expected = dict(zip(zip(expected["code_a"], expected["code_b"], strict=True), expected["patent_id"], strict=True))
    changes = pd.read_parquet(second / "changes.parquet").query("kind == 'realised' and scope == 'pair'")
    found = dict(zip(zip(changes["code_a"], changes["code_b"], strict=True), changes["patents"], strict=True))
    assert expected and found == expected


def test_the_run_is_refined_to_topics_as_the_last_one_was(second: Path) -> None:
    asked = [
        json.loads(next(run.glob("firm-*/topics.json")).read_text()) for run in sorted((second / "runs").iterdir())
    ]
    assert asked[0]["request"]["config"] == asked[1]["request"]["config"]
    changes = pd.read_parquet(second / "changes.parquet")
    assert set(changes["scope"]) == {"pair", "topic"}
    assert "Topic opportunities" in (second / "digest.html").read_text(encoding="utf-8")


def test_with_nothing_new_it_says_so_and_changes_nothing(second: Path, home: Path, sample_rows: SourceTable) -> None:
    before = state(second)
    done = watch(request(home / "corpus", SECOND), second, lambda message: None)
    assert not done.changed
    assert done.said == "nothing new: the last run is of 2016-06-30, and the corpus is unchanged"
    mid_month = until(sample_rows, "2016-07-10", home / "mid_month")
    done = watch(request(mid_month), second, lambda message: None)
    assert not done.changed and "no later month of it is whole yet" in done.said
    assert state(second) == before


def test_killed_in_its_tidying_the_next_with_nothing_new_ends_it(second: Path, home: Path) -> None:
    killed = home / "killed"
    shutil.copytree(second, killed)
    shutil.copytree(killed / "runs" / "2016-06-30", killed / "runs" / "2015-06-30")  # no longer in the record
    (killed / "parts" / "half").mkdir(parents=True)
    assert not watch(request(home / "corpus", SECOND), killed, lambda message: None).changed
    assert state(killed) == state(second)
    assert not (killed / "parts").exists() and not (killed / "runs" / "2015-06-30").exists()


def test_stopped_before_its_record_it_ends_the_same(second: Path, home: Path) -> None:
    """The run was made and half of the rest written: the next start makes no run and gives the same bytes."""
    stopped = home / "stopped"
    shutil.copytree(home / "after_first", stopped)
    shutil.copytree(second / "runs" / "2016-06-30", stopped / "runs" / "2016-06-30")
    (stopped / "changes.parquet").write_bytes(b"half")
    (stopped / "runs" / ".2016-06-30.abcd1234").mkdir()
    said: list[str] = []
    watch(request(home / "corpus", SECOND), stopped, said.append)
    assert not any(message.startswith("forecast at") for message in said)
    assert names(stopped / "runs") == ["2015-12-31", "2016-06-30"]
    assert state(stopped) == state(second)


def test_a_run_of_that_day_from_another_corpus_is_made_anew(second: Path, home: Path) -> None:
    plan = plan_watch(request(home / "corpus", SECOND), home / "after_first")
    assert not isinstance(plan, str) and not plan.made
    other = home / "other"
    shutil.copytree(home / "after_first", other)
    shutil.copytree(second / "runs" / "2016-06-30", other / "runs" / "2016-06-30")
    assert not isinstance(again := plan_watch(request(home / "corpus", SECOND), other), str) and again.made
    path = other / "runs" / "2016-06-30" / "run.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"corpus": record["corpus"] | {"content_hash": "another"}}))
    assert not isinstance(stale := plan_watch(request(home / "corpus", SECOND), other), str) and not stale.made


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"horizon": 2}, "the last run has task.horizon 1, this one 2: watch each task in its own folder"),
        ({"firm": None}, f"the last run is of {FIRM}, this one of no firm: watch each firm in its own folder"),
    ],
)
def test_another_task_or_firm_is_refused_at_once(home: Path, second: Path, asked: dict[str, Any], message: str) -> None:
    place = home / "after_first"
    before = state(place)
    with pytest.raises(ConfigError) as refused:
        watch(request(home / "corpus", SECOND, **asked), place, lambda said: pytest.fail("something was computed"))
    assert str(refused.value) == message
    assert state(place) == before


def test_it_goes_forward_only(home: Path, second: Path) -> None:
    with pytest.raises(CutoffError, match="a watch goes forward only"):
        plan_watch(request(home / "corpus", "2016-03-31"), second)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ArtifactError, match="not the folder of a watch"):
        read_watch(tmp_path)
    (tmp_path / "watch.json").write_text('{"runs": 3}')
    with pytest.raises(ArtifactError, match="not the record of a watch"):
        read_watch(tmp_path)


@pytest.mark.parametrize(
    ("last", "complete"),
    [
        ("2012-06-30", "2012-06-30"),
        ("2012-06-24", "2012-06-30"),
        ("2012-06-23", "2012-05-31"),
        ("2012-01-02", "2011-12-31"),
    ],
)
def test_a_month_is_whole_when_its_last_week_has_a_patent(last: str, complete: str) -> None:
    day = datetime.date.fromisoformat
    assert last_complete_day(day(last)) == day(complete)


def test_runs_and_pairs_of_forecasts_that_are_over_go(tmp_path: Path) -> None:
    """The last runs stay, open forecasts stay whole, the others keep the heads of their lists."""
    record, months = WatchRecord(), pd.date_range("2010-01-31", periods=9, freq="ME", unit="s")
    ranks = pd.Series(range(1, 401), dtype="int32")
    pairs = pd.DataFrame({"code_a": "A01B", "code_b": [f"B{rank:03d}" for rank in ranks], "probability": 0.5})
    pairs = validate(pairs.assign(rank=ranks, firm_rank=(401 - ranks).astype("Int32")), PastForecast, "pairs")
    for month in months:
        made = Forecast(month, month + pd.DateOffset(months=3), pairs, None)
        (tmp_path / "runs" / f"{month:%Y-%m-%d}").mkdir(parents=True)
        write_results(tmp_path, {}, made)
        record = commit(tmp_path, record, made, "hash")
        prune(tmp_path, record)
    assert names(tmp_path / "runs") == [f"{month:%Y-%m-%d}" for month in months[-KEPT_RUNS:]]
    past = read_past(tmp_path, read_watch(tmp_path))
    # either end of the list is the head of one: the first 100 by rank and the first 100 for the firm
    assert [len(one.pairs) for one in past] == [200] * 6 + [400] * 3
    assert names(tmp_path / "history") == [f"{month:%Y-%m-%d}.parquet" for month in months]
    assert open_at(past, months[-1]) == past[-3:]


def test_the_command_says_what_it_did(
    home: Path, second: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, config = home / "by_command", home / "watch.yaml"
    shutil.copytree(home / "after_first", place)
    shutil.copytree(second / "runs" / SECOND, place / "runs" / SECOND)  # made already: the command goes on from there
    config.write_text(yaml.safe_dump(SETTINGS))
    words = ["watch", home / "corpus", "--firm", FIRM, "--out", place, "--cutoff", SECOND, "--config", config]
    told = []
    for _ in range(2):
        monkeypatch.setattr(sys, "argv", ["techconverge", *map(str, words)])
        with pytest.raises(SystemExit):
            main()
        told.append(capsys.readouterr().out)
    assert told[0].startswith(f"{FIRM}, {SECOND}: ") and told[0].endswith(f"\ndigest: {place / 'digest.html'}\n")
    assert told[1] == f"nothing new: the last run is of {SECOND}, and the corpus is unchanged\n"
