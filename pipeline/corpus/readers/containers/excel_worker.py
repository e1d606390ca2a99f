"""Turn the sheets of a workbook into Arrow files of text. Run by its path, in a process of its own.

The library that reads workbooks ends the process where a damaged or hostile file asks for too much memory; it must
not be ours. Imports nothing of this project, so that it starts at once.
"""

import datetime
import json
import sys
from itertools import islice
from pathlib import Path

import pyarrow as pa
import python_calamine

_ROWS = 10_000


def convert(source: Path, folder: Path) -> None:
    """Write ``folder``/N.arrow for each sheet that is a table of cells, and what they are to standard output."""
    workbook = python_calamine.load_workbook(str(source))
    names: list[str] = []
    for metadata in workbook.sheets_metadata:
        if metadata.typ != python_calamine.SheetTypeEnum.WorkSheet:
            continue
        sheet = workbook.get_sheet_by_name(metadata.name)
        if not sheet.height or not sheet.width:
            continue
        schema = pa.schema([(str(place), pa.large_string()) for place in range(sheet.width)])
        rows = iter(sheet.iter_rows())
        with pa.OSFile(str(folder / f"{len(names)}.arrow"), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            while block := list(islice(rows, _ROWS)):
                columns = [[as_text(cell) for cell in column] for column in zip(*block, strict=True)]
                writer.write(pa.record_batch([pa.array(column, pa.large_string()) for column in columns], schema))
        names.append(metadata.name)
    json.dump(names, sys.stdout)


def as_text(value: object) -> str:
    """A cell as it would be written: whole numbers without a point, days in ISO form."""
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return str(value)


def limit_memory(most: int) -> None:
    """Let allocations beyond ``most`` bytes fail, where the system can."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except (ImportError, ValueError, OSError):
        pass


if __name__ == "__main__":
    limit_memory(int(sys.argv[3]))
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
