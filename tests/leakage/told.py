"""All that is told of a cutoff: the history, the features, the forecast and what explains it."""

import dataclasses
from typing import Any, get_args

import numpy as np
import pandas as pd
from runs import LIGHT

from pipeline.background.summary import summarise
from pipeline.config import Block
from pipeline.corpus.ingest import ingest_tables
from pipeline.corpus.readers import SourceTable
from pipeline.corpus.timeline import Corpus
from pipeline.encoders.base import patent_texts
from pipeline.encoders.hashing import HashingEncoder
from pipeline.evaluation.explain import code_table, example_patents, explanations, link_table
from pipeline.features.build import build_features
from pipeline.forecast import forecast_at
from pipeline.opportunities.firm import find_firm, firm_view, relatedness_warnings
from pipeline.pairs.candidates import candidate_pairs
from pipeline.run_config import RunConfig, load_config

CONFIG = load_config(None, LIGHT)
TASK = CONFIG.task
SEED = CONFIG.seed
ENCODER = HashingEncoder(max_characters=300)
HEAD = np.arange(60)  # candidates that are explained


def silent(message: str) -> None:
    """Progress nobody listens to."""


def whole(rows: SourceTable, cutoff: pd.Timestamp) -> Corpus:
    """Everything the rows say, later patents and the vectors of their texts included."""
    corpus = ingest_tables([rows]).corpus
    corpus = dataclasses.replace(corpus, cutoff=max(corpus.cutoff, cutoff))
    return corpus.with_embeddings(ENCODER.encode(patent_texts(corpus.patents)))


def features(corpus: Corpus, cutoff: pd.Timestamp) -> dict[str, Any]:
    """The history, its candidates and every block."""
    history = corpus.as_of(cutoff)
    universe = candidate_pairs(history, TASK)
    blocks = [name for name in get_args(Block) if name != "background"]  # a forecast has that one
    return {"history": history, "universe": universe} | {
        name: build_features(history, universe.pairs, TASK, SEED, wanted=[name]) for name in blocks
    }


def forecast(corpus: Corpus, cutoff: pd.Timestamp, firm: str | None, config: RunConfig) -> dict[str, Any]:
    """The forecast, with the whole corpus as its background, and all that is told of it; the firm's view if any."""
    history = corpus.as_of(cutoff)
    made = forecast_at(history, config, silent, summarise(corpus, TASK.scheme, TASK.level))
    firm_found = None if firm is None else find_firm(history.parties, firm)
    told: dict[str, Any] = {
        "forecast": made,
        "explanations": explanations(made, HEAD, TASK.window, config.seed),
        "examples": example_patents(history, made.predictions.iloc[HEAD], TASK),
        "codes": code_table(history, made.universe.pairs.codes, TASK, firm_found),
        "links": link_table(history, TASK, 500),
    }
    if firm_found is not None:
        told["firm"] = firm_found
        told["warnings"] = relatedness_warnings(history)
        told["view"] = firm_view(history, firm_found, history.incidence(TASK.scheme, TASK.level), made.predictions)
    return told
