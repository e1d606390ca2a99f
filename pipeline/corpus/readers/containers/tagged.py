"""Tagged text as the Web of Science writes it: two letters of field, a blank, the value; three blanks continue it.

A record ends with ``ER``. Values of several lines are joined by ``ITEM``: most are lists, the others take a blank.
"""

import re
from collections.abc import Collection, Iterator

import pandas as pd

from pipeline.corpus.readers.base import ITEM, RawTable, Sheet, faults_of, plain
from pipeline.corpus.readers.containers.encoding import Utf8Text

_LONGEST = 2**24  # bytes of a line
_TAGGED = re.compile(rb"\A\s*(?:FN|VR|PT) [^\r\n]*[\r\n]")
_FIELD = re.compile(r"^([A-Z][A-Z0-9])(?: (.*))?$")
_SEEN = 1000
_Record = dict[str, list[str]]


def is_tagged(head: bytes) -> bool:
    """Whether a text begins as such a file does: with the name of the source, its version or a record's type."""
    return _TAGGED.match(head) is not None


def tagged_sheets(text: Utf8Text) -> list[Sheet]:
    """The one table of a file of tagged records; its columns are the tags."""
    header: dict[str, None] = {}
    for number, record in enumerate(_records(text)):
        if number == _SEEN:
            break
        header |= dict.fromkeys(record)
    return [Sheet(tuple(header), lambda wanted: _table(text, wanted))]


def _records(text: Utf8Text) -> Iterator[_Record]:
    record: _Record = {}
    values: list[str] = []
    with text.path.open("rb") as handle:
        handle.seek(text.offset)
        while line := handle.readline(_LONGEST):
            shown = line.decode("utf-8", "replace").rstrip("\r\n")
            field = _FIELD.match(shown)
            if field and field[1] in ("FN", "VR", "EF"):
                continue
            if field and field[1] == "ER":
                if record:
                    yield record
                record, values = {}, []
            elif field:
                values = record.setdefault(field[1], [])
                values.append((field[2] or "").strip())
            elif shown.strip():
                if not record:  # a value without a field: still a record, and found wanting later
                    values = record.setdefault("?", [])
                values.append(shown.strip())
    if record:
        record.setdefault("", []).append("unfinished")  # no ER: the file ends within it
        yield record


def _table(text: Utf8Text, wanted: Collection[str]) -> RawTable:
    columns: dict[str, list[str]] = {name: [] for name in sorted(wanted)}
    rows: list[int] = []
    faults = []
    for row, record in enumerate(_records(text), start=1):
        if "" in record:
            faults.append((row, "", "the file ends within this record", " ".join(record.get("PN", []))))
            continue
        plainly = {plain(tag): ITEM.join(filter(None, values)) for tag, values in record.items()}
        rows.append(row)
        for name, column in columns.items():
            column.append(plainly.get(name, ""))
    frame = pd.DataFrame(columns, index=pd.Index(rows, dtype="int64"), dtype="str")
    return RawTable(frame, faults_of(faults), text.warnings)
