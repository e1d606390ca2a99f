"""Which part of the library may know of which: imports point down one list of rooms."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import PROJECT

# a room may import from those before it, and from itself; the metrics stand apart from the rest of the evaluation,
# because the reference recipe selects its learners by them
ROOMS = (
    "errors",
    "mapping",
    "extensions",
    "threads",
    "artifacts",
    "storage",
    "spreadsheets",
    "fetch",
    "schemas",
    "config",
    "corpus",
    "background",
    "encoders",
    "pairs",
    "features",
    "fusion",
    "evaluation.metrics",
    "ranking",
    "run_config",
    "cutoff",
    "forecast_in_blocks",
    "forecast",
    "opportunities",
    "knowledge",
    "evaluation",
    "judge",
    "report",
    "parts",
    "train_prior",
    "horizons",
    "run_request",
    "run_horizon",
    "resume",
    "run",
    "opportunities_config",
    "run_opportunities",
    "validate_judge",
    "sample",
    "export",
    "watch",
    "api",
    "cli",
    "__main__",
)
FILES = sorted((PROJECT / "pipeline").rglob("*.py"))


def room_of(path: Path) -> str:
    return room_named(".".join(path.relative_to(PROJECT).with_suffix("").parts))


def room_named(module: str) -> str:
    """The room of a dotted name below pipeline."""
    _, first, *rest = module.split(".")
    part = f"{first}.{rest[0]}" if rest else first
    return part if part in ROOMS else first


def imports(path: Path) -> Iterator[str]:
    """Dotted names a file imports, those inside functions too; ``from pipeline import x`` counts as pipeline.x."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively: write the name out"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_room_is_in_the_list() -> None:
    assert {room_of(path) for path in FILES} - {"__init__"} == set(ROOMS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_imports_point_down_the_list_of_rooms(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        # the package hands out the API, for type checkers at once, at run time when it is asked for
        assert {room_named(name) for name in imports(path) if name.startswith("pipeline")} == {"api"}
        return
    allowed = {*ROOMS[: ROOMS.index(room) + 1], "__version__"}
    used = {room_named(name) for name in imports(path) if name.startswith("pipeline.")}
    assert used <= allowed, f"{path.relative_to(PROJECT)} looks up to {sorted(used - allowed)}"


def test_one_module_knows_of_langchain() -> None:
    users = {
        path.relative_to(PROJECT).as_posix()
        for path in FILES
        if any(name.startswith(("langchain", "openai")) for name in imports(path))
    }
    assert users == {"pipeline/judge/client.py"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_the_library_knows_nothing_of_flows_or_tests(path: Path) -> None:
    roots = {name.partition(".")[0] for name in imports(path)}
    assert not roots & {"flows", "prefect", "tests", "benchmarks", "cases", "factories"}
