"""The forecast benchmark: model, baselines and recipe A on real corpora; writes a dated table beside this file.

    .venv/bin/python benchmarks/forecast.py [--corpus NAME ...] [--arm NAME ...] [--work FOLDER]

Reads the corpora from $TECHCONVERGE_REAL_DATA, or ../shared/data beside the project. One default configuration for
all corpora. Each corpus is scored with a prior ranker that the *other* development corpora taught. Arms: ``default``;
``background``, with all grants of an office from 2007 to 2010 attached; ``in_time``, whose prior ranker was taught
only by outcomes known at the corpus's first cutoff; ``reference``, the published recipe; ``strengthening``, the other
track; ``office``, that office as a corpus of its own. Without ``--arm`` all but ``in_time`` are run, which takes about
an hour on two cores. Arms named apart replace their results and leave the others as they were. The table is
``forecast_table.py``'s.
"""

import argparse
import dataclasses
import datetime
import json
import multiprocessing
import os
import platform
import re
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from forecast_table import write_table

from pipeline import __version__
from pipeline.background.summary import save_summary, summarise
from pipeline.corpus.ingest import ingest
from pipeline.corpus.store import load_corpus, load_manifest, save_corpus
from pipeline.corpus.timeline import years_before
from pipeline.evaluation.assess import assess, metrics_record
from pipeline.evaluation.metrics import evaluate
from pipeline.forecast import forecast_at
from pipeline.pairs.labels import converged
from pipeline.parts import code_hash
from pipeline.run import RunRequest, run
from pipeline.run_config import RunConfig, load_config
from pipeline.train_prior import Lesson, lesson, teach

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
DATA = Path(os.environ.get("TECHCONVERGE_REAL_DATA", HERE.parents[1] / "shared" / "data")) / "corpora"
OFFICE = "uspto_2007_2010"  # the background; also a corpus of its own, one year ahead
OFFICE_CUTOFF = datetime.date(2009, 12, 31)
ARMS = ("default", "background", "in_time", "reference", "strengthening", "office")
PUBLISHED_PREVALENCE = 0.175  # the middle of the 15-20 % of arXiv 2604.00803
METRICS = {"average_precision": None, "roc_auc": None, "precision": 100, "ks": None, "cost": 1, "ece": None}


@dataclasses.dataclass(frozen=True)
class Setting:
    """How a development corpus is measured.

    ``office``: whether the background counts codes at its level. ``alone`` and ``growth``: the cutoffs at which the
    corpus's own past is enough to learn from without a prior ranker, and to learn growth from; None for all.
    """

    cutoffs: tuple[str, ...]
    scheme: str = "ipc"
    level: str = "subclass"
    office: bool = True
    alone: tuple[str, ...] | None = None
    growth: tuple[str, ...] | None = None

    def config(self, **given: Any) -> RunConfig:
        task = {"scheme": self.scheme, "level": self.level} | given.pop("task", {})
        return load_config(None, {"task": task} | given)

    def days(self, arm: str) -> tuple[datetime.date, ...]:
        of_arm = {"reference": self.alone, "strengthening": self.growth}.get(arm)
        return tuple(map(datetime.date.fromisoformat, self.cutoffs if of_arm is None else of_arm))


