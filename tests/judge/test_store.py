"""Answers on disk: kept by content, whole or not at all, without a key; and what a budget lets through."""

import asyncio
import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judge.case import TWO, judge, judged_by
from judge.conftest import KEY
from judge.server import Act, Request, fair, serving

from pipeline.errors import JudgeError
from pipeline.judge.budget import Budget, most_tokens
from pipeline.judge.store import AnswerStore, Attempt, Entry, Question

QUESTION = Question({"user": "a question", "judge": "openai:x"})


def answered(reply: str) -> Entry:
    sent = Entry(question=QUESTION.content).with_sent(100)
    return sent.with_last(state="answered", reply=reply, tokens_in=7, tokens_out=3)


@settings(deadline=None)
@given(reply=st.text(max_size=200))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, reply: str) -> None:
    store = AnswerStore(tmp_path_factory.mktemp("answers"))
    store.write(QUESTION, answered(reply))
    assert store.read(QUESTION) == answered(reply)
    assert store.read(Question({"user": "another"})).attempts == []


@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied", "foreign", "edited", "another's"])
def test_a_damaged_answer_is_noticed_and_asked_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    store = AnswerStore(tmp_path)
    store.write(QUESTION, answered("score 3"))
    (path,) = tmp_path.rglob("*.json")
    text = path.read_text()
    path.write_text(
        {
            "truncated": text[: len(text) // 2],
            "flipped": text.replace('"tokens_in": 7', '"tokens_in": 6'),
            "emptied": "",
            "foreign": "[]",
            "edited": text.replace("score 3", "score 5"),
            "another's": json.dumps({**json.loads(text), "format": 0}),
        }[damage]
    )
    with caplog.at_level(logging.WARNING):
        assert store.read(QUESTION).attempts == []
    assert f"{path} is damaged" in caplog.text


def test_a_store_below_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JudgeError, match="cannot write to"), AnswerStore(tmp_path / "file" / "a").locked():
        pass


@pytest.mark.parametrize(
    ("attempt", "cost"),
    [
        (Attempt(state="answered", reserved=100, tokens_in=7, tokens_out=3), 10),
        (Attempt(state="answered", reserved=100), 100),  # the server told nothing
        (Attempt(state="sent", reserved=100), 100),  # nobody knows
        (Attempt(state="failed", reserved=100, billed=False), 0),
        (Attempt(state="failed", reserved=100, billed=True), 100),
    ],
)
def test_a_request_is_charged_what_was_told_or_the_most_it_can_have_cost(attempt: Attempt, cost: int) -> None:
    assert attempt.cost() == cost


@settings(deadline=None, max_examples=40)
@given(
    calls=st.integers(0, 8),
    tokens=st.integers(0, 60),
    costs=st.lists(st.tuples(st.integers(1, 20), st.integers(0, 20)), max_size=12),
    workers=st.integers(1, 4),
)
def test_a_budget_is_never_passed_whatever_comes(
    calls: int, tokens: int, costs: list[tuple[int, int]], workers: int
) -> None:
    """Requests of so many tokens at most, which then cost as much or less."""
    sent: list[int] = []

    async def spend() -> None:
        budget = Budget(calls, tokens)
        waiting: Iterator[tuple[int, int]] = iter(costs)

        async def worker() -> None:
            for most, cost in waiting:
                if await budget.reserve(most):
                    sent.append(min(cost, most))
                    await asyncio.sleep(0)
                    told = Attempt(state="answered", reserved=most, tokens_in=min(cost, most), tokens_out=0)
                    await budget.settle(told)
                assert budget.calls <= calls
                assert budget.tokens <= tokens

        await asyncio.gather(*(worker() for _ in range(workers)))

    asyncio.run(spend())
    assert len(sent) <= calls
    assert sum(sent) <= tokens
    if sum(most for most, _ in costs) <= tokens and len(costs) <= calls:
        assert len(sent) == len(costs)


def test_the_most_a_request_can_cost_is_more_than_any_tokeniser_makes_of_it() -> None:
    assert most_tokens("ab", "é中", 10) >= 2 + 5 + 10


def test_a_budget_of_calls_ends_the_asking_and_counts_what_was_left(tmp_path: Path) -> None:
    with serving(fair) as server:
        short = judge(server, tmp_path, max_calls=5)
        assert len(server.requests) == 5
        assert short.record["outcomes"]["over_budget"] == 3
        assert "3 of 8 verdicts have no score: over_budget 3" in short.record["notes"]
        assert len(judge(server, tmp_path, max_calls=5).verdicts) == 8
        assert len(server.requests) == 5  # what earlier runs spent counts
        assert judge(server, tmp_path, max_calls=8).record["outcomes"]["ok"] == 8


