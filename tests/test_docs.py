"""The documentation: its commands run, its configuration page is up to date, its links lead somewhere."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from cases import PROJECT
from postgres import PASSWORD, cluster, free_port

from docs.generate import PAGE, page
from pipeline.corpus.readers import SourceTable, format_names
from pipeline.fetch.lens import TOKEN
from pipeline.fetch.ops import KEY, SECRET
from pipeline.fetch.sources import load_sources

DOCS = PROJECT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
IN_ORDER = (
    "quick_start",
    "opportunities",
    "exports",
    "api",
    "extending",
    "watch",
    "faults_and_security",
)  # each goes on in the folder of those before it
ALONE = ("scheduled_runs", "running_for_a_team")  # they start servers
_BLOCK = re.compile(r"^```(shell|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(path: Path) -> list[tuple[str, str]]:
    """The commands of a page, kind and text; its Python is one program."""
    found = _BLOCK.findall(path.read_text(encoding="utf-8"))
    program = "\n".join(text for kind, text in found if kind == "python")
    return [(kind, text) for kind, text in found if kind == "shell"] + ([("python", program)] if program else [])


def test_the_configuration_page_is_what_the_models_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs.generate"


@pytest.mark.parametrize(
    "setting", ["`seed`", "`task.horizon`", "`fusion.attention.width`", "`features.blocks`", "`topics.most_topics`"]
)
def test_settings_of_every_depth_are_on_it(setting: str) -> None:
    assert f"| {setting} |" in page()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_every_format_and_publisher_has_its_row_among_the_sources() -> None:
    rows = [line for line in (DOCS / "sources.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert sorted(
        row.split(" | ")[1] for row in rows if row.count(" | ") >= 4 and "`" in row.split(" | ")[1]
    ) == sorted(["`--format`", *(f"`{name}`" for name in format_names())])
    for name, source in load_sources().items():
        (row,) = [row for row in rows if row.startswith(f"| `techconverge fetch {name} ")]
        keys = {"ops": (KEY, SECRET), "lens": (TOKEN,)}.get(name, (source.key.environment,) if source.key else ())
        assert source.base_url in row
        assert all(f"`{key}`" in row for key in keys)


def test_every_page_with_commands_is_run() -> None:
    assert {path.stem for path in PAGES if blocks(path)} == {*IN_ORDER, *ALONE}


@pytest.fixture
def reader(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A folder to follow a page in, and an environment that has its commands."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, module in {"techconverge": "flows.cli", "prefect": "prefect"}.items():
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        (tools / name).chmod(0o755)
    place = tmp_path / "reader"
    place.mkdir()
    return place, os.environ | {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(PROJECT),
        "TECHCONVERGE_CACHE": str(tmp_path / "cache"),
    }


@pytest.mark.slow
def test_every_command_runs(reader: tuple[Path, dict[str, str]]) -> None:
    place, settings = reader
    for name in IN_ORDER:
        for kind, text in blocks(DOCS / f"{name}.md"):
            python = kind == "python"
            program = [sys.executable, "-c", text] if python else ["bash", "-e", "-c", text]
            done = subprocess.run(program, cwd=place, env=settings, capture_output=True, text=True)
            assert done.returncode == 0, f"{name}: {text}\n{done.stderr}"


def follow(page: str, place: Path, settings: dict[str, str], ports: dict[str, int]) -> str:
    """Run the commands of a page as one script, for they start servers that the later ones need; what it printed.

    ``ports``: what stands in the page, and a free one to take instead.
    """
    script = "\n".join(text for _, text in blocks(DOCS / f"{page}.md"))
    for told, port in ports.items():
        script = script.replace(told, str(port))
    quick = {"PREFECT_RUNNER_POLL_FREQUENCY": "1", "PREFECT_WORKER_QUERY_SECONDS": "1"}
    home = {"PREFECT_HOME": str(place / "data"), "PREFECT_SERVER_API_PORT": str(ports["4200"])}
    (place / "data").mkdir()
    (place / "printed").touch()
    # as at a prompt: jobs have process groups of their own, and do not ignore Ctrl-C as processes of pytest-xdist do
    with (place / "printed").open("wb") as printed:
        done = subprocess.Popen(
            ["env", "--default-signal=INT", "bash", "-e", "-m", "-c", script],
            cwd=place,
            env=settings | quick | home,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            start_new_session=True,
        )
        try:
            code: int | None = done.wait(240)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            end_session(done.pid)
    said = (place / "printed").read_text(encoding="utf-8")
    assert code == 0, said
    return said


def end_session(leader: int) -> None:
    """Stop what a script has left running when it failed."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader:
                os.kill(int(path.parent.name), signal.SIGKILL)


def exports(place: Path, rows: SourceTable) -> None:
    """The simulated documents as the table a user would bring."""
    (place / "exports").mkdir()
    rows.frame.to_csv(place / "exports" / "patents.csv", index=False)


@pytest.mark.slow
def test_the_page_of_scheduled_runs(reader: tuple[Path, dict[str, str]]) -> None:
    place, settings = reader
    port = free_port()
    said = follow("scheduled_runs", place, settings, {"4200": port})
    assert "watch/watch                    10 4 * * 1 Europe/Berlin" in said
    assert f"http://127.0.0.1:{port}/deployments" in said
    assert said.rstrip().endswith("stopped")
    assert "there is nothing to compare it with yet" in (place / "watch" / "digest.html").read_text(encoding="utf-8")
    (run,) = (place / "watch" / "runs").iterdir()
    assert run.name == "2019-12-31"  # the corpus's last complete month
    assert len(pd.read_csv(run / "ranked.csv"))
    with pytest.raises(ConnectionRefusedError):  # the server is gone
        socket.create_connection(("127.0.0.1", port))


@pytest.mark.slow
def test_the_page_of_a_team_with_a_real_postgresql(
    reader: tuple[Path, dict[str, str]], sample_rows: SourceTable
) -> None:
    place, settings = reader
    exports(place, sample_rows)
    shutil.copy(PROJECT / "prefect.yaml", place)
    with cluster() as database:
        secrets = {"PREFECT_DATABASE_PASSWORD": "of-prefect", "PGPASSWORD": PASSWORD}
        said = follow("running_for_a_team", place, settings | secrets, {"4200": free_port(), "5432": database})
        told = settings | {"PGPASSWORD": "of-prefect"}
        question = ["psql", "-h", "127.0.0.1", "-p", str(database), "-U", "prefect", "-tA", "-c", RUNS]
        rows = subprocess.run(question, env=told, capture_output=True, text=True, check=True).stdout.split()
    assert rows == ["ingest|COMPLETED"], said
    assert (place / "corpus" / "manifest.json").exists()
    for name in ("backtest", "forecast", "ingest", "opportunities", "report", "watch"):
        assert f"Deployment '{name}/{name}' successfully created" in said


RUNS = "select flow.name, flow_run.state_type from flow_run join flow on flow.id = flow_run.flow_id"
