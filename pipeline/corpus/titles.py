"""Short English titles of IPC and CPC codes, in this project's own words (``ipc_titles.csv``)."""

import csv
import functools
from collections.abc import Iterable
from importlib.resources import files


def title_of(code: str) -> str:
    """The title of a code; a group takes that of its subclass; an unknown code that of its class or section, or ''.

    >>> title_of("F25B 41/20"), title_of("F25"), title_of("?")
    ('Refrigeration machines, heat pumps', 'Refrigeration and heat pumps', '')
    """
    table = _table()
    stems = (code[:length] for length in (4, 3, 1) if len(code) >= length)
    return next((table[stem] for stem in stems if stem in table), "")


def titles(codes: Iterable[str]) -> list[str]:
    """The titles of many codes, in their order (see ``title_of``)."""
    return [title_of(code) for code in codes]


@functools.cache
def _table() -> dict[str, str]:
    text = files("pipeline.corpus").joinpath("ipc_titles.csv").read_text(encoding="utf-8")
    return {row["symbol"]: row["title"] for row in csv.DictReader(text.splitlines())}
