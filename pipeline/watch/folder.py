"""The folder of a watch: its record, its last runs, what it keeps of past forecasts; bounded however long it goes on.

::

    watch.json              the record; what it names is whole, and written last
    runs/CUTOFF/            the KEPT_RUNS latest run folders
    history/CUTOFF.parquet  a past forecast: every candidate until its horizon is over, then the heads of its lists
    digest.html, digest.md, changes.parquet, track_record.parquet, drift.parquet
"""

import re
import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline import __version__
from pipeline.artifacts import read_json, read_table, write_json, write_table
from pipeline.errors import ArtifactError
from pipeline.schemas import PastForecast, TrackRecord, empty, validate
from pipeline.watch.forecasts import HEAD, Forecast
from pipeline.watch.track_record import KEPT

RECORD = "watch.json"
KEPT_RUNS = 3
_OF_A_DAY = re.compile(r"\.?\d{4}-\d\d-\d\d(\.\w+)*")  # a run or a table, and what a killed process left of one


class Kept(BaseModel):
    """A past forecast in the record; its pairs lie in the history."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cutoff: str
    until: str
    timing: tuple[float, ...] | None
    over: bool


class WatchRecord(BaseModel):
    """What a watch has done so far. ``runs``: cutoffs of the run folders kept; ``forecasts``: oldest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    techconverge: str = __version__
    runs: tuple[str, ...] = ()
    forecasts: tuple[Kept, ...] = ()
    content_hash: str = ""  # of the corpus at the last run


def read_watch(folder: Path) -> WatchRecord:
    """The record of a watch; an empty one where it has not begun.

    Raises:
        ArtifactError: the record is damaged, or the folder holds something else.
    """
    path = folder / RECORD
    if not path.exists():
        foreign = [] if not folder.exists() else [entry for entry in folder.iterdir() if not _ours(entry.name)]
        if foreign or (folder.exists() and not folder.is_dir()):
            raise ArtifactError(f"{folder} exists and is not the folder of a watch: choose another --out")
        return WatchRecord()
    try:
        return WatchRecord.model_validate(read_json(path))
    except ValidationError as error:
        raise ArtifactError(f"{path} is not the record of a watch: {' '.join(str(error).split())[:200]}") from error


def run_folder(folder: Path, cutoff: pd.Timestamp | str) -> Path:
    """Where the run of a cutoff stands."""
    return folder / "runs" / (cutoff if isinstance(cutoff, str) else f"{cutoff:%Y-%m-%d}")


def read_past(folder: Path, record: WatchRecord) -> list[Forecast]:
    """The past forecasts that are kept, oldest first.

    Raises:
        ArtifactError: one is missing or damaged.
    """
    return [
        Forecast(
            pd.Timestamp(kept.cutoff).as_unit("s"),
            pd.Timestamp(kept.until).as_unit("s"),
            validate(read_table(path), PastForecast, str(path)),
            kept.timing,
        )
        for kept in record.forecasts
        for path in [_history(folder, kept.cutoff)]
    ]


def read_track_record(folder: Path) -> pd.DataFrame:
    """The track record as of the last run (schema ``TrackRecord``)."""
    path = folder / "track_record.parquet"
    return validate(read_table(path), TrackRecord, str(path)) if path.exists() else empty(TrackRecord)


def write_results(folder: Path, tables: dict[str, pd.DataFrame], after: Forecast) -> None:
    """Write the tables of a watch, and the newest forecast into the history."""
    metadata = {"known_until": f"{after.cutoff:%Y-%m-%d}"}
    for name, table in tables.items():
        write_table(folder / f"{name}.parquet", table, metadata)
    write_table(_history(folder, f"{after.cutoff:%Y-%m-%d}"), after.pairs, metadata)


def commit(folder: Path, record: WatchRecord, after: Forecast, content_hash: str) -> WatchRecord:
    """Enter the newest forecast into the record: from here on the watch has been."""
    day = f"{after.cutoff:%Y-%m-%d}"
    kept = [item.model_copy(update={"over": pd.Timestamp(item.until) <= after.cutoff}) for item in record.forecasts]
    done = [item for item in kept if item.over]
    kept = [*done[-KEPT:], *(item for item in kept if not item.over)]
    newest = Kept(cutoff=day, until=f"{after.until:%Y-%m-%d}", timing=after.timing, over=False)
    entered = WatchRecord(runs=(*record.runs, day)[-KEPT_RUNS:], forecasts=(*kept, newest), content_hash=content_hash)
    write_json(folder / RECORD, entered.model_dump(mode="json"))
    return entered


def prune(folder: Path, record: WatchRecord) -> None:
    """Remove what the record does not name, and cut forecasts whose horizon is over to the heads of their lists.

    The parts that a flow made runs of go too: those runs stand.
    """
    shutil.rmtree(folder / "parts", ignore_errors=True)
    for place, named in (("runs", record.runs), ("history", [f"{kept.cutoff}.parquet" for kept in record.forecasts])):
        for entry in (folder / place).iterdir() if (folder / place).is_dir() else ():
            if entry.name in named or not _OF_A_DAY.fullmatch(entry.name) or entry.is_symlink():
                continue
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    whole = tuple(
        kept
        for kept in record.forecasts
        if kept.over and pq.read_metadata(_history(folder, kept.cutoff)).num_rows > 2 * HEAD
    )
    for forecast in read_past(folder, record.model_copy(update={"forecasts": whole})):
        day = f"{forecast.cutoff:%Y-%m-%d}"
        write_table(_history(folder, day), forecast.head(), {"known_until": day})


def open_at(past: list[Forecast], day: pd.Timestamp) -> list[Forecast]:
    """Those whose horizon was not over on a day: all their pairs are known."""
    return [forecast for forecast in past if forecast.until > day]


def _history(folder: Path, cutoff: str) -> Path:
    return folder / "history" / f"{cutoff}.parquet"


def _ours(name: str) -> bool:
    stem = name.removeprefix(".").partition(".")[0]
    return stem in ("watch", "runs", "history", "parts", "digest", "changes", "track_record", "drift")
