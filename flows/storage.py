"""Folders by URL in the parameters of a flow."""

import contextlib
from collections.abc import Iterator
from typing import Any

from pipeline.parts import cache_folder
from pipeline.storage import local_copies


@contextlib.contextmanager
def at_hand(*places: str | None) -> Iterator[list[Any]]:
    """The places with a local copy for each URL; what changed there is published when the flow went well."""
    with local_copies([place or "" for place in places], cache_folder() / "copies") as local:
        yield [None if place is None else path for place, path in zip(places, local, strict=True)]
