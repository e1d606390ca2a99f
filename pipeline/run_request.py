"""What a run was asked to do, and the parts it is made of."""

import datetime
from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

from pipeline.corpus.store import load_manifest
from pipeline.corpus.timeline import last_day, years_before
from pipeline.parts import PartRequest, part_request
from pipeline.run_config import RunConfig


class RunRequest(BaseModel):
    """A run as it was asked for; stored in ``run.json``, from which it can be repeated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: Literal["forecast", "backtest"]
    corpus: Path
    cutoffs: tuple[datetime.date, ...]
    firm: str | None
    config: RunConfig
    background: Path | None = None


def part_requests(request: RunRequest) -> list[PartRequest]:
    """The parts of a run, one a cutoff and horizon; those of the main horizon last, the latest cutoff the very last.

    A backtest has one a cutoff and horizon; a further horizon whose window outlasts the data is forecast, not tested.
    A forecast has, for each horizon, the forecast itself and a test one horizon earlier: the latest cutoff whose
    outcome is known on the forecast's own.
    """
    main = request.config.task.horizon
    further = [years for years in request.config.every_horizon() if years != main]
    return [part for years in [*further, main] for part in _at_horizon(request, years)]


def _at_horizon(request: RunRequest, years: int) -> list[PartRequest]:
    cutoffs, main = sorted(request.cutoffs), years == request.config.task.horizon
    if request.command == "forecast":
        (cutoff,) = cutoffs
        known: dict[datetime.date, datetime.date | None] = {_later(cutoff, -years): cutoff, cutoff: None}
    else:
        last = data_end(request.corpus)
        # a main horizon that is still open is an error, and the part will say so
        known = {c: end if main or end <= last else None for c in cutoffs for end in [_later(c, years)]}
    explained = cutoffs[-1] if main else None
    return [
        part_request(
            request.corpus,
            request.background,
            cutoff,
            request.config.at_horizon(years),
            known_until=known_until,
            explained=cutoff == explained,
            firm=request.firm if cutoff == explained else None,
        )
        for cutoff, known_until in known.items()
    ]


def data_end(corpus: Path) -> datetime.date:
    """The day up to which a stored corpus is complete, read from its manifest."""
    last = pd.Timestamp(load_manifest(corpus)["last_knowledge_date"])
    return last_day(pd.DataFrame({"knowledge_date": [last]})).date()


def latest_cutoff(corpus: Path, horizon: int = 0) -> datetime.date:
    """The last day that a stored corpus can be asked for: ``horizon`` years before the day it is complete up to.

    With 0 years it is the latest day of a forecast, with a horizon the latest whose outcome is known.
    """
    return _later(data_end(corpus), -horizon)


def _later(day: datetime.date, years: int) -> datetime.date:
    return years_before(pd.Timestamp(day), -years).date()
