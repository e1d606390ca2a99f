"""What a run is asked to do: one frozen model a stage. File < environment < command line; unknown keys are refused.

``default`` is the recipe of the field values below; ``reference`` (``recipes/reference.yaml``) is the published one.
"""

from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipeline import extensions

Level = Literal["section", "class", "subclass", "maingroup", "subgroup"]
Scheme = Literal["ipc", "cpc"]
Recipe = Literal["default", "reference"]
Track = Literal["new", "strengthening"]

FUSION = "fusion"  # the member that is the attention net, and its folder in a run


class Stage(BaseModel):
    """Base of the stage configurations."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TaskConfig(Stage):
    """Which pairs are forecast, from when, for when."""

    track: Track = Field("new", description="new: pairs never linked; strengthening: pairs linked, whose link may grow")
    level: Level = Field("subclass", description="at which symbols become codes")
    scheme: Scheme = Field("ipc", description="classification")
    horizon: int = Field(3, ge=1, le=10, description="years after the cutoff in which a pair must converge")
    window: int = Field(3, ge=1, le=20, description="years of the recent window that features look back over")
    min_patents: int = Field(3, ge=1, description="patents a code needs up to the cutoff to be a candidate")
    min_joint: int = Field(1, ge=1, description="joint patents within the horizon that make a convergence (m)")
    max_candidates: int = Field(40_000_000, ge=1, description="pairs beyond which only those with evidence are ranked")
    entry_dates: Path | None = Field(None, description="when codes came into force: a table of one's own")

    @property
    def sought(self) -> str:
        """What the positives of the track are called where they are counted."""
        return "new links" if self.track == "new" else "links that grew"

    @field_validator("entry_dates")
    @classmethod
    def _from_anywhere(cls, path: Path | None) -> Path | None:
        return path.absolute() if path else None  # a record is repeated from any folder


Block = Literal[
    "bibliometric",
    "network",
    "graph",
    "cooccurrence",
    "statistics",
    "dynamics",
    "citation",
    "people",
    "text",
    "text_pairs",
    "background",
]


BLOCKS: tuple[Block, ...] = get_args(Block)
RESERVED = (*BLOCKS, "topic", "scheme")  # modalities of the built-in blocks


class FeaturesConfig(Stage):
    """What a pair is described by."""

    blocks: tuple[str, ...] = Field(BLOCKS, min_length=1, description="feature blocks, built-in or one's own")

    @field_validator("blocks")
    @classmethod
    def _known(cls, blocks: tuple[str, ...]) -> tuple[str, ...]:
        taken = [name for name in extensions.known("block") if name in RESERVED and name in blocks]
        if taken:
            raise ValueError(f"{taken[0]} is built in: give your own block another name")
        unknown = [name for name in blocks if name not in (*BLOCKS, *extensions.known("block"))]
        if unknown:
            raise ValueError(
                f"{unknown[0]} is none of the blocks {', '.join(BLOCKS)}; one of your own must be loaded first, "
                "with --extension FILE.py"
            )
        return tuple(dict.fromkeys(blocks))


class EncoderConfig(Stage):
    """The text encoder: ``minilm`` (shipped, offline), ``hashing`` (nothing learnt), or a model name or path."""

    model: str = Field("minilm", description="minilm, hashing, or a model's name or path")
    batch_size: int = Field(8, ge=1, description="texts at a time; 64 times as many on a GPU")
    dtype: Literal["auto", "float32", "bfloat16"] = Field("auto", description="auto: the faster that is as exact")
    max_characters: int = Field(2000, ge=1, description="text beyond this is cut: the encoders read 256-512 tokens")


class KnowledgeConfig(Stage):
    """How the knowledge base is searched."""

    index: Literal["exact", "chroma"] = Field("exact", description="exact: over an array in memory; chroma: HNSW")
    server: str | None = Field(None, pattern=r"^https?://[^@/]+(:\d+)?/?$", description="URL of a Chroma server")
