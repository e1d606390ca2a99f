"""Whatever an export says of the time after the cutoff, no number made for the cutoff moves by a bit."""

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from cases import real_data
from hypothesis import Phase, example, given, settings
from leakage.edits import EDITS, EVERYTHING, NOTHING, Edits, edited
from leakage.identical import assert_identical
from leakage.told import CONFIG, features, forecast, silent, whole
from runs import FEW_BLOCKS, FIRM, LIGHT

import pipeline.forecast
from pipeline import forecast_in_blocks
from pipeline.artifacts import read_json, sha256_file
from pipeline.corpus.ingest import ingest, ingest_tables
from pipeline.corpus.readers import SourceTable, flat_table, read_source
from pipeline.corpus.store import save_corpus
from pipeline.pairs import candidates
from pipeline.parts import compute_part, part_request
from pipeline.ranking.ensemble import EnsembleConfig
from pipeline.run_config import RunConfig, load_config

TRUNCATED = dataclasses.replace(NOTHING, deleted=1.0)  # an export made on the cutoff
# an example takes seconds and is short to read: to shrink it would take minutes and tell little more
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


@dataclasses.dataclass(frozen=True)
class Case:
    """A small corpus, the day it is asked on, the firm that asks."""

    rows: SourceTable
    cutoff: pd.Timestamp
    firm: str | None


@pytest.fixture(scope="module", params=["simulated", "real"])
def case(request: pytest.FixtureRequest) -> Case:
    if request.param == "simulated":
        return Case(request.getfixturevalue("sample_rows"), pd.Timestamp("2014-12-31").as_unit("s"), FIRM)
    rows = read_source(real_data("corpora/dpl_google.parquet"))
    some = rows.frame[rows.frame["date"].between("1998-01-01", "2010-12-31")].iloc[::2]
    return Case(dataclasses.replace(rows, frame=some), pd.Timestamp("2006-12-31").as_unit("s"), None)


@pytest.fixture(scope="module")
def settled_features(case: Case) -> dict[str, Any]:
    """What the blocks say of the rows as they are."""
    return features(whole(case.rows, case.cutoff), case.cutoff)


@settings(max_examples=3, deadline=None, phases=PHASES)
@example(edits=TRUNCATED)
@example(edits=EVERYTHING)
@given(edits=EDITS)
def test_no_edit_of_later_rows_moves_the_history_its_candidates_or_any_block(
    case: Case, settled_features: dict[str, Any], edits: Edits
) -> None:
    corpus = whole(edited(case.rows, case.cutoff, edits), case.cutoff)
    assert_identical(features(corpus, case.cutoff), settled_features)


@pytest.fixture(scope="module")
def settled_forecast(case: Case) -> dict[str, Any]:
    """What is told from the rows as they are."""
    return forecast(whole(case.rows, case.cutoff), case.cutoff, case.firm, CONFIG)


@pytest.mark.slow
@settings(max_examples=1, deadline=None, phases=PHASES)
@example(edits=TRUNCATED)
@example(edits=EVERYTHING)
@given(edits=EDITS)
def test_no_edit_of_later_rows_moves_a_forecast_or_what_is_told_of_it(
    case: Case, settled_forecast: dict[str, Any], edits: Edits
) -> None:
    corpus = whole(edited(case.rows, case.cutoff, edits), case.cutoff)
    assert_identical(forecast(corpus, case.cutoff, case.firm, CONFIG), settled_forecast)


@pytest.mark.slow
def test_all_edits_at_once_move_no_member_of_the_default_ensemble(sample_rows: SourceTable) -> None:
    cutoff = pd.Timestamp("2011-12-31").as_unit("s")
    default = RunConfig(ensemble=EnsembleConfig(training_origins=2))
    left, right = (
        forecast(whole(rows, cutoff), cutoff, FIRM, default)
        for rows in (sample_rows, edited(sample_rows, cutoff, EVERYTHING))
    )
    assert_identical(left, right)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["in blocks", "strengthening"])
