"""One firm's view: who it is, what it holds, what lies near it, and the order that follows."""

import dataclasses
import logging
from collections.abc import Mapping
from fractions import Fraction
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from cases import real_data
from factories import corpus_from
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpus.ingest import ingest_tables
from pipeline.corpus.readers import read_source
from pipeline.corpus.timeline import Corpus
from pipeline.errors import FirmError
from pipeline.opportunities import firm as module
from pipeline.opportunities.firm import (
    Firm,
    find_firm,
    firm_view,
    proximity,
    relatedness_density,
    relatedness_warnings,
    revealed_advantage,
)

CODES = ["A21B", "A47J", "F24C", "G06F", "H04L"]
BAKER, PHONE, BOTH = "Baker Inc", "Phone Ltd", "Both SA"


def corpus_of(*rows: tuple[str, str]) -> Corpus:
    """A corpus of (codes, assignees), both joined by ``;``, a patent a month."""
    days = pd.date_range("2001-01-15", periods=len(rows), freq="MS").strftime("%Y-%m-%d")
    return corpus_from(
        [
            {"patent_id": f"P{i:03}", "date": day, "ipc": codes, "assignees": assignees, "title": f"patent {i}"}
            for i, (day, (codes, assignees)) in enumerate(zip(days, rows, strict=True))
        ]
    )


def predictions_of(history: Corpus, probabilities: Mapping[tuple[str, str], float]) -> pd.DataFrame:
    """Predictions in the order given, which is their rank."""
    return pd.DataFrame(
        {
            "cutoff": history.cutoff,
            "code_a": [a for a, _ in probabilities],
            "code_b": [b for _, b in probabilities],
            "probability": list(probabilities.values()),
            "rank": range(1, len(probabilities) + 1),
        }
    )


def view_of(history: Corpus, name: str, probabilities: Mapping[tuple[str, str], float]) -> pd.DataFrame:
    firm = find_firm(history.parties, name)
    return firm_view(history, firm, history.incidence("ipc", "subclass"), predictions_of(history, probabilities))


THREE_FIRMS = corpus_of(
    ("A21B", BAKER),
    ("A21B;A47J", BAKER),
    ("A21B", BAKER),
    ("H04L", PHONE),
    ("G06F;H04L", PHONE),
    ("A21B", BOTH),
    ("G06F", BOTH),
    ("F24C", ""),
)


class TestWhichFirm:
    def test_case_punctuation_and_legal_form_do_not_matter(self) -> None:
        assert find_firm(THREE_FIRMS.parties, "BAKER, inc.") == Firm(BAKER, "baker", 3)
        assert find_firm(THREE_FIRMS.parties, "baker") == Firm(BAKER, "baker", 3)

    def test_spellings_of_one_firm_are_one_and_it_goes_by_the_commonest(self) -> None:
        corpus = corpus_of(("A21B", "OVENCO INC"), ("A21B", "Ovenco, Inc."), ("A47J", "Ovenco, Inc."))
        assert find_firm(corpus.parties, "ovenco") == Firm("Ovenco, Inc.", "ovenco", 3)

    def test_a_part_of_several_names_is_never_guessed(self) -> None:
        corpus = corpus_of(
            ("A21B", "Samsung Display"), ("A21B", "Samsung Electronics"), ("A47J", "Samsung Electronics")
        )
        with pytest.raises(
            FirmError, match=r"'Samsung' is part of 2 names.*Samsung Electronics \(2\); Samsung Display"
        ):
            find_firm(corpus.parties, "Samsung")

    def test_a_part_of_one_name_is_named_but_not_taken(self) -> None:
        with pytest.raises(FirmError, match=r"'bak' is not among the 3 assignees; near matches.*: Baker Inc \(3\)"):
            find_firm(THREE_FIRMS.parties, "bak")

    def test_a_misspelt_name_is_answered_with_near_ones(self) -> None:
        with pytest.raises(FirmError, match=r"near matches \(patents\): Baker Inc \(3\)"):
            find_firm(THREE_FIRMS.parties, "Backer")

    @pytest.mark.parametrize("name", ["", "?!"])
    def test_a_name_of_nothing_is_refused(self, name: str) -> None:
        with pytest.raises(FirmError, match="nor anything like it"):
            find_firm(THREE_FIRMS.parties, name)

    def test_the_exact_name_wins_over_longer_ones_and_says_so(self, caplog: pytest.LogCaptureFixture) -> None:
        corpus = corpus_of(("A21B", "Kraft"), ("A21B", "Kraft Foods"))
        with caplog.at_level(logging.INFO):
            assert find_firm(corpus.parties, "kraft").patents == 1
        assert "Kraft Foods (1)" in caplog.text

    def test_inventors_are_no_firms(self) -> None:
        corpus = corpus_from([{"patent_id": "P1", "date": "2001-01-01", "ipc": "A21B", "inventors": "Baker, Ann"}])
        with pytest.raises(FirmError, match="the source has no assignees"):
            find_firm(corpus.parties, "Baker, Ann")


