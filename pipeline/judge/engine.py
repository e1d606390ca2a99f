"""Puts the questions to the judges: from the store where they were answered, else over the network, within the budget.

One event loop serves all requests; at most ``concurrency`` are in flight. An interrupt (Ctrl-C) or a lasting failure
sends nothing more, waits for what is in flight and keeps it.
"""

import asyncio
import collections
import dataclasses
import functools
import os
import threading
from collections.abc import Callable, Sequence

from pipeline.judge.asks import Answer, Ask, RejectedError
from pipeline.judge.budget import Budget, most_tokens
from pipeline.judge.client import FailureError, Model, base_url_of
from pipeline.judge.config import JudgeConfig
from pipeline.judge.rubric import Rubric
from pipeline.judge.store import AnswerStore, Entry, Question

GIVE_UP = 5  # questions in a row that a judge fails before the rest are not put to it
LONGEST_WAIT = 300.0  # seconds that a server may ask to wait


@dataclasses.dataclass(frozen=True)
class Settled:
    """What became of a question. Tokens: of all answers got for it, None where the server told of none."""

    ask: Ask
    outcome: str
    answers: list[Answer]
    reason: str
    tokens_in: int | None
    tokens_out: int | None


@dataclasses.dataclass(frozen=True)
class Spent:
    """Requests and tokens: of this run, and of all runs that made these answers."""

    questions: int
    from_store: int  # settled before
    calls: int  # made by this run
    calls_in_all: int
    calls_lost: int  # in flight when an earlier run was killed
    calls_failed: int
    tokens_in: int  # as told by the servers, of all runs
    tokens_out: int
    tokens_charged: int  # with the most that calls without a telling can have cost


def put(
    asks: Sequence[Ask],
    rubric: Rubric,
    config: JudgeConfig,
    store: AnswerStore,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Settled], Spent]:
    """Settle every question, in the order given. ``progress`` is told how many are settled, and of how many: at every
    hundredth and at the end.

    Raises:
        JudgeError: when a judge cannot be used at all; what was answered until then is kept.
        ConfigError: when a judge cannot be made.
    """
    with store.locked():
        return settle(asks, rubric, config, store, progress)


def settle(
    asks: Sequence[Ask],
    rubric: Rubric,
    config: JudgeConfig,
    store: AnswerStore,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Settled], Spent]:
    """``put``, for who holds the store already."""
    run = _Run(asks, rubric, config, store, progress)
    running = asyncio.run_coroutine_threadsafe(run.all(), _loop(os.getpid()))
    try:
        return running.result()
    except (KeyboardInterrupt, SystemExit):  # Ctrl-C, SIGTERM
        run.stopped = True
        running.result()  # what is in flight is paid for: keep it
        raise


def question_of(ask: Ask, rubric: Rubric, config: JudgeConfig) -> Question:
    """A question as it is kept."""
    content = {
        "judge": ask.judge,
        "base_url": base_url_of(ask.judge, config),
        "temperature": config.temperature,
        "max_output_tokens": ask.max_output_tokens,
        "structured": config.structured,
        "rubric": rubric.version,
        "criterion": ask.criterion,
        "repeat": ask.repeat,
        "order": ask.order,
        "opportunities": list(ask.opportunities),
        "system": ask.system,
        "user": ask.user,
    }
    return Question(content)


def reading(entry: Entry, ask: Ask, rejections: int) -> Settled | None:
    """What the requests made so far say of a question; None while it may be asked (again)."""
    rejected = ""
    times = 0
    for attempt in entry.attempts:
        if attempt.state == "refused":
            return _settled(entry, ask, "refused", [], attempt.detail or "the model declined")
        if attempt.state == "answered":
            answers, rejected = _accepted(attempt.reply, attempt.detail, ask)
            if answers:
                declined = all(answer.declined for answer in answers)
                return _settled(entry, ask, "refused" if declined else "ok", answers, answers[0].reason)
            times += 1
            if times > rejections:
                return _settled(entry, ask, "invalid", [], rejected)
    return None


