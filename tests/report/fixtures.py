"""Small run folders of the shape that `forecast` and `backtest` write."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.artifacts import write_json, write_table

TITLES = {
    "A23L": "Foods and their preservation",
    "A47J": "Kitchen equipment",
    "B01D": "Separation",
    "B60H": "Heating and cooling of vehicles",
    "B60K": "Arrangement of vehicle propulsion units",
    "B60L": "Propulsion of electric vehicles",
    "B65D": "Containers for storage or transport",
    "C02F": "Treatment of water and waste water",
    "C09K": "Materials for miscellaneous applications",
    "C25B": "Electrolysis and its apparatus",
    "E06B": "Doors, windows, shutters",
    "F01K": "Steam engine plants",
    "F02C": "Gas-turbine plants",
    "F03D": "Wind motors",
    "F04B": "Positive-displacement pumps",
    "F04D": "Centrifugal pumps and fans",
    "F16L": "Pipes and joints",
    "F24D": "Domestic and space heating",
    "F24F": "Air conditioning and ventilation",
    "F24H": "Water and air heaters",
    "F24S": "Solar heat collectors",
    "F25B": "Refrigeration machines and heat pumps",
    "F25D": "Refrigerators and cold rooms",
    "F28D": "Heat exchange apparatus",
    "F28F": "Details of heat exchange",
    "G05B": "Control and regulating systems",
    "G05D": "Control of non-electric variables",
    "G06N": "Computing by specific models",
    "G06Q": "Data processing for business",
    "H01M": "Batteries and fuel cells",
    "H02J": "Supply and storage of electric power",
    "H02K": "Dynamo-electric machines",
    "H05B": "Electric heating and lighting",
    "H05K": "Printed circuits and cooling of electronics",
}
BASELINES = {
    "lightgbm_all": 0.148,
    "reference": 0.137,
    "adamic_adar": 0.129,
    "resource_allocation": 0.126,
    "weighted_common_neighbours": 0.121,
    "common_neighbours": 0.118,
    "katz": 0.104,
    "degree_product": 0.097,
    "activity_product": 0.083,
    "text_cosine": 0.061,
}
ORIGINS = ("2010-12-31", "2011-12-31", "2012-12-31")
HORIZON = 3


def write_run(
    folder: Path,
    command: str = "forecast",
    firm: str | None = "NORTHWIND THERMAL",
    simulated: bool = False,
    tested: bool = True,
    interval: bool = True,
    title: str | None = None,
) -> Path:
    """Write a run folder; ``title`` replaces every text that comes from patents (to plant a hostile one)."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(11)
    codes = code_table(rng, title)
    backtest = command == "backtest"
    predictions = pd.concat(
        [prediction_table(rng, cutoff, backtest, interval) for cutoff in ORIGINS[-1 if not backtest else 0 :]]
    )
    last = predictions[predictions["cutoff"] == predictions["cutoff"].max()].sort_values("rank")
    write_table(folder / "predictions.parquet", predictions)
    write_table(folder / "codes.parquet", codes)
    write_table(folder / "links.parquet", link_table(rng, last))
    if firm:
        firm_view = opportunity_table(last, codes)
        write_table(folder / "opportunities.parquet", firm_view)
        last = firm_view
    write_table(folder / "explanations.parquet", explanation_table(rng, last.head(20)))
    write_table(folder / "examples.parquet", example_table(rng, last.head(20), codes, title))
    write_json(folder / "metrics.json", metric_record(rng) if tested else {"track": "new", "horizon": HORIZON})
    write_json(folder / "run.json", run_record(command, title or firm if firm else None, simulated, tested))
    return folder