class TestByHand:
    """Three firms, worked out on paper.

    Memberships: A21B 4, A47J 1, F24C 1, G06F 2, H04L 2, in all 10. Baker has 4 (A21B 3, A47J 1), Phone 3 (H04L 2,
    G06F 1), Both 2 (A21B 1, G06F 1). Advantage >= 1: Baker in A21B (3/4 over 4/10) and A47J; Phone in G06F and H04L;
    Both in A21B (1/2 over 4/10) and G06F. So phi(A21B, A47J) = phi(A21B, G06F) = phi(G06F, H04L) = 1/2.
    """

    PAIRS: ClassVar = {("A21B", "H04L"): 0.4, ("A47J", "G06F"): 0.3, ("A21B", "F24C"): 0.2, ("F24C", "H04L"): 0.1}

    @pytest.fixture
    def view(self, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
        monkeypatch.setattr(module, "FEWEST_FIRMS", 3)
        return view_of(THREE_FIRMS, BAKER, self.PAIRS).set_index(["code_a", "code_b"])

    def test_types(self, view: pd.DataFrame) -> None:
        assert view["type"].to_dict() == {
            ("A21B", "H04L"): "II",
            ("A47J", "G06F"): "II",
            ("A21B", "F24C"): "II",
            ("F24C", "H04L"): "I",
        }
        assert view["holds_a"].tolist() == [a in ("A21B", "A47J") for a, _ in view.index]

    def test_revealed_advantage(self, view: pd.DataFrame) -> None:
        assert view.loc[("A21B", "H04L"), "rta_a"] == pytest.approx((3 / 4) / (4 / 10))
        assert view.loc[("A47J", "G06F"), "rta_a"] == pytest.approx((1 / 4) / (1 / 10))
        assert (view["rta_b"] == 0).all()

    def test_density(self, view: pd.DataFrame) -> None:
        assert view.loc[("A47J", "G06F"), "density_b"] == pytest.approx((1 / 2) / (1 / 2 + 1 / 2))  # A21B of A21B, H04L
        assert view.loc[("A21B", "H04L"), "density_b"] == 0  # its one neighbour, G06F, is not Baker's
        assert view.loc[("A21B", "F24C"), "density_b"] == 0  # no neighbour at all

    def test_score_and_order(self, view: pd.DataFrame) -> None:
        assert view.loc[("A47J", "G06F"), "firm_score"] == pytest.approx(0.3 * np.sqrt(1 / 2))
        assert view["firm_rank"].to_dict() == {
            ("A47J", "G06F"): 1,
            ("A21B", "H04L"): 2,  # the rest has no score: the firm-blind rank decides
            ("A21B", "F24C"): 3,
            ("F24C", "H04L"): 4,
        }


def test_a_pair_of_held_codes_keeps_its_probability() -> None:
    view = view_of(THREE_FIRMS, BOTH, {("A21B", "H04L"): 0.9, ("A21B", "G06F"): 0.5})
    both = view[view["type"] == "III"].iloc[0]
    assert (both["code_a"], both["code_b"], both["firm_score"]) == ("A21B", "G06F", 0.5)


def test_a_shared_patent_counts_for_each_owner() -> None:
    corpus = corpus_of(("A21B", f"{BAKER};{PHONE}"), ("H04L", PHONE))
    view = view_of(corpus, BAKER, {("A21B", "H04L"): 0.5})
    assert (view["type"].item(), view["rta_a"].item()) == ("II", (1 / 1) / (1 / 2))


def test_few_firms_fall_back_on_joint_patents_and_say_so() -> None:
    view = view_of(THREE_FIRMS, PHONE, {("A21B", "G06F"): 0.5, ("A47J", "H04L"): 0.5})
    assert relatedness_warnings(THREE_FIRMS) == [
        "firm: only 3 assignees, so nearness of codes is read from their joint patents, not from the firms"
    ]
    density = view.set_index("code_a")["density_a"]
    assert (density["A47J"], density["A21B"]) == (0, 0)  # their only joint patent is with one another, not Phone's
    assert view_of(THREE_FIRMS, BAKER, {("A47J", "H04L"): 0.5})["density_a"].item() == 1


def test_nothing_after_the_cutoff_matters() -> None:
    cutoff = THREE_FIRMS.cutoff
    early = [
        {"patent_id": "P000", "date": "2001-01-15", "ipc": "A21B;H04L", "assignees": BAKER},
        {"patent_id": "P001", "date": "2001-01-15", "ipc": "A47J", "assignees": PHONE},
    ]
    late = [{"patent_id": f"X{i}", "date": "2030-01-01", "ipc": "A47J;H04L", "assignees": BAKER} for i in range(3)]
    known = corpus_from([*late, *early]).as_of(cutoff)
    alone = dataclasses.replace(corpus_from(early), cutoff=cutoff)
    pairs = {("A21B", "A47J"): 0.2, ("A47J", "H04L"): 0.1}
    pd.testing.assert_frame_equal(view_of(known, BAKER, pairs), view_of(alone, BAKER, pairs))


def test_a_firm_that_comes_later_has_no_view_yet() -> None:
    history = THREE_FIRMS.as_of(pd.Timestamp("2001-03-31"))
    predictions = predictions_of(history, {("A21B", "A47J"): 0.1})
    with pytest.raises(FirmError, match="'Phone Ltd' has no patent up to 2001-03-31"):
        firm_view(history, Firm(PHONE, "phone", 2), history.incidence("ipc", "subclass"), predictions)


@pytest.mark.parametrize("fault", ["cutoff", "level"])
def test_predictions_of_something_else_are_refused(fault: str) -> None:
    predictions = predictions_of(THREE_FIRMS, {("A21B", "A47J"): 0.1})
    if fault == "cutoff":
        predictions = predictions.assign(cutoff=pd.Timestamp("1999-12-31"))
    incidence = THREE_FIRMS.incidence("ipc", "class" if fault == "level" else "subclass")
    with pytest.raises(ValueError, match="another"):
        firm_view(THREE_FIRMS, find_firm(THREE_FIRMS.parties, BAKER), incidence, predictions)


HOLDINGS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(CODES), min_size=1, max_size=3, unique=True),
        st.lists(st.sampled_from("abcdef"), max_size=2, unique=True),
    ),
    min_size=1,
    max_size=14,
)


