"""All features of the candidates at one cutoff: runs the blocks on a history and puts their columns together."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.stats import rankdata

from pipeline.background.summary import Summary
from pipeline.config import BLOCKS, Block, TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.features.background import background
from pipeline.features.base import BlockOutput, FeatureTable, vector_distances
from pipeline.features.bibliometric import bibliometric, positions
from pipeline.features.citation import citation
from pipeline.features.cooccurrence import cooccurrence
from pipeline.features.dynamics import dynamics
from pipeline.features.network import network_indices
from pipeline.features.node2vec import node2vec
from pipeline.features.own import own_block
from pipeline.features.people import people
from pipeline.features.statistics import statistics
from pipeline.features.text import shares_of, text
from pipeline.features.text_pairs import text_pairs
from pipeline.pairs.base import CandidatePairs


def build_features(
    history: Corpus,
    pairs: CandidatePairs,
    task: TaskConfig,
    seed: int,
    outside: Summary | None = None,
    wanted: Sequence[str] = BLOCKS,
) -> FeatureTable:
    """Compute the wanted blocks as far as the history, and the background when one is attached, has the sources.

    Those of the user's own come after the built-in ones.
    ``history`` must be cut at the pairs' cutoff: nothing here filters by date. ``outside``: the background's summary,
    whole; its block cuts it at the history's cutoff.
    """
    shares = shares_of(history, seed) if {"text", "text_pairs"} & set(wanted) else None
    makers: dict[Block, Callable[[], BlockOutput]] = {
        "bibliometric": lambda: bibliometric(history, pairs, task),
        "network": lambda: network(history, pairs, task),
        "graph": lambda: graph(history, pairs, task, seed),
        "cooccurrence": lambda: cooccurrence(history, pairs, task, seed),
        "statistics": lambda: statistics(history, pairs, task),
        "dynamics": lambda: dynamics(history, pairs, task),
        "citation": lambda: citation(history, pairs, task),
        "people": lambda: people(history, pairs, task),
        "text": lambda: text(history, pairs, task, seed, shares),
        "text_pairs": lambda: text_pairs(history, pairs, task, seed, shares),
        "background": lambda: background(outside, history, pairs, task, seed),
    }
    blocks = [make() for name, make in makers.items() if name in wanted]
    blocks += [own_block(name, history, pairs, task, seed) for name in wanted if name not in makers]
    columns = {name: values.astype(np.float32) for block in blocks for name, values in block.columns.items()}
    incidence = history.incidence(task.scheme, task.level)
    window = history.rows_since(years_before(history.cutoff, task.window))
    carriers = sp.csr_array(incidence.matrix.T)[positions(incidence.codes, pairs.codes)]
    return FeatureTable(
        pairs=pairs,
        columns=pd.DataFrame(columns),
        code_vectors={name: vectors for block in blocks for name, vectors in block.code_vectors.items()},
        patent_vectors=None if history.embeddings is None else history.embeddings[window],
        carriers=sp.csr_array(carriers[:, window]),
        warnings=tuple(warning for block in blocks for warning in block.warnings),
    )


def network(history: Corpus, pairs: CandidatePairs, task: TaskConfig) -> BlockOutput:
    """The indices of A2 on the graph of all history, of the recent window and of the window before it."""
    start = years_before(history.cutoff, task.window)
    before = history.as_of(start)
    earlier = years_before(start, task.window)
    snapshots = {
        "all__lag0": (history, slice(None)),
        f"w{task.window}__lag0": (history, history.rows_since(start)),
        f"w{task.window}__lag{task.window}": (before, before.rows_since(earlier)),
    }
    columns = {}
    for suffix, (known, rows) in snapshots.items():
        incidence = known.incidence(task.scheme, task.level)
        nodes = positions(incidence.codes, pairs.codes)
        a, b = nodes[pairs.a], nodes[pairs.b]
        present, place = np.unique(nodes[nodes >= 0], return_inverse=True)
        spot = np.full(len(nodes), -1)
        spot[nodes >= 0] = place
        both = (a >= 0) & (b >= 0)
        for name, matrix in network_indices(incidence.joint(rows), present):
            # a code that had no patent yet had no neighbour either: its indices are zero, not unknown
            values = np.zeros(len(pairs))
            values[both] = matrix[spot[pairs.a[both]], spot[pairs.b[both]]]
            columns[f"network__{name}__{suffix}"] = values
    return BlockOutput(columns=columns)


def graph(history: Corpus, pairs: CandidatePairs, task: TaskConfig, seed: int) -> BlockOutput:
    """node2vec vectors of the codes on the graph of all history, and the distances between them."""
    incidence = history.incidence(task.scheme, task.level)
    vectors = node2vec(incidence.joint(), seed)[positions(incidence.codes, pairs.codes)]
    return BlockOutput(columns=vector_distances("graph", "all__lag0", vectors, pairs), code_vectors={"graph": vectors})


def ranked(table: FeatureTable) -> pd.DataFrame:
    """Every column as its rank among the candidates, scaled to (0, 1): what lets origins and corpora be pooled.

    Ties share their mean rank; a missing value stays missing.
    """
    columns = {}
    for name, values in table.columns.items():
        known = values.notna().to_numpy()
        scaled = np.full(len(values), np.nan, dtype=np.float32)
        scaled[known] = (rankdata(values.to_numpy()[known]) - 0.5) / max(known.sum(), 1)
        columns[str(name)] = scaled
    return pd.DataFrame(columns)
