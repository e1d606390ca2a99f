"""Questions put by shares: the judgement of one process, in one budget, whoever puts them and is lost on the way."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from judge.case import config_for, judge, judged_by
from judge.server import Server, fair, serving
from judge.tables import CUTOFF, passages, topics_and_opportunities

from pipeline.errors import JudgeError
from pipeline.judge import shares
from pipeline.judge.panel import Judgement, judge_opportunities
from pipeline.judge.shares import put_share
from pipeline.mapping import Item, Made, Mapper, in_turn

QUESTIONS = 8  # two opportunities, two criteria, two repeats


@pytest.fixture(autouse=True)
def small_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "SHARE", 3)


def judge_by(mapper: Mapper, server: Server, folder: Path, **changes: Any) -> Judgement:
    """``judge``, the questions given to the mapper."""
    topics, opportunities = topics_and_opportunities(2)
    config = config_for(server.url, **changes)
    transcript = folder / "transcript.jsonl"
    answers = folder / "answers"
    return judge_opportunities(
        opportunities, topics, passages, CUTOFF, config, answers, transcript=transcript, mapper=mapper
    )


def test_the_judgement_is_that_of_one_process(tmp_path: Path) -> None:
    alone, _ = judged_by(fair, tmp_path / "alone")
    with serving(fair) as server:
        shared = judge_by(in_turn, server, tmp_path / "shared")
    assert len(server.requests) == QUESTIONS
    assert {**shared.record, "config": None} == {**alone.record, "config": None}  # but for the servers' ports
    for name in ("verdicts", "judged", "reliability", "evidence"):
        pd.testing.assert_frame_equal(getattr(shared, name), getattr(alone, name))
    lines = [set((tmp_path / who / "transcript.jsonl").read_text().splitlines()) for who in ("alone", "shared")]
    assert len(lines[0]) == QUESTIONS
    questions = [{line.partition('"base_url"')[0] for line in some} for some in lines]  # the servers' ports differ
    assert questions[0] == questions[1]


def test_nothing_answered_is_given_away_again(tmp_path: Path) -> None:
    with serving(fair) as server:
        first = judge(server, tmp_path)
        given: list[object] = []

        def watched(function: Callable[[Item], Made], items: Iterable[Item], /) -> Iterator[Made]:
            for item in items:
                given.append(item)
                yield function(item)

        second = judge_by(watched, server, tmp_path)
    assert not given
    assert len(server.requests) == QUESTIONS
    pd.testing.assert_frame_equal(first.verdicts, second.verdicts)
    assert (second.record["spent"]["calls"], second.record["spent"]["from_store"]) == (0, QUESTIONS)


@pytest.mark.parametrize("most", [0, 1, 5, 7, 8])
def test_the_budget_is_one_for_all_shares(tmp_path: Path, most: int) -> None:
    with serving(fair) as server:
        judgement = judge_by(in_turn, server, tmp_path, max_calls=most)
    assert len(server.requests) == most
    assert judgement.record["spent"]["calls"] == most
    assert (judgement.verdicts["outcome"] == "over_budget").sum() == QUESTIONS - most


def test_tokens_too(tmp_path: Path) -> None:
    with serving(fair) as server:
        judge(server, tmp_path / "whole")
        [first, *_] = (tmp_path / "whole" / "answers").rglob("*.json")
        reserved = json.loads(first.read_text())["entry"]["attempts"][0]["reserved"]
        server.requests.clear()
        most = 3 * reserved  # a third of it for each share, where some questions take a little more
        judgement = judge_by(in_turn, server, tmp_path / "less", max_tokens=most)
    assert 0 < judgement.record["spent"]["tokens_charged"] <= most
    assert judgement.record["spent"]["calls"] == len(server.requests) > 0


def test_a_share_that_is_put_twice_is_paid_once(tmp_path: Path) -> None:
    def lost_at_the_end(function: Callable[[Item], Made], items: Iterable[Item], /) -> Iterator[Made]:
        for item in items:
            function(item)  # the worker dies before it can tell
            yield function(item)

    with serving(fair) as server:
        judgement = judge_by(lost_at_the_end, server, tmp_path)
    assert len(server.requests) == QUESTIONS
    assert judgement.record["spent"]["calls"] == QUESTIONS


def test_answers_that_a_worker_keeps_elsewhere_are_told(tmp_path: Path) -> None:
    def apart(function: Callable[[Item], Made], items: Iterable[Item], /) -> Iterator[Made]:
        config, _, version = function.args  # type: ignore[attr-defined]
        return (put_share(config, tmp_path / "own", version, item) for item in items)  # type: ignore[arg-type,misc]

    with serving(fair) as server, pytest.raises(JudgeError, match="all must share that folder"):
        judge_by(apart, server, tmp_path)
    assert len(server.requests) == 3  # of one share: no more is paid for what nobody finds


def test_a_worker_with_another_rubric_asks_nothing(tmp_path: Path) -> None:
    with serving(fair) as server, pytest.raises(JudgeError, match="another rubric"):
        put_share(config_for(server.url), tmp_path, "not this one", shares.Share((), 1, 1))
    assert not server.requests
