"""One horizon of a run: its parts read, put together and measured."""

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import schemas
from pipeline.evaluation.assess import assess, metrics_record
from pipeline.pairs.labels import outcome_in_words
from pipeline.parts import read_part
from pipeline.run_request import RunRequest, data_end


@dataclasses.dataclass(frozen=True)
class RunHorizon:
    """What the parts of one horizon come to.

    ``records``: the parts'. ``forecast``: predictions at the cutoffs asked for; of a further horizon only key,
    probability and label. ``tests``: the labelled predictions at other cutoffs, of the main horizon. ``metrics``: the
    content of ``metrics.json``. ``notes``: what the user should know.
    """

    records: list[dict[str, Any]]
    forecast: pd.DataFrame
    tests: list[pd.DataFrame]
    metrics: dict[str, Any]
    notes: list[str]

    def learnt(self) -> dict[str, Any]:
        """For the run's record: the cutoffs that were tested, and from what each cutoff learnt, with which weights, and
        what its members and the ranking were worth where that was decided."""
        by_cutoff = {record["universe"]["cutoff"]: record for record in self.records}
        return {
            "tested_cutoffs": [cutoff for cutoff, record in by_cutoff.items() if record["tested"]],
            "training_origins": {cutoff: record["training_origins"] for cutoff, record in by_cutoff.items()},
            "member_weights": {cutoff: record["weights"] for cutoff, record in by_cutoff.items()},
            "ensemble": {cutoff: record["ensemble"] for cutoff, record in by_cutoff.items()},
        }

    def warnings(self) -> list[str]:
        """Of all its parts."""
        return [warning for record in self.records for warning in record["warnings"]]


def read_horizon(request: RunRequest, years: int, parts: list[Path]) -> RunHorizon:
    """Read the parts of one horizon, as many as could be computed, and measure those whose outcome is known."""
    config = request.config.at_horizon(years)
    main = years == request.config.task.horizon
    columns = [*schemas.PAIR_KEY, "probability", "label"]
    asked = {f"{cutoff:%Y-%m-%d}" for cutoff in request.cutoffs}
    records, forecast, tests, assessments = [], [], [], []
    for part in parts:
        record, table = read_part(part)
        records.append(record)
        if record["tested"]:
            assessments.append(assess(table, record["coverage"], config.bootstrap_repeats, config.seed))
        if record["universe"]["cutoff"] in asked:
            forecast.append(table if main else table[columns])
        elif main:
            tests.append(table)
    untested = [record["universe"]["cutoff"] for record in records if not record["tested"]]
    note = (
        f"horizon {years} is forecast from {', '.join(untested)} but not tested there: "
        f"its window outlasts the data, which end on {data_end(request.corpus):%Y-%m-%d}"
    )
    task = config.task.model_dump(mode="json", include={"track", "horizon", "level", "scheme"})
    return RunHorizon(
        records=records,
        forecast=pd.concat(forecast, ignore_index=True) if forecast else schemas.empty(schemas.Predictions)[columns],
        tests=tests,
        metrics=metrics_record(assessments, task | {"outcome": outcome_in_words(config.task)}),
        notes=[note] if untested and request.command == "backtest" else [],
    )
