"""The tables of a run, and XLSX for other programs, in which text that would run as a formula is marked as text."""

import datetime
import re
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from pipeline.artifacts import atomic_path, read_table
from pipeline.report.tables import metric_frame
from pipeline.spreadsheets import QUOTED, TEXT_IS_TEXT, write_cell

SHEET_ROWS = 1_048_575  # below the header; what is beyond goes on in another sheet
_MADE = datetime.datetime(2000, 1, 1)  # a workbook's own date: the same tables give the same bytes
_WIDTH = (8, 48)  # of a column, in characters
_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,40}")


def run_tables(run: Path, metrics: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Every table of a run folder by name, and the metrics and the reliability of its ``metrics.json``.

    Those of a firm's opportunities are named with their folder: ``firm-NAME/topics``.
    """
    names = [
        path.relative_to(run).with_suffix("") for part in ("*", "firm-*/*") for path in run.glob(f"{part}.parquet")
    ]
    sound = [name.as_posix() for name in sorted(names) if _NAME.fullmatch(name.name)]
    tables = {name: read_table(run / f"{name}.parquet") for name in sound}
    further = [measured | {"horizon": int(years)} for years, measured in metrics.get("horizons", {}).items()]
    by_horizon = [metrics, *further]
    measured = [metric_frame(each).assign(horizon=each.get("horizon")) for each in by_horizon]
    bins = [pd.DataFrame(each.get("reliability", [])).assign(horizon=each.get("horizon")) for each in by_horizon]
    tables |= {"metrics": pd.concat(measured, ignore_index=True), "reliability": pd.concat(bins, ignore_index=True)}
    untested = [name for name in ("metrics", "reliability") if tables[name].empty]
    return {name: table for name, table in tables.items() if name not in untested}


def write_xlsx(table: pd.DataFrame, path: Path, name: str) -> int:
    """Write a table as a workbook with its first row frozen; the number of texts that had to be cut.

    Ids stay texts, whatever digits they are made of. A text that begins like a formula is marked as text in its cell,
    so that it stays one when the cell is edited.
    """
    cut = 0
    with atomic_path(path) as temporary:
        book = xlsxwriter.Workbook(str(temporary), TEXT_IS_TEXT | {"constant_memory": True, "in_memory": False})
        book.set_properties({"created": _MADE})
        head = book.add_format({"bold": True, "bottom": 1})
        formats = {"date": book.add_format({"num_format": "yyyy-mm-dd"}), "quoted": book.add_format(QUOTED)}
        for number, start in enumerate(range(0, max(len(table), 1), SHEET_ROWS)):
            part = table.iloc[start : start + SHEET_ROWS]
            sheet = book.add_worksheet(name[:28] + (f"_{number + 1}" if number else ""))
            sheet.freeze_panes(1, 0)
            sheet.autofilter(0, 0, len(part), len(part.columns) - 1)
            cells = [_cells(part[column]) for column in part]
            for place, column in enumerate(map(str, part)):
                longest = max([len(column), *(len(str(cell)) for cell in cells[place][:50])])
                sheet.set_column(place, place, min(max(longest + 2, _WIDTH[0]), _WIDTH[1]))
                sheet.write_string(0, place, column, head)
            for row, values in enumerate(zip(*cells, strict=True), start=1):
                for place, value in enumerate(values):
                    cut += write_cell(sheet, row, place, value, formats)
        book.close()
    return cut


def _cells(column: pd.Series) -> list[Any]:
    """Plain Python values; what is missing is None."""
    values = column.astype(object).where(column.notna(), None).tolist()
    return [value.item() if hasattr(value, "item") else value for value in values]
