"""How big, how fast: every stage at growing sizes, in one dated table with curves.

    make benchmark            or  .venv/bin/python benchmarks/benchmark.py [--work FOLDER] [--part NAME ...]

Each row is a process of its own: wall and processor seconds (of its children too) and peak memory, start-up included;
the rows of ``main groups`` are the stages inside one process (``scale.py``). ``ingest``, ``forecast`` and ``encode``
read real corpora from $TECHCONVERGE_REAL_DATA, or ../shared/data beside the project, and are left out without. Takes
about an hour and 10 GB of disk in FOLDER (build/benchmark unless told). Parts not asked for keep the rows they had.
"""

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
from curves import Curve, drawing
from forecast import machine

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("TECHCONVERGE_REAL_DATA", HERE.parents[1] / "shared" / "data")) / "corpora"
OFFICE = "uspto_2007_2010"
ROWS = (100_000, 300_000, 670_227)  # of OFFICE
TEXTS = (250, 500, 1000)
CHUNKS = (10_000, 100_000, 1_000_000)


class Row(NamedTuple):
    """One measurement: of a stage at a size (in units), wall and processor seconds and peak memory in GB."""

    stage: str
    size: int
    unit: str
    wall: float
    processor: float
    peak: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=HERE.parent / "build" / "benchmark")
    parser.add_argument("--part", action="append", choices=list(PARTS))
    parser.add_argument("--encode", type=int, help=argparse.SUPPRESS)  # encode so many abstracts: a row's own process
    given = parser.parse_args()
    if given.encode:
        encode(given.encode)
        return
    given.work.mkdir(parents=True, exist_ok=True)
    stored = HERE / "results" / "benchmark.json"
    told = json.loads(stored.read_text()) if stored.exists() else {}
    for name in given.part or list(PARTS):
        rows = [row._asdict() for row in PARTS[name](given.work)]
        if rows:
            day = f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}"
            told[name] = {"day": day, "machine": machine(), "load": os.getloadavg()[2], "rows": rows}
        stored.write_text(json.dumps(told, indent=1) + "\n")
        (HERE / "results" / "benchmark.md").write_text(table(told))
        for part in told:
            (HERE / "results" / f"benchmark-{part.replace(' ', '-')}.svg").write_text(curves(told[part]["rows"]))
    print(table(told))


def spent(stage: str, size: int, unit: str, *command: object) -> Row:
    """Run a script of this folder, or a module, and tell what that took."""
    clock = time.perf_counter()
    process = subprocess.Popen([sys.executable, *map(str, command)], stdout=subprocess.DEVNULL, cwd=HERE.parent)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)  # it has been waited for here
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}")
    wall = time.perf_counter() - clock
    row = Row(stage, size, unit, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20)
    print(row, flush=True)
    return row


def ingests(work: Path) -> Iterator[Row]:
    """Ingest parts of an office's grants."""
    for rows, source in _parts_of_office(work):
        out = work / f"office-{rows}"
        shutil.rmtree(out, ignore_errors=True)
        yield spent("ingest", rows, "rows", "-m", "pipeline", "ingest", source, "--out", out)


def forecasts(work: Path) -> Iterator[Row]:
    """Forecast subclasses from what ``ingests`` made."""
    for rows, _ in _parts_of_office(work):
        corpus, out = work / f"office-{rows}", work / f"forecast-{rows}"
        options = ("--cutoff", "2009-12-31", "--horizon", "1", "--out", out, "--force")
        yield spent("forecast of subclasses", rows, "rows", "-m", "pipeline", "forecast", corpus, *options)


def _parts_of_office(work: Path) -> Iterator[tuple[int, Path]]:
    if not (DATA / f"{OFFICE}.parquet").exists():
        return
    whole = None
    for rows in ROWS:
        part = work / f"{OFFICE}-{rows}.parquet"
        if not part.exists():
            whole = pq.read_table(DATA / f"{OFFICE}.parquet") if whole is None else whole
            step = max(whole.num_rows // rows, 1)  # every so many rows, so that all years are there
            pq.write_table(whole.take(list(range(0, whole.num_rows, step))[:rows]), part)
        yield rows, part


def main_groups(work: Path) -> Iterator[Row]:
    """The stages of ``scale.py``."""
    subprocess.run([sys.executable, HERE / "scale.py", "--work", work], check=True, stdout=subprocess.DEVNULL)
    for run in json.loads((HERE / "results" / "scale.json").read_text()).values():
        for stage, used in run["stages"].items():
            yield Row(stage, run["pairs"], "pairs", *used)
        wall, processor = (sum(used[i] for used in run["stages"].values()) for i in (0, 1))
        yield Row("all", run["pairs"], "pairs", wall, processor, max(used[2] for used in run["stages"].values()))


def encodes(work: Path) -> Iterator[Row]:
    """Encode abstracts that are not in any cache."""
    if (DATA / "dpl_google.parquet").exists():
        for texts in TEXTS:
            yield spent("encode", texts, "abstracts", HERE / "benchmark.py", "--encode", texts)


def encode(count: int) -> None:
    """Encode so many real abstracts."""
    from pipeline.config import EncoderConfig
    from pipeline.encoders.sentence import load_sentence_encoder

    texts = [text for text in pq.read_table(DATA / "dpl_google.parquet")["abstract"].to_pylist() if text][:count]
    assert len(load_sentence_encoder(EncoderConfig(), None).encode(texts)) == count


def knowledge(work: Path) -> Iterator[Row]:
    """Add chunks with given vectors to a knowledge base, and ask it (``knowledge.py``)."""
    for chunks in CHUNKS:
        folder = work / f"knowledge-{chunks}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for part, stage in (("add", "add chunks, vectors given"), ("exact", "open, and ask a few hundred questions")):
            yield spent(stage, chunks, "chunks", HERE / "knowledge.py", part, folder, chunks)


PARTS: dict[str, Callable[[Path], Iterator[Row]]] = {
    "ingest": ingests,
    "forecast": forecasts,
    "main groups": main_groups,
    "encode": encodes,
    "knowledge": knowledge,
}


def table(told: dict[str, dict]) -> str:
    lines = ["# How big, how fast", "", "`make benchmark`; what each part is, `benchmarks/benchmark.py` says.", ""]
    for name, part in told.items():
        lines += [
            f"## {name.capitalize()}",
            f"{part['day']}, {part['machine']}; load {part['load']:.1f} over the last quarter of an hour.",
            "",
            "| stage | size | wall s | CPU s | peak GB | wall a million |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {row.stage} | {row.size:,} {row.unit} | {row.wall:.1f} | {row.processor:.1f} | {row.peak:.1f} | "
            f"{row.wall / row.size * 1e6:.3g} s |"
            for row in sorted((Row(**each) for each in part["rows"]), key=lambda row: row.size)
        ]
        lines += ["", f"![{name}: seconds by size](benchmark-{name.replace(' ', '-')}.svg)", ""]
    return "\n".join(lines)


def curves(rows: list[dict]) -> str:
    """Wall seconds of each stage by size."""
    points: dict[str, Curve] = {}
    for row in sorted((Row(**each) for each in rows), key=lambda row: row.size):
        points.setdefault(row.stage, []).append((row.size, max(row.wall, 0.01)))
    return drawing(points, f"size, {rows[0]['unit']}", "wall seconds")


if __name__ == "__main__":
    main()
