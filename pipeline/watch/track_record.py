"""How past forecasts fared: hits among the first of a list, and expected against seen, as outcomes arrive.

Calibration by probability is told of complete horizons alone: only there is it known of every pair what came. Before,
what is expected by now rests on an assumption (``forecasts.by_now``), so it is told of whole lists and heads only.
"""

import pandas as pd

from pipeline.config import TaskConfig
from pipeline.schemas import PAIR, TrackRecord, empty, validate
from pipeline.watch.forecasts import Forecast, by_now, spent
from pipeline.watch.meetings import Meetings, outcomes

FIRST = (10, 20, 50, 100)  # pairs at the head of a list
EDGES = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)  # of probability; a group holds its upper bound
KEPT = 120  # forecasts whose horizon is over that are kept: ten years of months


def track_record(forecast: Forecast, known: Meetings, task: TaskConfig) -> pd.DataFrame:
    """What became of one forecast by the day up to which the meetings are known (schema ``TrackRecord``)."""
    now = min(known.corpus.cutoff, forecast.until)
    came = outcomes(known, forecast.pairs, forecast.cutoff, task)
    share = spent(forecast, now)
    pairs = forecast.pairs.astype({"probability": float}).merge(came[PAIR], on=PAIR, how="left", indicator="came")
    pairs = pairs.assign(
        came=pairs["came"] == "both",
        by_now=float("nan") if share is None else by_now(pairs["probability"], share),
    )
    rows = [_group(pairs, "all", "all")]
    for listed, column in (("all", "rank"), ("firm", "firm_rank")):
        place = pairs[column].astype("Int64")
        rows += [_group(pairs[(place <= k).fillna(False)], "first", listed, k=k) for k in FIRST if place.notna().any()]
    if forecast.until <= known.corpus.cutoff:
        bins = pd.cut(pairs["probability"], EDGES, include_lowest=True, labels=False)
        rows += [
            _group(pairs[bins == place], "probability", "all", low=EDGES[place], high=EDGES[place + 1])
            for place in sorted(bins.unique())
        ]
    table = pd.DataFrame(rows).assign(
        cutoff=forecast.cutoff,
        until=forecast.until,
        elapsed=(now - forecast.cutoff) / (forecast.until - forecast.cutoff),
        complete=forecast.until <= known.corpus.cutoff,
    )
    return validate(table[list(TrackRecord.to_schema().columns)], TrackRecord, "track record")


def all_records(open_forecasts: list[pd.DataFrame], earlier: pd.DataFrame) -> pd.DataFrame:
    """The records of forecasts that were open, over those of forecasts that were complete before; oldest first.

    ``earlier``: the table of the last time; of its complete forecasts the latest KEPT stay.
    """
    done = earlier[earlier["complete"]]
    latest = done["cutoff"].drop_duplicates().nlargest(KEPT)
    parts = [done[done["cutoff"].isin(latest)], *open_forecasts]
    table = pd.concat([part for part in parts if len(part)] or [empty(TrackRecord)], ignore_index=True)
    return validate(table.sort_values("cutoff", kind="stable", ignore_index=True), TrackRecord, "track record")


def _group(
    pairs: pd.DataFrame,
    group: str,
    listed: str,
    k: int | None = None,
    low: float | None = None,
    high: float | None = None,
) -> dict[str, object]:
    converged = int(pairs["came"].sum())
    return {
        "group": group,
        "listed": listed,
        "k": pd.NA if k is None else k,
        "low": float("nan") if low is None else low,
        "high": float("nan") if high is None else high,
        "pairs": len(pairs),
        "expected": float(pairs["probability"].sum()),
        "expected_by_now": float(pairs["by_now"].sum(skipna=False)) if len(pairs) else 0.0,
        "converged": converged,
        "hit_rate": converged / len(pairs) if len(pairs) else float("nan"),
    }
