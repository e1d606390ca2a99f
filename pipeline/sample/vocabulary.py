"""The technologies of the simulated corpus: IPC subclasses, their groups, their words and how near they lie."""

import csv
import dataclasses
import functools
from importlib.resources import files

import numpy as np

# How near two technologies lie, between 0 and 1: of one field; one borders on the other's field; both border on a third
SAME_FIELD, BORDERING, COMMON_BORDER, SAME_SECTION, FAR = 1.0, 0.5, 0.25, 0.1, 0.02


@dataclasses.dataclass(frozen=True)
class Technology:
    """One IPC subclass: its field, the field it borders on, the course of its activity and its words."""

    code: str
    field: str
    near: str
    trend: str  # steady, grow, decline or burst
    tag: str  # a CPC symbol of section Y that some of its patents carry, or ''
    groups: tuple[str, ...]
    things: tuple[str, ...]
    parts: tuple[str, ...]
    purposes: tuple[str, ...]


@functools.cache
def technologies() -> tuple[Technology, ...]:
    """All technologies of the sample, sorted by code."""
    text = files("pipeline.sample").joinpath("technologies.csv").read_text(encoding="utf-8")
    rows = sorted(csv.DictReader(text.splitlines()), key=lambda row: row["code"])
    return tuple(
        Technology(
            code=row["code"],
            field=row["field"],
            near=row["near"],
            trend=row["trend"],
            tag=row["tag"],
            groups=tuple(f"{row['code']} {group}" for group in row["groups"].split(";")),
            things=tuple(row["things"].split(";")),
            parts=tuple(row["parts"].split(";")),
            purposes=tuple(row["purposes"].split(";")),
        )
        for row in rows
    )


@functools.cache
def proximity() -> np.ndarray:
    """How near any two technologies lie (technologies x technologies, symmetric, 0 on the diagonal)."""
    field = np.array([technology.field for technology in technologies()])
    near = np.array([technology.near for technology in technologies()])
    section = np.array([technology.code[0] for technology in technologies()])
    borders = near[:, None] == field[None, :]
    values: np.ndarray = np.select(
        [field[:, None] == field, borders | borders.T, near[:, None] == near, section[:, None] == section],
        [SAME_FIELD, BORDERING, COMMON_BORDER, SAME_SECTION],
        FAR,
    )
    np.fill_diagonal(values, 0.0)
    values.setflags(write=False)
    return values
