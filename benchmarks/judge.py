"""The judge benchmark: what our side adds to a call, what a kill costs, and what a report costs with a real model.

    .venv/bin/python benchmarks/judge.py [--opportunities 100] [--kills 6]

A scripted OpenAI-compatible server on loopback answers; LangChain's real client asks, in a process of its own. The
passages are titles and abstracts of ``dpl_google`` from $TECHCONVERGE_REAL_DATA, or ../shared/data beside the project,
else of the simulated corpus. Writes a dated table beside this file.
"""

import argparse
import asyncio
import datetime
import functools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests" / "judge")]

from server import Act, Request, Server, fair, serving  # noqa: E402
from tables import CUTOFF, passages, topics_and_opportunities  # noqa: E402

from pipeline.corpus.ingest import ingest  # noqa: E402
from pipeline.judge.asks import asks  # noqa: E402
from pipeline.judge.client import Model  # noqa: E402
from pipeline.judge.config import JudgeConfig  # noqa: E402
from pipeline.judge.evidence import gather  # noqa: E402
from pipeline.judge.naming import name_topics  # noqa: E402
from pipeline.judge.panel import judge_on  # noqa: E402
from pipeline.judge.rubric import load_rubric  # noqa: E402

DATA = Path(os.environ.get("TECHCONVERGE_REAL_DATA", HERE.parents[1] / "shared" / "data")) / "corpora"
CONCURRENCY = 8
REPORT = 20  # topic pairs of a report
PATENTS = 5  # representatives of a topic
WAIT = 0.02  # seconds the server thinks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--opportunities", type=int, default=100)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--child", nargs=3, metavar=("TASK", "URL", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        task, url, folder = given.child
        print(json.dumps(TASKS[task](given.opportunities, url, Path(folder))))
        return
    os.environ["OPENAI_API_KEY"] = "none-is-asked-for"
    with tempfile.TemporaryDirectory() as folder:
        write_passages(Path(folder))
        found = measure(given.opportunities, given.kills, Path(folder))
    lines = table(found)
    (HERE / "results" / "judge.md").write_text("\n".join(lines))
    print("\n".join(lines))


def measure(opportunities: int, kills: int, folder: Path) -> dict[str, Any]:
    """Every number of the table."""
    with serving(thinking) as server:
        child = functools.partial(run_child, opportunities, server.url)
        whole, asked = child("judge", folder, "whole"), len(server.requests)
        at_once = server.most_at_once
        again = child("judge", folder, "whole")
        rerun = len(server.requests) - asked
        bare = child("bare", folder, "bare")
        killed = kill_and_restart(opportunities, server, folder, kills)
        report = whole if opportunities == REPORT else run_child(REPORT, server.url, "judge", folder, "report")
        reference = run_child(REPORT, server.url, "reference", folder, "reference")
        names = run_child(REPORT, server.url, "names", folder, "names")
    return {
        "opportunities": opportunities, "asked": asked, "at_once": at_once, "whole": whole, "again": again,
        "rerun": rerun, "bare": bare, "killed": killed, "report": report, "reference": reference, "names": names,
    }  # fmt: skip


def thinking(request: Request) -> Act:
    """A fair judge that thinks a moment; a list gets each item once, a topic a name."""
    if '{"label"' in request.user:
        named = {"label": f"Number {request.digest()}", "description": "They bake bread on a stone that is heated."}
        return Act(json.dumps(named), wait=WAIT)
    if "Output:" in request.user:
        items = [line.removeprefix("Item ") for line in request.user.splitlines() if line.startswith("Item T-")]
        said = [{"id": item, "score": 5, "reason": "x" * 200, "scenarios": ["y" * 40] * 2} for item in items]
        return Act(json.dumps({"items": said}), wait=WAIT)
    act = fair(request)
    act.wait = WAIT
    return act


