"""Answers kept by content, so that none is paid for twice: a JSON file a question, written when anything happens.

Before a request is sent its file says so, and once the answer is there its file holds it. A process killed at any
moment therefore loses only answers that were under way at that moment, and the store knows which these were.
"""

import contextlib
import dataclasses
import functools
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.artifacts import atomic_path, held_alone, sha256_json
from pipeline.errors import JudgeError
from pipeline.judge.secrets import scrubbed, secrets

log = logging.getLogger(__name__)

_FORMAT = 1


class Attempt(BaseModel):
    """One request: ``sent`` until something is heard of it; ``reserved`` is the most tokens that it can have cost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Literal["sent", "answered", "refused", "failed"]
    reserved: int = Field(ge=0)
    reply: str = ""
    detail: str = ""  # why it was refused, cut off or failed
    tokens_in: int | None = None
    tokens_out: int | None = None
    billed: bool = True  # false where the server certainly charges nothing for it

    def cost(self) -> int:
        """Tokens to charge: those told, else the most that it can have been."""
        if not self.billed:
            return 0
        if self.tokens_in is None or self.tokens_out is None:
            return self.reserved
        return self.tokens_in + self.tokens_out


class Entry(BaseModel):
    """A question as it was put, and every request made for it so far."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: dict[str, Any]
    attempts: list[Attempt] = []

    def with_sent(self, reserved: int) -> "Entry":
        """One more request, about to be sent."""
        return self.model_copy(update={"attempts": [*self.attempts, Attempt(state="sent", reserved=reserved)]})

    def with_last(self, **told: Any) -> "Entry":
        """What became of the last request."""
        last = self.attempts[-1].model_copy(update=told)
        return self.model_copy(update={"attempts": [*self.attempts[:-1], last]})


@dataclasses.dataclass(frozen=True)
class Question:
    """Everything an answer depends on, as JSON: the content that it is kept by."""

    content: dict[str, Any]

    @functools.cached_property
    def key(self) -> str:
        return sha256_json(self.content)


class AnswerStore:
    """A folder of answers, a sub-folder for the first two digits of a key; plain JSON, each file renamed into place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hidden = secrets()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder alone: of two runs at once, each would pay for the same answers."""
        busy = f"{self.folder} is in use by another run: wait for it, or name another folder"
        with held_alone(self.folder, ".lock", busy, JudgeError):
            yield

    def read(self, question: Question) -> Entry:
        """What is stored of a question; a new entry when nothing is, or when what is there is damaged."""
        path = self._path(question)
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            entry = Entry.model_validate(stored["entry"])
            if stored["sha256"] != sha256_json(stored["entry"]) or stored["format"] != _FORMAT:
                raise ValueError("its hash is another")
        except FileNotFoundError:
            return Entry(question=scrubbed(question.content, self._hidden))
        except (OSError, ValueError, KeyError, TypeError, RecursionError, ValidationError):
            log.warning("judge: %s is damaged; its question is asked again", path)
            return Entry(question=scrubbed(question.content, self._hidden))
        return entry

    def write(self, question: Question, entry: Entry) -> None:
        """Keep an entry, secrets blotted out."""
        content = scrubbed(entry.model_dump(mode="json"), self._hidden)
        text = json.dumps({"format": _FORMAT, "sha256": sha256_json(content), "entry": content}, ensure_ascii=False)
        with atomic_path(self._path(question)) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")

    def transcript(self, path: Path, questions: Sequence[Question], more: bool = False) -> None:
        """Write everything asked and answered as JSON lines, a line a question, in the order given; ``more``: behind
        what stands in the file."""
        before = path.read_text(encoding="utf-8") if more and path.exists() else ""
        with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as lines:
            lines.write(before)
            for question in questions:
                content = scrubbed(self.read(question).model_dump(mode="json"), self._hidden)
                lines.write(json.dumps(content, ensure_ascii=False) + "\n")

    def _path(self, question: Question) -> Path:
        return self.folder / question.key[:2] / f"{question.key}.json"
