"""The plain table: our own flat columns, of which ``patent_id``, ``date`` and ``ipc`` or ``cpc`` must be there."""

from collections.abc import Sequence

import pandas as pd

from pipeline.corpus.readers.base import FAULTS, FLAT, Layout


def _recognises(header: Sequence[str]) -> bool:
    return {"patent_id", "date"} <= set(header) and not {"ipc", "cpc"}.isdisjoint(header)


def _flatten(raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return raw, pd.DataFrame(columns=list(FAULTS))


TABLE = Layout("table", _recognises, used=frozenset(FLAT), flatten=_flatten)
