"""A forecast as a watch sees it: a list of pairs, and how the outcomes of such pairs spread over the horizon."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.artifacts import read_record, read_table
from pipeline.config import TaskConfig
from pipeline.corpus.timeline import years_before
from pipeline.errors import ArtifactError, ConfigError
from pipeline.schemas import PAIR, Opportunities, PastForecast, Predictions, validate
from pipeline.watch.meetings import Meetings, outcomes

HEAD = 100  # places of a list that are watched
FEWEST = 20  # converged pairs below which their timing says nothing


@dataclasses.dataclass(frozen=True)
class Forecast:
    """A forecast that was made.

    ``pairs``: schema ``PastForecast``, all candidates, or only the head of either list once the horizon is over.
    ``timing``: see ``timing``; None where the past was too short to tell.
    """

    cutoff: pd.Timestamp
    until: pd.Timestamp
    pairs: pd.DataFrame
    timing: tuple[float, ...] | None

    @property
    def listed(self) -> pd.Series:
        """The place of each pair on the list that is watched: the firm's where one was named, else the rank."""
        own = self.pairs["firm_rank"]
        return (own if own.notna().any() else self.pairs["rank"]).astype("Int64")

    def head(self) -> pd.DataFrame:
        """The pairs that either list begins with."""
        first = (self.pairs["rank"] <= HEAD) | (self.pairs["firm_rank"] <= HEAD).fillna(False)
        return self.pairs[first].reset_index(drop=True)


def read_forecast(run: Path, known: Meetings | None) -> Forecast:
    """The forecast in a run folder; its timing too where ``known`` gives the meetings up to its cutoff.

    Raises:
        ArtifactError: it is no forecast, or a table is missing or damaged.
    """
    record = read_record(run)
    if not isinstance(record, dict) or record.get("command") != "forecast":
        raise ArtifactError(f"{run} is no forecast: a watch compares runs of `techconverge forecast`")
    task, cutoff = task_of(record), pd.Timestamp(max(record["cutoffs"])).as_unit("s")
    table = validate(read_table(run / "predictions.parquet"), Predictions, str(run))
    pairs = table.loc[table["cutoff"] == cutoff, [*PAIR, "probability", "rank"]]
    own = run / "opportunities.parquet"
    if own.exists():
        firm = validate(read_table(own), Opportunities, str(own))[[*PAIR, "firm_rank"]]
        pairs = pairs.merge(firm, on=PAIR, how="left", validate="one_to_one")
    else:
        pairs = pairs.assign(firm_rank=pd.array([pd.NA] * len(pairs), dtype="Int32"))
    pairs = pairs.sort_values(PAIR, ignore_index=True)
    tested = run / "tested.parquet"
    spread = timing(known, read_table(tested), task) if known is not None and tested.exists() else None
    return Forecast(
        cutoff, years_before(cutoff, -task.horizon), validate(pairs, PastForecast, f"forecast of {run}"), spread
    )


def task_of(record: dict[str, Any]) -> TaskConfig:
    """The task settings of a run's record."""
    return TaskConfig.model_validate(record["config"]["task"])


def check_same(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Refuse to compare runs of another firm or task; return the other settings that differ, by dotted name.

    Raises:
        ConfigError: naming the first difference.
    """
    firms = [(record.get("firm") or {}).get("party_id") for record in (before, after)]
    if firms[0] != firms[1]:
        names = [(record.get("firm") or {}).get("name", "no firm") for record in (before, after)]
        raise ConfigError(f"the last run is of {names[0]}, this one of {names[1]}: watch each firm in its own folder")
    was, now = (_flat(record["config"]) for record in (before, after))
    differing = sorted(name for name in was.keys() | now.keys() if was.get(name) != now.get(name))
    of_task = [name for name in differing if name.startswith("task.")]
    if of_task:
        name = of_task[0]
        raise ConfigError(
            f"the last run has {name} {was.get(name)}, this one {now.get(name)}: watch each task in its own folder"
        )
    return differing


def _flat(config: dict[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in config.items():
        flat |= _flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return flat


def timing(known: Meetings, tested: pd.DataFrame, task: TaskConfig) -> tuple[float, ...] | None:
    """How much of the horizon's hazard is spent by the end of each of its months, 0 at its start and 1 at its end.

    Read off the candidates of one horizon earlier (``tested``: the latest whose whole window was known), of which a
    share C(m) had converged after m months: log(1 - C(m)) / log(1 - C(end)). None where fewer than FEWEST had.
    """
    cutoff = pd.Timestamp(tested["cutoff"].max()).as_unit("s")
    cohort = tested.loc[tested["cutoff"] == cutoff, PAIR]
    days = np.sort(outcomes(known, cohort, cutoff, task)["converged_on"].to_numpy())
    if len(days) < FEWEST or len(days) == len(cohort):
        return None
    months = pd.DatetimeIndex([cutoff + pd.DateOffset(months=month) for month in range(12 * task.horizon + 1)])
    share = np.searchsorted(days, months.to_numpy(), side="right") / len(cohort)
    return tuple((np.log1p(-share) / np.log1p(-share[-1])).round(6).tolist())


def spent(forecast: Forecast, now: pd.Timestamp) -> float | None:
    """The share of the hazard that is spent on a day, between two months in proportion to days; 1 once all is over."""
    if now >= forecast.until:
        return 1.0
    if forecast.timing is None:
        return None
    months = [forecast.cutoff + pd.DateOffset(months=month) for month in range(len(forecast.timing))]
    return float(np.interp(now.timestamp(), [month.timestamp() for month in months], forecast.timing))


def by_now(probability: pd.Series, share: float) -> pd.Series:
    """The chance of having converged by now: ``1 - (1 - p)^share`` where p is the chance over the whole horizon.

    Every pair is taken to spend its hazard as the cohort of ``timing`` did, a likely one sooner than in proportion.
    """
    return 1 - (1 - probability) ** share
