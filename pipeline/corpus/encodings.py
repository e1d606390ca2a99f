"""Texts whose bytes were once read in the wrong encoding: mended where that is certain, flagged where it is not.

UTF-8 read as Windows-1252 turns ``ü`` into ``Ã¼``. Such a text is mended only when all of it goes back to the bytes it
came from and these are valid UTF-8; a text that was never damaged practically never does.
"""

import pandas as pd

_CONTINUED = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"  # what bytes 80 to BF become
_DAMAGED = f"[ÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß][{_CONTINUED}]|[à-ï][{_CONTINUED}]{{2}}|ð[{_CONTINUED}]{{3}}"
_LOST = "\ufffd"  # put where a character could not be decoded: what stood there is gone
_TIMES = 3  # a text may have been damaged more than once
_CONTROLS = {chr(code): bytes([code]) for code in range(0x80, 0xA0)}  # read as Latin-1, bytes 80 to 9F stay themselves


def mend(texts: pd.Series) -> tuple[pd.Series, pd.Series]:
    """The texts with certain damage undone, and which of them look damaged still (bool).

    >>> fixed, doubtful = mend(pd.Series(["MÃ¼ller", "Müller", "MÃ¼ller – 東芝"]))
    >>> fixed.tolist(), doubtful.tolist()
    (['Müller', 'Müller', 'MÃ¼ller – 東芝'], [False, False, True])
    """
    suspect = texts.str.contains(_DAMAGED, regex=True)
    if suspect.any():
        distinct = pd.Series(texts[suspect].unique(), dtype="str")
        fixed = dict(zip(distinct, map(mended, distinct), strict=True))
        texts = texts.mask(suspect, texts[suspect].map(fixed).reindex(texts.index))
        suspect = suspect & texts.where(suspect, "").str.contains(_DAMAGED, regex=True)
    return texts, suspect | texts.str.contains(_LOST, regex=False)


def mended(text: str) -> str:
    """The text with its damage undone as far as all of it can be; as it stands otherwise."""
    for _ in range(_TIMES):
        try:
            earlier = _windows_bytes(text).decode("utf-8")
        except UnicodeError:
            return text
        if earlier == text:
            return text
        text = earlier
    return text


def _windows_bytes(text: str) -> bytes:
    try:
        return text.encode("cp1252")
    except UnicodeEncodeError:
        return b"".join(_CONTROLS.get(char) or char.encode("cp1252") for char in text)
