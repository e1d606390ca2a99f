"""Second-order statistics of co-occurrence against direct formulas."""

import math

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from factories import corpus_from
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.features.cooccurrence import HALF_LIFE, cooccurrence, ppmi
from pipeline.pairs.base import CandidatePairs
from pipeline.pairs.candidates import candidate_pairs

TASK = TaskConfig(window=3, min_patents=1)
CODES = ["A01B", "A01C", "A23L", "F25B", "F25D", "G06F", "H01L"]


@st.composite
def joint_counts(draw: st.DrawFn) -> np.ndarray:
    size = draw(st.integers(2, 7))
    edges = size * (size - 1) // 2
    joint = np.zeros((size, size))
    joint[np.triu_indices(size, k=1)] = draw(
        st.lists(st.sampled_from([0, 0, 1, 3, 10]), min_size=edges, max_size=edges)
    )
    return joint + joint.T


@settings(max_examples=60, deadline=None)
@given(joint_counts())
def test_ppmi_is_the_formula_and_never_negative(joint: np.ndarray) -> None:
    got = ppmi(sp.csr_array(joint)).toarray()
    for x in range(len(joint)):
        for y in range(len(joint)):
            expected = 0.0
            if joint[x, y]:
                expected = max(0.0, math.log(joint[x, y] * joint.sum() / (joint[x].sum() * joint[y].sum())))
            assert got[x, y] == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """60 patents 2003 to 2008 with one to three of seven codes in five classes."""
    rng = np.random.default_rng(8)
    rows = []
    for number in range(60):
        carried = rng.choice(CODES, size=rng.integers(1, 4), p=[0.2, 0.2, 0.1, 0.2, 0.1, 0.1, 0.1], replace=False)
        rows.append(
            {
                "patent_id": f"US{number}",
                "date": f"{2003 + number // 10}-{number % 10 + 3:02d}-01",
                "ipc": [f"{code} 1/00" for code in sorted(carried)],
            }
        )
    return corpus_from(rows)


@pytest.fixture(scope="module")
def every_pair(corpus: Corpus) -> CandidatePairs:
    """All pairs, linked ones too: more to compare."""
    a, b = np.triu_indices(len(CODES), k=1)
    codes = corpus.incidence("ipc", "subclass").codes
    return CandidatePairs(table=pd.DataFrame(index=range(len(a))), codes=codes, a=a, b=b, cutoff=corpus.cutoff)


@pytest.fixture(scope="module")
def columns(corpus: Corpus, every_pair: CandidatePairs) -> dict[str, np.ndarray]:
    return cooccurrence(corpus, every_pair, TASK, seed=1).columns


def carried(corpus: Corpus) -> list[tuple[pd.Timestamp, set[str]]]:
    symbols = corpus.patent_codes.groupby("patent_id")["symbol"].agg(lambda s: {symbol[:4] for symbol in s})
    dates = corpus.patents.set_index("patent_id")["knowledge_date"]
    return [(dates[patent], symbols[patent]) for patent in corpus.patents["patent_id"]]


def weight(corpus: Corpus, date: pd.Timestamp) -> float:
    return 0.5 ** ((corpus.cutoff - date).days / 365.25 / HALF_LIFE)


def joint_table(corpus: Corpus, decayed: bool) -> np.ndarray:
    joint = np.zeros((len(CODES), len(CODES)))
    for date, held in carried(corpus):
        for x in held:
            for y in held - {x}:
                joint[CODES.index(x), CODES.index(y)] += weight(corpus, date) if decayed else 1.0
    return joint


