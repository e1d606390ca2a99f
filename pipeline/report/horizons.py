"""When a pair is expected to meet: its steps from horizon to horizon, and where the marks of their figure stand."""

import dataclasses
from typing import Any

import pandas as pd

from pipeline.report import words
from pipeline.report.tables import records
from pipeline.schemas import PAIR

# in pixels of the drawing, whose fixed lines the macro `soon` has at the same places
LEFT, RIGHT = 8, 292  # of the year axis
TOP, ZERO = 38, 98  # of the cumulative line
BARS, BASE = 156, 188  # of the tallest bar and of its foot


@dataclasses.dataclass(frozen=True)
class Timing:
    """One pair over its horizons: ``steps`` as in the table, and their marks.

    ``line``: the cumulative probability from year 0, an SVG path; each mark has the ``x`` of its year, the ``y`` of the
    line, and the bar of the years since the mark before, as high as its yearly hazard. ``met``: the first horizon by
    which the pair is known to have met; ``unmet``: the last by which it is known not to have.
    """

    steps: list[dict[str, Any]]
    marks: list[dict[str, Any]]
    line: str
    met: int | None
    unmet: int | None


def timings(pairs: pd.DataFrame, horizons: pd.DataFrame) -> list[Timing | None]:
    """For each pair its timing, all on one scale so that they can be compared; None where there is but one horizon."""
    steps = {pair: records(rows) for pair, rows in horizons.groupby(PAIR, sort=False)}
    shown = [steps.get(pair, []) for pair in pairs[PAIR].itertuples(index=False, name=None)]
    likeliest = max((step["cumulative"] for each in shown for step in each), default=0)
    fastest = max((step["hazard"] or 0 for each in shown for step in each), default=0)
    return [_timing(each, likeliest or 1, fastest or 1) if len(each) > 1 else None for each in shown]


def _timing(steps: list[dict[str, Any]], likeliest: float, fastest: float) -> Timing:
    end = steps[-1]["horizon"]

    def place(years: int) -> float:
        return round(LEFT + (RIGHT - LEFT) * years / end, 1)

    marks = []
    for before, step in zip([0, *(step["horizon"] for step in steps)], steps, strict=False):
        height = (BASE - BARS) * (step["hazard"] or 0) / fastest
        marks.append(
            {
                "x": place(step["horizon"]),
                "y": round(ZERO - (ZERO - TOP) * step["cumulative"] / likeliest, 1),
                "bar_x": place(before),
                "bar_width": round(place(step["horizon"]) - place(before) - 1, 1),
                "bar_y": round(BASE - height, 1),
                "bar_height": round(height, 1),
                "middle": round((place(before) + place(step["horizon"])) / 2, 1),
            }
        )
    known = [step for step in steps if step["label"] is not None]
    return Timing(
        steps=steps,
        marks=marks,
        line="".join([f"M{LEFT} {ZERO}", *(f"L{mark['x']} {mark['y']}" for mark in marks)]),
        met=min((step["horizon"] for step in known if step["label"]), default=None),
        unmet=max((step["horizon"] for step in known if not step["label"]), default=None),
    )


def horizon_names(years: list[int]) -> str:
    """``1 / 3 / 5 years``, never broken over lines."""
    return f"{' / '.join(map(str, years))} years".replace(" ", words.SPACE)
