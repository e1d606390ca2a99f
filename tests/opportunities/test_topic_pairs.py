"""Topic-level opportunities on a small corpus whose topics are known: batteries that are cooled, robots that grip."""

import numpy as np
import pandas as pd
import pytest
from factories import corpus_from

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.encoders.hashing import HashingEncoder
from pipeline.errors import NotEnoughDataError
from pipeline.evaluation.realised import realised
from pipeline.opportunities.domain import Domain
from pipeline.opportunities.firm import Firm, firm_view
from pipeline.opportunities.topic_pairs import (
    REFERENCE,
    TopicConfig,
    TopicStage,
    blind_view,
    sided,
    topic_opportunities,
)
from pipeline.schemas import TopicOpportunities, Topics

TASK = TaskConfig(min_patents=1)
FIRM = Firm("Acme", "acme", 20)
WORDS = {  # code -> the texts of its two topics
    "H01M": ("battery electrode lithium anode", "cooling plate heat exchanger fluid"),
    "B25J": ("gripper finger vacuum suction", "joint torque servo motor arm"),
    "G06T": ("image pixel camera segmentation", "image pixel camera segmentation"),
}


def rows(joint_after: bool = False) -> list[dict[str, object]]:
    made = []
    for code, texts in WORDS.items():
        for number in range(40):
            made.append(
                {
                    "ipc": f"{code} 1/00",
                    "title": texts[number % 2],
                    "abstract": f"{texts[number % 2]} {texts[number % 2]} variant{number}",
                    "assignees": {"H01M": "Acme", "B25J": "Grip AG", "G06T": "See Ltd;Acme"}[code]
                    if number % 4 < 2
                    else "Other SA",
                    "inventors": f"Person {number % 9}",
                    "date": f"{2001 + number // 4}-0{1 + number % 4}-15",
                }
            )
    if joint_after:
        both = f"{WORDS['H01M'][1]} {WORDS['B25J'][1]}"
        made += [{"ipc": "H01M 1/00;B25J 1/00", "title": both, "date": f"2011-0{month}-15"} for month in (1, 2, 3)]
        made.append({"ipc": "H01M 1/00", "title": "end", "date": "2013-12-15"})
    made.sort(key=lambda row: str(row["date"]))
    return [row | {"patent_id": f"US{number + 100}"} for number, row in enumerate(made)]


def encoded(corpus: Corpus) -> Corpus:
    texts = (corpus.patents["title"] + " " + corpus.patents["abstract"]).tolist()
    return corpus.with_embeddings(HashingEncoder(2000).encode(texts))


def predictions(corpus: Corpus) -> pd.DataFrame:
    """Battery with robot first, then image with battery, then image with robot."""
    pairs = [("B25J", "H01M"), ("G06T", "H01M"), ("B25J", "G06T")]
    table = pd.DataFrame(pairs, columns=["code_a", "code_b"])
    return table.assign(cutoff=corpus.cutoff, rank=[1, 2, 3], probability=[0.5, 0.3, 0.1])


@pytest.fixture(scope="module")
def history() -> Corpus:
    return encoded(corpus_from(rows()))


@pytest.fixture(scope="module")
def view(history: Corpus) -> pd.DataFrame:
    return firm_view(history, FIRM, history.incidence("ipc", "subclass"), predictions(history))


def stage(history: Corpus, view: pd.DataFrame, **settings: object) -> TopicStage:
    config = TopicConfig.model_validate({"firm_side": "corpus"} | settings)
    return topic_opportunities(history, FIRM, view, TASK, config, seed=1)


@pytest.mark.parametrize("way", [{}, REFERENCE])
def test_the_topics_that_were_put_in_are_found(history: Corpus, view: pd.DataFrame, way: dict[str, str]) -> None:
    found = stage(history, view, **way)
    Topics.validate(found.topics.table)
    TopicOpportunities.validate(found.opportunities)
    texts = history.patents["title"]
    for (_, code), numbers in found.topics.table.groupby(["side", "code"]).indices.items():
        titles = [set(texts.iloc[found.topics.rows[number]]) for number in numbers]
        if code != "G06T":  # whose patents all say the same
            assert len(titles) == 2 and all(len(said) == 1 for said in titles)


def test_every_topic_of_one_side_meets_every_of_the_other(history: Corpus, view: pd.DataFrame) -> None:
    found = stage(history, view)
    per_side = found.topics.table.groupby(["side", "code"]).size()
    for (firm_code, target_code), table in found.opportunities.groupby(["firm_code", "target_code"]):
        assert len(table) == per_side["firm", firm_code] * per_side["target", target_code]
    assert found.opportunities["topic_rank"].tolist() == list(range(1, len(found.opportunities) + 1))
    assert found.opportunities["score"].is_monotonic_decreasing


def test_scores_are_those_of_the_method(history: Corpus, view: pd.DataFrame) -> None:
    found = stage(history, view, **REFERENCE)
    row = found.opportunities.iloc[0]
    known = found.topics.table.set_index("topic_id")
    place = {name: number for number, name in enumerate(known.index)}
    centre = [
        history.embeddings[found.topics.rows[place[row[side]]]].mean(axis=0) for side in ("firm_topic", "target_topic")
    ]
    cosine = centre[0] @ centre[1] / np.linalg.norm(centre[0]) / np.linalg.norm(centre[1])
    assert row["fusion"] == pytest.approx((cosine + 1) / 2, abs=1e-6)
    assert row["development"] == pytest.approx(known["development"][row["target_topic"]])
    assert row["score"] == pytest.approx(row["fusion"] * row["development"])
    by_chance = stage(history, view).opportunities.set_index("opportunity_id").loc[row["opportunity_id"]]
    assert by_chance["score"] == pytest.approx(
        by_chance["fusion"] * by_chance["development"]
        * view.set_index(["code_a", "code_b"])["firm_score"][row["code_a"], row["code_b"]]
    )  # fmt: skip


