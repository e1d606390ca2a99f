"""What a run shows on Prefect's page: tables, and where its report lies."""

import html
import re
from pathlib import Path

import pandas as pd
from prefect.artifacts import create_markdown_artifact, create_table_artifact

SHOWN = 20  # rows of a table


def show_table(key: str, table: pd.DataFrame, description: str) -> None:
    """The head of a table; ``key``: lower-case letters, digits and dashes."""
    head = table.head(SHOWN).astype(object)
    # the page renders markup in cells, and what stands in them may come from patents
    cells = {str(name): ["" if pd.isna(value) else plain(str(value)) for value in head[name]] for name in head}
    create_table_artifact(key=key, table=cells, description=description)


def show_files(key: str, title: str, paths: list[Path], notes: list[str] | None = None) -> None:
    """Links to files, with their paths in words (a browser may refuse links from a page to files), and notes."""
    lines = [f"## {plain(title)}", ""]
    lines += [f"- [{plain(path.name)}](<{path.absolute().as_uri()}>): `{path.absolute()}`" for path in paths]
    lines += ["", *(f"- {plain(note)}" for note in notes or ())]
    create_markdown_artifact(key=key, markdown="\n".join(lines))


def plain(text: str) -> str:
    """Text in which the page finds neither HTML nor a link nor any other markup.

    >>> print(plain("<b>[a](b)"))
    &lt;b&gt;\\[a\\](b)
    """
    return html.escape(re.sub(r"([\\`*_\[\]])", r"\\\1", text), quote=False)