def _accepted(reply: str, detail: str, ask: Ask) -> tuple[list[Answer], str]:
    """The answers a reply holds, or none and the rule it broke."""
    if detail:
        return [], detail
    try:
        return ask.accept(reply), ""
    except RejectedError as error:
        return [], str(error)


def _settled(entry: Entry, ask: Ask, outcome: str, answers: list[Answer], reason: str) -> Settled:
    told_in = [attempt.tokens_in for attempt in entry.attempts if attempt.tokens_in is not None]
    told_out = [attempt.tokens_out for attempt in entry.attempts if attempt.tokens_out is not None]
    return Settled(
        ask, outcome, answers, reason, sum(told_in) if told_in else None, sum(told_out) if told_out else None
    )


class _Run:
    """The questions of one run, on their way through the workers."""

    def __init__(
        self,
        asks: Sequence[Ask],
        rubric: Rubric,
        config: JudgeConfig,
        store: AnswerStore,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.asks, self.rubric, self.config, self.store = asks, rubric, config, store
        self.progress = progress
        self.questions: list[Question] = [question_of(ask, rubric, config) for ask in asks]
        self.stopped = False
        self.error: Exception | None = None
        self.settled: dict[int, Settled] = {}
        self.entries: dict[int, Entry] = {}
        self.failures: collections.Counter[str] = collections.Counter()  # in a row, by judge
        self.wait_until: dict[str, float] = collections.defaultdict(float)  # by judge
        self.calls = 0
        self.budget = Budget(config.max_calls, config.max_tokens)
        self.models = {
            (judge, most): Model(judge, config, most, rubric.schema)
            for judge, most in {(ask.judge, ask.max_output_tokens) for ask in asks}
        }

    async def all(self) -> tuple[list[Settled], Spent]:
        self._from_store()
        from_store = len(self.settled)
        waiting = collections.deque(number for number in range(len(self.asks)) if number not in self.settled)
        await asyncio.gather(*(self._worker(waiting) for _ in range(min(self.config.concurrency, len(waiting)))))
        if self.error:
            raise self.error
        if self.stopped:
            return [], self._spent(from_store)
        return [self.settled[number] for number in range(len(self.asks))], self._spent(from_store)

    def _from_store(self) -> None:
        """Take what is answered; what earlier runs spent on these questions counts towards the budget."""
        for number, ask in enumerate(self.asks):
            entry = self.store.read(self.questions[number])
            for attempt in entry.attempts:
                self.budget.charge(attempt)
            self._keep(number, entry, reading(entry, ask, self.config.rejections))

    async def _worker(self, waiting: "collections.deque[int]") -> None:
        while waiting and not self.stopped:
            number = waiting.popleft()
            try:
                await self._settle(number)
            except Exception as error:
                self.stopped = True
                self.error = self.error or error

    async def _settle(self, number: int) -> None:
        ask = self.asks[number]
        entry = self.entries[number]
        failed = 0
        while not self.stopped:
            result = reading(entry, ask, self.config.rejections)
            if result is None and self.failures[ask.judge] >= GIVE_UP:
                reason = f"not asked: the judge failed {GIVE_UP} questions in a row"
                result = _settled(entry, ask, "error", [], reason)
            if result is not None:
                self._keep(number, entry, result)
                return
            await self._patience(ask.judge)
            await self.models[ask.judge, ask.max_output_tokens].ready()
            if self.stopped:
                return
            sent = await self._send(number, entry)
            if sent is None:
                self._keep(number, entry, _settled(entry, ask, "over_budget", [], "the budget was spent"))
                return
            entry, failure = sent
            if failure is None:
                self.failures[ask.judge] = 0
                continue
            failed += 1
            if failure.lasting or failed > self.config.retries or (failure.retry_after or 0) > LONGEST_WAIT:
                self.failures[ask.judge] += 1
                self._keep(number, entry, _settled(entry, ask, "error", [], failure.detail))
                return
            self._wait(ask.judge, failure, failed)

    async def _send(self, number: int, entry: Entry) -> tuple[Entry, FailureError | None] | None:
        """One request: None when the budget does not allow it, else the entry with it, and how it failed."""
        ask = self.asks[number]
        model = self.models[ask.judge, ask.max_output_tokens]
        user = ask.user + self._note(entry, ask)
        most = most_tokens(ask.system, user, ask.max_output_tokens)
        if not await self.budget.reserve(most):
            return None
        question = self.questions[number]
        entry = entry.with_sent(most)
        failure = None
        try:
            self.store.write(question, entry)
            self.calls += 1
            reply = await model.send(ask.system, user)
        except FailureError as error:
            failure = error
            entry = entry.with_last(state="failed", detail=error.detail, billed=error.billed)
        except Exception:
            entry = entry.with_last(state="failed", detail="the judge cannot be used", billed=False)
            raise
        else:
            state = "refused" if reply.finish == "refused" else "answered"
            detail = "the answer was cut off at max_output_tokens" if reply.finish == "length" else reply.detail
            entry = entry.with_last(
                state=state, reply=reply.text, detail=detail, tokens_in=reply.tokens_in, tokens_out=reply.tokens_out
            )
        finally:
            self.entries[number] = entry
            self.store.write(question, entry)
            await self.budget.settle(entry.attempts[-1])
        return entry, failure

    def _note(self, entry: Entry, ask: Ask) -> str:
        """What to add to the request after an answer that broke the rules; in our words, none of the model's."""
        answered = [attempt for attempt in entry.attempts if attempt.state == "answered"]
        if not answered:
            return ""
        _, rejected = _accepted(answered[-1].reply, answered[-1].detail, ask)
        return f"\n\nYour last answer was not accepted: {rejected}. Answer again, in the form asked for."

    def _wait(self, judge: str, failure: FailureError, failed: int) -> None:
        """Nothing goes to the judge for as long as it asks, or twice as long as the last time."""
        seconds = failure.retry_after
        if seconds is None:
            seconds = min(self.config.backoff * 2 ** (failed - 1), LONGEST_WAIT)
        self.wait_until[judge] = max(self.wait_until[judge], asyncio.get_running_loop().time() + seconds)

    async def _patience(self, judge: str) -> None:
        loop = asyncio.get_running_loop()
        while (left := self.wait_until[judge] - loop.time()) > 0 and not self.stopped:
            await asyncio.sleep(min(left, 0.2))  # in short steps, to notice an interrupt

    def _keep(self, number: int, entry: Entry, result: Settled | None) -> None:
        self.entries[number] = entry
        if result is not None:
            self.settled[number] = result
            done, all_of_them = len(self.settled), len(self.asks)
            if self.progress and (done % max(all_of_them // 100, 1) == 0 or done == all_of_them):
                self.progress(done, all_of_them)

    def _spent(self, from_store: int) -> Spent:
        attempts = [attempt for entry in self.entries.values() for attempt in entry.attempts]
        return Spent(
            questions=len(self.asks),
            from_store=from_store,
            calls=self.calls,
            calls_in_all=len(attempts),
            calls_lost=sum(attempt.state == "sent" for attempt in attempts),
            calls_failed=sum(attempt.state == "failed" for attempt in attempts),
            tokens_in=sum(attempt.tokens_in or 0 for attempt in attempts),
            tokens_out=sum(attempt.tokens_out or 0 for attempt in attempts),
            tokens_charged=sum(attempt.cost() for attempt in attempts),
        )


@functools.cache
def _loop(process: int) -> asyncio.AbstractEventLoop:
    """The event loop of this process, in a thread of its own: the caller may run one already (a notebook), and HTTP
    clients that LangChain keeps belong to the loop that they were first used in."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="judge", daemon=True).start()
    return loop
