"""One cutoff's part of a run, on disk: ranked, labelled where the outcome is known, explained.

A part is a folder that later steps read by path, so that the command line and a flow can compute parts alike. What
computes one is imported where it is used: a run that finds its parts made starts without it.
"""

import dataclasses
import datetime
import functools
import logging
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import platformdirs
from pydantic import BaseModel, ConfigDict
from threadpoolctl import threadpool_limits

from pipeline import __version__, schemas
from pipeline.artifacts import (
    atomic_directory,
    read_json,
    read_table,
    sha256_file,
    sha256_files,
    sha256_json,
    unchanged,
    write_json,
    write_table,
)
from pipeline.background.summary import Summary, background_hash, load_background
from pipeline.config import FUSION
from pipeline.corpus.store import load_corpus, load_manifest
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.encoders.sentence import local_model_hash
from pipeline.errors import ArtifactError, CutoffError, NotEnoughDataError
from pipeline.mapping import Item, Made, Mapper, in_turn
from pipeline.run_config import RunConfig

if TYPE_CHECKING:
    from pipeline.cutoff import CutoffForecast, Remote
    from pipeline.opportunities.firm import Firm

log = logging.getLogger(__name__)

Progress = Callable[[str], None]

EXPLAINED = 100  # pairs at the head of a list that are explained
LINKS = 2000  # strongest links kept for the map
RECORD = "part.json"
WHOLE_LIST = "whole_list"
TABLES = (WHOLE_LIST, "predictions", "opportunities", "explanations", "examples", "codes", "links")
PACKAGES = (
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "imbalanced-learn",
    "lightgbm",
    "torch",
    "sentence-transformers",
)


class PartRequest(BaseModel):
    """What one part is made from.

    ``known_until``: the day up to which the outcome may be looked up, for a test; None for a forecast, which looks up
    nothing. ``explained``: whether explanations, examples, the map and the firm's view are made.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    corpus: Path
    content_hash: str
    cutoff: datetime.date
    known_until: datetime.date | None
    explained: bool
    firm: str | None
    config: RunConfig
    background: Path | None = None
    background_hash: str | None = None

    def key(self) -> str:
        """Hash of all that decides the part's content: corpus, background, prior ranker, entry dates, encoder,
        configuration, dates, firm, code, the user's own and the packages' too."""
        named = {"prior_ranker": self.config.prior_ranker_file(), "entry_dates": self.config.task.entry_dates}
        files = {name: sha256_file(path) if path else None for name, path in named.items()}
        files["encoder"] = local_model_hash(self.config.encoder.model)
        content = self.model_dump(mode="json", exclude={"corpus", "background"})
        code = {"code": code_hash(), "versions": versions(), "extensions": self.config.extensions()}
        return sha256_json(content | {"files": files} | code)


@functools.cache
def code_hash() -> str:
    """Hash of this library's source files, its tables, prompts and templates among them."""
    root = Path(__file__).parent
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and path.suffix != ".pyc"]
    return sha256_json({str(path.relative_to(root)): sha256_file(path) for path in files})


@functools.cache
def versions() -> dict[str, str]:
    """Python and the packages that a result may depend on, by name."""
    return {"python": platform.python_version(), **{package: version(package) for package in PACKAGES}}


