"""What forecasting in blocks costs: average precision beside the exact path, on real corpora small enough for both.

    .venv/bin/python benchmarks/blocks.py

Reads the corpora from $TECHCONVERGE_REAL_DATA, or ../shared/data beside the project. Writes a dated table beside this
file. The steps from the first arm to the last: no fusion net and one training origin instead of four; ranks of features
read off a distribution, no rank_change; a sample of the negatives.
"""

import dataclasses
import datetime
import os
from pathlib import Path

import numpy as np
import pandas as pd
from forecast import machine
from sklearn.metrics import average_precision_score
from threadpoolctl import threadpool_limits

from pipeline import forecast, forecast_in_blocks
from pipeline.corpus.ingest import ingest
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.pairs.labels import converged
from pipeline.run_config import RunConfig

HERE = Path(__file__).resolve().parent
CASES = (("dpl_google", "ipc", "2011-12-31"), ("pizza_patentscope", "ipc", "2012-12-31"),
         ("uspto_random_pygrams", "cpc", "2013-12-31"))  # fmt: skip
NO_FUSION = ("logistic/none", "lightgbm/none")
SAMPLES = (200_000, 20_000, 5_000)  # the first holds all candidates of these corpora, nearly


def main() -> None:
    data = Path(os.environ.get("TECHCONVERGE_REAL_DATA", HERE.parents[1] / "shared" / "data")) / "corpora"
    lines = [
        "# Forecasting in blocks, beside the exact path",
        "",
        f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}, {machine()}. Average precision, three years ahead.",
        "",
        "| corpus, cutoff | candidates | positives | exact, as shipped | exact, one training origin, no fusion | "
        + " | ".join(f"in blocks, {size:,} drawn" for size in SAMPLES)
        + " |",
        "|---" * (5 + len(SAMPLES)) + "|",
    ]
    for name, scheme, day in CASES:
        corpus = ingest([data / f"{name}.parquet"]).corpus
        lines.append(row(name, corpus, scheme, pd.Timestamp(day).as_unit("s")))
        print(lines[-1], flush=True)
    (HERE / "results" / "blocks.md").write_text("\n".join(lines) + "\n")


def row(name: str, corpus: Corpus, scheme: str, cutoff: pd.Timestamp) -> str:
    known = corpus.as_of(years_before(cutoff, -3))
    config = RunConfig.model_validate({"task": {"scheme": scheme}})
    small = config.ensemble.model_copy(update={"members": NO_FUSION, "training_origins": 1})
    plain = config.model_copy(update={"ensemble": small})
    exact, labels = scores(known, cutoff, config)
    found = [precision(exact, labels), precision(scores(known, cutoff, plain)[0], labels)]
    for size in SAMPLES:
        forecast.BLOCK, forecast_in_blocks.SAMPLE = 0, size
        found.append(precision(scores(known, cutoff, plain)[0], labels))
        forecast.BLOCK = 500_000
    values = " | ".join(f"{value:.4f}" for value in found)
    return f"| {name}, {cutoff:%Y} | {len(labels):,} | {labels.sum():,} | {values} |"


def scores(known: Corpus, cutoff: pd.Timestamp, config: RunConfig) -> tuple[np.ndarray, np.ndarray]:
    """Scores of all candidates at the cutoff, in their order, and what became of them."""
    with threadpool_limits(1):
        made = forecast.forecast_at(known.as_of(cutoff), config, lambda message: None)
    if made.whole_list is not None:
        candidates = made.whole_list.candidates
        places = [np.concatenate(sides) for sides in zip(*candidates.blocks(), strict=True)]
        pairs = dataclasses.replace(made.universe.pairs, a=places[0], b=places[1])
        return made.whole_list.score_raw, converged(known, pairs, config.task)
    return made.ranking.score_raw, converged(known, made.universe.pairs, config.task)


def precision(score: np.ndarray, labels: np.ndarray) -> float:
    return float(average_precision_score(labels, score))


if __name__ == "__main__":
    main()
