"""Text beyond centroids against loops over patents, scikit-learn and scipy."""

import dataclasses
import itertools
import math
import tracemalloc
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from cases import real_data
from factories import corpus_from
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import rbf_kernel

from pipeline.config import TaskConfig
from pipeline.corpus import titles
from pipeline.corpus.ingest import ingest
from pipeline.corpus.timeline import Corpus
from pipeline.encoders.base import patent_texts
from pipeline.encoders.hashing import HashingEncoder
from pipeline.features.prototypes import (
    CROSS_MEASURES,
    DIRECTIONS,
    PATENTS,
    TOP,
    cross_similarity,
    random_directions,
    representatives,
    sliced_wasserstein,
)
from pipeline.features.text import topic_shares
from pipeline.features.text_pairs import (
    CLOSE,
    ROUNDING,
    CodeTexts,
    bandwidth,
    fourier_frequencies,
    mean_discrepancies,
    official_title_similarity,
    text_pairs,
)
from pipeline.pairs.base import CandidatePairs
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged

TASK = TaskConfig(window=2, min_patents=1)
CODES = ["A01B", "B60L", "F25B", "G06F", "H01L", "H04L", "H04W"]
SILENT, EARLY = "H04L", "H04W"  # no text at all; no text in the window
WINDOW = pd.Timestamp("2006-12-31")  # the two years up to the end of 2008 begin after it


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """160 patents 2005 to 2008, F25B on more of them than may stand for a code; unit vectors at random."""
    rng = np.random.default_rng(5)
    rows = []
    for number in range(160):
        code = "F25B" if number % 3 == 0 else CODES[number % 5]
        rows.append({"patent_id": f"US{number}", "date": f"{2005 + number // 40}-06-01", "ipc": f"{code} 1/00"})
    rows.append({"patent_id": "US900", "date": "2008-12-01", "ipc": f"{SILENT} 9/32"})
    rows.append({"patent_id": "US901", "date": "2005-12-01", "ipc": f"{EARLY} 4/00"})
    made = corpus_from(rows)
    vectors = unit(rng, len(rows), 12)
    vectors[made.row_of(pd.Series(["US900", "US3", "US91"]))] = 0.0
    return made.with_embeddings(vectors)


@pytest.fixture(scope="module")
def pairs(corpus: Corpus) -> CandidatePairs:
    return candidate_pairs(corpus, TASK).pairs


@pytest.fixture(scope="module")
def columns(corpus: Corpus, pairs: CandidatePairs) -> dict[str, np.ndarray]:
    return text_pairs(corpus, pairs, TASK, seed=1).columns


def unit(rng: np.random.Generator, patents: int, width: int) -> np.ndarray:
    vectors = rng.normal(size=(patents, width))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def vectors_of(corpus: Corpus, code: str, after: pd.Timestamp = pd.Timestamp.min) -> np.ndarray:
    """Vectors of the patents with text that carry the code, in the order of their dates."""
    held = corpus.patent_codes[corpus.patent_codes["symbol"].str.startswith(code)]
    rows = [row for row in sorted(corpus.row_of(held["patent_id"])) if corpus.patents["knowledge_date"][row] > after]
    assert corpus.embeddings is not None
    return corpus.embeddings[[row for row in rows if corpus.embeddings[row].any()]].astype(float)


def standing(vectors: np.ndarray) -> np.ndarray:
    """At most PATENTS of the vectors: the middle one of each of as many equal stretches."""
    kept = min(PATENTS, len(vectors))
    return vectors[[math.floor((turn + 0.5) * len(vectors) / kept) for turn in range(kept)]]


def compared(x: np.ndarray, y: np.ndarray, threshold: float) -> dict[str, float]:
    """The cross measures of two clouds, patent by patent."""
    similar = [[float(u @ v) for v in y] for u in x]
    every = sorted(itertools.chain(*similar), reverse=True)
    there = float(np.mean([max(row) for row in similar]))
    back = float(np.mean([max(column) for column in zip(*similar, strict=True)]))
    return {
        "top_similarity": float(np.mean(every[:TOP])),
        "close_share": sum(value > threshold for value in every) / len(every),
        "nearest_mean": (there + back) / 2,
        "nearest_min": min(there, back),
    }


