"""Kill the whole flow at many points, start it again, and compare every byte with an undisturbed run.

python benchmarks/fault_sweep.py [POINTS] [--flows] [--seed N] [--out FILE.md]     (or: make fault-sweep)

The flow is the command line's: ingest, forecast (two parts), opportunities and report, one after the other through
``pipeline.cli.main``, in a process with a group of its own; with ``--flows`` Prefect's flows of the same names, then
watch and backtest, which report to a server that is not killed, as under ``techconverge serve``. That process is forked
from one which has imported the libraries and computed nothing, so that the time swept is time at work. Half of the
points are write boundaries: the process kills itself by SIGKILL just before its n-th opening for writing, renaming,
removal or making of a folder, which Python's audit events tell of. The others are moments of its running time, at which
its group is killed from outside. At every third point the second run is killed too, at a boundary drawn by chance, so
that the third must end.

Nothing is left out of the comparison but what Prefect keeps for itself, neither hidden files nor the cache nor empty
folders: the clock by which stages are timed stands still in these processes. After each kill, what stands at an
``--out`` must be whole or not there.
"""

import argparse
import contextlib
import dataclasses
import datetime
import importlib
import json
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"  # before they are loaded: a pool of threads would not survive the fork

from pipeline.artifacts import sha256_file, unchanged  # noqa: E402
from pipeline.cli import main as command  # noqa: E402
from pipeline.corpus.readers import flat_table  # noqa: E402
from pipeline.corpus.store import TABLES  # noqa: E402
from pipeline.sample.generator import generate  # noqa: E402

RESULTS = Path(__file__).parent / "results"
FIRM = "Sample Thermal Systems SA (simulated)"
CONFIG = {
    "encoder": {"model": "hashing"},
    "bootstrap_repeats": 20,
    "ensemble": {"members": ["logistic/none", "fusion"], "training_origins": 1},
    "features": {"blocks": ["bibliometric", "network", "text"]},
    "task": {"level": "class", "horizon": 2},
}
FLOW = (
    ("ingest", "patents.csv", "--out", "corpus"),
    ("forecast", "corpus", "--cutoff", "2016-12-31", "--firm", FIRM, "--config", "light.yaml", "--out", "run"),
    ("opportunities", "run", "--firm", FIRM, "--top-pairs", "3"),
    ("report", "run", "--firm", FIRM),
)
WRITES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "ctypes.dlsym"}  # the last: an exchange