def test_all_edits_at_once_move_no_forecast_of_another_kind(
    sample_rows: SourceTable, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cutoff = pd.Timestamp("2014-12-31").as_unit("s")
    track = {"track": "strengthening" if way == "strengthening" else "new"}
    blocks = [*FEW_BLOCKS["blocks"], "background"]
    config = load_config(None, LIGHT | {"features": {"blocks": blocks}, "task": track})
    if way == "in blocks":
        monkeypatch.setattr(candidates, "BLOCK", 1000)
        monkeypatch.setattr(pipeline.forecast, "BLOCK", 0)
        monkeypatch.setattr(forecast_in_blocks, "SAMPLE", 1500)
        monkeypatch.setattr(forecast_in_blocks, "HEAD", 100)
    left, right = (
        forecast(whole(rows, cutoff), cutoff, None, config)
        for rows in (sample_rows, edited(sample_rows, cutoff, EVERYTHING))
    )
    assert (left["forecast"].whole_list is not None) is (way == "in blocks")
    assert_identical(left, right)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place for corpus folders and parts, and a cache of text vectors that the edited corpora share."""
    return tmp_path_factory.mktemp("edits")


def part(rows: SourceTable, folder: Path, cutoff: str, known_until: str | None) -> tuple[dict[str, str], Any]:
    """Hashes of the tables of a part, and its record, by the way of the command line: file, ingest, corpus, part.

    The corpus, as edited, is its background too.
    """
    folder.mkdir(exist_ok=True)
    rows.frame.to_csv(folder / "patents.csv", index=False)
    save_corpus(ingest([folder / "patents.csv"]), folder / "corpus")
    dates = {"cutoff": cutoff, "known_until": known_until}
    corpus = folder / "corpus"
    request = part_request(corpus, corpus, config=CONFIG, explained=True, firm=FIRM, **dates)  # type: ignore[arg-type]
    compute_part(request, folder / "part", silent)
    record = read_json(folder / "part" / "part.json")
    return {path.name: sha256_file(path) for path in sorted((folder / "part").glob("*.parquet"))}, record


@pytest.mark.slow
@pytest.mark.parametrize("known_until", [None, "2014-12-31"], ids=["forecast", "test"])
def test_edited_files_give_the_same_part_for_a_day_before_the_edits(
    home: Path, sample_rows: SourceTable, known_until: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forecast at the day, and a test whose window closes on it."""
    monkeypatch.setenv("TECHCONVERGE_CACHE", str(home / "cache"))
    cutoff = "2011-12-31" if known_until else "2014-12-31"
    tables, record = part(sample_rows, home / "settled", cutoff, known_until)
    assert {"predictions.parquet", "explanations.parquet", "opportunities.parquet"} <= set(tables)

    @settings(max_examples=1, deadline=None, phases=PHASES)
    @example(edits=EVERYTHING)
    @given(edits=EDITS)
    def moves_nothing(edits: Edits) -> None:
        rows = edited(sample_rows, pd.Timestamp("2014-12-31"), edits)
        again, told = part(rows, home / "edited", cutoff, known_until)
        assert again == tables
        assert_identical(told, record)

    moves_nothing()


@pytest.mark.parametrize("kind", [field.name for field in dataclasses.fields(Edits) if field.name != "seed"])
def test_each_kind_of_edit_is_seen_once_its_day_has_come(sample_rows: SourceTable, kind: str) -> None:
    """No edit is an empty gesture: by itself it changes what the whole source says."""
    alone = dataclasses.replace(NOTHING, **{kind: 1})
    rows = edited(sample_rows, pd.Timestamp("2014-12-31"), alone)
    with pytest.raises(AssertionError, match="parts differ"):
        assert_identical(ingest_tables([sample_rows]), ingest_tables([rows]))


def test_a_patent_of_the_cutoff_day_itself_is_seen(sample_rows: SourceTable) -> None:
    """It belongs to the past, and moves every block."""
    cutoff = pd.Timestamp("2014-12-31").as_unit("s")
    row = pd.DataFrame({"patent_id": ["ZZ1"], "date": ["2014-12-31"], "title": ["neural"], "cited_ids": ["SIM0000007"]})
    codes = pd.Series(sample_rows.frame["ipc"].str.split(";").explode().unique()[:40]).str.cat(sep=";")
    frame = pd.concat([sample_rows.frame, flat_table(row.assign(ipc=codes))], ignore_index=True)
    left, right = (
        features(whole(dataclasses.replace(sample_rows, frame=rows), cutoff), cutoff) for rows in (frame[:-1], frame)
    )
    for name in left:
        with pytest.raises(AssertionError):
            assert_identical(left[name], right[name])
