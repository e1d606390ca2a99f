"""Every question to put to the judges, in the order to put it, and what counts as an answer."""

import dataclasses
import itertools
import math
import random
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import pandas as pd
from pydantic import BaseModel, ValidationError

from pipeline.judge.config import JudgeConfig
from pipeline.judge.prompts import Writer, shown_ids
from pipeline.judge.rubric import OVERALL, Rubric
from pipeline.judge.rubric.replies import RankingReply, VerdictReply
from pipeline.judge.untrusted import clean

REASON = 600  # characters of a model's reason that are kept
CONTEXT = 4  # times the passages of one opportunity make the context of a list


T = TypeVar("T", bound=BaseModel)


class RejectedError(Exception):
    """An answer broke the rules; the message says which, in our words alone, and goes into the next request."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """What one answer says of one opportunity; no score where the judge declined."""

    opportunity_id: str
    score: int | None
    reason: str
    evidence_ids: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()

    @property
    def declined(self) -> bool:
        """The judge gave no score."""
        return self.score is None


@dataclasses.dataclass(frozen=True)
class Ask:
    """One question: who is asked, about what, with which words. ``accept`` reads an answer or raises RejectedError."""

    judge: str
    criterion: str
    repeat: int
    order: int
    opportunities: tuple[str, ...]  # as shown; or the topic that is to be named
    system: str
    user: str
    max_output_tokens: int
    accept: Callable[[str], list[Answer]] = dataclasses.field(compare=False)


def asks(
    rubric: Rubric, config: JudgeConfig, opportunities: pd.DataFrame, topics: pd.DataFrame, evidence: pd.DataFrame
) -> list[Ask]:
    """All questions: every repeat goes round all opportunities before the next begins, best opportunities first.

    So a budget that ends early leaves fewer repeats rather than fewer opportunities.
    """
    if opportunities.empty:
        return []
    writer = Writer(rubric, config, opportunities, topics)
    maker = _singles if rubric.criteria else _lists
    return [
        dataclasses.replace(ask, judge=judge)
        for ask in maker(writer, list(opportunities["opportunity_id"]), evidence)
        for judge in config.judges
    ]


def order_of(repeat: int) -> int:
    """Which arrangement a repeat is shown: the first two share one, to tell doubt from the effect of order.

    >>> [order_of(repeat) for repeat in range(5)]
    [0, 0, 1, 2, 3]
    """
    return max(0, repeat - 1)


def arrangements(length: int, count: int, seed: str) -> list[tuple[int, ...]]:
    """So many different orders of a list; once all there are have been used, they come round again."""
    drawn: list[tuple[int, ...]] = []
    source = random.Random(seed)
    different = math.factorial(min(length, 20))
    while len(drawn) < count:
        order = tuple(source.sample(range(length), length))
        if order not in drawn[len(drawn) // different * different :]:
            drawn.append(order)
    return drawn


def _singles(writer: Writer, opportunity_ids: Sequence[str], evidence: pd.DataFrame) -> Iterator[Ask]:
    """One opportunity and criterion a question, with the passages that were found for that criterion."""
    config, rubric = writer.config, writer.rubric
    orders = order_of(config.repeats - 1) + 1
    of = dict(tuple(evidence.groupby(["opportunity_id", "criterion"], sort=False)))
    arranged = {}
    for one, criterion in itertools.product(opportunity_ids, rubric.criteria):
        passages = of.get((one, criterion), evidence.iloc[:0])
        drawn = arrangements(len(passages), orders, f"{one} {criterion}")
        arranged[one, criterion] = [passages.iloc[list(order)] for order in drawn]
    for repeat in range(config.repeats):
        for one in opportunity_ids:
            for criterion in rubric.criteria:
                passages = arranged[one, criterion][order_of(repeat)]
                yield Ask(
                    judge="",
                    criterion=criterion,
                    repeat=repeat,
                    order=order_of(repeat),
                    opportunities=(one,),
                    system=rubric.system,
                    user=writer.one(one, criterion, passages, salt=f"{one} {order_of(repeat)}"),
                    max_output_tokens=config.max_output_tokens,
                    accept=_accept_single(one, shown_ids(list(passages["evidence_id"]), "E")),
                )


def _lists(writer: Writer, opportunity_ids: Sequence[str], evidence: pd.DataFrame) -> Iterator[Ask]:
    """All opportunities in one question; the best passages of all are their common context."""
    config, rubric = writer.config, writer.rubric
    best = evidence.sort_values(["score", "evidence_id"], ascending=[False, True], kind="stable")
    context = best.drop_duplicates("evidence_id").head(CONTEXT * config.evidence)
    orders = arrangements(len(opportunity_ids), order_of(config.repeats - 1) + 1, " ".join(opportunity_ids))
    for repeat in range(config.repeats):
        listed = tuple(opportunity_ids[place] for place in orders[order_of(repeat)])
        yield Ask(
            judge="",
            criterion=OVERALL,
            repeat=repeat,
            order=order_of(repeat),
            opportunities=listed,
            system=rubric.system,
            user=writer.many(listed, context, salt=f"list {order_of(repeat)}"),
            max_output_tokens=config.max_output_tokens * len(listed),
            accept=_accept_list(listed, shown_ids(listed, "T")),
        )


def _accept_single(opportunity_id: str, shown: dict[str, str]) -> Callable[[str], list[Answer]]:
    def accept(text: str) -> list[Answer]:
        reply = parsed(text, VerdictReply)
        if not set(reply.evidence_ids) <= set(shown):
            raise RejectedError("evidence_ids holds an id that is not among the passages shown")
        cited = tuple(shown[name] for name in dict.fromkeys(reply.evidence_ids))
        return [Answer(opportunity_id, reply.score, clean(reply.reason, REASON), cited)]

    return accept


def _accept_list(listed: Sequence[str], shown: dict[str, str]) -> Callable[[str], list[Answer]]:
    def accept(text: str) -> list[Answer]:
        reply = parsed(text, RankingReply)
        named = [item.id for item in reply.items]
        if len(named) != len(shown) or set(named) != set(shown):
            raise RejectedError(f"items must hold each of the {len(shown)} ids shown exactly once")
        said = {shown[item.id]: item for item in reply.items}
        return [
            Answer(
                opportunity_id=one,
                score=said[one].score,
                reason=clean(said[one].reason, REASON),
                scenarios=tuple(clean(scenario, REASON).replace(";", ",") for scenario in said[one].scenarios[:3]),
            )
            for one in listed
        ]

    return accept


_FIELDS = {"score", "evidence_ids", "reason", "items", "id", "scenarios", "label", "description"}


def parsed(text: str, schema: type[T]) -> T:
    """The reply in a text that is one JSON object, perhaps fenced, perhaps after a model's thoughts."""
    bare = re.sub(r"\A\s*<think>.*?</think>", "", text, flags=re.DOTALL).strip()
    bare = re.sub(r"\A```(?:json)?\s*\n(.*)\n```\Z", r"\1", bare, flags=re.DOTALL)
    try:
        return schema.model_validate_json(bare)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            raise RejectedError("the answer is not one JSON object alone") from None
        known = [str(part) for part in first["loc"] if part in _FIELDS or isinstance(part, int)]
        raise RejectedError(
            f"the answer breaks the form at {'.'.join(known) or 'a key that is not asked for'}"
        ) from None
