"""Citation features against sets, dicts and loops over references."""

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases import real_data
from factories import corpus_from
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import TaskConfig
from pipeline.corpus.ingest import ingest_tables
from pipeline.corpus.readers import read_source
from pipeline.corpus.timeline import Corpus
from pipeline.features.citation import DAMPING, SHRINKAGE, citation
from pipeline.pairs.base import CandidatePairs
from pipeline.pairs.candidates import candidate_pairs

TASK = TaskConfig(window=3, min_patents=1)
CODES = ["A01B", "A23L", "B60L", "F25B", "G06F", "H01L", "H04L"]
SILENT = "H04L"  # its patents cite nothing
CODE_VALUES = ("originality", "generality", "cycle_time", "npl_share")
Row = dict[str, Any]


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text).as_unit("s")


def all_pairs(history: Corpus) -> CandidatePairs:
    """All pairs, linked ones too: more to compare."""
    codes = history.incidence("ipc", "subclass").codes
    a, b = np.triu_indices(len(codes), k=1)
    return CandidatePairs(table=pd.DataFrame(index=range(len(a))), codes=codes, a=a, b=b, cutoff=history.cutoff)


def columns_of(history: Corpus) -> dict[str, np.ndarray]:
    return citation(history, all_pairs(history), TASK).columns


# By hand: three codes, one outside document cited by two of them, one direct citation.
BY_HAND: list[Row] = [
    {"patent_id": "US1", "date": "2006-01-01", "ipc": "A01B 1/00", "cited_ids": "XX1;XX2"},
    {"patent_id": "US2", "date": "2007-01-01", "ipc": "F25B 1/00", "cited_ids": "XX1;US1", "cited_npl": "a book"},
    {"patent_id": "US3", "date": "2008-01-01", "ipc": "G06F 3/00", "cited_ids": "US1;US2"},
]


def test_farming_and_cooling_by_hand() -> None:
    columns = columns_of(corpus_from(BY_HAND))
    expected = {
        "reference_jaccard": 1 / (3 + SHRINKAGE),  # XX1, of XX1, XX2, US1
        "citation_cosine": 1 / (2 + SHRINKAGE),  # each cites two documents once
        "cocitation": 1 / (math.sqrt(2) + SHRINKAGE),  # US3 cites both; US2 cites US1 as well
        # of three citations cooling makes one and receives one, farming makes none and receives two
        "flow_sum": 1 / (1 * 2 / 3 + 1),
        "flow_min": 0.0,
        "flow_asymmetry": 1 / (1 + 1),
        "reachability": 0.0,
    }
    for measure, value in expected.items():
        assert columns[f"citation__{measure}__all__lag0"][0] == pytest.approx(value), measure


def patents(rng: np.random.Generator, count: int) -> list[Row]:
    """Patents of 2002 to 2009, one a month or so, with one to three codes, that cite each other and outsiders."""
    rows = []
    for number in range(count):
        month = number * 96 // count
        carried = rng.choice(CODES[:-1], size=rng.integers(1, 4), replace=False)
        # up to five places ahead: the application was cited before it was published
        cited = [f"US{n}" for n in set(rng.integers(0, min(number + 5, count), size=rng.integers(0, 4))) - {number}]
        cited += [f"XX{n}" for n in set(rng.integers(0, 12, size=rng.integers(0, 4)))]
        date = f"{2002 + month // 12}-{month % 12 + 1:02d}-{number % 28 + 1:02d}"
        ipc = [f"{code} 1/00" for code in sorted(carried)]
        npl = [f"paper {n}" for n in range(rng.integers(0, 3))]
        rows.append({"patent_id": f"US{number}", "date": date, "ipc": ipc, "cited_ids": cited, "cited_npl": npl})
    rows.append({"patent_id": "US999", "date": "2009-12-30", "ipc": f"{SILENT} 1/00", "cited_ids": []})
    return rows


Link = tuple[str, str]  # citing and cited document


class Oracle:
    """The references of a history as plain lists and dicts."""

    def __init__(self, history: Corpus) -> None:
        self.date = dict(zip(history.patents["patent_id"], history.patents["knowledge_date"], strict=True))
        self.codes: dict[str, list[str]] = {patent: [] for patent in self.date}
        for patent, symbol in zip(history.patent_codes["patent_id"], history.patent_codes["symbol"], strict=True):
            self.codes[patent].append(symbol[:4])
        table = history.citations
        links = list(zip(table["citing"], table["cited"], table["kind"], strict=True))
        self.references: list[Link] = [(citing, cited) for citing, cited, kind in links if kind == "patent"]
        self.literature: list[Link] = [(citing, cited) for citing, cited, kind in links if kind == "npl"]
        self.inside = [link for link in self.references if link[1] in self.date]

    def within(self, links: list[Link], suffix: str) -> list[Link]:
        after, until = WINDOWS[suffix]
        return [link for link in links if day(after) < self.date[link[0]] <= day(until)]

    def of(self, code: str, links: list[Link]) -> list[Link]:
        return [link for link in links if code in self.codes[link[0]]]

    def flows(self, links: list[Link]) -> dict[Link, float]:
        found = dict.fromkeys(itertools.product(CODES, CODES), 0.0)
        for citing, cited in links:
            for x, y in itertools.product(self.codes[citing], self.codes[cited]):
                found[x, y] += 1 / len(self.codes[citing]) / len(self.codes[cited])
        return found


