"""The forecast benchmark: model, baselines and recipe A on real corpora; writes a dated table beside this file.

    .venv/bin/python benchmarks/forecast.py [--corpus NAME ...] [--recipe default|reference ...]

Reads the corpora from $TECHCONVERGE_REAL_DATA, or ../shared/data beside the project. One default configuration for
all corpora; its settings were chosen on these.
"""

import argparse
import datetime
import json
import os
import platform
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import __version__
from pipeline.corpus.ingest import ingest
from pipeline.corpus.store import save_corpus
from pipeline.parts import code_hash
from pipeline.ranking.baselines import HEURISTICS
from pipeline.run import RunRequest, run
from pipeline.run_config import load_config

HERE = Path(__file__).resolve().parent
CORPORA = {
    "pizza_patentscope": (2010, 2011, 2012),
    "green_aviation_patsnap": (2017, 2018, 2019),
    "dpl_google": (2009, 2010, 2011),
}
METRICS = {"average_precision": None, "roc_auc": None, "precision": 100}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", action="append", choices=CORPORA)
    parser.add_argument("--recipe", action="append", choices=("default", "reference"))
    arguments = parser.parse_args()
    data = Path(os.environ.get("TECHCONVERGE_REAL_DATA", HERE.parents[1] / "shared" / "data")) / "corpora"
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    for name in arguments.corpus or CORPORA:
        for recipe in arguments.recipe or ("default", "reference"):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:  # its peak memory is its own
                measured = alone.submit(measure, data / f"{name}.parquet", CORPORA[name], recipe).result()
            text = json.dumps(measured, indent=1, allow_nan=False)
            (results / f"forecast-{name}-{recipe}.json").write_text(text + "\n")
    write_table(results)


def measure(source: Path, years: tuple[int, ...], recipe: str) -> dict[str, object]:
    """Backtest one corpus and keep the rows of the table, with time, memory, versions and hashes."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        manifest = save_corpus(ingest([source]), corpus)
        cutoffs = tuple(datetime.date(year, 12, 31) for year in years)
        config = load_config(None, {"recipe": recipe})
        request = RunRequest(command="backtest", corpus=corpus, cutoffs=cutoffs, firm=None, config=config)
        start = time.perf_counter()
        run(request, Path(folder) / "run", lambda message: print(f"{source.stem} {recipe}: {message}", flush=True))
        seconds = time.perf_counter() - start
        record = json.loads((Path(folder) / "run" / "run.json").read_text())
        metrics = json.loads((Path(folder) / "run" / "metrics.json").read_text())
    wanted = [row for row in metrics["metrics"] if METRICS.get(row["metric"], -1) == row["k"] or row["metric"] == "ece"]
    return {
        "corpus": source.stem,
        "recipe": recipe,
        "date": f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}",
        "machine": machine(),
        "techconverge": __version__,
        "code_hash": code_hash(),
        "content_hash": manifest["content_hash"],
        "seed": config.seed,
        "versions": record["versions"],
        "wall_seconds": round(seconds, 1),
        "peak_memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "timings": record["timings"],
        "warnings": record["warnings"],
        "member_weights": record["member_weights"],
        "origins": metrics["origins"],
        "metrics": wanted,
    }


def machine() -> str:
    """The processor and the number of cores, as the table states them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"{model}, {os.cpu_count()} cores, {platform.system()}"


def write_table(results: Path) -> None:
    """Make the Markdown table from all results that are there."""
    measured = [json.loads(path.read_text()) for path in sorted(results.glob("forecast-*.json"))]
    lines = ["# Forecast benchmark", ""]
    first = measured[0]
    versions = ", ".join(f"{name} {version}" for name, version in first["versions"].items())
    lines += [
        f"{first['date']}, {first['machine']}; techconverge {first['techconverge']}, seed {first['seed']}; {versions}.",
        "New-link track, horizon 3 years, subclass, IPC. Each value is the mean over the corpus's cutoffs; AP is "
        "average precision, with its 90 % interval at each cutoff; lift is mean AP over mean prevalence; `pmi` is the "
        "cosine of PPMI profiles. All rows are in the JSON files beside this table.",
        "Reproduce with `make benchmark-forecast`.",
        "",
    ]
    for name in dict.fromkeys(item["corpus"] for item in measured):
        lines += corpus_table(name, {item["recipe"]: item for item in measured if item["corpus"] == name})
    (results / "forecast.md").write_text("\n".join(lines))


def corpus_table(name: str, by_recipe: dict[str, dict]) -> list[str]:
    """One corpus: prevalence, then model, reference and baselines, best first."""
    main = by_recipe.get("default") or by_recipe["reference"]
    rows = frame(main)
    table = rows[rows["cutoff"] == "mean"].pivot_table(index="model", columns=["metric"], values="value")
    if "reference" in by_recipe and by_recipe["reference"] is not main:
        reference = frame(by_recipe["reference"])
        mean = reference[(reference["cutoff"] == "mean") & (reference["model"] == "model")].set_index("metric")["value"]
        table.loc["recipe A (reference)"] = mean
    table = table.sort_values("average_precision", ascending=False)
    heuristics = table.loc[[h for h in HEURISTICS if h in table.index], "average_precision"]
    prevalence = np.mean([origin["prevalence"] for origin in main["origins"]])
    cutoffs = ", ".join(
        f"{o['cutoff']} ({o['candidates']:,} candidates, {o['positives']} positives, "
        f"{o['expected_prevalence'] * o['candidates']:.0f} expected)"
        for o in main["origins"]
    )
    ratio = table.loc["model", "average_precision"] / heuristics.max()
    verdict = "ahead of" if ratio > 1 else "BEHIND"
    lines = [
        f"## {name}",
        "",
        f"Cutoffs {cutoffs}; prevalence {prevalence:.4f} on average. The model is {verdict} the best heuristic "
        f"({heuristics.idxmax()}): {ratio:.2f} times its average precision. ECE {table.loc['model', 'ece']:.4f}.",
        "",
        "| | AP | lift | ROC-AUC | P@100 | AP at each cutoff |",
        "|---|---|---|---|---|---|",
    ]
    each = pd.concat([frame(item).assign(recipe=recipe) for recipe, item in by_recipe.items()])
    for model, row in table.iterrows():
        recipe, column = ("reference", "model") if model.startswith("recipe A") else (main["recipe"], model)
        own = each[(each["recipe"] == recipe) & (each["model"] == column) & (each["metric"] == "average_precision")]
        cells = [f"{r.value:.4f} [{r.low:.4f}, {r.high:.4f}]" for r in own[own["cutoff"] != "mean"].itertuples()]
        label = f"**{model}**" if model == "model" else model
        lines.append(
            f"| {label} | {row['average_precision']:.4f} | {row['average_precision'] / prevalence:.1f} | "
            f"{row['roc_auc']:.3f} | {row['precision']:.3f} | {'; '.join(cells)} |"
        )
    cost = [
        f"{recipe}: {item['wall_seconds']} s for {len(item['origins'])} cutoffs, peak {item['peak_memory_gb']} GB"
        for recipe, item in by_recipe.items()
    ]
    return [*lines, "", f"Cost: {'; '.join(cost)}.", ""]


def frame(item: dict) -> pd.DataFrame:
    """The metric rows of one result."""
    return pd.DataFrame(item["metrics"])


if __name__ == "__main__":
    main()
