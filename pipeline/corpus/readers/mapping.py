"""A mapping file: the user's own table of columns, for files of no known layout."""

from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pipeline.corpus.readers.base import LISTS, Layout, one_line, plain
from pipeline.corpus.readers.columns import columns_layout
from pipeline.errors import ConfigError

MappedField = Literal[
    "patent_id", "date", "title", "abstract", "claims", "ipc", "cpc", "assignees", "inventors", "cited_ids",
    "cited_npl", "family_id", "members", "priority_ids", "claims_count", "office", "app_date", "year",
]  # fmt: skip
_Names = Annotated[tuple[str, ...], BeforeValidator(lambda names: (names,) if isinstance(names, str) else names)]
_Separator = Annotated[str, Field(min_length=1, max_length=10)]


class Mapping(BaseModel):
    """What a mapping file says. ``columns``: field -> the user's column, or several of which the first filled counts.

    ``separator`` stands between the entries of all lists, ``separators`` between those of one field; both are plain
    text. ``date_format`` is one of ``strftime``, for all days of the file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[MappedField, _Names]
    separator: _Separator = ";"
    separators: dict[MappedField, _Separator] = {}
    date_format: str | None = None
    date_kind: Literal["publication", "grant", "application"] = "publication"

    @model_validator(mode="after")
    def _holds_what_a_corpus_needs(self) -> "Mapping":
        missing = [field for field in ("patent_id", "date") if not self.columns.get(field)]
        if not (self.columns.get("ipc") or self.columns.get("cpc")):
            missing.append("ipc or cpc")
        if missing:
            raise ValueError(f"columns must name {', '.join(missing)}")
        return self


def load_mapping(path: Path) -> Layout:
    """Read a mapping file as a layout.

    Raises:
        ConfigError: when it is missing, no YAML, or says what no mapping can.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        mapping = Mapping.model_validate(content)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"]) or "the file"
        raise ConfigError(f"mapping {path}, {where}: {one_line(fault['msg'])}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"mapping {path} cannot be read: {one_line(error)}") from error
    return mapped_layout(mapping)


def mapped_layout(mapping: Mapping) -> Layout:
    """The layout a mapping describes; it is that of every table with the columns it names."""
    named = sorted({plain(name) for names in mapping.columns.values() for name in names})
    separators: dict[str, str] = {
        field: _literal(text)
        for field, text in mapping.separators.items()
        if field in (*LISTS, "members", "priority_ids")
    }
    layout = columns_layout(
        "mapping",
        marks=[name.replace("|", " ") for name in named],
        columns={str(field): names for field, names in mapping.columns.items()},
        separator=_literal(mapping.separator),
        separators=separators,
        date_kind=mapping.date_kind,
    )
    flatten = layout.flatten
    assert flatten is not None
    days = {plain(name) for field in ("date", "app_date") for name in mapping.columns.get(field, ())}

    def with_days(raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        read = {name: formatted_days(raw[name], mapping.date_format) for name in raw.columns.intersection(sorted(days))}
        return flatten(raw.assign(**read))

    return Layout(
        name=layout.name,
        recognises=lambda header: set(named) <= set(header),
        used=layout.used,
        flatten=with_days if mapping.date_format else flatten,
        needs=tuple((name,) for name in named),
    )


def formatted_days(texts: pd.Series, date_format: str | None) -> pd.Series:
    """Days written in a format of ``strftime``, in ISO form; what is not so written stays as it is."""
    days = pd.to_datetime(texts.str.strip(), format=date_format, errors="coerce")
    return days.dt.strftime("%Y-%m-%d").fillna(texts).astype("str")


def _literal(text: str) -> str:
    """A separator as a regular expression (RE2), with blanks around it."""
    escaped = "".join(f"\\x{{{ord(sign):x}}}" for sign in text.strip() or text)
    return rf"\s*{escaped}\s*"
