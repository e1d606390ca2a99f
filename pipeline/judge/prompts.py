"""The words of a request: computed facts, fenced quotations, then the rubric's own text, which comes last."""

import hashlib
import math
from collections.abc import Sequence

import pandas as pd

from pipeline.corpus.titles import title_of
from pipeline.judge.config import JudgeConfig
from pipeline.judge.evidence import SIDES
from pipeline.judge.rubric import Rubric
from pipeline.judge.untrusted import fenced, quotable, token_for

# what is computed already and shown as it is; the score, the rank and the probability are kept back, so that a judge
# that agrees with them does so by itself
_OF_TOPIC = {
    "patents": "patents",
    "firm_patents": "patents of the firm among them",
    "maturity": "years by which its patents are younger than the mean of all",
    "growth_patents": "growth of patents, the last five years over the five before, less one",
    "growth_inventors": "the same growth, of inventors",
    "citations_per_year": "citations a patent and year",
    "family_size": "family members a patent",
    "codes_per_patent": "codes a patent",
    "functional_diversity": "functional diversity",
    "uniqueness": "uniqueness, 0 to 1",
}
_OF_BOTH = {
    "fusion": "likeness of the two topics, 0 to 1",
    "firm_fit": "nearness of the firm to both, 0 to 1",
    "white_space": "share of the target topic that its three largest other holders leave, 0 to 1",
}
_HEADINGS = ("Firm's side", "Other side")
_HOLDS = {"I": "neither", "II": "one", "III": "both"}
_NAME = 200  # characters of a label, of a source, of a title
_TERMS = 400


def shown_ids(evidence_ids: Sequence[str], letter: str) -> dict[str, str]:
    """Short ids to show in place of the true ones, which are long, or written by others: shown id to true id."""
    for length in range(8, 65):
        short = {f"{letter}-{hashlib.sha256(name.encode()).hexdigest()[:length]}": name for name in evidence_ids}
        if len(short) == len(set(evidence_ids)):
            return short
    raise AssertionError("two different ids of one SHA-256")


class Writer:
    """Writes the requests of one rubric about one table of opportunities."""

    def __init__(self, rubric: Rubric, config: JudgeConfig, opportunities: pd.DataFrame, topics: pd.DataFrame) -> None:
        self.rubric = rubric
        self.config = config
        self.opportunities = opportunities.set_index("opportunity_id").to_dict("index")
        self.topics = topics.set_index("topic_id").to_dict("index")

    def one(self, opportunity_id: str, criterion: str, passages: pd.DataFrame, salt: str) -> str:
        """The request to judge one opportunity by one criterion; passages in the order to be shown."""
        quotes = [*self._names(opportunity_id), *self._passages(passages)]
        token = token_for(quotes, salt)
        parts = [
            f"TOKEN of this request: {token}",
            "Opportunity",
            self._described(opportunity_id, token),
            *_listed(passages, quotes[len(SIDES) :], token),
            "Criterion",
            self.rubric.criteria[criterion],
            self.rubric.reply,
        ]
        return "\n\n".join(parts)

    def many(self, opportunity_ids: Sequence[str], passages: pd.DataFrame, salt: str) -> str:
        """The request to rank a list of opportunities, in the order to be shown, with passages as common context."""
        names = [name for one in opportunity_ids for name in self._names(one)]
        quotes = self._passages(passages)
        token = token_for([*names, *quotes], salt)
        shown = {true: short for short, true in shown_ids(opportunity_ids, "T").items()}
        items = [f"Item {shown[one]}\n\n{self._described(one, token)}" for one in opportunity_ids]
        context = ["Context", *_listed(passages, quotes, token)]
        return "\n\n".join([f"TOKEN of this request: {token}", *context, "Input", *items, self.rubric.reply])

    def _described(self, opportunity_id: str, token: str) -> str:
        row = self.opportunities[opportunity_id]
        sides = [self.topics[row[f"{side}_topic"]] for side in SIDES]
        lines = [
            f"- {words}: {_number(sides[0][column])} (firm's side), {_number(sides[1][column])} (other side)"
            for column, words in _OF_TOPIC.items()
        ]
        lines += [f"- {words}: {_number(row[column])}" for column, words in _OF_BOTH.items()]
        if row["type"] in _HOLDS:
            lines.append(f"- of the two classes of patents, the firm holds {_HOLDS[row['type']]}")
        names = []
        for heading, side, name in zip(_HEADINGS, SIDES, self._names(opportunity_id), strict=True):
            code = row[f"{side}_code"]
            names.append(f"{heading}, class {code} ({title_of(code) or 'untitled'})\n{fenced(name, token)}")
        return "\n".join([*names, "Computed facts", *lines])

    def _names(self, opportunity_id: str) -> list[str]:
        row = self.opportunities[opportunity_id]
        topics = [self.topics[row[f"{side}_topic"]] for side in SIDES]
        return [
            f"topic: {quotable(topic['label'], _NAME)}; words: {quotable(topic['terms'], _TERMS)}" for topic in topics
        ]

    def _passages(self, passages: pd.DataFrame) -> list[str]:
        return [
            f"source: {quotable(source, _NAME)}; text: {quotable(text, self.config.evidence_characters)}"
            for source, text in zip(passages["source"], passages["text"], strict=True)
        ]


def _listed(passages: pd.DataFrame, quotes: Sequence[str], token: str) -> list[str]:
    if passages.empty:
        return ["No passages were found."]
    shown = {true: short for short, true in shown_ids(list(passages["evidence_id"]), "E").items()}
    told = zip(passages["evidence_id"], passages["kind"], passages["date"], strict=True)
    headings = [f"Passage {shown[name]}, {_kind(kind)}, {_day(date)}" for name, kind, date in told]
    return [f"{heading}\n{fenced(quote, token)}" for heading, quote in zip(headings, quotes, strict=True)]


def _kind(kind: str) -> str:
    return kind if kind in ("patent", "document") else "other"


def _day(date: pd.Timestamp) -> str:
    return "undated" if pd.isna(date) else f"{date:%Y-%m-%d}"


def _number(value: float) -> str:
    return "unknown" if pd.isna(value) or math.isinf(value) else f"{value:.3g}"