@settings(deadline=None)
@given(holdings=HOLDINGS)
def test_it_equals_plain_loops(holdings: list[tuple[list[str], list[str]]]) -> None:
    """Oracle: the definitions, counted patent by patent."""
    patents = [(set(codes), set(owners)) for codes, owners in holdings]
    firms = sorted({owner for _, owners in patents for owner in owners})
    total = sum(len(codes) for codes, _ in patents)
    count = {(f, c): sum(f in owners and c in codes for codes, owners in patents) for f in firms for c in CODES}
    overall = np.array([sum(c in codes for codes, _ in patents) for c in CODES])

    def advantage(f: str, c: str) -> Fraction:
        own = sum(count[f, other] for other in CODES)
        share = Fraction(int(overall[CODES.index(c)]), total)
        return Fraction(count[f, c], own) / share if count[f, c] else Fraction(0)

    def phi(c: str, d: str) -> float:
        of_c = {f for f in firms if advantage(f, c) >= 1}
        of_d = {f for f in firms if advantage(f, d) >= 1}
        return min(len(of_c & of_d) / len(of_c), len(of_c & of_d) / len(of_d)) if c != d and of_c and of_d else 0.0

    portfolios = sp.csr_array(np.array([[count[f, c] for c in CODES] for f in firms], dtype=float).reshape(-1, 5))
    computed = revealed_advantage(portfolios, overall)
    np.testing.assert_allclose(
        computed.toarray(), [[float(advantage(f, c)) for c in CODES] for f in firms] or np.zeros((0, 5))
    )
    related = proximity(computed)
    expected = np.array([[phi(c, d) for d in CODES] for c in CODES])
    np.testing.assert_allclose(related.toarray(), expected)
    for f in firms:
        strong = np.array([advantage(f, c) >= 1 for c in CODES])
        density = [expected[:, j] @ strong / expected[:, j].sum() if expected[:, j].any() else 0 for j in range(5)]
        np.testing.assert_allclose(relatedness_density(related, strong), density)


def test_on_real_patents_every_pair_has_its_place() -> None:
    source = read_source(real_data("corpora/pizza_patentscope.parquet"))
    history = ingest_tables([source], "merge").corpus.as_of(pd.Timestamp("2012-12-31"))
    codes = history.incidence("ipc", "subclass").codes[::4]
    a, b = np.triu_indices(len(codes), 1)
    chance = np.round(np.linspace(0.3, 0.0, len(a)), 2)  # with ties
    pairs = {(codes[i], codes[j]): p for i, j, p in zip(a, b, chance, strict=True)}
    view = view_of(history, "General Mills", pairs)
    assert len(view) == len(a)
    assert set(view["type"]) == {"I", "II", "III"}
    assert view["firm_score"].between(0, view["probability"]).all()
    assert view["firm_score"].is_monotonic_decreasing
    assert view.groupby("firm_score")["rank"].apply(lambda ranks: ranks.is_monotonic_increasing).all()
    assert (view["holds_a"] == (view["rta_a"] > 0)).all()
    assert view["density_a"].groupby(view["holds_a"]).mean().is_monotonic_increasing  # a firm holds what lies near it
