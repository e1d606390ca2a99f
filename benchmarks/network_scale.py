"""All network indices of all pairs of main groups, by blocks of rows, against networkx's per-pair functions.

    .venv/bin/python benchmarks/network_scale.py CORPUS [--cutoff 2013-12-31]

CORPUS: of ``make_corpus.py``, 1,000,000 patents; at the default cutoff 7,306 codes and 580,752 links. The ratio is of
processor seconds; networkx computes a sample of pairs, scaled up by their share. Prints Markdown.
"""

import argparse
import time
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import scipy.sparse as sp
from network import SHARED
from threadpoolctl import threadpool_limits

from pipeline.corpus.store import load_corpus
from pipeline.features.network import Graph

ROWS = 256  # codes at once
SAMPLE = 400  # pairs that networkx computes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--cutoff", default="2013-12-31")
    given = parser.parse_args()
    history = load_corpus(given.corpus).as_of(pd.Timestamp(given.cutoff).as_unit("s"))
    joint = history.incidence("ipc", "maingroup").joint()
    size = joint.shape[0]
    rng = np.random.default_rng(0)
    a, b = np.sort(rng.choice(size, (SAMPLE, 2)), axis=1).T
    a, b = a[a < b], b[a < b]
    with threadpool_limits(1):
        seconds, values = ours(joint, a, b)
    graph = nx.from_scipy_sparse_array(joint)
    theirs, worst = 0.0, 0.0
    for name, function in SHARED.items():
        clock = time.process_time()
        found = np.array([value for _, _, value in function(graph, list(zip(a.tolist(), b.tolist(), strict=True)))])
        theirs += (time.process_time() - clock) * size * (size - 1) / 2 / len(a)
        worst = max(worst, float(np.abs(found - values[name]).max()))
    five, every = sum(seconds[name] for name in SHARED), sum(seconds.values())
    print(f"{size:,} codes, {joint.nnz // 2:,} links; networkx (estimated) {theirs:.0f} s, our same five {five:.1f} s,")
    print(f"all of ours {every:.1f} s: ratio {theirs / five:.0f}, of all {theirs / every:.0f}; difference {worst:.1e}.")
    print(", ".join(f"{name} {spent:.1f}" for name, spent in seconds.items()))


def ours(joint: sp.csr_array, a: np.ndarray, b: np.ndarray) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Processor seconds until each index was there for all pairs, and the values of some pairs."""
    graph, size = Graph(joint, np.arange(joint.shape[0])), joint.shape[0]
    seconds: dict[str, float] = {}
    values = {name: np.zeros(len(a)) for name in SHARED}
    for start in range(0, size, ROWS):
        inside = (a >= start) & (a < start + ROWS)
        clock = time.process_time()
        for name, matrix in graph.indices(slice(start, min(start + ROWS, size)), slice(start, size)):
            seconds[name] = seconds.get(name, 0.0) + time.process_time() - clock
            if name in SHARED:
                values[name][inside] = matrix[a[inside] - start, b[inside] - start]
            clock = time.process_time()
    return seconds, values


if __name__ == "__main__":
    main()
