"""Names of firms and people."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpus.names import near_matches, normalise_parties, normalise_party, normalise_person


@pytest.mark.parametrize(
    ("spellings", "key"),
    [
        (["TOSHIBA CO., LTD.", "Toshiba Corporation", "toshiba", "Toshiba K.K.", "Ｔｏｓｈｉｂａ"], "toshiba"),
        (["Toshiba Kabushiki Kaisha"], "toshiba"),
        (["Nestec S.A.", "NESTEC SA", "Nestec S. A."], "nestec"),
        (["Siemens AG", "SIEMENS Aktiengesellschaft", "Siemens AG [DE]"], "siemens"),
        (["Müller GmbH & Co. KG", "MÜLLER GMBH", "Mu\u0308ller"], "müller"),
        (["株式会社東芝", "東芝株式会社", "(株)東芝", "㈱東芝"], "東芝"),
        (["华为技术有限公司"], "华为技术"),
        (["J. P. Morgan", "JP Morgan"], "jp morgan"),
        (["Inc.", "INC"], "inc"),
        (["Company Limited"], "company"),
        (["株式会社"], "株式会社"),
    ],
)
def test_spellings_of_one_firm_share_a_key(spellings: list[str], key: str | None) -> None:
    keys = [normalise_party(spelling) for spelling in spellings]
    assert keys == [key] * len(keys) if key else len(set(keys)) == len(keys)


def test_a_person_keeps_a_name_that_looks_like_a_legal_form() -> None:
    assert normalise_person("NGUYEN, Van Sa") == "nguyen van sa"
    assert normalise_person("LANGOS, J.P.") == normalise_person("Langos, J P")


def test_roles_are_normalised_each_in_its_own_way() -> None:
    names = pd.Series(["Kim Co", "Kim Co"])
    assert normalise_parties(names, "assignee").tolist() == ["kim", "kim"]
    assert normalise_parties(names, "inventor").tolist() == ["kim co", "kim co"]


@given(st.text(max_size=30))
def test_a_key_is_stable_and_empty_only_without_letter_or_digit(name: str) -> None:
    key = normalise_party(name)
    assert key or not any(char.isalnum() for char in name)
    assert key == key.strip()
    assert "  " not in key


def test_near_matches_come_best_first_and_only_when_they_resemble() -> None:
    names = ["Boeing Co", "General Electric Company", "General Motors LLC", "Airbus SAS", "Boeing Co"]
    assert near_matches("Generl Electrik", names)[0] == "General Electric Company"
    assert near_matches("boing", names) == ["Boeing Co"]
    assert near_matches("zzqqxx", names) == []
    assert len(near_matches("general", names, limit=1)) == 1
