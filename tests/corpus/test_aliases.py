"""Groups of names that a user gives, and names that may be one firm."""

from pathlib import Path

import pandas as pd
import pytest
from factories import corpus_from, flat_rows

from pipeline.corpus.aliases import read_aliases
from pipeline.corpus.ingest import Cleaning, ingest_tables
from pipeline.corpus.similar import for_spreadsheets, similar_names
from pipeline.errors import CorpusError


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "Matsushita Electric: Panasonic\n松下電器産業株式会社: Panasonic Corp.\n"),
        ("a.yml", "Panasonic: ['MATSUSHITA ELECTRIC CO., LTD.', 松下電器産業]\n"),
        ("a.csv", "name,group\nMatsushita Electric,Panasonic\n松下電器産業,Panasonic\nPanasonic Inc.,Panasonic\n"),
        ("a.csv", "name,group,accept\nMatsushita Electric,Panasonic,yes\n松下電器産業,Panasonic,X\nSony,Panasonic,\n"),
        ("a.yaml", "Matsushita Electric: 松下電器産業\n松下電器産業: Panasonic\n"),
    ],
)
def test_names_of_a_group_are_counted_under_it_in_every_spelling(tmp_path: Path, name: str, text: str) -> None:
    aliases = read_aliases(write(tmp_path / name, text))
    assert aliases.keys == {"matsushita electric": "panasonic", "松下電器産業": "panasonic"}
    rows = [
        {"patent_id": "US1", "date": "2010-01-05", "ipc": "F25B", "assignees": "Matsushita Electric Co., Ltd.;Sony"},
        {
            "patent_id": "US2",
            "date": "2010-01-06",
            "ipc": "F25B",
            "assignees": "Panasonic K.K.",
            "inventors": "Matsushita Electric",
        },
    ]
    parties = ingest_tables([flat_rows(rows)], cleaning=Cleaning(aliases=aliases)).corpus.parties
    assert parties[["name", "party_id"]].to_numpy().tolist() == [
        ["Matsushita Electric Co., Ltd.", "panasonic"],
        ["Sony", "sony"],
        ["Panasonic K.K.", "panasonic"],
        ["Matsushita Electric", "matsushita electric"],  # a person's name is never a firm's
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.yaml", "- a\n- b\n", "holds no aliases"),
        ("a.yaml", "a: [", "is no YAML"),
        ("a.csv", "firm,owner\na,b\n", "columns name and group expected"),
        ("a.csv", "name,group\na,b\nA Ltd,c\n", "puts 'A Ltd' into two groups, 'b' and 'c'"),
        ("a.csv", "name,group\n--,b\n", "names no firm"),
        ("a.yaml", "a: b\nb: a\n", "hold each other"),
    ],
)
def test_a_file_that_says_nothing_clear_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read_aliases(write(tmp_path / name, text))


def test_a_missing_file_or_one_of_another_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot be read"):
        read_aliases(tmp_path / "none.csv")
    (tmp_path / "a.csv").write_bytes("name,group\nMüller,x\n".encode("latin-1"))
    with pytest.raises(CorpusError, match="not UTF-8"):
        read_aliases(tmp_path / "a.csv")


NAMES = [
    "Müller GmbH", "Mueller AG", "Muller Ltd", "New Voice Media", "NewVoiceMedia Ltd.", "Rappuoli, Rino",
    "Rino Rappuoli", "Graphic Packaging International", "Graphic Packging International", "Works 1 Holding",
    "Works 2 Holding", "General Electric", "General Motors", "東芝", "東芝テック",
    "=cmd()|evil thing", "=cmd()|evil thingg",
]  # fmt: skip


def parties() -> pd.DataFrame:
    rows = [
        {
            "patent_id": f"US{n}",
            "date": "2010-01-05",
            "ipc": "F25B",
            "assignees": name,
            "inventors": "Anna Li;Anne Li",
        }
        for n, name in enumerate([*NAMES, "Graphic Packaging International Inc"])
    ]
    return corpus_from(rows).parties


def test_names_that_may_be_one_are_proposed_with_the_reason_and_merged_by_nobody() -> None:
    before = parties()
    found = similar_names(before)
    assert {(frozenset((a, b)), why) for a, b, why in found[["name", "group", "why"]].itertuples(index=False)} == {
        (frozenset(("Müller GmbH", "Mueller AG")), "accents or spaces"),
        (frozenset(("Müller GmbH", "Muller Ltd")), "accents or spaces"),
        (frozenset(("New Voice Media", "NewVoiceMedia Ltd.")), "accents or spaces"),
        (frozenset(("Rappuoli, Rino", "Rino Rappuoli")), "order of words"),
        (frozenset(("Graphic Packging International", "Graphic Packaging International")), "spelling"),
        (frozenset(("=cmd()|evil thing", "=cmd()|evil thingg")), "spelling"),
    }
    packaging = found[found["name"] == "Graphic Packging International"].iloc[0]
    assert packaging[["group", "patents_name", "patents_group", "accept"]].tolist() == [
        "Graphic Packaging International", 1, 2, "",
    ]  # fmt: skip
    pd.testing.assert_frame_equal(before, parties())


def test_a_reviewed_list_is_an_aliases_file(tmp_path: Path) -> None:
    review = for_spreadsheets(similar_names(parties()))
    assert review["name"].str.startswith("'=").any()
    chosen = review["why"].eq("order of words") | review["name"].str.startswith("'=")
    review.assign(accept=chosen.map({True: "yes", False: ""})).to_csv(tmp_path / "review.csv", index=False)
    keys = read_aliases(tmp_path / "review.csv").keys
    assert len(keys) == 2
    assert keys.items() <= {
        "rappuoli rino": "rino rappuoli", "rino rappuoli": "rappuoli rino",
        "cmd evil thing": "cmd evil thingg", "cmd evil thingg": "cmd evil thing",
    }.items()  # fmt: skip


def test_nothing_similar_is_an_empty_table() -> None:
    rows = [{"patent_id": "US1", "date": "2010-01-05", "ipc": "F25B", "assignees": "Siemens;Toshiba"}]
    assert similar_names(corpus_from(rows).parties).empty
    assert similar_names(corpus_from(rows).parties.iloc[:0]).empty