def compute_part(request: PartRequest, folder: Path, progress: Progress, mapper: Mapper | None = None) -> None:
    """Compute one part into ``folder``; nothing is left behind when it fails.

    ``mapper``: computes what is independent elsewhere; without it all is computed here.

    Raises:
        CutoffError: the cutoff lies outside the data, or a tested window is not over.
        NotEnoughDataError: too few patents, candidates or positives.
        FirmError: the firm matches no assignee or several.
    """
    from pipeline.forecast import forecast_at
    from pipeline.opportunities.firm import find_firm, relatedness_warnings
    from pipeline.pairs.labels import converged, coverage
    from pipeline.ranking.kept import KeptFits

    clock = time.perf_counter()
    config, cutoff = request.config, pd.Timestamp(request.cutoff).as_unit("s")
    corpus = load_corpus(request.corpus, config.task.entry_dates)
    check_dates(corpus, cutoff, request.known_until, config.task.horizon)
    # a part sees the corpus up to the day it is told of and no further
    corpus = corpus.as_of(pd.Timestamp(request.known_until or request.cutoff).as_unit("s"))
    history = corpus.as_of(cutoff)
    firm = find_firm(history.parties, request.firm) if request.firm is not None and request.explained else None
    background = _background(request)
    loaded = time.perf_counter() - clock
    clock = time.perf_counter()
    history, encoding = attach_text(history, config, progress, mapper or in_turn)
    embedded = time.perf_counter() - clock
    if request.known_until is not None:
        _check_testable(history, config, background)
    with threadpool_limits(1):  # sums in one order: the same bytes whatever the number of cores
        remote = _remote(request, mapper) if mapper else None
        kept = KeptFits(cache_folder() / "fits", sha256_json({"code": code_hash(), "versions": versions()}))
        forecast = forecast_at(history, config, progress, background, remote, kept)
        predictions, covered = forecast.predictions, None
        if request.known_until is not None:
            labels = converged(corpus, forecast.universe.pairs, config.task)
            predictions = predictions.assign(label=pd.array(labels, dtype="Int8"))
            covered = coverage(corpus, forecast.universe.pairs, config.task)
        tables, check = {"predictions": predictions}, None
        clock = time.perf_counter()
        if request.explained:
            progress("explaining the head of the list")
            explained, check = _explained(forecast, history, firm, config)
            tables |= explained
        explaining = time.perf_counter() - clock
    record: dict[str, Any] = {
        "techconverge": __version__,
        "horizon": config.task.horizon,
        "universe": forecast.universe.summary(),
        "tested": request.known_until is not None,
        "coverage": covered,
        "expected_prevalence": forecast.prior,
        "training_origins": [f"{day:%Y-%m-%d}" for day in forecast.training],
        "weights": forecast.ranking.weights,
        "ensemble": forecast.ranking.details,
        "firm": dataclasses.asdict(firm) if firm else None,
        "encoding": encoding,
        "explanation_check": check,
        "timings": {"load": loaded, "encode": embedded, **forecast.timings, "explanations": explaining},
        "warnings": [*encoding["warnings"], *forecast.warnings, *(relatedness_warnings(history) if firm else ())],
    }
    metadata = {"known_until": f"{corpus.cutoff:%Y-%m-%d}"}
    with atomic_directory(folder, RECORD, [FUSION, *(f"{name}.parquet" for name in TABLES)]) as temporary:
        for name, table in tables.items():
            write_table(temporary / f"{name}.parquet", table, metadata)
        if forecast.whole_list is not None:
            forecast.whole_list.write(temporary / f"{WHOLE_LIST}.parquet")
        fusion = forecast.ranking.fitted.get(FUSION)
        if request.explained and fusion is not None:
            fusion.save(temporary / FUSION)
        write_json(temporary / RECORD, record | {"outputs": sha256_files(temporary, FUSION)})


def _remote(request: PartRequest, mapper: Mapper) -> "Remote":
    """The part's history is named rather than sent: whoever computes something on it reads it where it lies."""
    asked, key = request.model_dump_json(), request.key()

    def remote(
        function: Callable[[Corpus, RunConfig, Summary | None, Item], Made], items: Iterable[Item], /
    ) -> Iterator[Made]:
        return mapper(functools.partial(_on_history, asked, key, function), items)

    return remote


def _on_history(
    asked: str, key: str, function: Callable[[Corpus, RunConfig, Summary | None, Item], Made], item: Item
) -> Made:
    with threadpool_limits(1):
        return function(*_read_history(asked, key), item)


@functools.lru_cache(maxsize=1)  # the next item is mostly of the same part
def _read_history(asked: str, key: str) -> tuple[Corpus, RunConfig, Summary | None]:
    request = PartRequest.model_validate_json(asked)
    return encode_texts(request, key, log.info), request.config, _background(request)


def encode_texts(request: PartRequest, key: str, progress: Progress, mapper: Mapper | None = None) -> Corpus:
    """The history of another process's part, with its texts encoded; raises as ``check_same`` does."""
    check_same(request, key)
    corpus = load_corpus(request.corpus, request.config.task.entry_dates)
    history = corpus.as_of(pd.Timestamp(request.cutoff).as_unit("s"))
    return attach_text(history, request.config, progress, mapper or in_turn)[0]


def check_same(request: PartRequest, key: str) -> None:
    """Refuse to compute for another process what would come out otherwise here.

    Raises:
        ArtifactError: ``key``, the part's where it was asked for, is another here; or the data are others.
    """
    if request.key() != key:
        raise ArtifactError(
            "this worker has another version of techconverge, of Python, of a package or of a file that is named: "
            "install the same everywhere, and start workers in the same folder"
        )
    outside = background_hash(request.background) if request.background else None
    if load_manifest(request.corpus)["content_hash"] != request.content_hash or outside != request.background_hash:
        raise ArtifactError(f"{request.corpus} or its background is not the same here: let all workers see one share")


def _background(request: PartRequest) -> Summary | None:
    task = request.config.task
    return load_background(request.background, task.scheme, task.level) if request.background else None


def _check_testable(history: Corpus, config: RunConfig, background: Summary | None) -> None:
    from pipeline.pairs.candidates import BLOCK, find_candidates

    count = len(find_candidates(history, config.task, background))
    if count > BLOCK and config.recipe == "default":
        raise NotEnoughDataError(
            f"{count:,} candidates at {history.cutoff:%Y-%m-%d} are too many for the resampling that its "
            "intervals rest on: take a coarser --level or a higher --min-patents"
        )


