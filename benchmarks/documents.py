"""The readers' benchmark: USPTO XML in documents a second, bulk tables in rows a second, and memory.

    .venv/bin/python benchmarks/documents.py [--tables FOLDER] [--documents 6000]

The weekly file is made of the genuine samples in $TECHCONVERGE_REAL_DATA (or ../shared/data), over and over, zipped;
FOLDER is what benchmarks/make_patentsview.py wrote. Seconds are told twice, by the clock and of processor time over
all processes: on a machine that others use too, only the second can be compared. Writes a dated table beside this file.
"""

import argparse
import datetime
import os
import resource
import tempfile
import time
import zipfile
from pathlib import Path

from forecast import machine

from pipeline.corpus.readers import bulk
from pipeline.corpus.readers.documents import DOCUMENT_FORMATS, reading

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--documents", type=int, default=6000)
    arguments = parser.parse_args()
    lines = [
        "# Readers of documents and bulk tables",
        "",
        f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}, {machine()}, load {os.getloadavg()[0]:.0f} when measured. "
        "Reproduce with `benchmarks/make_patentsview.py` and `benchmarks/documents.py`.",
        "",
        "| source | read | seconds by the clock | processor seconds | a processor second | peak memory of a process |",
        "|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for packed in (False, True):
            path = weekly_file(Path(folder), arguments.documents, packed)
            name = f"USPTO XML v4, {'zipped, ' if packed else ''}{size(path)}"
            lines.append(measured(name, "documents", lambda path=path: documents(path)))
    if arguments.tables:
        lines.append(measured(f"PatentsView tables, {size(arguments.tables)}", "rows", lambda: rows(arguments.tables)))
    (HERE / "results" / "documents.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def weekly_file(folder: Path, count: int, packed: bool) -> Path:
    data = Path(os.environ.get("TECHCONVERGE_REAL_DATA", HERE.parents[1] / "shared" / "data")) / "formats" / "uspto"
    samples = [
        path.read_bytes() for name in ("xml20*", "grant*", "xmlApp*") for path in sorted(data.glob(f"{name}.xml"))
    ]
    path = folder / "ipg.xml"
    with path.open("wb") as handle:
        for number in range(count):
            handle.write(samples[number % len(samples)])
    if packed:
        with zipfile.ZipFile(folder / "ipg.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
            archive.write(path, path.name)
        return folder / "ipg.zip"
    return path


def documents(path: Path) -> int:
    known = reading.recognised(path, DOCUMENT_FORMATS)
    assert known is not None
    return sum(shard.rows.num_rows for shard in reading.shards(path, known))


def rows(folder: Path) -> int:
    """Lines of all tables, which is what is read; the shards are let go one by one, as a writer would."""
    for _ in bulk.shards(folder, []):
        pass
    return sum(sum(block.count(b"\n") for block in blocks(path)) for path in folder.glob("*.tsv"))


def blocks(path: Path):
    with path.open("rb") as handle:
        while block := handle.read(1 << 24):
            yield block


def measured(name: str, unit: str, work) -> str:
    clock, before = time.perf_counter(), processor()
    count = work()
    wall, used = time.perf_counter() - clock, processor() - before
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 2**20
    return f"| {name} | {count:,} {unit} | {wall:.1f} | {used:.1f} | {count / used:,.0f} | {peak:.2f} GB |"


def processor() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def size(path: Path) -> str:
    total = sum(file.stat().st_size for file in path.iterdir()) if path.is_dir() else path.stat().st_size
    return f"{total / 1e9:.2f} GB"


if __name__ == "__main__":
    main()
