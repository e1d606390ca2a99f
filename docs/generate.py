"""Write ``docs/configuration.md`` from the configuration models: ``python -m docs.generate``."""

import dataclasses
import types
import typing
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pipeline.opportunities_config import OpportunitiesConfig
from pipeline.run_config import ENVIRONMENT_PREFIX, RunConfig

PAGE = Path(__file__).parent / "configuration.md"
_HEAD = f"""# Configuration

<!-- written by `python -m docs.generate` from the models: edit those -->

Settings come from the recipe, over it a YAML file (`--config FILE`), over it the environment, over it the command line.
An unknown key is refused. In a file the sections nest, as in `task: {{{{horizon: 5}}}}`; in the environment the same is
`{ENVIRONMENT_PREFIX}TASK__HORIZON=5`. From Python: `Forecast.run(..., settings={{{{"task": {{{{"horizon": 5}}}}}}}})`.
""".replace("{{", "{").replace("}}", "}")


_OPPORTUNITIES = """# Configuration of `opportunities` and `judge-validate`

A YAML file of their own (`--config FILE`); neither the environment nor the run's file is read for these.
"""


@dataclasses.dataclass(frozen=True)
class Row:
    """One setting: its dotted name, what it takes, its default, and what it is."""

    name: str
    takes: str
    default: str
    says: str


def page() -> str:
    """The whole page."""
    parts = [_HEAD, *_section(RunConfig, ""), _OPPORTUNITIES, *_section(OpportunitiesConfig, "", "The opportunities")]
    return "\n".join(parts).rstrip() + "\n"


def _section(model: type[BaseModel], name: str, title: str = "A run") -> list[str]:
    """A heading, the model's first line, a table of its plain fields, then its nested models likewise."""
    nested = {key: kind for key, field in model.model_fields.items() if (kind := _model(field)) is not None}
    rows = [_row(f"{name}{key}", field) for key, field in model.model_fields.items() if key not in nested]
    says = (model.__doc__ or "").strip().splitlines()[0].replace("``", "`")
    lines = [f"## {name.rstrip('.') or title}", "", says, ""]
    if rows:
        lines += ["| setting | takes | default | |", "|---|---|---|---|"]
        lines += [f"| `{row.name}` | {row.takes} | {row.default} | {row.says} |" for row in rows] + [""]
    for key, kind in nested.items():
        lines += _section(kind, f"{name}{key}.")
    return lines


def _model(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _row(name: str, field: FieldInfo) -> Row:
    bounds = [f"{sign} {getattr(m, key)}" for m in field.metadata for key, sign in _BOUNDS.items() if hasattr(m, key)]
    takes = _kind(field.annotation) + (f", {', '.join(bounds)}" if bounds else "")
    default = "" if field.default is PydanticUndefined else _value(field.default)
    return Row(name, takes.replace("|", "\\|"), default, (field.description or "").replace("|", "\\|"))


_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def _kind(annotation: Any) -> str:
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{each}`" for each in inside)
    if origin is typing.Annotated:
        return _kind(inside[0])
    if origin is tuple:
        return f"list of {_kind(inside[0])}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_kind(each) for each in inside)
    return _NAMES.get(annotation, getattr(annotation, "__name__", str(annotation)))


_NAMES = {int: "whole number", float: "number", str: "text", Path: "path", type(None): "nothing", bool: "true, false"}


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_value, value)) or "none"
    return "none" if value is None else f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