def test_of_linked_pairs_their_own_joint_patents_and_growth(corpus: Corpus, every_pair: CandidatePairs) -> None:
    task = TASK.model_copy(update={"track": "strengthening", "horizon": 2})
    found = cooccurrence(corpus, every_pair, task, seed=1).columns
    plain = cooccurrence(corpus, every_pair, TASK, seed=1).columns
    own = {"all": joint_table(corpus, decayed=False), "decayed": joint_table(corpus, decayed=True)}
    of_links = {f"cooccurrence__joint_patents__{param}__lag0" for param in ("all", "decayed", "w1", "w2")}
    assert found.keys() - plain.keys() == of_links | {f"cooccurrence__joint_growth__w{years}__lag0" for years in (1, 2)}
    for name in plain:
        np.testing.assert_array_equal(plain[name], found[name])

    def joint(x: str, y: str, start: int, end: int) -> int:
        back = [corpus.cutoff - pd.DateOffset(years=years) for years in (start, end)]
        return sum(back[0] < date <= back[1] and {x, y} <= held for date, held in carried(corpus))

    for row, (x, y) in enumerate(zip(every_pair.a, every_pair.b, strict=True)):
        for param, table in own.items():
            assert found[f"cooccurrence__joint_patents__{param}__lag0"][row] == pytest.approx(table[x, y])
        for years in (1, 2):
            now, before = (joint(CODES[x], CODES[y], n * years, (n - 1) * years) for n in (1, 2))
            assert found[f"cooccurrence__joint_patents__w{years}__lag0"][row] == now
            growth = found[f"cooccurrence__joint_growth__w{years}__lag0"][row]
            assert growth == pytest.approx(math.log((now + 1) / (before + 1)))
    assert np.ptp(found["cooccurrence__joint_growth__w2__lag0"]) > 0


@pytest.mark.parametrize("decayed", [False, True])
def test_neighbourhoods_and_profiles(
    corpus: Corpus, every_pair: CandidatePairs, columns: dict[str, np.ndarray], decayed: bool
) -> None:
    joint = joint_table(corpus, decayed)
    profile = ppmi(sp.csr_array(joint)).toarray()
    param = "decayed" if decayed else "all"
    for row, (x, y) in enumerate(zip(every_pair.a, every_pair.b, strict=True)):
        shared = sum(joint[x, z] + joint[y, z] for z in range(len(CODES)) if joint[x, z] and joint[y, z])
        assert columns[f"cooccurrence__weighted_common_neighbours__{param}__lag0"][row] == pytest.approx(shared)
        length = np.linalg.norm(profile[x]) * np.linalg.norm(profile[y])
        cosine = profile[x] @ profile[y] / length if length else 0.0
        assert columns[f"cooccurrence__ppmi_cosine__{param}__lag0"][row] == pytest.approx(cosine, abs=1e-12)


def test_activity_is_the_product_of_patents_plain_and_decayed(
    corpus: Corpus, every_pair: CandidatePairs, columns: dict[str, np.ndarray]
) -> None:
    patents = carried(corpus)
    count = {code: sum(code in held for _, held in patents) for code in CODES}
    recent = {code: sum(weight(corpus, date) for date, held in patents if code in held) for code in CODES}
    for row, (x, y) in enumerate(zip(every_pair.a, every_pair.b, strict=True)):
        a, b = CODES[x], CODES[y]
        assert columns["cooccurrence__activity_product__all__lag0"][row] == count[a] * count[b]
        decayed = columns["cooccurrence__activity_product__decayed__lag0"][row]
        assert decayed == pytest.approx(recent[a] * recent[b])


