"""Retrieval: what is found, in which order, and what can never be."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import corpus_from
from knowledge.bases import ENCODER, FIRM, added, day, row, written

from pipeline.corpus.timeline import Corpus
from pipeline.knowledge import dense, derived
from pipeline.knowledge.dense import PATENTS, ExactIndex
from pipeline.knowledge.retrieve import Base, fused, open_base, rankings, retrieve, retrieve_many
from pipeline.schemas import Evidence, validate

ROWS = [
    row("US1", "2008-01-01", "A heat pump with a compressor."),
    row("US2", "2009-01-01", "A fan that cools a battery."),
    row("US3", "2010-01-01", "A pizza oven of stone."),
    row("US4", "2011-01-01", "A heat pump that cools a battery with a fan."),
    row("US5", "2012-01-01", "Heat pump, heat pump, heat pump."),
]
EVERYTHING = "heat pump compressor fan battery pizza oven stone plans strategy"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return corpus_from(ROWS)


@pytest.fixture(scope="module")
def folder(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("retrieve")
    added(home / "base", corpus, written(home, ours="Our strategy: heat pump plans."), "acme")
    added(home / "base", corpus, written(home, theirs="Their strategy: heat pump plans, in secret."), "bravo")
    added(home / "base", corpus, written(home, undated="An undated heat pump strategy."), "acme", date=None)
    return home / "base"


@pytest.fixture(scope="module")
def base(folder: Path) -> Base:
    return open_base(folder, ENCODER)


def found(base: Base, query: str, cutoff: str, firm: str = FIRM, k: int = 20) -> list[str]:
    return retrieve(base, query, day(cutoff), {firm} - {""}, k)["source"].tolist()


def test_the_table_is_evidence_best_first(base: Base) -> None:
    table = retrieve(base, "battery fan", day("2012-12-31"), {FIRM}, 3)
    validate(table, Evidence, "evidence")
    assert table["source"].tolist()[0] == "US2"
    assert table["score"].is_monotonic_decreasing
    assert table.loc[0, "score"] == pytest.approx(2 / 61)
    held = base.chunks.set_index("chunk_id")
    for _, item in table.iterrows():
        assert held.loc[item["evidence_id"], "text"] == item["text"]
        assert held.loc[item["evidence_id"], "date"] == item["date"]


@pytest.mark.parametrize(
    ("cutoff", "firm", "expected"),
    [
        ("2007-12-31", "acme", set()),
        ("2008-01-01", "acme", {"US1"}),
        ("2010-05-31", "acme", {"US1", "US2", "US3"}),
        ("2010-06-01", "acme", {"US1", "US2", "US3", "ours.md"}),
        ("2010-06-01", "bravo", {"US1", "US2", "US3", "theirs.md"}),
        ("2010-06-01", "nobody", {"US1", "US2", "US3"}),
        ("2010-06-01", "", {"US1", "US2", "US3"}),
        ("2099-12-31", "acme", {"US1", "US2", "US3", "US4", "US5", "ours.md"}),
    ],
)
def test_only_what_was_known_is_seen_and_only_by_whom_it_belongs_to(
    base: Base, cutoff: str, firm: str, expected: set[str]
) -> None:
    assert set(found(base, EVERYTHING, cutoff, firm)) == expected


def test_what_comes_later_or_belongs_to_others_moves_nothing(base: Base, tmp_path: Path) -> None:
    early = [item for item in ROWS if item["date"] <= "2010-12-31"]
    added(tmp_path / "base", corpus_from(early), written(tmp_path, ours="Our strategy: heat pump plans."), "acme")
    truncated = open_base(tmp_path / "base", ENCODER)
    for query in (EVERYTHING, "heat pump", "strategy", "battery fan"):
        pd.testing.assert_frame_equal(
            retrieve(base, query, day("2010-12-31"), {"acme"}, 20),
            retrieve(truncated, query, day("2010-12-31"), {"acme"}, 20),
        )


def test_several_questions_get_what_each_alone_gets(base: Base) -> None:
    queries = ["heat pump", "", "pizza"]
    table = retrieve_many(base, queries, day("2012-12-31"), {FIRM}, 4)
    assert set(table["query"]) == {0, 2}
    for number, query in enumerate(queries):
        own = table[table["query"] == number].drop(columns="query").reset_index(drop=True)
        pd.testing.assert_frame_equal(own, retrieve(base, query, day("2012-12-31"), {FIRM}, 4))
    assert retrieve_many(base, [], day("2012-12-31"), {FIRM}, 4).empty


@pytest.mark.parametrize("query", ["", "  ", "\x00\u202e", "the of"])
def test_a_question_of_no_words_finds_nothing(base: Base, query: str) -> None:
    assert retrieve(base, query, day("2012-12-31"), {FIRM}, 4).empty


def test_one_source_gives_two_chunks_at_most_and_no_text_comes_twice(tmp_path: Path) -> None:
    long = " ".join(f"The heat pump number {number} has a compressor of its own kind." for number in range(80))
    rows = [
        row("US1", "2008-01-01", long),
        row("US2", "2008-01-02", "A heat pump."),
        row("US3", "2008-01-03", "A heat pump."),
    ]
    added(tmp_path / "base", corpus_from(rows))
    sources = found(open_base(tmp_path / "base", ENCODER), "heat pump compressor", "2012-12-31")
    assert sorted(sources) == ["US1", "US1", "US2"]


def test_fewer_are_asked_for_than_there_are(base: Base) -> None:
    assert found(base, EVERYTHING, "2012-12-31", "", k=2) == found(base, EVERYTHING, "2012-12-31", "")[:2]


def test_a_third_of_the_evidence_is_of_the_firms_documents(tmp_path: Path) -> None:
    rows = [row(f"US{number}", "2008-01-01", f"A heat pump of kind {number}.") for number in range(300)]
    added(tmp_path / "base", corpus_from(rows), written(tmp_path, one="We grow tomatoes.", two="Tomatoes pay."))
    base = open_base(tmp_path / "base", ENCODER)
    documents = {"one.md", "two.md"}
    assert [len(documents & set(found(base, "heat pump", "2012-12-31", k=k))) for k in (2, 3, 6, 9)] == [0, 1, 2, 2]
    six = found(base, "tomatoes or a heat pump", "2012-12-31", k=6)
    assert len(six) == 6 and set(six[:2]) == documents
    for cutoff, firm in (("2010-05-31", FIRM), ("2012-12-31", "")):
        assert not documents & set(found(base, "tomatoes", cutoff, firm))


def test_a_text_in_capitals_is_the_same_text(tmp_path: Path) -> None:
    rows = [row("US1", "2008-01-01", "A heat pump."), row("EP1", "2008-01-02", "A HEAT PUMP.")]
    added(tmp_path / "base", corpus_from(rows))
    assert found(open_base(tmp_path / "base", ENCODER), "heat pump", "2012-12-31") == ["US1"]


def test_documents_under_any_name_of_a_firm_are_seen(base: Base) -> None:
    both = retrieve(base, EVERYTHING, day("2012-12-31"), {"acme", "bravo"}, 20)["source"]
    assert {"ours.md", "theirs.md"} <= set(both)


def test_the_index_is_made_anew_when_it_is_lost_old_or_cut(folder: Path, base: Base) -> None:
    expected = retrieve(base, EVERYTHING, day("2012-12-31"), {FIRM}, 9)
    search = folder / derived.FOLDER
    whole = {path.name: path.read_bytes() for path in search.iterdir()}

    def cut() -> None:
        (search / "vectors.npy").write_bytes(whole["vectors.npy"][:-4])

    for harm in (cut, (search / "rows.npy").unlink, (search / "manifest.json").unlink):
        harm()
        pd.testing.assert_frame_equal(
            retrieve(open_base(folder, ENCODER), EVERYTHING, day("2012-12-31"), {FIRM}, 9), expected
        )
        assert {path.name: path.read_bytes() for path in search.iterdir()} == whole


def test_an_open_base_goes_on_while_it_is_changed(corpus: Corpus, tmp_path: Path) -> None:
    folder = tmp_path / "base"
    added(folder, corpus)
    reader = open_base(folder, ENCODER)
    before = retrieve(reader, EVERYTHING, day("2012-12-31"), {FIRM}, 9)
    added(folder, corpus, written(tmp_path, ours="Our strategy."))
    pd.testing.assert_frame_equal(retrieve(reader, EVERYTHING, day("2012-12-31"), {FIRM}, 9), before)
    assert "ours.md" in found(open_base(folder, ENCODER), EVERYTHING, "2012-12-31")


def test_the_encoder_is_loaded_as_the_base_says(folder: Path) -> None:
    assert found(open_base(folder), "pizza", "2012-12-31", k=1) == ["US3"]


def test_fusion_is_the_sum_of_reciprocal_ranks() -> None:
    rows, scores = fused([np.array([7, 3, 5]), np.array([5, 9])])
    assert rows.tolist() == [5, 7, 3, 9]
    np.testing.assert_allclose(scores, [1 / 63 + 1 / 61, 1 / 61, 1 / 62, 1 / 62])
    assert [part.tolist() for part in fused([np.zeros(0, dtype=int)] * 2)] == [[], []]


def test_batches_of_questions_do_not_matter(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    scope = base.scope(day("2012-12-31"), {PATENTS, FIRM})
    queries = ["heat pump", "battery", "oven", "compressor fan", "strategy"]
    whole = [[part.tolist() for part in ranked] for [ranked] in rankings(base, queries, [scope], 5)]
    monkeypatch.setattr(dense, "BATCH", 2)
    assert [[part.tolist() for part in ranked] for [ranked] in rankings(base, queries, [scope], 5)] == whole


def test_a_base_cannot_be_changed_in_place(base: Base) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        base.encoder = ENCODER
    assert isinstance(base.dense, ExactIndex)
    with pytest.raises(ValueError, match="read-only"):
        base.dense.vectors[0, 0] = 1