def by_chance(corpus: Corpus) -> np.ndarray:
    """Cosines of all pairs of patents with text: here they are few enough for all to be drawn."""
    assert corpus.embeddings is not None
    known = corpus.embeddings[corpus.embeddings.any(axis=1)].astype(float)
    return np.array([u @ v for u, v in itertools.combinations(known, 2)])


def test_the_columns_are_these(columns: dict[str, np.ndarray], pairs: CandidatePairs) -> None:
    all_history = [*CROSS_MEASURES, "mmd", "mmd_unbiased", "sliced_wasserstein", "topic_divergence"]
    windowed = ["top_similarity", "top_similarity_drift", "mmd", "mmd_drift"]
    assert list(columns) == [
        "scheme__title_similarity__all__lag0",
        *(f"text__{name}__all__lag0" for name in all_history),
        *(f"text__{name}__w2__lag0" for name in windowed),
    ]
    assert {len(values) for values in columns.values()} == {len(pairs)}


def test_patents_are_compared_one_by_one_up_to_the_cap(
    corpus: Corpus, pairs: CandidatePairs, columns: dict[str, np.ndarray]
) -> None:
    assert len(vectors_of(corpus, "F25B")) > PATENTS
    threshold = float(np.quantile(by_chance(corpus), CLOSE))
    for row, (x, y) in enumerate(pairs.table[["code_a", "code_b"]].to_numpy()):
        if SILENT in (x, y):
            continue
        expected = compared(*(standing(vectors_of(corpus, code)) for code in (x, y)), threshold)
        for name, value in expected.items():
            assert columns[f"text__{name}__all__lag0"][row] == pytest.approx(value, abs=1e-5), (name, x, y)


def test_the_window_sees_its_own_patents_and_the_drift_is_what_they_changed(
    corpus: Corpus, pairs: CandidatePairs, columns: dict[str, np.ndarray]
) -> None:
    for row, (x, y) in enumerate(pairs.table[["code_a", "code_b"]].to_numpy()):
        got = columns["text__top_similarity__w2__lag0"][row]
        if {SILENT, EARLY} & {x, y}:
            assert np.isnan(got)
        else:
            clouds = (standing(vectors_of(corpus, code, WINDOW)) for code in (x, y))
            assert got == pytest.approx(compared(*clouds, 0.0)["top_similarity"], abs=1e-5)
    for name in ("top_similarity", "mmd"):
        change = columns[f"text__{name}__w2__lag0"] - columns[f"text__{name}__all__lag0"]
        np.testing.assert_array_equal(columns[f"text__{name}_drift__w2__lag0"], change)


def test_a_code_without_text_has_no_value_but_its_title(pairs: CandidatePairs, columns: dict[str, np.ndarray]) -> None:
    silent = (pairs.table[["code_a", "code_b"]] == SILENT).any(axis=1).to_numpy()
    for name, values in columns.items():
        if name.startswith("scheme"):
            assert not np.isnan(values).any()
        else:
            assert np.isnan(values[silent]).all(), name
    assert not np.isnan(columns["text__mmd__all__lag0"][~silent]).any()


@pytest.mark.parametrize(("suffix", "after"), [("all__lag0", pd.Timestamp.min), ("w2__lag0", WINDOW)])
def test_discrepancy_is_near_that_of_the_exact_kernel(
    corpus: Corpus, pairs: CandidatePairs, columns: dict[str, np.ndarray], suffix: str, after: pd.Timestamp
) -> None:
    """Random features are an estimate: 512 of them leave an error of a few hundredths."""
    gamma = 1 / (2 * np.median(np.sqrt(2 - 2 * by_chance(corpus))) ** 2)
    for row, (x, y) in enumerate(pairs.table[["code_a", "code_b"]].to_numpy()):
        if {SILENT, EARLY} & {x, y}:
            continue
        u, v = vectors_of(corpus, x, after), vectors_of(corpus, y, after)
        kernels = [rbf_kernel(u, u, gamma), rbf_kernel(v, v, gamma)]
        between = rbf_kernel(u, v, gamma).mean()
        biased = sum(kernel.mean() for kernel in kernels) - 2 * between
        assert columns[f"text__mmd__{suffix}"][row] == pytest.approx(biased, abs=0.02)
        if suffix == "all__lag0":
            others = sum(kernel[~np.eye(len(kernel), dtype=bool)].mean() for kernel in kernels)
            assert columns[f"text__mmd_unbiased__{suffix}"][row] == pytest.approx(others - 2 * between, abs=0.02)


