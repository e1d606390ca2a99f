"""How the objects show themselves in a notebook: plain tables, every text escaped."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import escape

from pipeline.report.words import clean

ROWS = 10  # of a table, shown at first


def card(title: str, facts: Mapping[str, Any], table: pd.DataFrame | None = None, note: str = "") -> str:
    """A heading, facts by name, and the first rows of a table."""
    rows = "".join(f"<tr><th style='text-align:left'>{_text(k)}</th><td>{_text(v)}</td></tr>" for k, v in facts.items())
    shown = "" if table is None else plain(table)
    told = f"<p>{_text(note)}</p>" if note else ""
    return f"<div><h4>{_text(title)}</h4><table>{rows}</table>{told}{shown}</div>"


def plain(table: pd.DataFrame) -> str:
    """The first rows of a table, escaped."""
    text = table.head(ROWS).map(lambda cell: clean(cell) if isinstance(cell, str) else cell)
    return str(text.to_html(index=False, escape=True, border=0, float_format="{:.3g}".format, na_rep="–"))


def _text(value: Any) -> str:
    return str(escape(clean(f"{value:,}" if type(value) is int else str(value))))
