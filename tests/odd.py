"""Ways to make a corpus odd: edits of flat rows."""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Edit = Callable[[pd.DataFrame], pd.DataFrame]
DEFAULT_DAY = "2014-12-31"


@dataclasses.dataclass(frozen=True)
class Odd:
    """A corpus made odd by an edit of the simulated rows, asked on a day under settings."""

    edit: Edit
    day: str = DEFAULT_DAY
    task: dict[str, Any] = dataclasses.field(default_factory=dict)
    min_positives: int = 10


USUAL = Odd(lambda frame: frame)


def first_code(frame: pd.DataFrame) -> pd.Series:
    return frame["ipc"].str.partition(";")[0]


def in_turn(*lists: str) -> Edit:
    """Every patent gets one of the lists of codes, in turn."""
    return lambda frame: frame.assign(ipc=np.array(lists)[np.arange(len(frame)) % len(lists)])


def together(links: int) -> Edit:
    """Patents of one code each, but for so many of 2012 that join two common codes."""

    def edit(frame: pd.DataFrame) -> pd.DataFrame:
        alone = first_code(frame)
        early = alone[frame["date"] < "2011"]
        common = early.groupby(early.str[:4]).first()[early.str[:4].value_counts().index[: links + 1]]
        own = ~frame["family_id"].duplicated()  # a later member of a family adds nothing
        at = frame.index[own & (frame["date"] > "2012-02-01")][:links]
        joined = pd.Series([f"{a};{b}" for a, b in itertools.pairwise(common)], index=at, dtype="str")
        return frame.assign(ipc=joined.reindex(frame.index).fillna(alone))

    return edit


def four_codes(frame: pd.DataFrame) -> pd.DataFrame:
    """Alone on their patents up to 2010; then two pairs of the six meet now and again."""
    alone = in_turn("A01B 1/00", "F25B 1/00", "G06F 3/00", "H01L 1/00")(frame)
    joint = in_turn("A01B 1/00;F25B 1/00", "F25B 1/00;G06F 3/00")(frame)
    met = (frame["date"] > "2010") & (np.arange(len(frame)) % 9 == 0)
    return alone.assign(ipc=alone["ipc"].mask(met, joint["ipc"]))


def between(first: str, last: str) -> Edit:
    return lambda frame: frame[frame["date"].between(first, last)]


def only_codes(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**dict.fromkeys(frame.columns.difference(["patent_id", "date", "ipc"]), ""))


def one_section(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(ipc=frame["ipc"].str.replace(r"\b[A-H](?=\d\d[A-Z])", "H", regex=True))


def exploding(frame: pd.DataFrame, last: int, most: int) -> pd.DataFrame:
    """Patents thinned to ``most`` a year from ``last`` on, and by 3,685 : 103 over the ten years before."""
    year = frame["date"].str[:4].astype(int)
    wanted = most * (103 / 3685) ** (np.maximum(last - year, 0) / 10)
    drawn = np.random.default_rng(1).random(len(frame))
    return frame[drawn < wanted / year.map(year.value_counts())]
