"""Lens.org: the CSV of its several years, and the records of its API (JSON lines).

The date is the publication of each document; the application date is kept as filing date. Counts of citing documents
are as of the export and are not read. Families: the simple family's members,
else (in the older exports) the priorities.
"""

from collections.abc import Sequence

import pandas as pd

from pipeline.corpus.readers.base import ITEM, Layout, faults_of
from pipeline.corpus.readers.columns import columns_layout, finished
from pipeline.corpus.readers.localized import in_english

CSV = columns_layout(
    "lens",
    marks=(
        "jurisdiction",
        "kind|lens id",
        "display key|publication number|lens id",
        "ipcr classifications|cpc classifications|priority numbers|application number",
    ),
    columns={
        "patent_id": ("display key", "publication number", "lens id"),
        "date": ("publication date",),
        "year": ("publication year",),
        "title": ("title",),
        "abstract": ("abstract",),
        "claims": ("claims",),
        "ipc": ("ipcr classifications",),
        "cpc": ("cpc classifications",),
        "assignees": ("applicants",),
        "inventors": ("inventors",),
        "cited_npl": ("npl citations", "non-patent citations"),
        "members": ("simple family members",),
        "priority_ids": ("priority numbers",),
        "office": ("jurisdiction",),
        "app_date": ("application date",),
    },
    separator=";;",
)

_TITLE, _ABSTRACT = "biblio.invention_title", "abstract"
_CITED = "biblio.references_cited.citations"
_DOCUMENT = ("jurisdiction", "doc_number", "kind")
_COLUMNS = {
    "date": ("date_published", "biblio.publication_reference.date"),
    "ipc": ("biblio.classifications_ipcr.classifications.symbol",),
    "cpc": ("biblio.classifications_cpc.classifications.symbol",),
    "inventors": ("biblio.parties.inventors.extracted_name.value", "biblio.parties.inventors.name.name"),
    "app_date": ("biblio.application_reference.date",),
    "cited_npl": (f"{_CITED}.nplcit.text",),
    "office": ("jurisdiction",),
}
_ASSIGNEES = (
    "biblio.parties.applicants.extracted_name.value",
    "biblio.parties.applicants.name.name",
    "biblio.parties.owners_all.extracted_name.value",
)
_CLAIMS = ("claims.claims.claim_text", "claims.claims.text")
_MEMBERS = "families.simple_family.members.lens_id"


def _recognises(header: Sequence[str]) -> bool:
    return {"lens_id", "jurisdiction", "doc_number"} <= set(header)


def _flatten(raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    def column(*names: str) -> pd.Series:
        text = pd.Series("", index=raw.index, dtype="str")
        for name in names:
            if name in raw:
                text = text.mask(text.str.strip(ITEM) == "", raw[name])
        return text

    own = column("jurisdiction").str.cat(column("doc_number")).str.cat(column("kind"))
    table = pd.DataFrame(
        {
            "patent_id": own,
            **{field: column(*names) for field, names in _COLUMNS.items()},
            "title": in_english(column(f"{_TITLE}.text", f"{_TITLE}.value"), column(f"{_TITLE}.lang")),
            "abstract": in_english(column(f"{_ABSTRACT}.text"), column(f"{_ABSTRACT}.lang")),
            "claims": column(*_CLAIMS).str.replace(ITEM, "\n", regex=False),
            "assignees": column(*_ASSIGNEES),
            "cited_ids": _numbers([column(f"{_CITED}.patcit.document_id.{part}") for part in _DOCUMENT]),
            "family_id": column(_MEMBERS).map(lambda members: min(filter(None, members.split(ITEM)), default="")),
            "date_kind": "publication",
        },
        index=raw.index,
    ).astype("str")
    return finished(table, dict.fromkeys(("ipc", "cpc", "assignees", "inventors", "cited_ids", "cited_npl"), ITEM)), (
        faults_of([])
    )


def _numbers(parts: Sequence[pd.Series]) -> pd.Series:
    """Numbers of cited documents from their parts, which are lists side by side."""
    lists = [
        ITEM.join("".join(number) for number in zip(*(text.split(ITEM) for text in row), strict=False))
        for row in zip(*parts, strict=True)
    ]
    return pd.Series(lists, index=parts[0].index, dtype="str")


API = Layout(
    "lens_api",
    _recognises,
    used=frozenset(
        {
            "lens_id", "jurisdiction", "doc_number", "kind", _MEMBERS, *_ASSIGNEES, *_CLAIMS,
            f"{_TITLE}.text", f"{_TITLE}.value", f"{_TITLE}.lang", f"{_ABSTRACT}.text", f"{_ABSTRACT}.lang",
            *(f"{_CITED}.patcit.document_id.{part}" for part in _DOCUMENT),
            *(name for names in _COLUMNS.values() for name in names),
        }
    ),
    flatten=_flatten,
    needs=(_COLUMNS["date"], (*_COLUMNS["ipc"], *_COLUMNS["cpc"])),
)  # fmt: skip
