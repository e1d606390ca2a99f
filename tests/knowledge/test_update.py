"""Adding and removing: everything given ends in one place, and a base depends on its content alone."""

from pathlib import Path

import pytest
from factories import corpus_from
from knowledge.bases import CONFIG, FIRM, added, contents, day, row, written

from pipeline.corpus.timeline import Corpus
from pipeline.encoders.hashing import HashingEncoder
from pipeline.errors import ArtifactError, KnowledgeError
from pipeline.knowledge.retrieve import open_base, retrieve
from pipeline.knowledge.store import load_chunks, load_manifest, locked
from pipeline.knowledge.update import PatentAccount, remove

ROWS = [
    row("US1", "2008-01-01", "A heat pump with a compressor."),
    row("US2", "2009-01-01", "A fan that cools a battery."),
    row("US3", "2010-01-01", "A pizza oven of stone."),
]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return corpus_from(ROWS)


def outcomes(account) -> dict[str, str]:
    return {item.name: item.outcome for item in account.documents}


def texts(base: Path) -> set[str]:
    return set(load_chunks(base, load_manifest(base))["text"])


def test_what_is_given_again_is_left_as_it_is(corpus: Corpus, tmp_path: Path) -> None:
    base, notes = tmp_path / "base", written(tmp_path, plan="We build pumps.")
    first = added(base, corpus, notes)
    assert first.patents == PatentAccount(added=3, replaced=0, unchanged=0, without_text=0, removed=0)
    assert outcomes(first) == {"plan.md": "added"}
    before = contents(base)
    second = added(base, corpus, notes)
    assert second.patents == PatentAccount(added=0, replaced=0, unchanged=3, without_text=0, removed=0)
    assert outcomes(second) == {"plan.md": "unchanged"}
    assert contents(base) == before


def test_the_same_content_gives_the_same_bytes_however_it_came(corpus: Corpus, tmp_path: Path) -> None:
    notes = written(tmp_path, plan="We build pumps.", other="We sell fans.", gone="We make ovens.")
    added(tmp_path / "one", corpus, notes[:2])
    two = tmp_path / "two"
    added(two, corpus_from(ROWS[:2]), notes[1:])
    written(tmp_path, plan="An older plan.")
    added(two, corpus, notes[:1])
    written(tmp_path, plan="We build pumps.")
    added(two, corpus, notes[:1])
    remove(two, ["gone.md"], FIRM, lambda message: None)
    assert contents(two) == contents(tmp_path / "one")


def test_a_changed_document_replaces_its_chunks(corpus: Corpus, tmp_path: Path) -> None:
    base, notes = tmp_path / "base", written(tmp_path, plan="We build pumps.", other="We sell fans.")
    added(base, corpus, notes)
    written(tmp_path, plan="We stopped building pumps.")
    assert outcomes(added(base, corpus, notes)) == {"plan.md": "replaced", "other.md": "unchanged"}
    assert texts(base) >= {"We stopped building pumps.", "We sell fans."}
    assert "We build pumps." not in texts(base)


def test_patents_follow_the_corpus(tmp_path: Path) -> None:
    base = tmp_path / "base"
    added(base, corpus_from(ROWS))
    grown = [
        *ROWS[:1],
        row("US2", "2009-01-01", "A fan, amended."),
        row("US4", "2011-01-01", "New."),
        row("US5", "2011-01-02", ""),
    ]
    account = added(base, corpus_from(grown)).patents
    assert account == PatentAccount(added=1, replaced=1, unchanged=1, without_text=1, removed=1)
    assert texts(base) == {"A heat pump with a compressor.", "A fan, amended.", "New."}


def test_a_patent_whose_date_was_mended_is_replaced(tmp_path: Path) -> None:
    base = tmp_path / "base"
    added(base, corpus_from(ROWS))
    later = [row("US1", "2015-01-01", "A heat pump with a compressor."), *ROWS[1:], row("US9", "2010-01-01", "Nine.")]
    assert added(base, corpus_from(later)).patents.replaced == 1
    chunks = load_chunks(base, load_manifest(base)).set_index("source")
    assert chunks.loc["US1", "date"] == day("2015-01-01")


def test_another_corpus_does_not_drive_out_the_first(corpus: Corpus, tmp_path: Path) -> None:
    base = tmp_path / "base"
    added(base, corpus)
    before = contents(base)
    with pytest.raises(KnowledgeError, match="another corpus: choose another --base"):
        added(base, corpus_from([row("EP1", "2010-01-01", "Other.")]))
    assert contents(base) == before


def test_each_document_given_has_one_outcome_and_a_reason(corpus: Corpus, tmp_path: Path) -> None:
    base, notes = tmp_path / "base", written(tmp_path, plan="We build pumps.")
    (tmp_path / "sub").mkdir()
    [namesake] = written(tmp_path / "sub", plan="Another plan.")
    (tmp_path / "x.pdf").write_bytes(b"no pdf")
    (tmp_path / "e.txt").write_bytes(b"")
    given = [*notes, *notes, namesake, tmp_path / "x.pdf", tmp_path / "e.txt", tmp_path / "absent.md", tmp_path]
    account = added(base, corpus, given, date=None)
    assert [(item.outcome, item.note.partition(":")[0]) for item in account.documents] == [
        ("added", "has no date, so no cutoff will see it"),
        ("unchanged", ""),
        ("refused", "another file of this name was given before it"),
        ("refused", "is not readable as pdf"),
        ("refused", "holds no text (a scan? run a text recognition on it first)"),
        ("refused", "is not a file"),
        ("refused", "is not a file"),
    ]


