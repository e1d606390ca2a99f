"""Blocks and learners of one's own: known by name once handed over, never by a configuration alone."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from runs import LIGHT, stored

from pipeline import extensions
from pipeline.artifacts import sha256_file
from pipeline.cli import main
from pipeline.config import FeaturesConfig, TaskConfig
from pipeline.corpus.readers import SourceTable
from pipeline.corpus.timeline import Corpus
from pipeline.errors import ConfigError
from pipeline.evaluation.words import in_words
from pipeline.extensions import Extension, feature_block, learner, load_extensions, register
from pipeline.features.base import BlockOutput
from pipeline.features.build import build_features
from pipeline.pairs.candidates import candidate_pairs
from pipeline.ranking.learners import make_learner
from pipeline.run import load_request
from pipeline.run_config import RunConfig, load_config, with_extensions
from pipeline.run_request import part_requests

BLOCK = '''"""The age of the younger code."""
import numpy as np

from pipeline.extensions import feature_block, learner
from pipeline.features.base import BlockOutput


@feature_block
def age(history, pairs, task, seed):
    incidence = history.incidence(task.scheme, task.level)
    days = history.patents["knowledge_date"].to_numpy().astype("datetime64[D]").astype(float)
    matrix = incidence.matrix.tocoo()
    first = np.full(len(incidence.codes), np.inf)
    np.minimum.at(first, matrix.col, days[matrix.row])
    place = np.searchsorted(incidence.codes, pairs.codes)
    return BlockOutput({"age__first_patent__all__lag0": np.maximum(first[place][pairs.a], first[place][pairs.b])})


@learner
def bayes(seed, positives):
    from sklearn.impute import SimpleImputer
    from sklearn.naive_bayes import GaussianNB
    from sklearn.pipeline import make_pipeline

    return make_pipeline(SimpleImputer(strategy="constant", fill_value=0.5, keep_empty_features=True), GaussianNB())
'''


@pytest.fixture(autouse=True)
def none_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten after it."""
    monkeypatch.setattr(extensions, "_KNOWN", {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(BLOCK)
    return path


@pytest.fixture
def history(sample_corpus: Corpus) -> Corpus:
    return sample_corpus.as_of(pd.Timestamp("2012-12-31").as_unit("s"))


def told(values: Any, name: str = "own__one__all__lag0") -> Any:
    """A block that returns one column."""

    def own(history: Any, pairs: Any, task: Any, seed: Any) -> BlockOutput:
        return BlockOutput({name: values(len(pairs))})

    return own


def test_a_file_is_run_when_it_is_named_and_tells_what_it_defined(file: Path) -> None:
    found = load_extensions(file)
    assert [(each.kind, each.name, each.where) for each in found] == [
        ("block", "age", "mine.py:age"),
        ("learner", "bayes", "mine.py:bayes"),
    ]
    assert {each.sha256 for each in found} == {sha256_file(file)}


@pytest.mark.parametrize("content", [None, "x = 1\n"])
def test_a_file_without_extensions_is_refused(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "none.py").write_text(content)
    with pytest.raises(ConfigError, match=r"none\.py"):
        load_extensions(tmp_path / "none.py")


def test_a_name_in_a_configuration_imports_nothing(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n" + BLOCK)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("age", "mine:age", "mine.age", "mine", str(file)):
        for settings in ({"features": {"blocks": [name]}}, {"ensemble": {"members": [f"{name}/none"]}}):
            with pytest.raises(ConfigError, match="--extension"):
                load_config(None, settings)
    assert not (tmp_path / "ran").exists()
    assert "mine" not in sys.modules


def test_what_was_handed_over_joins_the_configured_unless_it_is_named(file: Path) -> None:
    own = load_extensions(file)
    joined = with_extensions(RunConfig(), own)
    assert joined.features.blocks == (*RunConfig().features.blocks, "age")
    assert joined.ensemble.members == (*RunConfig().ensemble.members, "bayes/none")
    named = load_config(None, {"features": {"blocks": ["age"]}, "ensemble": {"members": ["bayes/weights"]}})
    assert with_extensions(named, own) == named
    assert set(named.extensions()) == {"block:age", "learner:bayes"}
    assert RunConfig().extensions() == {}
    with pytest.raises(ConfigError, match="published method"):
        with_extensions(load_config(None, {"recipe": "reference"}), own)


def test_names_of_built_in_things_are_taken(sample_corpus: Corpus) -> None:
    def network(history: Any, pairs: Any, task: Any, seed: Any) -> BlockOutput:
        return BlockOutput({})

    def lightgbm(seed: int, positives: int) -> None:
        return None

    for kind, function in (("block", network), ("learner", lightgbm)):
        with pytest.raises(ConfigError, match="built in"):
            with_extensions(RunConfig(), [register(kind, function)])  # type: ignore[arg-type]
    assert make_learner("lightgbm", 1, 10) is not None
    with pytest.raises(ValueError, match="built in"):
        FeaturesConfig(blocks=("network",))


@pytest.mark.parametrize("kind", ["block", "learner"])
def test_only_plain_functions_that_can_be_called_are_taken(kind: Any) -> None:
    def few(history: Any) -> None: ...

    def Loud(history: Any, pairs: Any, task: Any, seed: Any) -> None: ...  # noqa: N802

    for wrong in (few, Loud, BlockOutput, 7):
        with pytest.raises(ConfigError):
            register(kind, wrong)  # type: ignore[arg-type]
    scope: dict[str, Any] = {}
    exec("def mine(history, pairs, task, seed): ...\ndef yours(seed, positives): ...", scope)
    with pytest.raises(ConfigError, match="source"):
        register(kind, scope["mine" if kind == "block" else "yours"])


def test_a_block_of_ones_own_is_a_modality_like_any_other(file: Path, history: Corpus) -> None:
    load_extensions(file)
    pairs = candidate_pairs(history, TaskConfig()).pairs
    table = build_features(history, pairs, TaskConfig(), 1, wanted=["network", "age"])
    assert table.modalities() == ["network", "age"]
    values = table.columns["age__first_patent__all__lag0"]
    assert values.dtype == np.float32
    assert values.nunique() > 2
    assert in_words("age__first_patent__w3__lag0") == "first patent, in the last 3 years"


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (np.zeros, "other__one__all__lag0"),
        (np.zeros, "own__one"),
        (np.zeros, "own__One__all__lag0"),
        (lambda n: np.zeros(n - 1), "own__one__all__lag0"),
        (lambda n: np.zeros((n, 2)), "own__one__all__lag0"),
        (lambda n: np.full(n, np.inf), "own__one__all__lag0"),
        (lambda n: np.full(n, 1e300), "own__one__all__lag0"),
        (lambda n: np.full(n, "text"), "own__one__all__lag0"),
    ],
)
def test_what_a_block_hands_back_is_checked(values: Any, name: str, history: Corpus) -> None:
    feature_block(told(values, name))
    pairs = candidate_pairs(history, TaskConfig()).pairs
    with pytest.raises(ConfigError, match="block own"):
        build_features(history, pairs, TaskConfig(), 1, wanted=["own"])


def test_a_block_that_returns_something_else_is_told_so(history: Corpus) -> None:
    @feature_block
    def own(history: Any, pairs: Any, task: Any, seed: Any) -> Any:
        return {"own__one__all__lag0": [1.0]}

    with pytest.raises(ConfigError, match="returned dict"):
        build_features(history, candidate_pairs(history, TaskConfig()).pairs, TaskConfig(), 1, wanted=["own"])


def test_a_cell_that_is_run_again_replaces_what_it_defined_before() -> None:
    @learner
    def mine(seed: int, positives: int) -> str:
        return "first"

    @learner
    def mine(seed: int, positives: int) -> str:  # noqa: F811
        return "second"

    assert make_learner("mine", 1, 1) == "second"
    assert extensions.known("learner") == ["mine"]


SETTINGS: dict[str, Any] = {
    "features": {"blocks": ["network", "age"]},
    "ensemble": {"members": ["logistic/none", "bayes/none"]},
    "prior_ranker": "none",
    "task": {"level": "class", "min_patents": 2},
}


@pytest.fixture
def command(tmp_path: Path, sample_rows: SourceTable, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call ``techconverge`` in this process; the exit code."""
    monkeypatch.setenv("TECHCONVERGE_CACHE", str(tmp_path / "cache"))

    def call(*words: str | Path) -> int:
        monkeypatch.setattr(sys, "argv", ["techconverge", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        return int(left.value.code or 0)

    return call


def test_a_run_with_ones_own_tells_so_and_is_repeated_only_with_the_same_code(
    command: Any, file: Path, tmp_path: Path, sample_rows: SourceTable, capsys: pytest.CaptureFixture[str]
) -> None:
    config, run = tmp_path / "config.json", tmp_path / "run"  # JSON is YAML
    config.write_text(json.dumps(LIGHT | SETTINGS))
    corpus = stored(sample_rows, tmp_path / "corpus")
    words = ["forecast", corpus, "--cutoff", "2016-12-31", "--config", config, "--out", run]
    assert command(*words) == 2
    assert "--extension" in capsys.readouterr().err
    assert command(*words, "--extension", file) == 0
    record = json.loads((run / "run.json").read_text())
    where = {"where": "mine.py:age", "sha256": sha256_file(file)}
    assert record["extensions"]["block:age"] == {"kind": "block", **where}
    assert set(record["extensions"]) == {"block:age", "learner:bayes"}
    assert "bayes/none" in record["member_weights"]["2016-12-31"]
    reasons = pd.read_parquet(run / "explanations.parquet")
    assert "age" in set(reasons.loc[reasons["kind"] == "modality", "name"])

    request = load_request(run)
    keys = {part.key() for part in part_requests(request)}
    file.write_text(BLOCK + "# changed\n")
    capsys.readouterr()
    assert command("repeat", run, "--out", tmp_path / "again", "--extension", file) == 2
    assert "the block age, which has changed" in capsys.readouterr().err
    assert not keys & {part.key() for part in part_requests(request)}
    extensions._KNOWN.clear()
    assert command("repeat", run, "--out", tmp_path / "again") == 2
    assert "the block age, which is not loaded" in capsys.readouterr().err


def test_an_extension_tells_a_record_its_kind_place_and_hash() -> None:
    assert Extension("block", "x", test_a_file_without_extensions_is_refused, "f.py:x", "0").told() == {
        "kind": "block",
        "where": "f.py:x",
        "sha256": "0",
    }