def test_one_patent_has_no_other_of_its_code_to_be_compared_with(
    pairs: CandidatePairs, columns: dict[str, np.ndarray]
) -> None:
    early = (pairs.table[["code_a", "code_b"]] == EARLY).any(axis=1).to_numpy()
    assert np.isnan(columns["text__mmd_unbiased__all__lag0"][early]).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 1000))
def test_discrepancy_is_the_formula_on_the_kernel_of_the_features(left: int, right: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors, frequencies = unit(rng, left + right, 5), fourier_frequencies(5, 1.1, rng)

    def kernel(u: np.ndarray, v: np.ndarray) -> float:
        return float(np.mean(np.cos((u - v).astype(float) @ frequencies)))

    x, y = vectors[:left], vectors[left:]
    got = mean_discrepancies(*two_codes(vectors, left), frequencies)
    between = np.mean([kernel(u, v) for u in x for v in y])
    biased = sum(np.mean([kernel(u, v) for u in z for v in z]) for z in (x, y)) - 2 * between
    assert got["mmd"][0] == pytest.approx(biased, abs=1e-5)
    if min(left, right) == 1:
        assert np.isnan(got["mmd_unbiased"][0])
        return
    own = [np.mean([kernel(*two) for two in itertools.permutations(z, 2)]) for z in (x, y)]
    assert got["mmd_unbiased"][0] == pytest.approx(sum(own) - 2 * between, abs=1e-5)


def two_codes(vectors: np.ndarray, left: int) -> tuple[CodeTexts, CandidatePairs]:
    """The first patents carry one code, the others the second."""
    carried = (np.arange(len(vectors)) >= left).astype(int)
    membership = sp.csr_array(np.eye(2)[carried])
    texts = CodeTexts(vectors, membership, np.ones(len(vectors), dtype=bool))
    pair = CandidatePairs(pd.DataFrame(index=[0]), np.array(CODES[:2]), np.array([0]), np.array([1]), WINDOW)
    return texts, pair


def test_the_features_make_the_gaussian_kernel() -> None:
    rng = np.random.default_rng(2)
    vectors = unit(rng, 20, 8)
    phase = vectors @ fourier_frequencies(8, 0.9, rng)
    kernel = np.cos(phase[:, None] - phase[None, :]).mean(axis=2)
    np.testing.assert_allclose(
        kernel, rbf_kernel(vectors, gamma=1 / (2 * 0.9**2)), atol=0.15
    )  # error 1 / sqrt(2 x 512)


def test_width_is_the_median_distance_and_never_rounding() -> None:
    vectors = unit(np.random.default_rng(3), 9, 4).astype(float)
    two = list(itertools.combinations(vectors, 2))
    median = float(np.median([np.linalg.norm(u - v) for u, v in two]))
    assert bandwidth(np.array([u @ v for u, v in two])) == pytest.approx(median)
    assert bandwidth(np.array([1.0, 1.0 + 1e-7, 0.2])) == ROUNDING


@pytest.mark.parametrize(
    ("left", "right", "error"),
    [(1, 1, 1e-5), (2, 8, 1e-5), (16, 4, 1e-5), (3, 5, 0.03), (7, 29, 0.03), (31, 32, 0.03)],
)
def test_sliced_distance_is_exact_for_clouds_that_share_the_levels_and_near_for_others(
    left: int, right: int, error: float
) -> None:
    rng = np.random.default_rng(left)
    vectors, directions = unit(rng, left + right, 12), random_directions(12, rng)
    expected = np.mean(
        [wasserstein_distance(vectors[:left] @ line, vectors[left:] @ line) for line in directions.T.astype(float)]
    )
    got = sliced_wasserstein(vectors, as_rows([left, right]), directions)
    assert got[0, 1] == got[1, 0] == pytest.approx(expected, rel=error)


def test_sliced_distance_of_the_codes_hangs_little_on_the_directions(
    corpus: Corpus, pairs: CandidatePairs, columns: dict[str, np.ndarray]
) -> None:
    directions = random_directions(12, np.random.default_rng(77)).astype(float)
    for row, (x, y) in enumerate(pairs.table[["code_a", "code_b"]].to_numpy()):
        if SILENT not in (x, y):
            u, v = (standing(vectors_of(corpus, code)) @ directions for code in (x, y))
            exact = np.mean([wasserstein_distance(u[:, line], v[:, line]) for line in range(DIRECTIONS)])
            assert columns["text__sliced_wasserstein__all__lag0"][row] == pytest.approx(exact, rel=0.1)


def test_directions_are_of_length_one() -> None:
    np.testing.assert_allclose(np.linalg.norm(random_directions(7, np.random.default_rng(0)), axis=0), 1, rtol=1e-6)


def test_topic_divergence_is_the_square_of_the_jensen_shannon_distance(
    corpus: Corpus, pairs: CandidatePairs, columns: dict[str, np.ndarray]
) -> None:
    assert corpus.embeddings is not None
    shares = topic_shares(corpus.embeddings, corpus.embeddings.any(axis=1), seed=1)
    incidence = corpus.incidence("ipc", "subclass")
    mean = {code: shares[incidence.matrix[:, [i]].toarray().ravel() > 0] for i, code in enumerate(incidence.codes)}
    for row, (x, y) in enumerate(pairs.table[["code_a", "code_b"]].to_numpy()):
        if SILENT not in (x, y):
            p, q = (mean[code][mean[code].any(axis=1)].mean(axis=0) for code in (x, y))
            got = columns["text__topic_divergence__all__lag0"][row]
            assert got == pytest.approx(jensenshannon(p, q, base=2) ** 2, abs=1e-7)


def test_shares_at_hand_are_not_computed_again(
    corpus: Corpus, pairs: CandidatePairs, columns: dict[str, np.ndarray]
) -> None:
    assert corpus.embeddings is not None
    shares = topic_shares(corpus.embeddings, corpus.embeddings.any(axis=1), seed=1)
    assert same_bytes(text_pairs(corpus, pairs, TASK, seed=1, shares=shares).columns, columns)
    one_topic = text_pairs(corpus, pairs, TASK, seed=1, shares=np.ones((len(shares), 1))).columns
    divergence = one_topic["text__topic_divergence__all__lag0"]
    assert set(divergence[~np.isnan(divergence)]) == {0.0}


def same_bytes(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> bool:
    return {name: v.tobytes() for name, v in one.items()} == {name: v.tobytes() for name, v in two.items()}


def as_rows(sizes: list[int]) -> np.ndarray:
    """Codes that hold so many patents each, one after the other."""
    rows = np.full((len(sizes), PATENTS), -1)
    for code, size in enumerate(sizes):
        rows[code, :size] = sum(sizes[:code]) + np.arange(size)
    return rows


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, PATENTS), min_size=1, max_size=70), st.integers(0, 1000))
@example([*range(PATENTS + 1), *range(PATENTS + 1)], 0)
def test_cross_similarity_is_that_of_the_patents_whatever_the_sizes(sizes: list[int], seed: int) -> None:
    """More codes than a tile holds, of unlike size, empty ones among them."""
    vectors = unit(np.random.default_rng(seed), max(sum(sizes), 1), 3)
    rows = as_rows(sizes)
    got = cross_similarity(vectors, rows, threshold=0.3)
    for name, matrix in got.items():
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-6, err_msg=name)
        empty = np.array(sizes) == 0
        np.testing.assert_array_equal(np.isnan(matrix), empty[:, None] | empty[None, :])
    filled = [code for code, size in enumerate(sizes) if size]
    for x, y in list(itertools.combinations(filled, 2))[:: max(1, len(filled) // 2)]:
        expected = compared(vectors[rows[x][rows[x] >= 0]], vectors[rows[y][rows[y] >= 0]], 0.3)
        for name, value in expected.items():
            assert got[name][x, y] == pytest.approx(value, abs=1e-5), name


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 150), st.integers(1, 4))
def test_representatives_are_all_patents_or_an_even_choice(seed: int, patents: int, codes: int) -> None:
    rng = np.random.default_rng(seed)
    carried, counted = rng.random((patents, codes)) < 0.7, rng.random(patents) < 0.8
    rows = representatives(sp.csr_array(carried.astype(float)), counted)
    for code in range(codes):
        own = np.flatnonzero(carried[:, code] & counted)
        kept = min(PATENTS, len(own))
        chosen = [own[math.floor((turn + 0.5) * len(own) / kept)] for turn in range(kept)]
        assert rows[code].tolist() == chosen + [-1] * (PATENTS - kept)


