"""The flow computes what the command line computes, once."""

import datetime
import hashlib
from pathlib import Path

import pytest
from runs import FEW_BLOCKS

from pipeline.corpus.readers import SourceTable

pytestmark = pytest.mark.slow  # Prefect's temporary server takes its time to start

# every output but run.json, which holds timings, must be the same
TABLES = ("predictions", "tested", "horizons", "opportunities", "explanations", "examples", "codes", "links", "ranked")


@pytest.fixture(scope="module")
def request_values(tmp_path_factory: pytest.TempPathFactory) -> dict:
    from pipeline.corpus.store import save_corpus
    from pipeline.run_config import load_config
    from pipeline.run_request import RunRequest
    from pipeline.sample.corpus import simulated_corpus

    corpus = tmp_path_factory.mktemp("flow") / "corpus"
    save_corpus(simulated_corpus(seed=3, patents=1500), corpus, simulated=True)
    members = ["logistic/none", "fusion"]  # few, for there are four parts
    light = {
        "encoder": {"model": "hashing"},
        "bootstrap_repeats": 20,
        "horizons": [1],
        "ensemble": {"members": members, "training_origins": 2},
        "features": FEW_BLOCKS,
        "task": {"level": "class"},
    }
    request = RunRequest(
        command="forecast",
        corpus=corpus,
        cutoffs=(datetime.date(2016, 12, 31),),
        firm="Sample Thermal Systems SA (simulated)",
        config=load_config(None, light),
    )
    return request.model_dump(mode="json")


