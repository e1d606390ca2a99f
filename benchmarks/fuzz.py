"""Feed every reader a great many damaged inputs: none may crash it, hang it, or make it lose a row.

python benchmarks/fuzz.py [--cases 1000000] [--seed N] [--first N] [--out FILE.md]     (or: make fuzz)

A case is one damaged input, made from the seed and its number alone. Of a thousand, 630 are documents (cut from a
stream and parsed in memory, as the readers of documents do file by file), 350 are rows of a layout (text columns as a
container gives them), 18 are whole files (any layout or document, packed or not, under a name that tells nothing) and
2 are folders of bulk tables. Whatever a thousand gave is then ingested as one table, whose account must add up.

What counts as a fault: any error but the one-line refusal, a row that is neither in the table nor among the faults or
is in both, more than SECONDS of the processor for one case, a process that dies or stands still. The cases run in
one process; another watches it, notes where it fell, and starts the next behind that case. Ctrl-C ends it with the
results of the thousands that are done.
"""

import argparse
import collections
import dataclasses
import datetime
import io
import json
import mmap
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

import pandas as pd  # noqa: E402
from corpus.readers import documents, samples, test_bulk  # noqa: E402
from damage import damaged, damaged_text, packed  # noqa: E402

from pipeline.corpus.ingest import ingest_tables  # noqa: E402
from pipeline.corpus.readers import FLAT, LAYOUTS, SourceTable, flat_table, read_source  # noqa: E402
from pipeline.corpus.readers.base import Layout  # noqa: E402
from pipeline.corpus.readers.documents import DOCUMENT_FORMATS  # noqa: E402
from pipeline.corpus.readers.documents.base import PEEKED, UnreadableError  # noqa: E402
from pipeline.corpus.readers.mapping import Mapping, mapped_layout  # noqa: E402
from pipeline.corpus.readers.shards import gathered, shard  # noqa: E402
from pipeline.errors import CorpusError  # noqa: E402

RESULTS = HERE / "results" / "fuzz.md"
BLOCK = 1000
KINDS = {"document": 630, "row": 350, "file": 18, "folder": 2}  # of a block
SECONDS = 2.0  # of the processor, for one case
STILL = 120.0  # seconds of the clock after which a process is held to be hanging
MARKUP = {name: text.encode() for name, text in documents.ALL.items()}
WORKBOOKS = samples.as_xlsx([])[:4]
FILES = {name: content for name, (_, content) in samples.SAMPLES.items()} | MARKUP
BOOKS = [name for name, content in FILES.items() if content.startswith(WORKBOOKS) and name != "plain Parquet"]
TEXTS = [name for name in FILES if name not in BOOKS]  # a workbook takes a process of its own: few of them
FOLDERS = {"patentsview": (test_bulk.PATENTSVIEW, "\t"), "patstat": (test_bulk.PATSTAT, ",")}
OWN = mapped_layout(Mapping.model_validate({"columns": {"patent_id": ["No"], "date": ["Day"], "ipc": ["Class"]}}))
READ = [layout for layout in (*LAYOUTS, OWN) if layout.flatten is not None]
Fault = tuple[int, str, str]  # case, reader, what went wrong


class WrongError(Exception):
    """What a reader gave does not hold together."""


@dataclasses.dataclass
class Block:
    """A thousand cases: the rows they gave, with the case of each, what became of them, and what went wrong."""

    first: int
    frames: list[pd.DataFrame] = dataclasses.field(default_factory=list)
    cases: list[int] = dataclasses.field(default_factory=list)  # of each row of the frames
    documents: list[tuple[int, dict[str, str]]] = dataclasses.field(default_factory=list)
    counts: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    faults: list[Fault] = dataclasses.field(default_factory=list)
    slowest: float = 0.0


def run(first: int, last: int, seed: int, home: Path, at: mmap.mmap) -> None:
    """All cases from ``first`` to before ``last``; a line of JSON for each block in ``home/log``."""
    with (home / "log").open("a") as log:
        for start in range(first - first % BLOCK, last, BLOCK):
            block = Block(start)
            number = start
            for kind, count in KINDS.items():
                cases = range(max(number, first), min(number + count, last))
                if kind == "row":
                    _timed(block, cases[:1], kind, at, partial(_rows, block, cases, seed))
                else:
                    for case in cases:
                        _timed(block, range(case, case + 1), kind, at, partial(ONE[kind], block, case, seed, home))
                number += count
            _timed(block, range(start, start + 1), "ingest", at, partial(_ingest, block))
            log.write(json.dumps([block.counts, block.faults, block.slowest]) + "\n")
            log.flush()


