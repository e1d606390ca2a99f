"""Geometry of the figures: where marks stand, in pixels or per cent. The templates draw them and escape the text."""

import dataclasses
import math
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from pipeline.report import words
from pipeline.schemas import PAIR

_LETTER = 0.62  # width of a letter of the labels, in font sizes


@dataclasses.dataclass(frozen=True)
class MapSize:
    """A drawing of the convergence network: pixels, font size, and how many codes and forecasts fit in legibly."""

    width: int
    height: int
    font: int
    nodes: int
    forecasts: int


WIDE = MapSize(width=1080, height=720, font=14, nodes=56, forecasts=40)
NARROW = MapSize(width=360, height=480, font=12, nodes=22, forecasts=14)  # read on a phone without zooming


@dataclasses.dataclass(frozen=True)
class NetworkMap:
    """Nodes and lines of the map; coordinates in pixels of ``size``."""

    size: MapSize
    nodes: list[dict[str, Any]]
    links: list[dict[str, Any]]
    forecasts: list[dict[str, Any]]


def network_map(
    ranked: pd.DataFrame, links: pd.DataFrame, codes: pd.DataFrame, size: MapSize, seed: int
) -> NetworkMap | None:
    """Place the codes of the first forecasts and their strongest neighbours; None without a forecast.

    A spring layout under ``seed``, spread over the sheet by ranks, then boxes of node and label pushed apart.
    """
    if ranked.empty:
        return None
    strongest = links.sort_values(["joint", *PAIR], ascending=[False, True, True], kind="stable")
    names = _selected(ranked.head(size.forecasts), strongest, size.nodes)
    forecasts = ranked.head(size.forecasts).loc[lambda table: table[PAIR].isin(names).all(axis=1)]
    present = strongest.loc[strongest[PAIR].isin(names).all(axis=1)].head(2 * len(names))
    about = codes.drop_duplicates("code").set_index("code").reindex(names)
    patents = about["patents"].fillna(0).astype(float).to_numpy()
    radius = size.font * (0.35 + 1.25 * np.sqrt(patents / max(patents.max(), 1.0)))
    at = dict(zip(names, _layout(names, present, forecasts, radius, size, seed), strict=True))
    heaviest = math.log1p(present["joint"].max()) if len(present) else 1.0
    likeliest = max(float(forecasts["probability"].max()), 1e-9)
    return NetworkMap(
        size=size,
        nodes=[
            {
                "code": code,
                "x": x,
                "y": y,
                "r": round(float(r), 1),
                "section": code[:1],
                "held": held > 0,
                "title": title,
            }
            for (code, (x, y)), r, held, title in zip(
                at.items(),
                radius,
                about["firm_patents"].fillna(0),
                about["title"].astype("str").fillna(""),
                strict=True,
            )
        ],
        links=[
            {
                "pair": (a, b),
                "joint": joint,
                "from": at[a],
                "to": at[b],
                "width": round(0.5 + 2.5 * math.log1p(joint) / heaviest, 2),
            }
            for a, b, joint in present[[*PAIR, "joint"]].itertuples(index=False, name=None)
        ],
        forecasts=[
            {
                "pair": (a, b),
                "probability": probability,
                "from": at[a],
                "to": at[b],
                "width": round(1.5 + 3 * probability / likeliest, 2),
                "opacity": round(0.35 + 0.65 * probability / likeliest, 2),
                "title": f"{a} × {b}: {words.percent(probability)}",
            }
            for a, b, probability in forecasts[[*PAIR, "probability"]].iloc[::-1].itertuples(index=False, name=None)
        ],
    )


