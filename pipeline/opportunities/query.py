"""A boolean query over the words of patents: AND, OR, NOT, brackets, "phrases" and the wildcards * and ?.

As the searches of patent offices take it: words side by side are joined by AND, AND binds closer than OR, NOT closer
than both; ``a NOT b`` is ``a AND NOT b``. Case does not matter. ``*`` stands for any letters or none, ``?`` for one.
"""

import dataclasses
import re
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from pipeline.errors import ConfigError

_TOKEN = re.compile(r'\s*(?:([()])|"([^"]*)"|“([^”]*)”|([^\s()"“”]+))')
_OPERATORS = ("AND", "OR", "NOT")
_DEEPEST = 50  # brackets within brackets

Matches = Callable[[pd.Series], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Query:
    """A query that was understood; ``matches`` says which texts it finds (one bool each)."""

    text: str
    matches: Matches


def parse_query(text: str) -> Query:
    """Understand a query.

    Raises:
        ConfigError: saying what is wrong, and where.

    >>> texts = pd.Series(["Thermal energy storage", "thermally stable store", "robot arm"])
    >>> parse_query('(energ* OR stor?) AND thermal* NOT "robot arm"').matches(texts).tolist()
    [True, True, False]
    """
    reader = _Reader(text, _tokens(text))
    matches = reader.alternatives(0)
    if reader.more():
        raise reader.error("a closing bracket that nothing opens")
    return Query(text, matches)


@dataclasses.dataclass(frozen=True)
class _Token:
    kind: str  # "(", ")", an operator, or "term"
    words: str
    place: int


def _tokens(text: str) -> list[_Token]:
    found, place = [], 0
    while match := _TOKEN.match(text, place):
        bracket, plain, curly, word = match.groups()
        start = match.end() - len(match.group().lstrip())
        phrase = plain if plain is not None else curly
        if bracket:
            found.append(_Token(bracket, bracket, start))
        elif phrase is None and word.upper() in _OPERATORS and word.isupper():
            found.append(_Token(word, word, start))
        else:
            found.append(_Token("term", word if phrase is None else phrase, start))
        place = match.end()
    if rest := text[place:].lstrip():
        raise ConfigError(f"query, at character {len(text) - len(rest) + 1}: a quotation mark without its other half")
    return found


class _Reader:
    """Recursive descent over the tokens: alternatives of conjunctions of negations of terms."""

    def __init__(self, text: str, tokens: Sequence[_Token]) -> None:
        self.text, self.tokens, self.next = text, tokens, 0

    def more(self) -> bool:
        return self.next < len(self.tokens)

    def kind(self) -> str:
        return self.tokens[self.next].kind if self.more() else ""

    def error(self, what: str) -> ConfigError:
        place = self.tokens[self.next].place + 1 if self.more() else len(self.text) + 1
        return ConfigError(f"query, at character {place}: {what}")

    def alternatives(self, depth: int) -> Matches:
        if depth > _DEEPEST:
            raise self.error(f"more than {_DEEPEST} brackets within each other")
        parts = [self.conjunction(depth)]
        while self.kind() == "OR":
            self.next += 1
            parts.append(self.conjunction(depth))
        return lambda texts: np.logical_or.reduce([part(texts) for part in parts])

    def conjunction(self, depth: int) -> Matches:
        parts = [self.negation(depth)]
        while self.kind() not in ("", "OR", ")"):
            self.next += self.kind() == "AND"
            parts.append(self.negation(depth))
        return lambda texts: np.logical_and.reduce([part(texts) for part in parts])

    def negation(self, depth: int) -> Matches:
        negated = False
        while self.kind() == "NOT":
            self.next += 1
            negated = not negated
        operand = self.operand(depth)
        return (lambda texts: ~operand(texts)) if negated else operand

    def operand(self, depth: int) -> Matches:
        if self.kind() == "(":
            self.next += 1
            inside = self.alternatives(depth + 1)
            if self.kind() != ")":
                raise self.error("a bracket is not closed")
            self.next += 1
            return inside
        if self.kind() != "term":
            raise self.error("a word, a phrase or an opening bracket is wanted here")
        try:
            pattern = _pattern(self.tokens[self.next].words)
        except ValueError as error:
            raise self.error(str(error)) from error
        self.next += 1
        return lambda texts: texts.str.contains(pattern).to_numpy(dtype=bool)


def _pattern(term: str) -> re.Pattern[str]:
    """What finds a word or phrase: between word borders, whatever stands between the words of a phrase."""
    words = re.findall(r"[\w*?]+", term)
    if not any(character.isalnum() for character in term):
        raise ValueError(f"{term!r} holds no letter or digit")
    # * and ? within a word only; \w never leaves it, so a pattern cannot run away
    body = r"\W+".join("".join({"*": r"\w*", "?": r"\w"}.get(c, re.escape(c)) for c in word) for word in words)
    # scripts without spaces have no word borders
    border = ("", "") if re.search(r"[\u3040-\u30ff\u3400-\u9fff]", term) else (r"(?<!\w)", r"(?!\w)")
    return re.compile(border[0] + body + border[1], re.IGNORECASE)
