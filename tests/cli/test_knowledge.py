"""``techconverge knowledge`` as its user meets it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from runs import FIRM, stored

from pipeline.cli import main
from pipeline.corpus.readers import SourceTable
from pipeline.knowledge.retrieve import open_base, retrieve


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Call ``techconverge knowledge`` in this process."""
    monkeypatch.setenv("TECHCONVERGE_CACHE", str(tmp_path / "cache"))

    def call(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["techconverge", "knowledge", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        printed = capsys.readouterr()
        return int(left.value.code or 0), printed.out, printed.err

    return call


@pytest.fixture
def corpus(tmp_path: Path, sample_rows: SourceTable) -> Path:
    few = SourceTable(frame=sample_rows.frame.head(200), format=sample_rows.format, name=sample_rows.name)
    return stored(few, tmp_path / "corpus")


def test_documents_are_added_listed_asked_for_and_removed(command, corpus: Path, tmp_path: Path) -> None:
    parties = pd.read_parquet(corpus / "parties.parquet")
    name = parties.loc[parties["role"] == "assignee", "name"].iloc[0]
    (tmp_path / "plan.md").write_text("---\ndate: 2010-01-01\n---\nOur strategy is zeppelins.")
    (tmp_path / "undated.txt").write_text("Later we will see.")
    (tmp_path / "broken.pdf").write_bytes(b"no pdf")
    files = [tmp_path / "plan.md", tmp_path / "undated.txt", tmp_path / "broken.pdf"]
    code, out, log = command("add", corpus, *files, "--firm", name, "--encoder", "hashing")
    assert code == 0, log
    counts = re.match(r"patents (\d+) = added (\d+) \+ replaced 0 \+ unchanged 0 \+ without text (\d+);", out)
    assert counts
    total, new, silent = map(int, counts.groups())
    assert total == new + silent == len(pd.read_parquet(corpus / "patents.parquet"))
    assert "documents 3 = added 2 + replaced 0 + unchanged 0 + refused 1" in out
    assert "note: undated.txt has no date, so no cutoff will see it: give --date" in out
    assert "refused: broken.pdf is not readable as pdf" in out
    code, out, _ = command("add", corpus, *files[:2], "--firm", name, "--date", "2011-01-01")
    assert "documents 2 = added 0 + replaced 1 + unchanged 1 + refused 0" in out

    code, out, _ = command("list", corpus)
    assert code == 0
    listed = [line.split("\t") for line in out.splitlines()[:-1]]
    assert [(line[0], line[2]) for line in listed] == [
        ("plan.md", "2010-01-01 (metadata)"),
        ("undated.txt", "2011-01-01 (option)"),
    ]
    found = retrieve(open_base(tmp_path / "knowledge"), "zeppelins", pd.Timestamp("2010-06-01"), {listed[0][1]}, 1)
    assert found["source"].tolist() == ["plan.md"]

    code, out, _ = command("remove", corpus, "plan.md", "--firm", name)
    assert code == 0
    assert out.startswith("removed 1\n")
    assert "plan.md" not in command("list", corpus)[1]


def test_a_firm_file_stands_for_the_firm(command, corpus: Path, tmp_path: Path) -> None:
    parties = pd.read_parquet(corpus / "parties.parquet")
    names = parties.loc[parties["role"] == "assignee", "name"].unique()[:2]
    firm = tmp_path / "firm.yaml"
    firm.write_text(json.dumps({"name": "The Group", "names": list(names)}))
    (tmp_path / "plan.md").write_text("---\ndate: 2010-01-01\n---\nOur strategy is zeppelins.")
    code, _, log = command("add", corpus, tmp_path / "plan.md", "--firm", firm, "--encoder", "hashing")
    assert code == 0, log
    listed = command("list", corpus, "--firm", firm)[1].splitlines()
    assert len(listed) == 2 and listed[0].startswith("plan.md\tgroup\t")
    assert command("remove", corpus, "plan.md", "--firm", firm)[0] == 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("add", "{corpus}", "{corpus}/x.md"), "documents belong to a firm: give --firm NAME"),
        (("add", "{home}/nothing"), "is not a corpus"),
        (("add", "{corpus}", "{home}/x.md", "--firm", "Zyxw"), "Zyxw"),
        (("add", "{corpus}", "--base", "{corpus}"), "is not a knowledge base but something else"),
        (("add", "{corpus}", "--base", "{home}", "--encoder", "hashing"), "is no knowledge base and holds"),
        (("list", "{corpus}"), "is not a knowledge base: make one with"),
        (("remove", "{corpus}", "x.md", "--firm", FIRM), "is not a knowledge base: make one with"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_2(words, expected: str, command, corpus: Path, tmp_path: Path) -> None:
    code, out, log = command(*[word.format(corpus=corpus, home=tmp_path) for word in words])
    assert (code, out) == (2, "")
    errors = [line for line in log.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, log
    assert expected in errors[0]
    assert not (tmp_path / "knowledge").exists()
    assert not (corpus / ".lock").exists()


def test_help_starts_without_the_heavy_libraries() -> None:
    program = (
        "import sys; sys.argv = ['techconverge', 'knowledge', 'add', '--help']\n"
        "from pipeline.cli import main\n"
        "try:\n    main()\nexcept SystemExit: pass\n"
        "print('heavy:', sorted({'torch', 'pandas', 'sklearn', 'chromadb', 'pypdf'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "heavy: []" in said.stdout