def _selected(ranked: pd.DataFrame, strongest: pd.DataFrame, limit: int) -> list[str]:
    """Codes of the forecasts first (two thirds of the places), then those of the strongest links; sorted."""
    chosen = list(dict.fromkeys(ranked[PAIR].to_numpy().ravel()))[: max(2, limit * 2 // 3)]
    touching = strongest[strongest[PAIR].isin(chosen).any(axis=1)]
    return sorted(list(dict.fromkeys([*chosen, *touching[PAIR].to_numpy().ravel()]))[:limit])


def _layout(
    names: list[str], links: pd.DataFrame, forecasts: pd.DataFrame, radius: np.ndarray, size: MapSize, seed: int
) -> list[tuple[float, float]]:
    graph: nx.Graph = nx.Graph()
    graph.add_nodes_from(names)
    graph.add_weighted_edges_from((a, b, math.log1p(joint)) for a, b, joint in links[[*PAIR, "joint"]].to_numpy())
    graph.add_weighted_edges_from((a, b, 1.0) for a, b in forecasts[PAIR].to_numpy())
    placed = nx.spring_layout(graph, seed=seed, k=2.2 / math.sqrt(len(names)), iterations=200)
    raw = np.array([placed[name] for name in names])
    unit = (raw - raw.min(axis=0)) / np.maximum(np.ptp(raw, axis=0), 1e-9)
    # half true position, half rank: hubs stop clumping and the sheet is used to its edges
    even = np.argsort(np.argsort(unit, axis=0, kind="stable"), axis=0, kind="stable") / max(len(names) - 1, 1)
    letters = np.array([len(name) for name in names])
    half = np.column_stack([np.maximum(radius, letters * size.font * _LETTER / 2) + 3, radius + size.font * 0.75 + 2])
    sheet = np.array([size.width, size.height], dtype=float)
    centres = half + (unit + even) / 2 * (sheet - 2 * half)
    centres = pushed_apart(centres, half, sheet)
    # a box holds the node and the label below it: the node's centre lies above the box's
    return [(round(float(x), 1), round(float(y) - size.font * 0.6, 1)) for x, y in centres]


def pushed_apart(centres: np.ndarray, half: np.ndarray, sheet: np.ndarray, rounds: int = 400) -> np.ndarray:
    """Move overlapping boxes apart along the axis of least overlap, within the sheet."""
    reach = half[:, None] + half[None, :]
    for _ in range(rounds):
        gap = centres[:, None] - centres[None, :]
        overlap = reach - np.abs(gap)
        clash = (overlap > 0).all(axis=2)
        np.fill_diagonal(clash, False)
        if not clash.any():
            break
        axis = overlap.argmin(axis=2)
        side = np.where(gap == 0, np.sign(np.arange(len(gap))[:, None] - np.arange(len(gap)))[:, :, None], np.sign(gap))
        push = np.where(np.arange(2) == axis[:, :, None], side * overlap / 4, 0) * clash[:, :, None]
        centres = np.clip(centres + push.sum(axis=1), half, sheet - half)
    return centres


@dataclasses.dataclass(frozen=True)
class Calibration:
    """Forecast against observed shares on square-root axes, in a square of ``side`` pixels."""

    side: int
    ticks: list[tuple[float, str]]
    points: list[dict[str, Any]]


def calibration(reliability: pd.DataFrame, side: int = 300) -> Calibration | None:
    """Pool the bins of the origins and place them; whiskers are 95 % Wilson intervals. None without bins."""
    table = reliability[(reliability["count"] > 0) & (reliability["cutoff"] != "mean")]
    if table.empty:
        return None
    weighted = table.assign(
        mean_probability=table["mean_probability"] * table["count"], observed=table["observed"] * table["count"]
    )
    pooled = weighted.groupby("bin", sort=True)[["mean_probability", "observed", "count"]].sum()
    pooled = pooled.assign(
        mean_probability=pooled["mean_probability"] / pooled["count"], observed=pooled["observed"] / pooled["count"]
    )
    low, high = _wilson(pooled["observed"].to_numpy(), pooled["count"].to_numpy())
    steps = [0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0]
    reach = max(float(pooled[["mean_probability", "observed"]].to_numpy().max()), 0.02)
    top = next(step for step in steps if step >= min(reach * 1.1, 1.0))

    def place(share: float) -> float:
        return round(side * math.sqrt(min(max(share, 0.0), top) / top), 1)

    return Calibration(
        side=side,
        ticks=[(place(step), f"{step * 100:.0f}{words.SPACE}%") for step in steps if step <= top and step != 0.75],
        points=[
            {
                "x": place(row["mean_probability"]),
                "y": side - place(row["observed"]),
                "y_low": side - place(bottom),
                "y_high": side - place(upper),
                "forecast": row["mean_probability"],
                "observed": row["observed"],
                "low": bottom,
                "high": upper,
                "count": row["count"],
            }
            for row, bottom, upper in zip(pooled.to_dict("records"), low, high, strict=True)
        ],
    )


def _wilson(share: np.ndarray, n: np.ndarray, z: float = 1.96) -> tuple[np.ndarray, np.ndarray]:
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    spread = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.clip(centre - spread, 0, 1), np.clip(centre + spread, 0, 1)


@dataclasses.dataclass(frozen=True)
class Evidence:
    """One kind of evidence of a pair: what it adds to the score, as a bar (start and width in per cent of the axis, on
    which ``zero`` lies where nothing is added), and the attention on it, None where the fusion net does not see it."""

    name: str
    adds: float
    start: float
    width: float
    zero: float
    attention: float | None


def evidence_bars(added: dict[str, float], attention: dict[str, float]) -> list[Evidence]:
    """The modalities of a pair, what adds most first; bars of one pair share an axis."""
    low, high = min([0.0, *added.values()]), max([0.0, *added.values()])
    share = 100 / max(high - low, 1e-9)
    return [
        Evidence(
            name=words.modality_name(name),
            adds=adds,
            start=round((min(adds, 0.0) - low) * share, 1),
            width=round(abs(adds) * share, 1),
            zero=round(-low * share, 1),
            attention=attention.get(name),
        )
        for name, adds in sorted(added.items(), key=lambda item: (-item[1], item[0]))
    ]


@dataclasses.dataclass(frozen=True)
class DotPlot:
    """Values with intervals on one axis from 0; positions in per cent of its length."""

    rows: list[dict[str, Any]]
    ticks: list[tuple[float, str]]
    chance: float | None


def dot_plot(values: pd.DataFrame, prevalence: float | None) -> DotPlot | None:
    """Place rows of (model, value, low, high), best first; ``prevalence`` is what chance reaches."""
    values = values[values["value"].notna()]
    if values.empty:
        return None
    step = nice_step(float(values[["value", "high"]].max().max()) / 4)
    top = step * math.ceil(float(values[["value", "high"]].max().max()) / step - 1e-9)

    def place(value: float | None) -> float | None:
        return None if value is None or pd.isna(value) else round(100 * value / top, 2)

    ordered = values.sort_values(["value", "model"], ascending=[False, True], kind="stable")
    return DotPlot(
        rows=[
            {
                "name": words.model_name(row["model"]),
                "ours": row["model"] == "model",
                "at": place(row["value"]),
                "low": place(row["low"]),
                "high": place(row["high"]),
                "value": row["value"],
            }
            for row in ordered.to_dict("records")
        ],
        ticks=[
            (round(100 * i * step / top, 2), words.score(i * step) if i else "0") for i in range(round(top / step) + 1)
        ],
        chance=place(prevalence),
    )


def nice_step(rough: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is at least ``rough``.

    >>> nice_step(0.043), nice_step(0.3)
    (0.05, 0.5)
    """
    power = 10.0 ** math.floor(math.log10(max(rough, 1e-6)))
    return round(next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= rough * (1 - 1e-9)), 9)