def test_the_two_codes_may_change_places(corpus: Corpus, pairs: CandidatePairs, columns: dict[str, np.ndarray]) -> None:
    turned = text_pairs(corpus, dataclasses.replace(pairs, a=pairs.b, b=pairs.a), TASK, seed=1).columns
    for name, values in columns.items():
        np.testing.assert_allclose(turned[name], values, atol=1e-6, err_msg=name)


def test_codes_with_the_same_texts_lie_at_no_distance() -> None:
    one = unit(np.random.default_rng(4), 8, 6)
    vectors = np.vstack([one, one])
    rng = np.random.default_rng(0)
    texts, pair = two_codes(vectors, left=8)
    assert sliced_wasserstein(vectors, as_rows([8, 8]), random_directions(6, rng))[0, 1] == 0
    assert mean_discrepancies(texts, pair, fourier_frequencies(6, 1.0, rng))["mmd"][0] == pytest.approx(0, abs=1e-12)
    assert cross_similarity(vectors, as_rows([8, 8]), 0.5)["nearest_min"][0, 1] == pytest.approx(1, abs=1e-6)


def test_what_comes_after_the_cutoff_changes_nothing(
    corpus: Corpus, pairs: CandidatePairs, columns: dict[str, np.ndarray]
) -> None:
    later = [{"patent_id": f"XX{n}", "date": "2009-01-01", "ipc": "A01B 1/00;F25B 1/00"} for n in range(50)]
    rows = [
        {"patent_id": patent, "date": f"{date:%Y-%m-%d}", "ipc": symbols}
        for patent, date, symbols in zip(
            corpus.patents["patent_id"],
            corpus.patents["knowledge_date"],
            corpus.patents["patent_id"].map(corpus.patent_codes.groupby("patent_id")["symbol"].agg(";".join)),
            strict=True,
        )
    ]
    longer = corpus_from([*rows, *later])
    assert corpus.embeddings is not None
    absurd = np.repeat(np.eye(12, dtype=np.float32)[:1], len(later), axis=0)
    history = longer.with_embeddings(np.vstack([corpus.embeddings, absurd])).as_of(corpus.cutoff)
    assert same_bytes(text_pairs(history, pairs, TASK, seed=1).columns, columns)


