"""Nothing that is read can run code: no pickle in any of its forms, no unsafe YAML; and no clock that may jump."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import PROJECT

FILES = sorted(path for room in ("pipeline", "flows") for path in (PROJECT / room).rglob("*.py"))
MODULES = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "jsonpickle"}
NEVER = {"read_pickle", "to_pickle", "full_load", "unsafe_load"}
BUILTINS = {"eval", "exec", "__import__"}
ONLY_WITH = {  # calls that are safe with this argument alone
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
    "np.save": ("allow_pickle", False),
    "torch.load": ("weights_only", True),
}
JUMPS = {"time.time", "datetime.now", "datetime.datetime.now", "datetime.today", "datetime.date.today", "date.today"}
MAY_JUMP = {
    # how long a server asks us to wait, told as a time of day; all are bounded
    "pipeline/fetch/http.py",
    "pipeline/fetch/ops.py",
    "pipeline/judge/client.py",
    "pipeline/fetch/harvest.py",  # up to which day a question is asked: written into its manifest
    "pipeline/ranking/kept.py",  # which kept fits are the longest unused: one that goes too soon is fitted again
    "flows/run.py",  # which kept parts are old enough to go: one that goes too soon is computed again
}


def called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def faults(source: str) -> Iterator[str]:
    """What in a program could run code that came with data."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            yield from _faults_of_call(node)


def _faults_of_call(node: ast.Call) -> Iterator[str]:
    name, given = called(node), {word.arg: ast.unparse(word.value) for word in node.keywords}
    plain = isinstance(node.func, ast.Name)
    last = name.rpartition(".")[2]
    if name in ONLY_WITH:
        word, value = ONLY_WITH[name]
        if given.get(word) != str(value):
            yield f"{name} without {word}={value}"
    elif last in NEVER or (plain and last in BUILTINS) or (name == "yaml.load" and "SafeLoader" not in str(given)):
        yield name
    if given.get("persist_result") == "True" and given.get("result_serializer") != "'json'":
        yield f"{name} persists results by pickle"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_no_file_reads_what_could_run(path: Path) -> None:
    assert list(faults(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "bad",
    [
        "import pickle",
        "from joblib import load",
        "import cloudpickle.compat",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "torch.load(path, weights_only=False)",
        "yaml.load(text)",
        "yaml.unsafe_load(text)",
        "pd.read_pickle(path)",
        "frame.to_pickle(path)",
        "eval(text)",
        "__import__(name)",
        "@task(persist_result=True)\ndef f(): pass",
    ],
)
def test_the_scan_finds_what_it_is_for(bad: str) -> None:
    assert len(list(faults(bad))) == 1


def test_what_is_safe_passes() -> None:
    good = "np.load(p, allow_pickle=False); torch.load(p, weights_only=True); yaml.safe_load(t); net.eval()"
    assert list(faults(good)) == []


def test_no_stage_trusts_a_clock_that_may_jump_or_the_time_of_a_file() -> None:
    """Timings are monotonic, and what is new or stale is known by content: no result can depend on the day."""
    users = {
        path.relative_to(PROJECT).as_posix()
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Call) and called(node) in JUMPS)
        or (isinstance(node, ast.Attribute) and node.attr in ("st_mtime", "st_mtime_ns", "st_ctime", "getmtime"))
    }
    assert users == MAY_JUMP
