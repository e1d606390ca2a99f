"""What is reused, what is tried again, and what the page is told."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from prefect.states import Failed

from flows import page
from flows.ingest import _found, read_sources
from flows.opportunities import refine
from flows.run import KEPT, _tidy, assemble_run, check, compute_part
from flows.tasks import RETRY_AFTER, file_hashes, reference, still_there, worth_retrying
from pipeline.errors import CorpusError

STAGES = [check, compute_part, assemble_run, read_sources, refine]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net").mkdir()
    (tmp_path / "a.json").write_text("1")
    (tmp_path / "net" / "b.json").write_text("2")
    return tmp_path


def test_what_was_made_is_there_until_it_is_changed_or_removed(folder: Path) -> None:
    made = reference(folder, "*.json", "net/*")
    assert still_there(made)
    (folder / "beside.txt").write_text("of no concern")
    assert still_there(made)
    (folder / "net" / "b.json").write_text("3")
    assert not still_there(made)
    (folder / "net" / "b.json").write_text("2")
    assert still_there(made)
    (folder / "a.json").unlink()
    assert not still_there(made)
    assert not still_there(made | {"path": str(folder / "elsewhere")})
    assert still_there({"left_out": "too few patents"})


def test_files_and_whole_folders_are_known_by_their_content(folder: Path) -> None:
    one, none, missing, whole = file_hashes(folder / "a.json", None, folder / "nothing", folder)
    assert one is not None and whole is not None and none is missing is None
    (folder / "net" / "b.json").write_text("3")
    assert file_hashes(folder / "a.json", folder)[0] == one
    assert file_hashes(folder)[0] != whole


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (OSError("no space left on device"), True),
        (ConnectionError("lost"), True),
        (TimeoutError("too long"), True),
        (CorpusError("no such file"), False),
        (TypeError("a fault of the program"), False),
    ],
)
def test_what_may_mend_itself_is_tried_again(error: Exception, again: bool) -> None:
    assert worth_retrying(None, None, Failed(data=error)) is again


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_stage_is_retried_ends_and_is_kept_under_its_key(stage: Any) -> None:
    assert stage.retries == len(RETRY_AFTER) and stage.retry_delay_seconds == sorted(RETRY_AFTER)
    assert stage.timeout_seconds and stage.timeout_seconds > 0
    assert stage.task_run_name
    assert stage.result_serializer == "json"
    key = stage.cache_policy.compute_key(None, {"key": "abc"}, {})
    assert key == "abc"


def test_a_pattern_finds_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).touch()
    assert [path.name for path in _found([str(tmp_path / "*.csv")])] == ["a.csv", "b.csv"]
    with pytest.raises(CorpusError, match="none that the pattern finds"):
        _found([str(tmp_path / "*.xlsx")])


def test_parts_that_nobody_asked_for_in_long_are_removed(tmp_path: Path) -> None:
    import os
    import time

    used, old, new = (tmp_path / (letter * 64) for letter in "abc")
    for path in (used, old, new, tmp_path / "something else"):
        path.mkdir()
        if path != new:
            os.utime(path, (time.time() - KEPT - 100,) * 2)
    _tidy(tmp_path, [used.name])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([used.name, new.name, "something else"])
    assert time.time() - used.stat().st_mtime < 100


def test_the_page_is_told_no_markup_of_patents(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {}
    monkeypatch.setattr(page, "create_table_artifact", lambda **given: told.update(given))
    hostile = pd.DataFrame({"label": ["<img src=x> ![a](http://b) *c*", None], "n": [0.5, float("nan")]})
    page.show_table("topics", hostile, "Topics")
    assert told["table"] == {"label": [r"&lt;img src=x&gt; !\[a\](http://b) \*c\*", ""], "n": ["0.5", ""]}
