"""``techconverge ingest --append`` and ``techconverge corpus`` as their user meets them."""

import sys
from pathlib import Path

import pytest
from cases import names

from pipeline.cli import main

HEADER = "patent_id,date,ipc,assignees\n"


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Call ``techconverge`` in this process."""

    def call(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["techconverge", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        printed = capsys.readouterr()
        return int(left.value.code or 0), printed.out, printed.err

    return call


def test_a_corpus_is_made_grown_described_and_reviewed(command, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        HEADER + "US1,2010-01-05,F25B 41/20,New Voice Media\nUS2,2011,G06F,NewVoiceMedia Ltd.\n"
    )
    (tmp_path / "b.csv").write_text(HEADER + "US1,2010-01-05,H01L 21/02,New Voice Media\nUS3,2012-01-05,G06F,B\n")
    corpus = tmp_path / "corpus"
    code, out, _ = command("ingest", tmp_path / "a.csv", "--out", corpus)
    assert code == 0
    assert "read 2 = kept 2 + merged 0" in out
    assert "note: dates: 50.0% of the patents have only a month or year" in out

    code, out, _ = command("ingest", "--append", tmp_path / "b.csv", "--out", corpus)
    assert code == 0
    assert "read 4 = kept 3 + merged 0 (families 0, exact repeats 0) + replaced by corrections 1 + quarantined 0" in out
    code, out, _ = command("ingest", "--append", tmp_path / "b.csv", "--out", corpus)
    assert (code, out) == (0, f"note: b.csv is in the corpus already\n{corpus}: nothing changed\n")

    code, out, _ = command("corpus", "similar-names", corpus, "--out", tmp_path / "review.csv")
    assert (code, out) == (0, f"{tmp_path / 'review.csv'}: 1 pairs of names to review; nothing was merged\n")
    text = (tmp_path / "review.csv").read_text(encoding="utf-8-sig")
    (tmp_path / "review.csv").write_text(text.rstrip("\n") + "yes\n")
    code, _, _ = command("ingest", "--append", "--aliases", tmp_path / "review.csv", "--out", corpus)
    assert code == 0

    code, out, log = command("corpus", "describe", corpus, "--html", tmp_path / "page.html")
    assert code == 0, log
    assert "3 patents known from 2010-01-05 to 2012-01-05, 2 IPC subclasses, 2 assignees" in out
    assert (tmp_path / "page.html").is_file()
    assert names(tmp_path) == ["a.csv", "b.csv", "corpus", "page.html", "review.csv"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("ingest", "--append", "{home}/a.csv", "--out", "{home}/none"), "is not a corpus: make one with"),
        (("ingest", "{home}/a.csv", "--aliases", "{home}/none.yaml", "--out", "{home}/corpus"), "cannot be read"),
        (("ingest", "{home}/a.csv", "--symbol-list", "{home}/a.csv", "--out", "{home}/corpus"), "not WIPO's inventory"),
        (("corpus", "describe", "{home}/none"), "is not a corpus: make one with"),
        (("corpus", "similar-names", "{home}/none", "--out", "{home}/x.csv"), "is not a corpus: make one with"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_left(words: tuple[str, ...], expected: str, command, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + "US1,2010-01-05,F25B 41/20,A\n")
    code, out, log = command(*[word.format(home=tmp_path) for word in words])
    assert (code, out) == (2, "")
    assert [expected in line for line in log.splitlines() if line.startswith("error: ")] == [True]
    assert names(tmp_path) == ["a.csv"]


def test_an_ingest_of_nothing_is_refused(command, tmp_path: Path) -> None:
    code, out, _ = command("ingest", "--out", tmp_path / "corpus")
    assert (code, out) == (2, "")
    assert names(tmp_path) == []
