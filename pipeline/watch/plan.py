"""What a watch is asked, and the forecast that is therefore due: of the last whole month, where it is a new one."""

import dataclasses
import datetime
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict, field_validator

from pipeline.artifacts import read_json
from pipeline.corpus.store import load_manifest
from pipeline.errors import CutoffError
from pipeline.run_config import RunConfig
from pipeline.run_request import RunRequest
from pipeline.watch.folder import WatchRecord, read_watch, run_folder

QUIET = 7  # days at the end of a month without a patent after which the month is not whole: offices publish weekly


class WatchRequest(BaseModel):
    """A watch as it is asked for. ``cutoff``: by default the corpus's last complete day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    corpus: Path
    firm: str | None
    config: RunConfig
    cutoff: datetime.date | None = None

    @field_validator("corpus")
    @classmethod
    def _from_anywhere(cls, path: Path) -> Path:
        return path.absolute()


@dataclasses.dataclass(frozen=True)
class Plan:
    """The forecast that is due. ``run``: its folder; ``made``: whether it stands there already, of the same request.

    ``before``: the run that it is compared with; None the first time.
    """

    request: RunRequest
    run: Path
    made: bool
    before: Path | None
    record: WatchRecord
    content_hash: str

    @property
    def cutoff(self) -> pd.Timestamp:
        return pd.Timestamp(self.request.cutoffs[0]).as_unit("s")


def plan_watch(request: WatchRequest, out: Path) -> Plan | str:
    """Say which forecast is due in the folder of a watch, or why none is.

    Raises:
        CorpusError, ArtifactError: the corpus or the folder cannot be read.
        CutoffError: a cutoff before the last run's.
    """
    record, manifest = read_watch(out), load_manifest(request.corpus)
    last_patent = datetime.date.fromisoformat(manifest["last_knowledge_date"])
    cutoff = request.cutoff or last_complete_day(last_patent)
    last = datetime.date.fromisoformat(record.runs[-1]) if record.runs else None
    if last and request.cutoff and cutoff < last:
        raise CutoffError(f"cutoff {cutoff} lies before {last}, the last run in {out}: a watch goes forward only")
    if last and cutoff <= last:
        same = manifest["content_hash"] == record.content_hash
        grown = (
            "the corpus is unchanged"
            if same
            else f"the corpus has changed, but no later month of it is whole yet (its last patent is of {last_patent})"
        )
        return f"nothing new: the last run is of {last}, and {grown}"
    asked = RunRequest(
        command="forecast", corpus=request.corpus, cutoffs=(cutoff,), firm=request.firm, config=request.config
    )
    run = run_folder(out, f"{cutoff}")
    before = run_folder(out, record.runs[-1]) if record.runs else None
    return Plan(asked, run, _stands(run, asked, manifest["content_hash"]), before, record, manifest["content_hash"])


def last_complete_day(last_patent: datetime.date) -> datetime.date:
    """The end of the last month that is whole: the last patent's own where it lies within QUIET days of its end.

    >>> last_complete_day(datetime.date(2012, 6, 26)), last_complete_day(datetime.date(2012, 6, 14))
    (datetime.date(2012, 6, 30), datetime.date(2012, 5, 31))
    """
    end = (pd.Timestamp(last_patent) + pd.offsets.MonthEnd(0)).date()
    return end if (end - last_patent).days < QUIET else last_patent.replace(day=1) - datetime.timedelta(days=1)


def _stands(run: Path, asked: RunRequest, content_hash: str) -> bool:
    """Whether a watch that was stopped has made the run already."""
    if not (run / "run.json").exists():
        return False
    record = read_json(run / "run.json")
    try:
        was = RunRequest.model_validate(record["request"])
        same = was == asked and record["corpus"]["content_hash"] == content_hash
    except (KeyError, TypeError, ValueError):
        same = False
    return same
