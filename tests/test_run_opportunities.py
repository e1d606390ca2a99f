"""From a run folder to a firm's topic-level opportunities, on disk."""

import json
from pathlib import Path

import pandas as pd
import pytest
from runs import FIRM, asked, silent_run, stored

from pipeline.corpus.readers import SourceTable
from pipeline.errors import ArtifactError, CorpusError, FirmError
from pipeline.opportunities.topic_pairs import TopicConfig
from pipeline.opportunities_config import OpportunitiesConfig
from pipeline.report.firm.tables import firm_folder
from pipeline.run_opportunities import OpportunitiesRequest, find_opportunities
from pipeline.schemas import TopicOpportunities, Topics

pytestmark = pytest.mark.slow
CUTOFF = "2016-12-31"


@pytest.fixture(scope="module")
def run(sample_rows: SourceTable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("opportunities")
    return silent_run(asked("forecast", stored(sample_rows, folder / "corpus"), CUTOFF, firm=FIRM), folder / "run")


def found(run: Path, out: Path, firm: str = FIRM, domain: Path | None = None) -> Path:
    config = OpportunitiesConfig(topics=TopicConfig(top_pairs=5))
    request = OpportunitiesRequest(run=run, firm=firm, domain=domain, config=config)
    return find_opportunities(request, out, lambda message: None)


def test_the_folder_holds_valid_tables_and_a_record_that_hashes_them(run: Path, tmp_path: Path) -> None:
    folder = found(run, tmp_path)
    assert folder.parent == tmp_path and folder.name == "firm-sample-thermal-systems-sa-simulated"
    topics = Topics.validate(pd.read_parquet(folder / "topics.parquet"))
    table = TopicOpportunities.validate(pd.read_parquet(folder / "topic_opportunities.parquet"))
    assert set(table["firm_topic"]) | set(table["target_topic"]) == set(topics["topic_id"])
    assert len(table[["code_a", "code_b"]].drop_duplicates()) == 5
    members = pd.read_parquet(folder / "topic_members.parquet").groupby("topic_id").size()
    assert members.to_dict() == topics.set_index("topic_id")["patents"].to_dict()
    record = json.loads((folder / "topics.json").read_text())
    assert record["cutoff"] == CUTOFF
    assert set(record["outputs"]) == {path.name for path in folder.glob("*.parquet")}


def test_the_same_request_gives_the_same_bytes_and_nothing_later_than_the_cutoff(run: Path, tmp_path: Path) -> None:
    first, second = found(run, tmp_path / "a"), found(run, tmp_path / "b")
    for path in first.glob("*.parquet"):
        assert path.read_bytes() == (second / path.name).read_bytes()
    corpus = json.loads((run / "run.json").read_text())["request"]["corpus"]
    dates = pd.read_parquet(Path(corpus) / "patents.parquet").set_index("patent_id")["knowledge_date"]
    used = pd.read_parquet(first / "topic_members.parquet")["patent_id"]
    assert dates[used].max() <= pd.Timestamp(CUTOFF)


def test_a_second_firm_stands_beside_the_first_and_a_repeat_replaces_its_own(run: Path, tmp_path: Path) -> None:
    parties = pd.read_parquet(Path(json.loads((run / "run.json").read_text())["request"]["corpus"]) / "parties.parquet")
    counts = parties[parties["role"] == "assignee"]["name"].value_counts()
    other = next(name for name in counts.index if name != FIRM)
    assert found(run, tmp_path) == found(run, tmp_path) == firm_folder(tmp_path, FIRM)
    assert found(run, tmp_path, firm=other) == firm_folder(tmp_path, other)
    assert len(list(tmp_path.iterdir())) == 2


def test_what_cannot_work_is_said_in_one_line(run: Path, tmp_path: Path) -> None:
    with pytest.raises(FirmError, match="not among"):
        found(run, tmp_path, firm="Nobody & Sons")
    with pytest.raises(ArtifactError, match="not a run"):
        found(tmp_path, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_run_whose_corpus_or_predictions_changed_is_refused(
    sample_rows: SourceTable, run: Path, tmp_path: Path
) -> None:
    predictions = run / "predictions.parquet"
    kept = predictions.read_bytes()
    predictions.write_bytes(kept + b"x")
    with pytest.raises(ArtifactError, match="not what the run's record says"):
        found(run, tmp_path)
    predictions.write_bytes(kept)
    corpus = Path(json.loads((run / "run.json").read_text())["request"]["corpus"])
    manifest = (corpus / "manifest.json").read_text()
    stored(sample_rows, corpus, without=["abstract"])
    with pytest.raises(CorpusError, match="has changed"):
        found(run, tmp_path)
    stored(sample_rows, corpus)
    assert (corpus / "manifest.json").read_text() == manifest