@pytest.fixture(scope="module")
def both(request_values: dict, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """The same request through the stages directly and through the flow; and the flow's parts."""
    monkeypatch = pytest.MonkeyPatch()
    base = tmp_path_factory.mktemp("runs")
    monkeypatch.setenv("PREFECT_HOME", str(base / "prefect"))
    monkeypatch.setenv("TECHCONVERGE_CACHE", str(base / "cache"))
    from flows.run import run_flow
    from pipeline.run import run
    from pipeline.run_request import RunRequest

    run(RunRequest.model_validate(request_values), base / "direct", lambda message: None)
    run_flow("forecast", request_values, str(base / "flow"), str(base / "parts"))
    yield base / "direct", base / "flow", base / "parts"
    monkeypatch.undo()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_flow_and_the_command_give_the_same_bytes(both: tuple[Path, Path, Path]) -> None:
    direct, flow, _ = both
    names, others = ({str(path.relative_to(run)) for path in run.rglob("*.*")} for run in (direct, flow))
    assert names == others
    assert "fusion/weights.safetensors" in names
    assert {f"{table}.parquet" for table in TABLES} <= names
    for name in sorted(names - {"run.json", "report.html"}):
        assert digest(direct / name) == digest(flow / name), name


def test_a_part_is_computed_once(both: tuple[Path, Path, Path], request_values: dict) -> None:
    from flows.run import run_flow

    _, flow, parts = both
    before = {path: path.stat().st_mtime_ns for path in parts.rglob("*.parquet")}
    again = flow.parent / "again"
    run_flow("forecast", request_values, str(again), str(parts))
    assert {path: path.stat().st_mtime_ns for path in parts.rglob("*.parquet")} == before
    assert digest(again / "predictions.parquet") == digest(flow / "predictions.parquet")


def test_a_part_that_was_removed_is_computed_anew(both: tuple[Path, Path, Path], request_values: dict) -> None:
    import shutil

    from flows.run import run_flow

    _, flow, parts = both
    one = min(parts.iterdir())
    shutil.rmtree(one)
    repaired = flow.parent / "repaired"
    run_flow("forecast", request_values, str(repaired), str(parts))
    assert one.exists()
    assert digest(repaired / "predictions.parquet") == digest(flow / "predictions.parquet")


def stamps(*folders: Path) -> dict[Path, int]:
    """When each file was written."""
    return {path: path.stat().st_mtime_ns for folder in folders for path in folder.rglob("*") if path.is_file()}


def test_a_run_of_which_nothing_changed_is_left_as_it_is(both: tuple[Path, Path, Path], request_values: dict) -> None:
    from flows.run import run_flow

    _, flow, parts = both
    before = stamps(flow)
    lock = flow.with_name(f".{flow.name}.lock")
    lock.touch()  # of a process that was killed when all was done but this
    assert run_flow("forecast", request_values, str(flow), str(parts)) == str(flow / "report.html")
    assert stamps(flow) == before
    assert not lock.exists()


def test_force_computes_every_part_of_a_finished_run_anew(both: tuple[Path, Path, Path], request_values: dict) -> None:
    from flows.run import run_flow

    _, flow, parts = both
    made = flow.parent / "forced"
    config = request_values["config"] | {"horizons": []}
    run_flow("forecast", request_values | {"config": config}, str(made), str(parts))
    before, first = stamps(made, parts), digest(made / "predictions.parquet")
    run_flow("forecast", request_values | {"config": config}, str(made), str(parts), force=True)
    changed = {path for path, stamp in stamps(made, parts).items() if stamp != before.get(path)}
    assert {path.parent for path in changed if path.name == "predictions.parquet"} > {made}  # and that of a part
    assert made / "run.json" in changed
    assert digest(made / "predictions.parquet") == first


def test_a_setting_that_changed_is_computed_anew(both: tuple[Path, Path, Path], request_values: dict) -> None:
    from flows.run import run_flow

    _, flow, parts = both
    known = set(parts.iterdir())
    config = request_values["config"] | {"horizons": [], "seed": 11}
    run_flow("forecast", request_values | {"config": config}, str(flow.parent / "seed"), str(parts))
    assert len(set(parts.iterdir()) - known) == 2  # the forecast and its test


def test_a_backtest_without_a_cutoff_is_as_of_the_latest_day_whose_outcome_is_known(
    both: tuple[Path, Path, Path], request_values: dict, tmp_path: Path
) -> None:
    import json

    import yaml

    from flows.forecast import backtest
    from pipeline.corpus.store import load_manifest

    corpus = request_values["corpus"]
    config = tmp_path / "light.yaml"
    members = {"members": ["logistic/none"], "training_origins": 2}
    light = {"encoder": {"model": "hashing"}, "bootstrap_repeats": 20, "features": FEW_BLOCKS, "ensemble": members}
    config.write_text(yaml.safe_dump(light | {"task": {"level": "class", "horizon": 2}}))
    assert load_manifest(Path(corpus))["last_knowledge_date"].startswith("2019-12")
    report = backtest(corpus=corpus, out=str(tmp_path / "backtest"), config=str(config))
    assert json.loads((Path(report).parent / "run.json").read_text())["cutoffs"] == ["2017-12-31"]


def test_an_ingest_of_which_nothing_changed_reads_nothing_and_a_new_file_is_added(
    both: tuple[Path, Path, Path], sample_rows: SourceTable, tmp_path: Path
) -> None:
    from flows.ingest import ingest
    from pipeline.corpus.store import load_manifest

    (tmp_path / "exports").mkdir()
    half = len(sample_rows.frame) // 2
    sample_rows.frame.iloc[:half].to_csv(tmp_path / "exports" / "1.csv", index=False)
    asked = {"sources": [str(tmp_path / "exports" / "*.csv")], "corpus": str(tmp_path / "corpus")}
    corpus = Path(ingest(**asked))
    before, first = stamps(corpus), load_manifest(corpus)
    ingest(**asked)
    assert stamps(corpus) == before
    sample_rows.frame.iloc[half:].to_csv(tmp_path / "exports" / "2.csv", index=False)
    ingest(**asked)
    grown = load_manifest(corpus)
    assert [source["name"] for source in grown["sources"]] == ["1.csv", "2.csv"]
    assert grown["account"]["read"] == len(sample_rows.frame) > first["account"]["read"]
    (corpus / "patents.parquet").unlink()
    ingest(**asked | {"append": False})
    assert load_manifest(corpus) == grown and (corpus / "patents.parquet").exists()


def test_opportunities_and_reports_of_which_nothing_changed_are_left_as_they_are(
    both: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    from flows.opportunities import opportunities
    from flows.report import report

    direct, *_ = both
    config = tmp_path / "few.yaml"
    config.write_text("topics: {top_pairs: 3}")
    asked = {"run": str(direct), "out": str(tmp_path / "found"), "config": str(config)}  # the firm is the run's
    paths = opportunities(**asked)
    assert [Path(path).name for path in paths] == ["firm-report.html", "firm-report.xlsx", "firm-report.md"]
    (folder,) = (tmp_path / "found").iterdir()
    before = stamps(folder)
    opportunities(**asked)
    assert stamps(folder) == before
    (folder / "firm-report.md").unlink()
    written = report(run=str(direct), opportunities=str(tmp_path / "found"))
    assert [Path(path).name for path in written] == ["report.html", *(Path(path).name for path in paths)]
    assert (folder / "firm-report.md").exists()
