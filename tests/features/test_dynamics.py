"""Dynamics against snapshots taken one by one, networkx, and loops over patents."""

import dataclasses
import itertools
import math
from typing import Any

import networkx as nx
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
from pipeline.features.cooccurrence import HALF_LIFE
from pipeline.features.dynamics import dynamics
from pipeline.pairs.base import CandidatePairs
from pipeline.pairs.candidates import candidate_pairs

TASK = TaskConfig(window=3, min_patents=1)
CODES = ["A01B", "A01C", "A23L", "B60L", "F25B", "F25D", "G06F", "H01L"]
NEWCOMER = "H01L"  # has no patent before 2008
MEASURES = (
    "adamic_adar",
    "resource_allocation",
    "preferential_attachment",
    "weighted_common_neighbours",
    "ppmi_cosine",
    "activity_product",
)
Row = dict[str, Any]


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text).as_unit("s")


CUTOFF = day("2008-12-31")


def all_pairs(history: Corpus) -> CandidatePairs:
    """All pairs, linked ones too: more to compare."""
    codes = history.incidence("ipc", "subclass").codes
    a, b = np.triu_indices(len(codes), k=1)
    return CandidatePairs(table=pd.DataFrame(index=range(len(a))), codes=codes, a=a, b=b, cutoff=history.cutoff)


def columns_of(history: Corpus) -> dict[str, np.ndarray]:
    return dynamics(history, all_pairs(history), TASK).columns


def patents() -> list[Row]:
    """90 patents of 2003 to 2008 with one to three codes; the last code comes in 2008."""
    rng = np.random.default_rng(5)
    rows: list[Row] = []
    for number in range(90):
        year = 2003 + number // 15
        choice = CODES if year == 2008 else CODES[:-1]
        carried = rng.choice(choice, size=rng.integers(1, 4), replace=False)
        date = f"{year}-{number % 12 + 1:02d}-15"
        rows.append({"patent_id": f"US{number}", "date": date, "ipc": [f"{code} 1/00" for code in sorted(carried)]})
    return rows


@pytest.fixture(scope="module")
def history() -> Corpus:
    return corpus_from(patents()).as_of(CUTOFF)


@pytest.fixture(scope="module")
def columns(history: Corpus) -> dict[str, np.ndarray]:
    return columns_of(history)


def carried(corpus: Corpus) -> list[set[str]]:
    symbols = corpus.patent_codes.groupby("patent_id")["symbol"].agg(lambda s: {symbol[:4] for symbol in s})
    return [symbols[patent] for patent in corpus.patents["patent_id"]]


class Oracle:
    """What was known on one day, by the corpus cut there, counted in dicts and a networkx graph."""

    def __init__(self, history: Corpus, years: int) -> None:
        held = carried(history.as_of(day(f"{CUTOFF.year - years}-12-31")))
        self.usage = {code: sum(code in codes for codes in held) for code in CODES}
        self.joint = {(x, y): sum({x, y} <= codes for codes in held) for x in CODES for y in CODES if x != y}
        self.graph = nx.Graph([pair for pair, count in self.joint.items() if count])
        self.graph.add_nodes_from(CODES)

    def partners(self, code: str) -> int:
        return int(self.graph.degree[code])

    def profile(self, x: str) -> np.ndarray:
        total = sum(self.joint.values())
        row = {code: sum(self.joint[code, other] for other in CODES if other != code) for code in CODES}
        seen = {y: self.joint[x, y] for y in CODES if y != x and self.joint[x, y]}
        return np.array([max(0.0, math.log(seen[y] * total / (row[x] * row[y]))) if y in seen else 0.0 for y in CODES])

    def value(self, measure: str, x: str, y: str) -> float:
        common = [] if x == y else list(nx.common_neighbors(self.graph, x, y))
        if measure == "adamic_adar":
            return sum(1 / math.log(self.partners(z)) for z in common)
        if measure == "resource_allocation":
            return sum(1 / self.partners(z) for z in common)
        if measure == "preferential_attachment":
            return self.partners(x) * self.partners(y)
        if measure == "weighted_common_neighbours":
            return sum(self.joint[x, z] + self.joint[y, z] for z in common)
        if measure == "activity_product":
            return self.usage[x] * self.usage[y]
        one, other = self.profile(x), self.profile(y)
        length = np.linalg.norm(one) * np.linalg.norm(other)
        return float(one @ other / length) if length else 0.0


def pairs_of_codes() -> list[tuple[str, str]]:
    return list(itertools.combinations(CODES, 2))


@pytest.fixture(scope="module")
def snapshots(history: Corpus) -> list[Oracle]:
    return [Oracle(history, years) for years in range(4)]