def test_a_budget_of_tokens_is_kept_even_where_the_server_tells_none(tmp_path: Path) -> None:
    def silent(request: Request) -> Act:
        act = fair(request)
        act.usage = False
        return act

    judgement, server = judged_by(silent, tmp_path, max_tokens=20_000)
    most = [most_tokens(request.system, request.user, 600) for request in server.requests]
    assert 0 < sum(most) <= 20_000 < sum(most) + max(most)
    assert judgement.record["outcomes"]["over_budget"] == 8 - len(most)
    assert judgement.verdicts["tokens_in"].isna().all()
    assert any("servers told no tokens" in note for note in judgement.record["notes"])


def test_no_key_is_written_said_or_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A server that says the key back in every way it can."""
    said = [
        Act(json.dumps({"score": 1, "evidence_ids": [], "reason": f"your key is {KEY}"})),
        Act(f"not JSON, but {KEY}"),
        Act(None, refusal=f"not with {KEY}"),
        Act(status=400, raw=json.dumps({"error": {"message": f"bad key {KEY}"}}).encode()),
        Act(status=500, raw=KEY.encode()),
        Act(raw=KEY.encode()),
    ]
    with caplog.at_level(logging.DEBUG), serving(lambda request: said[request.number % len(said)]) as server:
        judgement = judge(server, tmp_path, count=4, retries=1)
        assert all(request.headers["authorization"] == f"Bearer {KEY}" for request in server.requests)
        server.script = lambda request: Act(status=401, raw=json.dumps({"error": {"message": f"no {KEY}"}}).encode())
        with pytest.raises(JudgeError) as caught:
            judge(server, tmp_path / "refused")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    tables = "".join(table.to_csv() for table in (judgement.verdicts, judgement.judged, judgement.evidence))
    for text in (written.decode(), tables, json.dumps(judgement.record), str(caught.value), caplog.text):
        assert KEY not in text
    assert "[secret]" in written.decode()


@pytest.mark.parametrize(
    "url", ["https://user:pass@host/v1", "https://host/v1?key=abc", "host/v1", "file:///etc/passwd"]
)
def test_a_server_is_named_without_secrets(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValueError, match="the server's URL must"):
        judged_by(fair, tmp_path, base_url=url)


CHILD = """
import sys
from pathlib import Path
from judge.case import judge
from judge.server import Server, fair
judge(Server(sys.argv[1], [], fair), Path(sys.argv[2]), count=10, concurrency=3)
"""


def test_killed_at_any_moment_no_answer_that_arrived_is_paid_twice(tmp_path: Path) -> None:
    """Killed twice at some moment, with requests in flight or between two; counted at the server."""

    def slow(request: Request) -> Act:
        act = fair(request)
        act.wait = 0.05
        return act

    tests = TWO.parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)])}
    source = random.Random(4)
    with serving(slow) as server:
        for _ in range(2):
            until = len(server.requests) + source.randint(3, 9)
            child = subprocess.Popen([sys.executable, "-c", CHILD, server.url, str(tmp_path)], env=environment)
            while len(server.requests) < until and child.poll() is None:
                time.sleep(0.002)
            assert child.poll() is None, "it ended before it was killed"
            child.send_signal(signal.SIGKILL)
            child.wait()
        before = len(server.requests)
        continued = judge(server, tmp_path, count=10, concurrency=3)
        spent = continued.record["spent"]
        assert spent["calls"] == len(server.requests) - before
        # all that was sent more often than there are questions was in flight at a kill, and the store knows of it
        assert len(server.requests) - 40 <= spent["calls_lost"] <= 2 * 3
        assert spent["calls_in_all"] >= len(server.requests)
        assert any("in flight when a run was killed" in note for note in continued.record["notes"])
        whole = judge(server, tmp_path / "whole", count=10)
    pd.testing.assert_frame_equal(continued.verdicts, whole.verdicts)
    pd.testing.assert_frame_equal(continued.judged, whole.judged)


@pytest.mark.slow
def test_an_interrupt_keeps_what_is_in_flight(tmp_path: Path) -> None:
    """Ctrl-C: nothing more is sent, and what was sent is waited for and kept: no request is made twice."""
    child_text = CHILD.replace(
        "judge(Server", "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\njudge(Server"
    )

    def slow(request: Request) -> Act:
        act = fair(request)
        act.wait = 0.3
        return act

    tests = TWO.parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)])}
    with serving(slow) as server:
        command = [sys.executable, "-c", child_text, server.url, str(tmp_path)]
        child = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        while len(server.requests) < 5 and child.poll() is None:
            time.sleep(0.005)
        child.send_signal(signal.SIGINT)
        assert child.wait(60) != 0
        assert len(server.requests) < 40
        server.script = fair
        continued = judge(server, tmp_path, count=10)
        assert len(server.requests) == 40
    assert continued.record["spent"]["calls_lost"] == 0
