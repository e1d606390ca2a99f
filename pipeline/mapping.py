"""The seam through which heavy work may go elsewhere: something like ``map``, which by default works here, in turn."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


class Mapper(Protocol):
    """Applies a function to items, each by itself, and gives what comes of them in the order of the items.

    The function is one of a module (or ``functools.partial`` of one), and pure: another process may call it, and call
    it again when the first that did was lost. What it is given is small: names of files rather than what is in them.
    """

    def __call__(self, function: Callable[[Item], Made], items: Iterable[Item], /) -> Iterator[Made]:
        """The results, in order; items may be asked for ahead of them."""


def in_turn(function: Callable[[Item], Made], items: Iterable[Item], /) -> Iterator[Made]:
    """One after the other, in this process."""
    return map(function, items)
