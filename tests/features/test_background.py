"""What the background says of a pair, against counting by hand; and that it says nothing it could not know."""

import dataclasses
import math
from collections import Counter
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from cases import real_data
from factories import corpus_from
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity

from pipeline.background.summary import Summary, summarise
from pipeline.config import TaskConfig
from pipeline.corpus.ingest import ingest
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.features.background import background
from pipeline.features.base import BlockOutput
from pipeline.pairs.base import CandidatePairs
from pipeline.pairs.candidates import candidate_pairs

TASK = TaskConfig(window=2, min_patents=1)
KNOWN = ["A01B", "A01C", "A23L", "F25B", "F25D", "G06F", "H01L"]  # to the background
LONELY, UNKNOWN = "B60L", "C12N"  # alone on its patents there; not there at all
ALL_TIME = (
    "joint_patents",
    "linked",
    "lift",
    "npmi",
    "ppmi",
    "common_neighbours",
    "adamic_adar",
    "resource_allocation",
    "weighted_common_neighbours",
    "ppmi_cosine",
    "low_rank",
    *(f"{value}_{statistic}" for value in ("patents", "domain_share") for statistic in ("mean", "min", "range")),
)


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text).as_unit("s")


CUTOFF = day("2007-12-31")


def drawn(seed: int, patents: int, years: tuple[int, int]) -> list[dict[str, Any]]:
    """Patents of one to three known codes, spread over the months of the years, the second of each month."""
    rng = np.random.default_rng(seed)
    months = rng.integers(12 * years[0], 12 * years[1] + 12, size=patents)
    return [
        {
            "patent_id": f"S{seed}N{number}",
            "date": f"{month // 12}-{month % 12 + 1:02d}-02",
            "ipc": sorted(
                rng.choice(KNOWN, size=rng.integers(1, 4), p=[0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1], replace=False)
            ),
        }
        for number, month in enumerate(months)
    ]


@pytest.fixture(scope="module")
def outside() -> Corpus:
    """90 patents of 2003 to 2009, and two of a code that is always alone."""
    alone = [{"patent_id": f"L{year}", "date": f"{year}-05-02", "ipc": LONELY} for year in (2004, 2008)]
    return corpus_from([*drawn(5, 90, (2003, 2009)), *alone])


@pytest.fixture(scope="module")
def domain() -> Corpus:
    """30 patents of 2001 to 2009 on which every code occurs, most pairs never."""
    every = [{"patent_id": f"E{c}", "date": "2004-03-02", "ipc": c} for c in [*KNOWN, LONELY, UNKNOWN]]
    return corpus_from([*every, *drawn(6, 21, (2001, 2009))])


@pytest.fixture(scope="module")
def summary(outside: Corpus) -> Summary:
    return summarise(outside, "ipc", "subclass")


def every_pair(history: Corpus) -> CandidatePairs:
    """All pairs, linked ones too: more to compare."""
    codes = history.incidence("ipc", "subclass").codes
    a, b = np.triu_indices(len(codes), k=1)
    return CandidatePairs(pd.DataFrame(index=range(len(a))), codes, a, b, history.cutoff)


@pytest.fixture(scope="module")
def pairs(domain: Corpus) -> CandidatePairs:
    return every_pair(domain.as_of(CUTOFF))


@pytest.fixture(scope="module")
def output(summary: Summary, domain: Corpus, pairs: CandidatePairs) -> BlockOutput:
    return background(summary, domain.as_of(CUTOFF), pairs, TASK, seed=1)


def carried(corpus: Corpus, since: str, until: str) -> list[set[str]]:
    """The subclasses of each patent of (since, until]."""
    date = corpus.patent_codes["patent_id"].map(corpus.patents.set_index("patent_id")["knowledge_date"])
    table = corpus.patent_codes[(date > day(since)) & (date <= day(until))]
    return [{symbol[:4] for symbol in symbols} for _, symbols in table.groupby("patent_id")["symbol"]]


def joint(patents: list[set[str]]) -> Counter[tuple[str, str]]:
    return Counter(pair for codes in patents for pair in permutations(codes, 2))


def expect(output: BlockOutput, pairs: CandidatePairs, column: str, value: Callable[[str, str], float]) -> None:
    """The column is the value of the two codes, and NaN just where one of them is unknown to the background."""
    got = output.columns[f"background__{column}"]
    for row, (x, y) in enumerate(zip(pairs.codes[pairs.a], pairs.codes[pairs.b], strict=True)):
        if UNKNOWN in (x, y):
            assert np.isnan(got[row]), (column, x, y)
        else:
            assert got[row] == pytest.approx(value(x, y), abs=1e-12, nan_ok=True), (column, x, y)


