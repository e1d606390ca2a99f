"""Rows on the disk: they come back as they went, in the order asked for, however few are held at once."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.artifacts import table_writer, write_table
from pipeline.corpus import spill
from pipeline.corpus.spill import ROW, Ordered, pieces, read_pieces
from pipeline.errors import ArtifactError

_TEXTS = st.lists(st.sampled_from(["", "a", "东芝" * 9, "x" * 200]), max_size=12)


def frame(texts: list[str]) -> pd.DataFrame:
    """Two columns of text, labelled from 5 on."""
    index = pd.Index(range(5, 5 + len(texts)), dtype="int64")
    return pd.DataFrame({"one": texts, "other": texts[::-1]}, index=index, dtype="str")


@given(_TEXTS, st.integers(1, 5), st.sampled_from([1, 64, 1 << 20]))
@settings(max_examples=25, deadline=None)
def test_rows_come_back_as_they_went_in_pieces_of_bounded_size(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], most: int, text: int
) -> None:
    folder, whole = tmp_path_factory.mktemp("spilled"), frame(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spill, "PIECE", most)
        patch.setattr(spill, "PIECE_BYTES", text)
        path, rows = spill.spill([whole.iloc[:3], whole.iloc[3:3], whole.iloc[3:]], folder)
        back = list(read_pieces(path))
        write_table(folder / "stored.parquet", whole.assign(**{ROW: whole.index}))
        stored, cut = list(read_pieces(folder / "stored.parquet")), list(pieces(whole))
    assert rows == len(texts)
    for found in (back, stored, cut):
        pd.testing.assert_frame_equal(pd.concat(found), whole, check_index_type=False)
        assert all(len(piece) <= most for piece in found)
    for piece in back:
        assert len(piece) <= 1 or piece.map(lambda value: len(value.encode())).to_numpy().sum() <= text


@given(st.permutations(range(9)), st.integers(0, 9), st.integers(1, 10), st.integers(1, 10))
@settings(max_examples=25, deadline=None)
def test_rows_are_given_back_in_the_order_asked_for(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], wanted: int, at_once: int, piece: int
) -> None:
    whole = frame([f"text {number}" for number in range(9)]).reset_index(drop=True)
    labels = np.array(order[:wanted], dtype=np.int64)
    ordered = Ordered(tmp_path_factory.mktemp("ordered"), labels, len(whole), at_once)
    for start in range(0, len(whole), piece):
        ordered.add(whole.iloc[start : start + piece])
    found = list(ordered)
    assert [label for part in found for label in part.index] == labels.tolist()
    assert [len(part) for part in found[:-1]] == [at_once] * (len(found) - 1)
    for part in found:
        pd.testing.assert_frame_equal(part, whole.loc[part.index], check_index_type=False)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path, _ = spill.spill([frame(["a", "b"])], tmp_path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ArtifactError, match=f"{path} cannot be read"):
        list(read_pieces(path))


@given(_TEXTS, st.lists(st.integers(0, 12), max_size=3), st.integers(1, 5), st.sampled_from([1, 64, 1 << 20]))
@settings(max_examples=25, deadline=None)
def test_a_table_in_pieces_is_written_as_in_one(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], cuts: list[int], most: int, text: int
) -> None:
    folder, whole = tmp_path_factory.mktemp("written"), frame(texts).assign(number=1)
    ends = [0, *sorted(cuts), len(texts)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.artifacts.Groups.__init__.__defaults__", (most, text))
        write_table(folder / "whole.parquet", whole)
        with table_writer(folder / "pieces.parquet") as write:
            for start, end in itertools.pairwise(ends):
                write(whole.iloc[start:end])
    assert (folder / "pieces.parquet").read_bytes() == (folder / "whole.parquet").read_bytes()
    file = pq.ParquetFile(folder / "pieces.parquet")
    assert all(file.metadata.row_group(number).num_rows <= most for number in range(file.num_row_groups))
    pd.testing.assert_frame_equal(file.read().to_pandas(), whole.reset_index(drop=True))
