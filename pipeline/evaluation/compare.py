"""Two rankings of the same candidates against each other, on the same resamples."""

import numpy as np
import pandas as pd

from pipeline.errors import ConfigError
from pipeline.evaluation.bootstrap import difference_intervals, node_replicates
from pipeline.evaluation.metrics import evaluate
from pipeline.schemas import PAIR

KEY = ["metric", "k"]
OURS, THEIRS = "this", "other"


def compare(ours: pd.DataFrame, theirs: pd.DataFrame, repeats: int, seed: int) -> pd.DataFrame:
    """Metrics of two labelled prediction tables, over the cutoffs they share.

    Columns cutoff, metric, k, this, other, difference (this less other); low and high bound the difference with 90 %,
    for the metrics that are resampled. Several cutoffs also have their mean, as cutoff ``mean``.

    Raises:
        ConfigError: no cutoff in common, or other candidates or outcomes at one of them.
    """
    shared = sorted(set(ours["cutoff"]) & set(theirs["cutoff"]))
    if not shared:
        raise ConfigError("the two runs were tested at no cutoff in common: nothing can be compared")
    both = [_paired(ours, theirs, cutoff) for cutoff in shared]
    values = [_values(table) for table in both]
    replicates = [_replicates(table, repeats, seed) for table in both]
    parts = [(f"{day:%Y-%m-%d}", v, r) for day, v, r in zip(shared, values, replicates, strict=True)]
    if len(shared) > 1:
        draws = pd.concat(replicates).groupby(["model", *KEY, "repeat"], sort=False, dropna=False)["value"].mean()
        means = pd.concat(values).groupby(KEY, sort=False, dropna=False).mean().reset_index()
        parts.append(("mean", means, draws.reset_index()))
    rows = [
        measured.merge(difference_intervals(drawn, OURS).drop(columns="model"), on=KEY, how="left").assign(cutoff=name)
        for name, measured, drawn in parts
    ]
    table = pd.concat(rows, ignore_index=True).rename(columns={"difference_low": "low", "difference_high": "high"})
    table = table.assign(difference=table[OURS] - table[THEIRS])
    return table[["cutoff", *KEY, OURS, THEIRS, "difference", "low", "high"]]


def _paired(ours: pd.DataFrame, theirs: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    columns = [*PAIR, "label", "score_raw", "probability"]
    tables = [table.loc[table["cutoff"] == cutoff, columns] for table in (ours, theirs)]
    both = tables[0].merge(tables[1], on=PAIR, suffixes=("", "_other"), validate="one_to_one")
    sizes = [len(table) for table in tables]
    if not len(both) == sizes[0] == sizes[1] or not both["label"].equals(both["label_other"]):
        raise ConfigError(
            f"the two runs differ at {cutoff:%Y-%m-%d} in their candidates ({sizes[0]:,} and {sizes[1]:,}, of which "
            f"{len(both):,} are the same) or in what came of them: compare runs of one corpus and one task"
        )
    return both


def _values(table: pd.DataFrame) -> pd.DataFrame:
    labels, (a, b, _) = table["label"].to_numpy(dtype=np.int8), _codes(table)
    measured = [
        evaluate(labels, table[f"score_raw{of}"].to_numpy(), table[f"probability{of}"].to_numpy(), a, b)
        .astype({"k": "Int64"})
        .rename(columns={"value": name})
        for name, of in ((OURS, ""), (THEIRS, "_other"))
    ]
    return measured[0].merge(measured[1], on=KEY, validate="one_to_one")


def _replicates(table: pd.DataFrame, repeats: int, seed: int) -> pd.DataFrame:
    a, b, n_codes = _codes(table)
    scores = {OURS: table["score_raw"].to_numpy(), THEIRS: table["score_raw_other"].to_numpy()}
    return node_replicates(table["label"].to_numpy(dtype=np.int8), scores, a, b, n_codes, repeats, seed)


def _codes(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, int]:
    codes, names = pd.factorize(pd.concat([table["code_a"], table["code_b"]]), sort=True)
    return codes[: len(table)], codes[len(table) :], len(names)
