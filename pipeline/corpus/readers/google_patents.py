"""Google Patents: the BigQuery table in its flat and nested forms, and the search page's CSV, which is refused.

Nested columns come as such (Parquet, JSON) or as text (CSV): JSON, or lists and records as Python writes them
(``['US-1-A', 'US-2-B2']``); they are parsed, never evaluated. The date is the publication of each document; the
filing date is kept.
"""

import ast
import json
import re
import warnings
from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipeline.corpus.readers.base import FAULTS, ITEM, Layout, storable, value_faults
from pipeline.corpus.readers.columns import finished, first_filled
from pipeline.corpus.readers.localized import in_english

_FIELDS: dict[str, tuple[str, ...]] = {
    "patent_id": ("publication_number",),
    "date": ("publication_date",),
    "office": ("country_code",),
    "family_id": ("family_id",),
    "ipc": ("ipc_code", "ipc.code", "ipc"),
    "cpc": ("cpc_code", "cpc.code", "cpc"),
    "cited_ids": ("refs", "citation.publication_number", "citation"),
    "cited_npl": ("citation.npl_text", "citation npl"),
    "assignees": ("assignee_harmonized.name", "assignee_harmonized", "assignee", "assignees"),
    "inventors": ("inventor_harmonized.name", "inventor_harmonized", "inventor", "inventors"),
    "app_date": ("filing_date",),
}
_TEXTS = {"title": "title_localized", "abstract": "abstract_localized", "claims": "claims_localized"}
_PLAIN_TEXTS = {"title": ("title_text", "title"), "abstract": ("abstract_text", "abstract"), "claims": ("claims",)}
_KEYS = {  # what of a record becomes an entry
    "ipc": "code", "cpc": "code", "ipc_code": "code", "cpc_code": "code", "refs": "publication_number",
    "citation": "publication_number", "assignee_harmonized": "name", "inventor_harmonized": "name",
    "assignee": "name", "inventor": "name", "assignees": "name", "inventors": "name",
}  # fmt: skip
_NONE = ("-1", "0")  # BigQuery's family and day of documents without
_LONGEST = 2**22
_TOKEN = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_LIST = re.compile(rf"\[\s*(?:(?:{_TOKEN})(?:\s*,\s*(?:{_TOKEN}))*\s*,?\s*)?\]")


def parse_list(text: str) -> str | None:
    """A list of strings as Python writes it, joined by ``;``; None when it is not one. Other text stays as it is.

    >>> parse_list("['C25B1/00', \\"C25B3/00\\"]"), parse_list("C25B1/00"), parse_list("[__import__('os')]")
    ('C25B1/00;C25B3/00', 'C25B1/00', None)
    """
    entries = _strings(text)
    return None if entries is None else ";".join(entries)


def _strings(text: str) -> list[str] | None:
    if not text.startswith("["):
        return [text]
    if not _LIST.fullmatch(text):
        return None
    return [re.sub(r"\\(.)", r"\1", token[1:-1]) for token in re.findall(_TOKEN, text)]


def _records(text: str) -> list[dict[str, Any]] | None:
    """A list of records in JSON or as Python or numpy write it; None when it is not one."""
    if len(text) > _LONGEST:
        return None
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what Python thinks of somebody's data as a program
                parsed = ast.literal_eval(re.sub(r"\}\s+\{", "}, {", text))
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            return None
    records = parsed if isinstance(parsed, list) else [parsed]
    return storable(records) if all(isinstance(record, dict) for record in records) else None


def _entries(text: str, key: str) -> str | None:
    """The entries of a list in any of these forms, with ``ITEM`` between them; None when it is none."""
    text = text.strip()
    if re.match(r"\[?\s*\{", text):
        records = _records(text)
        return (
            None if records is None else ITEM.join(str(record.get(key) or "").replace(ITEM, " ") for record in records)
        )
    strings = _strings(text)
    if strings is None or not text.startswith("["):
        return None if strings is None else text
    return ITEM.join(strings) + (ITEM if ";" in text else "")


def _recognises(header: Sequence[str]) -> bool:
    columns = set(header)
    coded = {"ipc_code", "cpc_code", "ipc.code", "cpc.code", "ipc", "cpc", "citation", "title_localized"}
    return {"publication_number", "publication_date"} <= columns and not coded.isdisjoint(columns)


def _flatten(raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    faults = [pd.DataFrame(columns=list(FAULTS))]
    columns = {name: raw[name] for name in raw.columns}
    if "citation" in columns:
        columns["citation npl"] = columns["citation"].map(lambda text: _entries(text, "npl_text") or "").astype("str")
        named = columns["citation"].str.match(r"\s*\[?\s*\{")
        columns["citation npl"] = columns["citation npl"].where(named, "")
    for name, key in _KEYS.items():
        if name in columns:
            texts = columns[name]
            entries = texts.map({text: _entries(text, key) for text in texts.unique()}).astype("str")
            broken = entries.isna()
            faults.append(value_faults(raw["publication_number"], texts, broken, f"{name} is not a list of strings"))
            columns[name] = entries.fillna("")
    source = pd.DataFrame(columns, index=raw.index)
    table = {field: first_filled(source, names) for field, names in _FIELDS.items()}
    for field, localized in _TEXTS.items():
        table[field] = _text(source, localized, _PLAIN_TEXTS[field])
    frame = pd.DataFrame({field: text for field, text in table.items() if text is not None}, index=raw.index)
    for field in ("family_id", "app_date", "date"):
        if field in frame:
            frame[field] = frame[field].mask(frame[field].isin(_NONE), "")
    separators = dict.fromkeys(("ipc", "cpc", "assignees", "inventors", "cited_ids", "cited_npl"), ITEM)
    return finished(frame, separators).assign(date_kind="publication"), pd.concat(faults, ignore_index=True)


def _text(source: pd.DataFrame, localized: str, plain_names: Sequence[str]) -> pd.Series | None:
    if f"{localized}.text" in source:
        languages = source.get(f"{localized}.language", pd.Series("", index=source.index))
        return in_english(source[f"{localized}.text"], languages)
    if localized in source:
        pairs = source[localized].map(lambda text: (_entries(text, "text") or "", _entries(text, "language") or ""))
        texts, languages = pairs.str[0].astype("str"), pairs.str[1].astype("str")
        return in_english(texts, languages)
    return first_filled(source, plain_names)


def _recognises_search_page(header: Sequence[str]) -> bool:
    return "search url:" in header or {"id", "title", "result link"} <= set(header)


BIGQUERY = Layout(
    "google_patents",
    _recognises,
    used=frozenset(
        {
            *(name for names in _FIELDS.values() for name in names),
            *(name for names in _PLAIN_TEXTS.values() for name in names),
            *(f"{name}{end}" for name in _TEXTS.values() for end in ("", ".text", ".language")),
        }
    ),
    flatten=_flatten,
    needs=((*_FIELDS["ipc"], *_FIELDS["cpc"]),),
)
SEARCH_PAGE = Layout(
    "google_patents_search",
    _recognises_search_page,
    refusal=(
        "is a Google Patents search-page export, which carries no IPC or CPC symbols: export the same patents from "
        "BigQuery (publication_number, publication_date, ipc_code, cpc_code, ...) or from another source"
    ),
)
