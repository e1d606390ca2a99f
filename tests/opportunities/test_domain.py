"""Target domains: by codes, by a query, shipped ones."""

from pathlib import Path

import numpy as np
import pytest
from factories import corpus_from

from pipeline.errors import ConfigError
from pipeline.opportunities.domain import Domain, load_domain

ROWS = [
    {"patent_id": "US1", "date": "2010-01-05", "ipc": "H01M 10/50;F28D 15/02", "title": "Battery pack with heat pipe"},
    {"patent_id": "US2", "date": "2010-02-05", "ipc": "H01M 4/02", "title": "Anode", "claims": "lithium ion, cooled"},
    {"patent_id": "US3", "date": "2010-03-05", "ipc": "B25J 9/16", "title": "Robot arm"},
]  # fmt: skip


def test_a_query_reads_title_abstract_and_claims() -> None:
    domain = load_domain(Path("thermal-storage"))
    assert domain.patents(corpus_from(ROWS), "ipc").tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        (["H01M"], [True, True, False]),
        (["H01"], [True, True, False]),
        (["h01m10/50"], [True, False, False]),
        (["H01M 4/00"], [False, True, False]),  # a main group stands for all below it
        (["H01M 4/01"], [False, False, False]),
        (["F28D", "B25J"], [True, False, True]),
    ],
)
def test_codes_stand_for_all_below_them(codes: list[str], found: list[bool]) -> None:
    assert Domain(name="x", codes=tuple(codes)).patents(corpus_from(ROWS), "ipc").tolist() == found


def test_target_codes_lie_at_below_or_above_those_named() -> None:
    codes = np.array(["B25J", "F28D", "H01", "H01M", "H01M 10/00", "H01M 4/00"])
    nothing = np.zeros(len(codes))
    chosen = Domain(name="x", codes=("H01M 10/50",)).target_codes(codes, "ipc", nothing, nothing)
    assert codes[chosen].tolist() == ["H01", "H01M", "H01M 10/00"]


def test_without_codes_those_are_targets_that_the_domain_holds_more_often_than_the_corpus() -> None:
    codes = np.array(["A", "B", "C"])
    chosen = Domain(name="x", query="heat").target_codes(codes, "ipc", np.array([50, 40, 10]), np.array([2, 8, 0]))
    assert codes[chosen].tolist() == ["B"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name: x", "neither codes nor a query"),
        ("query: heat", "name"),
        ("name: x\nquery: '(heat'", "not closed"),
        ("name: x\nquery: heat\ncolour: red", "colour"),
        ("name: [", "not YAML"),
        ("just words", "not a domain"),
    ],
)
def test_a_file_that_is_no_domain_is_refused(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "domain.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        load_domain(path)


def test_a_missing_file_names_what_is_shipped(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"thermal-robots, thermal-storage"):
        load_domain(tmp_path / "none.yaml")


def test_a_code_of_another_scheme_is_refused() -> None:
    with pytest.raises(ConfigError, match="'Y02E' is not a symbol of IPC"):
        Domain(name="x", codes=("Y02E",)).patents(corpus_from(ROWS), "ipc")
