"""What a run folder holds, read once into tables; and the ranked table written for spreadsheets."""

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.artifacts import read_json, read_record, read_table
from pipeline.errors import ArtifactError
from pipeline.evaluation.metrics import METRICS
from pipeline.report import words
from pipeline.schemas import PAIR, Horizons, Opportunities, Predictions, empty, validate

TABLE_ROWS = 200
LINK = ["prior", "status"]  # of a pair's link so far: on the strengthening track
BOUNDS = ["probability_low", "probability_high"]
CARDS = 20


@dataclasses.dataclass(frozen=True)
class Run:
    """A run folder in memory. ``ranked``: the first rows, best first, with titles; optional tables may be empty.

    ``types``: the first opportunity of each type, and how many there are. ``candidates`` and ``expected``: pairs at
    the last cutoff and the sum of their probabilities. ``bounds``: of the probability of each of them. ``horizons``:
    of the ranked pairs, where there are several.
    """

    record: dict[str, Any]
    metrics: dict[str, Any]
    cutoff: pd.Timestamp
    ranked: pd.DataFrame
    types: pd.DataFrame
    candidates: int
    expected: float
    bounds: pd.DataFrame
    codes: pd.DataFrame
    links: pd.DataFrame
    explanations: pd.DataFrame
    examples: pd.DataFrame
    horizons: pd.DataFrame


def load_run(folder: Path) -> Run:
    """Read a run folder; the files a run may lack become empty tables.

    Raises:
        ArtifactError: run.json or predictions.parquet is missing or damaged.
    """
    record = read_record(folder)
    if not isinstance(record, dict) or "config" not in record:
        raise ArtifactError(f"{folder / 'run.json'} is not the record of a run: write it again with `forecast`")
    predictions = _predictions(folder / "predictions.parquet")
    cutoff = predictions["cutoff"].max()
    latest = predictions[predictions["cutoff"] == cutoff]
    codes = _optional(
        folder / "codes.parquet", ["code", "title", "keywords"], ["patents", "recent_patents", "firm_patents"]
    )
    opportunities = folder / "opportunities.parquet"
    firm_view = (
        validate(read_table(opportunities), Opportunities, str(opportunities))
        if opportunities.exists()
        else empty(Opportunities)
    )
    ranked = _ranked(firm_view, latest, codes)
    return Run(
        record=record,
        metrics=read_json(folder / "metrics.json") if (folder / "metrics.json").exists() else {},
        cutoff=cutoff,
        ranked=ranked,
        types=_types(firm_view),
        candidates=len(latest),
        expected=float(latest["probability"].sum()),
        bounds=latest[[*PAIR, *BOUNDS]],
        codes=codes,
        links=_optional(folder / "links.parquet", PAIR, ["joint"]),
        explanations=_optional(
            folder / "explanations.parquet", [*PAIR, "kind", "name", "words"], ["value", "contribution"]
        ),
        examples=_optional(
            folder / "examples.parquet", [*PAIR, "side", "patent_id", "knowledge_date", "title", "party"], []
        ),
        horizons=_horizons(folder / "horizons.parquet", ranked, cutoff),
    )


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries; what is missing is None."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(column): value for column, value in row.items()} for row in plain.to_dict("records")]


@dataclasses.dataclass(frozen=True)
class MetricTable:
    """Models down, metrics across: cells are (text, interval text, best in its column)."""

    columns: list[str]
    rows: list[tuple[str, bool, list[tuple[str, str, bool]]]]


def metric_table(metrics: pd.DataFrame, cutoff: str, only: list[tuple[str, int | None]] | None = None) -> MetricTable:
    """Lay the long metrics of one cutoff out by model; ``only`` keeps some (metric, k) where present."""
    table = metrics[metrics["cutoff"] == cutoff].drop_duplicates(["model", "metric", "k"])
    order = {metric: place for place, metric in enumerate(words.METRICS)}
    keys = table[["metric", "k"]].drop_duplicates().itertuples(index=False, name=None)
    shown = sorted(keys, key=lambda key: (order.get(key[0], len(order)), key[0], key[1]))
    if only is not None:
        shown = [key for key in ((metric, k or 0) for metric, k in only) if key in set(shown)]
    cells = {(row["model"], row["metric"], row["k"]): row for row in records(table)}
    best = {key: _best(table, *key) for key in shown}
    rows = [
        (model, model == "model", [_cell(cells.get((model, *key)), best[key]) for key in shown])
        for model in by_average_precision(table)
    ]
    return MetricTable([words.metric_name(metric, k or None) for metric, k in shown], rows)


