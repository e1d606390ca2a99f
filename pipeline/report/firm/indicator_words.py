"""An indicator's value in its own unit."""

import pandas as pd

from pipeline.report import words


def indicator_value(value: float | None, name: str) -> str:
    """As a reader sees it.

    >>> indicator_value(0.85, "growth_patents").replace(words.SPACE, " "), indicator_value(-2.04, "maturity")
    ('+85 %', '−2.0')
    """
    if value is None or pd.isna(value):
        return words.MISSING
    if name.startswith("growth_"):
        share = words.percent(abs(value)) if abs(value) < 10 else f"{value:,.0f}×"
        return share if value == 0 else f"{'−' if value < 0 else '+'}{share}"
    if name == "uniqueness":
        return words.score(value)
    if name == "maturity":
        return f"{'−' if value < -0.05 else '+' if value > 0.05 else ''}{abs(value):.1f}"
    return f"{value:.2f}"
