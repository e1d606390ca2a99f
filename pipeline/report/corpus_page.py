"""The page of a corpus: what was read and kept, how it lies in time, and what of it not to trust."""

import math
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.corpus.describe import Description
from pipeline.report import words
from pipeline.report.figures import nice_step
from pipeline.report.page import environment, write_page
from pipeline.report.tables import records

ACCOUNT = {  # keys of the manifest's account, in the order shown
    "kept": "kept as patents",
    "merged_families": "merged into another member of their family",
    "exact_repeats": "exact repeats dropped",
    "replaced": "replaced by a later correction",
    "quarantined": "set aside as unusable, each with its reason",
}
FIELDS = {  # keys of the manifest's coverage, in the order shown
    "title": "Title",
    "abstract": "Abstract",
    "claims": "Claims",
    "claims_count": "Number of claims",
    "ipc": "IPC codes",
    "cpc": "CPC codes",
    "assignees": "Assignees",
    "inventors": "Inventors",
    "citations": "Cited patents",
    "npl": "Other literature cited",
    "family_id": "Family",
    "office": "Office",
    "filing_date": "Filing date",
}
LANGUAGES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "zh": "Chinese",
    "ja": "Japanese",
    "ko": "Korean",
    "other": "another language",
    "": "too little text to tell",
}
_LABELS = 9  # years named on the axis


def write_corpus_page(description: Description, manifest: dict[str, Any], name: str, path: Path) -> None:
    """Write the self-contained HTML page of a corpus; the same corpus gives the same bytes."""
    context = {
        "name": name,
        "simulated": bool(manifest["simulated"]),
        "version": manifest["techconverge"],
        "content_hash": manifest["content_hash"],
        "sources": manifest["sources"],
        "families": manifest["families"],
        "description": description,
        "level": words.LEVELS[description.level],
        "account": account_rows(description.account),
        "reasons": records(description.reasons.head(12)),
        "reasons_left": max(len(description.reasons) - 12, 0),
        "years": year_columns(description.years),
        "fields": [(FIELDS.get(key, words.humanise(key)), share) for key, share in description.coverage.items()],
        "spread": _spread(description.spread, description.patents),
        "codes": records(description.codes),
        "firms": records(description.firms),
        "offices": records(description.offices.head(12)),
        "offices_left": max(len(description.offices) - 12, 0),
        "languages": [
            (LANGUAGES.get(row["language"], row["language"]), row["patents"], row["patents"] / description.patents)
            for row in records(description.languages)
        ],
    }
    write_page(path, environment(), "corpus.html", ["report.css", "corpus.css"], [], context)


def account_rows(account: dict[str, int]) -> list[tuple[str, int]]:
    """Where the rows read went, in words; lines that are zero are left out, but never what was kept."""
    return [(label, account.get(key, 0)) for key, label in ACCOUNT.items() if account.get(key, 0) or key == "kept"]


def year_columns(years: pd.DataFrame) -> dict[str, Any]:
    """Columns of a chart of patents and of mean codes a year: heights in per cent of the axis, labels for some years.

    ``years``: see ``Description.years``.
    """
    step = nice_step(max(int(years["patents"].max()), 1) / 4)
    top = step * math.ceil(years["patents"].max() / step)
    code_step = nice_step(float(years["codes"].max()) / 3)
    code_top = code_step * math.ceil(float(years["codes"].max()) / code_step - 1e-9)
    every = max(1, math.ceil(len(years) / _LABELS))
    return {
        "columns": [
            {
                **row,
                "height": round(100 * row["patents"] / top, 2),
                "codes_height": round(100 * row["codes"] / code_top, 2) if row["codes"] is not None else None,
                "label": row["year"] if (len(years) - 1 - place) % every == 0 else None,
            }
            for place, row in enumerate(records(years))
        ],
        "ticks": [(round(100 * i * step / top, 2), f"{i * step:,.0f}") for i in range(round(top / step) + 1)],
        "code_ticks": [
            (round(100 * i * code_step / code_top, 2), f"{i * code_step:g}")
            for i in range(round(code_top / code_step) + 1)
        ],
    }


def _spread(spread: pd.DataFrame, patents: int) -> list[dict[str, Any]]:
    most = max(int(spread["patents"].max()), 1)
    last = int(spread["codes"].max())
    return [
        {
            "label": f"{row['codes']}+" if row["codes"] == last else str(row["codes"]),
            "patents": row["patents"],
            "share": row["patents"] / patents,
            "width": round(100 * row["patents"] / most, 2),
        }
        for row in records(spread)
        if row["patents"] or row["codes"]
    ]