def _timed(block: Block, cases: range, kind: str, at: mmap.mmap, does: Callable[[], None]) -> None:
    """Do one thing, having told which; an error that is no refusal is a fault."""
    if not len(cases):
        return
    at[:16] = f"{cases[0]:16}".encode()
    begun = time.process_time()
    try:
        does()
    except Exception as error:
        block.faults.append((cases[0], kind, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"))
    spent = time.process_time() - begun
    if kind in ONE:
        block.slowest = max(block.slowest, spent)
        if spent > SECONDS:
            block.faults.append((cases[0], kind, f"took {spent:.1f} s of the processor"))


def _rng(seed: int, case: int) -> random.Random:
    return random.Random(f"{seed}:{case}")


def _document(block: Block, case: int, seed: int, home: Path) -> None:
    """Cut from a stream and parsed in memory: every chunk is a row or has a reason."""
    rng = _rng(seed, case)
    name = rng.choice(sorted(MARKUP))
    known = next(known for known in DOCUMENT_FORMATS if known.name == name)
    data = damaged(rng, MARKUP[name] * rng.choice([1, 1, 2]), [MARKUP[name], *MARKUP.values()])
    for each in DOCUMENT_FORMATS:
        each.recognises(data[:PEEKED])
    for chunk in known.split(io.BytesIO(data)):
        try:
            reason = chunk.fault
            row = None if reason else known.parse(chunk.content)
        except UnreadableError as error:
            row, reason = None, str(error)
        if row is not None:
            block.documents.append((case, row))
        elif not reason or "\n" in reason:
            raise WrongError(f"{name}: the reason {reason!r} is none of one line")
        block.counts[f"{name}: {'rows quarantined' if row is None else 'rows'}"] += 1
    block.counts[f"{name}: cases"] += 1


def _table_of(rows: list[tuple[int, dict[str, str]]]) -> pd.DataFrame:
    """Parsed documents as the readers make a table of them."""
    numbered = [(number, row) for number, (_, row) in enumerate(rows, 1)]
    flat = flat_table(gathered([shard(numbered)], "documents", Path("case"), "").frame)
    if len(flat) != len(rows):
        raise WrongError(f"documents: {len(flat)} rows of {len(rows)}")
    return flat


def _rows(block: Block, cases: range, seed: int) -> None:
    """Rows of one layout together, in some of its columns."""
    if not len(cases):
        return
    rng = _rng(seed, block.first)
    layout = rng.choice(READ)
    columns = rng.sample(sorted(layout.used), rng.randint(1, len(layout.used)))
    columns += [group[0] for group in layout.needs if group and set(group).isdisjoint(columns)]
    if not layout.recognises(columns):
        columns = sorted(layout.used)
    rows = [[damaged_text(_rng(seed, case), case, place) for place in range(len(columns))] for case in cases]
    _tried(block, layout, columns, rows, cases)


def _tried(block: Block, layout: Layout, columns: list[str], rows: list[list[str]], cases: range) -> None:
    """Rows together; where they fail, their halves, down to the row at fault."""
    try:
        _flatten(block, layout, columns, rows, cases)
    except Exception as error:
        middle = len(rows) // 2
        if not middle:
            block.faults.append(
                (cases[0], layout.name, f"{type(error).__name__}: {str(error)[:300]} of {rows[0]!r:.500}")
            )
            return
        for half in (slice(None, middle), slice(middle, None)):
            _tried(block, layout, columns, rows[half], cases[half])


def _flatten(block: Block, layout: Layout, columns: list[str], rows: list[list[str]], cases: range) -> None:
    raw = pd.DataFrame(rows, columns=columns, index=pd.RangeIndex(1, len(rows) + 1), dtype="str")
    assert layout.flatten is not None
    frame, faults = layout.flatten(raw)
    flat = flat_table(frame)
    if not flat.index.equals(raw.index) or not set(faults["row"]) <= set(raw.index):
        raise WrongError(f"{layout.name}: rows are lost or made")
    block.counts[f"{layout.name}: cases"] += len(flat)
    block.counts[f"{layout.name}: rows"] += len(flat)
    block.frames.append(flat)
    block.cases += cases


def _file(block: Block, case: int, seed: int, home: Path) -> None:
    """A whole file through the one door."""
    rng = _rng(seed, case)
    name = rng.choice(BOOKS if rng.random() < 0.02 else TEXTS)
    content = damaged(rng, FILES[name], [FILES[other] for other in TEXTS])
    path = home / "case"
    path.write_bytes(packed(rng, content))
    _read(block, case, name, path, gaps=name in BOOKS)


def _folder(block: Block, case: int, seed: int, home: Path) -> None:
    """A folder of bulk tables of which one or two are damaged."""
    rng = _rng(seed, case)
    name = rng.choice(sorted(FOLDERS))
    source, delimiter = FOLDERS[name]
    hurt = rng.sample(sorted(source), rng.choice([1, 1, 2]))
    path = home / "folder"
    path.mkdir(exist_ok=True)
    for table, rows in source.items():
        content = test_bulk.text(rows, delimiter).encode()
        content = damaged(rng, content, [content]) if table in hurt else content
        (path / table).write_bytes(packed(rng, content) if table in hurt else content)
    _read(block, case, name, path, gaps=False)
    for table in path.iterdir():
        table.unlink()


ONE: dict[str, Callable[[Block, int, int, Path], None]] = {"document": _document, "file": _file, "folder": _folder}


def _read(block: Block, case: int, name: str, path: Path, gaps: bool) -> None:
    try:
        table = read_source(path)
    except CorpusError as error:
        if "\n" in str(error):
            raise WrongError(f"{name}: refused in several lines") from error
        block.counts[f"{name}: refused"] += 1
        block.counts[f"{name}: cases"] += 1
        return
    _keep(block, case, name, table, gaps)


def _keep(block: Block, case: int, name: str, table: SourceTable, gaps: bool = False) -> None:
    """Every number from 1 on is that of a row or of a fault, and of one alone (``gaps``: blank rows are none)."""
    lost = table.faults.loc[table.faults["kind"] == "row", "row"]
    places = sorted([*table.frame.index, *lost])
    if len(places) != len(set(places)) or len(places) != table.rows or (table.frame.columns != list(FLAT)).any():
        raise WrongError(f"{name}: {table.rows} rows in {len(set(places))} places")
    if (
        places
        and not gaps
        and table.format not in ("patentsview", "patstat")
        and places != list(range(1, len(places) + 1))
    ):
        raise WrongError(f"{name}: {places[-1]} places for {len(places)} rows")
    block.counts[f"{name}: cases"] += 1
    block.counts[f"{name}: rows"] += len(table.frame)
    block.counts[f"{name}: rows quarantined"] += len(lost)
    block.frames.append(table.frame)
    block.cases += [case] * len(table.frame)


def _ingest(block: Block) -> None:
    """Everything that the block gave as one table: its account adds up, or it is refused."""
    frames, cases = block.frames, block.cases
    if block.documents:
        frames, cases = [*frames, _table_of(block.documents)], cases + [case for case, _ in block.documents]
    if cases:
        rows = pd.concat(frames, ignore_index=True)
        _ingested(rows, block, cases)


def _searched(rows: pd.DataFrame, block: Block, cases: list[int], error: Exception) -> None:
    """Which of the rows fail, by halves; all of them where neither half does."""
    middle = len(rows) // 2
    before = len(block.faults)
    if middle:
        for half in (slice(None, middle), slice(middle, None)):
            _ingested(rows.iloc[half].reset_index(drop=True), block, cases[half])
    if len(block.faults) == before:
        block.faults.append((cases[0], "ingest", f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"))


def _ingested(rows: pd.DataFrame, block: Block, cases: list[int]) -> None:
    table = SourceTable(rows.set_axis(pd.RangeIndex(1, len(rows) + 1)), "fuzz", name="fuzz")
    try:
        account = ingest_tables([table]).account  # refuses numbers that do not add up
        if account.read != len(rows):
            raise WrongError(f"ingest: read {account.read} of {len(rows)} rows")
    except CorpusError:
        return
    except Exception as error:
        _searched(rows, block, cases, error)
        return
    block.counts["ingested: kept"] += account.kept
    block.counts["ingested: merged"] += account.merged
    block.counts["ingested: quarantined"] += account.quarantined


def watch(cases: int, first: int, seed: int, home: Path) -> list[Fault]:
    """Run all cases in a process, and in another one behind every case that ended or stopped it."""
    fallen: list[Fault] = []
    at = mmap.mmap(-1, 16)
    begin = first
    while begin < first + cases:
        at[:16] = f"{begin:16}".encode()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            try:
                run(begin, first + cases, seed, home, at)
            finally:
                os._exit(0)
        try:
            code = _ended(child, at, first, cases)
        except KeyboardInterrupt:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            break
        if not code:
            break
        fallen.append((int(at[:16]), "process", "hangs" if code == -signal.SIGKILL else f"ended with {code}"))
        begin = int(at[:16]) + 1
    return fallen


def _ended(child: int, at: mmap.mmap, first: int, cases: int) -> int:
    """How the process ended; one that stays at a case for STILL seconds is killed."""
    seen, since, told = b"", time.monotonic(), time.monotonic()
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        now = time.monotonic()
        if done:
            return os.waitstatus_to_exitcode(status)
        if at[:16] != seen:
            seen, since = at[:16], now
        elif now - since > STILL:
            os.kill(child, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if now - told > 30:
            told = now
            print(f"{int(seen) - first:,} of {cases:,} cases", flush=True)
        time.sleep(0.05)


def page(counts: collections.Counter[str], faults: list[Fault], slowest: float, given: argparse.Namespace) -> str:
    """The results in words."""
    names = sorted({key.rpartition(": ")[0] for key in counts} - {"ingested"})
    lines = [
        "# Fuzzing of the readers",
        "",
        f"{datetime.date.today():%Y-%m-%d}, {given.cases:,} cases from number {given.first:,}, seed {given.seed}, "
        f"{given.minutes:.0f} minutes in one process: {given.cases / max(given.minutes * 60, 1e-9):,.0f} cases a "
        f"second at a load of {os.getloadavg()[0]:.0f}. Reproduce with `make fuzz` "
        f"(`python benchmarks/fuzz.py --cases {given.cases} --seed {given.seed}`).",
        "",
        "A case is one damaged input: of a thousand 630 documents, 350 rows of a layout, 18 whole files, 2 folders of "
        "bulk tables. Each must be read or refused in one line, every row found in exactly one place, within "
        f"{SECONDS:g} s of the processor; the rows of each thousand are ingested as one table, whose account must add "
        "up.",
        "",
        f"**Faults: {len(faults)}.** The slowest case took {slowest:.2f} s of the processor. Of the rows read, "
        f"{counts['ingested: kept']:,} were kept by ingest, {counts['ingested: merged']:,} merged, "
        f"{counts['ingested: quarantined']:,} quarantined.",
        "",
        "| input | cases | refused | rows read | rows quarantined by the reader |",
        "|---|---|---|---|---|",
    ]
    of = ("cases", "refused", "rows", "rows quarantined")
    lines += [f"| {name} | " + " | ".join(f"{counts[f'{name}: {what}']:,}" for what in of) + " |" for name in names]
    lines += ["", *(f"- case {case}, {reader}: {what}" for case, reader, what in faults[:100])]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    begun = time.monotonic()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as home:
        os.environ["TMPDIR"] = tempfile.tempdir = home  # the readers' own scratch folders too
        faults = watch(given.cases, given.first, given.seed, Path(home))
        counts: collections.Counter[str] = collections.Counter()
        slowest = 0.0
        log = Path(home) / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        given.cases = min(given.cases, BLOCK * (len(lines) + len(faults)))  # all but of a run that was ended
        for line in lines:
            more, wrong, longest = json.loads(line)
            counts.update(more)
            faults += [tuple(fault) for fault in wrong]
            slowest = max(slowest, longest)
    given.minutes = (time.monotonic() - begun) / 60
    given.out.write_text(page(counts, faults, slowest, given), encoding="utf-8")
    print(f"{given.cases:,} cases in {given.minutes:.1f} minutes, {len(faults)} faults: {given.out}")
    for fault in faults[:20]:
        print(*fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
