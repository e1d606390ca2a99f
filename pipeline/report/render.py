"""Render a run folder as one self-contained HTML file."""

from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import ArtifactError
from pipeline.report import words
from pipeline.report.figures import NARROW, WIDE, calibration, dot_plot, evidence_bars, network_map
from pipeline.report.horizons import horizon_names, timings
from pipeline.report.page import environment, write_page
from pipeline.report.tables import CARDS, Run, load_run, metric_frame, metric_table, records
from pipeline.schemas import PAIR

_HEADLINE_METRICS: list[tuple[str, int | None]] = [
    ("average_precision", None),
    ("lift", None),
    ("roc_auc", None),
    ("precision", 10),
    ("precision", 100),
    ("brier", None),
]


def render_report(run: Path) -> Path:
    """Write ``report.html`` into a run folder from the folder's files alone, and return its path.

    The same folder gives the same bytes. Raises ArtifactError when a file the report needs is missing or damaged.
    """
    loaded = load_run(run)
    try:
        context = _context(loaded)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ArtifactError(f"{run}: run.json or metrics.json is not as this program writes it ({error!r})") from error
    path = run / "report.html"
    write_page(path, environment(), "report.html", ["report.css"], ["report.js"], context)
    return path


def _context(run: Run) -> dict[str, Any]:
    config = run.record["config"]
    task = config["task"]
    track = task.get("track", "new")
    firm = run.record.get("firm")
    corpus = run.record.get("corpus", {})
    universes = {pd.Timestamp(row["cutoff"]): row for row in run.record.get("candidates", [])}
    universe = universes.get(run.cutoff, {})
    return {
        "record": run.record,
        "task": task,
        "strengthening": track == "strengthening",
        "track": words.TRACKS[track],
        "verb": words.VERBS[track],
        "corpus": corpus,
        "firm": firm,
        "backtest": run.record.get("command") == "backtest",
        "simulated": bool(corpus.get("simulated")),
        "cutoff": run.cutoff,
        "until": run.cutoff + pd.DateOffset(years=int(task["horizon"])),
        "since": run.cutoff - pd.DateOffset(years=int(task["window"])),
        "units": f"{task['scheme'].upper()} {words.LEVELS[task['level']]}",
        "candidates": run.candidates,
        "expected": run.expected,
        "held": int((run.codes["firm_patents"] > 0).sum()) if firm else 0,
        "active": universe.get("codes"),
        "left_out": universe.get("not_in_force", 0),
        "account": _account(corpus.get("account")),
        "warnings": run.record.get("warnings", []),
        "reasons": run.record.get("explanation_check"),
        "types": words.TYPES if track == "new" else words.TYPES_OF_LINKED,
        "by_type": records(run.types),
        "sections": words.SECTIONS,
        "config_rows": _flat(config),
        **ranking_context(run),
        **_maps(run, int(config.get("seed", 0))),
        **evidence_tested(run.metrics),
        "by_horizon": _by_horizon(run.metrics),
    }


def ranking_context(run: Run) -> dict[str, Any]:
    """The ranked pairs and the cards of the first of them, with their reasons, examples and timing."""
    times = timings(run.ranked, run.horizons)
    ranked = [{**row, "timing": timing} for row, timing in zip(records(run.ranked), times, strict=True)]
    explained = {pair: records(rows) for pair, rows in run.explanations.groupby(PAIR, sort=False)}
    shown = {pair: records(rows) for pair, rows in run.examples.groupby(PAIR, sort=False)}
    first = run.ranked.head(CARDS)
    known = first["label"].notna()
    top = float(run.ranked[["probability", "probability_high"]].max().max())
    return {
        "ranked": ranked,
        "cards": [
            {**row, **_why(explained.get(pair, [])), **_examples(shown.get(pair, []))}
            for row in ranked[:CARDS]
            for pair in [(row["code_a"], row["code_b"])]
        ],
        "horizons": horizon_names(sorted(run.horizons["horizon"].unique())) if any(times) else "",
        "scale": max(top, 1e-9),
        "expected_first": float(first["probability"].sum()),
        "expected_blind": run.expected / run.candidates * len(first),
        "outcomes": {"hits": int(first["label"].fillna(0).sum()), "known": int(known.sum())},
        "any_known": bool(run.ranked["label"].notna().any()),
        "any_entered": bool(run.ranked["entered"].any()),
        "any_interval": bool(run.ranked["probability_low"].notna().any()),
    }


