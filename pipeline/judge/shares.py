"""Questions put by other processes: each puts a few of them, with a share of what is left of the budget.

They keep the answers in the same folder, one process a question, so that afterwards all is settled here as ever: what
a share did not get answered is asked here, and a worker that is lost costs the answers that were under way.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.errors import JudgeError
from pipeline.judge.asks import Ask
from pipeline.judge.config import JudgeConfig
from pipeline.judge.engine import Settled, Spent, put, question_of, reading, settle
from pipeline.judge.rubric import Rubric, load_rubric
from pipeline.judge.store import AnswerStore, Entry
from pipeline.mapping import Mapper

SHARE = 16  # questions


@dataclasses.dataclass(frozen=True)
class Share:
    """Some questions, and what they may cost together with what they have cost."""

    asks: tuple[Ask, ...]
    max_calls: int
    max_tokens: int


def put_by_shares(
    asks: Sequence[Ask],
    rubric: Rubric,
    config: JudgeConfig,
    store: AnswerStore,
    mapper: Mapper,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Settled], Spent]:
    """As ``engine.put``, the questions put by whom the mapper gives them to. The limits of requests in flight and a
    minute hold for each of these processes, the budget for all together.

    Raises:
        JudgeError: as ``put``, or the others have another rubric or keep the answers elsewhere.
        ConfigError: a judge cannot be made.
    """
    with store.locked():
        entries = [store.read(question_of(ask, rubric, config)) for ask in asks]
        settled = [reading(entry, ask, config.rejections) for entry, ask in zip(entries, asks, strict=True)]
        attempts = [attempt for entry in entries for attempt in entry.attempts]
        left = config.max_calls - len(attempts), config.max_tokens - sum(attempt.cost() for attempt in attempts)
        shares = _shares([place for place, one in enumerate(settled) if one is None], asks, entries, left)
        known = len(asks) - sum(len(share.asks) for share in shares)
        done = 0
        made = mapper(functools.partial(put_share, config, store.folder, rubric.version), shares)
        for share, kept in zip(shares, made, strict=True):
            if kept != sum(len(store.read(question_of(ask, rubric, config)).attempts) for ask in share.asks):
                raise JudgeError(
                    f"answers that a worker kept in {store.folder} are not here: all must share that folder"
                )
            done += len(share.asks)
            if progress:
                progress(known + done, len(asks))
    found, spent = put(asks, rubric, config, store, progress)
    return found, dataclasses.replace(
        spent, calls=spent.calls_in_all - len(attempts), from_store=sum(one is not None for one in settled)
    )


def put_share(config: JudgeConfig, folder: Path, version: str, share: Share) -> int:
    """Put the questions of a share and keep the answers in ``folder``, which the caller holds; how many requests have
    been made for them in all."""
    rubric, store = load_rubric(config.preset, config.rubric), AnswerStore(folder)
    if rubric.version != version:
        raise JudgeError(f"{config.rubric or config.preset} is another rubric on a worker: its files must be the same")
    own = config.model_copy(update={"max_calls": share.max_calls, "max_tokens": share.max_tokens})
    settle(share.asks, rubric, own, store)
    return sum(len(store.read(question_of(ask, rubric, config)).attempts) for ask in share.asks)


def _shares(places: Sequence[int], asks: Sequence[Ask], entries: Sequence[Entry], left: tuple[int, int]) -> list[Share]:
    """The questions at these places in shares, with an equal part of what is left each."""
    groups = [places[start : start + SHARE] for start in range(0, len(places), SHARE)]
    calls, tokens = (max(0, most) // max(1, len(groups)) for most in left)
    shares = []
    for group in groups:
        before = [attempt for place in group for attempt in entries[place].attempts]
        spent = len(before), sum(attempt.cost() for attempt in before)
        shares.append(Share(tuple(asks[place] for place in group), spent[0] + calls, spent[1] + tokens))
    return shares
