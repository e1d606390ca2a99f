"""The flow computes what the command line computes, once."""

import datetime
import hashlib
from pathlib import Path

import pytest
from runs import FEW_BLOCKS

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


def test_a_finished_run_is_left_as_it_is(both: tuple[Path, Path, Path], request_values: dict) -> None:
    from flows.run import run_flow

    _, flow, parts = both
    before = {path: path.stat().st_ino for path in flow.rglob("*")}
    assert run_flow("forecast", request_values, str(flow), str(parts)) == str(flow / "report.html")
    assert {path: path.stat().st_ino for path in flow.rglob("*")} == before
