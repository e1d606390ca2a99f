"""The flows of pairs of codes: a forecast, and a backtest."""

import datetime
from pathlib import Path
from typing import Literal

from prefect import flow

from flows.run import make_run
from flows.storage import at_hand
from pipeline.run_config import RunConfig, load_config
from pipeline.run_request import RunRequest, latest_cutoff


@flow(name="forecast", flow_run_name="forecast-{out}", persist_result=False)
def forecast(
    corpus: str = "corpus",
    out: str = "runs/forecast",
    firm: str | None = None,
    cutoff: datetime.date | None = None,
    horizons: list[int] | None = None,
    config: str | None = None,
    background: str | None = None,
    cluster: str | None = None,
) -> str:
    """Rank the pairs of codes that will converge after a cutoff, for one firm, and report why.

    Args:
        corpus: A corpus folder, made by ingest.
        out: Folder to write; an earlier run there is replaced.
        firm: The firm whose opportunities are ranked; its name as an assignee.
        cutoff: Last day the forecast may see. Left out: the day up to which the corpus is complete, the end of the
            month of its last document.
        horizons: Years after the cutoff in which a pair must converge, one or several.
        config: YAML file with further settings.
        background: A larger corpus, or its summary: what the pairs do outside the corpus.
        cluster: The address of a Dask scheduler whose workers compute it, as tcp://host:8786. Left out: this machine.
    """
    with at_hand(corpus, out, config, background) as (corpus, out, config, background):
        settings = _settings(config, horizons)
        day = cutoff or latest_cutoff(Path(corpus))
        return make_run(_request("forecast", corpus, [day], firm, settings, background), out, cluster=cluster)


@flow(name="backtest", flow_run_name="backtest-{out}", persist_result=False)
def backtest(
    corpus: str = "corpus",
    out: str = "runs/backtest",
    firm: str | None = None,
    cutoffs: list[datetime.date] | None = None,
    horizons: list[int] | None = None,
    config: str | None = None,
    background: str | None = None,
    cluster: str | None = None,
) -> str:
    """Forecast from past cutoffs and measure against what came, beside every baseline.

    Args:
        corpus: A corpus folder, made by ingest.
        out: Folder to write; an earlier run there is replaced.
        firm: The firm whose opportunities are ranked; its name as an assignee.
        cutoffs: Past days to forecast from. Left out: the latest day whose outcome is known, one horizon before the
            day up to which the corpus is complete.
        horizons: Years after the cutoff in which a pair must converge, one or several.
        config: YAML file with further settings.
        background: A larger corpus, or its summary: what the pairs do outside the corpus.
        cluster: The address of a Dask scheduler whose workers compute it, as tcp://host:8786. Left out: this machine.
    """
    with at_hand(corpus, out, config, background) as (corpus, out, config, background):
        settings = _settings(config, horizons)
        days = cutoffs or [latest_cutoff(Path(corpus), settings.task.horizon)]
        return make_run(_request("backtest", corpus, days, firm, settings, background), out, cluster=cluster)


def _settings(config: str | None, horizons: list[int] | None) -> RunConfig:
    return load_config(Path(config) if config else None, {}, horizons or [])


def _request(
    command: Literal["forecast", "backtest"],
    corpus: str,
    cutoffs: list[datetime.date],
    firm: str | None,
    config: RunConfig,
    background: str | None,
) -> RunRequest:
    return RunRequest(
        command=command,
        corpus=Path(corpus),
        cutoffs=tuple(sorted(cutoffs)),
        firm=firm,
        config=config,
        background=Path(background) if background else None,
    )
