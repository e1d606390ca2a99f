"""Topics are recognised by their patents, and what changed among their opportunities, by hand."""

import numpy as np
import pandas as pd
from factories import corpus_from

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.schemas import PAIR, TopicOpportunities, Topics, validate
from pipeline.watch.topic_changes import FirmTopics, recognised, topic_changes

BEFORE, AFTER = pd.Timestamp("2011-06-30").as_unit("s"), pd.Timestamp("2011-07-31").as_unit("s")
B, C, D = "A01B", "A01C", "A01D"
# topic: patents of before, and those added; the numbers of the topics change places in the new run
MEMBERS = {
    "firm:A01B:1": (["B1", "B2", "B3"], []),
    "firm:A01B:2": (["B4", "B5", "B6"], ["B7"]),
    "target:A01C:1": (["C1", "C2"], []),
    "target:A01D:1": (["D1", "D2", "D3"], []),
}
RENAMED = {"firm:A01B:1": "firm:A01B:2", "firm:A01B:2": "firm:A01B:1"}


def corpus() -> Corpus:
    """The patents of the topics, those of July, and one that joins B and C, with texts in two directions."""
    rows = [
        {"patent_id": f"US{name}", "date": "2011-07-10" if name == "B7" else "2010-01-05", "ipc": f"A01{name[0]}"}
        for name in ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "C1", "C2", "D1", "D2", "D3")
    ]
    made = corpus_from([*rows, {"patent_id": "USJ1", "date": "2011-07-12", "ipc": (B, C)}]).as_of(AFTER)
    towards = {"B1": 0, "B2": 0, "B3": 0, "J1": 0}  # the joint patent's text is that of the first topic of B
    ids = made.patents["patent_id"].str[2:]
    return made.with_embeddings(np.eye(2)[[towards.get(name, 1) for name in ids]])


def topics(members: dict[str, list[str]], pairs: list[tuple[str, str, int]]) -> FirmTopics:
    """Topics with these patents and opportunities (firm's topic, target topic, rank)."""
    plain = {name: 0.5 for name in Topics.to_schema().columns}
    table = pd.DataFrame(
        [
            plain
            | {
                "topic_id": topic,
                "side": topic.split(":")[0],
                "code": topic.split(":")[1],
                "label": topic,
                "terms": "",
                "representatives": "",
                "patents": len(patents),
                "firm_patents": 0,
                "family_size": 1.0,
                "codes_per_patent": 1.0,
            }
            for topic, patents in members.items()
        ]
    )
    rows = [
        {name: 0.5 for name in TopicOpportunities.to_schema().columns}
        | {
            "topic_rank": rank,
            "opportunity_id": f"{firm} {target}",
            "code_a": firm.split(":")[1],
            "code_b": target.split(":")[1],
            "firm_code": firm.split(":")[1],
            "target_code": target.split(":")[1],
            "type": "II",
            "firm_rank": 1,
            "firm_topic": firm,
            "target_topic": target,
            "firm_label": f"label of {firm}",
            "target_label": f"label of {target}",
            "partners": "",
        }
        for firm, target, rank in pairs
    ]
    belong = [(topic, f"US{name}") for topic, patents in members.items() for name in patents]
    return FirmTopics(
        validate(pd.DataFrame(rows), TopicOpportunities, "case"),
        validate(table, Topics, "case"),
        pd.DataFrame(belong, columns=["topic_id", "patent_id"]),
    )


def before() -> FirmTopics:
    listed = [("firm:A01B:1", "target:A01C:1", 1), ("firm:A01B:2", "target:A01C:1", 2)]
    listed += [("firm:A01B:1", "target:A01D:1", 40), ("firm:A01B:2", "target:A01D:1", 3)]
    return topics({topic: patents for topic, (patents, _) in MEMBERS.items()}, listed)


def after() -> FirmTopics:
    """B and C have met; the topics of B bear each other's numbers; that of D is of other patents now."""
    members = {RENAMED.get(topic, topic): [*was, *more] for topic, (was, more) in MEMBERS.items()}
    members["target:A01D:2"] = ["D3"]
    members["target:A01D:1"] = ["D1", "D2"]
    listed = [("firm:A01B:2", "target:A01D:1", 4), ("firm:A01B:2", "target:A01D:2", 5)]
    return topics(members, listed)


def test_topics_are_recognised_by_the_patents_they_share() -> None:
    known = set(corpus().as_of(BEFORE).patents["patent_id"])
    assert recognised(before(), after(), known) == {
        "firm:A01B:2": "firm:A01B:1",
        "firm:A01B:1": "firm:A01B:2",  # its patent of July does not count against it
        "target:A01C:1": "target:A01C:1",
        "target:A01D:1": "target:A01D:1",  # two of three
    }


def test_the_changes_are_those_of_a_table_by_hand() -> None:
    realised = pd.DataFrame(
        {"code_a": [B], "code_b": [C], "forecast_cutoff": BEFORE, "converged_on": pd.Timestamp("2011-07-12")}
    ).assign(patents="USJ1")
    table = topic_changes(before(), after(), realised, corpus(), BEFORE, TaskConfig(horizon=1))
    shown = table[["kind", "reason", *PAIR, "firm_topic", "place_before", "place_after"]].astype(object)
    assert shown.where(shown.notna(), None).to_numpy().tolist() == [
        ["realised", "", B, C, "label of firm:A01B:1", 1, None],
        ["new", "candidate_now", B, D, "label of firm:A01B:2", None, 5],
        ["risen", "within_head", B, D, "label of firm:A01B:2", 40, 4],
        ["expired", "topics_apart", B, C, "label of firm:A01B:2", 2, None],
        ["expired", "topic_gone", B, D, "label of firm:A01B:2", 3, None],
    ]
    assert table["patents"].tolist() == ["USJ1", "", "", "", ""]
    assert (table["scope"] == "topic").all()


def test_a_pair_that_is_no_longer_refined_is_told_so() -> None:
    """No pair converged, and the new run refines one pair only."""
    none = pd.DataFrame({"code_a": [], "code_b": [], "forecast_cutoff": [], "converged_on": [], "patents": []})
    table = topic_changes(
        before(), after(), none.astype({"code_a": "str", "code_b": "str"}), corpus(), BEFORE, TaskConfig()
    )
    expired = table[table["kind"] == "expired"]
    assert sorted(expired["reason"]) == ["not_refined", "not_refined", "topic_gone"]
    assert set(expired.loc[expired["reason"] == "not_refined", "code_b"]) == {C}
