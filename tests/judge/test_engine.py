"""The way of a question over real HTTP: whatever the server does, every question ends in one outcome."""

import asyncio
import json
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
from judge.case import config_for, judge, judged_by
from judge.server import Act, Request, fair, serving, verdict
from judge.tables import CUTOFF, passages, topics_and_opportunities

from pipeline.errors import ConfigError, JudgeError
from pipeline.judge import engine
from pipeline.judge.panel import judge_opportunities

QUESTIONS = 8  # two opportunities, two criteria, two repeats


def outcomes(verdicts: pd.DataFrame) -> set[str]:
    return set(verdicts["outcome"])


def test_every_question_gets_one_verdict(tmp_path: Path) -> None:
    judgement, server = judged_by(fair, tmp_path)
    assert len(server.requests) == len(judgement.verdicts) == QUESTIONS
    assert outcomes(judgement.verdicts) == {"ok"}
    by_prompt = {request.user: request.digest() % 6 for request in server.requests}
    assert sorted(by_prompt.values()) == sorted(
        judgement.verdicts.drop_duplicates(["opportunity_id", "criterion"])["score"]
    )
    assert judgement.record["calls"] == QUESTIONS
    assert judgement.record["tokens"] == judgement.verdicts[["tokens_in", "tokens_out"]].sum().sum()


def test_a_rerun_sends_nothing_and_gives_the_same_tables(tmp_path: Path) -> None:
    with serving(fair) as server:
        first = judge(server, tmp_path)
        transcript = (tmp_path / "transcript.jsonl").read_bytes()
        second = judge(server, tmp_path)
        assert len(server.requests) == QUESTIONS
    pd.testing.assert_frame_equal(first.verdicts, second.verdicts)
    pd.testing.assert_frame_equal(first.judged, second.judged)
    assert (tmp_path / "transcript.jsonl").read_bytes() == transcript
    assert (second.record["spent"]["calls"], second.record["spent"]["from_store"]) == (0, QUESTIONS)


@pytest.mark.parametrize(
    "changes", [{"temperature": 0.1}, {"judges": ("openai:other",)}, {"evidence": 2}, {"max_output_tokens": 601}]
)
def test_an_answer_is_kept_by_everything_it_depends_on(tmp_path: Path, changes: dict[str, object]) -> None:
    with serving(fair) as server:
        judge(server, tmp_path)
        judge(server, tmp_path, **changes)
        assert len(server.requests) == 2 * QUESTIONS


def test_repeats_are_asked_and_not_copied(tmp_path: Path) -> None:
    scores = iter(range(QUESTIONS))
    lock = threading.Lock()

    def moody(request: Request) -> Act:
        with lock:
            return verdict(request, next(scores) % 6)

    judgement, server = judged_by(moody, tmp_path, concurrency=1)
    assert max(server.counts().values()) == 2  # repeats 0 and 1 share an order, and are two requests all the same
    assert (judgement.verdicts.groupby(["opportunity_id", "criterion"])["score"].nunique() == 2).all()


