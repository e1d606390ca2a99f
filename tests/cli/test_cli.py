"""The command line as its user meets it: what it prints, how it exits, what it leaves behind."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from cases import names, real_data
from runs import FEW_BLOCKS, FIRM, stored

from pipeline import __version__
from pipeline.cli import main
from pipeline.corpus.readers import SourceTable

Outcome = tuple[int, str, str]  # exit code, standard output, standard error


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Call ``techconverge`` in this process."""

    def call(*words: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["techconverge", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        printed = capsys.readouterr()
        return int(left.value.code or 0), printed.out, printed.err

    return call


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(autouse=True)
def own_cache(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TECHCONVERGE_CACHE", str(home / "cache"))


@pytest.fixture(scope="module")
def table(home: Path, sample_rows: SourceTable) -> Path:
    """The simulated documents as the flat CSV a user would bring."""
    path = home / "patents.csv"
    sample_rows.frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def corpus(home: Path, sample_rows: SourceTable) -> Path:
    return stored(sample_rows, home / "corpus")


@pytest.fixture(scope="module")
def light(home: Path) -> Path:
    path = home / "light.yaml"
    settings = {
        "bootstrap_repeats": 20,
        "encoder": {"model": "hashing"},
        "ensemble": {"members": ["logistic/none"], "training_origins": 2},
        "features": FEW_BLOCKS,
    }
    path.write_text(yaml.safe_dump(settings))
    return path


@pytest.fixture
def whole(command, corpus: Path, light: Path, home: Path) -> Path:
    """A backtest that several tests copy; made once."""
    run = home / "whole"
    if not run.exists():
        assert command("backtest", corpus, "--cutoff", "2016-12-31", "--config", light, "--out", run)[0] == 0
    return run


@pytest.fixture
def taught(command, light: Path, home: Path) -> Path:
    """A prior ranker taught by another corpus; made once."""
    path = home / "ranker.json"
    if not path.exists():
        assert command("sample", "--patents", "700", "--seed", "9", "--out", home / "other")[0] == 0
        code, out, log = command("train-prior", home / "other", "--out", path, "--config", light)
        assert code == 0, log
        assert "new links of 1 corpora" in out
    return path


def test_ingest_prints_an_account_that_adds_up(command, table: Path, tmp_path: Path) -> None:
    code, out, _ = command("ingest", table, "--out", tmp_path / "corpus")
    assert code == 0
    counts = re.search(r"read (\S+) = kept (\S+) \+ merged (\S+) .*\+ quarantined (\S+)", out)
    assert counts
    read, kept, merged, quarantined = (int(text.replace(",", "")) for text in counts.groups())
    assert read == kept + merged + quarantined
    assert read == len(pd.read_csv(table))
    assert min(kept, merged, quarantined) > 0
    assert len(pd.read_parquet(tmp_path / "corpus" / "patents.parquet")) == kept


def test_families_kept_count_every_document(command, table: Path, tmp_path: Path) -> None:
    code, out, _ = command("ingest", table, "--out", tmp_path / "corpus", "--families", "keep")
    assert code == 0
    assert "families 0" in out


def test_forecast_backtest_repeat_and_report(command, corpus: Path, light: Path, home: Path) -> None:
    options = ("--config", light, "--horizon", "2", "--level", "class", "--min-patents", "2", "--seed", "5")
    code, out, log = command(
        "forecast", corpus, "--cutoff", "2016-12-31", "--firm", FIRM, *options, "--out", home / "forecast"
    )
    assert code == 0, log
    assert out == f"report: {home / 'forecast' / 'report.html'}\n"
    assert "candidate pairs" in log
    asked = json.loads((home / "forecast" / "run.json").read_text())
    assert asked["config"]["seed"] == 5
    assert asked["config"]["task"]["horizon"] == 2
    assert asked["config"]["task"]["level"] == "class"
    assert asked["config"]["encoder"]["model"] == "hashing"
    assert pd.read_parquet(home / "forecast" / "predictions.parquet")["code_a"].str.fullmatch(r"[A-HY]\d\d").all()

    code, out, _ = command("repeat", home / "forecast", "--out", home / "repeated")
    assert code == 0
    again = json.loads((home / "repeated" / "run.json").read_text())
    assert again["outputs"] == asked["outputs"]

    before = (home / "forecast" / "report.html").read_bytes()
    (home / "forecast" / "report.html").unlink()
    code, out, _ = command("report", home / "forecast")
    assert code == 0
    assert (home / "forecast" / "report.html").read_bytes() == before

    cutoffs = ("--cutoff", "2015-12-31", "--cutoff", "2014-12-31", "--horizon", "2", "--horizon", "3")
    code, _, log = command("backtest", corpus, *cutoffs, "--config", light, "--scheme", "cpc", "--out", home / "test")
    assert code == 0, log
    table = pd.read_parquet(home / "test" / "predictions.parquet")
    assert table["cutoff"].dt.year.unique().tolist() == [2014, 2015]
    assert pd.read_parquet(home / "test" / "horizons.parquet")["horizon"].unique().tolist() == [2, 3]
    assert json.loads((home / "test" / "metrics.json").read_text())["horizon"] == 3
    assert table["code_b"].str.startswith("Y").any()  # Y codes exist in CPC only


FAULTS = {
    "no corpus": (("forecast", "{home}/nothing", "--cutoff", "2016-12-31"), "is not a corpus: make one with"),
    "a file as corpus": (("forecast", "{home}/light.yaml", "--cutoff", "2016-12-31"), "is not a corpus: make one with"),
    "early cutoff": (("forecast", "{corpus}", "--cutoff", "1950-12-31"), "lies outside the data"),
    "open window": (("backtest", "{corpus}", "--cutoff", "2018-12-31"), "cannot be tested"),
    "unknown firm": (("forecast", "{corpus}", "--cutoff", "2016-12-31", "--firm", "Zyxw"), "Zyxw"),
    "horizon 0": (("forecast", "{corpus}", "--cutoff", "2016-12-31", "--horizon", "0"), "task.horizon"),
    "horizon 99": (("forecast", "{corpus}", "--cutoff", "2016-12-31", "--horizon", "99"), "task.horizon"),
    "negative seed": (("forecast", "{corpus}", "--cutoff", "2016-12-31", "--seed", "-1"), "seed"),
    "no config": (("forecast", "{corpus}", "--cutoff", "2016-12-31", "--config", "{home}/no.yaml"), "no.yaml"),
    "no encoder": (
        ("forecast", "{corpus}", "--cutoff", "2016-12-31", "--encoder", "{home}/no-model"),
        "no-model",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_users_mistake_is_one_line_exit_2_and_nothing_left(
    name: str, command, corpus: Path, light: Path, home: Path, tmp_path: Path
) -> None:
    words, expected = FAULTS[name]
    filled = [word.format(home=home, corpus=corpus) for word in words]
    code, out, log = command(*filled, "--out", tmp_path / "run")
    assert code == 2
    assert out == ""
    last = [line for line in log.splitlines() if line.startswith("error: ")]
    assert len(last) == 1, log
    assert log.endswith(last[0] + "\n")
    assert expected in last[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ("forecast", "{corpus}", "--cutoff", "31.12.2016"),
        ("forecast", "{corpus}", "--cutoff", "2016-13-31"),
        ("forecast", "{corpus}"),
        ("forecast", "{corpus}", "--cutoff", "2016-12-31", "--level", "group"),
        ("backtest", "{corpus}", "--cutoff", "2016-12-31", "--scheme", "uspc"),
        ("backtest", "{corpus}", "--cutoff", "2016-12-31", "--no-such-option"),
        ("ingest",),
    ],
)
def test_a_bad_option_exits_2(words: tuple[str, ...], command, corpus: Path, tmp_path: Path) -> None:
    code, out, log = command(*[word.format(corpus=corpus) for word in words], "--out", tmp_path / "run")
    assert (code, out) == (2, "")
    assert "Traceback" not in log
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"", "empty"), (b"\x00\x01\x02\xff" * 9, "x.csv"), (b"a,b\n1,2\n", "x.csv"), (b"patent_id,date\n", "x.csv")],
)
def test_ingest_refuses_what_it_cannot_read(content: bytes, expected: str, command, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    code, out, log = command("ingest", tmp_path / "x.csv", "--out", tmp_path / "corpus")
    assert (code, out) == (2, "")
    assert [expected in line for line in log.splitlines() if line.startswith("error: ")] == [True]
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


@pytest.mark.parametrize("words", [("report", "{corpus}"), ("repeat", "{corpus}", "--out", "{corpus}-again")])
def test_what_is_not_a_run_is_said_to_be_none(words: tuple[str, ...], command, corpus: Path) -> None:
    code, out, log = command(*[word.format(corpus=corpus) for word in words])
    assert (code, out) == (2, "")
    assert log.startswith(f"error: {corpus} is not a run: make one with")


def test_a_corpus_that_was_tampered_with_is_refused(
    command, sample_rows: SourceTable, home: Path, light: Path, tmp_path: Path
) -> None:
    folder = stored(sample_rows, home / "tampered")
    patents = folder / "patents.parquet"
    patents.write_bytes(patents.read_bytes()[:-100])
    code, _, log = command("forecast", folder, "--cutoff", "2016-12-31", "--config", light, "--out", tmp_path / "run")
    assert code == 2
    assert "patents" in log.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_the_google_patents_export_is_read_and_the_search_pages_is_refused(command, tmp_path: Path) -> None:
    export = real_data("formats/google_patents_bigquery_export.csv")
    code, out, log = command("ingest", export, "--out", tmp_path / "corpus")
    assert code == 0, log
    assert "read 493 = kept 468 + merged 25" in out
    for name in ("google_patents_search_export.csv", "google_patents_csv_2017_autonomous.csv"):
        code, out, log = command("ingest", real_data(f"formats/{name}"), "--out", tmp_path / "refused")
        assert (code, out) == (2, "")
        assert "carries no IPC or CPC symbols" in log
    assert names(tmp_path) == ["corpus"]


def test_the_sample_says_that_it_is_simulated(command, tmp_path: Path) -> None:
    code, out, _ = command("sample", "--patents", "300", "--out", tmp_path / "corpus")
    assert code == 0
    assert "simulated" in out
    assert json.loads((tmp_path / "corpus" / "manifest.json").read_text())["simulated"] is True


def test_python_m_pipeline_is_the_same_command() -> None:
    said = subprocess.run([sys.executable, "-m", "pipeline", "--version"], capture_output=True, text=True, check=True)
    assert said.stdout == f"techconverge {__version__}\n"


def test_help_starts_without_the_heavy_libraries() -> None:
    program = (
        "import sys; sys.argv = ['techconverge', '--help']\n"
        "from pipeline.cli import main\n"
        "try:\n    main()\nexcept SystemExit: pass\n"
        "print('heavy:', sorted({'torch', 'pandas', 'sklearn', 'lightgbm', 'prefect'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "heavy: []" in said.stdout
    assert "forecast" in said.stdout


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.json", '{"config": {}}'),
        ("run.json", "[]"),
        ("metrics.json", '{"origins": [{}], "metrics": 5}'),
        ("predictions.parquet", "PAR1"),
    ],
)
def test_a_run_that_was_tampered_with_is_refused(name: str, content: str, command, whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "run")
    (tmp_path / "run" / name).write_text(content)
    code, _, log = command("report", tmp_path / "run")
    assert code == 2
    assert log.startswith("error: ")
    assert log.count("\n") == 1
    assert name in log


def test_probabilities_that_are_none_are_refused(command, whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "wrong"
    shutil.copytree(whole, run)
    table = pd.read_parquet(run / "predictions.parquet").assign(probability=7.0)
    table.to_parquet(run / "predictions.parquet")
    code, _, log = command("report", run)
    assert code == 2
    assert "probability" in log


def test_a_prior_ranker_is_trained_used_and_named_in_the_record(
    command, corpus: Path, light: Path, taught: Path, home: Path, tmp_path: Path
) -> None:
    ranker = tmp_path / "ranker.json"
    shutil.copy(taught, ranker)
    config = tmp_path / "with.yaml"
    config.write_text(light.read_text() + f"prior_ranker: {ranker}\n")
    run = home / "with_prior"
    assert command("backtest", corpus, "--cutoff", "2016-12-31", "--config", config, "--out", run)[0] == 0
    record = json.loads((run / "run.json").read_text())
    assert record["prior_ranker"]["corpora"][0]["corpus"] == "other"
    assert "prior/boosted" in record["member_weights"]["2016-12-31"]
    assert command("repeat", run, "--out", home / "with_prior_again")[0] == 0
    ranker.write_text(ranker.read_text() + " ")
    code, _, log = command("repeat", run, "--out", home / "with_prior_again")
    assert code == 2
    assert "has changed since" in log


def test_the_strengthening_track_is_a_run_of_its_own(
    command, corpus: Path, light: Path, home: Path, tmp_path: Path
) -> None:
    config = tmp_path / "all_blocks.yaml"  # its baselines come from several
    config.write_text(yaml.safe_dump(yaml.safe_load(light.read_text()) | {"features": {}}))
    words = ("--cutoff", "2015-12-31", "--track", "strengthening", "--firm", FIRM, "--config", config)
    code, _, log = command("backtest", corpus, *words, "--out", home / "stronger")
    assert code == 0, log
    metrics = json.loads((home / "stronger" / "metrics.json").read_text())
    assert metrics["track"] == "strengthening"
    assert metrics["outcome"].startswith("linked by the cutoff; ")
    table = pd.read_parquet(home / "stronger" / "predictions.parquet")
    assert (table["prior"] > 0).all()
    assert set(table["status"]) == {"active", "dormant"}
    assert {"baseline__joint_patents", "baseline__joint_patents_recent", "baseline__joint_growth"} <= set(table)
    ranked = pd.read_csv(home / "stronger" / "ranked.csv")
    assert {"prior", "status"} <= set(ranked)
    page = (home / "stronger" / "report.html").read_text(encoding="utf-8")
    assert "strengthening of existing links" in page
    assert "and more than in the 3 years before" in page
    assert not re.search(r"never (met|shared)|did not meet|first joint patent|has not joined", page)
    assert command("repeat", home / "stronger", "--out", home / "stronger_again")[0] == 0


def test_a_prior_ranker_of_the_other_track_is_refused(
    command, corpus: Path, light: Path, taught: Path, tmp_path: Path
) -> None:
    config = tmp_path / "with.yaml"
    config.write_text(light.read_text() + f"prior_ranker: {taught}\n")
    words = ("--cutoff", "2015-12-31", "--track", "strengthening", "--config", config)
    code, _, log = command("backtest", corpus, *words, "--out", tmp_path / "run")
    assert code == 2
    assert "was taught on the new track, the run asks for strengthening" in log


def test_entry_dates_are_made_used_and_named_in_the_record(command, corpus: Path, light: Path, tmp_path: Path) -> None:
    inventory, dates = tmp_path / "inventory.csv", tmp_path / "dates.csv"
    old = ["F25B;19680901;-", "G06F;19680901;-"]
    inventory.write_text("\n".join([*old, "F25D;20170101;-", "G06K;20150601;-"]))  # the latter two are not true
    code, out, log = command("entry-dates", inventory, "--out", dates)
    assert code == 0, log
    assert "22 codes" in out  # eight of the inventory and above it, fourteen of the CPC that are shipped
    config = tmp_path / "with.yaml"
    config.write_text(light.read_text() + f"task: {{entry_dates: {dates}}}\n")
    run = tmp_path / "run"
    code, _, log = command("forecast", corpus, "--cutoff", "2016-12-31", "--config", config, "--out", run)
    assert code == 0, log
    record = json.loads((run / "run.json").read_text())
    assert record["entry_dates"]["path"] == "dates.csv"
    assert [universe["not_in_force"] for universe in record["candidates"]] == [2, 1]  # as of 2013, of 2016
    ranked = pd.read_csv(run / "ranked.csv")
    assert "F25D" not in {*ranked["code_a"], *ranked["code_b"]}
    assert (ranked["entered"] == (ranked[["code_a", "code_b"]] == "G06K").any(axis=1)).all()
    assert ranked["entered"].any()
    assert "1 such code is left out" in (run / "report.html").read_text(encoding="utf-8")

    assert command("repeat", run, "--out", tmp_path / "again")[0] == 0
    dates.write_text(dates.read_text().replace("2017", "2016"))
    code, _, log = command("repeat", run, "--out", tmp_path / "again")
    assert code == 2
    assert "dates.csv is missing or has changed since" in log
    dates.unlink()
    for words in (("repeat", run), ("forecast", corpus, "--cutoff", "2016-12-31", "--config", config)):
        code, _, log = command(*words, "--out", tmp_path / "again")
        assert code == 2
        assert "dates.csv" in log
        assert log.count("\n") == 1
