"""What spreadsheets read: CSV files and the cells of workbooks, in which no text is ever run as a formula."""

import datetime
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.artifacts import atomic_path

FORMULA = re.compile(r"^(?:[\t\r\n]|\s*[=+\-@＝＋－＠])")  # the full-width signs too: East Asian Excel reads them alike
CELL = 32_767  # characters that a cell of a workbook holds
TEXT_IS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}  # of xlsxwriter
QUOTED = {"quote_prefix": True}  # the format of a text that stays one even when a reader edits its cell
_CUT = " [cut here: the whole text is in the Parquet file]"


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV that Excel opens; text that it would run as a formula gets a leading apostrophe."""
    safe = frame.apply(as_text)
    safe.columns = as_text(pd.Series(frame.columns, dtype=str)).tolist()
    with atomic_path(path) as temporary:
        safe.to_csv(temporary, index=False, encoding="utf-8-sig", lineterminator="\r\n")


def as_text(column: pd.Series) -> pd.Series:
    """A column whose texts that begin like formulas have a leading apostrophe; what is no text stays as it is."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    if not (pd.api.types.is_string_dtype(column) or pd.api.types.is_object_dtype(column)):
        return column
    text = column.map(lambda cell: isinstance(cell, str))
    risky = text & column.where(text, "").astype(str).str.contains(FORMULA)
    return column.where(~risky, "'" + column.where(risky, "").astype(str))


def write_cell(sheet: Any, row: int, place: int, value: Any, formats: Mapping[str, Any], number: Any = None) -> bool:
    """Write one cell of a workbook by its own type, what is missing as nothing; whether its text had to be cut.

    ``formats``: of the workbook: ``quoted`` (``QUOTED``), ``date`` and, if wanted, ``text``; ``number``: this cell's,
    should it hold one.
    """
    plain = formats.get("text")
    if isinstance(value, str):
        short = value if len(value) <= CELL else value[: CELL - len(_CUT)] + _CUT
        sheet.write_string(row, place, short, formats["quoted"] if FORMULA.match(short) else plain)
        return short is not value
    if value is None or pd.isna(value):
        return False
    if isinstance(value, bool):
        sheet.write_boolean(row, place, value, plain)
    elif isinstance(value, datetime.date):
        sheet.write_datetime(row, place, value, formats["date"])
    elif isinstance(value, int | float) and math.isfinite(value):
        sheet.write_number(row, place, value, number)
    else:
        return write_cell(sheet, row, place, str(value), formats)
    return False
