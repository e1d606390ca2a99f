"""Geometry of the firm report's figures, in pixels. The templates draw them and escape the text."""

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd

from pipeline.report.figures import pushed_apart
from pipeline.report.firm.definitions import DIMENSIONS

HIGHEST = 2.5  # of a dimension
_TURN = [(0, -1), (1, 0), (0, 1), (-1, 0)]  # of the four axes: up, right, down, left


@dataclasses.dataclass(frozen=True)
class Radar:
    """Two topics on the four dimensions, around (0, 0): ``outlines`` as SVG points, ``marks`` of each, by side.

    A dimension that is not known has no mark, and the outline passes it by.
    """

    reach: int
    rings: list[float]
    axes: list[dict[str, Any]]
    outlines: dict[str, str]
    marks: dict[str, list[tuple[float, float]]]


def radar(topics: dict[str, dict[str, Any]], reach: int = 70) -> Radar:
    """Draw topics (rows of ``Topics``) by side."""
    marks = {
        side: [
            (round(x * reach * topic[name] / HIGHEST, 1), round(y * reach * topic[name] / HIGHEST, 1))
            for name, (x, y) in zip(DIMENSIONS, _TURN, strict=True)
            if topic[name] is not None
        ]
        for side, topic in topics.items()
    }
    return Radar(
        reach=reach,
        rings=[round(reach * step / 5, 1) for step in range(1, 6)],
        axes=[{"name": name, "x": x * reach, "y": y * reach} for name, (x, y) in zip(DIMENSIONS, _TURN, strict=True)],
        outlines={side: " ".join(f"{x},{y}" for x, y in points) for side, points in marks.items()},
        marks=marks,
    )


@dataclasses.dataclass(frozen=True)
class Sheet:
    """A drawing: pixels, font size, and how many opportunities fit in legibly."""

    width: int
    height: int
    font: int
    most: int


WIDE = Sheet(width=1080, height=520, font=14, most=20)
NARROW = Sheet(width=360, height=400, font=12, most=12)  # read on a phone without zooming


@dataclasses.dataclass(frozen=True)
class Matrix:
    """Opportunities by firm fit (right) and development (up); circles as large as their probability.

    ``frame``: left, top, right, bottom of the plot. A number pushed off its circle has a line to it.
    """

    sheet: Sheet
    frame: tuple[int, int, int, int]
    across: list[tuple[float, str]]
    up: list[tuple[float, str]]
    circles: list[dict[str, Any]]


def matrix(opportunities: pd.DataFrame, sheet: Sheet) -> Matrix:
    """Place the first opportunities (schema ``TopicOpportunities``, best first)."""
    rows = opportunities.head(sheet.most)
    left, top, right, bottom = (
        4 * sheet.font,
        2 * sheet.font,
        sheet.width - 2 * sheet.font,
        sheet.height - 4 * sheet.font,
    )
    low, high = _span(rows["development"], 1.0, 10.0)
    near, far = _span(rows["firm_fit"], 0.1, 1.0)
    x = left + (right - left) * (rows["firm_fit"].to_numpy() - near) / (far - near)
    y = bottom - (bottom - top) * (rows["development"].to_numpy() - low) / (high - low)
    radius = sheet.font * (0.8 + 1.6 * np.sqrt(rows["probability"].to_numpy() / max(rows["probability"].max(), 1e-9)))
    half = np.full((len(rows), 2), sheet.font * 0.72)
    labels = pushed_apart(np.column_stack([x, y]), half, np.array([sheet.width, sheet.height], dtype=float))
    return Matrix(
        sheet=sheet,
        frame=(left, top, right, bottom),
        across=_ticks(near, far, left, right, 1),
        up=_ticks(low, high, bottom, top, 0),
        circles=[
            {
                "row": row,
                "x": round(float(x[n]), 1),
                "y": round(float(y[n]), 1),
                "r": round(float(radius[n]), 1),
                "text_x": round(float(labels[n][0]), 1),
                "text_y": round(float(labels[n][1]), 1),
                "away": bool(math.dist(labels[n], (x[n], y[n])) > radius[n]),
            }
            for n, row in enumerate(rows.to_dict("records"))
        ],
    )


def _span(values: pd.Series, step: float, most: float) -> tuple[float, float]:
    """The range shown: whole steps around the values with a step to spare, within [0, most]."""
    low = max(math.floor(float(values.min()) / step - 0.5) * step, 0.0)
    high = min(math.ceil(float(values.max()) / step + 0.5) * step, most)
    return round(low, 6), round(max(high, low + step), 6)


def _ticks(low: float, high: float, start: float, end: float, digits: int) -> list[tuple[float, str]]:
    count = min(round((high - low) / 10**-digits), 5)
    values = [low + (high - low) * step / count for step in range(count + 1)]
    return [
        (round(start + (end - start) * step / count, 1), f"{value:.{digits + (value * 10**digits % 1 > 1e-6)}f}")
        for step, value in enumerate(values)
    ]


@dataclasses.dataclass(frozen=True)
class Portfolio:
    """The firm's codes on the left, the target codes on the right, and bands between them: the pairs of codes.

    ``codes``: place, name and bar of each; ``bands``: an SVG path, its width and the best opportunity in it.
    """

    width: int
    height: int
    font: int
    columns: tuple[int, int]  # where the bands start and end
    codes: dict[str, list[dict[str, Any]]]
    bands: list[dict[str, Any]]


def portfolio(opportunities: pd.DataFrame, codes: pd.DataFrame, wide: bool) -> Portfolio:
    """Draw the pairs of codes behind the opportunities, the best first; ``codes``: the run's table of codes.

    A code's bar is its patents: the firm's on the left, everybody's on the right.
    """
    best = opportunities.drop_duplicates(["firm_code", "target_code"]).head(30 if wide else 14)
    width, font, line = (1080, 14, 46) if wide else (360, 12, 34)
    columns = (380, 700) if wide else (110, 250)
    about = codes.drop_duplicates("code").set_index("code")
    placed: dict[str, list[dict[str, Any]]] = {}
    at: dict[tuple[str, str], float] = {}
    longest = max(best["firm_code"].nunique(), best["target_code"].nunique())
    height = line * longest + 2 * font
    for side, counted in (("firm", "firm_patents"), ("target", "patents")):
        names = best[f"{side}_code"].drop_duplicates().tolist()
        patents = about[counted].reindex(names).fillna(0)
        step = (height - 2 * font) / len(names)
        placed[side] = [
            {
                "code": name,
                "title": about["title"].get(name, ""),
                "patents": int(number),
                "y": round(2 * font + step * (place + 0.5) - font / 2, 1),
                "bar": round(float(number / max(patents.max(), 1)), 3),
            }
            for place, (name, number) in enumerate(zip(names, patents, strict=True))
        ]
        at |= {(side, code["code"]): code["y"] for code in placed[side]}
    likeliest = max(float(best["probability"].max()), 1e-9)
    middle = sum(columns) / 2
    return Portfolio(
        width=width,
        height=height,
        font=font,
        columns=columns,
        codes=placed,
        bands=[
            {
                "path": f"M{columns[0]} {start}C{middle} {start} {middle} {end} {columns[1]} {end}",
                "width": round(1.5 + 9 * row["probability"] / likeliest, 1),
                "row": row,
            }
            for row in reversed(best.to_dict("records"))
            for start, end in [(at["firm", row["firm_code"]], at["target", row["target_code"]])]
        ],
    )
