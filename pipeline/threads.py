"""Work on many parts at once in threads: numpy, scipy and LightGBM let go of the interpreter while they compute."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST = 4  # each part has its own matrices in memory, so more processors are not all put to work


def each(function: Callable[[Item], Result], items: Iterable[Item], most: int = MOST) -> Iterator[Result]:
    """``map(function, items)``, some at once and in order; items are taken only as the work comes to them.

    ``most`` bounds how many are at work, where there are as many processors.

    Raises:
        Exception: whatever the function raises, at its item's turn.
    """
    threads = min(most, os.cpu_count() or 1)
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads, initializer=_alone) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _alone() -> None:
    # OpenMP keeps a number of threads for each thread that uses it: sums would depend on the processors at hand
    threadpool_limits(1, user_api="openmp")