def test_the_same_seed_gives_the_same_bytes(
    corpus: Corpus, pairs: CandidatePairs, columns: dict[str, np.ndarray]
) -> None:
    assert same_bytes(text_pairs(corpus, pairs, TASK, seed=1).columns, columns)
    other = text_pairs(corpus, pairs, TASK, seed=2).columns
    assert not same_bytes(other, columns)
    for name in CROSS_MEASURES:  # here every patent is drawn, so the threshold does not hang on the seed
        np.testing.assert_array_equal(other[f"text__{name}__all__lag0"], columns[f"text__{name}__all__lag0"])


@pytest.mark.parametrize("spoken", [None, 0, 1])
def test_without_texts_only_the_titles_are_compared(
    corpus: Corpus, pairs: CandidatePairs, columns: dict[str, np.ndarray], spoken: int | None
) -> None:
    vectors = np.zeros((len(corpus.patents), 4), dtype=np.float32)
    vectors[: spoken or 0] = 0.5
    bare = dataclasses.replace(corpus, embeddings=None if spoken is None else vectors)
    got = text_pairs(bare, pairs, TASK, seed=1)
    title = "scheme__title_similarity__all__lag0"
    lack = "text: one patent only has title or abstract, so no two can be compared"
    assert got.warnings == ((lack,) if spoken else ())
    assert same_bytes(got.columns, {title: columns[title]})