WINDOWS = {
    "all__lag0": ("1900-01-01", "2009-12-31"),
    "w3__lag0": ("2006-12-31", "2009-12-31"),
    "w3__lag3": ("2003-12-31", "2006-12-31"),
}


@pytest.fixture(scope="module")
def history() -> Corpus:
    corpus = corpus_from(patents(np.random.default_rng(4), 90))
    assert corpus.cutoff == day("2009-12-31")
    return corpus


@pytest.fixture(scope="module")
def columns(history: Corpus) -> dict[str, np.ndarray]:
    return columns_of(history)


def assert_pairs(got: np.ndarray, expected: dict[tuple[str, str], float], rtol: float = 1e-9) -> None:
    pairs = list(itertools.combinations(CODES, 2))
    np.testing.assert_allclose(got, [expected[pair] for pair in pairs], rtol=rtol, atol=1e-12)


def shrunk_cosine(x: Mapping[str, float], y: Mapping[str, float]) -> float:
    if not any(x.values()) or not any(y.values()):
        return math.nan
    length = math.hypot(*x.values()) * math.hypot(*y.values())
    return sum(value * y.get(key, 0) for key, value in x.items()) / (length + SHRINKAGE)


@pytest.mark.parametrize("suffix", ["all__lag0", "w3__lag0", "w3__lag3"])
def test_shared_references(history: Corpus, columns: dict[str, np.ndarray], suffix: str) -> None:
    oracle = Oracle(history)
    links = oracle.within(oracle.references, suffix)
    cited = {code: Counter(document for _, document in oracle.of(code, links)) for code in CODES}
    jaccard, cosine = {}, {}
    for x, y in itertools.combinations(CODES, 2):
        both, either = cited[x].keys() & cited[y].keys(), cited[x].keys() | cited[y].keys()
        jaccard[x, y] = math.nan if SILENT in (x, y) else len(both) / (len(either) + SHRINKAGE)
        cosine[x, y] = shrunk_cosine(cited[x], cited[y])
    assert max(value for value in jaccard.values() if value == value) > 0
    assert_pairs(columns[f"citation__reference_jaccard__{suffix}"], jaccard)
    if suffix != "w3__lag3":
        assert_pairs(columns[f"citation__citation_cosine__{suffix}"], cosine)


@pytest.mark.parametrize("suffix", ["all__lag0", "w3__lag0"])
def test_cocitation_and_flow(history: Corpus, columns: dict[str, np.ndarray], suffix: str) -> None:
    oracle = Oracle(history)
    links = oracle.within(oracle.inside, suffix)
    flows = oracle.flows(links)
    made = {x: sum(flows[x, y] for y in CODES) for x in CODES}
    share = {y: sum(flows[x, y] for x in CODES) / sum(made.values()) for y in CODES}
    assert sum(made.values()) == pytest.approx(len(links))
    citing = {code: {patent for patent, cited in links if code in oracle.codes[cited]} for code in CODES}
    cocitation, total, least, asymmetry = {}, {}, {}, {}
    for x, y in itertools.combinations(CODES, 2):
        salton = math.sqrt(len(citing[x]) * len(citing[y]))
        cocitation[x, y] = len(citing[x] & citing[y]) / (salton + SHRINKAGE)
        ways = [flows[i, j] / (made[i] * share[j] + 1) for i, j in ((x, y), (y, x))]
        total[x, y], least[x, y] = sum(ways), min(ways)
        both = flows[x, y] + flows[y, x]
        asymmetry[x, y] = abs(flows[x, y] - flows[y, x]) / (both + 1) if both else math.nan
    assert_pairs(columns[f"citation__cocitation__{suffix}"], cocitation)
    assert_pairs(columns[f"citation__flow_sum__{suffix}"], total)
    if suffix == "all__lag0":
        assert_pairs(columns["citation__flow_min__all__lag0"], least)
        assert_pairs(columns["citation__flow_asymmetry__all__lag0"], asymmetry)


