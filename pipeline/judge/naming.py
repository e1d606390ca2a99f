"""Names of topics: a model sums up in a few words the words and titles that a topic is known by.

A name is for readers. Nothing is computed from it, no judge is shown it, and a topic that gets none keeps its words.
Questions go the way of a judge's: same store, budget, retries, transcript and fences.
"""

import dataclasses
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.corpus.titles import title_of
from pipeline.judge.asks import Answer, Ask, RejectedError, parsed
from pipeline.judge.budget import left_of
from pipeline.judge.config import JudgeConfig
from pipeline.judge.engine import Settled, Spent, put, question_of
from pipeline.judge.rubric import Rubric, load_naming
from pipeline.judge.rubric.replies import NameReply
from pipeline.judge.store import AnswerStore
from pipeline.judge.untrusted import fenced, quotable, token_for
from pipeline.knowledge.text import plain
from pipeline.schemas import PAIR, SIDES, TopicNames, validate

LABEL = 60  # characters
WORDS = 6
DESCRIPTION = 240
TAKEN = "taken"
_TITLE = 200
_TERMS = 400
_RUN = 4  # words in a row that are of a prompt
_MARKUP = re.compile(r"[<>{}\[\]|\\`*_#=~^$]|&#?\w+;|\b(?:https?|www|javascript)\b", re.IGNORECASE)
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|obey|instructions?|prompts?|rubric|scores?|json|token|assistant|jailbreak)\b|\bgive\W+\d",
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class Named(Answer):
    """What one answer calls one topic (``opportunity_id``); its description is the ``reason``."""

    label: str = ""

    @property
    def declined(self) -> bool:
        """Never: a model that has no name is refused or invalid."""
        return False


@dataclasses.dataclass(frozen=True)
class Naming:
    """``names``: schema ``TopicNames``, a row a topic that was to be named. ``record``: who, how, at what cost;
    ``note``: how many were, for the reader."""

    names: pd.DataFrame
    record: dict[str, Any]
    note: str


def name_topics(
    opportunities: pd.DataFrame,
    shown: pd.DataFrame,
    topics: pd.DataFrame,
    patents: pd.DataFrame,
    config: JudgeConfig,
    spent: Mapping[str, int],
    cache: Path,
    transcript: Path | None = None,
) -> Naming:
    """Have the first of the configured judges name the topics of some opportunities, with a call each.

    ``shown``: those of the ``opportunities`` whose topics are named, the first first. ``patents``: the topics'
    representatives (schema ``TopicPatents``). ``spent``: what the judges spent, which the budget holds besides.
    ``transcript``: where questions and answers are added. No two topics of one pair of codes get the same name.

    Raises:
        JudgeError, ConfigError: as ``panel.judge_opportunities``.
    """
    rubric = load_naming(config.rubric)
    limited = left_of(config, [spent])
    chosen = list(dict.fromkeys(shown[[f"{side}_topic" for side in SIDES]].to_numpy().ravel().tolist()))
    known = topics.set_index("topic_id")
    titles = patents[patents["title"] != ""].groupby("topic_id", sort=False)["title"].agg(list).to_dict()
    asks = [_ask(name, known.loc[name], titles.get(name, []), rubric, config) for name in chosen]
    store = AnswerStore(cache)
    settled, paid = put(asks, rubric, limited, store)
    if transcript:
        store.transcript(transcript, [question_of(ask, rubric, limited) for ask in asks], more=True)
    names = _names(settled, known["label"], _rivals(opportunities), rubric)
    return Naming(names, *_told(names, rubric, config, paid))


def renamed(table: pd.DataFrame, names: pd.DataFrame) -> pd.DataFrame:
    """Topics, or opportunities of topics, with the names given in place of the words."""
    given = names.set_index("topic_id")["label"]
    columns = {"label": "topic_id"} if "label" in table else {f"{side}_label": f"{side}_topic" for side in SIDES}
    return table.assign(
        **{label: table[topic].map(given).fillna(table[label]).astype("str") for label, topic in columns.items()}
    )


def _ask(topic_id: str, topic: pd.Series, titles: Sequence[str], rubric: Rubric, config: JudgeConfig) -> Ask:
    quotes = [f"words: {quotable(topic['terms'] or topic['label'], _TERMS)}"]
    quotes += [f"title: {quotable(title, _TITLE)}" for title in titles]
    token = token_for(quotes, topic_id)
    code = topic["code"]
    parts = [
        f"TOKEN of this request: {token}",
        f"Topic of class {code} ({title_of(code) or 'untitled'})",
        *(fenced(quote, token) for quote in quotes),
        rubric.reply,
    ]
    return Ask(
        judge=config.judges[0],
        criterion="name",
        repeat=0,
        order=0,
        opportunities=(topic_id,),
        system=rubric.system,
        user="\n\n".join(parts),
        max_output_tokens=config.max_output_tokens,
        accept=_accept(topic_id, token, f"{rubric.system} {rubric.reply}"),
    )