def test_columns_and_what_is_noted(output: BlockOutput, pairs: CandidatePairs) -> None:
    windowed = ["joint_patents__w2__lag0", "joint_growth__w2__lag0"]
    assert set(output.columns) == {f"background__{n}" for n in [*(f"{m}__all__lag0" for m in ALL_TIME), *windowed]}
    assert {len(values) for values in output.columns.values()} == {len(pairs)}
    assert output.code_vectors == {}
    assert output.warnings == ("background: 1 of 9 codes are not in it by then; their pairs have no value",)


def test_joint_patents_against_chance(output: BlockOutput, pairs: CandidatePairs, outside: Corpus) -> None:
    patents = carried(outside, "1900-01-01", "2007-12-31")
    n, both = len(patents), joint(patents)
    count = Counter(code for codes in patents for code in codes)

    def npmi(x: str, y: str) -> float:
        if not both[x, y]:
            return -1.0
        return math.log(both[x, y] * n / (count[x] * count[y])) / -math.log(both[x, y] / n)

    def ppmi(x: str, y: str) -> float:
        links = {z: sum(both[z, other] for other in KNOWN) for z in (x, y)}
        chance = links[x] * links[y] / sum(both.values())
        return max(0.0, math.log(both[x, y] / chance)) if both[x, y] else 0.0

    expect(output, pairs, "joint_patents__all__lag0", lambda x, y: math.log(1 + both[x, y]))
    expect(output, pairs, "linked__all__lag0", lambda x, y: float(both[x, y] > 0))
    expect(output, pairs, "lift__all__lag0", lambda x, y: both[x, y] * n / (count[x] * count[y]))
    expect(output, pairs, "npmi__all__lag0", npmi)
    expect(output, pairs, "ppmi__all__lag0", ppmi)


def test_neighbourhoods_are_those_of_networkx(output: BlockOutput, pairs: CandidatePairs, outside: Corpus) -> None:
    both = joint(carried(outside, "1900-01-01", "2007-12-31"))
    graph = nx.Graph()
    graph.add_nodes_from([*KNOWN, LONELY])
    graph.add_edges_from(both)

    def common(x: str, y: str) -> list[str]:
        return list(nx.common_neighbors(graph, x, y))

    expect(output, pairs, "common_neighbours__all__lag0", lambda x, y: len(common(x, y)))
    for name, index in (("adamic_adar", nx.adamic_adar_index), ("resource_allocation", nx.resource_allocation_index)):
        expect(output, pairs, f"{name}__all__lag0", lambda x, y, index=index: next(iter(index(graph, [(x, y)])))[2])
    expect(
        output,
        pairs,
        "weighted_common_neighbours__all__lag0",
        lambda x, y: sum(both[x, z] + both[y, z] for z in common(x, y)),
    )


def test_profiles_are_alike_by_their_cosine_and_a_code_that_met_none_has_no_profile(
    output: BlockOutput, pairs: CandidatePairs, outside: Corpus
) -> None:
    both = joint(carried(outside, "1900-01-01", "2007-12-31"))
    table = np.array([[both[x, y] for y in KNOWN] for x in KNOWN], dtype=float)
    with np.errstate(divide="ignore"):
        chance = np.multiply.outer(table.sum(axis=0), table.sum(axis=0)) / table.sum()
        profile = np.maximum(np.log(table / chance), 0.0)
    alike = pd.DataFrame(cosine_similarity(profile), KNOWN, KNOWN)
    weakest = np.linalg.svd(profile, compute_uv=False)[-1]

    def cosine(x: str, y: str) -> float:
        return math.nan if LONELY in (x, y) else float(alike.loc[x, y])

    expect(output, pairs, "ppmi_cosine__all__lag0", cosine)
    got, exact = (output.columns[f"background__{name}__all__lag0"] for name in ("low_rank", "ppmi"))
    assert np.array_equal(np.isnan(got), np.isnan(output.columns["background__ppmi_cosine__all__lag0"]))
    assert np.nanmax(np.abs(got - exact)) <= weakest + 1e-9  # rank one less than the codes: misses one direction


