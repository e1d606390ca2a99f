"""The borders: what a table must be, and how a fault is told."""

from typing import Any

import pandas as pd
import pytest

from pipeline import schemas
from pipeline.errors import ArtifactError
from pipeline.schemas import validate


def patents(**changes: list[Any]) -> pd.DataFrame:
    """Two good patents, some columns changed."""
    columns: dict[str, list[Any]] = {
        "patent_id": ["US1", "US2"],
        "knowledge_date": ["2010-01-05", "2010-02-09"],
        "filing_date": ["2008-01-05", None],
        "title": ["Heat pump", ""],
        "abstract": ["", ""],
        "claims": ["", ""],
        "claims_count": [3, None],
        "family_id": ["F1", "F2"],
        "office": ["US", "US"],
        "date_kind": ["grant", ""],
        "date_precision": ["day", "year"],
        "language": ["en", ""],
    }
    frame = pd.DataFrame(columns | changes)
    for name in ("knowledge_date", "filing_date"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    return frame.assign(claims_count=frame["claims_count"].astype("Int32"))


def predictions(**changes: list[Any]) -> pd.DataFrame:
    """Three ranked pairs of one cutoff, some columns changed."""
    columns: dict[str, list[Any]] = {
        "cutoff": [pd.Timestamp("2012-12-31")] * 3,
        "code_a": ["A01B", "A01B", "F25B"],
        "code_b": ["F25B", "G06F", "G06F"],
        "entered": [False, False, True],
        "label": [0, 1, None],
        "score_raw": [0.1, 0.3, 0.2],
        "probability": [0.1, 0.3, 0.2],
        "probability_low": [0.05, 0.1, None],
        "probability_high": [0.2, 0.5, None],
        "rank": [3, 1, 2],
    }
    frame = pd.DataFrame(columns | changes)
    return frame.assign(label=frame["label"].astype("Int8"))


def test_good_tables_pass() -> None:
    validate(patents(), schemas.Patents, "patents")
    checked = validate(predictions(baseline__katz=[1.0, 2.0, 3.0]), schemas.Predictions, "predictions")
    assert checked["label"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"patent_id": ["US1", "US1"]}, "patent_id"),
        ({"patent_id": ["", "US2"]}, "patent_id"),
        ({"knowledge_date": ["2010-01-05", None]}, "knowledge_date"),
        ({"knowledge_date": ["2010-02-09", "2010-01-05"]}, "sorted by knowledge_date"),
        ({"claims_count": [-1, None]}, "claims_count"),
        ({"date_precision": ["day", "decade"]}, "date_precision"),
        ({"invented": [1, 2]}, "invented"),
    ],
)
def test_a_broken_patents_table_is_told_in_one_line(changes: dict[str, list[Any]], rule: str) -> None:
    with pytest.raises(ArtifactError) as raised:
        validate(patents(**changes), schemas.Patents, "patents")
    assert str(raised.value).startswith("table patents")
    assert rule in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"code_b": ["A01B", "G06F", "G06F"]},
        {"probability": [0.1, 1.3, 0.2]},
        {"probability": [0.1, None, 0.2]},
        {"label": [0, 2, 1]},
        {"rank": [1, 1, 2]},
        {"rank": [2, 3, 4]},
    ],
)
def test_broken_predictions_are_refused(changes: dict[str, list[Any]]) -> None:
    with pytest.raises(ArtifactError, match="table predictions"):
        validate(predictions(**changes), schemas.Predictions, "predictions")


@pytest.mark.parametrize("symbol", ["A", "A01", "A01B", "F25B 41/20", "Y02E 60/10", "H01M 10/0525"])
def test_canonical_symbols_of_every_level_pass(symbol: str) -> None:
    table = pd.DataFrame({"patent_id": ["US1"], "symbol": [symbol], "scheme": ["ipc"], "position": [0]})
    assert validate(table, schemas.PatentCodes, "patent_codes")["symbol"].tolist() == [symbol]


@pytest.mark.parametrize("symbol", ["", "Z01B", "A1B", "F25B41/20", "f25b 41/20", "F25B 41", "F25B 41/2"])
def test_other_symbols_do_not(symbol: str) -> None:
    table = pd.DataFrame({"patent_id": ["US1"], "symbol": [symbol], "scheme": ["ipc"], "position": [0]})
    with pytest.raises(ArtifactError, match="symbol"):
        validate(table, schemas.PatentCodes, "patent_codes")


@pytest.mark.parametrize("name", ["Patents", "PatentCodes", "Citations", "Parties", "Members", "Quarantine", "Pairs"])
def test_an_empty_table_keeps_its_columns_and_types(name: str) -> None:
    schema = getattr(schemas, name)
    frame = schemas.empty(schema)
    assert list(frame.columns) == list(schema.to_schema().columns)
    validate(frame, schema, name)
