"""A stored corpus, whole or as it was on a day."""

import dataclasses
import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.api.html import card
from pipeline.config import Level, Scheme, TaskConfig
from pipeline.corpus.families import Families
from pipeline.corpus.grow import create
from pipeline.corpus.ingest import Cleaning
from pipeline.corpus.store import coverage, load_corpus, load_manifest, save_corpus
from pipeline.corpus.timeline import Corpus as Tables
from pipeline.corpus.titles import titles
from pipeline.errors import ConfigError
from pipeline.pairs.base import CandidatePairs
from pipeline.pairs.candidates import candidate_pairs
from pipeline.sample.corpus import simulated_corpus

Day = str | datetime.date | pd.Timestamp


@dataclasses.dataclass(frozen=True, repr=False)
class Corpus:
    """A corpus folder and its tables in memory.

    ``history`` is what every stage of the library, and a feature block of your own, receives: it knows nothing after
    ``cutoff``. ``as_of`` gives the same corpus as it was on an earlier day.
    """

    path: Path
    manifest: dict[str, Any]
    history: Tables

    @classmethod
    def open(cls, path: str | Path) -> "Corpus":
        """Read a corpus folder; raises as ``pipeline.corpus.store.load_corpus`` does."""
        folder = Path(path)
        return cls(folder, load_manifest(folder), load_corpus(folder))

    @classmethod
    def ingest(cls, files: Sequence[str | Path], out: str | Path, families: Families = "merge") -> "Corpus":
        """Read tables of patents into the folder ``out``, as ``techconverge ingest`` does, and open it."""
        create([Path(file) for file in files], Path(out), Cleaning(families), lambda message: None)
        return cls.open(out)

    @classmethod
    def sample(cls, out: str | Path, seed: int = 7, patents: int = 6000) -> "Corpus":
        """Make the simulated corpus of the demo in the folder ``out`` and open it: no real patent is in it."""
        save_corpus(simulated_corpus(seed, patents), Path(out), simulated=True)
        return cls.open(out)

    @property
    def cutoff(self) -> datetime.date:
        """The last day this corpus knows of."""
        return self.history.cutoff.date()

    @property
    def patents(self) -> pd.DataFrame:
        """One row an invention, sorted by the day it became known."""
        return self.history.patents

    def as_of(self, day: Day) -> "Corpus":
        """What was known on ``day`` (inclusive) and nothing else; raises CutoffError when that is not known here."""
        return dataclasses.replace(self, history=self.history.as_of(timestamp(day)))

    def describe(self) -> pd.DataFrame:
        """What is in it: a row a fact, with columns fact and value."""
        tables = self.history
        parties = tables.parties.groupby("role")["party_id"].nunique()
        dates = tables.patents["knowledge_date"]
        facts: dict[str, Any] = {
            "patents": len(tables.patents),
            "first day": f"{dates.min():%Y-%m-%d}",
            "last day": f"{dates.max():%Y-%m-%d}",
            "known up to": f"{tables.cutoff:%Y-%m-%d}",
            "assignees": int(parties.get("assignee", 0)),
            "inventors": int(parties.get("inventor", 0)),
            "citations": len(tables.citations),
            "simulated": bool(self.manifest["simulated"]),
        }
        facts |= {f"with {name.replace('_', ' ')}": f"{share:.0%}" for name, share in coverage(tables).items()}
        return pd.DataFrame({"fact": list(facts), "value": list(facts.values())})

    def by_year(self) -> pd.Series:
        """Patents by the year they became known."""
        years = self.history.patents["knowledge_date"].dt.year
        return years.value_counts().sort_index().rename("patents").rename_axis("year")

    def codes(self, level: Level = "subclass", scheme: Scheme = "ipc") -> pd.DataFrame:
        """The codes in force at a level: code, title, patents; most patents first."""
        incidence = self.history.incidence(scheme, level)
        table = pd.DataFrame({"code": incidence.codes.astype(str), "title": titles(incidence.codes)})
        table = table.assign(patents=incidence.counts().astype(np.int64))
        return table.sort_values(["patents", "code"], ascending=[False, True], ignore_index=True)

    def firms(self) -> pd.DataFrame:
        """The assignees: name (as first written), party_id, patents; most patents first."""
        assignees = self.history.parties[self.history.parties["role"] == "assignee"]
        table = assignees.groupby("party_id", sort=False).agg(name=("name", "first"), patents=("patent_id", "nunique"))
        table = table.reset_index()[["name", "party_id", "patents"]]
        return table.sort_values(["patents", "party_id"], ascending=[False, True], ignore_index=True)

    def candidates(self, **task: Any) -> CandidatePairs:
        """The pairs that a forecast from here would rank; ``task``: level, min_patents and the like."""
        return candidate_pairs(self.history, TaskConfig(**task)).pairs

    def __repr__(self) -> str:
        return f"Corpus({str(self.path)!r}, {len(self.history.patents):,} patents up to {self.cutoff})"

    def _repr_html_(self) -> str:
        simulated = "; simulated, no real patent is in it" if self.manifest["simulated"] else ""
        facts = dict(self.describe().itertuples(index=False, name=None))
        return card(f"Corpus {self.path.name}{simulated}", facts)


def timestamp(day: Day) -> pd.Timestamp:
    """A day as the library keeps it; raises ConfigError for what is no day."""
    try:
        return pd.Timestamp(day).normalize().as_unit("s")
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{day!r} is not a day: write it YYYY-MM-DD") from error
