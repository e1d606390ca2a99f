"""What in a corpus's coverage would mislead a forecast: incomplete years, jumps of practice, gaps of an office."""

import numpy as np
import pandas as pd

from pipeline.corpus.entry_dates import entered
from pipeline.corpus.timeline import Corpus

_MANY = 30  # patents below which a group's share or mean says nothing
_FALL = 0.7  # a last year with less than this of the three before is taken to be incomplete
_JUMP = 1.3  # change of the mean number of codes a patent from one year to the next that is no trend
_SURE = 5.0  # by how many standard errors the means of two years must differ
_GAP = 0.5  # a text that an office has on less than this of the patents on which the others have it
_SHOWN = 5  # examples a warning names


def coverage_warnings(corpus: Corpus, scheme: str) -> tuple[str, ...]:
    """One line a fault of coverage, each saying what it does to a forecast."""
    return (
        *incomplete_years(corpus.patents),
        *empty_years(corpus.patents),
        *coding_jumps(corpus, scheme),
        *missing_texts(corpus.patents),
        *codes_before_their_day(corpus),
    )


def incomplete_years(patents: pd.DataFrame) -> tuple[str, ...]:
    """Right truncation: a last year that ends early, or that has far fewer patents than the three before it."""
    known = patents["knowledge_date"]
    last, year = known.max(), int(known.max().year)
    counts = known.dt.year.value_counts()
    if last < pd.Timestamp(year=year, month=12, day=1):
        return (
            f"last year: the patents end on {last:%Y-%m-%d}, so {year} is not whole; "
            "a window that reaches into it sees too few outcomes",
        )
    usual = np.mean([counts.get(before, 0) for before in range(year - 3, year)])
    if usual >= _MANY and counts[year] < _FALL * usual:
        return (
            f"last year: {year} has {counts[year]:,} patents where the three years before have {usual:,.0f} each: "
            "it looks incomplete, so outcomes in it are too few",
        )
    return ()


def empty_years(patents: pd.DataFrame) -> tuple[str, ...]:
    """Years without a patent between years that have some."""
    years = patents["knowledge_date"].dt.year
    dense = years[years.map(years.value_counts()) >= _MANY]
    if dense.empty:
        return ()
    missing = sorted(set(range(int(dense.min()), int(dense.max()))) - set(years))
    return (f"years: no patent at all in {_listed(missing)}: a part of the source is lacking",) if missing else ()


def coding_jumps(corpus: Corpus, scheme: str) -> tuple[str, ...]:
    """Years in which the patents suddenly carry many more or fewer codes, or far more or fewer of them any."""
    table = corpus.patent_codes[corpus.patent_codes["scheme"] == scheme]
    counts = np.bincount(corpus.row_of(table["patent_id"]), minlength=len(corpus.patents)).astype(float)
    year = corpus.patents["knowledge_date"].dt.year
    groups = pd.DataFrame({"year": year, "codes": counts}).query("codes > 0").groupby("year")["codes"]
    stats = groups.agg(["mean", "var", "size"])
    before = stats.reindex(stats.index - 1).set_axis(stats.index)
    ratio = stats["mean"] / before["mean"]
    error = np.sqrt(stats["var"] / stats["size"] + before["var"] / before["size"])
    sure = (stats["mean"] - before["mean"]).abs() > _SURE * error
    jump = sure & ((ratio > _JUMP) | (ratio < 1 / _JUMP)) & (np.minimum(stats["size"], before["size"]) >= _MANY)
    found = [f"{at} ({before.loc[at, 'mean']:.1f} to {stats.loc[at, 'mean']:.1f} a patent)" for at in stats.index[jump]]
    if not found:
        return ()
    return (
        f"coding practice: the number of {scheme.upper()} codes jumps in {_listed(found)}: pairs appear or vanish "
        "there because patents were classified otherwise, not because technologies met",
    )


def missing_texts(patents: pd.DataFrame) -> tuple[str, ...]:
    """Offices whose patents lack a title or abstract that those of other offices have."""
    warnings = []
    offices = patents["office"]
    sizes = offices.value_counts()
    for name in ("title", "abstract"):
        having = patents[name] != ""
        shares = having.groupby(offices).mean()
        lacking = [
            f"{office or 'no office named'} ({shares[office]:.0%} of {sizes[office]:,})"
            for office in sizes.index[sizes >= _MANY]
            if len(having[offices != office]) and shares[office] < _GAP * having[offices != office].mean()
        ]
        if lacking:
            warnings.append(
                f"{name}: far fewer of the patents of {_listed(lacking)} have one than of the other offices: "
                "what is read from texts sees those patents hardly at all"
            )
    return tuple(warnings)


def codes_before_their_day(corpus: Corpus) -> tuple[str, ...]:
    """Patents that carry codes not yet in force when they came out: they were classified again later."""
    if corpus.entry_dates is None:
        return ()
    early = []
    for scheme, table in corpus.patent_codes.groupby("scheme"):
        symbols, at = np.unique(table["symbol"].to_numpy(dtype=str), return_inverse=True)
        in_force = entered(symbols, str(scheme), "subgroup", corpus.entry_dates)[at]
        known = corpus.patents["knowledge_date"].to_numpy()[corpus.row_of(table["patent_id"])]
        early.append(table[in_force > known])
    found = pd.concat(early)
    if found.empty:
        return ()
    commonest = found["symbol"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    patents = found["patent_id"].nunique()
    return (
        f"codes: {patents:,} patents ({patents / len(corpus.patents):.1%}) carry codes that came into force after "
        "them (most often "
        f"{_listed(list(commonest.index[:3]))}): the source classifies by a later edition, so links may be inherited; "
        "a forecast leaves out what was not in force at its cutoff",
    )


def _listed(items: list[object] | list[str] | list[int]) -> str:
    shown = ", ".join(map(str, items[:_SHOWN]))
    return shown + (f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else "")