def test_the_firms_side_is_what_it_holds(view: pd.DataFrame) -> None:
    table = sided(view, dict.fromkeys(WORDS, True)).set_index(["code_a", "code_b"])
    assert table.loc[("B25J", "H01M"), ["firm_code", "target_code"]].tolist() == ["H01M", "B25J"]
    assert table.loc[("B25J", "G06T"), ["firm_code", "target_code"]].tolist() == ["G06T", "B25J"]
    # it holds both H01M and G06T: the target code decides, and else its share
    asked = sided(view, {"H01M": True, "B25J": False, "G06T": False}).set_index(["code_a", "code_b"])
    assert asked.index.tolist() == [("G06T", "H01M")]
    assert asked["firm_code"].tolist() == ["G06T"]


def test_fit_room_and_partners(history: Corpus, view: pd.DataFrame) -> None:
    found = stage(history, view).opportunities
    row = found[(found["firm_code"] == "H01M") & (found["target_code"] == "B25J")].iloc[0]
    density = view.set_index(["code_a", "code_b"]).loc[("B25J", "H01M"), "density_a"]
    assert row["firm_fit"] == pytest.approx(np.sqrt(1.0 * density))
    assert row["white_space"] == pytest.approx(0.0)  # Grip and Other hold all of it
    assert set(row["partners"].split(";")) <= {"Grip AG", "Other SA", "See Ltd"}
    both = found[(found["code_a"] == "G06T") & (found["code_b"] == "H01M")]
    assert len(both) and (both["firm_fit"] == 1.0).all()


def test_a_domain_narrows_the_targets(history: Corpus, view: pd.DataFrame) -> None:
    domain = Domain(name="grip", query="gripper OR joint")
    found = topic_opportunities(history, FIRM, view, TASK, TopicConfig(), seed=1, domain=domain)
    assert set(found.opportunities["target_code"]) == {"B25J"}
    with pytest.raises(NotEnoughDataError, match="target code in the domain"):
        topic_opportunities(history, FIRM, view, TASK, TopicConfig(), 1, Domain(name="none", query="zeppelin"))


def test_without_text_each_side_is_one_topic_and_this_is_said(view: pd.DataFrame) -> None:
    bare = corpus_from([{**row, "title": "", "abstract": ""} for row in rows()])
    found = stage(bare, view)
    assert (found.topics.table.groupby(["side", "code"]).size() == 1).all()
    assert found.opportunities["fusion"].isna().all()
    assert any("no titles or abstracts" in note for note in found.notes)
    assert found.topics.table.loc[found.topics.table["code"] == "H01M", "label"].iloc[0] != "H01M"  # its official title


def test_a_firms_side_too_thin_gives_way_and_this_is_said(history: Corpus, view: pd.DataFrame) -> None:
    few = Firm("See Ltd", "see", 20)
    own = firm_view(history, few, history.incidence("ipc", "subclass"), predictions(history))
    found = topic_opportunities(history, few, own, TASK, TopicConfig(firm_side="firm"), seed=1)
    firm_side = found.topics.table[found.topics.table["side"] == "firm"]
    assert firm_side.loc[firm_side["code"] == "G06T", "patents"].sum() == 20
    others = sorted(set(firm_side["code"]) - {"G06T"})
    assert len(others) == 1 and firm_side.loc[firm_side["code"] == others[0], "patents"].sum() == 40
    assert [note for note in found.notes if f"the firm's side, so all of them stand for {others[0]}" in note]


def test_the_list_of_nobody_has_no_fit_and_no_partners(history: Corpus) -> None:
    found = topic_opportunities(history, None, blind_view(predictions(history)), TASK, TopicConfig(), seed=1)
    assert found.opportunities["firm_fit"].isna().all()
    assert (found.opportunities["partners"] == "").all()
    assert (found.opportunities["type"] == "").all()


def test_what_is_filed_later_counts_for_the_two_topics_it_is_nearest_to(history: Corpus) -> None:
    later = encoded(corpus_from(rows(joint_after=True)))
    past = later.as_of(history.cutoff)
    found = topic_opportunities(past, None, blind_view(predictions(past)), TASK, TopicConfig(), seed=1)
    count = realised(later, found.opportunities, found.topics, past.cutoff, TASK)
    met = found.opportunities[count > 0]
    assert count.sum() == 3 and len(met) == 1
    assert {met["code_a"].iloc[0], met["code_b"].iloc[0]} == {"B25J", "H01M"}
    labels = met["firm_label"].iloc[0] + met["target_label"].iloc[0]
    assert "cooling" in labels or "heat" in labels or "fluid" in labels or "plate" in labels


def test_topics_see_nothing_after_the_cutoff(history: Corpus) -> None:
    later = encoded(corpus_from(rows(joint_after=True))).as_of(history.cutoff)
    view_of = [blind_view(predictions(corpus)) for corpus in (history, later)]
    one, other = (
        topic_opportunities(corpus, None, listed, TASK, TopicConfig(), seed=1)
        for corpus, listed in zip((history, later), view_of, strict=True)
    )
    pd.testing.assert_frame_equal(one.opportunities, other.opportunities)
    pd.testing.assert_frame_equal(one.topics.table, other.topics.table)
