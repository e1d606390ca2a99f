"""The flat table every reader ends in: all columns there, texts stripped of what is never part of them."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpus.readers.base import FLAT, ITEM, LISTS, normalise_ids, text_series

# controls, marks of direction (which make a text show otherwise than it reads), byte order marks
_INVISIBLE = r"[\x{00}-\x{08}\x{0b}\x{0c}\x{0e}-\x{1e}\x{7f}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}\x{feff}]"
_CONTROLS = np.zeros(256, dtype=bool)
_CONTROLS[[*range(9), 11, 12, *range(14, 31), 127]] = True
_COMPACT_DATE = r"^(\d{4})(\d{2})(\d{2})$"


def flat_table(frame: pd.DataFrame) -> pd.DataFrame:
    """All flat columns in order: absent ones empty, texts stripped, ids without separators, dates with hyphens.

    Entries of lists are joined by ``;``; where ``ITEM`` stands between them, a ``;`` within an entry becomes a comma.
    """
    empty = pd.Series("", index=frame.index, dtype="str")
    flat = {name: _stripped(frame[name], name in LISTS) if name in frame else empty for name in FLAT}
    filled = {name for name in frame if name in flat and (flat[name] != "").any()}
    flat |= {name: normalise_ids(flat[name]) for name in ("patent_id", "cited_ids") if name in filled}
    for name in filled & {"date", "app_date"}:
        texts = pc.replace_substring_regex(_array(flat[name]), _COMPACT_DATE, r"\1-\2-\3")
        flat[name] = text_series(texts, frame.index)
    return pd.DataFrame(flat, index=frame.index, columns=list(FLAT))


def _stripped(column: pd.Series, is_list: bool) -> pd.Series:
    texts = _array(column)
    if not pc.any(pc.greater(pc.binary_length(texts), 0)).as_py():
        return text_series(texts, column.index)
    if is_list:
        texts = joined(texts)
    elif pc.any(pc.match_substring(texts, ITEM)).as_py():
        texts = pc.replace_substring(texts, ITEM, " ")
    if _holds_invisible(texts):
        texts = pc.replace_substring_regex(texts, _INVISIBLE, "")
    return text_series(pc.utf8_trim_whitespace(texts), column.index)


def _holds_invisible(texts: pa.Array | pa.ChunkedArray) -> bool:
    """Whether any text may hold what ``_INVISIBLE`` names; by bytes, since the expression is slow on long texts."""
    for chunk in texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]:
        if chunk.buffers()[2] is None:
            continue
        data = np.frombuffer(chunk.buffers()[2], dtype=np.uint8)
        if _CONTROLS[data].any():
            return True
        first = np.flatnonzero((data == 0xE2) | (data == 0xEF))
        first = first[first < len(data) - 2]
        second, third = data[first + 1], data[first + 2]
        marks = (second == 0x80) & (((third >= 0x8E) & (third <= 0x8F)) | ((third >= 0xAA) & (third <= 0xAE)))
        marks |= (second == 0x81) & (third >= 0xA6) & (third <= 0xA9)
        marks |= (second == 0xBB) & (third == 0xBF)
        if marks.any():
            return True
    return False


def joined(texts: pa.Array) -> pa.Array:
    """Lists with ``ITEM`` between their entries as lists joined by ``;``; other text as it is."""
    listed = pc.match_substring(texts, ITEM)
    if not pc.any(listed).as_py():
        return texts
    lists = pc.replace_substring_regex(pc.replace_substring(texts, ";", ","), rf"\s*{ITEM}[\s{ITEM}]*", ";")
    return pc.if_else(listed, pc.utf8_trim(lists, ";"), texts)


def _array(column: pd.Series) -> pa.Array:
    return pa.array(column, pa.large_string())
