"""Interrupted runs go on, finished ones are left as they are, and no fault on the way does silent damage."""

import contextlib
import errno
import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cases import names
from runs import FEW_BLOCKS, FIRM, asked, stored

from pipeline import artifacts, resume, run
from pipeline.artifacts import locked, sha256_file
from pipeline.corpus.readers import SourceTable
from pipeline.errors import ArtifactError
from pipeline.parts import intact
from pipeline.run_request import RunRequest, part_requests

FEW = {
    "features": FEW_BLOCKS,
    "ensemble": {"members": ["logistic/none"], "training_origins": 1},
    "task": {"level": "class"},
}


class PowerCutError(BaseException):
    """The end of a process, as far as a test can have it."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("resume")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TECHCONVERGE_CACHE", str(folder / "cache"))
        yield folder


@pytest.fixture(scope="module")
def request_(home: Path, sample_rows: SourceTable) -> RunRequest:
    return asked("forecast", stored(sample_rows, home / "corpus"), "2016-12-31", firm=FIRM, **FEW)


@pytest.fixture(scope="module")
def whole(home: Path, request_: RunRequest) -> Path:
    """The run that nobody disturbed; what it had when its first part was done is put aside."""
    compute = run.compute_part

    def computed(part: Any, folder: Path, *rest: Any) -> None:
        compute(part, folder, *rest)
        if not (home / "cut").exists():
            shutil.copytree(folder, home / "cut" / ".run.parts" / folder.name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "compute_part", computed)
        run.run(request_, home / "whole" / "run", silent)
    return home / "whole" / "run"


@pytest.fixture(scope="module")
def one_part(home: Path, whole: Path) -> Path:
    """A folder as it is where the run ``run`` in it was killed after its first part."""
    return home / "cut"


def silent(message: str) -> None:
    pass


def counted(done: list[Path], stop: int = 0) -> Any:
    """``compute_part``, noting what it computes; the power goes off at the ``stop``-th."""
    compute = run.compute_part

    def computed(part: Any, folder: Path, *rest: Any) -> None:
        done.append(folder)
        if len(done) == stop:
            raise PowerCutError
        compute(part, folder, *rest)

    return computed


def contents(folder: Path) -> dict[str, str]:
    """Every file but those that tell how long it took."""
    timed = ("run.json", "report.html")
    return {
        path.relative_to(folder).as_posix(): sha256_file(path)
        for path in folder.rglob("*")
        if path.is_file() and path.name not in timed
    }


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """By which any change of a file shows, a rewriting with the same bytes too."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in [folder, *folder.rglob("*")]}


def copied(one_part: Path, tmp_path: Path) -> Path:
    """An interrupted run of one's own; the ``--out`` of it."""
    shutil.copytree(one_part, tmp_path / "here")
    return tmp_path / "here" / "run"


