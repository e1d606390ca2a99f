"""The documentation: its commands run, its configuration page is up to date, its links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cases import PROJECT

from docs.generate import PAGE, page
from pipeline.corpus.readers import format_names
from pipeline.fetch.lens import TOKEN
from pipeline.fetch.ops import KEY, SECRET
from pipeline.fetch.sources import load_sources

DOCS = PROJECT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
IN_ORDER = ("quick_start", "exports", "api", "extending")  # each goes on in the folder of those before it
_BLOCK = re.compile(r"^```(shell|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(path: Path) -> list[tuple[str, str]]:
    """The commands of a page, kind and text; its Python is one program."""
    found = _BLOCK.findall(path.read_text(encoding="utf-8"))
    program = "\n".join(text for kind, text in found if kind == "python")
    return [(kind, text) for kind, text in found if kind == "shell"] + ([("python", program)] if program else [])


def test_the_configuration_page_is_what_the_models_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs.generate"


@pytest.mark.parametrize("setting", ["`seed`", "`task.horizon`", "`fusion.attention.width`", "`features.blocks`"])
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
    assert {path.stem for path in PAGES if blocks(path)} == set(IN_ORDER)


@pytest.mark.slow
def test_every_command_runs(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "techconverge").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pipeline "$@"\n')
    (tools / "techconverge").chmod(0o755)
    settings = os.environ | {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(PROJECT),
        "TECHCONVERGE_CACHE": str(tmp_path / "cache"),
    }
    place = tmp_path / "reader"
    place.mkdir()
    for name in IN_ORDER:
        for kind, text in blocks(DOCS / f"{name}.md"):
            python = kind == "python"
            program = [sys.executable, "-c", text] if python else ["bash", "-e", "-c", text]
            done = subprocess.run(program, cwd=place, env=settings, capture_output=True, text=True)
            assert done.returncode == 0, f"{name}: {text}\n{done.stderr}"