def _accept(topic_id: str, token: str, prompts: str) -> Callable[[str], list[Answer]]:
    told = _runs(prompts)

    def accept(text: str) -> list[Answer]:
        reply = parsed(text, NameReply)
        for field, value, most in (("label", reply.label, LABEL), ("description", reply.description, DESCRIPTION)):
            fault = _fault(value, most, told)
            if fault or token in value:
                raise RejectedError(f"{field} {fault or 'repeats the TOKEN'}")
        label = reply.label.strip().rstrip(".")
        if not 1 <= len(label.split()) <= WORDS:
            raise RejectedError(f"label must have at most {WORDS} words")
        return [Named(topic_id, None, reply.description.strip(), label=label)]

    return accept


def _fault(text: str, most: int, told: set[tuple[str, ...]]) -> str:
    """The rule that a name or description breaks, in our words; empty where it breaks none."""
    if not any(character.isalpha() for character in text):
        return "is empty"
    if len(text) > most:
        return f"is longer than {most} characters"
    if plain(text) != text or "\n" in text:
        return "must be one line of visible text"
    if _MARKUP.search(text):
        return "holds markup"
    if _ORDERS.search(text) or _runs(text) & told:
        return "repeats an instruction"
    return ""


def _runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[place : place + _RUN]) for place in range(len(words) - _RUN + 1)}


def _rivals(opportunities: pd.DataFrame) -> dict[str, set[str]]:
    """The other topics that a topic stands beside in a pair of codes."""
    beside: dict[str, set[str]] = defaultdict(set)
    columns = [f"{side}_topic" for side in SIDES]
    for _, group in opportunities.groupby(PAIR, sort=False):
        together = set(group[columns].to_numpy().ravel())
        for topic in together:
            beside[topic] |= together - {topic}
    return beside


def _names(
    settled: Sequence[Settled], words: pd.Series, rivals: Mapping[str, set[str]], rubric: Rubric
) -> pd.DataFrame:
    labels = {str(topic_id): str(label) for topic_id, label in words.items()}
    given: dict[str, str] = {}
    rows = []
    for one in settled:
        (topic_id,) = one.ask.opportunities
        outcome, label, reason, description = one.outcome, labels[topic_id], one.reason, ""
        for answer in one.answers:
            assert isinstance(answer, Named)
            taken = {_key(name) for other in rivals[topic_id] for name in (labels[other], given.get(other, ""))}
            if _key(answer.label) in taken:
                outcome, reason = TAKEN, f"another topic of the pair is called {answer.label}"
            else:
                given[topic_id] = label = answer.label
                description, reason = answer.reason, ""
        rows.append(
            {
                "topic_id": topic_id,
                "label": label,
                "words": labels[topic_id],
                "description": description,
                "named_by": one.ask.judge if topic_id in given else "",
                "outcome": outcome,
                "reason": reason,
                "tokens_in": one.tokens_in,
                "tokens_out": one.tokens_out,
                "rubric": rubric.version,
            }
        )
    return validate(pd.DataFrame(rows, columns=list(TopicNames.to_schema().columns)), TopicNames, "topic names")


def _key(label: str) -> str:
    """Names that a reader would take for the same agree on it."""
    return " ".join(word.rstrip("s") for word in re.findall(r"\w+", label.casefold()))


def _told(names: pd.DataFrame, rubric: Rubric, config: JudgeConfig, spent: Spent) -> tuple[dict[str, Any], str]:
    named = int((names["named_by"] != "").sum())
    outcomes = {str(outcome): int(count) for outcome, count in names["outcome"].value_counts().sort_index().items()}
    lacking = ", ".join(f"{outcome} {count}" for outcome, count in outcomes.items() if outcome != "ok")
    kept = f"; the others keep their words: {lacking}" if lacking else ""
    note = f"names of topics: {named} of {len(names)} were given by {config.judges[0]}{kept}"
    record = {
        "named_by": config.judges[0],
        "rubric": rubric.version,
        "topics": len(names),
        "named": named,
        "outcomes": outcomes,
        "spent": dataclasses.asdict(spent),
    }
    return record, note
