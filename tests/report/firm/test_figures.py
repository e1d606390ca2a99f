"""Where the marks of the firm's figures stand."""

import numpy as np
import pandas as pd
import pytest
from report.firm_fixtures import write_firm_run

from pipeline.artifacts import read_table
from pipeline.report.firm.figures import NARROW, WIDE, matrix, portfolio, radar


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_firm_run(tmp_path_factory.mktemp("figures") / "run")


@pytest.fixture(scope="module")
def opportunities(folder):
    return read_table(folder / "topic_opportunities.parquet")


def test_a_radar_has_a_mark_for_each_dimension_that_is_known():
    whole = {"novelty": 2.5, "growth": 0.0, "influence": 1.25, "versatility": 2.5}
    drawing = radar({"firm": whole, "target": whole | {"growth": None}}, reach=100)
    assert drawing.marks["firm"] == [(0.0, -100.0), (0.0, 0.0), (0.0, 50.0), (-100.0, 0.0)]
    assert drawing.marks["target"] == [(0.0, -100.0), (0.0, 50.0), (-100.0, 0.0)]
    assert drawing.outlines["target"] == "0.0,-100.0 0.0,50.0 -100.0,0.0"


@pytest.mark.parametrize("sheet", [WIDE, NARROW])
def test_the_matrix_holds_every_circle_and_orders_them_by_their_values(opportunities, sheet):
    drawing = matrix(opportunities, sheet)
    rows = [row["topic_rank"] for circle in drawing.circles for row in circle["rows"]]
    assert sorted(rows) == list(range(1, sheet.most + 1))
    for circle in drawing.circles:
        assert circle["r"] <= circle["x"] <= sheet.width - circle["r"]
        assert circle["r"] <= circle["y"] <= sheet.height - circle["r"]
    fit = [circle["rows"][0]["firm_fit"] for circle in drawing.circles]
    assert np.argsort(fit).tolist() == np.argsort([circle["x"] for circle in drawing.circles]).tolist()
    for axis in (drawing.across, drawing.up):
        values = [float(label) for _, label in axis]
        assert values == sorted(values) and len(set(values)) == len(values) >= 2


def test_opportunities_at_one_place_share_a_circle(opportunities):
    same = opportunities.head(4).assign(firm_fit=[0.5, 0.5, 0.9, 0.5], development=[3.0, 3.0, 5.0, 3.0])
    assert [circle["name"] for circle in matrix(same, WIDE).circles] == ["1, 2, 4", "3"]
    assert [circle["name"] for circle in matrix(same.assign(firm_fit=1.0, development=10.0), WIDE).circles] == [
        "1, 2, 3, 4"
    ]
    assert len(matrix(same.head(1).assign(firm_fit=0.0, development=0.0), NARROW).circles) == 1


@pytest.mark.parametrize("wide", [True, False])
def test_the_portfolio_joins_each_pair_of_codes_once(folder, opportunities, wide):
    codes = read_table(folder.parent / "codes.parquet")
    drawing = portfolio(opportunities, codes, wide)
    pairs = {(band["row"]["firm_code"], band["row"]["target_code"]) for band in drawing.bands}
    assert len(drawing.bands) == len(pairs) == len(opportunities[["firm_code", "target_code"]].drop_duplicates())
    for side, counted in (("firm", "firm_patents"), ("target", "patents")):
        known = codes.set_index("code")[counted]
        assert all(code["patents"] == known[code["code"]] for code in drawing.codes[side])
        heights = [code["y"] for code in drawing.codes[side]]
        assert heights == sorted(heights) and heights[0] > 0 and heights[-1] < drawing.height


def test_a_code_that_the_run_does_not_describe_has_no_bar(opportunities):
    none = pd.DataFrame({"code": [], "title": [], "patents": [], "firm_patents": []})
    assert {code["bar"] for side in portfolio(opportunities, none, True).codes.values() for code in side} == {0.0}
