"""From a file of documents to shards of flat rows, on all cores, with as much in memory as a few batches take."""

import collections
import concurrent.futures
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.artifacts import sha256_file
from pipeline.corpus.readers.base import SourceTable
from pipeline.corpus.readers.documents.base import PEEKED, Chunk, DocumentFormat, Row, UnreadableError, plain
from pipeline.corpus.readers.documents.streams import beginnings, members
from pipeline.corpus.readers.shards import Shard, gathered, shard
from pipeline.errors import CorpusError

_BATCH = 256  # documents
_Numbered = tuple[int, str, Chunk]  # its number in the source, the member of the archive it stands in, the document
_Read = list[tuple[int, str, Row | str, str]]  # number, member, row or why there is none, how it begins


def recognised(path: Path, formats: tuple[DocumentFormat, ...]) -> DocumentFormat | None:
    """The format of a file by its content, or by that of the first files in it when it is an archive.

    Raises:
        CorpusError: when the file cannot be read, or is of a format that is of no use.
    """
    starts = beginnings(path, PEEKED)
    found = [known for start in starts for known in formats if known.recognises(start)]
    useful = next((known for known in found if not known.refusal), None)
    if found and useful is None:
        raise CorpusError(f"{path} {found[0].refusal}")
    return useful


def read(path: Path, format: DocumentFormat, scratch: Path | None = None) -> SourceTable:
    """All documents of a file as one flat table; a document's row number is its place in the file. ``scratch``: see
    ``shards.gathered``.

    Raises:
        CorpusError: when the file is damaged, or there is no document in it.
    """
    told = filter(None, [format.warning])
    table = gathered(shards(path, format), format.name, path, sha256_file(path), told, scratch)
    if not table.rows:
        raise CorpusError(f"{path} holds no patent document")
    return table


def shards(path: Path, format: DocumentFormat) -> Iterator[Shard]:
    """The documents of a file in shards, in their order; each is a row or a fault with its place and beginning."""
    batches = _batches(_numbered(path, format))
    first = next(batches, [])
    second = next(batches, None)
    if second is None:  # not worth another process
        yield _shard(_parsed(format, first))
        return
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        waiting = collections.deque(pool.submit(_parsed, format, batch) for batch in (first, second))
        del first, second
        for batch in batches:
            waiting.append(pool.submit(_parsed, format, batch))
            if len(waiting) > 2 * (os.cpu_count() or 1):
                yield _shard(waiting.popleft().result())
        while waiting:
            yield _shard(waiting.popleft().result())


def _numbered(path: Path, format: DocumentFormat) -> Iterator[_Numbered]:
    number = 0
    with members(path) as streams:
        for name, stream in streams:
            for chunk in format.split(stream):
                number += 1
                yield number, name, chunk


def _batches(documents: Iterator[_Numbered]) -> Iterator[list[_Numbered]]:
    batch: list[_Numbered] = []
    for document in documents:
        batch.append(document)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _parsed(format: DocumentFormat, batch: list[_Numbered]) -> _Read:
    return [(number, member, *_row(format, chunk)) for number, member, chunk in batch]


def _row(format: DocumentFormat, chunk: Chunk) -> tuple[Row | str, str]:
    if chunk.fault:
        return chunk.fault, chunk.start
    try:
        row = format.parse(chunk.content)
    except UnreadableError as error:
        return str(error), chunk.start
    return row, ""


def _shard(read: _Read) -> Shard:
    rows = [(number, row) for number, _, row, _ in read if isinstance(row, dict)]
    faults = [
        (number, "", "row", f"document {number} in {plain(member)[:100]} {reason}", start[:200])
        for number, member, reason, start in read
        if isinstance(reason, str)
    ]
    return shard(rows, faults)
