"""Statistics of co-occurrence against counts by hand, enumeration of a null model, and shuffled corpora."""

import dataclasses
import itertools
import math
import random
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from cases import real_data
from factories import corpus_from
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from pipeline.config import TaskConfig
from pipeline.corpus.ingest import ingest_tables
from pipeline.corpus.readers import read_source
from pipeline.corpus.timeline import Corpus
from pipeline.features.cooccurrence import cooccurrence
from pipeline.features.statistics import association, joint_by_chance, statistics
from pipeline.pairs.base import CandidatePairs
from pipeline.pairs.candidates import candidate_pairs

TASK = TaskConfig(window=3, min_patents=1)
CODES = ["A01B", "A01C", "A23L", "B60L", "F25B", "F25D", "G06F", "H01L"]  # the last has no patent in the window
CUTOFF = pd.Timestamp("2008-12-31").as_unit("s")
Row = dict[str, Any]


def all_pairs(history: Corpus, level: str = "subclass") -> CandidatePairs:
    """All pairs, linked ones too: the statistics serve both tracks."""
    codes = history.incidence("ipc", level).codes
    a, b = np.triu_indices(len(codes), k=1)
    return CandidatePairs(table=pd.DataFrame(index=range(len(a))), codes=codes, a=a, b=b, cutoff=history.cutoff)


def columns_of(history: Corpus) -> dict[str, np.ndarray]:
    return statistics(history, all_pairs(history), TASK).columns


def patents() -> list[Row]:
    """90 patents of 2003 to 2008 with one to four of eight codes in six classes, and one whose symbol is too coarse.

    With this seed classes A23 and F25 are used equally often: what would tell siblings from twins must do so.
    """
    rng = np.random.default_rng(13)
    rows: list[Row] = []
    for number in range(90):
        year = 2003 + number // 15
        share = np.array([8, 6, 4, 3, 3, 2, 2, 4 * (year < 2006)])
        carried = rng.choice(CODES, size=rng.integers(1, 5), p=share / share.sum(), replace=False)
        date = f"{year}-{number % 12 + 1:02d}-15"
        rows.append({"patent_id": f"US{number}", "date": date, "ipc": [f"{code} 1/00" for code in sorted(carried)]})
    return [*rows, {"patent_id": "US90", "date": "2008-12-20", "ipc": "A01"}]


@pytest.fixture(scope="module")
def history() -> Corpus:
    return corpus_from(patents()).as_of(CUTOFF)


@pytest.fixture(scope="module")
def columns(history: Corpus) -> dict[str, np.ndarray]:
    return columns_of(history)


def held(first_year: int) -> list[set[str]]:
    rows = [row for row in patents() if row["date"] >= str(first_year) and row["ipc"] != "A01"]
    return [{symbol[:4] for symbol in row["ipc"]} for row in rows]


@pytest.mark.parametrize(("suffix", "first_year"), [("all__lag0", 2003), ("w3__lag0", 2006)])
def test_association_of_the_two_codes(columns: dict[str, np.ndarray], suffix: str, first_year: int) -> None:
    codes = held(first_year)
    usage = {code: sum(code in carried for carried in codes) for code in CODES}
    for row, (x, y) in enumerate(itertools.combinations(CODES, 2)):
        got = {key: values[row] for key, values in columns.items() if key.endswith(suffix)}
        joint = sum({x, y} <= carried for carried in codes)
        assert got[f"cooccurrence__support__{suffix}"] == pytest.approx(joint / len(codes))
        if not usage[x] or not usage[y]:
            for name in ("confidence_max", "confidence_min", "lift", "pmi", "npmi", "joint_zscore"):
                assert np.isnan(got[f"cooccurrence__{name}__{suffix}"])
            assert got[f"cooccurrence__expected_joint__{suffix}"] == 0  # a code on no patent meets none by chance
            continue
        expected = usage[x] * usage[y] / len(codes)
        pmi = math.log((joint + 0.5) / (expected + 0.5))
        assert got[f"cooccurrence__confidence_max__{suffix}"] == pytest.approx(joint / min(usage[x], usage[y]))
        assert got[f"cooccurrence__confidence_min__{suffix}"] == pytest.approx(joint / max(usage[x], usage[y]))
        assert got[f"cooccurrence__lift__{suffix}"] == pytest.approx(joint / expected)
        assert got[f"cooccurrence__pmi__{suffix}"] == pytest.approx(pmi)
        surprise = -math.log((joint + 0.5) / (len(codes) + 1))
        assert got[f"cooccurrence__npmi__{suffix}"] == pytest.approx(pmi / surprise)
    assert np.isnan(columns[f"cooccurrence__pmi__{suffix}"]).sum() == (len(CODES) - 1) * (suffix != "all__lag0")


