"""The configuration: recipe < file < environment < command line; what is unknown or out of bounds is refused."""

from pathlib import Path

import pytest
import yaml

from pipeline.errors import ConfigError
from pipeline.run_config import RunConfig, load_config


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text("seed: 1\ntask: {horizon: 4, window: 2}\nencoder: {model: hashing}\n")
    return path


def test_without_anything_the_defaults_stand() -> None:
    assert load_config(None, {}) == RunConfig()


def test_later_layers_win_key_by_key(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TECHCONVERGE_CONFIG__TASK__WINDOW", "5")
    monkeypatch.setenv("TECHCONVERGE_CONFIG__SEED", "2")
    config = load_config(file, {"seed": 3, "task": {"horizon": None, "level": "class"}})
    assert config.seed == 3  # command line
    assert config.task.window == 5  # environment
    assert config.task.horizon == 4  # file: None on the command line means not given
    assert config.encoder.model == "hashing"
    assert config.task.level == "class"
    assert config.task.min_patents == RunConfig().task.min_patents


def test_a_recipe_is_the_lowest_layer(tmp_path: Path) -> None:
    recipe = load_config(None, {"recipe": "reference"})
    assert recipe.recipe == "reference"
    assert recipe.fusion.kind == "reference"
    file = tmp_path / "own.yaml"
    file.write_text("recipe: reference\nreference: {theta: 3}\n")
    own = load_config(file, {})
    assert own.reference.theta == 3
    assert own.fusion == recipe.fusion


@pytest.mark.parametrize(
    ("given", "main", "further"),
    [
        ([], 4, (1, 2)),  # as the file has them
        ([5, 4, 1], 4, (1, 5)),  # the configured one is among them
        ([5, 1, 3], 3, (1, 5)),  # else the middle one
        ([1, 5], 5, (1,)),  # of two, the longer
        ([2], 2, ()),
    ],
)
def test_horizons_of_the_command_line_replace_the_files(
    given: list[int], main: int, further: tuple[int, ...], file: Path
) -> None:
    file.write_text(file.read_text() + "horizons: [2, 1]\n")
    config = load_config(file, {}, given)
    assert config.task.horizon == main
    assert config.every_horizon() == sorted({main, *further})
    assert config.at_horizon(main) == load_config(file, {"task": {"horizon": main}, "horizons": []})
    assert config.task.window == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [([3, 1, 3], "named twice"), ([3, 0], r"horizons\.1"), ([3, 11], r"horizons\.1"), ([0], r"task\.horizon")],
)
def test_horizons_that_cannot_be_are_refused(given: list[int], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(None, {}, given)


def test_a_config_written_out_reads_back_the_same(tmp_path: Path) -> None:
    config = load_config(None, {"recipe": "reference", "task": {"horizon": 5}, "horizons": [1]})
    path = tmp_path / "again.yaml"
    path.write_text(yaml.safe_dump(config.model_dump(mode="json")))
    assert load_config(path, {}) == config


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("horizont: 3", "horizont"),
        ("task: {horizon: 0}", "task.horizon"),
        ("task: {horizon: three}", "task.horizon"),
        ("task: {level: group}", "task.level"),
        ("task: 3", "task"),
        ("task: {track: strengthening}\nhorizons: [1, 3]", "take one --horizon on this track"),
        ("recipe: ../../etc/passwd", "recipe"),
        ("seed: -1", "seed"),
        ("bootstrap_repeats: 0", "bootstrap_repeats"),
        ("ensemble: {members: [oracle/none]}", "ensemble.members"),
        ("recipe: reference\nfusion: {kind: attention}", "fusion.kind attention does not go with recipe reference"),
        ("encoder: hashing", "encoder"),
        ("- a list", "must hold keys and values"),
        ("task: {horizon", "cannot be read as YAML"),
        ("!!python/object/apply:os.system ['true']", "cannot be read as YAML"),
    ],
)
def test_a_fault_is_one_line_that_names_the_key(content: str, named: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError) as raised:
        load_config(path, {"task": {"horizon": None}, "encoder": {"model": None}})  # a command line that says nothing
    assert named in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_fault_of_the_environment_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TECHCONVERGE_CONFIG__TASK__HORIZONT", "3")
    with pytest.raises(ConfigError, match=r"task\.horizont"):
        load_config(None, {})
    monkeypatch.delenv("TECHCONVERGE_CONFIG__TASK__HORIZONT")
    monkeypatch.setenv("TECHCONVERGE_CONFIG__SEED", "{")
    with pytest.raises(ConfigError, match="TECHCONVERGE_CONFIG__SEED"):
        load_config(None, {})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml cannot be read"):
        load_config(tmp_path / "nowhere.yaml", {})
