"""Prompts are files: what they must hold, and what a change of them changes."""

import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.errors import ConfigError
from pipeline.judge import rubric
from pipeline.judge.config import JudgeConfig
from pipeline.judge.rubric import load_rubric

SHIPPED = Path(rubric.__file__).parent / "default"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "own"))


def test_the_shipped_rubric_has_the_seven_criteria_each_with_its_levels() -> None:
    assert set(load_rubric("default").criteria) == {
        "technical_compatibility",
        "feasibility",
        "need",
        "strategic_fit",
        "competitive_risk",
        "regulatory_risk",
        "specificity",
    }
    assert load_rubric("default").scale == (0, 5)
    assert load_rubric("default").titles()["need"] == "Need"


def test_the_reference_preset_is_one_list_from_one_to_ten() -> None:
    reference = load_rubric("reference")
    assert reference.criteria == {}
    assert reference.scale == (1, 10)


@pytest.mark.parametrize("file", ["system.md", "reply.md", "criteria/need.md"])
def test_every_word_enters_the_version(own: Path, file: str) -> None:
    assert load_rubric("default", own).version == load_rubric("default").version
    (own / file).write_text((own / file).read_text() + "\nBe brief.")
    assert load_rubric("default", own).version != load_rubric("default").version


def test_criteria_are_the_files_there_are(own: Path) -> None:
    (own / "criteria" / "need.md").unlink()
    (own / "criteria" / "beauty.md").write_text("# Beauty\n\n" + "\n".join(f"{level}: so much" for level in range(6)))
    criteria = load_rubric("default", own).criteria
    assert "beauty" in criteria
    assert "need" not in criteria


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("criteria/need.md", "# Need\n\n0: no\n5: yes", "levels 0: to 5:"),
        ("criteria/need.md", "Need\n\n0: a\n1: a\n2: a\n3: a\n4: a\n5: a", "must begin with '# Title'"),
        ("criteria/Need 2.md", "# Need", "small letters"),
        ("criteria/overall.md", "# Overall", "not overall.md"),
        ("system.md", "  \n", "between 1 and 20000 characters"),
        ("reply.md", "x" * 20_001, "between 1 and 20000 characters"),
    ],
)
def test_a_file_that_will_not_do_is_named(own: Path, file: str, text: str, said: str) -> None:
    (own / file).write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        load_rubric("default", own)
    assert file.rpartition("/")[2] in str(caught.value)


def test_a_folder_that_lacks_a_file_is_told(own: Path) -> None:
    (own / "reply.md").unlink()
    with pytest.raises(ConfigError, match=r"reply\.md is missing"):
        load_rubric("default", own)
    with pytest.raises(ConfigError, match="holds no criterion"):
        load_rubric("default", own / "nowhere")


@pytest.mark.parametrize(
    "settings",
    [{"judges": ("gpt",)}, {"judges": ("openai:",)}, {"judges": ("openai:x", "openai:x")}, {"repeats": 0}, {"keys": 1}],
)
def test_a_configuration_that_will_not_do_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        JudgeConfig(**settings)