def test_windows_and_growth(output: BlockOutput, pairs: CandidatePairs, outside: Corpus) -> None:
    recent = joint(carried(outside, "2005-12-31", "2007-12-31"))
    before = joint(carried(outside, "2003-12-31", "2005-12-31"))
    assert recent != before
    expect(output, pairs, "joint_patents__w2__lag0", lambda x, y: math.log(1 + recent[x, y]))
    expect(output, pairs, "joint_growth__w2__lag0", lambda x, y: math.log((1 + recent[x, y]) / (1 + before[x, y])))


def test_activity_and_the_share_of_the_domain_in_it(
    output: BlockOutput, pairs: CandidatePairs, outside: Corpus, domain: Corpus
) -> None:
    """The domain is counted from the first month of the background on, though it begins earlier."""
    patents = Counter(code for codes in carried(outside, "1900-01-01", "2007-12-31") for code in codes)
    first = outside.patents["knowledge_date"].iloc[0]
    assert f"{first:%Y-%m}" == "2003-01"
    inside = Counter(code for codes in carried(domain, "2002-12-31", "2007-12-31") for code in codes)
    assert inside != Counter(code for codes in carried(domain, "1900-01-01", "2007-12-31") for code in codes)
    share = {code: inside[code] / patents[code] for code in [*KNOWN, LONELY]}
    for name, value in (("patents", patents), ("domain_share", share)):
        expect(output, pairs, f"{name}_mean__all__lag0", lambda x, y, v=value: (v[x] + v[y]) / 2)
        expect(output, pairs, f"{name}_min__all__lag0", lambda x, y, v=value: min(v[x], v[y]))
        expect(output, pairs, f"{name}_range__all__lag0", lambda x, y, v=value: abs(v[x] - v[y]))


def assert_same(left: BlockOutput, right: BlockOutput) -> None:
    """Equal to the last bit, NaN equal to NaN."""
    assert list(left.columns) == list(right.columns)
    for name, values in left.columns.items():
        np.testing.assert_array_equal(values, right.columns[name], err_msg=name)
    assert left.warnings == right.warnings


def test_the_same_twice(output: BlockOutput, summary: Summary, domain: Corpus, pairs: CandidatePairs) -> None:
    assert_same(output, background(summary, domain.as_of(CUTOFF), pairs, TASK, seed=1))


def test_it_does_not_matter_which_code_comes_first(
    output: BlockOutput, summary: Summary, domain: Corpus, pairs: CandidatePairs
) -> None:
    swapped = dataclasses.replace(pairs, a=pairs.b, b=pairs.a)
    turned = background(summary, domain.as_of(CUTOFF), swapped, TASK, seed=1)
    for name, values in output.columns.items():
        np.testing.assert_allclose(turned.columns[name], values, atol=1e-12, err_msg=name)


