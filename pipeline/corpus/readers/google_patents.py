"""Google Patents exports: the BigQuery-style table, and the search page's CSV, which is refused.

The first holds lists as Python writes them (``['US-1-A', 'US-2-B2']``); they are parsed here, never evaluated.
"""

import re
from collections.abc import Sequence

import pandas as pd

from pipeline.corpus.readers.base import FAULTS, Layout, normalise_ids

_COLUMNS = {
    "publication_number": "patent_id",
    "publication_date": "date",
    "country_code": "office",
    "family_id": "family_id",
    "title_text": "title",
    "abstract_text": "abstract",
    "cpc_code": "cpc",
    "ipc_code": "ipc",
    "refs": "cited_ids",
}
_LISTS = ("cpc_code", "ipc_code", "refs")
_NO_FAMILY = "-1"
_TOKEN = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_LIST = re.compile(rf"\[\s*(?:(?:{_TOKEN})(?:\s*,\s*(?:{_TOKEN}))*\s*,?\s*)?\]")


def parse_list(text: str) -> str | None:
    """A list of strings as Python writes it, joined by ``;``; None when it is not one. Other text stays as it is.

    >>> parse_list("['C25B1/00', \\"C25B3/00\\"]"), parse_list("C25B1/00"), parse_list("[__import__('os')]")
    ('C25B1/00;C25B3/00', 'C25B1/00', None)
    """
    if not text.startswith("["):
        return text
    if not _LIST.fullmatch(text):
        return None
    return ";".join(re.sub(r"\\(.)", r"\1", token[1:-1]) for token in re.findall(_TOKEN, text))


def _recognises(header: Sequence[str]) -> bool:
    mandatory = {"publication_number", "publication_date"}
    return mandatory <= set(header) and not {"ipc_code", "cpc_code"}.isdisjoint(header)


def _flatten(raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    faults = []
    parsed = {}
    for column in raw.columns.intersection(list(_LISTS)):
        texts = raw[column]
        lists = texts.map(parse_list).astype("str")
        broken = lists.isna()
        faults.append(
            pd.DataFrame(
                {
                    "row": raw.index[broken],
                    "patent_id": normalise_ids(raw.loc[broken, "publication_number"]),
                    "kind": "value",
                    "reason": f"{column} is not a list of strings",
                    "value": texts[broken].str.slice(0, 200),
                },
                columns=list(FAULTS),
            )
        )
        parsed[column] = lists.fillna("")
    frame = raw.assign(**parsed).rename(columns=_COLUMNS).assign(date_kind="publication")
    if "family_id" in frame:
        frame = frame.assign(family_id=frame["family_id"].mask(frame["family_id"] == _NO_FAMILY, ""))
    return frame, pd.concat(faults, ignore_index=True)


def _recognises_search_page(header: Sequence[str]) -> bool:
    return "search url:" in header or {"id", "title", "result link"} <= set(header)


BIGQUERY = Layout("google_patents", _recognises, used=frozenset(_COLUMNS), flatten=_flatten)
SEARCH_PAGE = Layout(
    "google_patents_search",
    _recognises_search_page,
    refusal=(
        "is a Google Patents search-page export, which carries no IPC or CPC symbols: export the same patents from "
        "BigQuery (publication_number, publication_date, ipc_code, cpc_code, ...) or from another source"
    ),
)
