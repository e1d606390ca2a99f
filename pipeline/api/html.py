"""How the objects show themselves in a notebook: plain tables, every text escaped."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import escape

from pipeline.report.words import clean

ROWS = 10  # of a table, shown at first
_LEFT = " style='text-align:left'"  # notebooks set every cell to the right, which is for numbers


def card(title: str, facts: Mapping[str, Any], table: pd.DataFrame | None = None, note: str = "") -> str:
    """A heading, facts by name, and the first rows of a table."""
    rows = "".join(f"<tr><th{_LEFT}>{_text(k)}</th><td{_LEFT}>{_text(v)}</td></tr>" for k, v in facts.items())
    shown = "" if table is None else plain(table)
    told = f"<p>{_text(note)}</p>" if note else ""
    return f"<div><h4>{_text(title)}</h4><table>{rows}</table>{told}{shown}</div>"


def plain(table: pd.DataFrame) -> str:
    """The first rows of a table, escaped."""
    shown = table.head(ROWS)
    sides = ["" if pd.api.types.is_numeric_dtype(kind) else _LEFT for kind in shown.dtypes]
    head = "".join(f"<th{side}>{_text(name)}</th>" for name, side in zip(shown, sides, strict=True))
    rows = ("".join(_cell(*each) for each in zip(row, sides, strict=True)) for row in shown.itertuples(index=False))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any, side: str) -> str:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        said = "–"
    elif isinstance(value, float):
        said = f"{value:.3g}"
    else:
        said = f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)
    return f"<td{side}>{_text(said)}</td>"


def _text(value: Any) -> str:
    return str(escape(clean(f"{value:,}" if type(value) is int else str(value))))
