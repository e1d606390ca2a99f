"""The firm's report as a workbook: one sheet a table, all text as text."""

from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from pipeline.artifacts import atomic_path
from pipeline.report import words
from pipeline.report.firm.definitions import DEFINITIONS
from pipeline.report.firm.tables import FirmRun
from pipeline.spreadsheets import QUOTED, TEXT_IS_TEXT, write_cell

MOST_ROWS = 10_000  # of a sheet: more is a matter for the Parquet file
NARROWEST, WIDEST = 9, 60  # of a column, in letters
_PLAIN = TEXT_IS_TEXT | {"default_date_format": "yyyy-mm-dd", "in_memory": True}
_PERCENT = ("probability", "white_space", "share", "share_a", "share_b", "inventor_overlap")


def write_workbook(path: Path, run: FirmRun, content: dict[str, Any]) -> None:
    """Write every table of the run that the report rests on; the same tables give the same bytes."""
    sheets = _sheets(run)
    with atomic_path(path) as temporary, xlsxwriter.Workbook(str(temporary), _PLAIN) as book:
        # no clock: the workbook bears the day that the report speaks of
        book.set_properties(
            {
                "title": words.clean(f"Opportunities for {content['who']}")[:255],
                "created": content["cutoff"].to_pydatetime(),
                "comments": f"techconverge {content['record'].get('techconverge', '')}",
            }
        )
        formats = {
            "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
            "text": book.add_format({"valign": "top"}),
            "quoted": book.add_format({"valign": "top", **QUOTED}),
            "number": book.add_format({"valign": "top", "num_format": "0.000"}),
            "whole": book.add_format({"valign": "top", "num_format": "#,##0"}),
            "percent": book.add_format({"valign": "top", "num_format": "0.0%"}),
            "date": book.add_format({"valign": "top", "num_format": "yyyy-mm-dd"}),
        }
        _write(book, formats, "About", _about(content, sheets))
        for name, table in sheets.items():
            _write(book, formats, name, table)


def _sheets(run: FirmRun) -> dict[str, pd.DataFrame]:
    definitions = pd.DataFrame(
        [(key, given.name, given.of, given.unit, given.meaning, given.high) for key, given in DEFINITIONS.items()],
        columns=["column", "name", "of", "unit", "definition", "high"],
    )
    every = {
        "Opportunities": run.opportunities,
        "Topics": run.topics,
        "Topic names": run.names,
        "Patents": run.patents,
        "Pairs": run.pairs,
        "Competitors": run.competitors,
        "Firm names": run.matches,
        "Judge": run.judged,
        "Verdicts": run.verdicts,
        "Evidence": run.evidence,
    }
    return {name: table for name, table in every.items() if len(table)} | {"Definitions": definitions}


def _about(content: dict[str, Any], sheets: dict[str, pd.DataFrame]) -> pd.DataFrame:
    rows: list[tuple[str, Any]] = [
        *([("Simulated data", "Every patent, firm and number is invented.")] if content["simulated"] else []),
        ("Firm", content["who"]),
        ("As of", content["cutoff"]),
        ("Forecast until", content["until"]),
        ("Codes", content["units"]),
        ("Track", words.TRACKS["strengthening" if content["strengthening"] else "new"]),
        ("Judge", content["judge"]["name"] if content["judged"] else "none: no model judged these opportunities"),
    ]
    for name, table in sheets.items():
        left_out = f", the first {MOST_ROWS:,} of {len(table):,}" if len(table) > MOST_ROWS else ""
        rows.append((f"Sheet {name}", f"{min(len(table), MOST_ROWS):,} rows{left_out}"))
    rows += [("Note", note) for note in content["notes"]]
    return pd.DataFrame(rows, columns=["about", "value"])


def _write(book: Any, formats: dict[str, Any], name: str, table: pd.DataFrame) -> None:
    sheet = book.add_worksheet(name)
    shown = table.head(MOST_ROWS)
    sheet.freeze_panes(1, 0)
    if len(shown):
        sheet.autofilter(0, 0, len(shown), len(shown.columns) - 1)
    for place, column in enumerate(shown.columns):
        heading = DEFINITIONS[column].name if column in DEFINITIONS else words.humanise(column)
        sheet.write_string(0, place, heading, formats["head"])
        values = shown[column].tolist()
        longest = max((len(str(value)) for value in values[:200]), default=0)
        sheet.set_column(place, place, min(max(longest + 1, NARROWEST, min(len(heading) + 3, 16)), WIDEST))
        for row, value in enumerate(values, 1):
            said = words.clean(value) if isinstance(value, str) else value
            write_cell(sheet, row, place, said, formats, formats[_number(value, column)])


def _number(value: Any, column: str) -> str:
    """The name of a number's format."""
    return "whole" if isinstance(value, int) else "percent" if column in _PERCENT else "number"
