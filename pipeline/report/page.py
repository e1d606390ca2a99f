"""A report as one self-contained HTML file: its templates, its style and its script, and nothing else."""

import base64
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline.artifacts import atomic_path
from pipeline.report import words


@functools.cache
def environment(autoescape: bool = True) -> Environment:
    """Templates in which every text is escaped and a name that is not given is an error."""
    made = Environment(
        loader=PackageLoader("pipeline.report"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        finalize=lambda value: words.clean(value) if type(value) is str else value,
    )
    numbers = (words.percent, words.interval, words.score, words.times, words.count, words.amount, words.signed)
    others = (words.one_decimal, words.three, words.duration, words.day, words.ago, words.shortened, words.patents)
    made.filters |= {function.__name__: function for function in (*numbers, *others)}
    made.filters |= {"humanise": words.humanise, "model_name": words.model_name, "indicator": words.indicator}
    return made


def write_page(
    path: Path, made: Environment, template: str, styles: Sequence[str], scripts: Sequence[str], context: dict[str, Any]
) -> None:
    """Render a template with its style sheets and scripts in it, and write it atomically."""
    loader = made.loader
    assert loader is not None
    style, script = ("".join(loader.get_source(made, name)[0] for name in names) for names in (styles, scripts))
    page = made.get_template(template).render(
        **context,
        style=Markup(style),
        script=Markup(script),
        # nothing may run but our own script, and nothing may be fetched at all
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")
