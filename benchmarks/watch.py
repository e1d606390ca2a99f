"""Watches in a row on a real corpus that grows month by month: memory, disk, time, and each digest checked.

    .venv/bin/python benchmarks/watch.py [--corpus NAME] [--first YYYY-MM] [--watches 16] [--work FOLDER]

Reads the corpora from $TECHCONVERGE_REAL_DATA, or ../shared/data beside the project. Sixteen watches by default, so
that horizons of a year end. One process makes them all; each month is added by ``append``. Every digest is compared
with an account of its own, made here from the corpus's tables and the run folders in plain dictionaries. Then drift is
measured month by month on several corpora: how often a month is told of. The settings are quick ones (no text, one
learner), since the watch is measured and not the forecast.
Writes results/watch.md beside this file.
"""

import argparse
import datetime
import os
import platform
import re
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.artifacts import read_json
from pipeline.corpus.grow import append, create
from pipeline.corpus.ingest import Cleaning, ingest
from pipeline.corpus.store import load_corpus
from pipeline.run_config import load_config
from pipeline.watch.digest import PAGE
from pipeline.watch.drift import MEASURES, drift
from pipeline.watch.plan import WatchRequest
from pipeline.watch.run import watch

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("TECHCONVERGE_REAL_DATA", HERE.parents[1] / "shared" / "data")) / "corpora"
SETTINGS: dict[str, Any] = {
    "encoder": {"model": "hashing"},
    "bootstrap_repeats": 20,
    "ensemble": {"members": ["logistic/none"], "training_origins": 1},
    "features": {"blocks": ["bibliometric", "network"]},
    "task": {"horizon": 1, "min_patents": 10},
}
DRIFTED = {  # corpora, their scheme, and the years whose months are looked at
    "pizza_patentscope": ("ipc", "2006-01", "2014-12"),
    "green_aviation_patsnap": ("ipc", "2016-01", "2020-12"),
    "dpl_google": ("ipc", "2006-01", "2014-12"),
    "uspto_random_pygrams": ("cpc", "2008-01", "2017-12"),
}
HEAD, MOVED, TIMES = 100, 10, 2  # as documented


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", default="pizza_patentscope")
    parser.add_argument("--first", default="2012-01", help="month of the first watch")
    parser.add_argument("--watches", type=int, default=16)
    parser.add_argument("--work", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = arguments.work or Path(folder)
        months = pd.period_range(arguments.first, periods=arguments.watches, freq="M")
        rows, firm = watches(arguments.corpus, months, work)
    told = {name: drift_told(name, *of) for name, of in DRIFTED.items()}
    (HERE / "results" / "watch.md").write_text(page(arguments.corpus, firm, rows, told), encoding="utf-8")


def watches(name: str, months: pd.PeriodIndex, work: Path) -> tuple[list[dict[str, Any]], str]:
    """A row a watch; and the firm, the corpus's largest assignee at the start."""
    source = pd.read_parquet(DATA / f"{name}.parquet")
    month = pd.to_datetime(source["date"]).dt.to_period("M")
    files = work / "files"
    files.mkdir(parents=True)
    source[month <= months[0]].to_parquet(files / "start.parquet")
    corpus, out = work / "corpus", work / "watch"
    create([files / "start.parquet"], corpus, Cleaning(), quiet)
    assignees = load_corpus(corpus).parties.query("role == 'assignee'")
    firm = str(assignees.drop_duplicates(["patent_id", "party_id"])["name"].value_counts().index[0])
    request = WatchRequest(corpus=corpus, firm=firm, config=load_config(None, SETTINGS))
    rows: list[dict[str, Any]] = []
    for place, at in enumerate(months):
        if place:
            source[month == at].to_parquet(files / f"{at}.parquet")
            append([files / f"{at}.parquet"], corpus, quiet)
        start = time.perf_counter()
        done = watch(request, out, quiet)
        seconds = time.perf_counter() - start
        if not done.changed:
            raise SystemExit(f"{at}: {done.said}")
        start = time.perf_counter()
        again = watch(request, out, quiet)
        assert not again.changed
        rows.append(
            {
                "month": str(at),
                "seconds": seconds,
                "again": time.perf_counter() - start,
                "rss": rss(),
                "disk": size(out),
                "history": size(out / "history"),
                "runs": len(list((out / "runs").iterdir())),
                **check(corpus, out),
            }
        )
        print(rows[-1], flush=True)
    return rows, firm


def check(corpus_folder: Path, out: Path) -> dict[str, Any]:
    """What an account in plain dictionaries says of the last two runs, and how far the digest agrees with it."""
    runs = read_json(out / "watch.json")["runs"]
    if len(runs) < 2:
        return {"realised": 0, "new": 0, "risen": 0, "fallen": 0, "expired": 0, "same": True}
    before, after = (places(out / "runs" / day) for day in runs[-2:])
    first = first_meetings(corpus_folder, runs[-1])
    since = pd.Timestamp(runs[-2])
    expected: dict[str, dict[tuple[str, str], Any]] = {
        "realised": {pair: first[pair][1] for pair in before if pair in first and first[pair][0] > since},
        "new": {pair: at for pair, at in after.items() if at <= HEAD and pair not in before},
        "risen": {},
        "fallen": {},
        "expired": {},
    }
    for pair, was in before.items():
        now = after.get(pair)
        if now is None:
            if was <= HEAD and pair not in expected["realised"]:
                expected["expired"][pair] = None
        elif abs(was - now) >= MOVED and max(was, now) >= TIMES * min(was, now):
            if now < was and now <= HEAD:
                expected["risen"][pair] = now
            if now > was and was <= HEAD:
                expected["fallen"][pair] = now
    for pair in ended(out, first, since, runs[-1]) - set(expected["realised"]):
        expected["expired"][pair] = "horizon_over"
    changes = pd.read_parquet(out / "changes.parquet")
    same = True
    for kind, pairs in expected.items():
        of_kind = changes[changes["kind"] == kind]
        found = dict(zip(zip(of_kind["code_a"], of_kind["code_b"], strict=True), of_kind["patents"], strict=True))
        same &= set(found) == set(pairs)
        if kind == "realised":
            same &= all(found[pair].split(";")[-1] == pairs.get(pair) for pair in found)
        if kind == "expired":
            same &= (of_kind["reason"] == "horizon_over").sum() == list(pairs.values()).count("horizon_over")
    page = " ".join(re.sub(r"<[^>]+>", " ", (out / PAGE).read_text(encoding="utf-8")).split())
    head = sum(before[pair] <= HEAD for pair in expected["realised"])
    same &= f"{head} of {len(expected['realised'])} pairs that met had been among the first {HEAD}" in page
    same &= f"{len(expected['risen'])} ↑ {len(expected['fallen'])} ↓" in page
    same &= f"{len(expected['expired'])} expired" in page
    same &= hits(out, first, runs[-1])
    return {kind: len(pairs) for kind, pairs in expected.items()} | {"same": bool(same)}


def ended(
    out: Path, first: dict[tuple[str, str], tuple[pd.Timestamp, str]], since: pd.Timestamp, until: str
) -> set[tuple[str, str]]:
    """Pairs whose first forecast among the first hundred ended since the last run, without their having met by then."""
    seen: set[tuple[str, str]] = set()
    found: set[tuple[str, str]] = set()
    for kept in read_json(out / "watch.json")["forecasts"][:-1]:
        past = pd.read_parquet(out / "history" / f"{kept['cutoff']}.parquet")
        past = past[past["firm_rank"] <= HEAD]
        head = set(zip(past["code_a"], past["code_b"], strict=True))
        end = pd.Timestamp(kept["until"])
        if since < end <= pd.Timestamp(until):
            found |= {pair for pair in head - seen if pair not in first or first[pair][0] > end}
        seen |= head
    return found


def places(run: Path) -> dict[tuple[str, str], int]:
    """The firm's place of each pair, or a pair without a place in the run."""
    table = pd.read_csv(run / "ranked.csv", encoding="utf-8-sig")
    return {(a, b): int(at) for a, b, at in zip(table["code_a"], table["code_b"], table["firm_rank"], strict=True)}


def first_meetings(folder: Path, until: str) -> dict[tuple[str, str], tuple[pd.Timestamp, str]]:
    """The first patent on which each two subclasses stand, and its day; patent by patent."""
    patents = pd.read_parquet(folder / "patents.parquet", columns=["patent_id", "knowledge_date"])
    codes = pd.read_parquet(folder / "patent_codes.parquet").query("scheme == 'ipc'")
    carried: dict[str, set[str]] = {}
    for patent, symbol in zip(codes["patent_id"], codes["symbol"], strict=True):
        if len(symbol) >= 4:
            carried.setdefault(patent, set()).add(symbol[:4])
    found: dict[tuple[str, str], tuple[pd.Timestamp, str]] = {}
    for patent, day in zip(patents["patent_id"], patents["knowledge_date"], strict=True):
        if day > pd.Timestamp(until):
            break
        listed = sorted(carried.get(patent, ()))
        for place, a in enumerate(listed):
            for b in listed[place + 1 :]:
                found.setdefault((a, b), (day, patent))
    return found


def hits(out: Path, first: dict[tuple[str, str], tuple[pd.Timestamp, str]], until: str) -> bool:
    """Whether the track record's hits among the first 20 for the firm and among all are those counted here."""
    record = pd.read_parquet(out / "track_record.parquet")
    for kept in read_json(out / "watch.json")["forecasts"][:-1]:
        past = pd.read_parquet(out / "history" / f"{kept['cutoff']}.parquet")
        if kept["over"] and len(past) <= 2 * HEAD:
            continue  # cut to its head: checked while it was whole
        cutoff, end = pd.Timestamp(kept["cutoff"]), min(pd.Timestamp(kept["until"]), pd.Timestamp(until))
        met = {
            pair: at
            for *pair_, at in zip(past["code_a"], past["code_b"], past["firm_rank"], strict=True)
            for pair in [tuple(pair_)]
            if pair in first and cutoff < first[pair][0] <= end
        }
        rows = record[record["cutoff"] == cutoff]
        told = rows[(rows["group"] == "first") & (rows["listed"] == "firm") & (rows["k"] == 20)]["converged"].tolist()
        whole = rows[rows["group"] == "all"]["converged"].tolist()
        if told != [sum(at <= 20 for at in met.values())] or whole != [len(met)]:
            return False
    return True


def drift_told(name: str, scheme: str, first: str, last: str) -> dict[str, list[str]]:
    """The months told of, by measure; and all that were looked at."""
    corpus = ingest([DATA / f"{name}.parquet"]).corpus
    told: dict[str, list[str]] = {"": []}
    for month in pd.period_range(first, last, freq="M"):
        end, since = (at.to_timestamp(how="end").normalize().as_unit("s") for at in (month, month - 1))
        table = drift(corpus.as_of(end), since, scheme, "subclass")
        told[""].append(str(month))
        for measure in table.loc[table["flagged"], "measure"]:
            told.setdefault(measure, []).append(str(month))
    return told


def rss() -> int:
    """Resident memory of this process now, in bytes."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def quiet(message: str) -> None:
    """Say nothing."""


def page(name: str, firm: str, rows: list[dict[str, Any]], told: dict[str, dict[str, list[str]]]) -> str:
    today = datetime.datetime.now(tz=datetime.UTC)
    late = rows[len(rows) // 3 :]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    kinds = ("realised", "new", "risen", "fallen", "expired")
    lines = [
        "# Watch benchmark",
        "",
        f"{today:%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()}; written by `benchmarks/watch.py`.",
        "",
        f"{len(rows)} watches in one process on {name}, a month added before each; the list of {firm}. One year ahead, "
        "no text, one learner: the watch is measured, not the forecast.",
        "",
        "| month | seconds | again, nothing new | memory, MB | disk, MB | of it history, MB | runs kept "
        "| realised | new | risen | fallen | expired | agrees |",
        "|---|" + "---:|" * 11 + "---|",
    ]
    lines += [
        f"| {row['month']} | {row['seconds']:.0f} | {row['again']:.2f} | {row['rss'] / 1e6:.0f} "
        f"| {row['disk'] / 1e6:.1f} | {row['history'] / 1e6:.2f} | {row['runs']} | "
        + " | ".join(str(row[kind]) for kind in kinds)
        + f" | {'yes' if row['same'] else 'NO'} |"
        for row in rows
    ]
    lines += [
        "",
        "*Agrees*: changes, deciding patents, the digest's counts and the track record's hits are those of an account "
        "made from the corpus's tables and the runs in plain dictionaries.",
        "",
        f"From watch {len(rows) - len(late) + 1} to {len(rows)} memory went from {late[0]['rss'] / 1e6:.0f} to "
        f"{late[-1]['rss'] / 1e6:.0f} MB (peak of the process {peak:.2f} GB). The history grew by "
        f"{grown(rows[:12]):.2f} MB a month over the first twelve, when no horizon had ended, and by "
        f"{grown(rows[12:]):.2f} MB after.",
        "",
        "## Months in which the data are told of as off",
        "",
        "Every month of the years named against the 24 before it, as in a monthly watch.",
        "",
        "| corpus | months | " + " | ".join(measure.replace("_", " ") for measure in MEASURES) + " |",
        "|---|---:|" + "---:|" * len(MEASURES),
    ]
    lines += [
        f"| {corpus}, {found[''][0]} to {found[''][-1]} | {len(found[''])} | "
        + " | ".join(str(len(found.get(measure, []))) for measure in MEASURES)
        + " |"
        for corpus, found in told.items()
    ]
    lines += ["", *(f"- {corpus}: {listed(found)}." for corpus, found in told.items() if len(found) > 1)]
    return "\n".join(lines) + "\n"


def grown(rows: list[dict[str, Any]]) -> float:
    """Growth of the history in MB a watch."""
    return (rows[-1]["history"] - rows[0]["history"]) / 1e6 / (len(rows) - 1)


def listed(found: dict[str, list[str]]) -> str:
    """The months of each measure in words, the first twelve of them."""
    texts = []
    for measure, months in found.items():
        more = f" and {len(months) - 12} more" if len(months) > 12 else ""
        texts += [f"{measure.replace('_', ' ')} in {', '.join(months[:12])}{more}"] if measure else []
    return "; ".join(texts)


if __name__ == "__main__":
    main()
