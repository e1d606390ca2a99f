"""Names that a user says are one firm's: read from a file, applied to keys, recorded; nothing is merged without it."""

import csv
import dataclasses
from pathlib import Path
from typing import Any

import yaml

from pipeline.artifacts import sha256_file
from pipeline.corpus.names import normalise_party
from pipeline.errors import CorpusError

_YES = ("yes", "y", "x", "1", "true")  # in the column ``accept`` of a reviewed list


@dataclasses.dataclass(frozen=True)
class Aliases:
    """The groups of a user's file; ``keys``: key of a name -> key of the group it is counted under."""

    name: str
    sha256: str
    keys: dict[str, str]


NO_ALIASES = Aliases("", "", {})


def read_aliases(path: Path) -> Aliases:
    """Read YAML (``name: group``, or ``group: [names]``) or CSV (columns ``name`` and ``group``).

    A CSV with a column ``accept``, as ``corpus similar-names`` writes it, counts only in rows where that says yes.

    Raises:
        CorpusError: the file cannot be read, or puts one name into two groups.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} is not UTF-8 text: save it as UTF-8 and retry") from error
    pairs = _yaml_pairs(text, path) if path.suffix.lower() in (".yaml", ".yml") else _csv_pairs(text, path)
    keys: dict[str, str] = {}
    for name, group in pairs:
        key, target = normalise_party(name), normalise_party(group)
        if not key or not target:
            raise CorpusError(f"{path}: {name!r} -> {group!r} names no firm: each needs a letter or digit")
        if keys.setdefault(key, target) != target:
            raise CorpusError(f"{path} puts {name!r} into two groups, {keys[key]!r} and {target!r}: keep one")
    return Aliases(path.name, sha256_file(path), _resolved({k: v for k, v in keys.items() if k != v}, path))


def _resolved(keys: dict[str, str], path: Path) -> dict[str, str]:
    """Every key's last group, where a group is itself a member of another."""
    resolved = {}
    for key, group in keys.items():
        seen = {key}
        while group in keys:
            if group in seen:
                raise CorpusError(f"{path}: the groups of {key!r} and {group!r} hold each other: name one group")
            seen.add(group)
            group = keys[group]
        resolved[key] = group
    return dict(sorted(resolved.items()))


def _yaml_pairs(text: str, path: Path) -> list[tuple[str, str]]:
    try:
        content: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CorpusError(f"{path} is no YAML: {' '.join(str(error).split())[:200]}") from error
    if not isinstance(content, dict):
        raise CorpusError(f"{path} holds no aliases: lines like `Matsushita Electric: Panasonic` expected")
    pairs = []
    for left, right in content.items():
        if isinstance(right, list):
            pairs += [(str(name), str(left)) for name in right]
        else:
            pairs.append((str(left), str(right)))
    return pairs


def _csv_pairs(text: str, path: Path) -> list[tuple[str, str]]:
    try:
        rows = list(csv.DictReader(text.splitlines(), strict=True))
    except csv.Error as error:
        raise CorpusError(f"{path} is no CSV table: {error}") from error
    header = set(rows[0]) if rows else set()
    if not {"name", "group"} <= header:
        raise CorpusError(f"{path} holds no aliases: columns name and group expected")
    accepted = [row for row in rows if "accept" not in row or (row["accept"] or "").strip().lower() in _YES]
    return [(row["name"] or "", row["group"] or "") for row in accepted]
