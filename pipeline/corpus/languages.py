"""The language of a text by its script and its commonest words: enough to count, and to choose an encoder."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

READ = 400  # characters looked at
_SCRIPTS = {  # in this order: Japanese text holds Chinese characters, Korean text may
    "ja": r"[\x{3040}-\x{30ff}]",
    "ko": r"[\x{ac00}-\x{d7af}]",
    "zh": r"\p{Han}",
    "other": r"[\p{Cyrillic}\p{Arabic}\p{Hebrew}\p{Greek}\p{Thai}\p{Devanagari}]{3}",
}
_WORDS = {
    "en": "the of and a an to for with in is by are which from having method apparatus system device",
    "de": "der die das und ein eine einer eines mit zur zum von für ist den dem wird sind verfahren",
    "fr": "le la les des du un une et pour avec dans est par qui procédé dispositif comprenant au aux",
    "es": "el la los las del un una y para con en es por que procedimiento dispositivo sistema comprende al",
}


def languages(texts: pd.Series) -> pd.Series:
    """``en``, ``de``, ``fr``, ``es``, ``zh``, ``ja``, ``ko`` or ``other``; empty where the text says too little.

    >>> languages(pd.Series(["Method of cooling", "Verfahren zur Kühlung", "冷却方法", "X 12"])).tolist()
    ['en', 'de', 'zh', '']
    """
    table = pa.array(texts.to_numpy(), pa.large_string())
    if pc.sum(pc.binary_length(table)).as_py() in (None, 0):
        return pd.Series("", index=texts.index, dtype="str")
    start = pc.utf8_lower(pc.utf8_slice_codeunits(table, 0, READ))
    counts = np.stack([_count(start, words) for words in _WORDS.values()])
    names = np.array(list(_WORDS), dtype=object)
    ahead = np.sort(counts, axis=0)[-1] > np.sort(counts, axis=0)[-2]
    found = np.where(ahead, names[counts.argmax(axis=0)], "")
    by_script = [
        pc.match_substring_regex(start, pattern).to_numpy(zero_copy_only=False) for pattern in _SCRIPTS.values()
    ]
    # a Latin text may quote a word of another script; a text of that script hardly has Latin stop words
    return pd.Series(
        np.where(counts.max(axis=0) > 2, found, np.select(by_script, list(_SCRIPTS), found)), texts.index, dtype="str"
    )


def _count(texts: pa.Array, words: str) -> np.ndarray:
    pattern = rf"(?:^|[^\pL])(?:{'|'.join(words.split())})(?:$|[^\pL])"
    return np.asarray(pc.count_substring_regex(texts, pattern).to_numpy(zero_copy_only=False))
