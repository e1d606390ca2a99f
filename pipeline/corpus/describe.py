"""What a corpus holds, and what of it not to trust: the account, years, fields, codes, firms, offices and warnings."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from pipeline.corpus.coverage_warnings import coverage_warnings
from pipeline.corpus.symbols import roll_up
from pipeline.corpus.timeline import Corpus
from pipeline.corpus.titles import titles
from pipeline.schemas import LEVELS

TOP = 20  # codes and firms listed
MANY = 10  # codes a patent from which on numbers are pooled
TEXTS = ("title", "abstract", "claims")


@dataclasses.dataclass(frozen=True)
class Description:
    """A corpus in numbers; shares are of its patents unless said otherwise.

    ``reasons``: kind, reason, rows. ``years``: year, patents, and mean ``codes`` a patent that has any. ``spread``:
    codes, patents (the last row pools). ``codes``: code, title, patents, share, ``recent`` (share within the last three
    years). ``firms``: party_id, name (its commonest spelling), patents, share. ``offices``: office, patents, and the
    share of them with each text. ``languages``: language, patents.
    """

    scheme: str
    level: str
    account: dict[str, int]
    reasons: pd.DataFrame
    years: pd.DataFrame
    coverage: dict[str, float]
    spread: pd.DataFrame
    codes: pd.DataFrame
    firms: pd.DataFrame
    offices: pd.DataFrame
    languages: pd.DataFrame
    first: pd.Timestamp
    last: pd.Timestamp
    patents: int
    distinct_codes: int
    distinct_firms: int
    warnings: tuple[str, ...]


def describe(
    corpus: Corpus, manifest: dict[str, Any], quarantine: pd.DataFrame, level: str = "subclass"
) -> Description:
    """Describe a whole corpus by the classification that most of its patents have.

    ``manifest``: what the corpus's folder says of itself (account, coverage, warnings of its ingest).
    """
    scheme = "cpc" if manifest["coverage"]["cpc"] > manifest["coverage"]["ipc"] else "ipc"
    patents = corpus.patents
    rolled = _rolled(corpus, scheme, level)
    assignees = corpus.parties[corpus.parties["role"] == "assignee"]
    return Description(
        scheme=scheme,
        level=level,
        account=dict(manifest["account"]),
        reasons=quarantine.groupby(["kind", "reason"], sort=True)
        .size()
        .reset_index(name="rows")
        .sort_values("rows", ascending=False, kind="stable", ignore_index=True),
        years=years_table(corpus, scheme),
        coverage=dict(manifest["coverage"]),
        spread=_spread(corpus, scheme),
        codes=_top_codes(rolled, len(patents)),
        firms=_top_firms(assignees, len(patents)),
        offices=_offices(patents),
        languages=_counts(patents, "language"),
        first=corpus.members["knowledge_date"].min(),
        last=corpus.members["knowledge_date"].max(),
        patents=len(patents),
        distinct_codes=int(rolled["code"].nunique()),
        distinct_firms=int(assignees["party_id"].nunique()),
        warnings=(*manifest["warnings"], *coverage_warnings(corpus, scheme)),
    )


def years_table(corpus: Corpus, scheme: str) -> pd.DataFrame:
    """Patents a year and the mean number of codes on those that have any; every year from the first to the last."""
    year = corpus.patents["knowledge_date"].dt.year
    codes = _codes_each(corpus, scheme)
    by_year = pd.DataFrame({"year": year, "codes": codes.where(codes > 0)}).groupby("year")["codes"]
    every = pd.RangeIndex(int(year.min()), int(year.max()) + 1, name="year")
    table = by_year.agg(patents="size", codes="mean").reindex(every)
    return table.assign(patents=table["patents"].fillna(0).astype("int64")).reset_index()


def _codes_each(corpus: Corpus, scheme: str) -> pd.Series:
    table = corpus.patent_codes[corpus.patent_codes["scheme"] == scheme]
    counts = np.bincount(corpus.row_of(table["patent_id"]), minlength=len(corpus.patents))
    return pd.Series(counts, index=corpus.patents.index)


def _spread(corpus: Corpus, scheme: str) -> pd.DataFrame:
    counts = np.bincount(np.minimum(_codes_each(corpus, scheme), MANY), minlength=MANY + 1)
    return pd.DataFrame({"codes": np.arange(MANY + 1), "patents": counts})


def _rolled(corpus: Corpus, scheme: str, level: str) -> pd.DataFrame:
    """Which patent has which code of the level: patent_id, code, knowledge_date."""
    assert level in LEVELS
    table = corpus.patent_codes[corpus.patent_codes["scheme"] == scheme]
    rolled = pd.DataFrame({"patent_id": table["patent_id"], "code": roll_up(table["symbol"], level)})
    rolled = rolled.dropna().drop_duplicates(ignore_index=True)
    known = corpus.patents["knowledge_date"].to_numpy()[corpus.row_of(rolled["patent_id"])]
    return rolled.assign(knowledge_date=known)


def _top_codes(rolled: pd.DataFrame, patents: int) -> pd.DataFrame:
    since = rolled["knowledge_date"].max() + pd.DateOffset(years=-3)
    recent = rolled.assign(recent=rolled["knowledge_date"] > since)
    table = recent.groupby("code")["recent"].agg(patents="size", recent="mean").reset_index()
    table = table.sort_values(["patents", "code"], ascending=[False, True], ignore_index=True).head(TOP)
    return table.assign(title=titles(table["code"]), share=table["patents"] / patents)[
        ["code", "title", "patents", "share", "recent"]
    ]


def _top_firms(assignees: pd.DataFrame, patents: int) -> pd.DataFrame:
    counts = assignees.groupby("party_id")["patent_id"].nunique().reset_index(name="patents")
    table = counts.sort_values(["patents", "party_id"], ascending=[False, True], ignore_index=True).head(TOP)
    spelt = _spellings(assignees[assignees["party_id"].isin(table["party_id"])])
    commonest = spelt.sort_values(["n", "name"], ascending=[False, True]).drop_duplicates("party_id")
    names = commonest.set_index("party_id")["name"].reindex(table["party_id"])
    return table.assign(name=names.to_numpy(), share=table["patents"] / patents)[
        ["party_id", "name", "patents", "share"]
    ]


def _spellings(assignees: pd.DataFrame) -> pd.DataFrame:
    return assignees.groupby(["party_id", "name"]).size().reset_index(name="n")


def _offices(patents: pd.DataFrame) -> pd.DataFrame:
    having = pd.DataFrame({name: patents[name] != "" for name in TEXTS}).assign(office=patents["office"])
    groups = having.groupby("office")
    table = groups[list(TEXTS)].mean().assign(patents=groups.size()).reset_index()
    return table.sort_values(["patents", "office"], ascending=[False, True], ignore_index=True)[
        ["office", "patents", *TEXTS]
    ]


def _counts(patents: pd.DataFrame, column: str) -> pd.DataFrame:
    counts = patents.groupby(column).size().reset_index(name="patents")
    return counts.sort_values(["patents", column], ascending=[False, True], ignore_index=True)