def _why(rows: list[dict[str, Any]]) -> dict[str, Any]:
    attention, added = (
        {row["name"]: row["contribution"] for row in rows if row["kind"] == kind} for kind in ("attention", "modality")
    )
    features = [row for row in rows if row["kind"] == "feature"]
    return {
        "evidence": evidence_bars(added, attention),
        "reasons_for": [row["words"] for row in features if row["contribution"] >= 0],
        "reasons_against": [row["words"] for row in features if row["contribution"] < 0],
    }


def _examples(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"examples": {side: [row for row in rows if row["side"] == side][:3] for side in "ab"}}


def _maps(run: Run, seed: int) -> dict[str, Any]:
    maps = [network_map(run.ranked, run.links, run.codes, size, seed) for size in (WIDE, NARROW)]
    wide = maps[0]
    drawn = {node["section"] for node in wide.nodes} if wide else set()
    return {"maps": [drawing for drawing in maps if drawing], "map_sections": sorted(drawn & words.SECTIONS.keys())}


def evidence_tested(metrics: dict[str, Any]) -> dict[str, Any]:
    """What was tested: the headline against the best baseline, figures, and tables by cutoff."""
    origins = metrics.get("origins") or []
    table = metric_frame(metrics)
    cutoffs = sorted(set(table["cutoff"]) - {"mean"})
    if not origins or not cutoffs:
        return {"tested": None}
    cutoffs = ["mean", *cutoffs] if len(cutoffs) > 1 and "mean" in set(table["cutoff"]) else cutoffs
    main = "mean" if "mean" in cutoffs else cutoffs[-1]
    scores = table[(table["cutoff"] == main) & (table["metric"] == "average_precision")]
    ours, rivals = scores[scores["model"] == "model"], scores[scores["model"] != "model"]
    best = rivals.sort_values(["value", "model"], ascending=[False, True], kind="stable").head(1)
    prevalence = sum(origin["prevalence"] for origin in origins) / len(origins)
    reliability = pd.DataFrame(
        metrics.get("reliability", []), columns=["model", "cutoff", "bin", "mean_probability", "observed", "count"]
    )
    return {
        "tested": {
            "origins": origins,
            "prevalence": prevalence,
            "expected_share": _mean_of(origins, "expected_prevalence"),
            "ours": records(ours)[0] if len(ours) else None,
            "best": {**records(best)[0], "name": words.model_name(best["model"].iloc[0])} if len(best) else None,
            "plot": dot_plot(scores.drop_duplicates("model"), prevalence),
            "table": metric_table(table, main, _HEADLINE_METRICS),
            "main": main,
            "by_cutoff": [
                (cutoff, metric_table(table, cutoff, _HEADLINE_METRICS), metric_table(table, cutoff))
                for cutoff in cutoffs
            ],
            "calibration": calibration(reliability[reliability["model"] == "model"]),
            "intervals": _held(origins),
        }
    }


def _held(origins: list[dict[str, Any]]) -> dict[str, int] | None:
    """Groups of like probability whose interval held, and all groups, over the cutoffs tested; None without any."""
    known = [origin["intervals"] for origin in origins if origin.get("intervals")]
    return {key: sum(part[key] for part in known) for key in ("held", "groups")} if known else None


def _by_horizon(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """What was tested at each horizon, where there are several."""
    further = {int(years): measured for years, measured in metrics.get("horizons", {}).items()}
    if not further:
        return []
    every = further | {int(metrics["horizon"]): metrics}
    return [
        {"years": years, "main": years == metrics["horizon"], **evidence_tested(measured)}
        for years, measured in sorted(every.items())
    ]


def _mean_of(origins: list[dict[str, Any]], key: str) -> float | None:
    values = [origin[key] for origin in origins if origin.get(key) is not None]
    return sum(values) / len(values) if values else None


def _account(account: dict[str, int] | None) -> dict[str, Any] | None:
    if not account:
        return None
    parts = [(label, account.get(key, 0)) for key, label in _ACCOUNT.items() if key != "replaced" or account.get(key)]
    return {"read": account["read"], "parts": parts, "adds_up": account["read"] == sum(number for _, number in parts)}


_ACCOUNT = {
    "kept": "Kept as inventions",
    "merged_families": "Merged into another member of their family",
    "exact_repeats": "Exact repeats dropped",
    "replaced": "Replaced by a later correction",
    "quarantined": "Set aside as unusable, each with its reason",
}


def _flat(config: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in config.items():
        rows += _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, value)]
    return rows