def title_pairs(codes: list[str]) -> CandidatePairs:
    a, b = np.triu_indices(len(codes), k=1)
    return CandidatePairs(pd.DataFrame(index=range(len(a))), np.array(codes), a, b, WINDOW)


def test_titles_are_compared_by_the_parts_of_their_words() -> None:
    """TF-IDF by hand: n-grams of the padded words, idf = 1 + log((1 + titles) / (1 + titles with it))."""

    def grams(title: str) -> Counter[str]:
        words = [f" {word} " for word in title.lower().split()]
        parts = [w[i : i + n] for w in words for n in (3, 4, 5) for i in range(max(len(w) - n, 0) + 1)]
        whole = [w for w in words for n in (4, 5) if len(w) < n]  # a short word counts once, not once a length
        return Counter(parts) - Counter(whole)

    everything = [grams(title) for title in titles._table().values()]
    having = Counter(itertools.chain.from_iterable(everything))

    def weights(title: str) -> dict[str, float]:
        return {g: n * (1 + math.log((1 + len(everything)) / (1 + having[g]))) for g, n in grams(title).items()}

    codes = ["A21B", "A23L", "F25B", "F25D", "G06N", "H04L"]
    got = official_title_similarity(title_pairs(codes))
    for value, (x, y) in zip(got, itertools.combinations(codes, 2), strict=True):
        u, v = weights(titles.title_of(x)), weights(titles.title_of(y))
        dot = sum(u[gram] * v.get(gram, 0.0) for gram in u)
        length = math.hypot(*u.values()) * math.hypot(*v.values())
        assert value == pytest.approx(dot / length, abs=1e-9), (x, y)


def test_groups_share_the_title_of_their_subclass_and_unknown_codes_have_none() -> None:
    got = official_title_similarity(title_pairs(["F25B 1/00", "F25B 41/20", "F25D 3/00", "G06N 3/00", "X99Z"]))
    assert got[0] == pytest.approx(1.0)
    assert got[1] == got[4] > got[2]  # refrigerators are nearer to heat pumps than neural networks are
    assert np.isnan(got).tolist() == [False, False, False, True, False, False, True, False, True, True]


def test_memory_does_not_grow_with_the_square_of_the_patents() -> None:
    """20,000 patents: their similarity matrix alone would take 1.6 GB."""
    rng = np.random.default_rng(0)
    vectors = unit(rng, 20_000, 16)
    membership = sp.csr_array(np.eye(5)[rng.integers(0, 5, size=len(vectors))])
    texts = CodeTexts(vectors, membership, np.ones(len(vectors), dtype=bool))
    tracemalloc.start()
    cross_similarity(vectors, representatives(membership, texts.counted), 0.5)
    mean_discrepancies(texts, title_pairs(CODES[:5]), fourier_frequencies(16, 1.0, rng))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6


def test_on_real_patents_codes_that_will_meet_lie_closer() -> None:
    """Nuclear patents of 2016 to 2022: what converges after 2019 was nearer by every measure before."""
    corpus = ingest([real_data("corpora/nuclear_g21_patentsview.parquet")]).corpus
    corpus = corpus.with_embeddings(HashingEncoder(max_characters=500).encode(patent_texts(corpus.patents)))
    task = TaskConfig(scheme="cpc")
    history = corpus.as_of(pd.Timestamp("2019-06-30").as_unit("s"))
    pairs = candidate_pairs(history, task).pairs
    got = text_pairs(history, pairs, task, seed=0)
    assert got.warnings == ()
    outcome = converged(corpus, pairs, task)
    assert outcome.sum() > 50
    for name in (*CROSS_MEASURES, "mmd", "mmd_unbiased", "sliced_wasserstein", "topic_divergence"):
        values = got.columns[f"text__{name}__all__lag0"]
        assert np.isfinite(values).all()
        nearness = values if name in CROSS_MEASURES else -values
        assert roc_auc_score(outcome, nearness) > 0.6, name
