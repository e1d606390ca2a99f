"""The network benchmark: all indices of A2 for all pairs of subclasses at three snapshots, against networkx.

    .venv/bin/python benchmarks/network.py

Reads ``uspto_2007_2010`` from $TECHCONVERGE_REAL_DATA, or ../shared/data beside the project. networkx's per-pair
functions exist for five of the indices; the ratio compares the same five on the same pairs, networkx on a sample of
them, in one run. Writes a dated table beside this file.
"""

import datetime
import itertools
import os
import resource
import time
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import scipy.sparse as sp
from forecast import machine

from pipeline.corpus.ingest import ingest
from pipeline.features.network import INDICES, network_indices

HERE = Path(__file__).resolve().parent
SNAPSHOTS = ("2008-12-31", "2009-12-31", "2010-10-31")
SAMPLE = 2000  # pairs networkx computes, seconds scaled up by their share
SHARED = {
    "jaccard": nx.jaccard_coefficient,
    "resource_allocation": nx.resource_allocation_index,
    "adamic_adar": nx.adamic_adar_index,
    "preferential_attachment": nx.preferential_attachment,
    "common_neighbours": lambda graph, pairs: ((a, b, len(nx.common_neighbors(graph, a, b))) for a, b in pairs),
}


def main() -> None:
    data = Path(os.environ.get("TECHCONVERGE_REAL_DATA", HERE.parents[1] / "shared" / "data")) / "corpora"
    clock = time.perf_counter()
    corpus = ingest([data / "uspto_2007_2010.parquet"]).corpus
    ingested = time.perf_counter() - clock
    clock = time.perf_counter()
    graphs = []
    for day in SNAPSHOTS:
        incidence = corpus.as_of(min(pd.Timestamp(day).as_unit("s"), corpus.cutoff)).incidence("ipc", "subclass")
        graphs.append(incidence.joint())
    cut = time.perf_counter() - clock
    clock = time.perf_counter()
    for joint in graphs:
        for _, _matrix in network_indices(joint, np.arange(joint.shape[0])):
            pass
    ours = time.perf_counter() - clock
    joint = graphs[-1]
    clock = time.perf_counter()
    shared, same_five = five_of_ours(joint)
    one_snapshot = time.perf_counter() - clock
    graph = nx.from_scipy_sparse_array(joint)
    pairs = list(itertools.combinations(range(joint.shape[0]), 2))
    chosen = [pairs[i] for i in np.random.default_rng(0).choice(len(pairs), SAMPLE, replace=False)]
    theirs, worst = 0.0, 0.0
    for name, function in SHARED.items():
        clock = time.perf_counter()
        values = np.array([value for _, _, value in function(graph, chosen)])
        theirs += (time.perf_counter() - clock) * len(pairs) / SAMPLE
        worst = max(worst, float(np.abs(values - shared[name][tuple(np.array(chosen).T)]).max()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    lines = [
        "# Network benchmark",
        "",
        f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}, {machine()}; networkx {nx.__version__}. "
        "Reproduce with `make benchmark-network`.",
        "",
        f"uspto_2007_2010, {len(corpus.patents):,} patents, {joint.shape[0]} subclasses, {len(pairs):,} pairs, "
        f"{joint.nnz // 2:,} links at {SNAPSHOTS[-1]}.",
        "",
        "| step | |",
        "|---|---|",
        f"| ingest | {ingested:.1f} s |",
        f"| cut and count joint patents at three snapshots | {cut:.1f} s |",
        f"| {len(INDICES)} columns of the 14 indices, all pairs, three snapshots | {ours:.2f} s |",
        f"| the same, one snapshot | {one_snapshot:.2f} s |",
        f"| networkx, its five per-pair functions, one snapshot (estimated from {SAMPLE:,} pairs) | {theirs:.0f} s |",
        f"| our same five, one snapshot | {same_five:.3f} s |",
        f"| ratio, the same five indices on the same pairs | {theirs / same_five:.0f} |",
        f"| ratio, networkx's five against all of ours | {theirs / one_snapshot:.0f} |",
        f"| greatest difference from networkx on the sample | {worst:.1e} |",
        f"| peak memory of the process, ingest included | {peak:.2f} GB |",
        "",
    ]
    (HERE / "results" / "network.md").write_text("\n".join(lines))
    print("\n".join(lines))


def five_of_ours(joint: sp.csr_array) -> tuple[dict[str, np.ndarray], float]:
    """The matrices networkx has functions for, and the seconds spent until each was there, the others' left out."""
    matrices, seconds = {}, 0.0
    clock = time.perf_counter()
    for name, matrix in network_indices(joint, np.arange(joint.shape[0])):
        if name in SHARED:
            seconds += time.perf_counter() - clock
            matrices[name] = matrix
        clock = time.perf_counter()
    return matrices, seconds


if __name__ == "__main__":
    main()
