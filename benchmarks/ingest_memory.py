"""What memory a corpus takes to make, by its patents: synthetic PatentsView tables, ingested in a process of their own.

    python benchmarks/ingest_memory.py 100000 200000 [--folder FOLDER]

Writes ``results/ingest-memory.md``. Each set has all tables of ``make_patentsview.py``: titles, abstracts, IPC and CPC,
parties, and thirty references a patent; a million patents are 5 GB of text.
"""

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from forecast import machine

HERE = Path(__file__).resolve().parent
_MEASURE = """
import json, resource, sys, time
from pathlib import Path
from pipeline.corpus.grow import create
from pipeline.corpus.ingest import Cleaning
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
start = time.perf_counter()
account = create([Path(sys.argv[1])], Path(sys.argv[2]), Cleaning(), lambda message: None)["account"]
print(json.dumps([account["kept"], peak(), time.perf_counter() - start, time.process_time()]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patents", type=int, nargs="+")
    parser.add_argument("--folder", type=Path, help="where sets of PATENTS stand or are made [a temporary one]")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        rows = [measured(patents, folder, Path(temporary) / f"corpus{patents}") for patents in given.patents]
    lines = [
        "# Memory of `ingest`",
        "",
        f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}, {machine()}. Reproduce with "
        f"`python benchmarks/ingest_memory.py {' '.join(map(str, given.patents))}`.",
        "",
        "| patents | text | peak memory | seconds by the clock | processor seconds |",
        "|---|---|---|---|---|",
        *(f"| {kept:,} | {size:.1f} GB | {peak:.1f} GB | {clock:.0f} | {spent:.0f} |"
          for kept, size, peak, clock, spent in rows),
    ]  # fmt: skip
    if len(rows) > 1:
        slope = (rows[-1][2] - rows[0][2]) / (rows[-1][0] - rows[0][0])
        lines += [
            "",
            f"Each further patent takes {slope * 2**20:.1f} KB: {slope * 1e6:.0f} GB a million of such patents.",
        ]
    (HERE / "results" / "ingest-memory.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def measured(patents: int, folder: Path, out: Path) -> tuple[int, float, float, float, float]:
    """Patents kept, GB of text, GB at the peak, seconds by the clock and of the processor."""
    tables = folder / str(patents)
    if not tables.exists():
        command = [sys.executable, str(HERE / "make_patentsview.py"), str(tables), "--patents", str(patents)]
        subprocess.run(command, check=True, capture_output=True)
    done = subprocess.run([sys.executable, "-c", _MEASURE, str(tables), str(out)], check=True, capture_output=True)
    kept, peak, clock, spent = json.loads(done.stdout)
    return kept, sum(path.stat().st_size for path in tables.iterdir()) / 1e9, peak, clock, spent


if __name__ == "__main__":
    main()
