"""A small table with a planted signal, shared by the tests of the fusions."""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.features.base import CandidatePairs, FeatureTable

SIZES = {"bibliometric": 3, "network": 4, "graph": 2, "text": 3, "topic": 2}


def planted(seed: int, codes: int = 40, signal: str = "network") -> tuple[FeatureTable, np.ndarray]:
    """Random ranks; the sixteenth of the pairs in which the modality named ``signal`` is highest converges."""
    rng = np.random.default_rng(seed)
    a, b = np.triu_indices(codes, k=1)
    names = [f"{modality}__m{number}__all__lag0" for modality, size in SIZES.items() for number in range(size)]
    columns = pd.DataFrame(rng.random((len(a), len(names))), columns=names).astype(np.float32)
    strength = columns.filter(like=f"{signal}__").sum(axis=1).to_numpy()
    labels = (strength > np.quantile(strength, 15 / 16)).astype(np.int8)
    symbols = np.array([f"A{number:02d}B" for number in range(codes)])
    pairs = CandidatePairs(
        table=pd.DataFrame({"code_a": symbols[a], "code_b": symbols[b]}),
        codes=symbols,
        a=a,
        b=b,
        cutoff=pd.Timestamp("2010-12-31"),
    )
    table = FeatureTable(
        pairs=pairs,
        columns=columns,
        code_vectors={"graph": rng.normal(size=(codes, 6)), "text": rng.normal(size=(codes, 5))},
        patent_vectors=rng.normal(size=(90, 5)).astype(np.float32),
        carriers=sp.csr_array((rng.random((codes, 90)) < 0.1).astype(float)),
    )
    return table, labels
