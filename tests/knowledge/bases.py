"""Small knowledge bases for tests, with the encoder that needs no model."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pipeline.artifacts import sha256_json
from pipeline.config import EncoderConfig
from pipeline.corpus.timeline import Corpus
from pipeline.encoders.cache import EmbeddingCache
from pipeline.encoders.hashing import HashingEncoder
from pipeline.knowledge.update import Account, Encoding, add

CONFIG = EncoderConfig(model="hashing")
ENCODER = HashingEncoder(CONFIG.max_characters)
FIRM = "acme"


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text).as_unit("s")


def row(patent_id: str, date: str, abstract: str, **fields: str) -> dict[str, str]:
    """A flat row of a patent."""
    return {"patent_id": patent_id, "date": date, "ipc": "F25B 41/20", "abstract": abstract} | fields


def written(folder: Path, **contents: str) -> list[Path]:
    """Markdown files by name."""
    paths = [folder / f"{name}.md" for name in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        path.write_text(content)
    return paths


def added(
    base: Path,
    corpus: Corpus,
    paths: Sequence[Path] = (),
    firm: str = FIRM,
    date: str | None = "2010-06-01",
    encoder: HashingEncoder = ENCODER,
) -> Account:
    """Add a corpus and documents of a firm; the corpus is known by its texts."""
    content = sha256_json([*corpus.patents["patent_id"], *corpus.patents["abstract"]])
    encoding = Encoding(encoder, CONFIG, EmbeddingCache(base.parent / "cache"))
    return add(base, corpus, content, list(paths), firm, day(date) if date else None, encoding, lambda message: None)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
