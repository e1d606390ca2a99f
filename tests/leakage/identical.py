"""Whether two results are the same to the last bit, whatever they are made of."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

SKIPPED = ("timings", "fitted")  # the clock's; and models, whose scores are compared


def assert_identical(left: Any, right: Any) -> None:
    """Numbers equal bit by bit, NaN equal to NaN; fields that are added to a result later are compared too."""
    one, other = dict(leaves(left)), dict(leaves(right))
    assert list(one) == list(other)
    different = [name for name in one if one[name] != other[name]]
    assert not different, f"{len(different)} of {len(one)} parts differ: {different[:8]}"


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The name and content of every array, column and plain value that a result is made of."""
    if dataclasses.is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, sp.csr_array):
        value = {"shape": value.shape, "indptr": value.indptr, "indices": value.indices, "data": value.data}
    if isinstance(value, pd.DataFrame):
        value = {"index": value.index, **dict(value.items())}
    if isinstance(value, dict):
        for key, part in value.items():
            if key not in SKIPPED:
                yield from leaves(part, f"{name}.{key}")
    elif isinstance(value, pd.Series | pd.Index):
        array = value.array
        plain = isinstance(array, pd.arrays.NumpyExtensionArray)
        yield name, _bits(np.asarray(array)) if plain else (str(array.dtype), [str(part) for part in array])
    elif isinstance(value, np.ndarray):
        yield name, _bits(value)
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            yield from leaves(part, f"{name}[{number}]")
        yield f"{name} size", len(value)
    else:
        yield name, repr(value)


def _bits(array: np.ndarray) -> tuple[Any, ...]:
    return (array.dtype.str, array.shape, array.tolist() if array.dtype == object else array.tobytes())
