"""Feature blocks and learners of one's own, known by name for as long as the program runs.

A configuration names them as it names the built-in ones, but a name imports nothing: the code must have been handed
over before, as a Python function or as a file that the user named. A run's record tells which code a name stood for.
"""

import dataclasses
import hashlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar

from pipeline.errors import ConfigError

Kind = Literal["block", "learner"]
Function = TypeVar("Function", bound=Callable[..., Any])
_NAME = re.compile("[a-z][a-z0-9]*(_[a-z0-9]+)*")
_PARAMETERS: dict[Kind, tuple[str, ...]] = {
    "block": ("history", "pairs", "task", "seed"),
    "learner": ("seed", "positives"),
}


@dataclasses.dataclass(frozen=True)
class Extension:
    """A function of the user's; ``where`` it is written (file and name), ``sha256`` of that file, or of the function's
    own text where there is no file, as in a notebook."""

    kind: Kind
    name: str
    function: Callable[..., Any]
    where: str
    sha256: str

    def told(self) -> dict[str, str]:
        """What a record keeps of it."""
        return {"kind": self.kind, "where": self.where, "sha256": self.sha256}


_KNOWN: dict[tuple[Kind, str], Extension] = {}


def feature_block(function: Function) -> Function:
    """Make a function a feature block of its own name (a decorator).

    It is called as ``function(history, pairs, task, seed)`` and returns a ``BlockOutput``, as the built-in blocks do;
    its columns are named ``NAME__measure__param__lag``.

    Raises:
        ConfigError: another name or other parameters are needed, or its source cannot be found.
    """
    register("block", function)
    return function


def learner(function: Function) -> Function:
    """Make a function a learner of its own name (a decorator), a member of the ensemble as ``NAME/STRATEGY``.

    It is called as ``function(seed, positives)`` and returns a new scikit-learn classifier, to be fitted on ranks in
    (0, 1) with NaN where unknown. Raises ConfigError as ``feature_block`` does.
    """
    register("learner", function)
    return function


def register(kind: Kind, function: Callable[..., Any]) -> Extension:
    """Make a function known under its name, in place of an earlier one: a notebook's cell may be run again."""
    if not inspect.isfunction(function):
        raise ConfigError(f"a {kind} must be a plain function, not {type(function).__name__}")
    name, takes = function.__name__, tuple(inspect.signature(function).parameters)
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name} cannot be the name of a {kind}: take lower-case letters, digits and single _")
    if takes != _PARAMETERS[kind]:
        raise ConfigError(f"{kind} {name} must take ({', '.join(_PARAMETERS[kind])}), not ({', '.join(takes)})")
    extension = Extension(kind, name, function, *_source(function))
    _KNOWN[kind, name] = extension
    return extension


def load_extensions(path: Path) -> list[Extension]:
    """Run a Python file of the user's and return what it registered.

    Raises:
        ConfigError: the file is not there, or defines neither a block nor a learner.
    """
    spec = importlib.util.spec_from_file_location(f"techconverge_extension_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigError(f"{path} is not a Python file: name one that defines feature blocks or learners")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    found = [extension for extension in _KNOWN.values() if extension.function.__module__ == spec.name]
    if not found:
        raise ConfigError(f"{path} defines no extension: mark a function with @feature_block or @learner")
    return found


def extension(kind: Kind, name: str) -> Extension | None:
    """The extension of that name, if there is one."""
    return _KNOWN.get((kind, name))


def known(kind: Kind) -> list[str]:
    """The names registered so far."""
    return [name for of_kind, name in _KNOWN if of_kind == kind]


def used(blocks: Iterable[str], members: Iterable[str]) -> dict[str, dict[str, str]]:
    """What a record tells of the extensions among configured blocks and members (``learner/strategy``), by name."""
    asked = [*((("block", name)) for name in blocks), *(("learner", member.partition("/")[0]) for member in members)]
    found = [_KNOWN[key] for key in dict.fromkeys(asked) if key in _KNOWN]
    return {f"{each.kind}:{each.name}": each.told() for each in found}


def _source(function: Callable[..., Any]) -> tuple[str, str]:
    file = Path(inspect.getfile(function))
    if file.is_file():
        return f"{file.name}:{function.__qualname__}", hashlib.sha256(file.read_bytes()).hexdigest()
    try:
        text = inspect.getsource(function)
    except OSError as error:
        raise ConfigError(
            f"the source of {function.__name__} cannot be found, so no record could tell what it was: "
            "write it in a file or a notebook's cell"
        ) from error
    return f"notebook:{function.__qualname__}", hashlib.sha256(text.encode()).hexdigest()