def test_an_interrupted_run_goes_on_with_the_parts_it_had(
    one_part: Path, request_: RunRequest, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = copied(one_part, tmp_path)
    first, second = (part.key() for part in part_requests(request_))
    assert names(out.parent) == [".run.parts"]
    assert names(out.parent / ".run.parts") == [first]
    done: list[Path] = []
    monkeypatch.setattr(run, "compute_part", counted(done))
    said: list[str] = []
    run.run(request_, out, said.append)
    assert [folder.name for folder in done] == [second]
    assert "test at 2013-12-31: computed before" in said
    assert contents(out) == contents(whole)
    assert names(out.parent) == ["run"]  # nothing is left of what was kept


@pytest.mark.parametrize("name", ["predictions.parquet", "part.json"])
def test_a_kept_part_that_is_damaged_is_computed_anew(
    one_part: Path, request_: RunRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    out = copied(one_part, tmp_path)
    (part,) = (out.parent / ".run.parts").iterdir()
    assert intact(part)
    (part / name).write_bytes((part / name).read_bytes()[:-9])
    assert not intact(part)
    done: list[Path] = []
    monkeypatch.setattr(run, "compute_part", counted(done, stop=1))
    with pytest.raises(PowerCutError):
        run.run(request_, out, silent)
    assert done == [part]
    assert not part.exists()  # it was removed first


def test_what_was_kept_of_another_request_goes(one_part: Path, request_: RunRequest, tmp_path: Path) -> None:
    out = copied(one_part, tmp_path)
    kept = out.parent / ".run.parts"
    (kept / ("0" * 64)).mkdir()
    (kept / f".{'1' * 64}.abcdefgh").mkdir()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(PowerCutError):
        patch.setattr(run, "compute_part", counted([], stop=1))  # of the second part: the first is there
        run.run(request_, out, silent)
    assert names(kept) == [part_requests(request_)[0].key()]
    changed = request_.model_copy(update={"config": request_.config.model_copy(update={"seed": 8})})
    with pytest.MonkeyPatch.context() as patch, pytest.raises(PowerCutError):
        patch.setattr(run, "compute_part", counted([], stop=1))
        run.run(changed, out, silent)
    assert names(out.parent) == []  # an empty folder of parts is no use either


def test_a_finished_run_says_so_and_changes_nothing(
    request_: RunRequest, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(whole.parent)
    monkeypatch.setattr(run, "compute_part", counted([], stop=1))
    monkeypatch.chdir(whole.parent)
    (whole.parent / ".run.parts").mkdir()  # of a process killed after its run stood there
    said: list[str] = []
    assert run.run(request_, Path("run"), said.append) == Path("run/report.html")
    assert said == [f"run {resume.FINISHED}"]
    after = state(whole.parent)
    assert {name: after[name] for name in before if name != "whole"} == {n: before[n] for n in before if n != "whole"}
    assert names(whole.parent) == ["run"]


@pytest.mark.parametrize("change", ["force", "seed", "code", "a table", "the report"])
def test_what_is_not_this_very_run_is_computed(
    request_: RunRequest, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    shutil.copytree(whole, tmp_path / "run")
    if change == "seed":
        request_ = request_.model_copy(update={"config": request_.config.model_copy(update={"seed": 8})})
    if change == "code":
        monkeypatch.setattr("pipeline.parts.code_hash", lambda: "another")
    if change == "a table":
        (tmp_path / "run" / "links.parquet").write_bytes(b"PAR1")
    if change == "the report":
        (tmp_path / "run" / "report.html").unlink()
    monkeypatch.setattr(run, "compute_part", counted([], stop=1))
    with pytest.raises(PowerCutError):
        run.run(request_, tmp_path / "run", silent, force=change == "force")


def test_one_run_at_a_time_writes_a_folder(request_: RunRequest, whole: Path, tmp_path: Path) -> None:
    for out in (tmp_path / "run", whole):
        with locked(out), pytest.raises(ArtifactError, match=r"another process is writing .*: wait until it is done"):
            run.run(request_, out, silent)
    assert names(tmp_path) == []


def test_a_foreign_folder_is_refused_and_kept(one_part: Path, request_: RunRequest, tmp_path: Path) -> None:
    out = copied(one_part, tmp_path)
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(ArtifactError, match="is not an earlier result"):
        run.run(request_, out, silent)
    assert names(out) == ["thesis.txt"]


def test_what_a_killed_report_left_in_a_run_does_not_stand_in_its_way(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "run")
    (tmp_path / "run" / ".report.html.ab12cd_x").write_text("half")
    with run.run_directory(tmp_path / "run") as folder:
        shutil.copy(whole / "run.json", folder)
    assert names(tmp_path / "run") == ["run.json"]


def synced(at: int) -> Any:
    """The system's sync of a file, for which there is no room at the ``at``-th."""
    sync, count = os.fsync, [0]

    def full(handle: int) -> None:
        count[0] += 1
        if count[0] == at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    return full


@pytest.mark.slow
def test_a_disk_that_is_full_at_any_write_is_one_line_and_the_run_goes_on_when_there_is_room(
    one_part: Path, request_: RunRequest, whole: Path, tmp_path: Path
) -> None:
    out = copied(one_part, tmp_path)
    shutil.copytree(whole, out)
    (out / "links.parquet").write_bytes(b"")  # so that it is not finished
    before, told = contents(out), set()
    for at in (2, 8, 4, 7):  # of the second part's seven writes, then, when it is kept, of the run's seven
        with pytest.MonkeyPatch.context() as patch, pytest.raises(ArtifactError) as raised:
            patch.setattr(artifacts.os, "fsync", synced(at))
            run.run(request_, out, silent)
        assert str(raised.value).startswith("cannot write ")
        assert str(raised.value).endswith(": No space left on device")
        assert contents(out) == before
        assert names(out.parent) == [".run.parts", "run"]
        told.add(Path(str(raised.value).removeprefix("cannot write ").partition(":")[0]).name)
    assert {"ranked.parquet", "report.html"} < told and len(told) == 4
    run.run(request_, out, silent)
    assert contents(out) == contents(whole)
    assert names(out.parent) == ["run"]


@contextlib.contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """The system lets this process write no file beyond a size, in bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_system_that_takes_no_more_is_one_line_whoever_writes(tmp_path: Path) -> None:
    """Parquet's own writer, the weights', the workbook's and ours, against the real thing."""
    import numpy as np
    import pandas as pd
    import torch

    from pipeline.encoders.cache import EmbeddingCache
    from pipeline.export.tables import write_xlsx
    from pipeline.fusion.storage import write_fusion

    table = pd.DataFrame({"x": np.random.default_rng(1).random(5000)})
    writers = {
        "t.parquet": lambda: artifacts.write_table(tmp_path / "t.parquet", table),
        "t.json": lambda: artifacts.write_json(tmp_path / "t.json", table["x"].tolist()),
        "t.xlsx": lambda: write_xlsx(table, tmp_path / "t.xlsx", "t"),
        "weights.safetensors": lambda: write_fusion(tmp_path, {"kind": "x"}, {"w": torch.ones(5000)}),
        ".npy": lambda: EmbeddingCache(tmp_path).add("x", ["k"], np.ones((1, 5000))),
    }
    for name, write in writers.items():
        with files_up_to(4096), pytest.raises(ArtifactError, match=rf"^cannot write .*{name}: .*File too large$"):
            write()
        assert not [path for path in tmp_path.rglob("*") if path.is_file()], name


def test_a_temporary_file_goes_when_its_writer_is_dead_and_stays_while_it_lives(tmp_path: Path) -> None:
    dead, other = tmp_path / ".a.json.ab12cd_x", tmp_path / ".b.json.ab12cd_x"
    dead.write_text("half")
    other.write_text("half of another")
    with artifacts.atomic_path(tmp_path / "a.json") as first:
        assert names(tmp_path) == sorted([first.name, other.name])
        first.write_text("first")
        artifacts.write_json(tmp_path / "a.json", "second")
        assert first.exists()
    assert names(tmp_path) == sorted([other.name, "a.json"])
    assert (tmp_path / "a.json").read_text() == "first"


def test_records_nested_beyond_all_measure_are_damaged_ones(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("[" * 200_000)
    with pytest.raises(ArtifactError, match="cannot be read as JSON"):
        artifacts.read_json(tmp_path / "r.json")
