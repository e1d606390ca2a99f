"""The configuration of step three: recipe < file < command line; what is unknown is refused."""

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.opportunities_config import load_opportunities_config


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_recipe_gives_way_to_the_file_and_the_file_to_the_command_line(tmp_path: Path) -> None:
    published = load_opportunities_config(None, "reference", {})
    assert (published.topics.choice, published.topics.ranked_by, published.judge.preset) == (
        "elbow", "fusion", "reference",
    )  # fmt: skip
    file = written(tmp_path, "topics: {choice: stability, top_pairs: 7}\njudged: 3\njudge: {repeats: 2}")
    given = {"topics": {"top_pairs": 9}, "judge": {"judges": None}}
    merged = load_opportunities_config(file, "reference", given)
    assert (merged.topics.choice, merged.topics.ranked_by, merged.topics.top_pairs) == ("stability", "fusion", 9)
    assert (merged.judged, merged.judge.repeats, merged.judge.judges) == (3, 2, ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("topics: {colour: red}", "topics.colour"),
        ("judge: {judges: [gpt]}", "provider:model"),
        ("judge: {base_url: 'http://user:secret@x'}", "no password or key"),
        ("judged: 0", "judged"),
        ("topics: red", "topics must hold keys and values"),
        ("- a", "must hold keys and values"),
        ("topics: [", "cannot be read as YAML"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        load_opportunities_config(written(tmp_path, text), "default", {})
    assert "secret@" not in str(caught.value)