def kill_and_restart(opportunities: int, server: Server, folder: Path, kills: int) -> dict[str, Any]:
    """Kill the judge at random moments until it was killed often enough, then let it finish; count at the server."""
    before = len(server.requests)
    source = random.Random(7)
    each = opportunities * 7 * 5 // (kills + 1)
    in_flight = []
    for _ in range(kills):
        until = len(server.requests) + source.randint(each // 2, each)
        process = start_child(opportunities, server.url, "judge", folder, "killed")
        while len(server.requests) < until and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        in_flight.append(sum(1 for _ in lost_in(folder / "killed")) - sum(in_flight))
    final = run_child(opportunities, server.url, "judge", folder, "killed")
    return {
        "final": final,
        "kills": kills,
        "requests": len(server.requests) - before,
        "lost": in_flight,
    }


def lost_in(folder: Path) -> list[Path]:
    """Files whose last request was never heard of."""
    return [
        path
        for path in folder.glob("*/*.json")
        if any(attempt["state"] == "sent" for attempt in json.loads(path.read_text())["entry"]["attempts"])
    ]


def start_child(opportunities: int, url: str, task: str, folder: Path, name: str) -> "subprocess.Popen[str]":
    command = [
        sys.executable,
        __file__,
        "--opportunities",
        str(opportunities),
        "--child",
        task,
        url,
        str(folder / name),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def run_child(opportunities: int, url: str, task: str, folder: Path, name: str) -> dict[str, Any]:
    process = start_child(opportunities, url, task, folder, name)
    output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"{task} failed")
    found: dict[str, Any] = json.loads(output)
    return found


def judge(opportunities: int, url: str, folder: Path, preset: str = "default") -> dict[str, Any]:
    """Judge everything; seconds by the clock and of the processor, and what came of it."""
    config, topics, table, evidence = setting(opportunities, url, folder)
    config = config.model_copy(update={"preset": preset})
    warm_up(config)
    clock, processor = time.perf_counter(), time.process_time()
    judgement = judge_on(table, topics, evidence, config, folder)
    seconds, work = time.perf_counter() - clock, time.process_time() - processor
    content = judgement.verdicts.to_csv(index=False) + judgement.judged.to_csv(index=False)
    return {"seconds": seconds, "work": work, "spent": judgement.record["spent"], "table": hash_of(content)}


def bare(opportunities: int, url: str, folder: Path) -> dict[str, Any]:
    """The same requests through LangChain's client alone, as many at once; nothing is read, checked or kept."""
    config, topics, table, evidence = setting(opportunities, url, folder)
    rubric = load_rubric(config.preset)
    questions = asks(rubric, config, table, topics, evidence)
    warm_up(config)
    model = Model(config.judges[0], config, config.max_output_tokens, rubric.schema)

    async def worker(waiting: list[Any]) -> None:
        while waiting:
            ask = waiting.pop()
            await model._chat.ainvoke([("system", ask.system), ("human", ask.user)])

    async def every() -> None:
        waiting = list(questions)
        await asyncio.gather(*(worker(waiting) for _ in range(CONCURRENCY)))

    clock, processor = time.perf_counter(), time.process_time()
    asyncio.run(every())
    return {"seconds": time.perf_counter() - clock, "work": time.process_time() - processor}


def names(opportunities: int, url: str, folder: Path) -> dict[str, Any]:
    """Name every topic once, by the words and the titles of five patents."""
    config, topics, table, _ = setting(opportunities, url, folder)
    titles = iter(json.loads((folder.parent / "titles.json").read_text()))
    rows = [{"topic_id": topic, "title": next(titles)} for topic in topics["topic_id"] for _ in range(PATENTS)]
    nothing = {"calls_in_all": 0, "tokens_charged": 0}
    naming = name_topics(table, table, topics, pd.DataFrame(rows), config, nothing, folder)
    return {"spent": naming.record["spent"], "named": naming.record["named"]}


TASKS: dict[str, Callable[[int, str, Path], dict[str, Any]]] = {
    "judge": judge,
    "bare": bare,
    "reference": functools.partial(judge, preset="reference"),
    "names": names,
}


def warm_up(config: JudgeConfig) -> None:
    """Load what the first request loads."""
    model = Model(config.judges[0], config, config.max_output_tokens, load_rubric("default").schema)
    model._chat.get_name()


def setting(opportunities: int, url: str, folder: Path) -> tuple[JudgeConfig, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    config = JudgeConfig(
        judges=("openai:scripted",), base_url=url, concurrency=CONCURRENCY, max_calls=10**6, max_tokens=10**10
    )
    topics, table = topics_and_opportunities(opportunities)
    texts = json.loads((folder.parent / "passages.json").read_text())

    def retrieve(query: str, k: int) -> pd.DataFrame:
        start = sum(map(ord, query)) * 31 % (len(texts) - k)
        return passages(query, k, texts[start : start + k])

    return (
        config,
        topics,
        table,
        gather(table, topics, retrieve, config.evidence, CUTOFF, load_rubric("default").questions()),
    )


def write_passages(folder: Path) -> None:
    """Titles and abstracts as passages."""
    corpus = ingest([DATA / "dpl_google.parquet"]).corpus
    patents = corpus.patents[corpus.patents["abstract"] != ""].head(5000)
    (folder / "passages.json").write_text(json.dumps((patents["title"] + ". " + patents["abstract"]).tolist()))
    (folder / "titles.json").write_text(json.dumps(patents["title"].tolist()))


def hash_of(text: str) -> str:
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()


def table(found: dict[str, Any]) -> list[str]:
    from forecast import machine

    calls = found["whole"]["spent"]["calls"]
    added = (found["whole"]["work"] - found["bare"]["work"]) / calls * 1000
    killed, spent = found["killed"], found["report"]["spent"]
    reference, naming = found["reference"]["spent"], found["names"]["spent"]
    paid_twice = killed["requests"] - calls
    same = killed["final"]["table"] == found["whole"]["table"]
    return [
        "# Judge benchmark",
        "",
        f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}, {machine()}. Reproduce with `make benchmark-judge`.",
        "",
        f"{found['opportunities']} topic pairs, 7 criteria, 5 repeats, {CONCURRENCY} requests at once; a scripted "
        f"server on loopback that takes {WAIT * 1000:.0f} ms. Load at the end: {os.getloadavg()[0]:.1f}.",
        "",
        "| | |",
        "|---|---|",
        f"| requests the server saw, of {calls:,} questions | {found['asked']:,} |",
        f"| most requests in flight, seen by the server | {found['at_once']} |",
        f"| processor time of a call, the whole judge | {found['whole']['work'] / calls * 1000:.1f} ms |",
        f"| the same, LangChain's client alone | {found['bare']['work'] / calls * 1000:.1f} ms |",
        f"| **what we add to a call** | **{added:.1f} ms** |",
        f"| by the clock, the whole judge / the client alone | {found['whole']['seconds']:.0f} s / "
        f"{found['bare']['seconds']:.0f} s |",
        f"| run again: requests, seconds | {found['rerun']}, {found['again']['seconds']:.1f} s |",
        f"| kill -9 and restart, times | {killed['kills']} |",
        f"| requests the server saw over all these runs | {killed['requests']:,} |",
        f"| of them sent twice: in flight at a kill | {paid_twice} (by our own account at most {sum(killed['lost'])}: "
        f"{', '.join(map(str, killed['lost']))}) |",
        f"| the final table is that of the run that was not killed | {'yes' if same else 'NO'} |",
        "",
        "## What a report costs with a real model",
        "",
        f"{REPORT} topic pairs, six passages a criterion, of the length of those of dpl_google (title and abstract); "
        "tokens as characters / 4, the usual rule for English. An answer is "
        "taken as long as the scripted one; a wordy model, or one that thinks first, writes more, up to "
        "`max_output_tokens`.",
        "",
        "| preset | calls | tokens in | tokens out | most it could cost (bytes + limit), a call |",
        "|---|---|---|---|---|",
        f"| default: 7 criteria, 5 repeats | {spent['calls']:,} | {spent['tokens_in']:,} | {spent['tokens_out']:,} | "
        f"{spent['tokens_in'] // spent['calls'] * 4 + 664:,} |",
        f"| reference: one list, 5 repeats | {reference['calls']:,} | {reference['tokens_in']:,} | "
        f"{reference['tokens_out']:,} | {reference['tokens_in'] // reference['calls'] * 4 + 64 + 600 * REPORT:,} |",
        f"| names of {2 * REPORT} topics, with either | {naming['calls']:,} | {naming['tokens_in']:,} | "
        f"{naming['tokens_out']:,} | {naming['tokens_in'] // naming['calls'] * 4 + 664:,} |",
        "",
    ]


if __name__ == "__main__":
    main()
