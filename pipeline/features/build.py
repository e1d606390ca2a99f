"""All features of the candidates at one cutoff: runs the blocks on a history and puts their columns together."""

import functools
from collections import deque
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
from pipeline.features.network import MOST_NODES, Graph
from pipeline.features.node2vec import node2vec
from pipeline.features.own import own_block
from pipeline.features.people import people
from pipeline.features.statistics import statistics
from pipeline.features.text import text
from pipeline.features.text_pairs import text_pairs
from pipeline.pairs.base import CandidatePairs
from pipeline.pairs.candidates import few_codes
from pipeline.threads import each

LONGEST = ("citation", "network")  # whose shared matrices take longest to make


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
    blocks = list(each(lambda make: make(), _blocks(history, pairs, task, seed, outside, wanted)))
    return _table(history, pairs, task, [blocks])


def feature_columns(
    history: Corpus, pairs: CandidatePairs, task: TaskConfig, seed: int, outside: Summary | None, wanted: Sequence[str]
) -> dict[str, np.ndarray]:
    """The columns alone, of candidates that are a part of all; see ``build_features``."""
    return _columns([make() for make in _blocks(history, pairs, task, seed, outside, wanted)])


def build_in_parts(
    history: Corpus, pairs: CandidatePairs, task: TaskConfig, seed: int, outside: Summary | None, wanted: Sequence[str]
) -> FeatureTable:
    """``build_features`` of pairs strewn over many codes, some codes at a time, so that no matrix is ever large."""
    parts = [pairs.part(some) for some in few_codes(pairs.a, len(pairs.codes))]
    # what the parts share is made with the first part: the longest before the rest, beside each other
    first = [name for name in LONGEST if name in wanted], [name for name in wanted if name not in LONGEST]
    for names in first:
        deque(each(lambda make: make(), _blocks(history, parts[0], task, seed, outside, names)), maxlen=0)
    makers = (make for part in parts for make in _blocks(history, part, task, seed, outside, wanted))
    blocks = list(each(lambda make: make(), makers))
    return _table(history, pairs, task, [blocks[i : i + len(wanted)] for i in range(0, len(blocks), len(wanted))])


def _blocks(
    history: Corpus, pairs: CandidatePairs, task: TaskConfig, seed: int, outside: Summary | None, wanted: Sequence[str]
) -> list[Callable[[], BlockOutput]]:
    """What makes each of the wanted blocks; none needs another's, so that several may run at once."""
    makers: dict[Block, Callable[[], BlockOutput]] = {
        "bibliometric": lambda: bibliometric(history, pairs, task),
        "network": lambda: network(history, pairs, task),
        "graph": lambda: graph(history, pairs, task, seed),
        "cooccurrence": lambda: cooccurrence(history, pairs, task, seed),
        "statistics": lambda: statistics(history, pairs, task),
        "dynamics": lambda: dynamics(history, pairs, task),
        "citation": lambda: citation(history, pairs, task),
        "people": lambda: people(history, pairs, task),
        "text": lambda: text(history, pairs, task, seed),
        "text_pairs": lambda: text_pairs(history, pairs, task, seed),
        "background": lambda: background(outside, history, pairs, task, seed),
    }
    own = [functools.partial(own_block, name, history, pairs, task, seed) for name in wanted if name not in makers]
    return [make for name, make in makers.items() if name in wanted] + own


def _columns(blocks: Sequence[BlockOutput]) -> dict[str, np.ndarray]:
    return {name: values.astype(np.float32) for block in blocks for name, values in block.columns.items()}


def _table(
    history: Corpus, pairs: CandidatePairs, task: TaskConfig, parts: Sequence[list[BlockOutput]]
) -> FeatureTable:
    """The table of the pairs from what the blocks gave for each part of them, in order."""
    columns = [_columns(part) for part in parts]
    blocks = parts[0]
    incidence = history.incidence(task.scheme, task.level)
    window = history.rows_since(years_before(history.cutoff, task.window))
    carriers = sp.csr_array(incidence.matrix.T)[positions(incidence.codes, pairs.codes)]
    return FeatureTable(
        pairs=pairs,
        columns=pd.DataFrame({name: np.concatenate([part[name] for part in columns]) for name in columns[0]}),
        code_vectors={name: vectors for block in blocks for name, vectors in block.code_vectors.items()},
        patent_vectors=None if history.embeddings is None else history.embeddings[window],
        carriers=sp.csr_array(carriers[:, window]),
        warnings=tuple(warning for block in blocks for warning in block.warnings),
    )


def network(history: Corpus, pairs: CandidatePairs, task: TaskConfig) -> BlockOutput:
    """The indices of A2 on the graph of all history, of the recent window and of the window before it."""
    columns = {}
    for suffix, (graph, known) in history.once(_snapshots, task, pairs.codes).items():
        before = np.concatenate([[0], np.cumsum(known)])  # how many of the first codes had a patent
        rows, every = pairs.grid.rows, pairs.grid.columns
        both = known[pairs.a] & known[pairs.b]
        a = before[pairs.a[both]] - before[rows.start]
        b = before[pairs.b[both]] - before[every.start]
        part = [slice(before[some.start], before[some.stop]) for some in (rows, every)]
        for name, matrix in graph.indices(*part):
            # a code that had no patent yet had no neighbour either: its indices are zero, not unknown
            values = np.zeros(len(pairs))
            values[both] = matrix[a, b]
            columns[f"network__{name}__{suffix}"] = values
    return BlockOutput(columns=columns, warnings=_too_many(history, task))


def _too_many(history: Corpus, task: TaskConfig) -> tuple[str, ...]:
    codes = len(history.incidence(task.scheme, task.level).codes)
    if codes <= MOST_NODES:
        return ()
    return (
        f"network: {codes:,} codes are too many for what is solved for all pairs at once, so katz, random_walk, "
        "item_based and reachability are left out",
    )


def _snapshots(history: Corpus, task: TaskConfig, codes: np.ndarray) -> dict[str, tuple[Graph, np.ndarray]]:
    """By column suffix the graph among those of the codes that had a patent by then, and which had."""
    start = years_before(history.cutoff, task.window)
    before = history.once(Corpus.as_of, start)
    earlier = years_before(start, task.window)
    periods = {
        "all__lag0": (history, slice(None)),
        f"w{task.window}__lag0": (history, history.rows_since(start)),
        f"w{task.window}__lag{task.window}": (before, before.rows_since(earlier)),
    }
    snapshots = {}
    for suffix, (known, rows) in periods.items():
        incidence = known.incidence(task.scheme, task.level)
        nodes = positions(incidence.codes, codes)  # both are sorted, so the nodes rise
        # columns are float32 in the end: to keep more of what is kept for all codes is waste
        snapshots[suffix] = Graph(incidence.joint(rows), nodes[nodes >= 0], np.float32), nodes >= 0
    return snapshots


def graph(history: Corpus, pairs: CandidatePairs, task: TaskConfig, seed: int) -> BlockOutput:
    """node2vec vectors of the codes on the graph of all history, and the distances between them."""
    vectors = history.once(_vectors, task, pairs.codes, seed)
    return BlockOutput(columns=vector_distances("graph", "all__lag0", vectors, pairs), code_vectors={"graph": vectors})


def _vectors(history: Corpus, task: TaskConfig, codes: np.ndarray, seed: int) -> np.ndarray:
    incidence = history.incidence(task.scheme, task.level)
    return node2vec(incidence.joint(), seed)[positions(incidence.codes, codes)]


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
