"""Why a pair ranks where it does, from a forecast on simulated patents."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from factories import corpus_from

from pipeline.corpus.timeline import Corpus
from pipeline.encoders.base import patent_texts
from pipeline.encoders.hashing import HashingEncoder
from pipeline.evaluation.drivers import FEATURES, find_drivers
from pipeline.evaluation.explain import EXAMPLES, code_table, example_patents, explanations, link_table
from pipeline.evaluation.words import in_words
from pipeline.forecast import CutoffForecast, forecast_at
from pipeline.opportunities.firm import Firm
from pipeline.ranking.ensemble import EnsembleConfig
from pipeline.ranking.rescore import rescorer
from pipeline.run_config import RunConfig

CONFIG = RunConfig(ensemble=EnsembleConfig(members=("logistic/none", "lightgbm/none"), training_origins=1))
ROWS = np.array([3, 40, 41])


def silent(message: str) -> None:
    """Progress nobody listens to."""


@pytest.fixture(scope="module")
def history(sample_corpus: Corpus) -> Corpus:
    vectors = HashingEncoder(300).encode(patent_texts(sample_corpus.patents))
    return sample_corpus.with_embeddings(vectors).as_of(pd.Timestamp("2013-12-31").as_unit("s"))


@pytest.fixture(scope="module")
def forecast(history: Corpus) -> CutoffForecast:
    return forecast_at(history, CONFIG, silent)


def carriers(history: Corpus, code: str) -> pd.Series:
    codes = history.patent_codes
    held = codes.loc[codes["symbol"].str.startswith(code) & (codes["scheme"] == "ipc"), "patent_id"]
    return history.patents["patent_id"].isin(held)


def explained(forecast: CutoffForecast) -> tuple[pd.DataFrame, dict[str, Any] | None]:
    return explanations(forecast, ROWS, CONFIG.task.window, seed=1)


def test_features_that_speak_for_a_pair_come_most_important_first(forecast: CutoffForecast) -> None:
    table, _ = explained(forecast)
    assert list(table) == ["code_a", "code_b", "kind", "name", "words", "value", "contribution"]
    asked = forecast.predictions.loc[ROWS, ["code_a", "code_b"]].to_numpy().tolist()
    assert set(table["kind"]) == {"feature", "modality"}  # without fusion there is no attention
    for (a, b), own in table[table["kind"] == "feature"].groupby(["code_a", "code_b"]):
        assert [a, b] in asked
        assert 1 <= len(own) <= FEATURES
        assert (own["contribution"] > 0).all()
        assert own["contribution"].is_monotonic_decreasing
        row = [list(pair) for pair in forecast.predictions[["code_a", "code_b"]].to_numpy()].index([a, b])
        for name, words, value in own[["name", "words", "value"]].to_numpy():
            assert words.startswith(f"{in_words(name)}: ")
            assert value == forecast.target.table.columns[name].iloc[row]


def test_a_pairs_modalities_are_those_of_its_drivers(forecast: CutoffForecast) -> None:
    table, _ = explained(forecast)
    drivers = find_drivers(rescorer(forecast.ranking, forecast.target, CONFIG.task.window), ROWS, seed=1)
    named = forecast.predictions.loc[ROWS, ["code_a", "code_b"]].to_numpy().tolist()
    for place, (a, b) in enumerate(named):
        own = table[(table["code_a"] == a) & (table["code_b"] == b) & (table["kind"] == "modality")]
        assert own.set_index("name")["contribution"].to_dict() == drivers.modalities.iloc[place].to_dict()
        total = own["contribution"].sum() + drivers.base[place]
        assert total == pytest.approx(forecast.ranking.score_raw[ROWS[place]], abs=1e-9)


def test_attention_weights_are_named_beside_the_features(forecast: CutoffForecast) -> None:
    weights = pd.DataFrame({"network": 0.75, "text": 0.25}, index=range(len(forecast.predictions)))
    given = dataclasses.replace(forecast, ranking=dataclasses.replace(forecast.ranking, attention=weights))
    table, _ = explained(given)
    attention = table[table["kind"] == "attention"]
    assert attention["name"].tolist() == ["network", "text"] * 3
    assert attention["contribution"].tolist() == [0.75, 0.25] * 3


def test_the_reasons_of_the_head_of_the_list_stand_the_check(forecast: CutoffForecast) -> None:
    head = np.argsort(forecast.predictions["rank"].to_numpy())[:50]
    _, check = explanations(forecast, head, CONFIG.task.window, seed=1)
    assert check is not None
    assert check["pairs"] == 50
    assert check["features"]["holds"] and check["modalities"]["holds"]
    assert check["features"]["named"] > 2 * check["features"]["random"]


def test_a_ranking_that_cannot_be_taken_apart_names_nothing(forecast: CutoffForecast) -> None:
    stack = pd.DataFrame({"stack": forecast.ranking.score_raw})
    given = dataclasses.replace(forecast, ranking=dataclasses.replace(forecast.ranking, members=stack))
    table, check = explained(given)
    assert table.empty and check is None


def test_examples_are_the_recent_patents_nearest_to_the_other_side(history: Corpus, forecast: CutoffForecast) -> None:
    asked = forecast.predictions.iloc[ROWS]
    table = example_patents(history, asked, CONFIG.task)
    assert list(table) == ["code_a", "code_b", "side", "patent_id", "knowledge_date", "title", "party"]
    assert history.embeddings is not None
    recent = (history.patents["knowledge_date"] > pd.Timestamp("2010-12-31")).to_numpy()
    for (a, b, side), own in table.groupby(["code_a", "code_b", "side"]):
        mine, theirs = (carriers(history, c).to_numpy() for c in ((a, b) if side == "a" else (b, a)))
        mine = mine & recent if (mine & recent).sum() >= EXAMPLES else mine
        likeness = history.embeddings @ history.embeddings[theirs].mean(axis=0)
        rows = history.row_of(own["patent_id"])
        assert len(rows) == min(EXAMPLES, mine.sum())
        assert mine[rows].all()
        others = np.setdiff1d(np.flatnonzero(mine), rows)
        assert len(others) == 0 or likeness[rows].min() >= likeness[others].max() - 1e-6


def test_examples_without_texts_are_the_latest(history: Corpus, forecast: CutoffForecast) -> None:
    bare = dataclasses.replace(history, embeddings=None)
    table = example_patents(bare, forecast.predictions.iloc[ROWS[:1]], CONFIG.task)
    for (a, b, side), own in table.groupby(["code_a", "code_b", "side"]):
        latest = history.patents.loc[carriers(history, a if side == "a" else b), "patent_id"].tolist()[::-1]
        assert own["patent_id"].tolist() == latest[:EXAMPLES]


def test_the_code_table_counts_what_everyone_and_the_firm_holds(history: Corpus, forecast: CutoffForecast) -> None:
    assignees = history.parties[history.parties["role"] == "assignee"]
    party = str(assignees["party_id"].value_counts().index[0])
    firm = Firm(name=party, party_id=party, patents=len(assignees[assignees["party_id"] == party]))
    table = code_table(history, forecast.universe.pairs.codes, CONFIG.task, firm).set_index("code")
    held = history.patents["patent_id"].isin(assignees.loc[assignees["party_id"] == party, "patent_id"])
    recent = history.patents["knowledge_date"] > pd.Timestamp("2010-12-31")
    for code in table.index[::9]:
        own = carriers(history, code)
        row = table.loc[code]
        assert (row["patents"], row["recent_patents"], row["firm_patents"]) == (
            own.sum(), (own & recent).sum(), (own & held).sum()
        )  # fmt: skip
    assert table["firm_patents"].sum() > 0
    assert (table["title"] != "").all()
    assert (table["keywords"] != "").any()
    assert not code_table(history, forecast.universe.pairs.codes, CONFIG.task, None)["firm_patents"].any()


def test_the_link_table_is_the_strongest_joint_counts(history: Corpus) -> None:
    table = link_table(history, CONFIG.task, limit=25)
    assert len(table) == 25
    assert table["joint"].is_monotonic_decreasing
    for a, b, joint in table.itertuples(index=False):
        assert a < b
        assert joint == (carriers(history, a) & carriers(history, b)).sum()
    everything = link_table(history, CONFIG.task, limit=10**6)
    pd.testing.assert_frame_equal(everything.head(25), table)
    assert len(everything) == history.incidence("ipc", "subclass").joint().nnz // 2


def test_an_invention_that_comes_twice_is_an_example_once() -> None:
    titles = ["Old pump", "Other pump", "Heat pump", "HEAT PUMP"]
    rows = [
        {"patent_id": f"P{n}", "date": f"201{n}-03-01", "title": title, "ipc": "F04B 1/00"}
        for n, title in enumerate(titles)
    ]
    rows += [{"patent_id": "Q", "date": "2011-05-01", "title": "Wheel", "ipc": "B60B 1/00"}]
    pair = pd.DataFrame({"code_a": ["B60B"], "code_b": ["F04B"]})
    table = example_patents(corpus_from(rows), pair, CONFIG.task)
    assert table.loc[table["side"] == "b", "title"].tolist() == ["HEAT PUMP", "Other pump"]
    assert table.loc[table["side"] == "a", "patent_id"].tolist() == ["Q"]
    assert (table["party"] == "").all()
