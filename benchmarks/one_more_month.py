"""What a whole office costs from rows to a ranked list, and what one more month of its patents costs then.

    .venv/bin/python benchmarks/one_more_month.py --work FOLDER

Reads ``uspto_2007_2010`` from $TECHCONVERGE_REAL_DATA, or ../shared/data beside the project. Splits it at its last
month, and runs the commands a user would: ingest and forecast at the month before; then ingest --append and forecast at
the last month, with what the first forecast kept. Then the last forecast again with nothing kept: it must be the same.
Writes a dated table beside this file. With other work on the machine look at processor seconds.
"""

import argparse
import datetime
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
from forecast import machine

HERE = Path(__file__).resolve().parent
Spent = tuple[float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for the corpus, the runs and what is kept")
    work = parser.parse_args().work
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    data = Path(os.environ.get("TECHCONVERGE_REAL_DATA", HERE.parents[1] / "shared" / "data")) / "corpora"
    before, after, sizes = split(data / "uspto_2007_2010.parquet", work)
    corpus = str(work / "corpus")
    spent = {
        "ingest": timed(work, "ingest", str(work / "before.parquet"), "--out", corpus),
        "forecast": timed(work, "forecast", corpus, "--cutoff", before, "--out", str(work / "first")),
        "ingest --append": timed(work, "ingest", str(work / "month.parquet"), "--append", "--out", corpus),
        "forecast, one month on": timed(work, "forecast", corpus, "--cutoff", after, "--out", str(work / "next")),
    }
    shutil.rmtree(work / "cache")
    spent["that forecast, nothing kept"] = timed(
        work, "forecast", corpus, "--cutoff", after, "--out", str(work / "fresh")
    )
    same = (work / "next" / "predictions.parquet").read_bytes() == (work / "fresh" / "predictions.parquet").read_bytes()
    (HERE / "results" / "one_more_month.md").write_text(told(spent, sizes, (before, after), same))


def split(path: Path, work: Path) -> tuple[str, str, tuple[int, int]]:
    """The rows before the last month and those of it, as two files; both last days, and how many rows each."""
    rows = pd.read_parquet(path)
    month = rows["date"].str[:7]
    last = month == month.max()
    rows[~last].to_parquet(work / "before.parquet")
    rows[last].to_parquet(work / "month.parquet")
    end = pd.Timestamp(f"{month.max()}-01") + pd.offsets.MonthEnd(0)
    return f"{end + pd.offsets.MonthEnd(-1):%Y-%m-%d}", f"{end:%Y-%m-%d}", (int((~last).sum()), int(last.sum()))


def timed(work: Path, *command: str) -> Spent:
    """Seconds of the clock and of the processor that a command of techconverge takes."""
    start, busy = time.perf_counter(), processor()
    environment = os.environ | {"TECHCONVERGE_CACHE": str(work / "cache"), "PYTHONWARNINGS": "ignore"}
    subprocess.run([sys.executable, "-m", "pipeline", *command], check=True, env=environment)
    return time.perf_counter() - start, processor() - busy


def processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def told(spent: dict[str, Spent], sizes: tuple[int, int], cutoffs: tuple[str, str], same: bool) -> str:
    steps = list(spent.items())
    sums = [tuple(sum(seconds[n] for _, seconds in part) for n in range(2)) for part in (steps[:2], steps[2:4])]
    lines = [
        "# A whole office, and one more month of it",
        "",
        f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}, {machine()}. uspto_2007_2010, {sizes[0]:,} patents up to "
        f"{cutoffs[0]}, then {sizes[1]:,} more up to {cutoffs[1]}; subclasses, three years ahead, no text. Reproduce "
        "with `python benchmarks/one_more_month.py --work FOLDER`.",
        "",
        "| step | wall s | CPU s |",
        "|---|---|---|",
        *(f"| {name} | {wall:.0f} | {cpu:.0f} |" for name, (wall, cpu) in steps),
        f"| **to a ranked list** | {sums[0][0]:.0f} | {sums[0][1]:.0f} |",
        f"| **one more month** | {sums[1][0]:.0f} | {sums[1][1]:.0f} |",
        "",
        f"One more month costs {sums[1][1] / sums[0][1]:.0%} of the processor time. With nothing kept its predictions "
        f"are {'the same to the last byte' if same else '**other ones**'}.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