CORPORA = {
    "pizza_patentscope": Setting(("2010-12-31", "2011-12-31", "2012-12-31")),
    "green_aviation_patsnap": Setting(("2017-12-31", "2018-12-31", "2019-12-31"), growth=("2018-12-31", "2019-12-31")),
    "dpl_google": Setting(("2009-12-31", "2010-12-31", "2011-12-31")),
    "uspto_random_pygrams": Setting(("2012-12-31", "2013-12-31", "2014-12-31"), scheme="cpc"),
    "nuclear_g21_patentsview": Setting(
        ("2017-09-30", "2018-09-30", "2019-09-30"),
        scheme="cpc",
        level="maingroup",
        office=False,
        alone=("2019-09-30",),
        growth=(),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", action="append", choices=CORPORA)
    parser.add_argument("--arm", action="append", choices=ARMS)
    parser.add_argument("--work", type=Path, help="keep corpora and priors here, and use those that are here already")
    arguments = parser.parse_args()
    names, arms = arguments.corpus or list(CORPORA), arguments.arm or [arm for arm in ARMS if arm != "in_time"]
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        work = arguments.work or Path(folder)
        prepare(work)
        jobs = [(name, arm) for arm in arms for name in names if arm != "office" and _applies(name, arm)]
        if {"default", "background", "in_time", "office"} & set(arms):
            train_priors(work, names, arms)
        if "office" in arms:
            jobs.insert(0, (OFFICE, "office"))
        # a process of its own for each measurement: its peak memory is its own
        with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
            found = pool.map(measure, *zip(*jobs, strict=True), [work] * len(jobs))
            for (name, arm), measured in zip(jobs, found, strict=True):
                text = json.dumps(measured, indent=1, allow_nan=False)
                (RESULTS / f"forecast-{name}-{arm}.json").write_text(text + "\n")
    write_table(RESULTS)


def _applies(name: str, arm: str) -> bool:
    setting = CORPORA[name]
    return bool(setting.days(arm)) and (setting.office or arm != "background")


def prepare(work: Path) -> None:
    """Ingest the corpora and summarise the office."""
    if (work / "background").exists():
        return
    for name in (*CORPORA, OFFICE):
        save_corpus(ingest([DATA / f"{name}.parquet"]), work / name)
    summary = summarise(load_corpus(work / OFFICE), "ipc", "subclass")
    save_summary(summary, work / "background", load_manifest(work / OFFICE)["content_hash"])


def train_priors(work: Path, names: list[str], arms: list[str]) -> None:
    """A prior ranker for each corpus by the others, one by those of their origins that its first cutoff knew."""
    wanted = [(name, False) for name in names if {"default", "background"} & set(arms)]
    wanted += [(name, True) for name in names if "in_time" in arms]
    wanted += [(OFFICE, False)] if "office" in arms else []
    wanted = [(name, in_time) for name, in_time in wanted if not _prior(work, name, in_time).exists()]
    if not wanted:
        return
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(os.cpu_count(), fork) as pool:
        LESSONS.update(zip(CORPORA, pool.map(_lesson, CORPORA, [work] * len(CORPORA)), strict=True))
    with ProcessPoolExecutor(os.cpu_count(), fork) as pool:  # forked: the lessons are there already
        list(pool.map(_teach, *zip(*wanted, strict=True), [work] * len(wanted)))
    LESSONS.clear()


LESSONS: dict[str, Lesson] = {}


def _lesson(name: str, work: Path) -> Lesson:
    background = work / "background" if CORPORA[name].office else None
    return lesson(work / name, background, CORPORA[name].config(), lambda said: _say(name, "lesson", said))


def _teach(name: str, in_time: bool, work: Path) -> None:
    others = {other: taught for other, taught in LESSONS.items() if other != name}
    if in_time:
        others = {other: _known_by(taught, min(CORPORA[name].cutoffs)) for other, taught in others.items()}
        others = {other: taught for other, taught in others.items() if taught.origins}
    _say(name, "prior", f"taught by {', '.join(others)}")
    ranker = teach(others, work / "background", load_config(None, {}), lambda said: None)
    ranker.save(_prior(work, name, in_time))


def _known_by(taught: Lesson, day: str) -> Lesson:
    """The lesson with only those origins whose window was over on a day."""
    kept = [years_before(o.cutoff, -3) <= pd.Timestamp(day) for o in taught.origins]
    origins = [origin for origin, keep in zip(taught.origins, kept, strict=True) if keep]
    expected = [value for value, keep in zip(taught.expected, kept, strict=True) if keep]
    card = taught.card | {"cutoffs": [f"{origin.cutoff:%Y-%m-%d}" for origin in origins]}
    return Lesson(origins=origins, expected=expected, card=card)


def _prior(work: Path, name: str, in_time: bool) -> Path:
    return work / f"prior-{name}{'-in_time' if in_time else ''}.json"


def measure(name: str, arm: str, work: Path) -> dict[str, Any]:
    """Backtest one corpus and keep the rows of the table, with time, memory, versions and hashes."""
    if arm == "office":
        return measure_office(work)
    given: dict[str, Any] = {
        "default": {"prior_ranker": str(_prior(work, name, False))},
        "background": {"prior_ranker": str(_prior(work, name, False))},
        "in_time": {"prior_ranker": str(_prior(work, name, True))},
        "reference": {"recipe": "reference"},
        "strengthening": {"task": {"track": "strengthening"}},
    }[arm]
    request = RunRequest(
        command="backtest",
        corpus=work / name,
        cutoffs=CORPORA[name].days(arm),
        firm=None,
        config=CORPORA[name].config(**given),
        background=work / "background" if arm == "background" else None,
    )
    start = time.perf_counter()
    out = work / f"run-{name}-{arm}"
    run(request, out, lambda said: _say(name, arm, said))
    seconds = time.perf_counter() - start
    record, metrics = (json.loads((out / file).read_text()) for file in ("run.json", "metrics.json"))
    predictions = pd.read_parquet(out / "predictions.parquet")
    return _result(name, arm, request.config, metrics, seconds, work) | {
        "timings": record["timings"],
        "warnings": record["warnings"],
        "member_weights": record["member_weights"],
        "explanation_check": record["explanation_check"],
        "at_published_prevalence": at_published_prevalence(predictions, request.config.seed),
    }


def measure_office(work: Path) -> dict[str, Any]:
    """All grants of an office: what 2007 to 2009 tells of the new links of 2010, of which ten months are known."""
    config = load_config(None, {"task": {"horizon": 1}, "prior_ranker": str(_prior(work, OFFICE, False))})
    corpus = load_corpus(work / OFFICE)
    corpus = dataclasses.replace(corpus, cutoff=pd.Timestamp("2010-12-31").as_unit("s"))
    start = time.perf_counter()
    history = corpus.as_of(pd.Timestamp(OFFICE_CUTOFF).as_unit("s"))
    made = forecast_at(history, config, lambda said: _say(OFFICE, "office", said))
    labels = converged(corpus, made.universe.pairs, config.task)
    predictions = made.predictions.assign(label=pd.array(labels, dtype="Int8"))
    metrics = metrics_record([assess(predictions, None, config.bootstrap_repeats, config.seed)], {})
    seconds = time.perf_counter() - start
    return _result(OFFICE, "office", config, metrics, seconds, work) | {
        "timings": made.timings,
        "warnings": list(made.warnings),
        "member_weights": made.ranking.weights,
        "validation": made.ranking.details,
    }


def _result(
    name: str, arm: str, config: RunConfig, metrics: dict[str, Any], seconds: float, work: Path
) -> dict[str, Any]:
    versions = {package: version(package) for package in ("numpy", "pandas", "scikit-learn", "lightgbm", "torch")}
    return {
        "corpus": name,
        "arm": arm,
        "date": f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}",
        "machine": machine(),
        "techconverge": __version__,
        "code_hash": code_hash(),
        "content_hash": load_manifest(work / name)["content_hash"],
        "seed": config.seed,
        "versions": {"python": platform.python_version(), **versions},
        "wall_seconds": round(seconds, 1),
        "peak_memory_gb": round(peak_memory(), 2),
        "origins": metrics["origins"],
        "metrics": [row for row in metrics["metrics"] if METRICS.get(row["metric"], -1) == row["k"]],
    }


def peak_memory() -> float:
    """GB that this process held at most. (``ru_maxrss`` would count what its parent held when it was begun.)"""
    [held] = re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(held) / 2**20


def at_published_prevalence(predictions: pd.DataFrame, seed: int) -> list[dict[str, Any]]:
    """KS, AUC-PR and cost with negatives drawn at random until PUBLISHED_PREVALENCE of the pairs are positive.

    Mean over 20 draws, a row a cutoff. The published corpus is another one: this makes the base rate alike, no more.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for cutoff, table in predictions.groupby("cutoff"):
        labels, scores = table["label"].to_numpy(dtype=float), table["score_raw"].to_numpy()
        positives, negatives = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
        size = min(len(negatives), round(len(positives) * (1 / PUBLISHED_PREVALENCE - 1)))
        draws = [np.concatenate([positives, rng.choice(negatives, size, replace=False)]) for _ in range(20)]
        found = pd.concat([evaluate(labels[draw], scores[draw]) for draw in draws])
        mean = found[found["k"].isna() | (found["k"] == 1)].groupby("metric")["value"].mean()
        wanted = {name: round(float(mean[name]), 4) for name in ("ks", "average_precision", "cost")}
        rows.append({"cutoff": f"{cutoff:%Y-%m-%d}", "prevalence": len(positives) / (len(positives) + size)} | wanted)
    return rows


def machine() -> str:
    """The processor and the number of cores, as the table states them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"{model}, {os.cpu_count()} cores, {platform.system()}"


def _say(name: str, arm: str, message: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {name} {arm}: {message}", flush=True)


if __name__ == "__main__":
    main()
