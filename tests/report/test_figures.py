"""Where the marks of the figures stand."""

import math

import pandas as pd
import pytest
from report.fixtures import write_run

from pipeline.report.figures import NARROW, WIDE, calibration, dot_plot, evidence_bars, network_map
from pipeline.report.tables import load_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return load_run(write_run(tmp_path_factory.mktemp("figures") / "run"))


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_map_holds_the_first_forecasts_within_its_sheet(run, size):
    drawing = network_map(run.ranked, run.links, run.codes, size, seed=7)
    assert drawing is not None
    first = run.ranked.iloc[0]
    assert {first["code_a"], first["code_b"]} <= {node["code"] for node in drawing.nodes}
    assert len(drawing.nodes) <= size.nodes
    for node in drawing.nodes:
        assert node["r"] <= node["x"] <= size.width - node["r"]
        assert node["r"] <= node["y"] <= size.height - node["r"] - size.font


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_no_node_covers_another(run, size):
    nodes = network_map(run.ranked, run.links, run.codes, size, seed=7).nodes
    gaps = [
        math.dist((a["x"], a["y"]), (b["x"], b["y"])) - a["r"] - b["r"] for i, a in enumerate(nodes) for b in nodes[:i]
    ]
    assert min(gaps) > 0


def test_the_map_is_the_same_each_time_and_another_under_another_seed(run):
    drawings = [network_map(run.ranked, run.links, run.codes, WIDE, seed) for seed in (7, 7, 8)]
    assert drawings[0] == drawings[1] != drawings[2]


def test_likelier_forecasts_are_drawn_wider_and_a_map_without_links_still_works(run):
    drawing = network_map(run.ranked, run.links.head(0), run.codes, WIDE, seed=7)
    assert drawing.links == []
    likeliest = max(drawing.forecasts, key=lambda line: line["width"])
    assert likeliest["opacity"] == 1.0
    best = run.ranked.head(WIDE.forecasts).nlargest(1, "probability").iloc[0]
    assert likeliest["title"].startswith(f"{best['code_a']} × {best['code_b']}")
    assert network_map(run.ranked.head(0), run.links, run.codes, WIDE, seed=7) is None


def test_calibration_pools_the_origins_by_their_counts():
    bins = pd.DataFrame(
        {
            "model": "model",
            "cutoff": ["2010-12-31", "2011-12-31", "mean"],
            "bin": 0,
            "mean_probability": [0.1, 0.2, 0.9],
            "observed": [0.0, 0.4, 0.9],
            "count": [300, 100, 400],
        }
    )
    (point,) = calibration(bins).points
    assert point["forecast"] == pytest.approx(0.125)
    assert point["observed"] == pytest.approx(0.1)
    # Wilson's interval of 40 in 400, from its textbook formula solved as a quadratic
    z2, n, p = 1.96**2, 400, 0.1
    root = math.sqrt(z2 * (z2 + 4 * n * p * (1 - p)))
    expected = [(2 * n * p + z2 + sign * root) / (2 * (n + z2)) for sign in (-1, 1)]
    assert [point["low"], point["high"]] == pytest.approx(expected)
    assert calibration(bins.head(0)) is None


def test_a_perfect_forecast_lies_on_the_diagonal():
    bins = pd.DataFrame(
        {"cutoff": "2010-12-31", "bin": [0, 1], "mean_probability": [0.02, 0.3], "observed": [0.02, 0.3], "count": 50}
    )
    plot = calibration(bins)
    assert all(point["x"] == pytest.approx(plot.side - point["y"]) for point in plot.points)


def test_dots_stand_in_order_on_an_axis_that_holds_every_interval():
    values = pd.DataFrame(
        {"model": ["katz", "model"], "value": [0.1, 0.16], "low": [None, 0.13], "high": [None, 0.22]}, dtype=object
    ).astype({"value": float, "low": float, "high": float})
    plot = dot_plot(values, 0.04)
    assert [row["name"] for row in plot.rows] == ["This forecast", "Katz"]
    assert plot.rows[0]["high"] <= 100 and plot.rows[1]["low"] is None
    assert plot.ticks[0] == (0.0, "0") and plot.ticks[-1][0] == 100
    assert 0 < plot.chance < plot.rows[1]["at"]
    assert dot_plot(values.head(0), None) is None


def test_bars_of_evidence_share_an_axis_and_start_where_nothing_is_added():
    bars = evidence_bars({"text": -1.0, "network": 3.0, "topic": 0.0}, {"network": 0.6, "text": 0.4, "topic": 0.0})
    assert [(bar.name, bar.start, bar.width) for bar in bars] == [
        ("Network", 25.0, 75.0), ("Topic", 25.0, 0.0), ("Text", 0.0, 25.0)
    ]  # fmt: skip
    assert {bar.zero for bar in bars} == {25.0}
    assert [bar.attention for bar in bars] == [0.6, 0.0, 0.4]
    assert evidence_bars({"network": 0.0}, {})[0].attention is None
    assert evidence_bars({}, {}) == []
