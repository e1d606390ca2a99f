"""The contract of a text encoder, and the way from a configuration to one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from pipeline.config import EncoderConfig


class Encoder(Protocol):
    """Maps texts to unit vectors; a text's vector depends on the text alone, not on what else is in the call."""

    @property
    def identity(self) -> str:
        """Names everything that decides a vector: two encoders of one identity give one text the same vector."""

    @property
    def dimension(self) -> int:
        """Width of the vectors."""

    @property
    def knows_future(self) -> bool:
        """Whether it learnt from text that may be later than a cutoff, as every pretrained model did."""

    @property
    def max_characters(self) -> int:
        """Characters read of a text; the rest is cut."""

    @property
    def chunk(self) -> int:
        """Texts worth encoding before they are stored."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors (float32, texts x dimension) of length 1; a text that says nothing is a row of zeros."""


def load_encoder(config: EncoderConfig, folder: Path | None = None) -> Encoder:
    """Make the encoder a configuration names.

    ``folder`` remembers the number format measured as best for ``dtype: auto``; without it that is float32.

    Raises:
        ConfigError: when the model is not to be had or not safe to load.
    """
    if config.model == "hashing":
        from pipeline.encoders.hashing import HashingEncoder

        return HashingEncoder(config.max_characters)
    from pipeline.encoders.sentence import load_sentence_encoder

    return load_sentence_encoder(config, folder)


def readable(texts: Sequence[str], max_characters: int) -> list[str]:
    """The part of each text an encoder reads: stripped, and cut to its limit."""
    return [text.strip()[:max_characters] for text in texts]


def patent_texts(patents: pd.DataFrame) -> list[str]:
    """Title, abstract and claims of each patent as one text, as far as present (schema ``Patents``).

    >>> patent_texts(pd.DataFrame({"title": ["Oven", ""], "abstract": ["It bakes.", ""], "claims": ["1. An oven", ""]}))
    ['Oven. It bakes. 1. An oven', '']
    """
    title = patents["title"].str.strip()
    body = (patents["abstract"].str.strip() + " " + patents["claims"].str.strip()).str.strip()
    between = pd.Series(". ", index=patents.index).where((title != "") & (body != ""), "")
    texts: list[str] = (title + between + body).tolist()
    return texts