@pytest.mark.parametrize("measure", MEASURES)
def test_changes_are_the_differences_of_yearly_snapshots(
    columns: dict[str, np.ndarray], snapshots: list[Oracle], measure: str
) -> None:
    now, before, earlier = (
        np.array([snapshot.value(measure, x, y) for x, y in pairs_of_codes()], dtype=float)
        for snapshot in snapshots[:3]
    )
    change, acceleration = now - before, now - 2 * before + earlier
    assert change.any()
    assert acceleration.any()
    np.testing.assert_allclose(columns[f"dynamics__{measure}_change__w1__lag0"], change, atol=1e-9)
    np.testing.assert_allclose(columns[f"dynamics__{measure}_acceleration__w1__lag0"], acceleration, atol=1e-9)


@pytest.mark.parametrize("measure", ["preferential_attachment", "activity_product"])  # whole numbers: ties are exact
def test_rank_changes_are_in_shares_of_the_candidates(
    columns: dict[str, np.ndarray], snapshots: list[Oracle], measure: str
) -> None:
    def share(snapshot: Oracle) -> np.ndarray:
        values = np.array([snapshot.value(measure, x, y) for x, y in pairs_of_codes()])
        return np.array([((values < value).sum() + (values == value).sum() / 2) / len(values) for value in values])

    expected = share(snapshots[0]) - share(snapshots[1])
    np.testing.assert_allclose(columns[f"dynamics__{measure}_rank_change__w1__lag0"], expected, atol=1e-12)


@pytest.mark.parametrize("years", [1, 3])
def test_growth_is_the_smoothed_log_ratio_and_unknown_for_a_newcomer(
    columns: dict[str, np.ndarray], snapshots: list[Oracle], years: int
) -> None:
    now, then = snapshots[0], snapshots[years]
    for row, pair in enumerate(pairs_of_codes()):
        patents = [math.log((now.usage[c] + 1) / (then.usage[c] + 1)) for c in pair]
        partners = [math.log((now.partners(c) + 1) / (then.partners(c) + 1)) for c in pair]
        for name, (one, other) in {"patents": patents, "partners": partners}.items():
            expected = {"mean": (one + other) / 2, "min": min(one, other), "range": abs(one - other)}
            for statistic, value in expected.items():
                got = columns[f"dynamics__{name}_growth_{statistic}__w{years}__lag0"][row]
                assert got == pytest.approx(math.nan if NEWCOMER in pair else value, abs=1e-12, nan_ok=True)


def test_a_newcomer_gained_all_it_has(columns: dict[str, np.ndarray], snapshots: list[Oracle]) -> None:
    """Before its first patent its closeness to any code was zero, and known to be."""
    for row, (x, y) in enumerate(pairs_of_codes()):
        if NEWCOMER in (x, y):
            for measure in MEASURES:
                value = snapshots[0].value(measure, x, y)
                assert columns[f"dynamics__{measure}_change__w1__lag0"][row] == pytest.approx(value)
                assert columns[f"dynamics__{measure}_acceleration__w1__lag0"][row] == pytest.approx(value)


def test_recency_is_the_mean_weight_of_a_codes_patents(history: Corpus, columns: dict[str, np.ndarray]) -> None:
    weights: dict[str, list[float]] = {code: [] for code in CODES}
    for date, codes in zip(history.patents["knowledge_date"], carried(history), strict=True):
        for code in codes:
            weights[code].append(0.5 ** ((CUTOFF - date).days / 365.25 / HALF_LIFE))
    recency = {code: np.mean(values) for code, values in weights.items()}
    for row, (x, y) in enumerate(pairs_of_codes()):
        assert columns["dynamics__recency_mean__all__lag0"][row] == pytest.approx((recency[x] + recency[y]) / 2)
        assert columns["dynamics__recency_min__all__lag0"][row] == pytest.approx(min(recency[x], recency[y]))
        assert columns["dynamics__recency_range__all__lag0"][row] == pytest.approx(abs(recency[x] - recency[y]))


def test_two_codes_approach_each_other_in_their_texts() -> None:
    """Farming and cooling: at right angles in 2007, 45 degrees in 2008; computing has no text in 2007."""
    texts = {
        ("2007-05-01", "A01B 1/00"): [2.0, 0.0],
        ("2007-06-01", "F25B 1/00"): [0.0, 1.0],
        ("2007-07-01", "G06F 3/00"): [0.0, 0.0],
        ("2008-05-01", "A01B 1/00"): [1.0, 0.0],
        ("2008-06-01", "F25B 1/00"): [1.0, 0.0],
        ("2008-07-01", "F25B 1/00"): [0.0, 1.0],
        ("2008-12-01", "G06F 3/00"): [1.0, 0.0],
    }
    rows = [{"patent_id": f"US{n}", "date": date, "ipc": code} for n, (date, code) in enumerate(texts)]
    corpus = corpus_from(rows).as_of(CUTOFF).with_embeddings(np.array(list(texts.values()), dtype=np.float32))
    columns = columns_of(corpus)
    np.testing.assert_allclose(columns["dynamics__text_drift__w1__lag0"], [math.sqrt(0.5), np.nan, np.nan], atol=1e-6)
    # up to 2008 the cooling patents add up to (1, 2), up to 2007 they are at right angles to farming
    np.testing.assert_allclose(columns["dynamics__text_drift__w3__lag0"], [math.sqrt(0.2), np.nan, np.nan], atol=1e-6)