def test_likeness_of_cited_codes_and_walks_between_them(history: Corpus, columns: dict[str, np.ndarray]) -> None:
    oracle = Oracle(history)
    flows = oracle.flows(oracle.inside)
    made = {x: sum(flows[x, y] for y in CODES) for x in CODES}

    def walks(*path: str) -> float:
        return math.prod(0 if i == j else flows[i, j] / (made[i] + 1) for i, j in itertools.pairwise(path))

    alike, reach = {}, {}
    for x, y in itertools.combinations(CODES, 2):
        alike[x, y] = shrunk_cosine({z: flows[x, z] for z in CODES}, {z: flows[y, z] for z in CODES})
        reach[x, y] = sum(
            DAMPING**2 * sum(walks(i, z, j) for z in CODES)
            + DAMPING**3 * sum(walks(i, z, u, j) for z in CODES for u in CODES)
            for i, j in ((x, y), (y, x))
        )
    assert_pairs(columns["citation__code_citation_cosine__all__lag0"], alike)
    assert_pairs(columns["citation__reachability__all__lag0"], reach, rtol=1e-6)  # kept in single precision


def shrunk(total: float, count: float, overall: float) -> float:
    return (total + SHRINKAGE * overall) / (count + SHRINKAGE) if count else math.nan


def diversity(spread: dict[str, dict[str, float]]) -> dict[str, float]:
    """1 - Herfindahl of each code's spread, shrunk to the mean weighted by counts."""
    count = {code: sum(values.values()) for code, values in spread.items()}
    raw = {c: 1 - sum((v / count[c]) ** 2 for v in spread[c].values()) if count[c] else 0.0 for c in spread}
    overall = sum(raw[c] * count[c] for c in spread) / sum(count.values())
    return {c: shrunk(raw[c] * count[c], count[c], overall) for c in spread}


def test_values_of_a_code(history: Corpus, columns: dict[str, np.ndarray]) -> None:
    oracle = Oracle(history)
    flows = oracle.flows(oracle.inside)
    age = {link: max((oracle.date[link[0]] - oracle.date[link[1]]).days, 0) / 365.25 for link in oracle.inside}
    assert 0 in age.values()
    everything = oracle.references + oracle.literature

    def cycle_time(code: str) -> float:
        ages = [age[link] for link in oracle.of(code, oracle.inside)]
        return shrunk(sum(ages), len(ages), sum(age.values()) / len(age))

    def npl_share(code: str) -> float:
        literature, all_references = (len(oracle.of(code, links)) for links in (oracle.literature, everything))
        return shrunk(literature, all_references, len(oracle.literature) / len(everything))

    expected = {
        "originality": diversity({x: {y: flows[x, y] for y in CODES} for x in CODES}),
        "generality": diversity({y: {x: flows[x, y] for x in CODES} for y in CODES}),
        "cycle_time": {code: cycle_time(code) for code in CODES},
        "npl_share": {code: npl_share(code) for code in CODES},
    }
    for name, value in expected.items():
        left, right = np.array([(value[x], value[y]) for x, y in itertools.combinations(CODES, 2)]).T
        assert np.isfinite(left).sum() > 10
        np.testing.assert_allclose(columns[f"citation__{name}_mean__all__lag0"], (left + right) / 2)
        np.testing.assert_allclose(columns[f"citation__{name}_min__all__lag0"], np.minimum(left, right))
        np.testing.assert_allclose(columns[f"citation__{name}_range__all__lag0"], np.abs(left - right), atol=1e-12)


def test_the_columns_are_these(columns: dict[str, np.ndarray]) -> None:
    recent_too = ["reference_jaccard", "citation_cosine", "cocitation", "flow_sum"]
    names = [f"{name}__w3__lag0" for name in recent_too] + ["reference_jaccard__w3__lag3"]
    always = [*recent_too, "flow_min", "flow_asymmetry", "code_citation_cosine", "reachability"]
    always += [f"{name}_{statistic}" for name in CODE_VALUES for statistic in ("mean", "min", "range")]
    names += [f"{name}__all__lag0" for name in always]
    assert sorted(columns) == sorted(f"citation__{name}" for name in names)


def test_a_code_that_cites_nothing_is_like_none_known_and_flows_nowhere(columns: dict[str, np.ndarray]) -> None:
    silent = np.array([SILENT in pair for pair in itertools.combinations(CODES, 2)])
    unknown = {name.split("__")[1] for name, values in columns.items() if np.isnan(values[silent]).all()}
    assert {"reference_jaccard", "citation_cosine", "code_citation_cosine", "originality_mean"} < unknown
    assert {"cocitation", "flow_sum", "flow_min", "reachability"} & unknown == set()


