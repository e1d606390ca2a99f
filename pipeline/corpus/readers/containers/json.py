"""JSON: one record a line, or one document that is a list of records or holds one (``data``, ``results``).

A record's fields are columns named by their path: ``biblio.parties.applicants.name``. Lists are joined by ``ITEM``,
so that the entries of two fields of the same list stand side by side.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any

import pandas as pd

from pipeline.corpus.readers.base import ITEM, RawTable, Sheet, faults_of, loads, plain
from pipeline.corpus.readers.containers.encoding import Utf8Text
from pipeline.errors import CorpusError

_LONGEST = 2**26  # bytes of a record
_DOCUMENT = 2**28  # bytes of a document that is no lines of records
_SEEN = 1000  # records whose fields make the header
_DEEPEST = 12
_HOLDERS = ("data", "results", "patents", "records", "hits")
_Records = Iterator[tuple[int, "dict[str, Any] | str"]]  # row, and its record or why there is none


def is_json(head: bytes) -> bool:
    """Whether a text begins as JSON does."""
    return head.lstrip()[:1] in (b"{", b"[") and b'"' in head


def json_sheets(text: Utf8Text) -> list[Sheet]:
    """The one table of a JSON file."""
    read = _lines if _is_lines(text) else _document
    header: dict[str, None] = {}
    for number, (_, record) in enumerate(read(text)):
        if number == _SEEN:
            break
        if isinstance(record, dict):
            header |= dict.fromkeys(_paths(record))
    return [Sheet(tuple(header), lambda wanted: _table(text, read, wanted))]


def _is_lines(text: Utf8Text) -> bool:
    """Whether one of the first two lines is a record by itself (one of them may be broken)."""
    for number, (_, record) in enumerate(_lines(text)):
        if isinstance(record, dict) and not any(isinstance(record.get(name), list) for name in _HOLDERS):
            return True
        if number == 1:
            break
    return False


def _lines(text: Utf8Text) -> _Records:
    row = 0
    with text.path.open("rb") as handle:
        handle.seek(text.offset)
        while line := handle.readline(_LONGEST):
            if not line.strip():
                continue
            row += 1
            if len(line) == _LONGEST and not line.endswith(b"\n"):
                while rest := handle.readline(_LONGEST):
                    if rest.endswith(b"\n"):
                        break
                yield row, f"is longer than {_LONGEST // 2**20} MB\x00{line[:200].decode('utf-8', 'replace')}"
                continue
            yield row, _parsed(line.decode("utf-8", "replace"))


def _document(text: Utf8Text) -> _Records:
    if text.path.stat().st_size > _DOCUMENT:
        raise CorpusError(
            f"{text.shown} is one JSON document of more than {_DOCUMENT // 2**20} MB: export it as JSON lines, one "
            "record a line"
        )
    content = text.path.read_bytes()[text.offset :].decode("utf-8", "replace")
    try:
        document = loads(content)
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"{text.shown} is no JSON that can be read: {str(error)[:100]}") from error
    if isinstance(document, dict):
        held = [document[name] for name in _HOLDERS if isinstance(document.get(name), list)]
        document = held[0] if held else [document]
    for row, record in enumerate(document, start=1):
        yield row, record if isinstance(record, dict) else f"is no record of fields\x00{str(record)[:200]}"


def _parsed(line: str) -> dict[str, Any] | str:
    try:
        record = loads(line)
    except (ValueError, RecursionError) as error:
        return f"is no JSON: {str(error)[:100]}\x00{line[:200]}"
    return record if isinstance(record, dict) else f"is no record of fields\x00{line[:200]}"


def _paths(value: Any, path: str = "", depth: int = 0) -> Iterator[str]:
    if isinstance(value, dict) and depth < _DEEPEST:
        for key, inner in value.items():
            yield from _paths(inner, f"{path}.{key}" if path else str(key), depth + 1)
    elif isinstance(value, list) and depth < _DEEPEST:
        for inner in value:
            if isinstance(inner, dict | list):
                yield from _paths(inner, path, depth + 1)
            else:
                yield path
    else:
        yield path


def _table(text: Utf8Text, read: Callable[[Utf8Text], _Records], wanted: Collection[str]) -> RawTable:
    paths = {name: name.split(".") for name in sorted(wanted)}
    columns: dict[str, list[str]] = {name: [] for name in paths}
    rows: list[int] = []
    faults = []
    for row, record in read(text):
        if isinstance(record, str):
            reason, _, value = record.partition("\x00")
            faults.append((row, "", reason, value))
            continue
        rows.append(row)
        plainly = {plain(key): value for key, value in record.items()}
        for name, path in paths.items():
            columns[name].append(_text_at(plainly, path))
    present = {name: column for name, column in columns.items() if any(column)}
    frame = pd.DataFrame(present, index=pd.Index(rows, dtype="int64"), dtype="str")
    return RawTable(frame, faults_of(faults), text.warnings)


def _text_at(value: Any, path: list[str]) -> str:
    """What stands at a path: one text, or those of a list with ``ITEM`` between them, gaps included."""
    for place, key in enumerate(path):
        if isinstance(value, list):
            inner = [_text_at(entry, path[place:]) for entry in value]
            return _listed(inner, gaps=True)
        if not isinstance(value, dict):
            return ""
        value = value.get(key)
    if isinstance(value, list):
        return _listed([_scalar(entry) for entry in value], gaps=False)
    return _scalar(value)


def _listed(entries: list[str], gaps: bool) -> str:
    entries = [entry.replace(ITEM, " ") for entry in entries]
    text = ITEM.join(entries if gaps else filter(None, entries))
    return text + ITEM if ";" in text else text


def _scalar(value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