@dataclasses.dataclass(frozen=True)
class Point:
    """Where a run is killed: at its n-th write boundary, or after seconds; ``again``: the boundary of a second kill."""

    kind: str
    at: float
    again: int | None


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a point: what was torn after a kill, and which files differed in the end."""

    point: Point
    torn: list[str]
    different: list[str]


def sweep(points: int, seed: int, home: Path, flow: Callable[[], None]) -> list[Outcome]:
    """Kill the flow at so many points, half of them write boundaries."""
    (home / "source").mkdir(parents=True)
    flat_table(generate(3, 500)).to_csv(home / "source" / "patents.csv", index=False)
    (home / "source" / "light.yaml").write_text(json.dumps(CONFIG))  # JSON is YAML
    (home / "source" / "few.yaml").write_text(json.dumps({"topics": {"top_pairs": 3}}))
    place = fresh(home)
    finish(start(flow, place, told=home / "modules"), home)
    for name in (home / "modules").read_text().split()[1:]:  # what the commands import late, so that forks have it
        try:
            importlib.import_module(name)
        except Exception:  # one that cannot be imported by itself; the commands import it in their own way
            continue
    place = fresh(home)
    begun = time.monotonic()
    finish(start(flow, place, told=home / "modules"), home)
    seconds, boundaries = time.monotonic() - begun, int((home / "modules").read_text().split()[0])
    expected = snapshot(place)
    print(f"undisturbed: {seconds:.1f} s, {boundaries} write boundaries, {len(expected)} files and folders", flush=True)
    outcomes = []
    for number, point in enumerate(drawn(points, seed, seconds, boundaries), 1):
        outcomes.append(outcome(flow, point, home, expected))
        state = "identical" if not outcomes[-1].different and not outcomes[-1].torn else f"DIFFERENT {outcomes[-1]}"
        print(f"{number:4d}  {point.kind} {point.at:.2f}  {state}", flush=True)
    return outcomes


def drawn(points: int, seed: int, seconds: float, boundaries: int) -> list[Point]:
    """Points spread over all of the run."""
    chance = random.Random(seed)
    at_writes = points // 2
    where = [("boundary", 1 + (boundaries - 1) * n / max(at_writes - 1, 1)) for n in range(at_writes)]
    moments = points - at_writes
    where += [("moment", seconds * (n + chance.random()) / moments) for n in range(moments)]
    again = [chance.randint(1, boundaries) if n % 3 == 2 else None for n in range(points)]
    return [Point(kind, at, second) for (kind, at), second in zip(where, again, strict=True)]


def outcome(flow: Callable[[], None], point: Point, home: Path, expected: dict[str, str]) -> Outcome:
    """Kill at the point, start again until the flow ends, and compare."""
    place, at = fresh(home), point.at
    if point.kind == "boundary":
        killed = ended(start(flow, place, at=round(at))) == -signal.SIGKILL
    else:
        while not (
            killed := ended(start(flow, place), within=at) == -signal.SIGKILL
        ):  # it was done before: kill it earlier
            place, at = fresh(home), at * 0.9
    assert killed, f"{point} was not reached: see {home / 'log'}"
    found = torn(place)
    if point.again is not None:
        ended(start(flow, place, at=point.again))  # which it may not reach: much is done already
        found += torn(place)
    finish(start(flow, place), home)
    end = snapshot(place)
    return Outcome(point, found, sorted(name for name, _ in set(end.items()) ^ set(expected.items())))


def fresh(home: Path) -> Path:
    """The folder the flow works in, always of the same name, with nothing in it but the sources."""
    place = home / "place"
    shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(home / "prefect" / "storage", ignore_errors=True)  # results of stages that Prefect keeps
    shutil.copytree(home / "source", place)
    return place


def start(flow: Callable[[], None], place: Path, at: int | None = None, told: Path | None = None) -> int:
    """Run the flow in a process of its own, which kills itself at a write boundary when told to; its id.

    ``told``: a file for the number of boundaries it passed and the modules that it loaded.
    """
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _run(flow, place, at, told)
    return child


def _run(flow: Callable[[], None], place: Path, at: int | None, told: Path | None) -> NoReturn:
    code = 1
    try:
        os.setsid()
        log = os.open(place.parent / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(place)
        os.environ["TECHCONVERGE_CACHE"] = str(place / "cache")
        time.perf_counter = lambda: 0.0
        passed = 0

        def hook(event: str, about: tuple[object, ...]) -> None:
            nonlocal passed
            if event in WRITES or (event == "open" and isinstance(about[2], int) and about[2] & os.O_CREAT):
                if isinstance(about[0], str | os.PathLike) and Path(about[0]).is_absolute():
                    if place not in Path(about[0]).parents:
                        return
                elif event == "ctypes.dlsym" and about[1] != "renameat2":
                    return
                passed += 1
                if passed == at:
                    os.killpg(0, signal.SIGKILL)

        sys.addaudithook(hook)
        flow()
        code = 0
        if told:
            told.write_text("\n".join([str(passed), *sorted(sys.modules)]))
    finally:
        os._exit(code)


def commands() -> None:
    """The command line's flow."""
    for words in FLOW:
        sys.argv = ["techconverge", *words]
        try:
            command()
        except SystemExit as left:
            if left.code:
                os._exit(int(left.code))


def deployed() -> None:
    """Prefect's flows, with parameters as a deployment has them."""
    from flows.forecast import backtest, forecast
    from flows.ingest import ingest
    from flows.opportunities import opportunities
    from flows.report import report
    from flows.watch import watch_flow

    day = datetime.date(2016, 12, 31)
    ingest(sources=["patents.csv"], corpus="corpus")
    forecast(corpus="corpus", out="run", firm=FIRM, cutoff=day, config="light.yaml")
    opportunities(run="run", firm=FIRM, config="few.yaml")
    report(run="run", opportunities="run")
    watch_flow(corpus="corpus", out="watch", firm=FIRM, config="light.yaml")
    backtest(corpus="corpus", out="tested", config="light.yaml")


@contextlib.contextmanager
def server(home: Path) -> Iterator[None]:
    """A Prefect server of its own for the flows of this process and of those forked from it."""
    os.environ["PREFECT_HOME"] = str(home / "prefect")
    import flows

    flows.make_home()
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        os.environ["PREFECT_SERVER_API_PORT"] = str(probe.getsockname()[1])
    from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

    from flows.serve import local_server

    with local_server(print) as url, temporary_settings({PREFECT_API_URL: url, PREFECT_LOGGING_TO_API_ENABLED: False}):
        yield