def code_table(rng: np.random.Generator, title: str | None) -> pd.DataFrame:
    patents = (rng.lognormal(4.3, 1.1, len(TITLES)) + 3).astype(int)
    held = rng.random(len(TITLES)) < 0.35
    return pd.DataFrame(
        {
            "code": list(TITLES),
            "title": list(TITLES.values()) if title is None else title,
            "keywords": "heat, exchanger, refrigerant" if title is None else title,
            "patents": patents,
            "recent_patents": patents // 3,
            "firm_patents": np.where(held, patents // 9 + 1, 0),
        }
    )


def prediction_table(rng: np.random.Generator, cutoff: str, closed: bool, interval: bool) -> pd.DataFrame:
    pairs = [pair for pair in combinations(TITLES, 2) if rng.random() < 0.6]
    raw = np.sort(rng.normal(-3.6, 1.15, len(pairs)))[::-1]
    probability = 1 / (1 + np.exp(-raw))
    order = rng.permutation(len(pairs))
    label = pd.array(rng.random(len(pairs)) < probability, dtype="boolean").astype("Int8")
    frame = pd.DataFrame(
        {
            "cutoff": pd.Timestamp(cutoff),
            "code_a": [pairs[i][0] for i in order],
            "code_b": [pairs[i][1] for i in order],
            "entered": False,
            "label": label if closed else pd.array([None] * len(pairs), dtype="Int8"),
            "score_raw": raw,
            "probability": probability,
            "rank": np.arange(1, len(pairs) + 1),
            "baseline__adamic_adar": rng.random(len(pairs)),
        }
    )
    if not interval:
        return frame.assign(probability_low=np.nan, probability_high=np.nan)
    return frame.assign(probability_low=1 / (1 + np.exp(-raw + 0.5)), probability_high=1 / (1 + np.exp(-raw - 0.6)))


def link_table(rng: np.random.Generator, last: pd.DataFrame) -> pd.DataFrame:
    forecast = set(zip(last["code_a"], last["code_b"], strict=True))
    linked = [pair for pair in combinations(TITLES, 2) if pair not in forecast]
    joint = np.sort(rng.geometric(0.06, len(linked)))[::-1]
    return pd.DataFrame(linked, columns=["code_a", "code_b"]).assign(joint=joint)


def opportunity_table(last: pd.DataFrame, codes: pd.DataFrame) -> pd.DataFrame:
    held = codes.set_index("code")["firm_patents"] > 0
    a, b = last["code_a"].map(held), last["code_b"].map(held)
    density = {side: (0.1 + 0.6 * holds * (last["rank"] % 7) / 7) for side, holds in (("a", a), ("b", b))}
    score = last["probability"] * (0.5 + density["a"] + density["b"])
    frame = pd.DataFrame(
        {
            "code_a": last["code_a"],
            "code_b": last["code_b"],
            "type": (a.astype(int) + b.astype(int)).map({0: "I", 1: "II", 2: "III"}),
            "probability": last["probability"],
            "rank": last["rank"],
            "firm_score": score,
            "holds_a": a,
            "holds_b": b,
            "rta_a": 1.2 * a,
            "rta_b": 0.8 * b,
            "density_a": density["a"],
            "density_b": density["b"],
            "share_a": 0.02 * a,
            "share_b": 0.01 * b,
            "recency_a": np.where(a, 0.4, np.nan),
            "recency_b": np.where(b, 2.5, np.nan),
            "inventor_overlap": np.where(a & b, 0.1, np.nan),
        }
    ).sort_values("firm_score", ascending=False, ignore_index=True)
    frame.insert(0, "firm_rank", np.arange(1, len(frame) + 1))
    return frame


def explanation_table(rng: np.random.Generator, pairs: pd.DataFrame) -> pd.DataFrame:
    features = [
        ("network__common_neighbours__all__t0", "share 14 neighbouring classes (top 1 % of pairs)", 0.61),
        ("citation__flow__both__t0", "patents on one side cite the other 9 times in the window (top 3 %)", 0.38),
        ("text__cosine__mean__t0", "are described in similar words (similarity .71, top 5 %)", 0.22),
        ("bibliometric__growth_min__w3", "grow by at least 18 % a year on both sides", 0.12),
        (
            "network__hub_depressed__all__t0",
            "the larger class joins most others, so sharing neighbours says less",
            -0.09,
        ),
    ]
    rows: list[dict[str, Any]] = []
    for a, b in zip(pairs["code_a"], pairs["code_b"], strict=True):
        weights = np.sort(rng.dirichlet([6, 4, 3, 2]))[::-1]
        rows += [
            {
                "kind": "attention",
                "name": name,
                "words": "",
                "value": np.nan,
                "contribution": weight,
                "code_a": a,
                "code_b": b,
            }
            for name, weight in zip(("network", "citation", "text", "bibliometric"), weights, strict=True)
        ]
        rows += [
            {
                "kind": "modality",
                "name": name,
                "words": "",
                "value": part,
                "contribution": part,
                "code_a": a,
                "code_b": b,
            }
            for name, part in (("network", 1.94), ("citation", 0.81), ("text", 0.3), ("bibliometric", -0.22))
        ]
        rows += [
            {
                "kind": "feature",
                "name": name,
                "words": words,
                "value": 1.0,
                "contribution": part,
                "code_a": a,
                "code_b": b,
            }
            for name, words, part in features
        ]
    return pd.DataFrame(rows)[["code_a", "code_b", "kind", "name", "words", "value", "contribution"]]


def example_table(
    rng: np.random.Generator, pairs: pd.DataFrame, codes: pd.DataFrame, title: str | None
) -> pd.DataFrame:
    names = codes.set_index("code")["title"]
    return pd.DataFrame(
        [
            {
                "code_a": a,
                "code_b": b,
                "side": side,
                "patent_id": f"US{rng.integers(7_000_000, 8_300_000)}B2",
                "knowledge_date": pd.Timestamp("2012-03-06") - pd.Timedelta(days=int(rng.integers(0, 700))),
                "title": title or f"{thing} for {names[a if side == 'a' else b].lower()}",
                "party": title or party,
            }
            for a, b in zip(pairs["code_a"], pairs["code_b"], strict=True)
            for side in "ab"
            for thing, party in (
                ("Modular apparatus", "NORTHWIND THERMAL"),
                ("Method and control system", "ACME COOLING"),
            )
        ]
    )


LEAD = (0.01, 0.09)  # bounds of the model's lead over each baseline


def metric_record(rng: np.random.Generator) -> dict[str, Any]:
    metrics = []
    for model, level in {"model": 0.163, **BASELINES}.items():
        dated = [level * factor for factor in (0.93, 1.02, 1.05)]
        for cutoff, value in [*zip(ORIGINS, dated, strict=True), ("mean", sum(dated) / 3)]:
            values = {
                ("average_precision", None): value,
                ("lift", None): value / 0.041,
                ("roc_auc", None): 0.6 + value,
                ("precision", 10): min(3 * value, 1.0),
                ("precision", 100): 1.4 * value,
                ("recall", 100): 2 * value,
                ("ndcg", 100): 2.1 * value,
                ("ks", None): 0.2 + value,
            }
            if model in ("model", "lightgbm_all"):
                values |= {("brier", None): 0.04 - value / 50, ("ece", None): 0.01}
            metrics += [
                {
                    "model": model,
                    "cutoff": cutoff,
                    "metric": metric,
                    "k": k,
                    "value": float(amount),
                    "low": float(amount * 0.82) if metric == "average_precision" else None,
                    "high": float(amount * 1.2) if metric == "average_precision" else None,
                    "ahead_low": LEAD[0] if (metric, model != "model") == ("average_precision", True) else None,
                    "ahead_high": LEAD[1] if (metric, model != "model") == ("average_precision", True) else None,
                }
                for (metric, k), amount in values.items()
            ]
    return {
        "track": "new",
        "horizon": HORIZON,
        "level": "subclass",
        "scheme": "ipc",
        "origins": [
            {
                "cutoff": cutoff,
                "candidates": 5100,
                "positives": 209,
                "prevalence": 0.041,
                "expected_prevalence": 0.043,
                "codes": 131,
                "coverage": 0.87,
                "intervals": {"held": 9, "groups": 10},
            }
            for cutoff in ORIGINS
        ],
        "metrics": metrics,
        "reliability": [
            {
                "model": "model",
                "cutoff": cutoff,
                "bin": bin_,
                "mean_probability": mean,
                "observed": float(np.clip(mean * rng.normal(1, 0.15), 0, 1)),
                "count": int(1800 / (bin_ + 1) ** 1.6),
            }
            for cutoff in ORIGINS
            for bin_, mean in enumerate([0.004, 0.012, 0.03, 0.06, 0.11, 0.19, 0.33])
        ],
    }


def run_record(command: str, firm: str | None, simulated: bool, tested: bool) -> dict[str, Any]:
    return {
        "command": command,
        "techconverge": "0.1.0",
        "firm": {"name": firm, "party_id": firm, "patents": 214} if firm else None,
        "config": {
            "task": {
                "level": "subclass",
                "scheme": "ipc",
                "horizon": HORIZON,
                "window": 3,
                "min_patents": 3,
                "min_joint": 1,
                "max_candidates": 4_000_000,
            },
            "recipe": "default",
            "encoder": {"model": "minilm", "batch_size": 64},
            "seed": 7,
        },
        "corpus": {
            "path": "corpus",
            "content_hash": "9f2c" * 16,
            "sources": [
                {"name": "patents_2000_2015.parquet", "format": "canonical", "sha256": "ab12" * 16, "rows": 24291}
            ],
            "simulated": simulated,
            "account": {"read": 24291, "kept": 21034, "merged_families": 2871, "exact_repeats": 302, "quarantined": 84},
            "first_date": "2000-01-06",
            "last_date": "2015-12-31",
            "coverage": {"title": 0.99, "abstract": 0.94, "claims": 0.0, "citations": 0.71, "assignee": 0.97},
        },
        "explanation_check": {
            "pairs": 20,
            "decomposed_weight": 0.62,
            "features": {"deleted": 5.0, "named": 2.16, "random": 0.5, "share": 0.97, "holds": True, "least": -0.01},
            "modalities": {"named": 2.37, "other": 0.8, "share": 1.0, "holds": True},
        },
        "cutoffs": list(ORIGINS if command == "backtest" else ORIGINS[-1:]),
        "candidates": [{"cutoff": cutoff, "codes": 34, "pairs": 340, "linked": 221} for cutoff in ORIGINS],
        "versions": {"python": "3.11.9", "pandas": "3.1.0", "torch": "2.13.0"},
        "timings": {"corpus": 1.24, "features": 21.7, "fusion": 64.2, "ranking": 95.1, "report": 0.02},
        "warnings": [
            "no claims in the corpus: claim counts and claim texts are absent from the features",
            "29 % of patents cite nothing inside the corpus: citation features rest on the other 71 %",
        ]
        + ([] if tested else ["past too short for a test: the first origin would need patents before 1999-12-31"]),
        "outputs": {"predictions.parquet": "c0de" * 16, "metrics.json": "beef" * 16},
    }
