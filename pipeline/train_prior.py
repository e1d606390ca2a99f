"""Training the prior ranker from any list of corpora: what ``techconverge train-prior`` does."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from pipeline import __version__, schemas
from pipeline.corpus.store import load_corpus, load_manifest
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.errors import NotEnoughDataError
from pipeline.features.build import build_features, ranked
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged
from pipeline.parts import Progress, attach_text
from pipeline.ranking.base import Origin
from pipeline.ranking.prior_ranker import PriorRanker, fit_prior_ranker
from pipeline.run_config import RunConfig

ORIGINS = 12  # yearly cutoffs a corpus, the latest with a known outcome first


def train_prior(folders: Sequence[Path], config: RunConfig, progress: Progress) -> PriorRanker:
    """Fit a prior ranker on yearly cutoffs of the corpora; one without symbols of the scheme is read by the other.

    Raises:
        NotEnoughDataError: when the corpora hold too few new links to learn from.
    """
    corpora: dict[str, list[Origin]] = {}
    sources: list[dict[str, Any]] = []
    for folder in folders:
        corpus = load_corpus(folder)
        scheme = _scheme(corpus, config.task.scheme)
        own = config.model_copy(update={"task": config.task.model_copy(update={"scheme": scheme})})
        corpus, encoding = attach_text(corpus, own, progress)
        with threadpool_limits(1):
            corpora[folder.name] = _origins(corpus, own, progress)
        sources.append(
            {
                "corpus": folder.name,
                "content_hash": load_manifest(folder)["content_hash"],
                "scheme": scheme,
                "encoder": encoding["encoder"],
                "cutoffs": [f"{origin.cutoff:%Y-%m-%d}" for origin in corpora[folder.name]],
                "positives": sum(int(origin.outcome.sum()) for origin in corpora[folder.name]),
            }
        )
    task = config.task.model_dump(mode="json", include={"level", "horizon", "window", "min_patents", "min_joint"})
    card = {"techconverge": __version__, "seed": config.seed, "task": task, "corpora": sources}
    progress("fitting the prior ranker")
    with threadpool_limits(1):
        return fit_prior_ranker(corpora, config.seed, card)


def _scheme(corpus: Corpus, wanted: str) -> str:
    present = set(corpus.patent_codes["scheme"])
    return wanted if wanted in present else next(scheme for scheme in schemas.SCHEMES if scheme in present)


def _origins(corpus: Corpus, config: RunConfig, progress: Progress) -> list[Origin]:
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
        table = build_features(history, pairs, task, config.seed)
        origins.append(Origin(table=table, features=ranked(table), labels=converged(corpus, pairs, task)))
    return origins[::-1]
