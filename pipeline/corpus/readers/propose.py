"""Propose a mapping file for a table of no known layout, from what its columns are called and what they hold."""

import dataclasses
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import yaml
from rapidfuzz import fuzz

from pipeline.artifacts import atomic_path
from pipeline.corpus.readers.base import ITEM, Sheet, plain
from pipeline.corpus.readers.containers import parts
from pipeline.corpus.readers.days import iso_days
from pipeline.corpus.readers.headings import HEADINGS, MISLEADING
from pipeline.corpus.symbols import parse_symbol
from pipeline.errors import ArtifactError, CorpusError

_LOOKED_AT = 500  # rows
_LEAST = 0.4  # sureness below which a column is not proposed
_SEPARATORS = (";;", ";", "|", "\n", ",", ITEM)
_NUMBER = r"[A-Z]{2}[\s\-]?[A-Z]{0,2}[\s\-]?\d[\d\s,/.\-]{3,18}[\s\-]?(?:[A-Z]\d?)?|\d{6,15}"
_DAY = r"\d{4}-\d{2}-\d{2}|(?:1[89]|20)\d{6}"
_CPC_ONLY = re.compile(r"Y\d\d[A-Z]|/\d{5,}| \d{4}/|[A-Z]\d{4}/")


@dataclasses.dataclass(frozen=True)
class Guess:
    """A column proposed for a field; ``sure`` between 0 and 1, ``why`` in words."""

    field: str
    column: str
    sure: float
    why: str


@dataclasses.dataclass(frozen=True)
class Proposal:
    """A mapping proposed for ``file``: a column each field, separators of lists, what to look at."""

    file: str
    guesses: tuple[Guess, ...]
    separators: Mapping[str, str]
    unused: tuple[str, ...]
    warnings: tuple[str, ...]

    def told(self) -> list[str]:
        """The guesses and warnings, a line each."""
        lines = [f"{guess.field:12} = {guess.column!r}: {guess.sure:.0%} sure, {guess.why}" for guess in self.guesses]
        return lines + [f"note: {warning}" for warning in self.warnings]


def propose(path: Path) -> Proposal:
    """Propose a mapping for the first table of a file.

    Raises:
        CorpusError: when the file cannot be read or holds no table.
    """
    with tempfile.TemporaryDirectory(prefix="techconverge-") as scratch:
        for _, sheets in parts(path, Path(scratch)):
            if sheets:
                sheet = max(sheets, key=_named_columns)  # the first of equals
                wanted = {plain(name) for name in sheet.header} - {""}
                table = sheet.read(wanted).frame.head(_LOOKED_AT)
                return _proposal(path.name, [name for name in sheet.header if plain(name) in table], table)
    raise CorpusError(f"{path} holds no table")


def write_proposal(proposal: Proposal, out: Path) -> None:
    """Write a proposal as a mapping file, its reasons as comments."""
    lines = [f"# proposed for {_comment(proposal.file)}: look it through before use"]
    lines += [f"# note: {_comment(warning)}" for warning in proposal.warnings]
    lines.append("columns:")
    for guess in proposal.guesses:
        lines.append(f"  {guess.field}: {_quoted(guess.column)}  # {guess.sure:.0%} sure: {_comment(guess.why)}")
    if proposal.separators:
        lines.append("separators:")
        lines += [f"  {field}: {_quoted(text)}" for field, text in proposal.separators.items()]
    lines.append('# date_format: "%d/%m/%Y"  # where days are not understood')
    lines.append("date_kind: publication  # or grant, application")
    lines += [f"# unused: {_comment(name)}" for name in proposal.unused]
    try:
        with atomic_path(out) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise ArtifactError(f"cannot write {out}: {error.strerror}") from error


def _named_columns(sheet: Sheet) -> tuple[float, int]:
    names = [plain(name) for name in sheet.header if name]
    return sum(max(_by_name(name, field) for field in HEADINGS) for name in names), len(names)


def _proposal(file: str, header: Sequence[str], table: pd.DataFrame) -> Proposal:
    guesses = [_guess(field, name, table[plain(name)]) for name in header for field in HEADINGS]
    chosen: dict[str, Guess] = {}
    taken: set[str] = set()
    for guess in sorted(guesses, key=lambda guess: -guess.sure):
        if guess.sure >= _LEAST and guess.field not in chosen and guess.column not in taken:
            chosen[guess.field] = guess
            taken.add(guess.column)
    ordered = tuple(chosen[field] for field in HEADINGS if field in chosen)
    separators = {
        guess.field: separator
        for guess in ordered
        if guess.field in _LISTED and (separator := _separator(table[plain(guess.column)], guess.field))
    }
    return Proposal(
        file, ordered, separators, tuple(name for name in header if name not in taken), _warnings(chosen, table)
    )


