"""The run folder as tables, and the ranked table as CSV."""

import csv
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report.fixtures import ORIGINS, write_run

from pipeline.artifacts import read_table, write_json, write_table
from pipeline.errors import ArtifactError
from pipeline.report.tables import load_run, metric_frame, metric_table
from pipeline.spreadsheets import write_csv


def written(frame: pd.DataFrame, path: Path) -> list[list[str]]:
    write_csv(frame, path)
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.reader(handle))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\n=x", "  =1", "＝1", "＠x"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(tmp_path, text):
    rows = written(pd.DataFrame({"title": [text], "=head": ["safe"]}), tmp_path / "ranked.csv")
    assert rows == [["title", "'=head"], ["'" + text, "safe"]]


def test_numbers_stay_numbers_and_missing_stays_empty(tmp_path):
    frame = pd.DataFrame(
        {"value": [-1.5, float("nan")], "label": pd.array([1, None], dtype="Int8"), "title": ["Kälte, “x”", None]}
    )
    rows = written(frame, tmp_path / "ranked.csv")
    assert rows == [["value", "label", "title"], ["-1.5", "1", "Kälte, “x”"], ["", "", ""]]
    assert (tmp_path / "ranked.csv").read_bytes().startswith(b"\xef\xbb\xbf")


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1), min_size=1))
def test_no_cell_begins_like_a_formula_and_none_is_lost(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("csv") / "ranked.csv"
    write_csv(pd.DataFrame({"text": texts}), path)
    with path.open(encoding="utf-8-sig", newline="") as handle:
        cells = [row[0] for row in list(csv.reader(handle))[1:]]
    assert [cell.removeprefix("'") for cell in cells] == [text.removeprefix("'") for text in texts]
    assert not any(cell[0] in "=+-@\t\r" for cell in cells)


def test_a_forecast_is_ranked_for_the_firm_where_one_is_given(tmp_path):
    run = load_run(write_run(tmp_path / "run"))
    firm_view = read_table(tmp_path / "run" / "opportunities.parquet")
    assert run.ranked["code_a"].tolist() == firm_view["code_a"].head(200).tolist()
    assert run.ranked["place"].tolist() == list(range(1, 201))
    assert run.ranked["probability_low"].notna().all()
    assert dict(zip(run.types["type"], run.types["pairs"], strict=True)) == firm_view["type"].value_counts().to_dict()


def test_without_a_firm_the_last_cutoff_is_shown_by_rank(tmp_path):
    run = load_run(write_run(tmp_path / "run", command="backtest", firm=None))
    assert run.cutoff == pd.Timestamp(ORIGINS[-1])
    assert run.ranked["rank"].tolist() == list(range(1, 201))
    assert run.ranked["label"].notna().all()
    predictions = read_table(tmp_path / "run" / "predictions.parquet")
    latest = predictions[predictions["cutoff"] == run.cutoff]
    assert run.candidates == len(latest)
    assert run.expected == pytest.approx(latest["probability"].sum())


def test_a_code_without_a_title_is_described_by_its_keywords(tmp_path):
    folder = write_run(tmp_path / "run", firm=None)
    codes = read_table(folder / "codes.parquet")
    write_table(folder / "codes.parquet", codes.assign(title="", keywords="valve, pump"))
    assert set(load_run(folder).ranked["title_a"]) == {"valve, pump"}


def test_metrics_are_laid_out_by_model_best_first_with_intervals_and_the_best_marked(tmp_path):
    metrics = load_run(write_run(tmp_path / "run")).metrics
    table = metric_table(
        metric_frame(metrics), "mean", [("average_precision", None), ("precision", 100), ("made_up", None)]
    )
    assert table.columns == ["Average precision", "Precision\u00a0@\u00a0100"]
    model, ours, cells = table.rows[0]
    assert (model, ours, cells[0]) == ("model", True, (".163", ".134 to .196", True))
    assert [row[0] for row in table.rows][1:3] == ["lightgbm_all", "reference"]
    assert not any(row[2][0][2] for row in table.rows[1:])


def test_of_an_error_measure_the_lowest_is_best():
    rows = [
        {"model": model, "cutoff": "mean", "metric": "brier", "k": None, "value": value, "low": None, "high": None}
        for model, value in (("model", 0.03), ("lightgbm", 0.02))
    ]
    table = metric_table(metric_frame({"metrics": rows}), "mean")
    assert [(row[0], row[2][0][2]) for row in table.rows] == [("lightgbm", True), ("model", False)]


@pytest.mark.parametrize(
    ("name", "message"), [("run.json", "run is not a run"), ("predictions.parquet", "predictions.parquet")]
)
def test_a_folder_without_its_main_files_is_refused(tmp_path, name, message):
    folder = write_run(tmp_path / "run")
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=message):
        load_run(folder)


def test_another_json_or_an_empty_ranking_is_refused(tmp_path):
    folder = write_run(tmp_path / "run")
    write_table(folder / "predictions.parquet", read_table(folder / "predictions.parquet").head(0))
    with pytest.raises(ArtifactError, match="holds no pair"):
        load_run(folder)
    write_json(folder / "run.json", {"else": 1})
    with pytest.raises(ArtifactError, match="not the record of a run"):
        load_run(folder)
