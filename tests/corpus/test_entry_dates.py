"""When symbols came into force: the shipped table, WIPO's inventory, and what both say of codes and pairs."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cases import real_data
from factories import corpus_from
from hypothesis import given
from hypothesis import strategies as st

import pipeline.corpus.entry_dates
from pipeline.corpus.entry_dates import (
    STATUSES,
    entered,
    entry_status,
    load_entry_dates,
    read_inventory,
    refreshed,
    tag_pairs,
    write_entry_dates,
)
from pipeline.corpus.ingest import ingest_tables
from pipeline.corpus.readers import read_source
from pipeline.corpus.symbols import ancestor, parse_symbols, roll_up
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.errors import CorpusError
from pipeline.schemas import LEVELS

SHIPPED = Path(pipeline.corpus.entry_dates.__file__).with_name("entry_dates.csv")
INVENTORY = "ipc_scheme/20250101_inventory_of_IPC_ever_used_symbols.csv"
LINES = [
    "F25B;19680901;-",
    "F25B0041000000;19680901;-",
    "F25B0041040000;19680901;20201231",
    "F25B0041200000;20210101;-",
    "F25B0041315000;20210101;-",
    "H04H;19680901;-",
    "H04H0020000000;20090101;-",
    "H04H0020020000;20080101;-",
    "G06V;20220101;-",
    "G06V0010000000;20220101;-",
]


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text).as_unit("s")


def days(*texts: str) -> np.ndarray:
    return np.array([text or "NaT" for text in texts], dtype="datetime64[s]")


def shipped_day(code: str, scheme: str, level: str) -> str:
    """The day as text, empty when the code always existed."""
    (found,) = entered(np.array([code]), scheme, level, load_entry_dates())
    return "" if np.isnat(found) else str(found)[:10]


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def tags_of(history: Corpus) -> dict[tuple[str, str], str]:
    """The tag of every pair of subclasses, by the shipped table and a window of three years."""
    codes = history.incidence("ipc", "subclass").codes
    a, b = np.triu_indices(len(codes), k=1)
    in_force = entered(codes, "ipc", "subclass", load_entry_dates())
    tags = tag_pairs(in_force, a, b, years_before(history.cutoff, 3), history.cutoff)
    return dict(zip(zip(codes[a], codes[b], strict=True), tags, strict=True))


@pytest.fixture(scope="module")
def whole() -> pd.DataFrame:
    """The table of the real inventory."""
    return refreshed(real_data(INVENTORY))


@pytest.mark.parametrize(
    ("code", "level", "expected"),
    [
        ("G06V", "subclass", "2022-01-01"),
        ("G06K", "subclass", ""),  # what is now G06V stood there
        ("G06V 10/40", "subgroup", "2022-01-01"),  # a group is no older than its subclass
        ("G06", "class", ""),
        ("G16H", "subclass", "2018-01-01"),
        ("G16B", "subclass", "2019-01-01"),
        ("G16", "class", "2018-01-01"),  # its first subclass
        ("G", "section", ""),
        ("F25B 41/20", "subgroup", "2021-01-01"),
        ("F25B 41/04", "subgroup", ""),  # what is now F25B 41/20 stood there
        ("F25B 41/00", "maingroup", ""),
        ("F25B", "subclass", ""),
        ("H01M 10/0525", "subgroup", "2010-01-01"),
        ("H01M 50/00", "maingroup", "2021-01-01"),
        ("A01B 1/02", "subgroup", ""),
    ],
)
def test_an_ipc_code_exists_from_the_day_it_or_what_stands_above_it_came_into_force(
    code: str, level: str, expected: str
) -> None:
    assert shipped_day(code, "ipc", level) == expected


@pytest.mark.parametrize(
    ("code", "level", "expected"),
    [
        ("G06V", "subclass", "2022-01-01"),
        ("G06V 10/40", "subgroup", "2022-01-01"),
        ("H10", "class", "2023-01-01"),
        ("F25B 41/20", "subgroup", ""),  # groups of the CPC have dates of their own, unknown here
        ("H04L 67/00", "maingroup", ""),
        ("Y02E", "subclass", "2010-01-01"),
        ("Y02E 10/50", "subgroup", "2010-01-01"),
        ("Y02P", "subclass", "2015-11-01"),
        ("Y02", "class", "2010-01-01"),
        ("Y", "section", ""),
    ],
)
def test_a_cpc_code_follows_the_ipc_to_the_subclass_and_section_y_has_days_of_its_own(
    code: str, level: str, expected: str
) -> None:
    assert shipped_day(code, "cpc", level) == expected


def test_no_code_is_younger_than_what_stands_below_it() -> None:
    rows = [("B33Y", "ipc", "2015-01-01"), ("B33Y 10/00", "cpc", "2014-06-01"), ("F25B 41/20", "ipc", "2021-01-01")]
    table = pd.DataFrame(rows, columns=["symbol", "scheme", "in_force"])
    table = table.assign(in_force=pd.to_datetime(table["in_force"]).astype("datetime64[s]"))
    found = {
        (scheme, level): str(entered(np.array([code]), scheme, level, table)[0])[:10]
        for scheme in ("ipc", "cpc")
        for code, level in (("B33Y", "subclass"), ("B33Y 10/00", "maingroup"))
    }
    assert found == {
        ("ipc", "subclass"): "2015-01-01",
        ("ipc", "maingroup"): "2015-01-01",
        ("cpc", "subclass"): "2014-06-01",
        ("cpc", "maingroup"): "2014-06-01",
    }
    assert np.isnat(entered(np.array(["F25B"]), "ipc", "subclass", table)).all()  # old, and given a new group


def test_section_y_is_the_cpcs_alone() -> None:
    assert shipped_day("Y02E", "ipc", "subclass") == ""


def test_the_day_is_that_of_the_nearest_ancestor_known(whole: pd.DataFrame) -> None:
    table = pd.concat([whole.iloc[::9], load_entry_dates()]).drop_duplicates(["symbol", "scheme"])
    known = table[table["scheme"] == "ipc"].set_index("symbol")["in_force"].to_dict()
    codes = whole["symbol"][whole["symbol"].str.contains("/")].iloc[::500].to_numpy(dtype=str)
    for code, found in zip(codes, entered(codes, "ipc", "subgroup", table), strict=True):
        line = [ancestor(code, level) for level in LEVELS]
        nearest = next((known[name] for name in reversed(line) if name in known), pd.NaT)
        assert pd.Timestamp(found) is nearest or pd.Timestamp(found) == nearest, code


@pytest.mark.parametrize(
    ("in_force", "expected"),
    [
        ("2020-01-01", "not_in_force"),
        ("2019-12-31", "entered"),  # the cutoff is the last day seen
        ("2017-01-01", "entered"),
        ("2016-12-31", "ok"),  # the window is open at its start
        ("", "ok"),
    ],
)
def test_a_code_is_new_within_the_window_and_not_in_force_after_the_cutoff(in_force: str, expected: str) -> None:
    assert entry_status(days(in_force), day("2016-12-31"), day("2019-12-31")).tolist() == [expected]


def test_a_pair_has_the_status_of_its_younger_code() -> None:
    in_force = days("", "2018-01-01", "2022-01-01")  # F25B, G16H, G06V
    a, b = np.array([0, 0, 1, 0]), np.array([1, 2, 2, 0])

    def tags(start: str, cutoff: str) -> list[str]:
        return tag_pairs(in_force, a, b, day(start), day(cutoff)).tolist()

    assert tags("2016-12-31", "2019-12-31") == ["entered", "not_in_force", "not_in_force", "ok"]
    assert tags("2019-01-01", "2022-01-01") == ["ok", "entered", "entered", "ok"]
    assert set(tags("2027-01-01", "2030-01-01")) == {"ok"}


moments = st.sampled_from(["", "2009-12-31", "2010-01-01", "2012-12-31", "2013-01-01", "2020-06-15"])


@given(st.lists(moments, min_size=2, max_size=6), st.integers(1, 5))
def test_the_tag_of_a_pair_is_symmetric_and_the_worse_of_two(texts: list[str], window: int) -> None:
    in_force, cutoff = days(*texts), day("2012-12-31")
    start = years_before(cutoff, window)
    a, b = np.triu_indices(len(texts), k=1)
    tags = tag_pairs(in_force, a, b, start, cutoff)
    assert tags.tolist() == tag_pairs(in_force, b, a, start, cutoff).tolist()
    codes = entry_status(in_force, start, cutoff)
    worse = [max(codes[x], codes[y], key=STATUSES.index) for x, y in zip(a, b, strict=True)]
    assert tags.tolist() == worse


def test_what_an_export_of_today_puts_on_old_patents_is_not_in_force() -> None:
    rows = [("G06V 10/40", 2015), ("F25B 1/00", 2015), ("G06K 9/00", 2016), ("G06V 20/00;G06K 9/00", 2017)]
    corpus = corpus_from(
        [{"patent_id": f"US{n}", "date": f"{year}-05-01", "ipc": ipc} for n, (ipc, year) in enumerate(rows)]
    )
    assert tags_of(corpus.as_of(day("2016-12-31"))) == {
        ("F25B", "G06K"): "ok",
        ("F25B", "G06V"): "not_in_force",
        ("G06K", "G06V"): "not_in_force",
    }


def test_wipos_inventory_is_read_in_our_spelling_and_what_stands_above_is_as_old_as_its_oldest(tmp_path: Path) -> None:
    table = read_inventory(write(tmp_path / "inventory.csv", LINES))
    found = {
        symbol: f"{in_force:%Y-%m-%d}" for symbol, in_force in zip(table["symbol"], table["in_force"], strict=True)
    }
    assert found == {
        "F": "1968-09-01",
        "F25": "1968-09-01",
        "F25B": "1968-09-01",
        "F25B 41/00": "1968-09-01",
        "F25B 41/04": "1968-09-01",
        "F25B 41/20": "2021-01-01",
        "F25B 41/315": "2021-01-01",
        "H": "1968-09-01",
        "H04": "1968-09-01",
        "H04H": "1968-09-01",
        "H04H 20/00": "2008-01-01",  # its own line says 2009
        "H04H 20/02": "2008-01-01",
        "G": "2022-01-01",
        "G06": "2022-01-01",
        "G06V": "2022-01-01",
        "G06V 10/00": "2022-01-01",
    }
    assert set(table["scheme"]) == {"ipc"}


def test_a_refreshed_table_keeps_what_we_know_of_the_cpc_and_comes_back_from_disk(tmp_path: Path) -> None:
    inventory = write(tmp_path / "inventory.csv", LINES)
    table = refreshed(inventory)
    assert set(table.loc[table["scheme"] == "cpc", "symbol"]) >= {"Y02E", "Y04S", "Y10T"}
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    write_entry_dates(table, first)
    write_entry_dates(table.sample(frac=1, random_state=1), second)
    assert first.read_bytes() == second.read_bytes()
    back = load_entry_dates(first)
    pd.testing.assert_frame_equal(back, table.sort_values(["scheme", "symbol"], ignore_index=True))
    assert entered(np.array(["F25B 41/20"]), "ipc", "subgroup", back) == days("2021-01-01")
    assert entered(np.array(["F25B 41/21"]), "ipc", "subgroup", back) == days("1968-09-01")  # its main group


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["F25B;19680901"], "not WIPO's inventory"),
        (["symbol,scheme,in_force"], "not WIPO's inventory"),
        (
            [*LINES, "25B;19680901;-", "F25B0041;2021;-"],
            r"2 lines hold no IPC symbol .*25B;19680901;-, F25B0041;2021;-",
        ),
    ],
)
def test_another_file_is_no_inventory(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read_inventory(write(tmp_path / "other.csv", lines))


def test_all_faults_of_a_table_are_named_in_one_message(tmp_path: Path) -> None:
    lines = ["symbol,scheme,in_force", "G06V,ipc,2022", "f25b41/20,ipc,2021-01-01", "Y02E,ipc,2010-01-01"]
    path = write(tmp_path / "dates.csv", [*lines, "G16H,ipc,2018-01-01", "G16H,ipc,2018-01-01", "G16H,upc,2018-01-01"])
    with pytest.raises(CorpusError) as error:
        load_entry_dates(path)
    text = str(error.value)
    assert "form F25B 41/20 (e.g. f25b41/20,ipc,2021-01-01, Y02E,ipc,2010-01-01, G16H,upc,2018-01-01)" in text
    assert "no date YYYY-MM-DD (e.g. G06V,ipc,2022)" in text
    assert "given twice (e.g. G16H,ipc,2018-01-01)" in text


def test_a_table_that_is_missing_or_has_other_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"none\.csv cannot be read: No such file"):
        load_entry_dates(tmp_path / "none.csv")
    (tmp_path / "empty.csv").touch()
    with pytest.raises(CorpusError, match=r"empty\.csv is no CSV table: No columns"):
        load_entry_dates(tmp_path / "empty.csv")
    with pytest.raises(CorpusError, match="columns code, day; expected symbol, scheme, in_force"):
        load_entry_dates(write(tmp_path / "other.csv", ["code,day", "G06V,2022-01-01"]))


def test_the_shipped_table_is_in_the_form_we_write(tmp_path: Path) -> None:
    write_entry_dates(load_entry_dates(), tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == SHIPPED.read_bytes()


def test_the_shipped_days_are_wipos_and_no_new_class_or_subclass_is_forgotten(whole: pd.DataFrame) -> None:
    shipped, wipo = (t.query("scheme == 'ipc'").set_index("symbol")["in_force"] for t in (load_entry_dates(), whole))
    assert set(shipped.index) <= set(wipo.index)
    assert shipped.to_dict() == wipo[shipped.index].to_dict()
    stems = wipo[wipo.index.str.len() <= 4]
    assert set(stems[stems >= "2006-01-01"].index) <= set(shipped.index)


def test_patents_classified_at_issue_carry_no_subclass_before_its_day() -> None:
    """US grants with the CPC printed on them: a day too late in the table would show here."""
    table = pd.read_parquet(real_data("corpora/uspto_random_pygrams.parquet"), columns=["date", "cpc"])
    long = table.assign(cpc=table["cpc"].str.split(";")).explode("cpc", ignore_index=True)
    symbol = parse_symbols(long["cpc"], "cpc").dropna()
    first = pd.to_datetime(long["date"]).groupby(roll_up(symbol, "subclass")).min()
    in_force = entered(first.index.to_numpy(dtype=str), "cpc", "subclass", load_entry_dates())
    dated = ~np.isnat(in_force)
    assert dated.sum() > 20
    early = in_force > first.to_numpy().astype("datetime64[s]")
    assert first.index[early].tolist() == ["H10L"]  # a misprint: there is no such subclass


def test_a_real_export_of_later_years_shows_drones_long_before_their_subclass() -> None:
    rows = read_source(real_data("corpora/green_aviation_patsnap.parquet"))
    source = dataclasses.replace(rows, frame=rows.frame[rows.frame["date"] <= "2017-12-31"])
    tags = tags_of(ingest_tables([source]).corpus)
    unborn = [pair for pair, tag in tags.items() if tag == "not_in_force"]
    assert unborn == [pair for pair in tags if set(pair) & {"B64U", "F24S", "G06V", "H10N"}]
