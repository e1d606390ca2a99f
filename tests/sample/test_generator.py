"""The simulated corpus: the same bytes for a seed, sound rows, a known few faulty ones, and nothing that looks real."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.corpus.ingest import ingest_tables
from pipeline.corpus.readers import FLAT, SourceTable, flat_table
from pipeline.corpus.symbols import parse_symbols
from pipeline.errors import ConfigError
from pipeline.sample import faults
from pipeline.sample.firms import inventor_name
from pipeline.sample.generator import OFFICES, generate, planted, source_label
from pipeline.sample.world import FIRST_YEAR, YEARS

SEED, PATENTS = 7, 1500
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return generate(SEED, PATENTS)


@pytest.fixture(scope="module")
def documents(table: pd.DataFrame) -> pd.DataFrame:
    return table.iloc[:PATENTS]


def items(cells: pd.Series) -> pd.Series:
    """One row an item of cells joined by ';', empty cells left out."""
    exploded = cells.str.split(";").explode()
    return exploded[exploded != ""]


def digest(frame: pd.DataFrame) -> str:
    return hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest()


def test_a_seed_gives_the_same_bytes_in_another_process() -> None:
    script = "import hashlib; from pipeline.sample.generator import generate; frame = generate(3, 300); " \
             "print(hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest())"  # fmt: skip
    environment = {**os.environ, "PYTHONHASHSEED": "99", "OPENBLAS_NUM_THREADS": "1"}
    other = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, env=environment, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == digest(generate(3, 300))


def test_another_seed_gives_another_corpus(table: pd.DataFrame) -> None:
    other = generate(SEED + 1, PATENTS)
    assert (other["title"] != table["title"]).mean() > 0.9
    assert not planted(SEED, 300).equals(planted(SEED + 1, 300))


def test_the_table_has_the_flat_columns_as_text(table: pd.DataFrame) -> None:
    assert list(table.columns) == list(FLAT)
    assert all(dtype == "str" for dtype in table.dtypes)
    assert not table.isna().any(axis=None)
    assert len(table) == PATENTS + faults.FAULTY_ROWS


def test_dates_fill_all_years_and_filing_comes_before_publication(documents: pd.DataFrame) -> None:
    dates = pd.to_datetime(documents["date"], format="%Y-%m-%d")
    filed = pd.to_datetime(documents["app_date"].replace("", None), format="%Y-%m-%d")
    assert set(dates.dt.year) == set(range(FIRST_YEAR, FIRST_YEAR + YEARS))
    assert dates.is_monotonic_increasing
    assert (filed.dropna() < dates[filed.notna()]).all()


def test_nothing_looks_like_a_real_publication_firm_or_person(table: pd.DataFrame) -> None:
    cited = items(table["cited_ids"])
    real_number = re.compile(r"^(US|EP|JP|CN|KR|WO|DE|GB|FR)\W?\d", re.IGNORECASE)
    for ids in (table["patent_id"], table["family_id"], cited):
        assert not ids.str.match(real_number).any()
        assert ids.str.startswith("SIM").all()
    assert items(table["assignees"]).str.endswith("(simulated)").all()
    assert items(table["cited_npl"]).str.contains("Simulated").all()
    assert source_label(SEED) == "simulated corpus (techconverge sample, seed 7)"


def test_citations_point_to_documents_published_before(documents: pd.DataFrame) -> None:
    date = documents.set_index("patent_id")["date"]
    cited = items(documents.set_index("patent_id")["cited_ids"])
    inside = cited[~cited.str.startswith("SIMEXT")]
    assert inside.isin(date.index).all()
    assert (date.loc[inside].to_numpy() < date.loc[inside.index].to_numpy()).all()
    assert not inside.reset_index().duplicated().any()
    assert len(inside) > PATENTS
    # preferential attachment: few documents gather many citations
    counts = inside.value_counts().reindex(date.index, fill_value=0).sort_values(ascending=False)
    assert counts.head(PATENTS // 10).sum() > 0.35 * counts.sum()


def test_families_share_content_and_spread_over_offices(documents: pd.DataFrame) -> None:
    families = documents.groupby("family_id")
    assert set(families.size()) == {1, 2, 3}
    assert (families["office"].nunique() == families.size()).all()
    for column in ("title", "ipc", "inventors", "cited_ids"):
        assert (families[column].nunique() == 1).all()
    assert set(documents["office"]) == set(OFFICES)


def test_texts_are_of_patent_length(documents: pd.DataFrame) -> None:
    assert documents["title"].str.split().str.len().between(5, 12).all()
    assert documents["abstract"].str.split().str.len().between(50, 110).all()
    assert documents["title"].str.match(r"^[A-Z][a-z]").all()
    assert documents["claims"].str.startswith("1. ").all()
    assert documents["claims_count"].astype(int).between(3, 100).all()


def test_codes_are_valid_few_a_patent_and_heavy_tailed(documents: pd.DataFrame) -> None:
    for scheme in ("ipc", "cpc"):
        symbols = items(documents[scheme])
        assert (parse_symbols(symbols, scheme) == symbols).all()
    subclasses = items(documents.set_index("patent_id")["ipc"]).str[:4].reset_index().drop_duplicates()
    assert 1.5 < len(subclasses) / PATENTS < 3
    counts = subclasses["ipc"].value_counts()
    assert counts.head(15).sum() > 0.25 * counts.sum()


def test_some_technologies_burst_and_others_die(documents: pd.DataFrame) -> None:
    used = items(documents.set_index("date")["ipc"]).str[:4]
    early, late = used[used.index < "2009"].value_counts(normalize=True), used[used.index >= "2016"].value_counts(
        normalize=True
    )  # fmt: skip
    common = late.index[late > 0.01].union(early.index[early > 0.01])
    change = late.reindex(common, fill_value=0.0) / early.reindex(common, fill_value=1e-4)
    assert change.max() > 4
    assert change.min() < 0.4


def test_the_account_shows_exactly_the_faults_put_in(table: pd.DataFrame) -> None:
    source = table.set_axis(pd.RangeIndex(1, len(table) + 1))
    result = ingest_tables([SourceTable(frame=flat_table(source), format="table", name="sample")], "merge")
    account = result.account
    families = table["family_id"].iloc[:PATENTS].nunique()
    assert account.read == len(table)
    assert account.exact_repeats == faults.EXACT_REPEATS
    assert account.quarantined == faults.NO_DATE + faults.NO_SYMBOL
    assert account.merged_families == PATENTS - families
    assert account.kept == families + len(faults.BAD_SYMBOLS)
    assert result.quarantine["kind"].value_counts().to_dict() == {
        "row": faults.NO_DATE + faults.NO_SYMBOL,
        "symbol": len(faults.BAD_SYMBOLS),
    }
    assert not result.warnings
    assert (result.corpus.patents["abstract"] != "").all()


def test_no_two_people_share_a_name() -> None:
    names = [inventor_name(firm, person) for firm in range(40) for person in range(200)]
    assert len(set(names)) == len(names)


def test_firms_have_homes(documents: pd.DataFrame) -> None:
    owned = documents[~documents["assignees"].str.contains(";") & (documents["assignees"] != "")]
    assert owned["assignees"].nunique() >= 25
    main = owned["ipc"].str[:4]
    top_share = main.groupby(owned["assignees"]).agg(lambda codes: codes.value_counts(normalize=True).head(8).sum())
    sizes = owned["assignees"].value_counts()
    assert np.average(top_share.loc[sizes.index], weights=sizes) > 0.5


def test_too_small_a_corpus_is_refused() -> None:
    with pytest.raises(ConfigError, match="too small: ask for 100 or more"):
        generate(SEED, 99)
    assert len(generate(SEED, 100)) == 100 + faults.FAULTY_ROWS
