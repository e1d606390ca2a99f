"""Workbooks (XLSX, XLS, XLSB, ODS): every sheet, the header wherever it stands among the first rows.

A formula is what it last showed, never computed. The file is read in a process of its own, under a limit of memory.
"""

import json
import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpus.readers.base import RawTable, Sheet, faults_of, one_line, plain, text_series
from pipeline.errors import CorpusError

HEADER_WITHIN = 20  # rows in which a header is looked for
_MAX_MEMORY = 3 * 2**30
_MAX_SECONDS = 1200
_WORKER = Path(__file__).with_name("excel_worker.py")


def excel_sheets(path: Path, shown: str, scratch: Path) -> list[Sheet]:
    """A sheet for each row that could be the header of one of the workbook's sheets.

    Raises:
        CorpusError: when it is damaged, locked, or too large to be opened.
    """
    names = _convert(path, shown, scratch)
    found = []
    for number in range(len(names)):
        file = scratch / f"{number}.arrow"
        for row, header in enumerate(_first_rows(file)):
            if any(header):
                found.append(Sheet(header, _Reader(file, row, header)))
    if not found:
        raise CorpusError(f"{shown} is a workbook with nothing in it")
    return found


def _convert(path: Path, shown: str, scratch: Path) -> list[str]:
    # the arguments are ours, the environment is the user's with a plain allocator that the limit can hold
    command = [sys.executable, "-I", str(_WORKER), str(path), str(scratch), str(_MAX_MEMORY)]
    environment = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system", "RUST_BACKTRACE": "0"}
    try:
        done = subprocess.run(command, capture_output=True, env=environment, timeout=_MAX_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise CorpusError(f"{shown} takes more than {_MAX_SECONDS // 60} minutes to open: save it as CSV") from error
    if done.returncode == 0:
        return list(json.loads(done.stdout))
    told = done.stderr.decode("utf-8", "replace")
    if done.returncode < 0 or "MemoryError" in told or "memory allocation" in told or "ArrowMemory" in told:
        raise CorpusError(
            f"{shown} is a workbook that needs more than {_MAX_MEMORY / 2**30:.0f} GB to open, or is damaged: save its "
            "table as CSV"
        )
    last = told.strip().splitlines()[-1] if told.strip() else "no reason given"
    raise CorpusError(f"{shown} is a damaged or locked workbook ({one_line(last)}): save it again or as CSV")


def _first_rows(file: Path) -> list[tuple[str, ...]]:
    with pa.memory_map(str(file)) as source:
        reader = pa.ipc.open_file(source)
        if not reader.num_record_batches:
            return []
        head = reader.get_batch(0).slice(0, HEADER_WITHIN)
        return list(zip(*(column.to_pylist() for column in head.columns), strict=True))


class _Reader:
    """Reads the rows below one header; blank ones are no rows."""

    def __init__(self, file: Path, row: int, header: tuple[str, ...]) -> None:
        self.file, self.row, self.header = file, row, header

    def __call__(self, wanted: Collection[str]) -> RawTable:
        places = [place for place, name in enumerate(self.header) if plain(name) in wanted]
        with pa.memory_map(str(self.file)) as source:
            table = pa.ipc.open_file(source).read_all().slice(self.row + 1)
            blank = np.ones(table.num_rows, dtype=bool)
            for column in table.columns:
                blank &= pc.equal(column, "").to_numpy()
            kept = table.select(places).filter(pa.array(~blank))
            index = pd.Index(np.flatnonzero(~blank) + 1, dtype="int64")
            names = [plain(self.header[place]) for place in places]
            frame = pd.DataFrame(
                {name: text_series(column, index) for name, column in zip(names, kept.columns, strict=True)},
                index=index,
            )
        return RawTable(frame, faults_of([]))
