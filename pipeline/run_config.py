"""The configuration of a whole run: recipe < file < environment < command line; unknown keys are refused."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipeline import extensions
from pipeline.config import RESERVED, EncoderConfig, FeaturesConfig, Recipe, TaskConfig
from pipeline.errors import ConfigError
from pipeline.fusion.base import FusionConfig
from pipeline.ranking.ensemble import TAKEN, EnsembleConfig
from pipeline.ranking.prior_ranker import SHIPPED
from pipeline.ranking.reference import ReferenceConfig

ENVIRONMENT_PREFIX = "TECHCONVERGE_CONFIG__"  # TECHCONVERGE_CONFIG__TASK__HORIZON=5


class RunConfig(BaseModel):
    """Everything a forecast or backtest depends on besides the corpus and the dates."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: Recipe = Field("default", description="reference: the published method")
    seed: int = Field(default=7, ge=0, lt=2**31, description="of everything random")
    task: TaskConfig = TaskConfig()
    horizons: tuple[Annotated[int, Field(ge=1, le=10)], ...] = Field(
        (), description="further ones, in years, beside task.horizon"
    )
    encoder: EncoderConfig = EncoderConfig()
    features: FeaturesConfig = FeaturesConfig()
    fusion: FusionConfig = FusionConfig()
    ensemble: EnsembleConfig = EnsembleConfig()
    reference: ReferenceConfig = ReferenceConfig()
    prior_ranker: Literal["shipped", "none"] | Path = Field(
        "shipped", description="what other corpora taught: or a file of `techconverge train-prior`"
    )
    bootstrap_repeats: int = Field(default=200, ge=20, description="resamples behind every interval of a metric")

    @field_validator("prior_ranker")
    @classmethod
    def _from_anywhere(cls, given: str | Path) -> str | Path:
        return given.absolute() if isinstance(given, Path) else given  # a record is repeated from any folder

    def prior_ranker_file(self) -> Path | None:
        """The file of the prior ranker to use, if any; the shipped one was taught on the new-link track."""
        if self.recipe == "reference" or self.prior_ranker == "none":
            return None
        if self.prior_ranker == "shipped":
            return SHIPPED if self.task.track == "new" else None
        return Path(self.prior_ranker)

    @field_validator("horizons")
    @classmethod
    def _distinct(cls, years: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(years)) < len(years):
            raise ValueError("a horizon is named twice: name each once")
        return tuple(sorted(years))

    @model_validator(mode="after")
    def _horizons_of_track(self) -> "RunConfig":
        if self.task.track == "strengthening" and len(self.every_horizon()) > 1:
            raise ValueError("growth within 3 years says nothing of growth within 5: take one --horizon on this track")
        return self

    def every_horizon(self) -> list[int]:
        """The main horizon and the further ones, in years, rising."""
        return sorted({self.task.horizon, *self.horizons})

    def at_horizon(self, years: int) -> "RunConfig":
        """The configuration of a run with this one horizon."""
        return self.model_copy(update={"task": self.task.model_copy(update={"horizon": years}), "horizons": ()})

    def extensions(self) -> dict[str, dict[str, str]]:
        """The blocks and learners of the user's own that are configured: what a record tells of each."""
        return extensions.used(self.features.blocks, self.ensemble.members)

    @model_validator(mode="after")
    def _own_of_recipe(self) -> "RunConfig":
        if self.recipe == "reference" and self.extensions():
            raise ValueError("recipe reference is a published method: it takes no block or learner of one's own")
        return self

    @model_validator(mode="after")
    def _fusion_of_recipe(self) -> "RunConfig":
        if (self.recipe == "reference") != (self.fusion.kind == "reference"):
            raise ValueError(f"fusion.kind {self.fusion.kind} does not go with recipe {self.recipe}: leave it out")
        return self


def load_config(file: Path | None, overrides: dict[str, Any], horizons: Sequence[int] = ()) -> RunConfig:
    """Merge the recipe's presets, a YAML file, the environment and the command line's values, in rising order.

    ``overrides`` is nested like the config; None means not given. ``horizons``: all that are wanted, in place of those
    configured; the main one is the configured one where it is among them, else the middle one (of two, the longer).

    Raises:
        ConfigError: an unreadable file, an unknown key or a value out of bounds; names the key.
    """
    layers = [read_yaml(file) if file else {}, _from_environment(), _without_none(overrides)]
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = _merge(merged, layer)
    recipe = Path(__file__).parent / "recipes" / f"{merged.get('recipe', 'default')}.yaml"
    if recipe.exists():
        merged = _merge(read_yaml(recipe), merged)
    config = _validated(merged)
    if not horizons:
        return config
    main = config.task.horizon if config.task.horizon in horizons else sorted(horizons)[len(horizons) // 2]
    return _validated(_merge(merged, {"task": {"horizon": main}, "horizons": list(horizons)}))


def with_extensions(config: RunConfig, own: Sequence[extensions.Extension]) -> RunConfig:
    """The configuration with these blocks and learners too, where it does not name them itself.

    Raises:
        ConfigError: one bears the name of something built in.
    """
    blocks, members = list(config.features.blocks), list(config.ensemble.members)
    for each in own:
        if each.name in (RESERVED if each.kind == "block" else TAKEN):
            raise ConfigError(f"{each.where}: {each.name} is the name of something built in: choose another")
        if each.kind == "block" and each.name not in blocks:
            blocks.append(each.name)
        if each.kind == "learner" and not any(member.partition("/")[0] == each.name for member in members):
            members.append(f"{each.name}/none")
    added = {"features": {"blocks": blocks}, "ensemble": {"members": members}} if own else {}
    return _validated(_merge(config.model_dump(), added))


def _validated(merged: dict[str, Any]) -> RunConfig:
    try:
        return RunConfig.model_validate(merged)
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, e['loc']))}: {e['msg']} (given: {e['input']!r})" if e["loc"] else e["msg"]
            for e in error.errors()
        ]
        raise ConfigError(f"configuration: {'; '.join(faults)}") from error


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file of keys and values; ConfigError when it is something else."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold keys and values, as in 'task: {{horizon: 3}}'")
    return content


def _from_environment() -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in sorted(os.environ.items()):
        if name.startswith(ENVIRONMENT_PREFIX):
            try:
                layer: Any = yaml.safe_load(value)
            except yaml.YAMLError as error:
                raise ConfigError(f"{name} cannot be read as YAML: {' '.join(str(error).split())}") from error
            for key in reversed(name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")):
                layer = {key: layer}
            nested = _merge(nested, layer)
    return nested


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    """Only what was given: an empty part would hide what a lower layer says of it."""
    given = {k: _without_none(v) if isinstance(v, dict) else v for k, v in values.items()}
    return {k: v for k, v in given.items() if v is not None and v != {}}
