"""A firm of several names."""

from pathlib import Path

import pytest
from factories import corpus_from

from pipeline.errors import ConfigError, FirmError
from pipeline.opportunities.firm_names import match_firm, read_firm

ROWS = [
    {"patent_id": f"US{number}", "date": f"2010-01-0{number}", "ipc": "F25B", "title": str(number), "assignees": name}
    for number, name in enumerate(
        ["ACME CO., LTD.", "Acme Cooling GmbH", "Acme Coling GmbH", "Zenith AG", "ACME CO., LTD.;Acme Cooling GmbH"], 1
    )
]  # fmt: skip


def firm_file(folder: Path, text: str) -> str:
    path = folder / "firm.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_several_names_become_one_party_counted_once_a_patent(tmp_path: Path) -> None:
    given = firm_file(tmp_path, "name: Acme\nnames: [Acme Co Ltd, Acme Cooling, Acme Robots]")
    matched = match_firm(corpus_from(ROWS), read_firm(given))
    assert (matched.firm.name, matched.firm.patents) == ("Acme", 3)
    assert set(matched.corpus.parties["party_id"]) == {matched.firm.party_id, "acme coling", "zenith"}


def test_its_documents_are_those_of_any_of_its_names_and_like_names_are_told(tmp_path: Path) -> None:
    given = firm_file(tmp_path, "name: The Acme Group\nnames: [Acme Co Ltd, Acme Cooling, Acme Robots]")
    matched = match_firm(corpus_from(ROWS), read_firm(given))
    assert matched.keys == {"acme", "acme cooling", read_firm(given).key}
    taken, like = matched.told()
    assert taken == "names taken (patents): ACME CO., LTD. (2); Acme Cooling GmbH (2)"
    assert like.startswith("like them, not taken (patents): Acme Coling GmbH (1)")


def test_only_equal_names_are_taken_and_like_ones_are_shown(tmp_path: Path) -> None:
    given = firm_file(tmp_path, "name: Acme\nnames: [Acme Cooling GmbH, Acme Robots Inc]")
    review = match_firm(corpus_from(ROWS), read_firm(given)).review
    taken = review[review["taken"]]
    assert taken["party_id"].unique().tolist() == ["acme cooling"]
    assert "acme coling" in set(review.loc[~review["taken"], "party_id"])
    assert (review["given"] == "Acme Robots Inc").any()  # nothing is lost in silence
    assert review.loc[review["party_id"] == "acme cooling", "patents"].iloc[0] == 2


def test_a_name_is_a_firm_of_one_name() -> None:
    matched = match_firm(corpus_from(ROWS), read_firm("acme co ltd"))
    assert (matched.firm.party_id, matched.firm.patents) == ("acme", 2)
    with pytest.raises(FirmError, match="near matches"):
        match_firm(corpus_from(ROWS), read_firm("Zenit"))


def test_a_file_of_which_no_name_matches_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FirmError, match="none of the 2 names"):
        match_firm(corpus_from(ROWS), read_firm(firm_file(tmp_path, "name: X\nnames: [Foo, Bar]")))


@pytest.mark.parametrize("text", ["names: [a]", "name: x\nnames: []", "name: x\nnames: [a]\nfoo: 1", "- a", "name: ["])
def test_a_file_that_is_no_firm_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a firm file"):
        read_firm(firm_file(tmp_path, text))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_firm(str(tmp_path / "none.yml"))
