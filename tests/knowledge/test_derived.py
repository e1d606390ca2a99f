"""The search arrays: what is there already is not computed again, and that shows in nothing."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from factories import corpus_from
from knowledge.bases import ENCODER, added, contents, row, written

from pipeline.knowledge import derived
from pipeline.knowledge.coarse import ARRAYS
from pipeline.knowledge.retrieve import open_base
from pipeline.knowledge.store import load_manifest

ROWS = [row(f"US{number}", f"20{number:02d}-01-01", f"A heat pump of kind {number}.") for number in range(20)]


def test_vectors_of_files_that_stay_are_taken_from_the_arrays_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, read = tmp_path / "base", []
    added(base, corpus_from(ROWS))
    before = load_manifest(base).files

    def noted(folder, manifest):
        read.append(manifest.files)
        return load_vectors(folder, manifest)

    load_vectors = derived.load_vectors
    monkeypatch.setattr(derived, "load_vectors", noted)
    for plan in ("We build pumps.", "We build other pumps."):
        added(base, corpus_from(ROWS), written(tmp_path, plan=plan))
    after = load_manifest(base).files
    assert [len(files) for files in read] == [1, 1]
    assert read[1].items() <= after.items()
    assert not read[1].items() <= before.items()
    grown = contents(base / derived.FOLDER)
    shutil.rmtree(base / derived.FOLDER)
    open_base(base, ENCODER)
    assert read[2] == after
    assert contents(base / derived.FOLDER) == grown


def test_arrays_of_another_format_are_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tmp_path / "base"
    added(base, corpus_from(ROWS))
    whole = contents(base / derived.FOLDER)
    monkeypatch.setattr(derived, "FORMAT", derived.FORMAT + 1)
    open_base(base, ENCODER)
    assert contents(base / derived.FOLDER).keys() == whole.keys()
    assert contents(base / derived.FOLDER)["manifest.json"] != whole["manifest.json"]


def test_vectors_are_kept_as_they_are_stored_and_in_a_byte_a_component(tmp_path: Path) -> None:
    added(tmp_path / "base", corpus_from(ROWS))
    index = open_base(tmp_path / "base", ENCODER).dense
    assert (index.vectors.dtype, index.coarse.steps.dtype) == (np.float16, np.int8)
    made = derived.coarsened(index.vectors)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(index.coarse, name), getattr(made, name))
