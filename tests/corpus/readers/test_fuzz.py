"""Damaged files of every layout: read, or refused in one line; no row lost, no other error."""

from pathlib import Path

import pandas as pd
import pytest
from corpus.readers.samples import SAMPLES, as_xlsx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.corpus.readers import LAYOUTS, read_source
from pipeline.corpus.readers.base import FAULTS, FLAT, Layout, faults_of
from pipeline.corpus.readers.flat import flat_table
from pipeline.errors import CorpusError

WORKBOOKS = as_xlsx([])[:4]
TEXTS = {name: content for name, (_, content) in SAMPLES.items() if not content.startswith(WORKBOOKS)}


def read_or_refused(path: Path) -> None:
    """Read the file; only the refusal of one line is allowed, and the rows must add up."""
    try:
        table = read_source(path)
    except CorpusError as error:
        assert "\n" not in str(error)
        return
    assert tuple(table.frame.columns) == FLAT
    assert set(table.faults.columns) == set(FAULTS)
    rows = [*table.frame.index, *table.faults.loc[table.faults["kind"] == "row", "row"]]
    assert len(rows) == len(set(rows)) == table.rows


EDITS = st.lists(
    st.tuples(
        st.integers(0, 10**6),
        st.sampled_from(["cut", "put", "swap", "drop", "twice"]),
        st.one_of(
            st.binary(min_size=1, max_size=4), st.sampled_from([b'"', b"\n", b",", b"\0", b"{", b"]", b";", b"\xff"])
        ),
    ),
    min_size=1,
    max_size=4,
)


def edited(content: bytes, edits: list[tuple[int, str, bytes]]) -> bytes:
    for place, kind, bits in edits:
        at = place % max(len(content), 1)
        if kind == "cut":
            content = content[:at]
        elif kind == "put":
            content = content[:at] + bits + content[at:]
        elif kind == "swap":
            content = content[:at] + bits + content[at + len(bits) :]
        elif kind == "drop":
            content = content[:at] + content[at + 5 * len(bits) :]
        else:
            content = content + content[at:]
    return content


@given(name=st.sampled_from(sorted(TEXTS)), edits=EDITS)
@settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_are_read_or_refused(tmp_path: Path, name: str, edits: list[tuple[int, str, bytes]]) -> None:
    path = tmp_path / "file"
    path.write_bytes(edited(TEXTS[name], edits))
    read_or_refused(path)


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"PAR1", b"PK\x03\x04", b"\x1f\x8b\x08", b"\xff\xfe", b"{", b"PT P\n"]),
)
@settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes, start: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(start + content)
    read_or_refused(path)


_READERS = [layout for layout in LAYOUTS if layout.flatten is not None]


@given(st.data(), st.sampled_from(_READERS))
@settings(max_examples=40, deadline=None)
def test_layouts_take_any_text_in_any_of_their_columns(data: st.DataObject, layout: Layout) -> None:
    """Of every workbook too, without opening one: the text columns are what it would give."""
    columns = data.draw(st.lists(st.sampled_from(sorted(layout.used)), unique=True, min_size=1, max_size=8))
    needed = [group[0] for group in layout.needs if group and set(group).isdisjoint(columns)]
    names = [*columns, *needed]
    if not layout.recognises(names):
        names = sorted(layout.used)
    texts = st.one_of(
        st.text(max_size=20),
        st.sampled_from(
            ["[{'a': 1}]", '[{"code": null}]', "['a', ", "01/02/10", "5.5.2010", "A\x1f;B", "a;;b", "US1 | EP2", "-"]
        ),
    )
    rows = data.draw(st.lists(st.lists(texts, min_size=len(names), max_size=len(names)), max_size=4))
    raw = pd.DataFrame(rows, columns=names, index=pd.RangeIndex(1, len(rows) + 1), dtype="str")
    assert layout.flatten is not None
    frame, faults = layout.flatten(raw)
    flat = flat_table(frame)
    assert flat.index.equals(raw.index)
    assert list(faults.columns) == list(faults_of([]).columns)
    assert set(faults["row"]) <= set(raw.index)
    assert (faults["kind"] == "value").all()


@pytest.mark.slow
@given(
    content=st.sampled_from([content for content in (c for _, c in SAMPLES.values()) if content.startswith(WORKBOOKS)]),
    edits=EDITS,
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_workbooks_are_read_or_refused(
    tmp_path: Path, content: bytes, edits: list[tuple[int, str, bytes]]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(edited(content, edits))
    read_or_refused(path)
