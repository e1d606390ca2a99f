"""The notebooks: in step with their source, and running from first cell to last on the simulated corpus."""

from pathlib import Path

import jupytext
import nbformat
import pytest
from cases import PROJECT
from nbclient import NotebookClient

SOURCES = sorted((PROJECT / "notebooks").glob("*.py"))


def cells(notebook: nbformat.NotebookNode) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def test_there_are_notebooks() -> None:
    assert len(SOURCES) == 5


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_notebook_says_what_its_source_says_and_holds_no_output(source: Path) -> None:
    paired = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    assert cells(paired) == cells(jupytext.read(source)), "run: jupytext --sync notebooks/*.py"
    assert not [cell for cell in paired.cells if cell.get("outputs") or cell.get("execution_count")]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder in which the notebooks run one after the other, as a reader's do."""
    home = tmp_path_factory.mktemp("project")
    (home / "notebooks").mkdir()
    return home


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_notebook_runs_from_first_cell_to_last(source: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.setenv("TECHCONVERGE_CACHE", str(home / "cache"))
    monkeypatch.setenv("IPYTHONDIR", str(home / "ipython"))
    notebook = jupytext.read(source)
    NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": home / "notebooks"}}
    ).execute()
    shown = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    assert any(output.output_type == "execute_result" for outputs in shown for output in outputs)
    assert not [output for outputs in shown for output in outputs if output.output_type == "error"]
