"""The configuration of step three: how pairs are refined to topics, and who judges what of them."""

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from pipeline.config import Recipe, Stage
from pipeline.errors import ConfigError
from pipeline.judge.config import JudgeConfig
from pipeline.opportunities.topic_pairs import REFERENCE, TopicConfig
from pipeline.run_config import read_yaml


class OpportunitiesConfig(Stage):
    """Everything that topic-level opportunities depend on besides the run, the firm and the domain."""

    topics: TopicConfig = TopicConfig()
    judge: JudgeConfig = JudgeConfig()
    judged: int = Field(20, ge=1, description="opportunities at the head of the list that are judged")


def load_opportunities_config(
    file: Path | None, recipe: Recipe, overrides: dict[str, dict[str, Any]]
) -> OpportunitiesConfig:
    """The recipe's presets, a YAML file (topics, judge, judged) and the command line's values, in rising order.

    Raises:
        ConfigError: an unreadable file, an unknown key or a value out of bounds; names the key.
    """
    preset = {"topics": REFERENCE, "judge": {"preset": "reference"}} if recipe == "reference" else {}
    merged: dict[str, Any] = dict(read_yaml(file)) if file else {}
    for key in ("topics", "judge"):
        given = {name: value for name, value in overrides.get(key, {}).items() if value is not None}
        written = merged.get(key) or {}
        if not isinstance(written, dict):
            raise ConfigError(f"{file}: {key} must hold keys and values")
        merged[key] = {**preset.get(key, {}), **written, **given}
    try:
        return OpportunitiesConfig.model_validate(merged)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise ConfigError(f"configuration: {faults}") from error