@given(st.integers(1, 10**6), st.data())
def test_npmi_stays_within_one(patents: int, data: st.DataObject) -> None:
    one, other = (data.draw(st.integers(1, patents)) for _ in range(2))
    joint = data.draw(st.integers(max(0, one + other - patents), min(one, other)))
    values = association(np.array([float(joint)]), np.array([float(one)]), np.array([float(other)]), patents)
    assert -1 <= values["npmi"][0] <= 1
    assert (values["pmi"][0] > 0) == (joint > one * other / patents)


def test_chance_is_the_model_of_maximum_entropy_with_exact_sizes() -> None:
    """Its odds by convex optimisation, its chances by going through every set of codes of a size."""
    rng = np.random.default_rng(2)
    share = np.array([6, 4, 2, 1, 1]) / 14
    sets = [rng.choice(5, size=rng.integers(1, 5), p=share, replace=False) for _ in range(40)]
    matrix = np.zeros((40, 5))
    for patent, codes in enumerate(sets):
        matrix[patent, codes] = 1
    sizes, patents = np.unique([len(codes) for codes in sets], return_counts=True)
    possible = {
        size: np.array([[x in s for x in range(5)] for s in itertools.combinations(range(5), size)], dtype=float)
        for size in sizes
    }

    def misfit(log_odds: np.ndarray) -> float:
        worth = [n * np.log(np.exp(possible[k] @ log_odds).sum()) for k, n in zip(sizes, patents, strict=True)]
        return float(sum(worth) - matrix.sum(axis=0) @ log_odds)

    log_odds = minimize(misfit, np.zeros(5), tol=1e-12).x
    expected = np.zeros((5, 5))
    for size, count in zip(sizes, patents, strict=True):
        chance = np.exp(possible[size] @ log_odds)
        expected += count * (possible[size].T * (chance / chance.sum())) @ possible[size]
    np.testing.assert_allclose(np.diag(expected), matrix.sum(axis=0), rtol=1e-4)  # so the odds are the right ones
    a, b = np.triu_indices(5, k=1)
    mean, _ = joint_by_chance(sp.csr_array(matrix), a, b)
    np.testing.assert_allclose(mean, expected[a, b], rtol=1e-3)


def curveball(sets: list[set[int]], rng: random.Random, trades: int) -> None:
    """Trade codes between patents at random; code usage and patent sizes both stay (Strona et al. 2014)."""
    for _ in range(trades):
        one, other = rng.randrange(len(sets)), rng.randrange(len(sets))
        mine, theirs = sets[one] - sets[other], sets[other] - sets[one]
        if mine and theirs:
            shared, pool = sets[one] & sets[other], sorted(mine | theirs)
            rng.shuffle(pool)
            sets[one], sets[other] = shared | set(pool[: len(mine)]), shared | set(pool[len(mine) :])


def shuffled_joints(matrix: np.ndarray, samples: int) -> np.ndarray:
    """Joint counts (samples x codes x codes) of shuffled corpora, nearly independent of each other."""
    rng = random.Random(6)
    sets = [set(np.flatnonzero(row).tolist()) for row in matrix]
    curveball(sets, rng, 20 * len(sets))
    joints = np.zeros((samples, matrix.shape[1], matrix.shape[1]))
    for sample in joints:
        curveball(sets, rng, 3 * len(sets))
        shuffled = np.zeros_like(matrix)
        for patent, codes in enumerate(sets):
            shuffled[patent, list(codes)] = 1
        assert (shuffled.sum(axis=0) == matrix.sum(axis=0)).all()
        sample[:] = shuffled.T @ shuffled
    return joints