def ended(child: int, within: float | None = None) -> int:
    """How the process ended (a signal's number below 0); after ``within`` seconds its group is killed."""
    deadline = None if within is None else time.monotonic() + within
    while deadline is not None and time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    if deadline is not None:
        os.killpg(child, signal.SIGKILL) if os.getpgid(child) == child else os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def finish(child: int, home: Path) -> None:
    """Wait for a run that nobody disturbs."""
    code = ended(child)
    assert code == 0, f"the flow ended with {code}: {(home / 'log').read_text()[-2000:]}"


def torn(place: Path) -> list[str]:
    """What stands at an ``--out`` and is not whole."""
    faults = []
    if (place / "corpus").exists():
        tables = json.loads((place / "corpus" / "manifest.json").read_text())["tables"]
        told = {f"{name}.parquet": tables[name]["sha256"] for name in TABLES}
        faults += [] if unchanged(place / "corpus", told) else ["corpus"]
    runs = [place / "run", place / "tested", *(place / "watch" / "runs").glob("[!.]*")]
    for record in (*(run / "run.json" for run in runs), *(place / "run").glob("firm-*/topics.json")):
        if record.parent.exists():
            whole = unchanged(record.parent, json.loads(record.read_text())["outputs"], "fusion")
            faults += [] if whole else [record.parent.name]
    return faults


def snapshot(place: Path) -> dict[str, str]:
    """Every file with the hash of its bytes, and every folder."""
    given = {path.name for path in (place.parent / "source").iterdir()}
    paths = [path for path in place.rglob("*") if path.name not in given]
    return {path.relative_to(place).as_posix(): sha256_file(path) if path.is_file() else "" for path in paths}


def page(outcomes: list[Outcome], seed: int, minutes: float, through_prefect: bool) -> str:
    """The results in words."""
    swept = (
        "Prefect's flows (ingest, forecast with its test, opportunities, report, watch, backtest"
        if through_prefect
        else "The whole flow of the command line (ingest, forecast with its test, opportunities, report"
    )
    option = " --flows" if through_prefect else ""
    lines = [
        "# Fault sweep",
        "",
        f"{datetime.date.today():%Y-%m-%d}, {os.cpu_count()} cores {processor()}, seed {seed}, {minutes:.0f} minutes. "
        "Reproduce with `make fault-sweep` "
        f"(`python benchmarks/fault_sweep.py {len(outcomes)}{option} --seed {seed}`).",
        "",
        f"{swept}; 500 simulated documents, hashing encoder, a small ensemble) "
        f"{'are' if through_prefect else 'is'} killed by SIGKILL and started again. Compared are all bytes "
        "of all files, hidden ones and the cache too, with those of a run that nobody disturbed.",
        "",
        "| killed at | points | killed again while going on | torn results seen | identical in the end |",
        "|---|---|---|---|---|",
    ]
    for kind, name in (("boundary", "a write boundary"), ("moment", "a moment of the running time")):
        of_kind = [each for each in outcomes if each.point.kind == kind]
        again = sum(each.point.again is not None for each in of_kind)
        whole = sum(not each.different for each in of_kind)
        lines.append(f"| {name} | {len(of_kind)} | {again} | {sum(bool(e.torn) for e in of_kind)} | {whole} |")
    for each in outcomes:
        if each.different or each.torn:
            lines += ["", f"- {each.point}: torn {each.torn}, different {each.different}"]
    return "\n".join(lines) + "\n"


def processor() -> str:
    """The processor's name, where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "unknown processor"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("points", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--flows", action="store_true", help="Prefect's flows in place of the commands")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as home, server(Path(home)) if given.flows else contextlib.nullcontext():
        outcomes = sweep(given.points, given.seed, Path(home), deployed if given.flows else commands)
    minutes = (time.monotonic() - begun) / 60
    out = given.out or RESULTS / ("faults-flows.md" if given.flows else "faults.md")
    out.write_text(page(outcomes, given.seed, minutes, given.flows), encoding="utf-8")
    bad = sum(bool(each.different or each.torn) for each in outcomes)
    sys.exit(f"{bad} of {len(outcomes)} points did not end as an undisturbed run" if bad else 0)


if __name__ == "__main__":
    main()
