"""What readers hand to each other: text columns of a container, a layout's reading of them, flat text at the end.

A container (``containers/``) turns a file into sheets of text columns as they stand; a ``Layout`` recognises its own
by the header and turns them into the flat columns. To add a format: write its layout and name it in
``readers/__init__.py``.
"""

import dataclasses
import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpus.spill import pieces, read_pieces

FLAT = (
    "patent_id", "date", "title", "abstract", "claims", "ipc", "cpc", "assignees", "inventors", "cited_ids",
    "cited_npl", "family_id", "claims_count", "office", "app_date", "date_kind",
)  # fmt: skip
LISTS = ("ipc", "cpc", "assignees", "inventors", "cited_ids", "cited_npl")
FAULTS = ("row", "patent_id", "kind", "reason", "value")  # schemas.Quarantine without its source
ITEM = "\x1f"  # stands between the entries of a list whose entries may hold any other character


@dataclasses.dataclass(frozen=True)
class SourceTable:
    """One source file as flat text.

    ``frame``: columns ``FLAT``, all text, lists joined by ``;``, empty where lacking; its index is the 1-based data
    row. ``ignored``: columns of the file that no field takes. ``faults`` (columns ``FAULTS``): rows (kind ``row``) that
    could not be read and are not in ``frame``, and fields (kind ``value``) that were left empty. ``warnings``: what
    the user should know of the file, a line each. ``spilled``: the file in which the rows lie (see ``corpus.spill``)
    and how many they are, where ``frame`` is left empty.
    """

    frame: pd.DataFrame
    format: str
    ignored: tuple[str, ...] = ()
    faults: pd.DataFrame = dataclasses.field(default_factory=lambda: pd.DataFrame(columns=FAULTS))
    name: str = ""
    sha256: str = ""
    warnings: tuple[str, ...] = ()
    spilled: tuple[Path, int] | None = None

    def pieces(self) -> Iterator[pd.DataFrame]:
        """``frame``, wherever its rows lie, in pieces of bounded size; at least one."""
        return pieces(self.frame) if self.spilled is None else read_pieces(self.spilled[0])

    @property
    def malformed(self) -> int:
        """Rows of the file that could not be read."""
        return int((self.faults["kind"] == "row").sum())

    @property
    def rows(self) -> int:
        """Rows of the file, the malformed ones included."""
        return self.malformed + (len(self.frame) if self.spilled is None else self.spilled[1])


@dataclasses.dataclass(frozen=True)
class RawTable:
    """The rows of a sheet as text: columns by their plain name, the 1-based data row as index, and what was wrong."""

    frame: pd.DataFrame
    faults: pd.DataFrame
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Sheet:
    """One table that a file may hold. ``read``: plain column names wanted -> those that are there."""

    header: tuple[str, ...]
    read: Callable[[Collection[str]], RawTable]


@dataclasses.dataclass(frozen=True)
class Layout:
    """One way of naming the columns.

    ``used``: the columns it reads. ``flatten``: text columns (those of ``used`` that are there) -> some of the flat
    columns, and faults of kind ``value``. ``refusal``: why such a file is of no use and what to do; not read then.
    ``needs``: of each group one column must be there, else the file is refused. ``notes``: what to tell of every such
    file. All column names are plain ones.
    """

    name: str
    recognises: Callable[[Sequence[str]], bool]
    used: frozenset[str] = frozenset()
    flatten: Callable[[pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame]] | None = None
    refusal: str = ""
    needs: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()


def plain(name: str) -> str:
    """A column's name as layouts write it: no case, no width of characters, single blanks.

    >>> plain("公开（公告）号 "), plain("\\ufeffPublication\\nDate")
    ('公开(公告)号', 'publication date')
    """
    return " ".join(unicodedata.normalize("NFKC", name).replace("\ufeff", "").split()).lower()


def faults_of(rows: Sequence[tuple[int, str, str, str]], kind: str = "row") -> pd.DataFrame:
    """Faults as a table; of each: row, patent_id, reason, value."""
    entries = [(row, patent_id, kind, reason, value[:200]) for row, patent_id, reason, value in rows]
    return pd.DataFrame(entries, columns=list(FAULTS))


def value_faults(ids: pd.Series, values: pd.Series, bad: pd.Series, reason: str) -> pd.DataFrame:
    """Faults of kind ``value``, one for each row where ``bad`` is true."""
    return pd.DataFrame(
        {
            "row": values.index[bad],
            "patent_id": normalise_ids(ids[bad]),
            "kind": "value",
            "reason": reason,
            "value": values[bad].str.slice(0, 200),
        },
        columns=list(FAULTS),
    )


def text_series(values: object, index: pd.Index) -> pd.Series:
    """Arrow text (or a list of it) as a column."""
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, pa.large_string())
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
    return pd.Series(pc.fill_null(array.cast(pa.large_string()), ""), dtype="str", index=index)


def closed(lists: pa.Array) -> pa.Array:
    """Lists with ``ITEM`` after the last entry too: an entry that holds ``;`` is then not taken for several."""
    kind = pa.large_string()
    return pc.binary_join_element_wise(lists.cast(kind), pa.scalar("", kind), pa.scalar(ITEM, kind))


def normalise_ids(ids: pd.Series) -> pd.Series:
    """Ids (or lists of them) without separators and in capitals, so that citations join.

    >>> normalise_ids(pd.Series(["US-2008173533-A1", "us 7,155,747"])).tolist()
    ['US2008173533A1', 'US7155747']
    """
    texts = pc.replace_substring_regex(pa.array(ids, pa.large_string()), _SEPARATORS, "")
    return text_series(pc.utf8_upper(texts), ids.index)


_SEPARATORS = r"[\s\x{a0}\x{3000}\-‐-―/.,_]+"


def storable(value: Any) -> Any:
    """A JSON value whose texts hold no half of a surrogate pair (JSON may write one, no file can hold it)."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {storable(key): storable(inner) for key, inner in value.items()}
    return [storable(inner) for inner in value] if isinstance(value, list) else value


def loads(text: str) -> Any:
    """The JSON value of a text, ``storable``; raises as ``json.loads`` does."""
    value = json.loads(text)
    return storable(value) if "\\u" in text else value


def one_line(error: object) -> str:
    """A message of another library, shortened to a line."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", str(error)).split())[:200]
