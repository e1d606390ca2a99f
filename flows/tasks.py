"""How a task is made: what becomes of its failures, and when a result of an earlier run is taken for its own.

A task does one stage of ``pipeline`` on files and hands on a reference to what it wrote. Its result is kept under a key
made of the hashes of its inputs, its settings and the code, so that the same stage is computed once and a changed one
anew; and what a kept reference points to is looked at, for someone may have removed or changed it since.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE, CacheKeyFnPolicy

from pipeline.artifacts import sha256_file, sha256_json
from pipeline.errors import TechconvergeError

Reference = dict[str, str]  # path: a folder; files: patterns in it; sha256: of the names and hashes of those files

P = ParamSpec("P")
R = TypeVar("R")

MINUTE, HOUR = 60, 3600  # seconds
RETRY_AFTER = [10, 60]  # seconds: a full disk or a lost network may be mended by then
_SAME_AGAIN = (TechconvergeError, TypeError, ValueError, LookupError, AttributeError, AssertionError)


def stage(name: str, run_name: str, timeout: int, reused: bool = False) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a task of a function: retried with growing delays, ended after ``timeout`` seconds, named as it should read.

    ``reused``: its result is kept under its parameter ``key``, for later runs too.
    """
    return task(
        name=name,
        task_run_name=run_name,
        retries=len(RETRY_AFTER),
        retry_delay_seconds=list(RETRY_AFTER),
        retry_condition_fn=worth_retrying,
        timeout_seconds=timeout,
        persist_result=reused,
        result_serializer="json",  # not Prefect's default, pickle: result files may come from elsewhere
        cache_policy=CacheKeyFnPolicy(cache_key_fn=_key) if reused else NO_CACHE,
    )


def worth_retrying(task: Any, run: Any, state: Any) -> bool:
    """Not what the user must mend, nor a fault of the program: it would fail again."""
    return not isinstance(state.result(raise_on_failure=False), _SAME_AGAIN)


def _key(context: Any, parameters: dict[str, Any]) -> str:
    return str(parameters["key"])


def once(task: Task[P, Reference], *arguments: P.args, **named: P.kwargs) -> Reference:
    """The task's reference: an earlier run's of the same key if what it made is still there, else made now."""
    made = task(*arguments, **named)
    return made if still_there(made) else task.with_options(refresh_cache=True)(*arguments, **named)


def reference(folder: Path, *patterns: str) -> Reference:
    """Where something lies, and the hash by which a later reader knows that its files are still the same."""
    return {"path": str(folder), "files": " ".join(patterns), "sha256": _digest(folder, patterns)}


def still_there(made: Reference) -> bool:
    """Whether what a reference points to is there, whole and unchanged; what was left out for a reason, is."""
    return "left_out" in made or _digest(Path(made["path"]), made["files"].split()) == made["sha256"]


def _digest(folder: Path, patterns: Iterable[str]) -> str:
    files = sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
    return sha256_json({path.relative_to(folder).as_posix(): sha256_file(path) for path in files})


def file_hashes(*paths: str | Path | None) -> list[str | None]:
    """The hash of each file or whole folder named; None for what is not named or not there (the stage will say so)."""
    return [None if path is None or not Path(path).exists() else _content(Path(path)) for path in paths]


def _content(path: Path) -> str:
    return sha256_file(path) if path.is_file() else _digest(path, ["**/*"])
