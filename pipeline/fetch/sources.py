"""The public addresses (``sources.yaml``), and which files a request means."""

import dataclasses
import os
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path, PurePosixPath

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import FetchError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Key(BaseModel):
    """The header a publisher wants a key in, and the environment variable it is read from."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    environment: str
    header: str


class Source(BaseModel):
    """One publisher's files; ``default`` are those fetched when none are named."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    base_url: str = Field(pattern=r"^https?://[^\s]+$")
    files: dict[str, str] = Field(min_length=1)
    default: tuple[str, ...]
    edition: str = ""
    key: Key | None = None
    sha256: dict[str, str] = {}


@dataclasses.dataclass(frozen=True)
class Wanted:
    """One file to fetch: the name it is stored by, its address, headers that stay with that host, its digest."""

    name: str
    url: str
    headers: dict[str, str] = dataclasses.field(default_factory=dict, repr=False)
    sha256: str = ""


def load_sources(path: Path | None = None) -> dict[str, Source]:
    """The shipped addresses, or the user's own.

    Raises:
        FetchError: when the file cannot be read or says something else.
    """
    where = path or files("pipeline.fetch").joinpath("sources.yaml")
    try:
        raw = yaml.safe_load(where.read_text(encoding="utf-8"))
        return {str(name): Source.model_validate(source) for name, source in raw.items()}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError) as error:
        raise FetchError(f"{where} is no list of sources: {' '.join(str(error).split())[:200]}") from error
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        raise FetchError(f"{where}: {place}: {fault['msg']}") from error


def wanted_files(
    source: Source, names: Sequence[str], years: Sequence[int] = (), base_url: str | None = None
) -> list[Wanted]:
    """The files of a request; a name whose address has a ``{year}`` stands for one file a year.

    Raises:
        FetchError: when a name is unknown, years are lacking, or the key a publisher asks for is not set.
    """
    unknown = [name for name in names if name not in source.files]
    if unknown:
        raise FetchError(f"no table {', '.join(unknown)}: known are {', '.join(source.files)}")
    headers = {} if base_url else _key_header(source)
    found = []
    for name in names or source.default:
        path = source.files[name]
        yearly = "{year}" in path
        if yearly and not years:
            raise FetchError(f"{name} comes a file a year: say which with --years, such as 2005-2024")
        for year in years if yearly else (0,):
            address = path.replace("{year}", str(year)).replace("{edition}", source.edition)
            stored = PurePosixPath(address).name
            if not _NAME.fullmatch(stored):
                raise FetchError(f"{address!r} does not end in a plain file name")
            url = f"{(base_url or source.base_url).rstrip('/')}/{address}"
            found.append(Wanted(stored, url, headers, source.sha256.get(stored, "")))
    return found


def parse_years(text: str) -> tuple[int, ...]:
    """Years as written on the command line.

    >>> parse_years("2005-2007,2010")
    (2005, 2006, 2007, 2010)

    Raises:
        FetchError: when it is no list of years.
    """
    years: set[int] = set()
    for part in text.split(","):
        span = re.fullmatch(r"\s*([12][0-9]{3})(?:\s*-\s*([12][0-9]{3}))?\s*", part)
        if span is None or int(span[2] or span[1]) < int(span[1]):
            raise FetchError(f"--years {text!r}: write years and spans of years, such as 2005-2024 or 2010,2012")
        years.update(range(int(span[1]), int(span[2] or span[1]) + 1))
    return tuple(sorted(years))


def _key_header(source: Source) -> dict[str, str]:
    if source.key is None:
        return {}
    value = os.environ.get(source.key.environment, "").strip()
    if not value:
        raise FetchError(
            f"{source.base_url} asks for a key: set it in the environment as {source.key.environment} "
            "(or name another place with --base-url)"
        )
    return {source.key.header: value}
