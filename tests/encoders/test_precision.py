"""The number format is measured once on a processor and obeyed ever after."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.encoders.precision import Dtype, remembered_dtype
from pipeline.errors import ArtifactError

VECTORS = np.eye(4, dtype=np.float32)


def never(dtype: Dtype) -> np.ndarray:
    raise AssertionError("measured a second time")


def test_vectors_that_disagree_keep_float32_however_fast(tmp_path: Path) -> None:
    def rough(dtype: Dtype) -> np.ndarray:
        return VECTORS if dtype == "float32" else VECTORS[::-1]

    assert remembered_dtype("model", "cpu", rough, tmp_path) == "float32"


def test_the_decision_is_stored_with_its_reasons_and_obeyed(tmp_path: Path) -> None:
    first = remembered_dtype("model", "cpu", lambda dtype: VECTORS, tmp_path)
    (stored,) = (tmp_path / "dtype").iterdir()
    assert '"least_cosine": 1.0' in stored.read_text()
    other: Dtype = "float32" if first == "bfloat16" else "bfloat16"
    stored.write_text(stored.read_text().replace(first, other))
    assert remembered_dtype("model", "cpu", never, tmp_path) == other


def test_another_model_is_measured_for_itself(tmp_path: Path) -> None:
    remembered_dtype("model", "cpu", lambda dtype: VECTORS, tmp_path)
    with pytest.raises(AssertionError, match="second time"):
        remembered_dtype("another", "cpu", never, tmp_path)


def test_without_a_memory_nothing_is_measured() -> None:
    assert remembered_dtype("model", "cpu", never, None) == "float32"


def test_a_memory_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "dtype").write_text("")
    with pytest.raises(ArtifactError, match="cannot write "):
        remembered_dtype("model", "cpu", lambda dtype: VECTORS, tmp_path)
