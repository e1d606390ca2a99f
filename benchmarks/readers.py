"""How many rows a second each container is read with, and what memory that takes.

python benchmarks/readers.py ROWS FOLDER > benchmarks/results/readers.md

Writes simulated documents into FOLDER as CSV, Parquet, JSON lines and XLSX, in the plain layout and in Lens's, and
reads each in a process of its own. Seconds of the processor are told beside those of the clock: the first do not
depend on what else the machine does.
"""

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import xlsxwriter

from pipeline.corpus.readers import flat_table
from pipeline.sample.generator import generate

_MEASURE = """
import json, resource, sys, time
from pathlib import Path
from pipeline.corpus.readers import read_source
start, busy = time.perf_counter(), sum(resource.getrusage(w).ru_utime + resource.getrusage(w).ru_stime
    for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
table = read_source(Path(sys.argv[1]))
spent = sum(resource.getrusage(w).ru_utime + resource.getrusage(w).ru_stime
    for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) - busy
peak = max(resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(json.dumps([table.rows, time.perf_counter() - start, spent, peak]))
"""
_LENS = {
    "office": "Jurisdiction", "patent_id": "Display Key", "date": "Publication Date", "app_date": "Application Date",
    "title": "Title", "abstract": "Abstract", "assignees": "Applicants", "inventors": "Inventors",
    "cpc": "CPC Classifications", "ipc": "IPCR Classifications",
}  # fmt: skip


def write_files(rows: int, folder: Path) -> dict[str, Path]:
    """The same documents in every container, repeated under new numbers up to ``rows``."""
    base = flat_table(generate(7, 6000)).reset_index(drop=True)
    copies = pd.concat([base] * (rows // len(base) + 1), ignore_index=True).head(rows)
    table = copies.assign(patent_id=[f"US{10_000_000 + number}B2" for number in range(rows)], office="US")
    lens = table[list(_LENS)].rename(columns=_LENS).assign(**{"Lens ID": table["patent_id"], "Kind": "B2"})
    for name in ("Applicants", "Inventors", "CPC Classifications", "IPCR Classifications"):
        lens[name] = lens[name].str.replace(";", ";;", regex=False)
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / f"{name}.dat" for name in ("CSV", "Parquet", "JSON lines", "Lens CSV", "XLSX")}
    table.to_csv(files["CSV"], index=False)
    table.to_parquet(files["Parquet"], index=False)
    lens.to_csv(files["Lens CSV"], index=False)
    with files["JSON lines"].open("w", encoding="utf-8") as out:
        for record in table.to_dict("records"):
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
    with xlsxwriter.Workbook(files["XLSX"], {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([list(table.columns), *table.head(20_000).to_numpy().tolist()]):
            sheet.write_row(number, 0, row)
    return files


def main() -> None:
    """Write the files, read them, print the table."""
    rows, folder = int(sys.argv[1]), Path(sys.argv[2])
    print(f"Reading {rows:,} simulated documents (XLSX: at most 20,000), {datetime.date.today()}, ", end="")
    print(f"{os.cpu_count()} cores; command: `python benchmarks/readers.py {rows} FOLDER`\n")
    print("| container | rows | MB | clock, s | processor, s | rows a processor second | peak memory, MB |")
    print("|---|---|---|---|---|---|---|")
    for name, path in write_files(rows, folder).items():
        done = subprocess.run([sys.executable, "-c", _MEASURE, str(path)], capture_output=True, check=True)
        read, clock, spent, peak = json.loads(done.stdout)
        size = path.stat().st_size / 1e6
        figures = f"{size:,.0f} | {clock:.1f} | {spent:.1f} | {read / spent:,.0f} | {peak / 1024:,.0f}"
        print(f"| {name} | {read:,} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
