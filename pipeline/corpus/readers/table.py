"""The plain table: our own flat columns, of which ``patent_id``, ``date`` and ``ipc`` or ``cpc`` must be there.

Beside them ``priority_ids`` (numbers joined by ``;``) makes families of the rows whose ``family_id`` is empty.
"""

from collections.abc import Sequence

import pandas as pd

from pipeline.corpus.families import by_priorities
from pipeline.corpus.readers.base import FAULTS, FLAT, Layout

_PRIORITIES = "priority_ids"


def _recognises(header: Sequence[str]) -> bool:
    return {"patent_id", "date"} <= set(header) and not {"ipc", "cpc"}.isdisjoint(header)


def _flatten(raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    faults = pd.DataFrame(columns=list(FAULTS))
    if _PRIORITIES not in raw:
        return raw, faults
    family = by_priorities(raw[_PRIORITIES])
    stated = raw["family_id"].str.strip() if "family_id" in raw else pd.Series("", index=raw.index, dtype="str")
    return raw.drop(columns=_PRIORITIES).assign(family_id=stated.mask(stated == "", family)), faults


TABLE = Layout("table", _recognises, used=frozenset((*FLAT, _PRIORITIES)), flatten=_flatten)