def test_mean_and_variance_are_those_of_shuffles_that_keep_both_margins() -> None:
    """60 patents, a third of them of one code, 14 codes of which the first is on more than half the patents."""
    rng = np.random.default_rng(3)
    share = 1 / np.arange(1, 15)
    matrix = np.zeros((60, 14))
    for patent in matrix:
        patent[rng.choice(14, size=rng.choice([1, 1, 2, 3, 4, 6]), p=share / share.sum(), replace=False)] = 1
    a, b = np.triu_indices(14, k=1)
    samples = 1200
    joints = shuffled_joints(matrix, samples)[:, a, b]
    mean, variance = joint_by_chance(sp.csr_array(matrix), a, b)
    deviation = joints.std(axis=0)
    error = (mean - joints.mean(axis=0)) / (deviation / math.sqrt(samples))  # in standard errors of the shuffles
    assert np.abs(error).max() < 4  # of 91 pairs: chance alone gives one beyond 4 in 170 runs
    assert np.sqrt((error**2).mean()) < 1.25
    assert np.abs(np.sqrt(variance) / deviation - 1).max() < 0.12
    assert np.median(np.sqrt(variance) / deviation) == pytest.approx(1, abs=0.02)


@st.composite
def incidences(draw: st.DrawFn) -> np.ndarray:
    codes = draw(st.integers(2, 7))
    row = st.lists(st.sampled_from([0.0, 0.0, 1.0]), min_size=codes, max_size=codes)
    return np.array(draw(st.lists(row, min_size=1, max_size=25)))


@settings(max_examples=150, deadline=None)
@given(incidences())
@example(np.array([[0.0, 1, 1, 1], [0, 1, 1, 1], [1, 0, 1, 1]]))  # two codes compete, two are on every patent
def test_chance_keeps_the_number_of_joint_memberships_and_the_bounds_of_usage(matrix: np.ndarray) -> None:
    a, b = np.triu_indices(matrix.shape[1], k=1)
    mean, variance = joint_by_chance(sp.csr_array(matrix), a, b)
    size, usage = matrix.sum(axis=1), matrix.sum(axis=0)
    assert mean.sum() == pytest.approx((size * (size - 1)).sum() / 2, rel=2e-2, abs=1e-9)
    assert (mean >= 0).all()
    assert (mean <= np.minimum(usage[a], usage[b]) * 1.02).all()
    assert (variance >= 0).all()
    for one, other in zip((mean, variance), joint_by_chance(sp.csr_array(matrix), b, a), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)  # the order of the two codes does not matter


@pytest.mark.parametrize(
    ("patents", "joint"),
    [
        pytest.param(["1100", "1010", "1001", "1110", "1000"], [2, 2, 1], id="the first code is on every patent"),
        pytest.param(["110", "110", "110", "101", "101", "011"], [3, 2], id="two of three codes on each patent"),
    ],
)
def test_where_usage_settles_the_joint_count_chance_has_no_say(patents: list[str], joint: list[int]) -> None:
    matrix = np.array([[float(carried) for carried in patent] for patent in patents])
    others = np.arange(1, len(joint) + 1)
    mean, variance = joint_by_chance(sp.csr_array(matrix), np.zeros_like(others), others)
    np.testing.assert_allclose(mean, joint, rtol=1e-6)
    assert variance.tolist() == [0] * len(joint)


def test_very_large_patents_stay_within_the_range_of_floats() -> None:
    rng = np.random.default_rng(1)
    matrix = np.zeros((300, 900))
    for number, patent in enumerate(matrix):
        patent[rng.choice(900, size=600 if number < 3 else 2, replace=False)] = 1
    matrix[:, 0] = 1
    a, b = np.triu_indices(900, k=1)
    mean, variance = joint_by_chance(sp.csr_array(matrix), a, b)
    joint = matrix.T @ matrix  # whatever is shuffled, this is the number of joint memberships
    assert mean.sum() == pytest.approx(joint[a, b].sum(), rel=1e-6)
    assert np.isfinite(variance).all()


def test_patents_of_one_code_each_meet_none_by_chance_and_have_no_zscore() -> None:
    alone = corpus_from([{"patent_id": f"US{n}", "date": "2005-06-01", "ipc": c} for n, c in enumerate(CODES)])
    columns = columns_of(alone)
    assert not columns["cooccurrence__expected_joint__all__lag0"].any()
    assert np.isnan(columns["cooccurrence__joint_zscore__all__lag0"]).all()


