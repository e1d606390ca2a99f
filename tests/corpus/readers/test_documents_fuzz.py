"""Documents broken at random: no crash, no hang, and every document in the frame or in a fault."""

from pathlib import Path

import pytest
from corpus.readers import documents as fixtures
from corpus.readers.test_documents import write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.corpus.readers.documents import DOCUMENT_FORMATS, reading
from pipeline.errors import CorpusError

RELAXED = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
BYTES = {name: text.encode() for name, text in fixtures.ALL.items()}
PIECES = [
    *(b"<", b">", b"&", b"</", b"<!--", b"<![CDATA[", b"]]>", b"<!DOCTYPE x [", b"<!ENTITY a 'b'>", b"\0", b"\xff\xfe"),
    *(b"\nPATN\n", b"{", b"}", b"[", b"]", b'"', b"\\", b"PK\x03\x04", b"\x1f\x8b", b"us-patent-grant", b";", b"\n"),
]


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """A fixture, twice, with some cuts, repeats and insertions."""
    data = data * 2
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 300)))
        piece = draw(st.sampled_from(PIECES) | st.binary(max_size=8) | st.just(data[start:end] * 2))
        data = data[:start] + piece + data[end:]
    return data


def check(path: Path) -> None:
    """Read a file shard by shard: every number is that of a row or of a fault, and every text can be stored."""
    try:
        known = reading.recognised(path, DOCUMENT_FORMATS)
        if known is None:
            return
        parts = list(reading.shards(path, known))
    except CorpusError as error:
        assert "\n" not in str(error)
        return
    faults = [fault for part in parts for fault in part.faults]
    places = [number for part in parts for number in part.position.to_pylist()] + [fault[0] for fault in faults]
    assert sorted(places) == list(range(1, len(places) + 1))
    assert all("\n" not in reason and len(reason) < 600 and len(value) <= 200 for _, _, _, reason, value in faults)


@pytest.mark.parametrize("name", BYTES)
def test_a_mutated_document_is_read_or_faulted(tmp_path: Path, name: str) -> None:
    @RELAXED
    @given(mutated(BYTES[name]))
    def run(data: bytes) -> None:
        check(write(tmp_path / "a", data))

    run()


@RELAXED
@given(st.lists(st.sampled_from([*PIECES, *BYTES.values()]) | st.binary(max_size=40), max_size=12))
def test_random_bytes_are_read_or_refused(tmp_path: Path, pieces: list[bytes]) -> None:
    check(write(tmp_path / "a", b"".join(pieces)))


@RELAXED
@given(st.sampled_from(sorted(BYTES)), st.integers(1, 400))
def test_a_stream_cut_into_small_reads_gives_the_same(name: str, size: int) -> None:
    class Dripping:
        def __init__(self) -> None:
            self._rest = BYTES[name] * 3

        def read(self, most: int, /) -> bytes:
            taken, self._rest = self._rest[:size], self._rest[size:]
            return taken

    class Whole(Dripping):
        def read(self, most: int, /) -> bytes:
            taken, self._rest = self._rest, b""
            return taken

    known = next(known for known in DOCUMENT_FORMATS if known.name == name)
    assert list(known.split(Dripping())) == list(known.split(Whole()))