@settings(max_examples=20, deadline=None)
@given(st.permutations(CODES))
def test_it_does_not_matter_which_code_of_a_pair_comes_first(
    history: Corpus, columns: dict[str, np.ndarray], renamed: list[str]
) -> None:
    """The same patents under other names of the codes: each pair keeps its values."""
    other = dict(zip(CODES, renamed, strict=True))
    table = history.patent_codes
    table = table.assign(symbol=[other[symbol[:4]] + symbol[4:] for symbol in table["symbol"]])
    again = columns_of(dataclasses.replace(history, patent_codes=table))
    spot = {pair: place for place, pair in enumerate(itertools.combinations(CODES, 2))}
    where = [spot[min(other[x], other[y]), max(other[x], other[y])] for x, y in spot]
    for name, values in columns.items():
        np.testing.assert_allclose(again[name][where], values, rtol=1e-9, atol=1e-12)


def assert_same_bytes(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> None:
    assert list(left) == list(right)
    for name, values in left.items():
        assert values.tobytes() == right[name].tobytes(), name


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["2004-06-30", "2006-12-31", "2008-12-31"]))
def test_what_comes_after_the_cutoff_changes_nothing(seed: int, cutoff: str) -> None:
    """Later patents are cited before they are known, and outsiders cited before the cutoff turn out to be patents."""
    rows = patents(np.random.default_rng(seed), 30)
    newcomers = [
        {"patent_id": f"XX{n}", "date": "2009-06-01", "ipc": "A01B 1/00;F25B 1/00", "cited_ids": "US1;US2;XX0"}
        for n in range(1, 12)
    ]
    truncated = corpus_from([row for row in rows if day(row["date"]) <= day(cutoff)])
    whole = corpus_from(rows + newcomers).as_of(day(cutoff))
    assert_same_bytes(columns_of(whole), columns_of(dataclasses.replace(truncated, cutoff=day(cutoff))))


def test_an_outside_document_that_becomes_a_patent_receives_flows_from_then_on() -> None:
    """XX1 is published in 2009; shared by its id before and after."""
    after = corpus_from([*BY_HAND, {"patent_id": "XX1", "date": "2009-01-01", "ipc": "F25B 1/00"}])
    before = after.as_of(day("2008-01-31"))
    assert_same_bytes(columns_of(before), columns_of(corpus_from(BY_HAND)))
    there, back = (columns_of(history)["citation__flow_asymmetry__all__lag0"][0] for history in (before, after))
    assert (there, back) == (1 / 2, 0.0)  # cooling cites farming once; XX1 of cooling is cited by farming once
    assert columns_of(before)["citation__reference_jaccard__all__lag0"][0] > 0


@pytest.mark.parametrize(
    ("change", "absent", "warning"),
    [
        ({"cited_ids": ""}, "", "no patent citations, so the block is left out"),
        ({"cited_ids": "XX1;XX2"}, "flow_sum", "no citations between the patents"),
        ({"cited_ids": "XX1;XX2"}, "originality", "no citations between the patents"),
        ({"cited_npl": ""}, "npl_share", "no non-patent citations, so npl_share is left out"),
    ],
)
def test_what_the_source_lacks_is_left_out_with_a_warning(change: Row, absent: str, warning: str) -> None:
    history = corpus_from([row | change for row in BY_HAND])
    found = citation(history, all_pairs(history), TASK)
    assert not [name for name in found.columns if name.startswith(f"citation__{absent}")]
    assert any(warning in line for line in found.warnings)
    assert not any(np.isinf(values).any() for values in found.columns.values())


def test_a_window_without_any_citation_is_unknown_not_zero() -> None:
    late = {"patent_id": "US9", "date": "2015-01-01", "ipc": "A01B 1/00;F25B 1/00"}
    columns = columns_of(corpus_from([*BY_HAND, late]))
    assert np.isnan(columns["citation__reference_jaccard__w3__lag0"]).all()
    assert columns["citation__flow_sum__w3__lag0"].tolist() == [0, 0, 0]


def test_real_patents_fill_every_column_whatever_the_export_holds_later() -> None:
    rows = read_source(real_data("corpora/dpl_google.parquet"))
    found = []
    for end in ("2008-12-31", "2005-12-31"):
        source = dataclasses.replace(rows, frame=rows.frame[rows.frame["date"] <= end])  # dates are ISO texts
        corpus = dataclasses.replace(ingest_tables([source]).corpus, cutoff=day(end))
        history = corpus.as_of(day("2005-12-31"))
        found.append(citation(history, candidate_pairs(history, TaskConfig()).pairs, TaskConfig()))
    assert_same_bytes(found[0].columns, found[1].columns)
    assert found[0].warnings == ("citation: no non-patent citations, so npl_share is left out",)
    assert len(found[0].columns) == 22
    for name, values in found[0].columns.items():
        assert 0 < np.nanmax(values) < np.inf, name