def test_zscore_is_the_distance_from_chance_in_deviations(history: Corpus, columns: dict[str, np.ndarray]) -> None:
    pairs = all_pairs(history)
    matrix = history.incidence("ipc", "subclass").matrix
    joint = (matrix.T @ matrix).toarray()[pairs.a, pairs.b]
    mean, variance = joint_by_chance(matrix, pairs.a, pairs.b)
    np.testing.assert_array_equal(columns["cooccurrence__expected_joint__all__lag0"], mean)
    np.testing.assert_allclose(columns["cooccurrence__joint_zscore__all__lag0"], (joint - mean) / np.sqrt(variance))


@pytest.mark.parametrize("suffix", ["all__lag0", "w3__lag0"])
def test_the_zscore_of_parents_is_that_of_the_classes(
    history: Corpus, columns: dict[str, np.ndarray], suffix: str
) -> None:
    """Codes of one class have none. A symbol that names a class alone counts for the class, but is no parent's code."""
    finer = dataclasses.replace(corpus_from(patents()[:-1]), cutoff=history.cutoff)
    classes = all_pairs(finer, "class")
    of_classes = statistics(finer, classes, TaskConfig(level="class", window=3, min_patents=1)).columns
    pairs = zip(classes.codes[classes.a], classes.codes[classes.b], strict=True)
    score = dict(zip(pairs, of_classes[f"cooccurrence__joint_zscore__{suffix}"], strict=True))
    expected = [score.get((x[:3], y[:3]), math.nan) for x, y in itertools.combinations(CODES, 2)]
    assert 0 < np.isnan(expected).sum() < len(expected)
    np.testing.assert_array_equal(columns[f"cooccurrence__parent_zscore__{suffix}"], expected)


def test_sections_have_nothing_above_them(history: Corpus) -> None:
    task = TaskConfig(level="section", min_patents=1)
    assert not [name for name in statistics(history, all_pairs(history, "section"), task).columns if "parent" in name]


def test_no_column_has_the_name_of_another_of_the_modality(history: Corpus, columns: dict[str, np.ndarray]) -> None:
    assert {name.partition("__")[0] for name in columns} == {"cooccurrence"}
    assert not set(columns) & set(cooccurrence(history, all_pairs(history), TASK, seed=1).columns)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 900), st.sets(st.sampled_from([*CODES, "C07D"]), min_size=1))))
def test_what_comes_after_the_cutoff_changes_nothing(later: list[tuple[int, set[str]]]) -> None:
    rows = []
    for number, (days, codes) in enumerate(later):
        date = f"{CUTOFF + pd.Timedelta(days=days):%Y-%m-%d}"
        rows.append({"patent_id": f"EP{number}", "date": date, "ipc": [f"{code} 1/00" for code in sorted(codes)]})
    longer, alone = columns_of(corpus_from(patents() + rows).as_of(CUTOFF)), columns_of(corpus_from(patents()))
    assert {k: v.tobytes() for k, v in longer.items()} == {k: v.tobytes() for k, v in alone.items()}


def test_real_patents_fill_every_column_whatever_the_export_holds_later() -> None:
    rows = read_source(real_data("corpora/dpl_google.parquet"))
    found = []
    for end in ("2008-12-31", "2005-12-31"):
        source = dataclasses.replace(rows, frame=rows.frame[rows.frame["date"] <= end])  # dates are ISO texts
        corpus = dataclasses.replace(ingest_tables([source]).corpus, cutoff=pd.Timestamp(end).as_unit("s"))
        history = corpus.as_of(pd.Timestamp("2005-12-31").as_unit("s"))
        found.append(statistics(history, candidate_pairs(history, TaskConfig()).pairs, TaskConfig()).columns)
    assert {k: v.tobytes() for k, v in found[0].items()} == {k: v.tobytes() for k, v in found[1].items()}
    assert len(found[0]) == 18
    for suffix in ("all__lag0", "w3__lag0"):  # new links only: no joint patent yet, and the absence is a surprise
        assert np.nanmax(found[0][f"cooccurrence__joint_zscore__{suffix}"]) < 0
        for name in ("support", "confidence_max", "confidence_min", "lift"):
            assert np.nanmax(found[0][f"cooccurrence__{name}__{suffix}"]) == 0
        for name in ("pmi", "npmi", "expected_joint", "parent_zscore"):
            assert np.isfinite(np.nanmax(found[0][f"cooccurrence__{name}__{suffix}"]))