def metric_frame(metrics: dict[str, Any]) -> pd.DataFrame:
    """The long metrics as a frame; ``k`` is 0 where a metric has no depth."""
    numeric = ["k", "value", "low", "high", "ahead_low", "ahead_high"]
    frame = pd.DataFrame(metrics.get("metrics", []), columns=["model", "cutoff", "metric", *numeric])
    numbers = {name: pd.to_numeric(frame[name]) for name in numeric}
    return frame.assign(**numbers).assign(k=lambda table: table["k"].fillna(0).astype(int))


def by_average_precision(metrics: pd.DataFrame) -> list[str]:
    """The models of one cutoff's metrics, best average precision first; those without it last, by name."""
    scores = metrics[metrics["metric"] == "average_precision"].set_index("model")["value"]
    return sorted(metrics["model"].unique(), key=lambda model: (-scores.get(model, -1.0), model))


def _best(table: pd.DataFrame, metric: str, k: int) -> float:
    values = table.loc[(table["metric"] == metric) & (table["k"] == k), "value"]
    return float(values.min() if not METRICS[metric].higher_is_better else values.max())


def _cell(row: dict[str, Any] | None, best: float) -> tuple[str, str, bool]:
    if row is None or row["value"] is None:
        return words.MISSING, "", False
    bounds = [words.metric_value(row["metric"], row[side]) for side in ("low", "high") if row[side] is not None]
    return words.metric_value(row["metric"], row["value"]), " to ".join(bounds), row["value"] == best


def _predictions(path: Path) -> pd.DataFrame:
    needed = ["cutoff", *PAIR, "entered", "label", "probability", "rank"]
    table = read_table(path)
    if table.empty:
        raise ArtifactError(f"{path} holds no pair: there is nothing to report")
    return validate(table, Predictions, str(path))[needed + BOUNDS + [c for c in LINK if c in table]]


def _types(opportunities: pd.DataFrame) -> pd.DataFrame:
    first = opportunities.sort_values("firm_rank", kind="stable").drop_duplicates("type").sort_values("type")
    return first.assign(pairs=first["type"].map(opportunities["type"].value_counts()))


def _ranked(opportunities: pd.DataFrame, latest: pd.DataFrame, codes: pd.DataFrame) -> pd.DataFrame:
    if len(opportunities):
        firm = opportunities.sort_values("firm_rank", kind="stable").head(TABLE_ROWS)
        known = latest[[*PAIR, "entered", "label", *BOUNDS, *(c for c in LINK if c in latest)]]
        ranked = firm.merge(known, on=PAIR, how="left", validate="one_to_one").assign(place=firm["firm_rank"].tolist())
    else:
        ranked = latest.sort_values("rank", kind="stable").head(TABLE_ROWS).assign(place=lambda table: table["rank"])
    about = codes.set_index("code")
    for side in "ab":
        code = ranked[f"code_{side}"]
        ranked = ranked.assign(
            **{
                f"title_{side}": code.map(about["title"].where(about["title"] != "", about["keywords"]))
                .astype("str")
                .fillna(""),
                f"patents_{side}": code.map(about["patents"]),
            }
        )
    return ranked.reset_index(drop=True)


def _horizons(path: Path, ranked: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    if not path.exists():
        return empty(Horizons)
    table = validate(read_table(path), Horizons, str(path))
    return table[table["cutoff"] == cutoff].merge(ranked[PAIR], on=PAIR)


def _optional(path: Path, texts: list[str], numbers: list[str]) -> pd.DataFrame:
    if path.exists():
        return read_table(path, [*texts, *numbers])
    return pd.DataFrame({column: [] for column in [*texts, *numbers]}).astype(
        dict.fromkeys(texts, "str") | dict.fromkeys(numbers, float)
    )
