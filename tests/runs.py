"""Whole runs on small corpora, as light as they can be while every stage still takes part."""

import datetime
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from pipeline.corpus.ingest import ingest_tables
from pipeline.corpus.readers import SourceTable
from pipeline.corpus.store import save_corpus
from pipeline.run import run
from pipeline.run_config import load_config
from pipeline.run_request import RunRequest

LIGHT: dict[str, Any] = {
    "encoder": {"model": "hashing"},
    "bootstrap_repeats": 20,
    "ensemble": {"members": ["logistic/none", "lightgbm/none"], "training_origins": 2},
}
FEW_BLOCKS: dict[str, Any] = {"blocks": ["bibliometric", "network", "text"]}  # where features are not the point
FIRM = "Sample Thermal Systems SA (simulated)"


def stored(rows: SourceTable, folder: Path, without: Iterable[str] = ()) -> Path:
    """Ingest rows into a corpus folder, some of their columns emptied: a source that never had them."""
    frame = rows.frame.assign(**dict.fromkeys(without, ""))
    save_corpus(ingest_tables([SourceTable(frame=frame, format=rows.format, name=rows.name)]), folder, simulated=True)
    return folder


def asked(
    command: Literal["forecast", "backtest"], corpus: Path, *cutoffs: str, firm: str | None = None, **settings: Any
) -> RunRequest:
    """A request of a light run."""
    days = tuple(datetime.date.fromisoformat(cutoff) for cutoff in cutoffs)
    return RunRequest(
        command=command, corpus=corpus, cutoffs=days, firm=firm, config=load_config(None, LIGHT | settings)
    )


def silent_run(request: RunRequest, out: Path) -> Path:
    """Run it; the run folder."""
    return run(request, out, lambda message: None).parent


def predictions(folder: Path) -> pd.DataFrame:
    """The ranked candidates of a run."""
    return pd.read_parquet(folder / "predictions.parquet")