def test_an_answer_that_breaks_the_rules_is_asked_again_and_then_given_up(tmp_path: Path) -> None:
    def stubborn(request: Request) -> Act:
        return Act("I would give it a 4.") if "firm topic 0" in request.user else fair(request)

    judgement, server = judged_by(stubborn, tmp_path, rejections=2)
    by_opportunity = judgement.verdicts.groupby("opportunity_id")["outcome"].unique().str[0]
    assert by_opportunity.to_dict() == {"O000": "invalid", "O001": "ok"}
    assert len(server.requests) == 4 * 3 + 4
    notes = [request.user.rpartition("Your last answer was not accepted: ")[2] for request in server.requests]
    told = "the answer is not one JSON object alone. Answer again, in the form asked for."
    assert notes.count(told) == 4 * 2
    invalid = judgement.verdicts[judgement.verdicts["outcome"] == "invalid"]
    assert invalid["score"].isna().all()
    assert set(invalid["reason"]) == {"the answer is not one JSON object alone"}
    assert (invalid["tokens_out"] == 3 * (len("I would give it a 4.") // 4 + 1)).all()  # all three were paid for


def test_an_answer_that_names_a_passage_it_was_not_shown_is_asked_again(tmp_path: Path) -> None:
    def inventive(request: Request) -> Act:
        made_up = Act('{"score": 4, "evidence_ids": ["E-deadbeef"], "reason": "an id of nothing"}')
        return fair(request) if "not accepted" in request.user else made_up

    judgement, server = judged_by(inventive, tmp_path, rejections=1)
    assert outcomes(judgement.verdicts) == {"ok"}
    assert len(server.requests) == 2 * QUESTIONS
    shown = judgement.evidence.groupby("opportunity_id")["evidence_id"].agg(set)
    for name, cited in judgement.verdicts[["opportunity_id", "evidence_ids"]].to_numpy():
        assert cited in shown[name]


@pytest.mark.parametrize(
    "refusal",
    [
        Act(None, refusal="I cannot judge that."),
        Act("", finish="content_filter"),
        Act('{"score": null, "evidence_ids": [], "reason": "nothing to go by"}'),
    ],
)
def test_a_refusal_is_an_outcome_and_not_asked_again(tmp_path: Path, refusal: Act) -> None:
    judgement, server = judged_by(lambda request: refusal, tmp_path)
    assert len(server.requests) == QUESTIONS
    assert outcomes(judgement.verdicts) == {"refused"}
    assert judgement.judged["abstained"].all()


FAULTS = [
    Act(status=429, raw=b'{"error": {"message": "slow down"}}', headers={"Retry-After": "0.05"}),
    Act(status=429, raw=b"{}", headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    Act(status=500, raw=b"oops"),
    Act(status=503, raw=b"<html>down</html>"),
    Act(raw=b"<html>a gateway</html>", headers={"Content-Type": "text/html"}),
    Act(raw=b"<html>a gateway</html>"),
    Act(raw=b'{"id": "x", "choi'),
    Act(raw=b"[]"),
    Act(raw=b'{"error": {"message": "boom"}}'),
    Act('{"score": 1, "evidence_ids": [], "reason": "dropped in mid-answer"}', drop=True),
    Act('{"score": 1, "evidence_ids": [], "reason": "very slow"}', wait=20),
    Act('{"score": 1, "evidence_ids": [], "reason": "dripping, and never silent for long"}', drip=0.2),
]


def test_faults_of_the_server_are_tried_again(tmp_path: Path) -> None:
    first_times = iter(FAULTS)
    lock = threading.Lock()

    def troubled(request: Request) -> Act:
        with lock:
            return fair(request) if request.times else next(first_times)

    judgement, server = judged_by(troubled, tmp_path, count=6, repeats=1, retries=1, timeout=4, concurrency=12)
    assert outcomes(judgement.verdicts) == {"ok"}
    assert len(judgement.verdicts) == len(FAULTS) == 12
    assert len(server.requests) == judgement.record["calls"] == 2 * len(FAULTS)
    assert judgement.record["spent"]["calls_failed"] == len(FAULTS)
    lines = [json.loads(line) for line in (tmp_path / "transcript.jsonl").read_text().splitlines()]
    details = [line["attempts"][0]["detail"] for line in lines]
    assert details.count("HTTP 429: too many requests") == 2
    assert details.count("HTTP 500") == details.count("HTTP 503") == 1
    assert details.count("no answer within 4 s") == 2
    assert sum("not a chat answer" in detail for detail in details) == 5
    assert details.count("the connection broke before the answer was whole") == 1
    assert all(line["attempts"][1]["state"] == "answered" for line in lines)


def test_a_fault_that_lasts_is_an_error_and_asked_again_by_the_next_run(tmp_path: Path) -> None:
    with serving(lambda request: Act(status=500, raw=b"oops")) as server:
        judgement = judge(server, tmp_path, count=1, retries=1, concurrency=1)
        assert outcomes(judgement.verdicts) == {"error"}
        assert set(judgement.verdicts["reason"]) == {"HTTP 500"}
        assert len(server.requests) == 4 * 2
        server.script = fair
        assert outcomes(judge(server, tmp_path, count=1).verdicts) == {"ok"}


def test_a_judge_that_fails_all_the_time_is_given_up(tmp_path: Path) -> None:
    judgement, server = judged_by(
        lambda request: Act(status=400, raw=b'{"error": {"message": "context too long"}}'),
        tmp_path,
        count=5,
        concurrency=1,
    )
    assert len(server.requests) == engine.GIVE_UP
    assert outcomes(judgement.verdicts) == {"error"}
    reasons = judgement.verdicts["reason"].value_counts()
    assert reasons["HTTP 400: Error code: 400 - context too long"] == engine.GIVE_UP
    assert reasons["not asked: the judge failed 5 questions in a row"] == 20 - engine.GIVE_UP


def test_the_time_a_server_asks_for_is_waited_by_all(tmp_path: Path) -> None:
    times: list[float] = []

    def busy(request: Request) -> Act:
        times.append(time.monotonic())
        headers = {"Retry-After": "1"}
        return Act(status=429, raw=b"{}", headers=headers) if request.number == 0 else fair(request)

    judged_by(busy, tmp_path, concurrency=1)
    assert times[1] - times[0] >= 0.95


@pytest.mark.parametrize(("status", "said"), [(401, "does not accept the key"), (404, "is not known there")])
def test_a_key_or_model_that_is_not_accepted_ends_the_run_with_one_line(tmp_path: Path, status: int, said: str) -> None:
    with serving(lambda request: Act(status=status, raw=b'{"error": {"message": "no"}}')) as server:
        with pytest.raises(JudgeError, match=said) as caught:
            judge(server, tmp_path)
        assert "\n" not in str(caught.value)
        assert len(server.requests) <= 4


@pytest.mark.parametrize(
    ("judges", "said"),
    [
        (("anthropic:x",), "needs ANTHROPIC_API_KEY"),
        (("mistralai:x",), "pip install langchain-mistralai"),
        (("nonsense:x",), "provider 'nonsense'"),
    ],
)
def test_a_judge_that_cannot_be_made_is_one_line(tmp_path: Path, judges: tuple[str, ...], said: str) -> None:
    with serving(fair) as server, pytest.raises(ConfigError, match=said) as caught:
        judge(server, tmp_path, judges=judges)
    assert "\n" not in str(caught.value)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-planted")
    with serving(fair) as server, pytest.raises(ConfigError, match="pip install langchain-anthropic"):
        judge(server, tmp_path, judges=("anthropic:x",))


def test_the_server_may_be_named_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(fair) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert outcomes(judge(server, tmp_path, base_url=None).verdicts) == {"ok"}
        assert len(server.requests) == QUESTIONS


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_requests_are_in_flight_than_configured(tmp_path: Path, concurrency: int) -> None:
    def slow(request: Request) -> Act:
        act = fair(request)
        act.wait = 0.05
        return act

    _, server = judged_by(slow, tmp_path, count=3, concurrency=concurrency)
    assert server.most_at_once <= concurrency


def test_the_rate_is_kept(tmp_path: Path) -> None:
    start = time.monotonic()
    _, server = judged_by(fair, tmp_path, count=1, rate_per_minute=90)
    assert len(server.requests) == 4
    assert time.monotonic() - start >= 2  # three pauses of two thirds of a second, however busy the machine


def test_a_panel_of_models_is_asked_alike(tmp_path: Path) -> None:
    judgement, server = judged_by(fair, tmp_path, judges=("openai:one", "openai:two"))
    assert {request.body["model"] for request in server.requests} == {"one", "two"}
    assert len(server.requests) == 2 * QUESTIONS
    assert set(judgement.judged["judge"]) == {"openai:one", "openai:two", "panel"}


def test_ollama_is_asked_in_its_own_protocol(tmp_path: Path) -> None:
    def local(request: Request) -> Act:
        said = {"role": "assistant", "content": verdict(request, 4).content}
        counts = {"done": True, "done_reason": "stop", "prompt_eval_count": 11, "eval_count": 5}
        line = {"model": "x", "created_at": "2026-01-01T00:00:00Z", "message": said, **counts}
        headers = {"Content-Type": "application/x-ndjson"}
        return Act(raw=json.dumps(line).encode() + b"\n", headers=headers)

    with serving(local) as server:
        judgement = judge(server, tmp_path, judges=("ollama:x",), base_url=server.url.removesuffix("/v1"))
        assert set(judgement.verdicts["score"]) == {4}
        assert set(judgement.verdicts["tokens_in"]) == {11}
        assert len(server.requests) == QUESTIONS
        assert server.requests[0].body["options"] == {"num_predict": 600, "temperature": 0.7}
        server.script = lambda request: Act(status=500, raw=b"oops")
        failed = judge(
            server, tmp_path, count=1, judges=("ollama:y",), base_url=server.url.removesuffix("/v1"), retries=0
        )
        assert set(failed.verdicts["reason"]) == {"HTTP 500"}


def test_the_schema_is_bound_where_that_is_asked_for(tmp_path: Path) -> None:
    judgement, server = judged_by(fair, tmp_path, structured=True)
    assert outcomes(judgement.verdicts) == {"ok"}
    assert server.requests[0].body["response_format"]["json_schema"]["schema"]["required"] == [
        "score",
        "evidence_ids",
        "reason",
    ]


def test_a_cut_off_answer_under_a_schema_keeps_its_cost(tmp_path: Path) -> None:
    judgement, server = judged_by(
        lambda request: Act('{"sco', finish="length"), tmp_path, structured=True, rejections=0
    )
    assert outcomes(judgement.verdicts) == {"invalid"}
    assert set(judgement.verdicts["reason"]) == {"the answer was cut off at max_output_tokens"}
    assert judgement.verdicts["tokens_in"].notna().all()
    assert len(server.requests) == QUESTIONS


def test_requests_carry_no_tools_and_no_more_than_asked(tmp_path: Path) -> None:
    _, server = judged_by(fair, tmp_path)
    for request in server.requests:
        assert set(request.body) == {
            "model",
            "messages",
            "stream",
            "temperature",
            "max_tokens",
            "max_completion_tokens",
        }
        assert [message["role"] for message in request.body["messages"]] == ["system", "user"]


def test_two_runs_do_not_pay_for_the_same_answers_at_once(tmp_path: Path) -> None:
    inside, release = threading.Event(), threading.Event()

    def held(request: Request) -> Act:
        inside.set()
        release.wait(20)
        return fair(request)

    with serving(held) as server:
        other = threading.Thread(target=judge, args=(server, tmp_path))
        other.start()
        inside.wait(20)
        with pytest.raises(JudgeError, match="in use by another run"):
            judge(server, tmp_path)
        release.set()
        other.join()
        assert len(server.requests) == QUESTIONS


def test_it_can_be_called_where_an_event_loop_runs_already(tmp_path: Path) -> None:
    async def notebook() -> set[str]:
        with serving(fair) as server:
            return outcomes(judge(server, tmp_path).verdicts)

    assert asyncio.run(notebook()) == {"ok"}


def test_progress_is_told_to_the_last_question(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    topics, opportunities = topics_and_opportunities(2)
    with serving(fair) as server:
        judge_opportunities(
            opportunities, topics, passages, CUTOFF, config_for(server.url), tmp_path, lambda *now: told.append(now)
        )
    assert told == [(done, QUESTIONS) for done in range(1, QUESTIONS + 1)]
