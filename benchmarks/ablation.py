"""What each part buys: modalities in every order, ways to fuse them, ways to meet the imbalance; writes a dated table.

    .venv/bin/python benchmarks/ablation.py [--corpus NAME ...]

Each development corpus at its last cutoff, fitted on the four yearly origins before it whose windows are over (as many
as the data hold), new links only. Measured is average precision of one learner or net alone, without the ensemble and
without what other corpora taught.
"""

import argparse
import datetime
import itertools
import json
import math
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from forecast import CORPORA, DATA, OFFICE, RESULTS, machine
from imblearn.ensemble import RUSBoostClassifier
from sklearn.metrics import average_precision_score
from threadpoolctl import threadpool_limits

from pipeline import __version__
from pipeline.background.summary import summarise
from pipeline.corpus.ingest import ingest
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.errors import NotEnoughDataError
from pipeline.features.base import modality_columns
from pipeline.features.build import build_features, ranked
from pipeline.fusion.attention import AttentionFusion
from pipeline.fusion.base import AttentionConfig
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged
from pipeline.parts import attach_text, code_hash
from pipeline.ranking.base import Origin, common_columns, stack
from pipeline.ranking.ensemble import ranked_table
from pipeline.ranking.imbalance import STRATEGIES
from pipeline.ranking.learners import make_learner

ORIGINS, FEWEST = 4, 10  # training origins, and positives one needs
KEPT_NEGATIVES = 0.05  # of the training pairs in the ablation of modalities, which fits hundreds of models
TOGETHER = {"graph": "network", "topic": "text", "scheme": "text"}  # modalities that stand or fall together
FUSIONS: dict[str, dict[str, Any]] = {
    "attention (default)": {},
    "gated mean": {"pooling": "gated_mean"},
    "concatenation": {"pooling": "concatenation"},
    "attention, resampled 2:8": {"imbalance": "resampling"},
    "attention, no logit adjustment": {"tau": 0.0},
    "attention, no modality dropout": {"modality_dropout": 0.0},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", action="append", choices=CORPORA)
    names = parser.parse_args().corpus or list(CORPORA)
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        found = list(pool.map(measure, names))
    record = {
        "date": f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}",
        "machine": machine(),
        "techconverge": __version__,
        "code_hash": code_hash(),
        "corpora": dict(zip(names, found, strict=True)),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "ablation.json").write_text(json.dumps(record, indent=1) + "\n")
    (RESULTS / "ablation.md").write_text("\n".join(table(record)))


def measure(name: str) -> dict[str, Any]:
    """The three ablations on one corpus."""
    with threadpool_limits(1):
        training, target = origins(name)
        seed = CORPORA[name].config().seed
        parts = {"modalities": modalities, "fusions": fusions, "imbalance": imbalance}
        record: dict[str, Any] = {
            "cutoff": f"{target.cutoff:%Y-%m-%d}",
            "prevalence": float(target.outcome.mean()),
            "training_positives": int(sum(origin.outcome.sum() for origin in training)),
        }
        for part, function in parts.items():
            start = time.perf_counter()
            record[part] = function(training, target, seed)
            print(f"{time.strftime('%H:%M:%S')} {name} {part}: {time.perf_counter() - start:.0f} s", flush=True)
    return record


def origins(name: str) -> tuple[list[Origin], Origin]:
    """The training origins and the labelled target, reduced to the columns they share."""
    setting = CORPORA[name]
    config = setting.config()
    corpus, _ = attach_text(ingest([DATA / f"{name}.parquet"]).corpus, config, lambda said: None)
    outside = None
    if setting.office:
        outside = summarise(ingest([DATA / f"{OFFICE}.parquet"]).corpus, "ipc", setting.level)
    cutoff = pd.Timestamp(setting.cutoffs[-1]).as_unit("s")

    def at(day: pd.Timestamp) -> Origin:
        history: Corpus = corpus.as_of(day)
        pairs = candidate_pairs(history, config.task).pairs
        table = build_features(history, pairs, config.task, config.seed, outside)
        return Origin(table=table, features=ranked(table), labels=converged(corpus, pairs, config.task))

    target, training = at(cutoff), []
    for age in range(config.task.horizon, config.task.horizon + ORIGINS):
        try:
            training.append(at(years_before(cutoff, age)))
        except (NotEnoughDataError, IndexError):
            break  # the data do not reach further back
    training = [origin for origin in training[::-1] if origin.outcome.sum() >= FEWEST]
    columns = common_columns([*training, target])
    return [origin.select(columns) for origin in training], target.select(columns)


