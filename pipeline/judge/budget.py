"""What may be spent: requests and tokens are reserved before they are sent, so the limits are never passed."""

import asyncio
from collections.abc import Iterable, Mapping

from pipeline.judge.config import JudgeConfig
from pipeline.judge.store import Attempt

_OVERHEAD = 64  # tokens that a chat template may put around the messages


def most_tokens(system: str, user: str, max_output_tokens: int) -> int:
    """The most tokens a request can cost: no tokeniser in use needs more tokens than there are bytes."""
    return len(system.encode()) + len(user.encode()) + _OVERHEAD + max_output_tokens


def left_of(config: JudgeConfig, spent: Iterable[Mapping[str, int]]) -> JudgeConfig:
    """The configuration with what others have left of its budget; ``spent``: of each, as in ``engine.Spent``."""
    others = list(spent)
    calls = max(0, config.max_calls - sum(of["calls_in_all"] for of in others))
    tokens = max(0, config.max_tokens - sum(of["tokens_charged"] for of in others))
    return config.model_copy(update={"max_calls": calls, "max_tokens": tokens})


class Budget:
    """Requests and tokens spent so far, of those allowed. For one event loop.

    Once a request did not fit, nothing more is sent.
    """

    def __init__(self, max_calls: int, max_tokens: int) -> None:
        self.max_calls = max_calls
        self.max_tokens = max_tokens
        self.calls = 0
        self.tokens = 0
        self.exhausted = False
        self._reserved: list[int] = []  # by requests in flight
        self._settled = asyncio.Condition()

    def charge(self, attempt: Attempt) -> None:
        """Count a request that was made earlier."""
        self.calls += 1
        self.tokens += attempt.cost()

    async def reserve(self, tokens: int) -> bool:
        """Set aside one request of at most so many tokens; false when the budget does not allow it.

        Where only requests in flight stand in the way, wait for them: most cost less than was set aside.
        """
        async with self._settled:
            while not self.exhausted:
                if self.calls + len(self._reserved) < self.max_calls and self._spoken_for() + tokens <= self.max_tokens:
                    self._reserved.append(tokens)
                    return True
                if not self._reserved:
                    self.exhausted = True
                    break
                await self._settled.wait()
            self._settled.notify_all()
            return False

    async def settle(self, attempt: Attempt) -> None:
        """Turn a reservation into what the request cost."""
        async with self._settled:
            self._reserved.remove(attempt.reserved)
            self.charge(attempt)
            self._settled.notify_all()

    def _spoken_for(self) -> int:
        return self.tokens + sum(self._reserved)
