"""Main groups at the size of an office: features and scores of 1, 4 and 28 million pairs, stage by stage.

    .venv/bin/python benchmarks/scale.py --work FOLDER [--size 1 --size 4 --size 28]

Makes the simulated corpora of ``make_corpus.py`` in FOLDER where they are not there yet (the largest, of 1,000,000
patents, takes 80 s and 0.3 GB of disk), forecasts each in a process of its own, and writes a dated table beside this
file: wall and processor seconds and peak memory by stage. Sizes not asked for keep the rows they had.
"""

import argparse
import datetime
import itertools
import json
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from forecast import machine

HERE = Path(__file__).resolve().parent
CUTOFF = "2020-12-31"
SIZES = {1: (20_000, 1500), 4: (80_000, 3000), 28: (1_000_000, 7500)}  # million pairs: patents, main groups
FLAT = ("scoring", "ranking all")  # stages whose time goes with the pairs; the others go with codes and samples
STAGES = (
    ("past origins", "candidate pairs of"), ("a sample", "features of a sample"),
    ("expected share, members out of fold", "validating"), ("members", "fitting"), ("scoring", "scoring"),
    ("ranking all", "ranking all"), ("head of the list", "features of the head"))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--size", type=int, action="append", choices=list(SIZES))
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)  # forecast one corpus and print its stages
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(given.one)))
        return
    stored = HERE / "results" / "scale.json"
    runs = json.loads(stored.read_text()) if stored.exists() else {}
    for size in given.size or list(SIZES):
        patents, groups = SIZES[size]
        corpus = given.work / f"simulated-{patents}"
        if not corpus.exists():
            python("make_corpus.py", corpus, "--patents", patents, "--groups", groups)
        said = python("scale.py", "--work", given.work, "--one", corpus)
        today = f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}"
        runs[str(size)] = json.loads(said.splitlines()[-1]) | {"day": today, "machine": machine(), "patents": patents}
        stored.write_text(json.dumps(runs, indent=1) + "\n")
        (HERE / "results" / "scale.md").write_text(table(runs))
    print(table(runs))


def python(script: str, *arguments: object) -> str:
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def measured(corpus: Path) -> dict[str, object]:
    """Forecast a corpus; seconds and peak memory by stage, each stage begun by what the forecast says."""
    from threadpoolctl import threadpool_limits

    from pipeline.corpus.store import load_corpus
    from pipeline.forecast import forecast_at
    from pipeline.run_config import RunConfig

    stages = [("load and cut", *now())]
    sampler = Sampler(lambda: stages[-1][0])

    def progress(message: str) -> None:
        print(message, file=sys.stderr, flush=True)
        begun = next((stage for stage, words in STAGES if words in message), None)
        if begun and begun != stages[-1][0]:
            stages.append((begun, *now()))

    with sampler, threadpool_limits(1):  # as every run does
        history = load_corpus(corpus).as_of(pd.Timestamp(CUTOFF).as_unit("s"))
        forecast = forecast_at(history, RunConfig.model_validate({"task": {"level": "maingroup"}}), progress)
    stages.append(("end", *now()))
    return {
        "pairs": forecast.universe.total,
        "codes": len(forecast.universe.pairs.codes),
        "links": forecast.universe.linked,
        "stages": {
            name: [after[0] - wall, after[1] - processor, after[2]]
            for (name, wall, processor, _), (_, *after) in itertools.pairwise(stages)
        },
        "members": {name: weight for name, weight in forecast.ranking.weights.items() if weight > 0},
        "warnings": list(forecast.warnings),
        "profile": sampler.profile(),
    }


def now() -> tuple[float, float, float]:
    """Wall and processor seconds, and the process's peak memory so far in GB."""
    return time.perf_counter(), time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


class Sampler(threading.Thread):
    """Notes ten times a second which function of ours each working thread is in, and by whom it is computing."""

    def __init__(self, stage: Callable[[], str]) -> None:
        super().__init__(daemon=True)
        self._stage, self._over = stage, threading.Event()
        self._seen: dict[str, Counter[str]] = {}

    def run(self) -> None:
        while not self._over.wait(0.1):
            for thread, frame in sys._current_frames().items():
                inner = f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_qualname}"
                while frame and not ("/pipeline/" in frame.f_code.co_filename and "threads.py" not in str(frame)):
                    frame = frame.f_back
                if frame and thread != self.ident and not inner.startswith("threading."):
                    place = f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_qualname}"
                    name = place if place == inner else f"{place} ({inner})"
                    self._seen.setdefault(self._stage(), Counter())[name] += 1

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def profile(self) -> dict[str, dict[str, float]]:
        """Of each stage the share of its samples by function, of those with most."""
        return {
            stage: {name: round(count / seen.total(), 3) for name, count in seen.most_common(6)}
            for stage, seen in self._seen.items()
        }


def table(runs: dict[str, dict]) -> str:
    ordered = [runs[size] for size in sorted(runs, key=int)]
    lines = ["# Main groups at scale", ""]
    lines += [
        f"- {run['pairs']:,} pairs of {run['codes']:,} main groups, {run['links']:,} links, {run['patents']:,} "
        f"simulated patents without text: {run['day']}, {run['machine']}. "
        f"Members with a weight: {', '.join(run['members'])}."
        for run in ordered
    ]
    lines += [
        "",
        "Three origins, the target and two past ones, each with its three network snapshots. Reproduce with",
        "`python benchmarks/scale.py --work FOLDER`; with other work on the machine look at processor seconds.",
        "",
        "| stage | " + " | ".join(f"{run['pairs'] / 1e6:.1f} M: wall s | CPU s | peak GB" for run in ordered) + " |",
        "|---" * (1 + 3 * len(ordered)) + "|",
    ]
    for stage in ordered[-1]["stages"]:
        cells = [f"{w:.0f} | {c:.0f} | {m:.1f}" for w, c, m in (run["stages"].get(stage, (0, 0, 0)) for run in ordered)]
        lines.append(f"| {stage} | " + " | ".join(cells) + " |")
    sums = [[sum(values[i] for values in run["stages"].values()) for i in (0, 1)] for run in ordered]
    peaks = [max(values[2] for values in run["stages"].values()) for run in ordered]
    totals = [f"{w:.0f} | {c:.0f} | {peak:.1f}" for (w, c), peak in zip(sums, peaks, strict=True)]
    lines.append("| **all** | " + " | ".join(totals) + " |")
    flat = [sum(run["stages"][stage][1] for stage in FLAT) / run["pairs"] * 1e6 for run in ordered]
    said = ", ".join(f"{each:.1f} at {run['pairs'] / 1e6:.1f} M" for each, run in zip(flat, ordered, strict=True))
    lines += ["", f"Scoring and ranking, CPU microseconds a pair: {said}.", ""]
    last = ordered[-1]
    slowest = sorted(last["stages"], key=lambda stage: -last["stages"][stage][0])[:3]
    lines += [f"Where the three slowest stages of {last['pairs'] / 1e6:.1f} M pairs spend their time:", ""]
    for stage in slowest:
        shares = last.get("profile", {}).get(stage, {})
        lines.append(f"- {stage}: " + ", ".join(f"{name} {share:.0%}" for name, share in shares.items()))
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