def _warnings(chosen: Mapping[str, Guess], table: pd.DataFrame) -> tuple[str, ...]:
    found = [f"no column found for {field}: add it" for field in ("patent_id", "date") if field not in chosen]
    if "ipc" not in chosen and "cpc" not in chosen:
        found.append("no column found for ipc or cpc: add one")
    for field in ("date", "app_date"):
        if field in chosen:
            days = _filled(table[plain(chosen[field].column)])
            unread = days[~iso_days(days).str.fullmatch(_DAY)]
            if len(unread):
                found.append(f"{field}: {len(unread)} of {len(days)} such as {unread.iloc[0]!r}: set date_format")
    return tuple(found)


def _guess(field: str, column: str, values: pd.Series) -> Guess:
    name = _by_name(plain(column), field)
    filled = _filled(values)
    test = _CONTENTS.get(field)
    called = "called so" if name == 1 else "called alike" if name else "called otherwise"
    if test is None or filled.empty or not (name or field in _TELLING):
        return Guess(field, column, 0.85 * name, called + ("" if len(filled) else "; empty"))
    share = test(filled)
    sure = name * (0.5 + 0.5 * share) if name else 0.75 * share if field in _TELLING else 0.0
    return Guess(field, column, sure, f"{called}; {share:.0%} of {len(filled)} values look like it")


def _by_name(name: str, field: str) -> float:
    bare = name.replace("_", " ").rstrip(".")
    known = [heading.replace("_", " ") for heading in HEADINGS[field]]
    if bare in known:
        return 1.0
    misled = any(word in bare for word in MISLEADING) and field != "claims_count"
    alike = max(fuzz.token_sort_ratio(bare, heading) / 100 for heading in known)
    contained = max(
        (len(heading) / len(bare) for heading in known if len(heading) > 2 and heading in bare), default=0.0
    )
    best = max(alike if alike > 0.85 else 0.0, 0.6 + 0.3 * contained if contained else 0.0)
    return 0.0 if misled else min(best, 0.95)


def _filled(values: pd.Series) -> pd.Series:
    return values[values.str.strip() != ""].str.strip()


def _entries(values: pd.Series) -> list[str]:
    return [
        part.strip() for text in values for part in re.split(rf"[;|\n{ITEM}]|,(?=\s*[A-HY]\d\d)", text) if part.strip()
    ]


def _symbols(values: pd.Series, scheme: str) -> float:
    entries = _entries(values)
    return sum(len(entry) >= 4 and parse_symbol(entry, scheme) is not None for entry in entries) / max(len(entries), 1)


def _as_ipc(values: pd.Series) -> float:
    return _symbols(values, "ipc") * (0.6 if _looks_cpc(values) else 1.0)


def _as_cpc(values: pd.Series) -> float:
    return _symbols(values, "cpc") * (1.0 if _looks_cpc(values) else 0.6)


def _looks_cpc(values: pd.Series) -> bool:
    return values.str.contains(_CPC_ONLY).mean() > 0.02


def _as_numbers(values: pd.Series) -> float:
    return float(values.str.upper().str.fullmatch(_NUMBER).mean() * min(1.0, values.nunique() / len(values) + 0.1))


def _as_days(values: pd.Series) -> float:
    return float(iso_days(values).str.fullmatch(_DAY + r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}").mean())


def _as_text(least: int, most: int) -> Callable[[pd.Series], float]:
    return lambda values: float(values.str.len().between(least, most).mean())


_LISTED = ("ipc", "cpc", "assignees", "inventors", "cited_ids", "members")
_TELLING = ("patent_id", "ipc", "cpc", "date")  # fields that contents alone may tell
_CONTENTS: dict[str, Callable[[pd.Series], float]] = {
    "patent_id": _as_numbers,
    "date": _as_days,
    "app_date": _as_days,
    "ipc": _as_ipc,
    "cpc": _as_cpc,
    "title": _as_text(2, 500),
    "abstract": _as_text(15, 20_000),
    "claims_count": lambda values: float(values.str.fullmatch(r"\d{1,3}").mean()),
    "office": lambda values: float(values.str.fullmatch(r"[A-Z]{2}").mean()),
}


def _separator(values: pd.Series, field: str) -> str:
    """The separator that most values hold; of symbols, that which leaves most of them valid."""
    filled = _filled(values)
    best, most = "", 0.0
    for separator in _SEPARATORS:
        holding = float(filled.str.contains(separator, regex=False).mean())
        if field in ("ipc", "cpc"):
            parts_ = [part for text in filled for part in text.split(separator)]
            holding = sum(parse_symbol(part, "cpc") is not None for part in parts_) if holding else 0.0
        if holding > most and not (separator == "," and field in ("assignees", "inventors")):
            best, most = separator, holding
    return "" if best in ("", ITEM) else best


def _quoted(text: str) -> str:
    return yaml.safe_dump(text, allow_unicode=True, default_style='"', width=10**6).strip()


def _comment(text: str) -> str:
    return " ".join("".join(sign for sign in text if sign.isprintable()).split())
