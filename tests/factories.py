"""Small corpora for tests: dict rows in the flat layout, through the real ingest."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.corpus.families import Families
from pipeline.corpus.ingest import Ingested, ingest_tables
from pipeline.corpus.readers import SourceTable, flat_table
from pipeline.corpus.timeline import Corpus


def flat_rows(rows: Sequence[Mapping[str, Any]]) -> SourceTable:
    """Dict rows as a source: lists are joined with ``;``, absent fields are empty, keys are flat columns."""
    texts = [{key: ";".join(v) if isinstance(v, list | tuple) else str(v) for key, v in row.items()} for row in rows]
    index = pd.RangeIndex(1, len(texts) + 1)
    columns = list(dict.fromkeys(key for row in texts for key in row))
    frame = pd.DataFrame(texts, index=index, columns=columns).fillna("").astype("str")
    table = flat_table(frame)
    unknown = set(columns) - set(table.columns)
    assert not unknown, f"not flat columns: {sorted(unknown)}"
    return SourceTable(frame=table, format="table", name="rows")


def ingested_from(rows: Sequence[Mapping[str, Any]], families: Families = "merge") -> Ingested:
    """Ingest dict rows."""
    return ingest_tables([flat_rows(rows)], families)


def corpus_from(rows: Sequence[Mapping[str, Any]], families: Families = "merge") -> Corpus:
    """A corpus of dict rows; a row or value that cannot be used, or an exact repeat, fails the test that gave it.

    >>> corpus_from([{"patent_id": "US1", "date": "2010-01-05", "ipc": "F25B 41/20;G06F 3/00"}]).patents["patent_id"][0]
    'US1'
    """
    result = ingested_from(rows, families)
    assert result.quarantine.empty, result.quarantine.to_string()
    assert not result.account.exact_repeats, "exact repeats among the rows"
    return result.corpus