LATER = st.lists(
    st.tuples(
        st.integers(1, 2000), st.lists(st.sampled_from([*KNOWN, LONELY, UNKNOWN, "Y99Z"]), min_size=1, unique=True)
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=8, deadline=None)
@given(later=LATER)
def test_what_the_background_holds_after_the_cutoff_changes_nothing(
    output: BlockOutput, domain: Corpus, pairs: CandidatePairs, later: list[tuple[int, list[str]]]
) -> None:
    """Not the order of the codes, not the random start of the decomposition: the bytes are the same."""
    rows = [
        {"patent_id": f"Z{n}", "date": f"{CUTOFF + pd.Timedelta(days=days):%Y-%m-%d}", "cpc": codes, "ipc": codes}
        for n, (days, codes) in enumerate(later)
    ]
    rows = [{**row, "ipc": [code for code in row["ipc"] if code[0] != "Y"]} for row in rows]
    early = [row for row in drawn(5, 90, (2003, 2009)) if row["date"] <= f"{CUTOFF:%Y-%m-%d}"]
    alone = {"patent_id": "L2004", "date": "2004-05-02", "ipc": LONELY}
    summary = summarise(corpus_from([*early, alone, *rows]), "ipc", "subclass")
    assert_same(background(summary, domain.as_of(CUTOFF), pairs, TASK, seed=1), output)


def test_without_a_background_there_is_nothing_and_nothing_to_note(domain: Corpus, pairs: CandidatePairs) -> None:
    assert_same(background(None, domain.as_of(CUTOFF), pairs, TASK, seed=1), BlockOutput(columns={}))


@pytest.mark.parametrize(
    ("begins", "reason"),
    [
        ("2008-02-01", "it begins on 2008-02-01, after the cutoff 2007-12-30"),
        ("2007-12-03", "it begins on 2007-12-03, less than a whole month before the cutoff 2007-12-30"),
    ],
)
def test_a_background_that_begins_too_late_is_left_out(domain: Corpus, begins: str, reason: str) -> None:
    late = corpus_from([{"patent_id": "U1", "date": begins, "ipc": KNOWN[:2]}])
    history = domain.as_of(day("2007-12-30"))
    got = background(summarise(late, "ipc", "subclass"), history, every_pair(history), TASK, seed=1)
    assert_same(got, BlockOutput(columns={}, warnings=(f"background: {reason}, so the block is left out",)))


def test_a_background_of_other_codes_is_left_out(domain: Corpus, pairs: CandidatePairs) -> None:
    other = summarise(
        corpus_from([{"patent_id": "U1", "date": "2005-05-02", "ipc": ["A01B", "E04H"]}]), "ipc", "subclass"
    )
    got = background(other, domain.as_of(CUTOFF), pairs, TASK, seed=1)
    assert got.columns == {}
    assert got.warnings == ("background: no candidate has both codes in it by 2007-12-31, so the block is left out",)


def notes(output: BlockOutput) -> list[str]:
    return [warning for warning in output.warnings if "codes are not in it" not in warning]


def test_a_cutoff_within_a_month_uses_the_month_before_and_says_so(summary: Summary, domain: Corpus) -> None:
    within, before = (domain.as_of(day(text)) for text in ("2007-12-30", "2007-11-30"))
    pairs = every_pair(before)
    got = background(summary, within, pairs, TASK, seed=1)
    assert notes(got) == [
        "background: it is counted in whole months, so up to 2007-11-30, not to the cutoff 2007-12-30"
    ]
    assert_same(
        dataclasses.replace(got, warnings=()),
        dataclasses.replace(background(summary, before, pairs, TASK, seed=1), warnings=()),
    )


def test_a_background_that_ends_early_is_counted_to_its_end_and_says_so(
    outside: Corpus, output: BlockOutput, domain: Corpus, pairs: CandidatePairs
) -> None:
    """Its windows are counted back from its own end: else they would hold fewer years, or nothing that looks like 0."""
    ended = summarise(outside.as_of(CUTOFF), "ipc", "subclass")
    later = domain.as_of(day("2009-11-30"))
    got = background(ended, later, pairs, TASK, seed=1)
    assert notes(got) == ["background: it ends on 2007-12-31, before the cutoff 2009-11-30, and is counted up to there"]
    assert_same(dataclasses.replace(got, warnings=output.warnings), output)


@pytest.mark.parametrize(
    ("window", "absent", "note"),
    [
        (2, [], []),
        (3, ["joint_growth"], ["it begins on 2003-01-02, too late for joint_growth over 3 years, which is left out"]),
        (
            6,
            ["joint_patents", "joint_growth"],
            ["it begins on 2003-01-02, too late for joint_patents and joint_growth over 6 years, which are left out"],
        ),
    ],
)
def test_a_window_that_the_background_does_not_cover_is_left_out(
    summary: Summary, domain: Corpus, pairs: CandidatePairs, window: int, absent: list[str], note: list[str]
) -> None:
    got = background(summary, domain.as_of(CUTOFF), pairs, TaskConfig(window=window), seed=1)
    whole = {f"background__{name}__w{window}__lag0" for name in ("joint_patents", "joint_growth")}
    lacking = {f"background__{name}__w{window}__lag0" for name in absent}
    assert {name for name in got.columns if f"__w{window}__" in name} == whole - lacking
    assert notes(got) == [f"background: {text}" for text in note]


@pytest.mark.parametrize(("begins", "covered"), [("2003-12-31", True), ("2004-01-31", True), ("2004-02-01", False)])
def test_data_that_begin_within_a_month_are_whole_for_it(
    domain: Corpus, pairs: CandidatePairs, begins: str, covered: bool
) -> None:
    """Growth over two years at the end of 2007 needs 2004 from January on."""
    rows = [{"patent_id": f"U{n}", "date": date, "ipc": KNOWN} for n, date in enumerate([begins, "2007-12-01"])]
    got = background(summarise(corpus_from(rows), "ipc", "subclass"), domain.as_of(CUTOFF), pairs, TASK, seed=1)
    assert ("background__joint_growth__w2__lag0" in got.columns) is covered


def test_windows_back_from_a_leap_day_hold_whole_months(domain: Corpus) -> None:
    """Two years before 28 February 2010 is 28 February 2008; the window begins on 1 March all the same."""
    rows = [{"patent_id": f"U{n}", "date": f"{y}-01-02", "ipc": "A01B;A01C"} for n, y in enumerate(range(2004, 2011))]
    leap = {"patent_id": "V", "date": "2008-02-29", "ipc": "A01B;A01C"}
    last = {"patent_id": "W", "date": "2010-02-28", "ipc": "A01B"}
    summary = summarise(corpus_from([*rows, leap, last]), "ipc", "subclass")
    history = dataclasses.replace(domain, cutoff=day("2010-02-28"))
    got = background(summary, history, every_pair(history), TASK, seed=1).columns
    assert np.nanmax(got["background__joint_patents__w2__lag0"]) == pytest.approx(math.log(3))  # of 2009 and 2010
    growth = np.nanmin(got["background__joint_growth__w2__lag0"])
    assert growth == pytest.approx(math.log(3 / 4))  # against 2007, 2008 and the leap day


def test_two_codes_that_every_patent_carries_are_as_bound_as_can_be(domain: Corpus, pairs: CandidatePairs) -> None:
    rows = [{"patent_id": f"U{n}", "date": f"2005-0{n}-02", "ipc": KNOWN[:2]} for n in range(1, 4)]
    got = background(summarise(corpus_from(rows), "ipc", "subclass"), domain.as_of(CUTOFF), pairs, TASK, seed=1).columns
    assert np.nanmax(got["background__npmi__all__lag0"]) == 1.0
    assert np.nanmax(got["background__lift__all__lag0"]) == 1.0


def test_another_level_than_the_tasks_is_refused(summary: Summary, domain: Corpus, pairs: CandidatePairs) -> None:
    with pytest.raises(ValueError, match="a background at level subclass for a task at level class"):
        background(summary, domain.as_of(CUTOFF), pairs, TaskConfig(level="class"), seed=1)


def test_ipc_counts_serve_a_cpc_task_and_say_so(summary: Summary, domain: Corpus, pairs: CandidatePairs) -> None:
    own = background(summary, domain.as_of(CUTOFF), pairs, TASK, seed=1)
    symbols = domain.patent_codes.assign(scheme="cpc")
    other = dataclasses.replace(domain, patent_codes=symbols).as_of(CUTOFF)
    got = background(summary, other, pairs, TASK.model_copy(update={"scheme": "cpc"}), seed=1)
    assert all(np.array_equal(got.columns[name], own.columns[name], equal_nan=True) for name in own.columns)
    said = "background: it is counted by IPC symbols, which stand for the same CPC ones"
    assert set(got.warnings) - set(own.warnings) == {said}


def test_on_real_grants_half_of_which_are_the_domain(tmp_path: Path) -> None:
    """Joint patents of a candidate all lie outside the domain, though the background holds the domain."""
    table = pd.read_parquet(real_data("corpora/uspto_2007_2010.parquet"))
    quarter = table[table["date"].between("2007-06-15", "2007-09-14")]
    quarter.to_parquet(tmp_path / "grants.parquet", index=False)
    quarter.iloc[::8].to_parquet(tmp_path / "domain.parquet", index=False)
    whole, part = (ingest([tmp_path / f"{name}.parquet"]).corpus for name in ("grants", "domain"))
    history = part.as_of(day("2007-08-31"))
    task = TaskConfig()
    pairs = candidate_pairs(history, task).pairs
    got = background(summarise(whole, "ipc", "subclass"), history, pairs, task, seed=1)
    assert [note for note in notes(got) if "it begins on 2007-06-19, too late for joint_patents" in note] == notes(got)
    values = pd.DataFrame(got.columns)
    assert np.isfinite(values.drop(columns=list(values.filter(regex="cosine|low_rank"))).to_numpy()).all()
    both = joint(carried(whole, f"{years_before(history.cutoff, 9):%Y-%m-%d}", "2007-08-31"))
    expected = [both[x, y] for x, y in zip(pairs.table["code_a"], pairs.table["code_b"], strict=True)]
    assert sum(expected) > 0
    np.testing.assert_allclose(np.expm1(values["background__joint_patents__all__lag0"]), expected, atol=1e-9)
    assert values["background__domain_share_mean__all__lag0"].between(0, 1).all()
