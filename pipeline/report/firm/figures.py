"""Geometry of the firm report's figures, in pixels. The templates draw them and escape the text."""

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd

from pipeline.report.figures import nice_step, pushed_apart
from pipeline.report.firm.definitions import DIMENSIONS

HIGHEST = 2.5  # of a dimension
_LETTER = 0.62  # width of a letter, in font sizes
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

    ``frame``: left, top, right, bottom of the plot. Opportunities at one spot share a circle, named for their ranks; a
    name pushed off its circle has a line to it.
    """

    sheet: Sheet
    frame: tuple[float, float, float, float]
    across: list[tuple[float, str]]
    up: list[tuple[float, str]]
    circles: list[dict[str, Any]]


def matrix(opportunities: pd.DataFrame, sheet: Sheet) -> Matrix:
    """Place the first opportunities (schema ``TopicOpportunities``, best first)."""
    rows = opportunities.head(sheet.most)
    chance = rows["probability"].to_numpy()
    radius = sheet.font * (0.8 + 1.6 * np.sqrt(chance / max(chance.max(), 1e-9)))
    room = 2.4 * sheet.font  # so that no circle is cut off at the edge
    left, right = 3.2 * sheet.font, sheet.width - sheet.font / 2
    top, bottom = 2 * sheet.font, sheet.height - 3.6 * sheet.font
    across = _axis(rows["firm_fit"], 5, left + room, right - room)
    up = _axis(rows["development"], 4, bottom - room, top + room)
    x, y = across.place(rows["firm_fit"]), up.place(rows["development"])
    spots = [list(places) for places in _together(x, y)]
    names = [", ".join(str(rows["topic_rank"].iloc[place]) for place in places) for places in spots]
    first = [places[0] for places in spots]
    half = np.array([[max(len(name) * _LETTER, 1) / 2 + 0.2, 0.72] for name in names]) * sheet.font
    labels = pushed_apart(np.column_stack([x, y])[first], half, np.array([sheet.width, sheet.height], dtype=float))
    return Matrix(
        sheet=sheet,
        frame=(left, top, right, bottom),
        across=across.ticks(),
        up=up.ticks(),
        circles=[
            {
                "rows": rows.iloc[places].to_dict("records"),
                "name": name,
                "x": round(float(x[places[0]]), 1),
                "y": round(float(y[places[0]]), 1),
                "r": round(float(radius[places].max()), 1),
                "text_x": round(float(label[0]), 1),
                "text_y": round(float(label[1]), 1),
                "away": bool(math.dist(label, (x[places[0]], y[places[0]])) > radius[places].max()),
            }
            for places, name, label in zip(spots, names, labels, strict=True)
        ],
    )


def _together(x: np.ndarray, y: np.ndarray) -> list[list[int]]:
    """Places of the points that fall on one pixel, in the order of the first of each."""
    found: dict[tuple[int, int], list[int]] = {}
    for place, spot in enumerate(zip(x.round().astype(int).tolist(), y.round().astype(int).tolist(), strict=True)):
        found.setdefault(spot, []).append(place)
    return list(found.values())


@dataclasses.dataclass(frozen=True)
class _Axis:
    """Round values from ``low`` by ``step`` to ``high``, drawn from ``start`` to ``end``."""

    low: float
    high: float
    step: float
    start: float
    end: float

    def place(self, values: pd.Series) -> np.ndarray:
        share = (values.to_numpy(dtype=float) - self.low) / (self.high - self.low)
        return np.asarray(self.start + (self.end - self.start) * share)

    def ticks(self) -> list[tuple[float, str]]:
        digits = max(0, -math.floor(math.log10(self.step) + 1e-9))
        values = pd.Series(self.low + self.step * np.arange(round((self.high - self.low) / self.step) + 1))
        return [
            (round(float(at), 1), f"{value:.{digits}f}") for at, value in zip(self.place(values), values, strict=True)
        ]


def _axis(values: pd.Series, parts: int, start: float, end: float) -> _Axis:
    spread = float(values.max() - values.min())
    step = nice_step(max(spread, 0.1 * max(float(values.max()), 1.0)) / parts)
    low = math.floor(float(values.min()) / step + 1e-9) * step
    high = max(math.ceil(float(values.max()) / step - 1e-9) * step, low + step)
    return _Axis(low, high, step, start, end)


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
