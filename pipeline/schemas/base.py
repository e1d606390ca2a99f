"""What all tables share: their words, their base, and how they are checked."""

from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaError, SchemaErrors

from pipeline.errors import ArtifactError

LEVELS = ("section", "class", "subclass", "maingroup", "subgroup")
PRECISIONS = ("day", "month", "year")  # of a date, as the source gives it
SCHEMES = ("ipc", "cpc")
SHARED_LEVELS = LEVELS[:3]  # at which a symbol means the same in the IPC and the CPC
ROLES = ("assignee", "inventor")
DATE_KINDS = ("grant", "publication", "application", "priority", "")  # what the source says its date is
LANGUAGES = ("en", "de", "fr", "es", "zh", "ja", "ko", "other", "")
SIDES = ("firm", "target")
PAIR = ["code_a", "code_b"]
OUTCOMES = ("ok", "invalid", "refused", "error", "over_budget")
PAIR_KEY = ["cutoff", *PAIR]
CHANGES = ("realised", "new", "risen", "fallen", "expired")
REASONS = (
    "",
    *("candidate_now", "into_head", "within_head", "out_of_head"),  # of new, risen and fallen
    *("horizon_over", "met_before", "met_too_little", "no_candidate"),  # of expired
    *("topics_apart", "not_refined", "topic_gone"),  # of expired, where the scope is topic
)


class Table(pa.DataFrameModel):
    """Base of all tables: exact columns, coerced types."""

    class Config:
        strict = True
        coerce = True
        ordered = True


def validate(frame: pd.DataFrame, schema: Any, name: str) -> pd.DataFrame:
    """Check a frame against its schema at a border; all faults in one message with sample rows.

    Raises:
        ArtifactError: naming the table, each broken rule and up to three offending values.
    """
    try:
        checked: pd.DataFrame = schema.validate(frame, lazy=True)
        return checked
    except (SchemaErrors, SchemaError) as error:
        cases = error.failure_cases
        if not isinstance(cases, pd.DataFrame):
            raise ArtifactError(f"table {name}: {error}") from error
        raise ArtifactError(f"table {name} breaks its schema: {'; '.join(_faults(cases))}") from error


def _faults(cases: pd.DataFrame) -> list[str]:
    """Each broken rule once; a rule on whole rows is reported by pandera for every column of them."""
    of_rows = (cases["schema_context"] == "DataFrameSchema") & ~cases["check"].astype(str).str.startswith("column_in_")
    rules = [str(check) for check in cases.loc[of_rows, "check"].unique()]
    by_column = cases[~of_rows].fillna({"column": ""}).groupby(["column", "check"])
    return rules + [
        f"{column or 'table'}: {check} (e.g. {', '.join(map(repr, group['failure_case'].head(3)))})"
        for (column, check), group in by_column
    ]


def empty(schema: Any) -> pd.DataFrame:
    """An empty frame with the schema's columns and types."""
    columns = list(schema.to_schema().columns)
    frame: pd.DataFrame = schema.validate(pd.DataFrame({column: [] for column in columns}))
    return frame