def modalities(training: list[Origin], target: Origin, seed: int) -> dict[str, Any]:
    """A logistic regression on every set of the modalities; what each adds, averaged over every order of adding them.

    That average is the Shapley value; the values of all modalities add up to the gain over chance.
    """
    rng = np.random.default_rng(seed)
    X, y = stack(training)
    kept = (y > 0) | (rng.random(len(y)) < KEPT_NEGATIVES)
    groups: dict[str, list[int]] = {}
    place = {str(column): index for index, column in enumerate(target.features)}
    for modality, columns in modality_columns(list(place)).items():
        groups.setdefault(TOGETHER.get(modality, modality), []).extend(place[column] for column in columns)
    X, y, Z = X[kept], y[kept], target.features.to_numpy(dtype=np.float32)
    value: dict[frozenset[str], float] = {frozenset(): float(target.outcome.mean())}
    for chosen in subsets(list(groups)):
        if chosen:
            columns = sorted(index for name in chosen for index in groups[name])
            model = make_learner("logistic", seed, int(y.sum())).fit(X[:, columns], y)
            scores = model.predict_proba(Z[:, columns])[:, 1]
            value[chosen] = float(average_precision_score(target.outcome, scores))
    every = frozenset(groups)
    return {
        "all": value[every],
        "chance": value[frozenset()],
        "of": {
            name: {
                "alone": value[frozenset([name])],
                "without": value[every - {name}],
                "shapley": shapley(name, every, value.__getitem__),
            }
            for name in groups
        },
    }


def subsets(names: list[str]) -> Iterator[frozenset[str]]:
    return (frozenset(chosen) for size in range(len(names) + 1) for chosen in itertools.combinations(names, size))


def shapley(name: str, every: frozenset[str], value: Callable[[frozenset[str]], float]) -> float:
    """Mean over all orders of what a player adds to those before it (Shapley 1953)."""
    others, n = sorted(every - {name}), len(every)
    return sum(
        math.factorial(len(before)) * math.factorial(n - len(before) - 1) / math.factorial(n)
        * (value(before | {name}) - value(before))
        for before in subsets(others)
    )  # fmt: skip


def fusions(training: list[Origin], target: Origin, seed: int) -> dict[str, float]:
    """Average precision of each fusion net, and of no fusion: plain learners on the same columns."""
    found = {}
    tables, labels = [ranked_table(origin) for origin in training], [origin.outcome for origin in training]
    for name, changes in FUSIONS.items():
        fitted = AttentionFusion(AttentionConfig.model_validate(changes)).fit(tables, labels, seed)
        found[name] = float(average_precision_score(target.outcome, fitted.logits(ranked_table(target))))
    positives = int(sum(origin.outcome.sum() for origin in training))
    for learner in ("logistic", "lightgbm"):
        found[f"none: {learner}"] = _score(make_learner(learner, seed, positives), training, target)[0]
    return found


def imbalance(training: list[Origin], target: Origin, seed: int) -> dict[str, dict[str, float]]:
    """Average precision, mean probability and seconds of each learner under each strategy."""
    y = stack(training)[1]
    prior = float(y.mean())
    found = {}
    for learner in ("lightgbm", "logistic"):
        models = {
            name: make(make_learner(learner, seed, int(y.sum())), seed, prior) for name, make in STRATEGIES.items()
        }
        if learner == "lightgbm":  # it boosts by weights, which a pipeline does not take
            ratio = max(0.1, prior / (1 - prior))
            models["rus_boost"] = RUSBoostClassifier(
                make_learner(learner, seed, int(y.sum())), n_estimators=5, sampling_strategy=ratio, random_state=seed
            )
        for name, model in models.items():
            start = time.perf_counter()
            precision, mean = _score(model, training, target)
            seconds = round(time.perf_counter() - start, 1)
            found[f"{learner}/{name}"] = {"average_precision": precision, "mean": mean, "seconds": seconds}
    return found


