"""Training the prior ranker from any list of corpora: what ``techconverge train-prior`` does."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from pipeline import __version__, schemas
from pipeline.background.summary import Summary, background_hash, load_background
from pipeline.config import TaskConfig
from pipeline.corpus.store import load_corpus, load_manifest
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.errors import CorpusError, NotEnoughDataError
from pipeline.features.build import build_features, ranked
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged
from pipeline.parts import Progress, attach_text
from pipeline.ranking.base import Origin
from pipeline.ranking.prior import expected_prior
from pipeline.ranking.prior_ranker import PriorRanker, fit_prior_ranker
from pipeline.ranking.provenance import names, sketch
from pipeline.run_config import RunConfig

ORIGINS = 12  # yearly cutoffs a corpus, the latest with a known outcome first


@dataclasses.dataclass(frozen=True)
class Lesson:
    """What one corpus can teach: its labelled origins, oldest first, and for each the share of positives that its
    history led to expect (NaN where that was too short); and the corpus's lines on the card."""

    origins: list[Origin]
    expected: list[float]
    card: dict[str, Any]


def train_prior(folders: Sequence[Path], background: Path | None, config: RunConfig, progress: Progress) -> PriorRanker:
    """Fit a prior ranker on yearly cutoffs of the corpora; one without symbols of the scheme is read by the other.

    ``background``: a corpus or summary; where it counts a corpus's codes, an expert learns to read it as well.

    Raises:
        NotEnoughDataError: when the corpora hold too few new links to learn from.
    """
    lessons = {folder.name: lesson(folder, background, config, progress) for folder in folders}
    return teach(lessons, background, config, progress)


def teach(lessons: Mapping[str, Lesson], background: Path | None, config: RunConfig, progress: Progress) -> PriorRanker:
    """Fit a prior ranker on what the corpora of ``lessons`` can teach."""
    task = config.task.model_dump(mode="json", include={"level", "horizon", "window", "min_patents", "min_joint"})
    card = {
        "techconverge": __version__,
        "seed": config.seed,
        "task": task,
        "background": {"path": background.name, "content_hash": background_hash(background)} if background else None,
        "corpora": [taught.card for taught in lessons.values()],
    }
    progress("fitting the prior ranker")
    with threadpool_limits(1):
        corpora = {name: taught.origins for name, taught in lessons.items()}
        expected = {name: taught.expected for name, taught in lessons.items()}
        return fit_prior_ranker(corpora, expected, config.seed, card)


def lesson(folder: Path, background: Path | None, config: RunConfig, progress: Progress) -> Lesson:
    """The labelled origins of one corpus."""
    corpus = load_corpus(folder)
    scheme = _scheme(corpus, config.task.scheme)
    own = config.model_copy(update={"task": config.task.model_copy(update={"scheme": scheme})})
    corpus, encoding = attach_text(corpus, own, progress)
    summary = _background(background, own.task)
    with threadpool_limits(1):
        origins = _origins(corpus, summary, own, progress)
    card = {
        "corpus": folder.name,
        "content_hash": load_manifest(folder)["content_hash"],
        "scheme": scheme,
        "encoder": encoding["encoder"],
        "background": summary is not None,
        "cutoffs": [f"{origin.cutoff:%Y-%m-%d}" for origin in origins],
        "positives": sum(int(origin.outcome.sum()) for origin in origins),
        "sketch": sketch(names(corpus)),
    }
    return Lesson(
        origins=origins, expected=[_expected(origin, origins, corpus, own.task) for origin in origins], card=card
    )


def _expected(origin: Origin, origins: Sequence[Origin], corpus: Corpus, task: TaskConfig) -> float:
    closed = years_before(origin.cutoff, task.horizon)
    try:
        return expected_prior(corpus.as_of(origin.cutoff), [o for o in origins if o.cutoff <= closed], task)
    except NotEnoughDataError:
        return math.nan


def _background(folder: Path | None, task: TaskConfig) -> Summary | None:
    """The background's counts at the task's level; None where it has none."""
    if folder is None:
        return None
    try:
        return load_background(folder, task.scheme, task.level)
    except CorpusError:
        return None


def _scheme(corpus: Corpus, wanted: str) -> str:
    present = set(corpus.patent_codes["scheme"])
    return wanted if wanted in present else next(scheme for scheme in schemas.SCHEMES if scheme in present)


def _origins(corpus: Corpus, background: Summary | None, config: RunConfig, progress: Progress) -> list[Origin]:
    task, origins = config.task, []
    for age in range(task.horizon, task.horizon + ORIGINS):
        cutoff = years_before(corpus.cutoff, age)
        if cutoff < corpus.patents["knowledge_date"].iloc[0]:
            break
        history = corpus.as_of(cutoff)
        try:
            pairs = candidate_pairs(history, task).pairs
        except NotEnoughDataError:
            break  # earlier still, the corpus was smaller still
        progress(f"features at {cutoff:%Y-%m-%d}: {len(pairs):,} pairs")
        table = build_features(history, pairs, task, config.seed, background, config.features.blocks)
        origins.append(Origin(table=table, features=ranked(table), labels=converged(corpus, pairs, task)))
    return origins[::-1]
