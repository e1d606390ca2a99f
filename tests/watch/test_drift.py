"""Drift: a corpus whose practice jumps is told of, one that goes on as before is not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases import real_data
from factories import corpus_from

from pipeline.corpus.ingest import ingest
from pipeline.corpus.timeline import Corpus
from pipeline.watch.drift import FEWEST, MONTHS, drift

LETTERS = "BCDFGHJKL"
SINCE = pd.Timestamp("2012-06-30").as_unit("s")
Change = Callable[[dict[str, Any], int], dict[str, Any]]


def patents(change: Change, months: int = 30, each: int = 20) -> Corpus:
    """Patents up to July 2012, the last month's changed; the number of codes varies from patent to patent."""
    rng = np.random.default_rng(5)
    rows = []
    for month in pd.period_range(end="2012-07", periods=months, freq="M"):
        for n in range(each + int(rng.integers(-4, 5))):
            codes = rng.choice(list(LETTERS), size=int(rng.integers(1, 4)), replace=False)
            row: dict[str, Any] = {
                "patent_id": f"US{month:%Y%m}{n:03d}",
                "date": f"{month:%Y-%m}-{1 + n % 28:02d}",
                "ipc": [f"A01{letter}" for letter in codes],
                "title": "A thing",
                "abstract": "It does something.",
            }
            rows.append(change(row, n) if f"{month}" == "2012-07" else row)
    return corpus_from([row for row in rows if row])


def flagged(corpus: Corpus) -> set[str]:
    table = drift(corpus, SINCE, "ipc", "subclass").set_index("measure")
    return set(table.index[table["flagged"]])


def same(row: dict[str, Any], n: int) -> dict[str, Any]:
    return row


def test_a_corpus_that_goes_on_as_before_is_not_told_of() -> None:
    assert flagged(patents(same)) == set()


@pytest.mark.parametrize(
    ("measure", "change"),
    [
        ("codes_a_patent", lambda row, n: row | {"ipc": [*row["ipc"], "A21B", "A21C", "A21D"]}),
        ("new_code_share", lambda row, n: row | {"ipc": [*row["ipc"], f"C{10 + n}B"]}),
        ("without_abstract", lambda row, n: row | {"abstract": ""}),
        ("without_title", lambda row, n: row | {"title": "" if n % 2 else "A thing"}),
        ("without_code", lambda row, n: row | ({"ipc": "", "cpc": "A01B"} if n % 2 else {})),
        ("patents_a_month", lambda row, n: {} if n > 4 else row),
    ],
)
def test_a_jump_is_told_of(measure: str, change: Change) -> None:
    told = flagged(patents(change))
    assert measure in told
    assert told <= {measure, "new_code_share", "codes_a_patent"}  # codes that are new are also more


def test_the_statistic_is_the_one_stated() -> None:
    corpus = patents(same)
    table = drift(corpus, SINCE, "ipc", "subclass").set_index("measure")
    known = corpus.patents["knowledge_date"]
    counts = known[known <= SINCE].dt.to_period("M").value_counts().sort_index().tail(MONTHS).to_numpy()
    assert len(counts) == MONTHS
    row, now = table.loc["patents_a_month"], int((known > SINCE).sum())
    usual = np.median(counts)
    spread = np.sqrt((1.4826 * np.median(np.abs(counts - usual))) ** 2 + now)
    assert (row["recent"], row["usual"], row["patents"], row["months"]) == (now, usual, now, MONTHS)
    assert row["spreads"] == pytest.approx((now - usual) / spread)
    assert row["high"] == pytest.approx(usual + max(4 * spread, 0.3 * usual))


def test_a_past_too_short_tells_nothing() -> None:
    table = drift(patents(same, months=FEWEST), SINCE, "ipc", "subclass")
    assert not table["flagged"].any()
    assert table["usual"].isna().all()


@pytest.mark.slow
def test_the_break_of_a_real_corpus_is_found() -> None:
    """CPC replaced the national classification of the United States at the turn of 2014 to 2015."""
    corpus = ingest([real_data("corpora/uspto_random_pygrams.parquet")]).corpus
    told = {}
    for month in pd.date_range("2013-03-31", "2015-06-30", freq="QE", unit="s"):
        table = drift(corpus.as_of(month), month - pd.offsets.MonthEnd(1), "cpc", "subclass").set_index("measure")
        told[f"{month:%Y-%m}"] = bool(table.loc["codes_a_patent", "flagged"])
    assert not any(told[month] for month in told if month <= "2013-12")
    assert any(told[month] for month in told if month >= "2014-06")
