"""The firm's report as Markdown, for a wiki, a ticket or a mail."""

import functools
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment

from pipeline.artifacts import atomic_path
from pipeline.report import words
from pipeline.report.page import environment

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&$^])")
_ADDRESS = re.compile(r"(?<=\w):(?=//)|(?<=www)\.", re.IGNORECASE)
_BLOCK = re.compile(r"^([-+=]|\d+(?=[.)](?:\s|$)))")  # what begins a list or a rule where it begins a line


class Raw(str):
    """Markdown that is meant as such."""


def markdown_text(text: str) -> str:
    """A text that Markdown shows as it is: no markup, no HTML, no link of its own, on one line.

    >>> print(markdown_text("<b>*x*</b> http://evil.example | y"))
    \\<b\\>\\*x\\*\\</b\\> http\\://evil.example \\| y
    """
    plain = " ".join(words.clean(text).replace(words.SPACE, " ").split())
    escaped = _ADDRESS.sub(lambda found: "\\" + found.group(), _SPECIAL.sub(r"\\\1", plain))
    return _BLOCK.sub(lambda found: found.group() + "\\" if found.group().isdigit() else "\\" + found.group(), escaped)


@functools.cache
def _templates() -> Environment:
    made = environment(autoescape=False).overlay(
        finalize=lambda value: markdown_text(value) if type(value) is str else value
    )
    made.filters["raw"] = Raw
    return made


def write_markdown(path: Path, content: dict[str, Any], template: str = "firm.md") -> None:
    """Write a report as CommonMark with GitHub's tables."""
    text = _templates().get_template(template).render(**content)
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    with atomic_path(path) as temporary:
        temporary.write_text(re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n", encoding="utf-8", newline="\n")
