"""Texts that come in several languages side by side."""

import pandas as pd

from pipeline.corpus.readers.base import ITEM


def in_english(texts: pd.Series, languages: pd.Series) -> pd.Series:
    """Of lists of texts and of their languages, the English text; the first one where none is.

    >>> in_english(pd.Series(["Pumpe\\x1fPump", "Bombe"]), pd.Series(["de\\x1fen", "fr"])).tolist()
    ['Pump', 'Bombe']
    """
    chosen = []
    for text, language in zip(texts, languages, strict=True):
        entries = text.removesuffix(ITEM).split(ITEM)
        tags = language.lower().split(ITEM)
        english = [entry for entry, tag in zip(entries, tags, strict=False) if tag == "en" and entry]
        chosen.append((english or [entry for entry in entries if entry] or [""])[0])
    return pd.Series(chosen, index=texts.index, dtype="str")
