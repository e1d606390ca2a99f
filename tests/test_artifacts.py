"""Stored things: written whole or not at all, the same bytes for the same content, checked when read."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from cases import names
from hypothesis import given
from hypothesis import strategies as st

from pipeline.artifacts import (
    atomic_directory,
    atomic_path,
    read_json,
    read_table,
    sha256_file,
    sha256_json,
    write_json,
    write_table,
)
from pipeline.errors import ArtifactError

FRAME = pd.DataFrame({"code": ["A01B", "G06F"], "n": pd.array([1, None], dtype="Int32"), "x": [0.5, float("nan")]})


class InterruptedWriteError(Exception):
    """Something that goes wrong in the middle."""


def test_a_table_comes_back_as_it_was(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", FRAME, {"known_until": "2012-12-31"})
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.parquet"), FRAME, check_dtype=False)
    assert pq.read_schema(tmp_path / "t.parquet").metadata == {b"known_until": b"2012-12-31"}
    assert list(read_table(tmp_path / "t.parquet", ["n"]).columns) == ["n"]


def test_the_same_table_gives_the_same_bytes_whatever_its_index(tmp_path: Path) -> None:
    write_table(tmp_path / "a.parquet", FRAME)
    write_table(tmp_path / "b.parquet", FRAME.set_axis([7, 9]))
    assert sha256_file(tmp_path / "a.parquet") == sha256_file(tmp_path / "b.parquet")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not parquet at all"])
def test_a_damaged_table_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"t\.parquet cannot be read as Parquet"):
        read_table(tmp_path / "t.parquet")
    with pytest.raises(ArtifactError, match=r"u\.parquet does not exist"):
        read_table(tmp_path / "u.parquet")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe"])
def test_a_damaged_record_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"r\.json cannot be read as JSON"):
        read_json(tmp_path / "r.json")
    with pytest.raises(ArtifactError, match=r"s\.json does not exist"):
        read_json(tmp_path / "s.json")


def test_json_keeps_order_and_refuses_what_json_has_not(tmp_path: Path) -> None:
    write_json(tmp_path / "r.json", {"b": 1, "a": "ü"})
    assert (tmp_path / "r.json").read_text(encoding="utf-8") == '{\n  "b": 1,\n  "a": "ü"\n}\n'
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "r.json", {"a": float("nan")})
    assert read_json(tmp_path / "r.json") == {"b": 1, "a": "ü"}
    assert names(tmp_path) == ["r.json"]


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.booleans()), max_size=5))
def test_a_json_hash_does_not_depend_on_the_order_of_keys(value: dict) -> None:
    assert sha256_json(value) == sha256_json(dict(reversed(list(value.items()))))
    assert sha256_json(value) != sha256_json(value | {"one more": 1})


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    with atomic_path(path) as temporary:
        temporary.write_text("first")
        assert not path.exists()
    with pytest.raises(InterruptedWriteError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise InterruptedWriteError
    assert path.read_text() == "first"
    assert names(path.parent) == ["file.txt"]


RUN = ("run.json", ["old.txt", "new.txt"])  # marker and entries of a kind of folder


def mark(folder: Path) -> None:
    write_json(folder / "run.json", {"techconverge": "0.1.0"})


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "x"
    with atomic_directory(out, *RUN) as temporary:
        mark(temporary)
        (temporary / "old.txt").write_text("old")
        assert not out.exists()
    with pytest.raises(InterruptedWriteError), atomic_directory(out, *RUN) as temporary:
        mark(temporary)
        raise InterruptedWriteError
    assert names(out) == ["old.txt", "run.json"]
    with atomic_directory(out, *RUN) as temporary:
        mark(temporary)
        (temporary / "new.txt").write_text("new")
    assert names(out) == ["new.txt", "run.json"]
    assert names(out.parent) == ["x"]


def test_new_files_and_folders_have_ordinary_permissions(tmp_path: Path) -> None:
    with atomic_directory(tmp_path / "run", *RUN) as folder:
        mark(folder)
    expected = tmp_path / "plain"
    expected.mkdir()
    (expected / "file").write_text("")
    assert (tmp_path / "run").stat().st_mode == expected.stat().st_mode
    assert (tmp_path / "run" / "run.json").stat().st_mode == (expected / "file").stat().st_mode


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"thesis.txt": "mine"}, "is not an earlier result of this command"),
        ({"run.json": '{"name": "my web app"}'}, "is not an earlier result of this command"),
        ({"run.json": "[1]"}, "is not an earlier result of this command"),
        ({"manifest.json": '{"techconverge": "0.1.0"}'}, "is not an earlier result of this command"),  # another kind
        ({"run.json": '{"techconverge": "0.1.0"}', "thesis.txt": "mine"}, "also holds thesis.txt"),
        ({"run.json": "{"}, "cannot be read as JSON"),
    ],
)
def test_what_is_not_wholly_ours_is_never_replaced(content: dict[str, str], message: str, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    for name, text in content.items():
        (tmp_path / "home" / name).write_text(text)
    with pytest.raises(ArtifactError, match=message), atomic_directory(tmp_path / "home", *RUN):
        pytest.fail("the body must not run")
    assert {name: (tmp_path / "home" / name).read_text() for name in names(tmp_path / "home")} == content
    assert names(tmp_path) == ["home"]


def test_a_file_is_not_taken_for_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ArtifactError, match="file is a file"), atomic_directory(tmp_path / "file", *RUN):
        pytest.fail("the body must not run")
    assert (tmp_path / "file").read_text() == "mine"


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with atomic_directory(tmp_path / "run", *RUN) as folder:
        mark(folder)
    assert names(tmp_path / "run") == ["run.json"]
