"""What a corpus holds, as text on a terminal."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.corpus.describe import Description
from pipeline.report import words
from pipeline.report.corpus_page import FIELDS, LANGUAGES, account_rows
from pipeline.report.tables import records

_BAR = 24  # characters of the longest bar
_REASONS = 8
_FIRST = 10  # codes, firms and offices shown; the page has more


def print_description(description: Description, console: Console) -> None:
    """Print the account, years, fields, codes, firms, offices and warnings as tables."""
    d = description
    console.print(
        f"{d.patents:,} patents known from {d.first:%Y-%m-%d} to {d.last:%Y-%m-%d}, "
        f"{d.distinct_codes:,} {d.scheme.upper()} {words.LEVELS[d.level]}, {d.distinct_firms:,} assignees\n"
    )
    rows = [("rows read", f"{d.account['read']:,}")]
    _print(console, "Account", ("", ">rows"), rows + [(f"= {label}", f"{n:,}") for label, n in account_rows(d.account)])
    reasons = [(row["reason"], row["kind"], f"{row['rows']:,}") for row in records(d.reasons.head(_REASONS))]
    _print(console, "Set aside or flagged", ("reason", "of", ">number"), reasons)
    most = max(int(d.years["patents"].max()), 1)
    years = [
        (str(row["year"]), f"{row['patents']:,}", _bar(row["patents"] / most), _decimal(row["codes"]))
        for row in records(d.years)
        if row["patents"]
    ]
    _print(console, "Years", ("year", ">patents", "", ">codes a patent"), years)
    fields = [(FIELDS.get(key, key), _percent(share), _bar(share)) for key, share in d.coverage.items()]
    _print(console, "Share of patents with each field", ("field", ">share", ""), fields)
    codes = [
        (row["code"], row["title"], f"{row['patents']:,}", _percent(row["share"]))
        for row in records(d.codes.head(_FIRST))
    ]
    _print(
        console, f"Commonest {d.scheme.upper()} {words.LEVELS[d.level]}", ("code", "title", ">patents", ">share"), codes
    )
    firms = [
        (words.clean(row["name"]), f"{row['patents']:,}", _percent(row["share"]))
        for row in records(d.firms.head(_FIRST))
    ]
    _print(console, "Largest assignees", ("assignee", ">patents", ">share"), firms)
    offices = [
        (row["office"] or "not named", f"{row['patents']:,}", *(_percent(row[name]) for name in ("title", "abstract")))
        for row in records(d.offices.head(_FIRST))
    ]
    _print(console, "Offices", ("office", ">patents", ">title", ">abstract"), offices)
    languages = [
        (LANGUAGES.get(row["language"], row["language"]), f"{row['patents']:,}") for row in records(d.languages)
    ]
    _print(console, "Language of title and abstract", ("language", ">patents"), languages)
    for warning in d.warnings:
        console.print(Text(f"note: {words.clean(warning)}"))


def _print(console: Console, title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table unless it has no rows; a column whose name starts with ``>`` is set to the right."""
    rows = list(rows)
    if not rows:
        return
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for name in header:
        table.add_column(name.lstrip(">"), justify="right" if name.startswith(">") else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
    console.print()


def _bar(share: float) -> str:
    return "█" * round(_BAR * share)


def _percent(share: float | None) -> str:
    return words.percent(share).replace(words.SPACE, " ")


def _decimal(value: float | None) -> str:
    return words.MISSING if value is None else f"{value:.1f}"
