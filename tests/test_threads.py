"""Work in threads: in order, a few at a time, no error lost."""

import threading
import time
from collections.abc import Iterator

import pytest

from pipeline.threads import MOST, each


def test_results_come_in_the_order_of_the_items_whoever_is_first() -> None:
    second_done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            second_done.wait(2)  # where there is but one processor, the first goes on alone
        if item == 1:
            second_done.set()
        return item * 10

    assert list(each(work, range(5))) == [0, 10, 20, 30, 40]


def test_items_are_taken_only_as_the_work_comes_to_them() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    results = each(lambda item: item, items())
    assert next(results) == 0
    assert len(taken) <= MOST + 2


@pytest.mark.parametrize(("most", "processors"), [(1, 8), (2, 8), (8, 2)])
def test_no_more_are_at_work_at_once_than_asked_for_or_than_processors(
    most: int, processors: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    names = set(each(lambda item: (time.sleep(0.01), threading.current_thread().name)[1], range(20), most))
    assert len(names) == min(most, processors)


def test_an_error_comes_at_its_items_turn_and_ends_the_work() -> None:
    done = []

    def work(item: int) -> int:
        if item == 1:
            raise ArithmeticError("one")
        done.append(item)
        return item

    results = each(work, range(100))
    assert next(results) == 0
    with pytest.raises(ArithmeticError, match="one"):
        next(results)
    assert len(done) <= MOST + 2


def test_no_items_no_results() -> None:
    assert list(each(str, [])) == []