def _score(model: Any, training: list[Origin], target: Origin) -> tuple[float, float]:
    X, y = stack(training)
    try:
        scores = model.fit(X, y).predict_proba(target.features.to_numpy(dtype=np.float32))[:, 1]
    except ValueError:  # RUSBoost gives up when a booster is worse than chance
        return math.nan, math.nan
    return float(average_precision_score(target.outcome, scores)), float(scores.mean())


def table(record: dict[str, Any]) -> list[str]:
    """The record as Markdown."""
    corpora = record["corpora"]
    lines = [
        "# What each part buys",
        "",
        f"{record['date']}, {record['machine']}; techconverge {record['techconverge']}. Average precision at the last "
        "cutoff of each development corpus, new links, horizon 3 years; one learner or net alone, without the ensemble "
        "and without what other corpora taught. Reproduce with `make benchmark-ablation`.",
        "",
        f"| corpus | {' | '.join(corpora)} |",
        f"|---|{'---|' * len(corpora)}",
        f"| cutoff | {' | '.join(c['cutoff'] for c in corpora.values())} |",
        f"| prevalence | {' | '.join(format(c['prevalence'], '.4f') for c in corpora.values())} |",
        f"| training positives | {' | '.join(str(c['training_positives']) for c in corpora.values())} |",
        "",
        "## Modalities in every order",
        "",
        "A logistic regression on every set of modalities. Per modality: alone / left out of all / mean gain over "
        "every order of adding (Shapley value; the values add up to the gain over chance).",
        "",
        f"| modality | {' | '.join(corpora)} |",
        f"|---|{'---|' * len(corpora)}",
        f"| *all* | {' | '.join(format(c['modalities']['all'], '.4f') for c in corpora.values())} |",
    ]
    names = dict.fromkeys(name for c in corpora.values() for name in c["modalities"]["of"])
    for name in names:
        lines.append(f"| {name} | {' | '.join(_modality(c['modalities']['of'].get(name)) for c in corpora.values())} |")
    lines += ["", "## Fusion", "", *_compared({k: c["fusions"] for k, c in corpora.items()}, "fusion")]
    ap = {k: {n: v["average_precision"] for n, v in c["imbalance"].items()} for k, c in corpora.items()}
    lines += ["", "## Imbalance", "", *_compared(ap, "learner/strategy"), ""]
    seconds = {n: sum(c["imbalance"][n]["seconds"] for c in corpora.values()) for n in next(iter(ap.values()))}
    level = {n: np.mean([c["imbalance"][n]["mean"] / c["prevalence"] for c in corpora.values()]) for n in seconds}
    lines += ["Seconds over all corpora, and mean probability over prevalence before correction: "]
    lines[-1] += "; ".join(f"{n} {seconds[n]:.0f} s, {level[n]:.1f}x" for n in seconds) + "."
    lines[-1] += " Failed: RUSBoost gives up where a booster is worse than chance."
    return [*lines, ""]


def _modality(row: dict[str, float] | None) -> str:
    return "absent" if row is None else f"{row['alone']:.4f} / {row['without']:.4f} / {row['shapley']:+.4f}"


def _compared(found: dict[str, dict[str, float]], what: str) -> list[str]:
    """Rows by the geometric mean of their ratios to the first row, best first."""
    frame = pd.DataFrame(found)
    frame["mean"] = np.exp(np.log(frame.div(frame.iloc[0])).mean(axis=1, skipna=False))
    rows = [f"| {what} | {' | '.join(found)} | times the first, geometric mean |", f"|---|{'---|' * (len(found) + 1)}"]
    for name, row in frame.iterrows():
        cells = ["failed" if math.isnan(value) else f"{value:.4f}" for value in row[:-1]]
        rows.append(
            f"| {name} | {' | '.join(cells)} | {'' if math.isnan(row['mean']) else format(row['mean'], '.2f')} |"
        )
    return rows


if __name__ == "__main__":
    main()