@pytest.mark.parametrize("embeddings", [None, np.zeros((90, 2), dtype=np.float32)], ids=["no vectors", "no texts"])
def test_without_text_its_drift_is_left_out_with_a_word(history: Corpus, embeddings: np.ndarray | None) -> None:
    silent = dataclasses.replace(history, embeddings=embeddings)
    output = dynamics(silent, all_pairs(silent), TASK)
    assert output.warnings == ("dynamics: no titles or abstracts, so text_drift is left out",)
    assert not [name for name in output.columns if "text" in name]


def test_changes_since_before_the_data_begin_are_unknown_and_keep_their_columns() -> None:
    """The first patent is of 2007: two years before the cutoff of 2008 there was none."""
    young = corpus_from([row for row in patents() if row["date"] >= "2007"]).as_of(CUTOFF)
    output = dynamics(young, all_pairs(young), TASK)
    assert output.warnings[0] == "dynamics: no patent known by 2006-12-31; changes since are unknown"
    assert list(output.columns) == list(columns_of(corpus_from(patents()).as_of(CUTOFF)))
    for name, values in output.columns.items():
        reaches_back = "acceleration" in name or "w3" in name
        assert np.isnan(values).all() == reaches_back, name


def test_the_order_of_the_two_codes_does_not_matter(history: Corpus) -> None:
    vectors = np.random.default_rng(1).normal(size=(len(history.patents), 4)).astype(np.float32)
    told = history.with_embeddings(vectors)
    pairs = all_pairs(told)
    turned = dynamics(told, dataclasses.replace(pairs, a=pairs.b, b=pairs.a), TASK).columns
    for name, values in columns_of(told).items():
        np.testing.assert_allclose(turned[name], values, rtol=1e-12, atol=1e-12, err_msg=name)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 900), st.sets(st.sampled_from([*CODES, "C07D"]), min_size=1))))
def test_what_comes_after_the_cutoff_changes_nothing(later: list[tuple[int, set[str]]]) -> None:
    rows = []
    for number, (days, codes) in enumerate(later):
        date = f"{CUTOFF + pd.Timedelta(days=days):%Y-%m-%d}"
        rows.append({"patent_id": f"EP{number}", "date": date, "ipc": [f"{code} 1/00" for code in sorted(codes)]})
    longer, alone = columns_of(corpus_from(patents() + rows).as_of(CUTOFF)), columns_of(corpus_from(patents()))
    assert {name: values.tobytes() for name, values in longer.items()} == {
        name: values.tobytes() for name, values in alone.items()
    }


def test_a_window_of_one_year_has_each_column_once(history: Corpus) -> None:
    columns = dynamics(history, all_pairs(history), TaskConfig(window=1, min_patents=1)).columns
    assert {name.split("__")[2] for name in columns} == {"w1", "all"}


def test_patents_of_one_code_each_never_come_closer() -> None:
    alone = corpus_from([{"patent_id": f"US{n}", "date": f"{2003 + n}-06-01", "ipc": c} for n, c in enumerate(CODES)])
    columns = columns_of(alone)
    for measure in set(MEASURES) - {"activity_product"}:
        assert not columns[f"dynamics__{measure}_change__w1__lag0"].any()


def test_real_patents_fill_every_column_whatever_the_export_holds_later() -> None:
    rows = read_source(real_data("corpora/dpl_google.parquet"))
    found = []
    for end in ("2008-12-31", "2005-12-31"):
        source = dataclasses.replace(rows, frame=rows.frame[rows.frame["date"] <= end])  # dates are ISO texts
        corpus = dataclasses.replace(ingest_tables([source]).corpus, cutoff=day(end))
        history = corpus.as_of(day("2005-12-31"))
        found.append(dynamics(history, candidate_pairs(history, TaskConfig()).pairs, TaskConfig()).columns)
    assert {k: v.tobytes() for k, v in found[0].items()} == {k: v.tobytes() for k, v in found[1].items()}
    assert len(found[0]) == 18 + 12 + 3
    for name, values in found[0].items():
        assert np.nanmin(values) < np.nanmax(values) < np.inf, name