def check_dates(corpus: Corpus, cutoff: pd.Timestamp, known_until: datetime.date | None, horizon: int) -> None:
    """Refuse a cutoff outside the data, or a test whose window is not over by ``known_until``.

    Raises:
        CutoffError: saying which dates the data hold.
    """
    first = corpus.patents["knowledge_date"].iloc[0]
    if not first <= cutoff <= corpus.cutoff:
        raise CutoffError(
            f"cutoff {cutoff:%Y-%m-%d} lies outside the data, which run from {first:%Y-%m-%d} to "
            f"{corpus.cutoff:%Y-%m-%d}: choose one between them"
        )
    end = years_before(cutoff, -horizon)
    if known_until is not None and end > min(pd.Timestamp(known_until), corpus.cutoff):
        latest = years_before(corpus.cutoff, horizon)
        raise CutoffError(
            f"cutoff {cutoff:%Y-%m-%d} cannot be tested: its window of {horizon} years ends on {end:%Y-%m-%d}, the "
            f"data on {corpus.cutoff:%Y-%m-%d}; take {latest:%Y-%m-%d} or earlier, or a shorter --horizon"
        )


def attach_text(
    history: Corpus, config: RunConfig, progress: Progress, mapper: Mapper = in_turn
) -> tuple[Corpus, dict[str, Any]]:
    """The history with text vectors, and what was encoded by what; without any text, unchanged.

    ``mapper``: is given what has to be encoded.
    """
    from pipeline.encoders.base import load_encoder, patent_texts
    from pipeline.encoders.cache import EmbeddingCache, encode_cached

    texts = patent_texts(history.patents)
    spoken = sum(map(bool, texts))
    if not spoken:
        return history, {"encoder": None, "texts": 0, "warnings": []}
    cache = cache_folder()
    encoder = load_encoder(config.encoder, cache / "encoders")
    vectors, report = encode_cached(
        encoder,
        texts,
        EmbeddingCache(cache / "embeddings"),
        lambda done, total: progress(f"texts encoded: {done:,} of {total:,}"),
        mapper,
    )
    warnings = []
    lacking = [field for field in ("abstract", "claims") if not (history.patents[field] != "").any()]
    if lacking:
        warnings.append(f"text: no {' and no '.join(lacking)} in the data; the text features rest on what there is")
    if spoken < len(texts):
        warnings.append(f"text: {len(texts) - spoken:,} of {len(texts):,} patents have no text at all")
    if encoder.knows_future:
        warnings.append(
            "text: the encoder was trained on text that may be later than the cutoff; "
            "`--encoder hashing` is the arm that knows nothing of the future"
        )
    # how much came from the cache depends on earlier runs, so only the total enters the record
    return history.with_embeddings(vectors), {
        "encoder": encoder.identity,
        "texts": report.unique,
        "warnings": warnings,
    }


def cache_folder() -> Path:
    """Where vectors and fitted members are kept between runs: $TECHCONVERGE_CACHE, or the user's cache folder."""
    given = os.environ.get("TECHCONVERGE_CACHE")
    return Path(given) if given else Path(platformdirs.user_cache_dir("techconverge"))


def _explained(
    forecast: "CutoffForecast", history: Corpus, firm: "Firm | None", config: RunConfig
) -> tuple[dict[str, pd.DataFrame], dict[str, Any] | None]:
    """Tables by name, and the record of the deletion check."""
    from pipeline.evaluation.explain import code_table, example_patents, explanations, link_table
    from pipeline.opportunities.firm import firm_view

    task = config.task
    predictions = forecast.predictions
    head = set(np.argsort(predictions["rank"].to_numpy())[:EXPLAINED].tolist())
    tables: dict[str, pd.DataFrame] = {}
    if firm is not None:
        view = firm_view(history, firm, history.incidence(task.scheme, task.level), predictions)
        tables["opportunities"] = view
        order = pd.MultiIndex.from_frame(predictions[schemas.PAIR])
        head |= set(order.get_indexer(pd.MultiIndex.from_frame(view[schemas.PAIR].head(EXPLAINED))).tolist())
    rows = np.array(sorted(head))
    reasons, check = explanations(forecast, rows, task.window, config.seed)
    return tables | {
        "explanations": reasons,
        "examples": example_patents(history, predictions.iloc[rows], task),
        "codes": code_table(history, forecast.universe.pairs.codes, task, firm),
        "links": link_table(history, task, LINKS),
    }, check


def read_part(folder: Path) -> tuple[dict[str, Any], pd.DataFrame]:
    """A part's record and its predictions."""
    predictions = read_table(folder / "predictions.parquet")
    return read_json(folder / RECORD), schemas.validate(predictions, schemas.Predictions, str(folder))


def intact(folder: Path) -> bool:
    """Whether a part is there, whole and unchanged since it was written."""
    try:
        return unchanged(folder, read_json(folder / RECORD)["outputs"], FUSION)
    except (ArtifactError, OSError, KeyError, TypeError):
        return False


def part_request(
    corpus: Path, background: Path | None, cutoff: datetime.date, config: RunConfig, **rest: Any
) -> PartRequest:
    """A request with the content hashes of the corpus and the background filled in."""
    return PartRequest(
        corpus=corpus,
        content_hash=load_manifest(corpus)["content_hash"],
        background=background,
        background_hash=background_hash(background) if background else None,
        cutoff=cutoff,
        config=config,
        **rest,
    )
