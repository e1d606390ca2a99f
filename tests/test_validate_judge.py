"""Step three with a judge, whole: from the command line's requests over a knowledge base to a server on loopback."""

import datetime
import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from judge.case import config_for
from judge.server import Act, Request, fair, serving
from knowledge.bases import added
from runs import FIRM, LIGHT, asked, silent_run, stored

from pipeline.corpus.names import normalise_party
from pipeline.corpus.readers import SourceTable
from pipeline.corpus.store import load_corpus
from pipeline.errors import CutoffError, KnowledgeError, NotEnoughDataError
from pipeline.opportunities.topic_pairs import TopicConfig
from pipeline.opportunities_config import OpportunitiesConfig
from pipeline.report.firm.render import render_firm_report
from pipeline.run_config import load_config
from pipeline.run_opportunities import OpportunitiesRequest, find_opportunities
from pipeline.schemas import Hindsight, Judged, TopicNames, Verdicts
from pipeline.validate_judge import ValidateRequest, validate_by_hindsight

pytestmark = pytest.mark.slow
CUTOFF = "2016-12-31"


@pytest.fixture(scope="module")
def corpus(sample_rows: SourceTable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stored(sample_rows, tmp_path_factory.mktemp("judged") / "corpus")


@pytest.fixture(scope="module")
def run(corpus: Path) -> Path:
    return silent_run(asked("forecast", corpus, CUTOFF, firm=FIRM), corpus.parent / "run")


@pytest.fixture
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-in-the-environment")
    monkeypatch.setenv("TECHCONVERGE_CACHE", str(tmp_path / "cache"))
    return tmp_path


def base_of(corpus: Path, folder: Path) -> Path:
    note = folder / "strategy.md"
    note.write_text("We will grow in thermal storage and want partners in sensing.", encoding="utf-8")
    added(folder / "base", load_corpus(corpus), [note], firm=normalise_party(FIRM))
    return folder / "base"


def judging_and_naming(request: Request) -> Act:
    """A fair judge, which calls topics by two made-up words when asked for a name."""
    if "You name topics" not in request.system:
        return fair(request)
    letters = "".join("abcdefghij"[int(digit)] for digit in str(request.digest())[:8])
    return Act(json.dumps({"label": f"Made-up {letters}", "description": f"They {letters}."}))


def test_a_firms_opportunities_are_judged_on_what_was_known_and_reported(
    corpus: Path, run: Path, surroundings: Path
) -> None:
    with serving(judging_and_naming) as server:
        config = OpportunitiesConfig(topics=TopicConfig(top_pairs=3), judge=config_for(server.url), judged=3)
        request = OpportunitiesRequest(run=run, firm=FIRM, knowledge=base_of(corpus, surroundings), config=config)
        folder = find_opportunities(request, surroundings, lambda message: None)
        paid = len(server.requests)
        again = find_opportunities(request, surroundings, lambda message: None)
    names = TopicNames.validate(pd.read_parquet(folder / "topic_names.parquet"))
    assert again == folder and len(server.requests) == paid == 3 * 2 * 2 + len(names)  # a rerun costs nothing
    opportunities = pd.read_parquet(folder / "topic_opportunities.parquet")
    head = opportunities.head(3)
    assert set(names["topic_id"]) == set(head["firm_topic"]) | set(head["target_topic"])
    assert head["firm_label"].str.startswith("Made-up ").all() and head["target_label"].str.startswith("Made-up ").all()
    topics = pd.read_parquet(folder / "topics.parquet").set_index("topic_id")["label"]
    assert topics[names["topic_id"]].tolist() == names["label"].tolist()
    assert names["words"].str.len().gt(0).all() and not names["words"].str.startswith("Made-up").any()
    shown = "\n".join(request.user for request in server.requests if "You name topics" not in request.system)
    assert "Made-up" not in shown  # judged by their words, as the validation does
    assert len((folder / "transcript.jsonl").read_text().splitlines()) == paid
    verdicts = Verdicts.validate(pd.read_parquet(folder / "verdicts.parquet"))
    assert len(verdicts) == 12 and (verdicts["outcome"] == "ok").all()
    assert set(Judged.validate(pd.read_parquet(folder / "judged.parquet"))["criterion"]) >= {"overall"}
    evidence = pd.read_parquet(folder / "evidence.parquet")
    assert evidence["date"].max() <= pd.Timestamp(CUTOFF)
    cited = {name for ids in verdicts["evidence_ids"] for name in ids.split(";")}
    assert cited <= set(evidence["evidence_id"])
    for path in render_firm_report(folder):
        assert b"sk-planted" not in path.read_bytes()
    page = (folder / "firm-report.html").read_text(encoding="utf-8")
    assert "No model judged" not in page
    assert "Named and described by <bdi>openai:scripted</bdi>" in page
    written = [path for path in surroundings.rglob("*") if path.is_file()]
    assert not [path for path in written if b"sk-planted" in path.read_bytes()]


def test_a_judge_without_a_knowledge_base_is_told_how_to_make_one(run: Path, surroundings: Path) -> None:
    config = OpportunitiesConfig(judge=config_for("http://127.0.0.1:9"))
    request = OpportunitiesRequest(run=run, firm=FIRM, knowledge=surroundings / "none", config=config)
    with pytest.raises(KnowledgeError, match="techconverge knowledge add"):
        find_opportunities(request, surroundings, lambda message: None)
    assert not list(surroundings.glob("firm-*"))


def validation(corpus: Path, config: OpportunitiesConfig, cutoff: str = CUTOFF, **more: object) -> ValidateRequest:
    given = {"corpus": corpus, "cutoff": datetime.date.fromisoformat(cutoff), "config": config, **more}
    return ValidateRequest.model_validate(given | {"run": load_config(None, LIGHT)})


def test_scores_of_a_past_day_are_compared_with_what_was_filed_later(corpus: Path, surroundings: Path) -> None:
    request = validation(corpus, OpportunitiesConfig(topics=TopicConfig(top_pairs=30)))
    lines = validate_by_hindsight(request, surroundings / "first", lambda message: None)
    table = Hindsight.validate(pd.read_parquet(surroundings / "first" / "hindsight.parquet"))
    assert set(table["score"]) == {"computed", "probability", "random"}
    assert any(line.startswith("computed: lift of the first 20") for line in lines)
    record = json.loads((surroundings / "first" / "validation.json").read_text())
    assert any("no model judged" in note for note in record["notes"])
    assert any(note.startswith("prior ranker") for note in record["notes"])  # what the forecast lacked
    scores = pd.read_parquet(surroundings / "first" / "scores.parquet")
    assert record["filed"] == (scores["filed"] > 0).sum() > 0
    validate_by_hindsight(request, surroundings / "second", lambda message: None)
    for path in (surroundings / "first").iterdir():
        assert path.read_bytes() == (surroundings / "second" / path.name).read_bytes()


def test_a_judge_is_validated_on_a_sample_beside_its_controls(corpus: Path, surroundings: Path) -> None:
    with serving(fair) as server:
        config = OpportunitiesConfig(topics=TopicConfig(top_pairs=20), judge=config_for(server.url))
        request = validation(corpus, config, sample=6, knowledge=base_of(corpus, surroundings))
        validate_by_hindsight(request, surroundings / "out", lambda message: None)
        asked_for = Counter(bool(request.passages()) for request in server.requests)
    table = pd.read_parquet(surroundings / "out" / "hindsight.parquet")
    scores = pd.read_parquet(surroundings / "out" / "scores.parquet")
    assert (scores["filed"] > 0).sum() == 3  # half of them, of more that there are
    record = json.loads((surroundings / "out" / "validation.json").read_text())
    assert any(note.startswith("6 opportunities, 3 of them filed on later") for note in record["notes"])
    assert {"judge", "judge_without_retrieval", "judge_shuffled_retrieval"} <= set(table["score"])
    assert table["pairs"].eq(6).all()
    assert asked_for[False] > 0 and asked_for[True] > asked_for[False]
    # a firm's document is no evidence for nobody's opportunities
    assert "strategy.md" not in set(pd.read_parquet(surroundings / "out" / "evidence_judge.parquet")["source"])


def test_a_judge_is_not_paid_where_nothing_was_filed_on_later(
    corpus: Path, surroundings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.validate_judge.realised", lambda *_: 0)
    with serving(fair) as server:
        config = OpportunitiesConfig(topics=TopicConfig(top_pairs=3), judge=config_for(server.url))
        request = validation(corpus, config, sample=6, knowledge=base_of(corpus, surroundings))
        with pytest.raises(
            NotEnoughDataError, match=r"none of .* opportunities at 2016-12-31 was filed on within 3 years"
        ):
            validate_by_hindsight(request, surroundings / "out", lambda message: None)
        assert not server.requests
    assert not (surroundings / "out").exists()


def test_a_window_that_is_not_over_is_refused(corpus: Path, surroundings: Path) -> None:
    with pytest.raises(CutoffError, match="cannot be tested"):
        validate_by_hindsight(
            validation(corpus, OpportunitiesConfig(), "2018-12-31"), surroundings / "out", lambda message: None
        )
