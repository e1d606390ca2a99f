"""Whether the newest patents are as those before them: volumes, coding practice, texts.

Each measure is taken of every month. The months since the last run, together, are held against the months before it:
the median of these, and their spread, 1.4826 times the median distance from it. A measure is told of when it lies more
than SPREADS spreads from the median, the sampling error of the newest patents counted in, and is further off than
NOTABLE of the median or, of a share, than POINTS.
"""

import numpy as np
import pandas as pd

from pipeline.corpus.symbols import roll_up
from pipeline.corpus.timeline import Corpus, months_before
from pipeline.schemas import Drift, validate

MEASURES = {  # whether it is a share
    "patents_a_month": False,
    "codes_a_patent": False,
    "new_code_share": True,  # of the codes on patents, those that no patent had before the month
    "without_code": True,  # patents without any of the scheme
    "without_title": True,
    "without_abstract": True,
}
MONTHS = 24  # before the last run that are compared with, at most
FEWEST = 12  # below which nothing can be said
SPREADS = 4.0
NOTABLE = 0.3
POINTS = 0.05
_DAYS = 30.4375  # in a month


def drift(history: Corpus, since: pd.Timestamp, scheme: str, level: str) -> pd.DataFrame:
    """The measures of the patents known in (since, cutoff of the history] (schema ``Drift``)."""
    values = _of_patents(history, scheme, level)
    recent = values[values["known"] > since]
    start = months_before(since, MONTHS)
    before = values[(values["known"] > start) & (values["known"] <= since)]
    first = max(values["known"].min(), start + pd.Timedelta(days=1))
    every = pd.period_range(first, since, freq="M")
    whole = since.is_month_end and history.cutoff.is_month_end
    span = (
        len(pd.period_range(since + pd.Timedelta(days=1), history.cutoff, freq="M"))
        if whole
        else (history.cutoff - since).days / _DAYS
    )
    rows = [_row(name, recent, before, every, span, share) for name, share in MEASURES.items()]
    return validate(pd.DataFrame(rows), Drift, "drift")


def _of_patents(history: Corpus, scheme: str, level: str) -> pd.DataFrame:
    """One row a patent: the day it was known and its month, its codes, the share of them that is new, what it lacks."""
    patents = history.patents
    known = patents["knowledge_date"]
    table = history.patent_codes[history.patent_codes["scheme"] == scheme]
    codes = pd.DataFrame({"row": history.row_of(table["patent_id"]), "code": roll_up(table["symbol"], level)})
    codes = codes.dropna().drop_duplicates()
    month = known.dt.to_period("M")
    codes = codes.assign(month=month.to_numpy()[codes["row"]])
    new = codes["month"] == codes.groupby("code")["month"].transform("min")
    each = codes.assign(new=new).groupby("row")["new"].agg(["size", "sum"]).reindex(range(len(patents)), fill_value=0)
    return pd.DataFrame(
        {
            "known": known.to_numpy(),
            "month": month.to_numpy(),
            "codes_a_patent": each["size"].where(each["size"] > 0).to_numpy(dtype=float),
            "new_code_share": (each["sum"] / each["size"].where(each["size"] > 0)).to_numpy(dtype=float),
            "without_code": (each["size"] == 0).to_numpy(dtype=float),
            "without_title": (patents["title"] == "").to_numpy(dtype=float),
            "without_abstract": (patents["abstract"] == "").to_numpy(dtype=float),
        }
    )


def _row(
    name: str, recent: pd.DataFrame, before: pd.DataFrame, every: pd.PeriodIndex, span: float, share: bool
) -> dict[str, object]:
    if name == "patents_a_month":
        monthly = before.groupby("month").size().reindex(every, fill_value=0).astype(float)
        now, error = len(recent) / span, np.sqrt(len(recent)) / span
    else:
        monthly = before.groupby("month")[name].mean().reindex(every).dropna()
        given = recent[name].dropna()
        now = float(given.mean()) if len(given) else np.nan
        error = float(given.std(ddof=0) / np.sqrt(len(given))) if len(given) else np.nan
    usual = float(monthly.median()) if len(monthly) >= FEWEST else np.nan
    spread = float(np.hypot(1.4826 * (monthly - usual).abs().median(), error))
    room = max(SPREADS * spread, POINTS if share else NOTABLE * usual)
    low = max(usual - room, 0.0)
    high = min(usual + room, 1.0) if share else usual + room
    off = now - usual
    return {
        "measure": name,
        "recent": now,
        "usual": usual,
        "low": low,
        "high": high,
        "spreads": off / spread if spread > 0 else (0.0 if off == 0 else np.nan),
        "patents": len(recent),
        "months": len(monthly),
        "flagged": bool(abs(off) > room),
    }
