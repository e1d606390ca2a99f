"""From rows to a corpus: nothing lost in silence, nothing of the future in the past."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from cases import real_data
from factories import corpus_from, flat_rows, ingested_from
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpus.families import Families
from pipeline.corpus.ingest import Account, ingest, ingest_tables
from pipeline.corpus.timeline import Corpus
from pipeline.errors import CorpusError

TABLES = ("patents", "patent_codes", "citations", "parties", "members")
GOOD = {"patent_id": "US1", "date": "2010-01-05", "ipc": "F25B 41/20;G06F 3/00"}


def reasons(rows: list[dict[str, Any]]) -> list[tuple[int, str, str]]:
    quarantine = ingested_from(rows).quarantine
    return list(zip(quarantine["row"], quarantine["kind"], quarantine["reason"], strict=True))


# --- one good row ---------------------------------------------------------------------------------------------------


def test_a_full_row_lands_in_every_table() -> None:
    row = {
        **GOOD,
        "patent_id": "us-1-B2",
        "title": "Heat pump",
        "abstract": "A pump.",
        "claims": "1. A pump.",
        "cpc": "Y02B 30/70; F25B41/20",
        "assignees": "TOSHIBA CO., LTD.;;Daikin",
        "inventors": "Sato, A",
        "cited_ids": "US-7,155,747; US-7155747;EP-1-A1",
        "cited_npl": "Doe, J. (1999)",
        "family_id": "F1",
        "claims_count": "12",
        "office": "US",
        "app_date": "20080229",
        "date_kind": "grant",
    }
    corpus = corpus_from([row])
    patent = corpus.patents.iloc[0]
    assert patent["patent_id"] == "US1B2"
    assert patent["knowledge_date"] == pd.Timestamp("2010-01-05")
    assert patent["filing_date"] == pd.Timestamp("2008-02-29")
    assert (patent["title"], patent["claims_count"], patent["office"]) == ("Heat pump", 12, "US")
    assert corpus.patent_codes[["scheme", "symbol", "position"]].to_numpy().tolist() == [
        ["ipc", "F25B 41/20", 0],
        ["ipc", "G06F 3/00", 1],
        ["cpc", "Y02B 30/70", 0],
        ["cpc", "F25B 41/20", 1],
    ]
    assert corpus.citations.to_numpy().tolist() == [
        ["US1B2", "US7155747", "patent", "US7155747"],
        ["US1B2", "EP1A1", "patent", "EP1"],
        ["US1B2", "Doe, J. (1999)", "npl", "Doe, J. (1999)"],
    ]
    assert corpus.parties.to_numpy().tolist() == [
        ["US1B2", "assignee", "TOSHIBA CO., LTD.", "toshiba"],
        ["US1B2", "assignee", "Daikin", "daikin"],
        ["US1B2", "inventor", "Sato, A", "sato a"],
    ]


def test_a_bare_row_leaves_the_rest_missing_not_zero() -> None:
    corpus = corpus_from([GOOD])
    patent = corpus.patents.iloc[0]
    assert patent[["title", "abstract", "claims", "family_id", "office"]].tolist() == [""] * 5
    assert pd.isna(patent["filing_date"])
    assert pd.isna(patent["claims_count"])
    assert len(corpus.citations) == len(corpus.parties) == 0


@pytest.mark.parametrize(
    ("fields", "filing"),
    [
        ({"date_kind": "application"}, "2010-01-05"),
        ({"date_kind": "application", "app_date": "2009-01-01"}, "2009-01-01"),
        ({"date_kind": "grant", "app_date": "2009-01-01"}, "2009-01-01"),
        ({"date_kind": "grant"}, None),
    ],
)
def test_the_filing_date_is_stated_or_the_date_of_an_application(fields: dict[str, str], filing: str | None) -> None:
    filed = corpus_from([GOOD | fields]).patents["filing_date"].iloc[0]
    assert filed == pd.Timestamp(filing) if filing else pd.isna(filed)


# --- what cannot be used --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"patent_id": " - "}, "no patent_id"),
        ({"date": ""}, "no date"),
        ({"date": "2010-02-30"}, "date is not a day"),
        ({"date": "05/01/2010"}, "date is not a day"),
        ({"date": "9999-12-31"}, "date is not a day"),
        ({"ipc": ""}, "no valid IPC or CPC symbol"),
        ({"ipc": "Y02E 10/50;nonsense"}, "no valid IPC or CPC symbol"),
    ],
)
def test_a_row_that_cannot_be_used_is_quarantined_with_its_reason(fields: dict[str, str], reason: str) -> None:
    result = ingested_from([GOOD, GOOD | {"patent_id": "US2"} | fields])
    assert result.account == Account(read=2, kept=1, merged_families=0, exact_repeats=0, quarantined=1)
    assert result.quarantine[["row", "kind"]].to_numpy().tolist() == [[2, "row"]]
    assert result.quarantine["reason"].iloc[0].startswith(reason)


@pytest.mark.parametrize(
    ("fields", "kind", "value"),
    [
        ({"ipc": "F25B 41/20;F25B 99"}, None, ""),
        ({"ipc": "F25B 41/20;Y02E 10/50"}, "symbol", "Y02E 10/50"),
        ({"cpc": "G01C/"}, "symbol", "G01C/"),
        ({"app_date": "yesterday"}, "value", "yesterday"),
        ({"app_date": "2010-01-06"}, "value", "2010-01-06"),
        ({"claims_count": "-3"}, "value", "-3"),
        ({"claims_count": "12.5"}, "value", "12.5"),
        ({"inventors": "A;--"}, "value", "--"),
    ],
)
def test_a_row_goes_on_without_its_invalid_parts(fields: dict[str, str], kind: str | None, value: str) -> None:
    result = ingested_from([GOOD | fields])
    assert result.account.kept == 1
    assert result.quarantine[["kind", "value"]].to_numpy().tolist() == ([[kind, value]] if kind else [])
    assert pd.isna(result.corpus.patents["filing_date"].iloc[0])
    assert pd.isna(result.corpus.patents["claims_count"].iloc[0])


def test_a_corpus_of_nothing_is_an_error_that_says_why() -> None:
    with pytest.raises(CorpusError, match="2 of 3 rows: no date"):
        ingested_from([GOOD | {"date": ""}, GOOD | {"date": "", "title": "x"}, GOOD | {"patent_id": ""}])
    with pytest.raises(CorpusError, match="no source file"):
        ingest([])


# --- repeats and conflicts ------------------------------------------------------------------------------------------


def test_a_row_given_twice_counts_once_across_files_and_spellings() -> None:
    tables = [flat_rows([GOOD]), flat_rows([GOOD | {"patent_id": "us-1", "date": "20100105"}])]
    result = ingest_tables(tables)
    assert result.account == Account(read=2, kept=1, merged_families=0, exact_repeats=1, quarantined=0)


def test_an_id_given_twice_with_other_content_quarantines_the_later_row() -> None:
    assert reasons([GOOD, GOOD | {"title": "x"}]) == [(2, "row", "another row has this patent_id with other content")]


def test_the_earlier_date_keeps_an_id_given_twice_wherever_it_stands_in_the_file() -> None:
    later = GOOD | {"date": "2019-05-01", "title": "put on top by an export that lists the newest first"}
    assert reasons([later, GOOD]) == [(1, "row", "another row has this patent_id with other content")]


def test_dates_of_application_are_warned_of() -> None:
    dated = ingested_from([GOOD | {"date_kind": "application"}, GOOD | {"patent_id": "US8", "date_kind": "grant"}])
    assert dated.warnings[0].startswith("dates: 50% of the patents are dated by application")
    assert ingested_from([GOOD]).warnings == ()


def test_a_usable_row_is_not_lost_to_an_unusable_one_of_the_same_id() -> None:
    result = ingested_from([GOOD | {"ipc": ""}, GOOD])
    assert (result.account.kept, result.account.quarantined) == (1, 1)
    assert result.quarantine["row"].tolist() == [1]


@pytest.mark.parametrize(
    ("first", "second", "office", "repeats"),
    [
        ("GA00000", "GA00001", "FR", 1),
        ("1", "2", "US", 1),
        ("US7155747", "US7155748", "US", 0),
        ("JPH0712345", "JPH0712346", "JP", 0),
        ("USRE1", "USD2", "us", 0),
        ("1", "2", "", 0),
    ],
)
def test_rows_alike_in_all_but_a_row_number_are_repeats(first: str, second: str, office: str, repeats: int) -> None:
    rows = [GOOD | {"patent_id": patent_id, "office": office} for patent_id in (first, second)]
    assert ingested_from(rows).account.exact_repeats == repeats


# --- families -------------------------------------------------------------------------------------------------------

FAMILY = [
    {
        "patent_id": "EP9",
        "date": "2011-05-01",
        "ipc": "H01L 21/02",
        "family_id": "F",
        "title": "later",
        "inventors": "B",
    },
    {
        "patent_id": "US1",
        "date": "2010-01-05",
        "ipc": "F25B 41/20",
        "family_id": "F",
        "title": "first",
        "inventors": "A",
    },
    {"patent_id": "JP5", "date": "2012-05-01", "ipc": "G06F 3/00", "cited_ids": "EP9;US1;WO4"},
    {"patent_id": "CN3", "date": "2011-04-30", "ipc": "G06F 3/00", "cited_ids": "EP9"},
]


def test_the_earliest_known_member_stands_for_its_family_with_its_own_content() -> None:
    result = ingested_from(FAMILY)
    assert result.account == Account(read=4, kept=3, merged_families=1, exact_repeats=0, quarantined=0)
    corpus = result.corpus
    assert corpus.patents["patent_id"].tolist() == ["US1", "CN3", "JP5"]
    assert corpus.patents["title"].iloc[0] == "first"
    assert corpus.patent_codes["symbol"].tolist() == ["F25B 41/20", "G06F 3/00", "G06F 3/00"]
    assert corpus.parties["name"].tolist() == ["A"]
    assert dict(zip(corpus.members["member_id"], corpus.members["patent_id"], strict=True)) == {
        "US1": "US1",
        "CN3": "CN3",
        "EP9": "US1",
        "JP5": "JP5",
    }


def test_a_reference_to_a_member_points_at_the_family_once_the_member_is_known() -> None:
    citations = corpus_from(FAMILY).citations
    assert citations.loc[citations["citing"] == "JP5", "cited"].tolist() == ["US1", "WO4"]
    assert citations.loc[citations["citing"] == "CN3", "cited"].tolist() == ["EP9"]  # EP9 came out a day later


def test_references_are_the_same_however_many_patents_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"patent_id": f"US{number}", "date": f"20{10 + number % 5}-01-05", "ipc": "F25B",
         "family_id": f"F{number // 2}", "cited_ids": ";".join(f"US-{cited}-B1" for cited in range(number)),
         "cited_npl": f"Doe {number};Roe"}
        for number in range(1, 12)
    ]  # fmt: skip
    whole = corpus_from(rows).citations
    monkeypatch.setattr("pipeline.corpus.spill.PIECE", 2)
    pd.testing.assert_frame_equal(corpus_from(rows).citations, whole)
    assert len(whole) > 20


def test_a_family_does_not_cite_itself() -> None:
    rows = [
        {"patent_id": "US1", "date": "2010-01-05", "ipc": "F25B", "family_id": "F"},
        {"patent_id": "US2", "date": "2010-01-05", "ipc": "F25B", "family_id": "F", "cited_ids": "US1"},
        {"patent_id": "US0", "date": "2011-01-05", "ipc": "F25B", "family_id": "G", "cited_ids": "US2;US3"},
        {"patent_id": "US3", "date": "2011-01-05", "ipc": "F25B", "family_id": "G"},
    ]
    assert corpus_from(rows).citations.to_numpy().tolist() == [["US0", "US1", "patent", "US1"]]


def test_where_no_family_is_named_equal_priorities_make_one(tmp_path: Path) -> None:
    rows = [
        ("US1", "2010-01-05", "", "JP 2009-000123; US 2009/0000001"),
        ("EP2", "2011-01-05", "", "US20090000001;JP2009000123"),  # the same two, spelt and ordered otherwise
        ("CN3", "2011-02-05", "", "JP2009000123"),  # one of them alone is another family
        ("DE4", "2011-03-05", "F", "JP2009000123"),  # a family that the source names goes before
        ("FR5", "2011-04-05", "", ""),
    ]
    table = pd.DataFrame(rows, columns=["patent_id", "date", "family_id", "priority_ids"]).assign(ipc="F25B")
    table.to_csv(tmp_path / "own.csv", index=False)
    result = ingest([tmp_path / "own.csv"])
    assert result.account == Account(read=5, kept=4, merged_families=1, exact_repeats=0, quarantined=0)
    members = result.corpus.members.set_index("member_id")["patent_id"]
    assert members.to_dict() == {"US1": "US1", "EP2": "US1", "CN3": "CN3", "DE4": "DE4", "FR5": "FR5"}
    assert any("families: those of 50% of the patents are made of their priorities" in text for text in result.warnings)


def test_kept_families_leave_every_document_to_itself() -> None:
    corpus = corpus_from(FAMILY, families="keep")
    assert corpus.patents["patent_id"].tolist() == ["US1", "CN3", "EP9", "JP5"]
    assert corpus.members["member_id"].tolist() == corpus.members["patent_id"].tolist()
    assert corpus.patents["family_id"].tolist() == ["F", "", "F", ""]
    assert corpus.citations["cited"].tolist() == ["EP9", "EP9", "US1", "WO4"]


# --- properties -----------------------------------------------------------------------------------------------------

_IDS = st.sampled_from(["", "US1", "US2", "us-2", "US3", "EP1", "EP2", "7", "8"])
_DATES = st.sampled_from(["2010-01-05", "20110601", "2011-06-01", "2012-02-29", "", "soon"])
_CODES = st.lists(st.sampled_from(["F25B 41/20", "G06F 3/00", "H01L", "Y02E 10/50", "?"]), max_size=3).map(";".join)
_ROW = st.fixed_dictionaries(
    {"patent_id": _IDS, "date": _DATES, "ipc": _CODES, "cpc": _CODES, "family_id": st.sampled_from(["", "F", "G"])},
    optional={
        "cited_ids": st.lists(_IDS, max_size=3).map(";".join),
        "inventors": st.sampled_from(["A", "A;B", "-"]),
        "office": st.sampled_from(["US", "EP", ""]),
        "app_date": st.sampled_from(["2009-01-01", "2013-01-01", "never"]),
        "claims_count": st.sampled_from(["3", "many"]),
    },
)


@given(st.lists(_ROW, max_size=12), st.sampled_from(["merge", "keep"]))
@settings(max_examples=30, deadline=None)
def test_every_row_read_is_kept_merged_or_quarantined(rows: list[dict[str, str]], families: Families) -> None:
    result = ingest_tables([flat_rows([GOOD | {"patent_id": "US99"}]), flat_rows(rows)], families)
    account, corpus = result.account, result.corpus
    assert account.read == 1 + len(rows) == account.kept + account.merged + account.quarantined
    assert account.kept == len(corpus.patents)
    assert account.quarantined == (result.quarantine["kind"] == "row").sum()
    assert account.merged_families == len(corpus.members) - account.kept
    standing = corpus.members["patent_id"].map(corpus.patents.set_index("patent_id")["knowledge_date"])
    assert standing.notna().all()
    assert (standing <= corpus.members["knowledge_date"]).all()
    assert not (corpus.citations["citing"] == corpus.citations["cited"]).any()
    for table, column in (("patent_codes", "patent_id"), ("citations", "citing"), ("parties", "patent_id")):
        assert getattr(corpus, table)[column].isin(corpus.patents["patent_id"]).all()


@given(st.lists(_ROW, max_size=12, unique_by=lambda row: row["patent_id"].upper().replace("-", "")))
@settings(max_examples=30, deadline=None)
def test_what_becomes_known_later_changes_nothing_known_before(rows: list[dict[str, str]]) -> None:
    rows = [GOOD | {"patent_id": "US99"}, *rows]
    cutoff = pd.Timestamp("2011-06-01")
    known = [row for row in rows if not row["date"].replace("-", "") > "20110601"]
    whole, truncated = ingested_from(rows).corpus, ingested_from(known).corpus
    assert_same(whole.as_of(min(cutoff, whole.cutoff)), truncated)


def assert_same(left: Corpus, right: Corpus) -> None:
    for table in TABLES:
        pd.testing.assert_frame_equal(getattr(left, table), getattr(right, table), obj=table)


def test_the_account_refuses_numbers_that_do_not_add_up() -> None:
    with pytest.raises(AssertionError, match="do not add up"):
        Account(read=3, kept=1, merged_families=1, exact_repeats=0, quarantined=0)


# --- real corpora ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "account"),
    [
        ("corpora/pizza_patentscope.parquet", Account(24291, 22795, 1381, 2, 113)),
        ("corpora/green_aviation_patsnap.parquet", Account(16758, 13427, 0, 2949, 382)),
        ("corpora/dpl_google.parquet", Account(4679, 4489, 190, 0, 0)),
        ("corpora/uspto_random_pygrams.parquet", Account(10000, 9534, 0, 0, 466)),
        ("corpora/nuclear_g21_patentsview.parquet", Account(1207, 1207, 0, 0, 0)),
        ("formats/google_patents_bigquery_export.csv", Account(493, 468, 25, 0, 0)),
    ],
)
def test_real_corpora_come_in_whole(name: str, account: Account) -> None:
    assert ingest([real_data(name)]).account == account


def test_families_and_codes_of_a_real_corpus_agree_with_a_plain_recount() -> None:
    path = real_data("corpora/dpl_google.parquet")
    raw = pd.read_parquet(path).sort_values(["date", "patent_id"])
    first = raw.drop_duplicates("family_id")
    corpus = ingest([path]).corpus
    assert corpus.patents["patent_id"].tolist() == first["patent_id"].tolist()
    expected = {symbol for text in first["ipc"] for symbol in text.split(";")}
    assert set(corpus.patent_codes.query("scheme == 'ipc'")["symbol"]) == expected


@pytest.mark.slow
def test_all_grants_of_an_office_come_in_whole() -> None:
    path = real_data("corpora/uspto_2007_2010.parquet")
    assert ingest([path]).account == Account(670227, 670227, 0, 0, 0)


def test_two_files_make_one_corpus_and_name_their_sources(tmp_path: Path) -> None:
    header = "patent_id,date,ipc,colour\n"
    (tmp_path / "a.csv").write_text(header + "US1,2010-01-05,F25B,red\nUS2,2010-01-05\n")
    (tmp_path / "b.csv").write_text(header + "US3,2011-01-05,F25B;X,blue\n")
    result = ingest([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert [(source.name, source.format, source.rows) for source in result.sources] == [
        ("a.csv", "table", 2),
        ("b.csv", "table", 1),
    ]
    assert result.account == Account(read=3, kept=2, merged_families=0, exact_repeats=0, quarantined=1)
    assert result.quarantine[["source", "row", "kind", "value"]].to_numpy().tolist() == [
        ["a.csv", 2, "row", "US2,2010-01-05"],
        ["b.csv", 1, "symbol", "X"],
    ]
    assert result.warnings == ("a.csv: columns ignored: 'colour'", "b.csv: columns ignored: 'colour'")