def test_item_based_score_is_the_mean_of_what_like_codes_met(
    corpus: Corpus, every_pair: CandidatePairs, columns: dict[str, np.ndarray]
) -> None:
    logged = np.log1p(joint_table(corpus, decayed=False))
    unit = logged / np.linalg.norm(logged, axis=1, keepdims=True)
    alike = unit @ unit.T

    def one_way(x: int, y: int) -> float:
        others = [z for z in range(len(CODES)) if z != x]
        return sum(alike[x, z] * logged[z, y] for z in others) / sum(alike[x, z] for z in others)

    for row, (x, y) in enumerate(zip(every_pair.a, every_pair.b, strict=True)):
        expected = one_way(x, y) + one_way(y, x)
        assert columns["cooccurrence__item_based__all__lag0"][row] == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_a_low_rank_as_large_as_the_matrix_restores_it_nearly(
    corpus: Corpus, every_pair: CandidatePairs, columns: dict[str, np.ndarray]
) -> None:
    """Rank is one less than the number of codes: the estimate misses only the weakest direction."""
    profile = ppmi(sp.csr_array(joint_table(corpus, decayed=False))).toarray()
    weakest = np.linalg.svd(profile, compute_uv=False)[-1]
    got = columns["cooccurrence__low_rank__all__lag0"]
    np.testing.assert_allclose(got, profile[every_pair.a, every_pair.b], atol=weakest + 1e-9)


def test_partners_gained_are_those_new_in_the_window(
    corpus: Corpus, every_pair: CandidatePairs, columns: dict[str, np.ndarray]
) -> None:
    start = pd.Timestamp("2005-12-31")
    assert corpus.cutoff == pd.Timestamp("2008-12-31")
    gained = {}
    for code in CODES:
        then = {y for date, held in carried(corpus) if date <= start and code in held for y in held}
        now = {y for _, held in carried(corpus) if code in held for y in held}
        gained[code] = len((now | {code}) - (then | {code}))
    assert sum(gained.values())
    for row, (x, y) in enumerate(zip(every_pair.a, every_pair.b, strict=True)):
        a, b = gained[CODES[x]], gained[CODES[y]]
        assert columns["cooccurrence__new_partners_mean__w3__lag0"][row] == (a + b) / 2
        assert columns["cooccurrence__new_partners_min__w3__lag0"][row] == min(a, b)
        assert columns["cooccurrence__new_partners_range__w3__lag0"][row] == abs(a - b)


def test_back_off_looks_at_the_classes_above(
    corpus: Corpus, every_pair: CandidatePairs, columns: dict[str, np.ndarray]
) -> None:
    joint = joint_table(corpus, decayed=False)
    parent = [code[:3] for code in CODES]
    members = {name: [i for i, own in enumerate(parent) if own == name] for name in parent}
    count = np.array([sum(code in held for _, held in carried(corpus)) for code in CODES], dtype=float)
    mass = count.sum()

    def lift(left: list[int], right: list[int]) -> float:
        share = count[left].sum() * count[right].sum() / mass**2
        return joint[np.ix_(left, right)].sum() / joint.sum() / (share + 1 / mass)

    for row, (x, y) in enumerate(zip(every_pair.a, every_pair.b, strict=True)):
        above_x, above_y = members[parent[x]], members[parent[y]]
        expected = {
            "parent_lift": lift(above_x, above_y),
            "half_parent_lift": lift([x], above_y) * lift([y], above_x),
            "half_parent_joint": joint[x, above_y].sum() + joint[y, above_x].sum(),
            "same_parent": float(parent[x] == parent[y]),
        }
        for name, value in expected.items():
            assert columns[f"cooccurrence__{name}__all__lag0"][row] == pytest.approx(value), name


def test_sections_have_nothing_above_them(corpus: Corpus) -> None:
    task = TaskConfig(level="section", min_patents=1)
    codes = corpus.incidence("ipc", "section").codes
    pairs = CandidatePairs(pd.DataFrame(index=[0]), codes, np.array([0]), np.array([1]), corpus.cutoff)
    assert not [name for name in cooccurrence(corpus, pairs, task, seed=1).columns if "parent" in name]


def test_patents_of_one_code_each_leave_every_statistic_finite() -> None:
    alone = corpus_from([{"patent_id": f"US{n}", "date": "2005-06-01", "ipc": c} for n, c in enumerate(CODES)])
    columns = cooccurrence(alone, candidate_pairs(alone, TASK).pairs, TASK, seed=1).columns
    assert {name for name, values in columns.items() if not np.isfinite(values).all()} == set()