def test_a_document_that_cannot_be_read_any_more_keeps_its_old_version(corpus: Corpus, tmp_path: Path) -> None:
    base, [note] = tmp_path / "base", written(tmp_path, plan="We build pumps.")
    added(base, corpus, [note])
    note.write_bytes(b"\x00\x01")
    [item] = added(base, corpus, [note]).documents
    assert (item.outcome, item.note) == ("refused", "is not text; the version held before stays")
    assert "We build pumps." in texts(base)


def test_the_date_is_the_documents_own_then_the_option_then_unknown(corpus: Corpus, tmp_path: Path) -> None:
    base = tmp_path / "base"
    notes = written(tmp_path, stated="---\ndate: 2009-05-05\n---\nStated.", plain="Plain.")
    added(base, corpus, notes, date=None)
    held = {item.source: (item.date, item.dated_by) for item in load_manifest(base).documents}
    assert held == {"stated.md": ("2009-05-05", "metadata"), "plain.md": (None, None)}
    again = added(base, corpus, notes, date="2011-11-11")
    assert outcomes(again) == {"stated.md": "unchanged", "plain.md": "replaced"}
    held = {item.source: (item.date, item.dated_by) for item in load_manifest(base).documents}
    assert held == {"stated.md": ("2009-05-05", "metadata"), "plain.md": ("2011-11-11", "option")}
    assert outcomes(added(base, corpus, notes, date=None)) == {"stated.md": "unchanged", "plain.md": "unchanged"}


def test_two_firms_may_have_a_document_of_one_name(corpus: Corpus, tmp_path: Path) -> None:
    base, [note] = tmp_path / "base", written(tmp_path, plan="We build pumps.")
    added(base, corpus, [note])
    written(tmp_path, plan="They build pumps.")
    assert outcomes(added(base, corpus, [note], firm="bravo")) == {"plan.md": "added"}
    remove(base, ["plan.md"], "bravo", lambda message: None)
    assert "We build pumps." in texts(base)
    assert "They build pumps." not in texts(base)


def test_removing_what_is_not_there_removes_nothing(corpus: Corpus, tmp_path: Path) -> None:
    base, notes = tmp_path / "base", written(tmp_path, plan="We build pumps.")
    added(base, corpus, notes)
    before = contents(base)
    for names, firm in ((["plan.md", "x.md"], FIRM), (["plan.md"], "bravo"), (["US1"], "")):
        with pytest.raises(KnowledgeError, match="is no document of"):
            remove(base, names, firm, lambda message: None)
    assert contents(base) == before


def test_another_encoder_encodes_all_anew(corpus: Corpus, tmp_path: Path) -> None:
    class Other(HashingEncoder):
        identity = "hashing-other"

    base, notes = tmp_path / "base", written(tmp_path, plan="We build pumps.")
    added(base, corpus, notes)
    other = Other(CONFIG.max_characters)
    with pytest.raises(KnowledgeError, match=r"was made with encoder hashing-256-v1, here it is hashing-other"):
        open_base(base, other)
    account = added(base, corpus, notes, encoder=other)
    assert account.encoded_anew == 4
    assert account.patents.unchanged == 3
    assert retrieve(open_base(base, other), "pumps", day("2012-01-01"), {FIRM}, 1)["source"].tolist() == ["plan.md"]


def test_one_writes_at_a_time(corpus: Corpus, tmp_path: Path) -> None:
    base = tmp_path / "base"
    with locked(base), pytest.raises(KnowledgeError, match="is being changed by another command"):
        added(base, corpus)


def test_a_folder_of_something_else_is_left_alone(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_text("precious")
    with pytest.raises(KnowledgeError, match=r"is no knowledge base and holds holiday.jpg"):
        added(tmp_path, corpus)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_damage_is_noticed(corpus: Corpus, tmp_path: Path) -> None:
    base = tmp_path / "base"
    added(base, corpus)
    file = next((base / "chunks").iterdir())
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ArtifactError, match="is damaged: remove the base"):
        open_base(base)
    file.unlink()
    with pytest.raises(ArtifactError, match="cannot be read"):
        open_base(base)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("{", ArtifactError, "cannot be read as JSON"),
        ("[]", KnowledgeError, "something else: choose another --base"),
        ('{"schema_version": 1}', KnowledgeError, "something else: choose another --base"),
        ('{"kind": "knowledge", "schema_version": 99}', KnowledgeError, "schema version 99"),
        ('{"kind": "knowledge", "schema_version": 1}', ArtifactError, "is damaged"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    corpus: Corpus, tmp_path: Path, content: str, error: type[Exception], message: str
) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "manifest.json").write_text(content)
    with pytest.raises(error, match=message):
        open_base(tmp_path / "base")
    with pytest.raises(error, match=message):
        added(tmp_path / "base", corpus)


def test_nothing_is_no_base(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="is not a knowledge base: make one with"):
        open_base(tmp_path / "nothing")
    added(tmp_path / "base", corpus_from([row("US1", "2010-01-01", "")]))
    with pytest.raises(KnowledgeError, match="holds nothing"):
        open_base(tmp_path / "base")
