"""The fusion benchmark: training and scoring on the processor and, where there is one, on a GPU in two precisions.

    .venv/bin/python benchmarks/fusion.py [--codes 648] [--origins 3]

Time does not depend on what the numbers mean, so the tables are random ranks with a planted signal, as wide and as
long as those of a forecast at subclass level. The same weights are scored on both devices, which shows by how much the
logits differ; nets trained in each precision are compared by average precision on an origin they did not see. Writes a
dated table beside this file, one for each kind of device.
"""

import argparse
import contextlib
import datetime
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch
from sklearn.metrics import average_precision_score

from pipeline.features.base import FeatureTable
from pipeline.fusion.attention import AttentionFusion, FittedAttention
from pipeline.fusion.base import AttentionConfig, ReferenceConfig
from pipeline.fusion.reference import FittedReference, ReferenceFusion
from pipeline.pairs.base import CandidatePairs

HERE = Path(__file__).resolve().parent
COLUMNS = {  # about as many as a forecast with every block
    **{"bibliometric": 16, "network": 48, "graph": 4, "cooccurrence": 40, "statistics": 10},
    **{"dynamics": 20, "citation": 16, "people": 6, "text": 12},
}
TEXT = 384
FUSIONS = {
    "attention": (AttentionFusion, FittedAttention, AttentionConfig()),
    "reference": (ReferenceFusion, FittedReference, ReferenceConfig()),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--codes", type=int, default=648)
    parser.add_argument("--origins", type=int, default=3)
    parser.add_argument("--out", type=Path, default=HERE / "results")
    arguments = parser.parse_args()
    tables, labels = zip(*(planted(seed, arguments.codes) for seed in range(arguments.origins + 1)), strict=True)
    pairs = len(tables[0].pairs)
    gpu = torch.cuda.is_available()
    precisions = [("cpu", "float32")] + [("cuda", name) for name in ("float32", "bfloat16") if gpu]
    lines = [
        "# Fusion",
        "",
        f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}, torch {torch.__version__}, {os.cpu_count()} cores"
        f"{', ' + torch.cuda.get_device_name() if gpu else ', no GPU'}; load {os.getloadavg()[0]:.1f} when measured. "
        "Reproduce with `benchmarks/fusion.py`.",
        "",
        f"{arguments.origins} training origins of {pairs:,} pairs, {sum(COLUMNS.values())} columns, "
        f"text vectors of {TEXT}; both fusions with their default settings.",
        "",
        "| fusion | device | precision | seconds of training | an epoch of one net | scoring, a million pairs "
        "| average precision | greatest difference of a logit from the processor's, same weights "
        "| two fits equal to the last bit |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for kind, (fusion, fitted, config) in FUSIONS.items():
        with tempfile.TemporaryDirectory() as folder:
            with on("cpu", "float32"):
                fusion(config).fit(tables[:1], labels[:1], 0).save(Path(folder))
                told = fitted.load(Path(folder)).logits(tables[-1])
            for device, precision in precisions:
                with on(device, precision):
                    if device == "cuda":  # the first call sets the card up
                        fitted.load(Path(folder)).logits(tables[-1])
                    clock = time.perf_counter()
                    net = fusion(config).fit(tables[:-1], labels[:-1], 1)
                    trained = time.perf_counter() - clock
                    clock = time.perf_counter()
                    scores = net.logits(tables[-1])
                    scored = (time.perf_counter() - clock) / pairs * 1e6
                    same = ""
                    if precision == "float32" and (device == "cuda") == gpu:
                        again = fusion(config).fit(tables[:-1], labels[:-1], 1).logits(tables[-1])
                        same = "yes" if (scores == again).all() else "no"
                    away = np.abs(fitted.load(Path(folder)).logits(tables[-1]) - told).max()
                epoch = trained / config.epochs / getattr(config, "members", 1)
                lines.append(
                    f"| {kind} | {device} | {precision} | {trained:.1f} | {epoch:.2f} | {scored:.2f} s "
                    f"| {average_precision_score(labels[-1], scores):.4f} | {away:.1e} "
                    f"| {same} |"
                )
                print(lines[-1], flush=True)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / f"fusion-{'gpu' if gpu else 'cpu'}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


@contextlib.contextmanager
def on(device: str, precision: str) -> Iterator[None]:
    """Make the fusions compute on a device in a precision."""
    with contextlib.ExitStack() as stack:
        if device == "cpu":
            stack.enter_context(mock.patch("torch.cuda.is_available", return_value=False))
        if precision == "bfloat16":
            stack.enter_context(torch.autocast(device, torch.bfloat16))
        yield


def planted(seed: int, codes: int) -> tuple[FeatureTable, np.ndarray]:
    """Random ranks of all pairs of the codes; two in a hundred converge, more likely where some columns are high."""
    rng = np.random.default_rng(seed)
    a, b = np.triu_indices(codes, k=1)
    names = [f"{modality}__m{number}__all__lag0" for modality, size in COLUMNS.items() for number in range(size)]
    values = rng.random((len(a), len(names)), dtype=np.float32)
    strength = values[:, 16:24].sum(axis=1) + values[:, -12:-8].sum(axis=1) + rng.normal(0, 1, len(a))
    labels = (strength > np.quantile(strength, 0.98)).astype(np.int8)
    symbols = np.array([f"A{number:04d}" for number in range(codes)])
    pairs = CandidatePairs(
        table=pd.DataFrame({"code_a": symbols[a], "code_b": symbols[b]}),
        codes=symbols,
        a=a,
        b=b,
        cutoff=pd.Timestamp("2010-12-31"),
    )
    table = FeatureTable(
        pairs=pairs,
        columns=pd.DataFrame(values, columns=names),
        code_vectors={
            "graph": rng.normal(size=(codes, 64)).astype(np.float32),
            "text": rng.normal(size=(codes, TEXT)).astype(np.float32),
        },
        patent_vectors=rng.normal(size=(5000, TEXT)).astype(np.float32),
        carriers=sp.csr_array((rng.random((codes, 5000)) < 0.004).astype(float)),
    )
    return table, labels


if __name__ == "__main__":
    main()
