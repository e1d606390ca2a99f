"""Patents and documents as chunks (schema ``Chunks``, unsorted): the text, where it stands, and when it was known."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pandas as pd

from pipeline.encoders.base import patent_texts
from pipeline.knowledge.documents import Document
from pipeline.knowledge.text import WIDTH, plain, split, width
from pipeline.schemas import Chunks as Schema
from pipeline.schemas import empty

TITLE = WIDTH // 4  # of a title that is set before every further chunk of its patent


class Chunk(NamedTuple):
    """One row, in the order of the schema."""

    chunk_id: str
    source: str
    kind: str
    firm: str
    date: pd.Timestamp | None
    page: int | None
    position: int
    text: str


def patent_chunks(patents: pd.DataFrame) -> pd.DataFrame:
    """Title, abstract and claims of each patent (schema ``Patents``); every chunk after the first repeats the title.

    A patent that fits one chunk has the text that ``patent_texts`` gives a run, so that its vector is shared.
    A patent without text has no chunk.
    """
    titles = [plain(title) for title in patents["title"]]
    texts = patent_texts(patents)
    rows = zip(patents["patent_id"], patents["knowledge_date"], titles, texts, strict=True)
    return _frame(chunk for row in rows for chunk in _of_patent(*row))


def document_chunks(document: Document, firm: str, date: pd.Timestamp | None) -> pd.DataFrame:
    """The pages of a firm's document; no chunk reaches from one page into the next."""
    pieces = [(page, text) for page, content in document.pages for text in split(content)]
    return _frame(
        _chunk(document.name, "document", firm, date, page, position, text)
        for position, (page, text) in enumerate(pieces)
    )


def _of_patent(patent_id: str, date: pd.Timestamp | None, title: str, text: str) -> Iterator[Chunk]:
    whole, head = plain(text), " ".join(title.split())
    if width(whole) <= WIDTH:
        texts = split(whole)
    elif head and width(head) <= TITLE:
        first, *others = split(whole, WIDTH - width(head) - 2)
        texts = [first, *(f"{head}. {other}" for other in others)]
    else:
        texts = split(whole)
    for position, piece in enumerate(texts):
        yield _chunk(patent_id, "patent", "", date, None, position, piece)


def _chunk(
    source: str, kind: str, firm: str, date: pd.Timestamp | None, page: int | None, position: int, text: str
) -> Chunk:
    content = "\0".join((kind, firm, source, str(page or ""), str(position), text))
    return Chunk(hashlib.sha256(content.encode()).hexdigest()[:16], source, kind, firm, date, page, position, text)


def _frame(chunks: Iterable[Chunk]) -> pd.DataFrame:
    rows = list(chunks)
    if not rows:
        return empty(Schema)
    frame = pd.DataFrame(rows, columns=list(Chunk._fields))
    types = {"date": "datetime64[s]", "page": "Int32", "position": "int32", "firm": "str", "text": "str"}
    return frame.astype(types)
