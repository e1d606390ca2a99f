"""The report of a run over several horizons: the marks of its figures, and what it says."""

import re
from pathlib import Path

import pandas as pd
import pytest
from report.browser import browser
from report.fixtures import HORIZON, ORIGINS, write_run
from report.test_render import reading_of

from pipeline.artifacts import read_json, read_table, write_json, write_table
from pipeline.horizons import horizon_table
from pipeline.report.horizons import BARS, BASE, LEFT, RIGHT, TOP, ZERO, timings
from pipeline.report.render import render_report
from pipeline.report.words import percent

CUTOFF = pd.Timestamp("2012-12-31")


def table(rows: dict[int, list[float]], labels: dict[int, int | None]) -> pd.DataFrame:
    """Probabilities by horizon of the pairs A01B-B01B, A01B-B02B ..., all with the same labels."""
    pairs = pd.DataFrame(
        {"cutoff": CUTOFF, "code_a": "A01B", "code_b": [f"B{n:02}B" for n, _ in enumerate(rows[1], 1)]}
    )
    label = {years: pd.array([labels.get(years)] * len(pairs), dtype="Int8") for years in rows}
    return horizon_table({years: pairs.assign(probability=p, label=label[years]) for years, p in rows.items()})


def over_horizons(folder: Path, **options: object) -> Path:
    """A run folder whose pairs are likelier the later, with a horizon of five years that was not tested."""
    write_run(folder, **options)
    main = read_table(folder / "predictions.parquet")
    short, long = (main.assign(probability=main["probability"] ** power) for power in (1.5, 0.7))
    write_table(folder / "horizons.parquet", horizon_table({1: short, HORIZON: main, 5: long}))
    metrics = read_json(folder / "metrics.json")
    untested = {"track": "new-link", "horizon": 5, "origins": [], "metrics": [], "reliability": []}
    write_json(folder / "metrics.json", metrics | {"horizons": {"1": metrics | {"horizon": 1}, "5": untested}})
    return folder


def test_the_marks_stand_by_year_and_share_on_one_scale_for_all_pairs() -> None:
    horizons = table({1: [0.1, 0.05], 3: [0.1, 0.2], 5: [0.4, 0.2]}, {})
    first, second = timings(horizons[["code_a", "code_b"]].drop_duplicates(), horizons)
    assert first is not None
    assert second is not None
    assert [mark["x"] for mark in first.marks] == pytest.approx(
        [LEFT + (RIGHT - LEFT) * share for share in (0.2, 0.6, 1)], abs=0.1
    )
    heights = [[(ZERO - mark["y"]) / (ZERO - TOP) for mark in timing.marks] for timing in (first, second)]
    assert heights[0] == pytest.approx([0.25, 0.25, 1], abs=0.01)  # of the likeliest of both, 0.4
    assert heights[1] == pytest.approx([0.125, 0.5, 0.5], abs=0.01)
    bars = [mark["bar_height"] / (BASE - BARS) for timing in (first, second) for mark in timing.marks]
    fastest = 1 - (0.6 / 0.9) ** 0.5
    assert bars == pytest.approx(
        [hazard / fastest for hazard in (0.1, 0, fastest, 0.05, 1 - (0.8 / 0.95) ** 0.5, 0)], abs=0.02
    )
    assert first.line.startswith(f"M{LEFT} {ZERO}L")


@pytest.mark.parametrize(
    ("labels", "met", "unmet"),
    [
        ({1: 0, 3: 1, 5: 1}, 3, 1),
        ({1: 1, 3: 1, 5: None}, 1, None),
        ({1: 0, 3: 0, 5: None}, None, 3),
        ({}, None, None),
    ],
)
def test_when_it_met_is_told_as_far_as_it_is_known(
    labels: dict[int, int | None], met: int | None, unmet: int | None
) -> None:
    horizons = table({1: [0.1], 3: [0.2], 5: [0.3]}, labels)
    (timing,) = timings(horizons[["code_a", "code_b"]].drop_duplicates(), horizons)
    assert timing is not None
    assert (timing.met, timing.unmet) == (met, unmet)


def test_a_single_horizon_or_none_has_no_figure() -> None:
    horizons = table({1: [0.1]}, {})
    pairs = horizons[["code_a", "code_b"]]
    assert timings(pairs, horizons) == [None]
    assert timings(pairs, horizons.head(0)) == [None]


@pytest.mark.parametrize("command", ["forecast", "backtest"])
def test_every_card_shows_how_soon_and_the_table_each_horizon(tmp_path: Path, command: str) -> None:
    folder = over_horizons(tmp_path / "run", command=command)
    reading = reading_of(folder)
    figures = [svg for svg in reading.all("svg") if svg["class"] == "soon"]
    assert len(figures) == 20
    assert figures[0]["aria-label"].startswith("Probability of having met: ")
    best = read_table(folder / "opportunities.parquet").loc[0, ["code_a", "code_b"]].tolist()
    shares = read_table(folder / "horizons.parquet")
    shares = shares[shares["cutoff"] == shares["cutoff"].max()].set_index(["code_a", "code_b"])
    for share in shares.loc[tuple(best), "cumulative"]:
        assert percent(share) in figures[0]["aria-label"]
    assert "Interval Within 1 / 3 / 5 years Rank" in reading.text
    assert ("It met within" in reading.text) == (command == "backtest")


def test_the_horizons_are_compared_and_one_that_was_not_tested_is_a_dash(tmp_path: Path) -> None:
    reading = reading_of(over_horizons(tmp_path / "run", command="backtest", firm=None))
    text = reading.text
    assert "By horizon This forecast at each horizon, mean over its test dates Within 1 year 3 years 5 years" in text
    assert f"Tested as of {' '.join(ORIGINS)} {' '.join(ORIGINS)} – Share that met 4.1 % 4.1 % –" in text
    assert "–: not tested; the warnings say why" in text
    assert reading_of(write_run(tmp_path / "one")).text.count("By horizon") == 0


def test_a_pair_that_is_certain_has_no_later_hazard_and_no_nan(tmp_path: Path) -> None:
    folder = over_horizons(tmp_path / "run")
    horizons = read_table(folder / "horizons.parquet").assign(cumulative=1.0, hazard=float("nan"))
    write_table(folder / "horizons.parquet", horizons)
    assert not re.search(r"\b(nan|NaN|None|<NA>)\b", render_report(folder).read_text(encoding="utf-8"))


@pytest.mark.slow
def test_nothing_is_wider_than_the_screen(tmp_path: Path) -> None:
    path = render_report(over_horizons(tmp_path / "run", command="backtest"))
    with browser(tmp_path / "profile") as page:
        for width in (390, 1280):
            page.open(path, width, 844)
            page.run("document.querySelectorAll('details').forEach(part => part.open = true)")
            assert page.run("document.documentElement.scrollWidth") <= width
            assert page.run("document.querySelector('.by-horizon').parentElement.scrollWidth") <= width
