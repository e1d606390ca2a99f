"""The prompts: Markdown files that a user can read and change, with the replies they ask for beside them.

``default/`` holds ``system.md``, ``reply.md`` and one file a criterion in ``criteria/``; ``reference/`` (the published
list-wise prompt) and ``naming/`` (what topics are called) only the first two. A folder of one's own has the form of
``default/``; its criteria are the files it holds, and its ``naming/``, where it has one, goes before ours.
"""

import dataclasses
import re
from pathlib import Path

from pydantic import BaseModel

from pipeline.artifacts import sha256_json
from pipeline.errors import ConfigError
from pipeline.judge.rubric.replies import NameReply, RankingReply, VerdictReply

_HERE = Path(__file__).parent
_LEVELS = [str(level) for level in range(6)]
_MOST = 20_000  # characters of a prompt file
OVERALL = "overall"


@dataclasses.dataclass(frozen=True)
class Rubric:
    """Prompts of one preset. ``criteria``: text by criterion; empty in a list-wise rubric.

    ``version`` changes with every word of a prompt and every rule of a reply.
    """

    preset: str
    system: str
    reply: str
    criteria: dict[str, str]
    schema: type[BaseModel]
    version: str

    @property
    def scale(self) -> tuple[int, int]:
        """The least and the greatest score."""
        return (0, 5) if self.criteria else (1, 10)

    def titles(self) -> dict[str, str]:
        """The heading of each criterion, as a reader should see it."""
        headings = {name: text.splitlines()[0].removeprefix("#").strip() for name, text in self.criteria.items()}
        return {**headings, OVERALL: "Overall"}

    def questions(self) -> dict[str, str]:
        """What each criterion asks, to find evidence for it: the words between its heading and its levels.

        A list-wise rubric asks nothing in particular: ``overall`` alone, with an empty text.
        """
        if not self.criteria:
            return {OVERALL: ""}
        stated = {name: re.split(r"^0:", text, flags=re.MULTILINE)[0] for name, text in self.criteria.items()}
        return {name: " ".join(text.partition("\n")[2].split()) for name, text in stated.items()}


def load_rubric(preset: str, folder: Path | None = None) -> Rubric:
    """Read the prompts of a preset, from the folder given or those shipped.

    Raises:
        ConfigError: naming the file that is missing, empty, too long or without anchored levels.
    """
    folder = folder or _HERE / preset
    schema: type[BaseModel] = RankingReply if preset == "reference" else VerdictReply
    criteria = {} if preset == "reference" else _criteria(folder / "criteria")
    system, reply = _read(folder / "system.md"), _read(folder / "reply.md")
    version = sha256_json([preset, system, reply, criteria, schema.model_json_schema()])[:12]
    return Rubric(preset, system, reply, criteria, schema, version)


def load_naming(folder: Path | None = None) -> Rubric:
    """The prompts that ask for a topic's name: those in ``naming`` of the folder given, else those shipped.

    Raises:
        ConfigError: as ``load_rubric``.
    """
    own = folder / "naming" if folder else _HERE / "naming"
    own = own if own.is_dir() else _HERE / "naming"
    system, reply = _read(own / "system.md"), _read(own / "reply.md")
    version = sha256_json(["naming", system, reply, NameReply.model_json_schema()])[:12]
    return Rubric("naming", system, reply, {}, NameReply, version)


def _criteria(folder: Path) -> dict[str, str]:
    paths = sorted(folder.glob("*.md"))
    if not paths:
        raise ConfigError(f"{folder} holds no criterion: put one Markdown file a criterion there")
    found = {path.stem: _read(path) for path in paths}
    for path in paths:
        if not re.fullmatch(r"[a-z][a-z_]*", path.stem) or path.stem == OVERALL:
            raise ConfigError(f"{path}: name the file of a criterion in small letters and _, and not {OVERALL}.md")
        levels = re.findall(r"^(\d+):", found[path.stem], flags=re.MULTILINE)
        if not found[path.stem].startswith("# ") or levels != _LEVELS:
            raise ConfigError(
                f"{path} must begin with '# Title' and describe the levels 0: to 5:, a line each, in order"
            )
    return found


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise ConfigError(f"{path} is missing: a rubric needs it (copy one of {_HERE})") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as text: {error}") from error
    if not text or len(text) > _MOST:
        raise ConfigError(f"{path} must hold between 1 and {_MOST} characters, has {len(text)}")
    return text
