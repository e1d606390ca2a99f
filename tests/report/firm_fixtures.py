"""Run folders whose pairs were refined to topics, small and of the shape that the stages write."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from report.fixtures import write_run

from pipeline.artifacts import read_table, write_json, write_table
from pipeline.report.firm.tables import firm_folder
from pipeline.schemas import TopicNames, validate

FIRM = "NORTHWIND THERMAL"
CRITERIA = ("technical_compatibility", "feasibility", "competitive_risk")
JUDGE = "local:scripted"
_THINGS = ("heat pumps", "tank shells", "valve blocks", "fan blades", "sensor heads", "door seals")


def write_firm_run(
    folder: Path, judged: bool = False, simulated: bool = False, title: str | None = None, pairs: int = 6
) -> Path:
    """Write a run folder with topics, and return the firm's folder in it; ``title`` replaces every text that comes
    from patents, firms or a model."""
    write_run(folder, firm=FIRM, simulated=simulated, title=title)
    view = read_table(folder / "opportunities.parquet")
    folder = firm_folder(folder, FIRM)
    write_table(folder / "opportunities.parquet", view)
    view = view.head(pairs)
    rng = np.random.default_rng(5)
    sides = view.assign(
        firm_code=view["code_a"].where(view["holds_a"] | ~view["holds_b"], view["code_b"]),
        target_code=view["code_b"].where(view["holds_a"] | ~view["holds_b"], view["code_a"]),
    )
    topics = topic_table(rng, sides, title)
    opportunities = opportunity_table(rng, sides, topics, title)
    write_table(folder / "topics.parquet", topics)
    write_table(folder / "topic_opportunities.parquet", opportunities)
    write_table(folder / "topic_patents.parquet", patent_table(topics, title))
    write_table(folder / "competitors.parquet", competitor_table(sides["target_code"], title))
    name = title or FIRM
    write_table(folder / "firm_names.parquet", match_table(name))
    notes = [
        "topics: fewer than 8 of their patents are among those chosen for the firm's side, "
        "so all of them stand for F25B"
    ]
    record: dict[str, Any] = {"firm": {"name": name, "party_id": name, "patents": 214}, "notes": notes}
    write_json(folder / "topics.json", record)
    if judged:
        write_judgement(folder, opportunities, topics, title)
    return folder


def topic_table(rng: np.random.Generator, sides: pd.DataFrame, title: str | None) -> pd.DataFrame:
    rows = []
    for side in ("firm", "target"):
        for code in sides[f"{side}_code"].drop_duplicates():
            for number in (1, 2):
                thing = _THINGS[len(rows) % len(_THINGS)]
                rows.append(
                    {
                        "topic_id": f"{side}:{code}:{number}",
                        "side": side,
                        "code": code,
                        "label": title or f"{thing}, {code.lower()} {number}",
                        "terms": (title or f"{thing};cooling;storage").replace("\n", " "),
                        "patents": int(rng.integers(6, 90)),
                        "firm_patents": int(rng.integers(1, 6)) if side == "firm" else 0,
                        "representatives": ";".join(f"US{7_000_000 + 10 * len(rows) + n}B2" for n in range(3)),
                        "uniqueness": float(rng.random()),
                        "maturity": float(rng.normal(0, 3)),
                        "growth_patents": float(rng.normal(0.3, 0.6)),
                        "growth_inventors": float(rng.normal(0.2, 0.5)),
                        "citations_per_year": np.nan if number == 2 else float(rng.random()),
                        "family_size": float(1 + rng.random()),
                        "codes_per_patent": float(2 + rng.random()),
                        "functional_diversity": float(9 * rng.random()),
                        **{name: float(2.5 * rng.random()) for name in ("novelty", "growth", "versatility")},
                        "influence": np.nan if number == 2 else 1.5,
                        "development": float(10 * rng.random()),
                    }
                )
    order = ["novelty", "growth", "influence", "versatility", "development"]
    table = pd.DataFrame(rows)
    return table[[column for column in table if column not in order] + order]


def opportunity_table(
    rng: np.random.Generator, sides: pd.DataFrame, topics: pd.DataFrame, title: str | None
) -> pd.DataFrame:
    label = topics.set_index("topic_id")["label"]
    development = topics.set_index("topic_id")["development"]
    rows = [
        {
            "opportunity_id": f"firm:{row['firm_code']}:{one} x target:{row['target_code']}:{two}",
            **{name: row[name] for name in ("code_a", "code_b", "firm_code", "target_code", "type", "probability")},
            "firm_rank": row["firm_rank"],
            "firm_topic": f"firm:{row['firm_code']}:{one}",
            "target_topic": f"target:{row['target_code']}:{two}",
            "firm_label": label[f"firm:{row['firm_code']}:{one}"],
            "target_label": label[f"target:{row['target_code']}:{two}"],
            "fusion": float(0.5 + 0.5 * rng.random()),
            "development": development[f"target:{row['target_code']}:{two}"],
            "score": float(rng.random()),
            "firm_fit": float(rng.random()),
            "white_space": np.nan if two == 2 else float(rng.random()),
            "partners": title or "ACME COOLING;Delta Valves, Inc.",
        }
        for row in sides.to_dict("records")
        for one in (1, 2)
        for two in (1, 2)
    ]
    table = pd.DataFrame(rows).sort_values("score", ascending=False, ignore_index=True)
    table.insert(0, "topic_rank", np.arange(1, len(table) + 1))
    return table


def patent_table(topics: pd.DataFrame, title: str | None) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "topic_id": row["topic_id"],
                "place": place,
                "patent_id": patent,
                "knowledge_date": pd.Timestamp("2011-05-03").as_unit("s"),
                "title": title or f"Apparatus {patent[-3:]} for {row['label']}",
                "party": title or "ACME COOLING",
                "own": row["side"] == "firm" and place == 1,
            }
            for row in topics.to_dict("records")
            for place, patent in enumerate(row["representatives"].split(";"), 1)
        ]
    )


def competitor_table(codes: pd.Series, title: str | None) -> pd.DataFrame:
    holders = [(title or f"HOLDER {number}", False, 30 - 3 * number) for number in range(9)]
    holders += [(title or "ACME COOLING", False, 40), (title or FIRM, True, 2)]
    rows = [
        {
            "code": code,
            "party": f"{number}",
            "name": name,
            "own": own,
            "patents": patents,
            "share": patents / 220,
            "recent_patents": patents // 4,
        }
        for code in sorted(set(codes))
        for number, (name, own, patents) in enumerate(holders)
    ]
    return pd.DataFrame(rows).sort_values(["code", "patents"], ascending=[True, False], ignore_index=True)


def match_table(name: str) -> pd.DataFrame:
    """Whom the firm's name matched, and one like it."""
    rows = [(name, name, "northwind", 214, 100, True), (name, f"{name} 2", "north wind", 3, 95, False)]
    return pd.DataFrame(rows, columns=["given", "assignee", "party_id", "patents", "likeness", "taken"])


def name_table(topics: pd.DataFrame, title: str | None) -> pd.DataFrame:
    """The first topics named, but for one whose name was another's."""
    named = topics.head(5)
    ours = np.arange(len(named)) < 4
    table = pd.DataFrame(
        {
            "topic_id": named["topic_id"],
            "label": named["label"],
            "words": title or named["terms"].str.replace(";", ", "),
            "description": np.where(ours, title or "They keep a store cold.", ""),
            "named_by": np.where(ours, JUDGE, ""),
            "outcome": np.where(ours, "ok", "taken"),
            "reason": np.where(ours, "", title or "another topic of the pair is called so"),
            "tokens_in": pd.array([300] * len(named), dtype="Int64"),
            "tokens_out": pd.array([30] * len(named), dtype="Int64"),
            "rubric": "naming-1",
        }
    )
    return validate(table.astype({"description": "str", "named_by": "str", "reason": "str"}), TopicNames, "names")


def write_judgement(folder: Path, opportunities: pd.DataFrame, topics: pd.DataFrame, title: str | None) -> None:
    shown = opportunities.head(5)
    about = [
        (row["opportunity_id"], row["firm_topic"], criterion, place)
        for row in shown.to_dict("records")
        for place, criterion in enumerate(CRITERIA)
    ]
    summary = pd.DataFrame(
        {
            "opportunity_id": [key for key, *_ in about],
            "criterion": [criterion for *_, criterion, _ in about],
            "judge": JUDGE,
            "mean": [4.2, 3.0, 1.4] * len(shown),
            "spread": [0.4, 1.6, 0.5] * len(shown),
            "n": 5,
            "abstained": [False, True, False] * len(shown),
            "evidence_ids": [f"{topic}#1;{topic}#2" if place else f"{topic}#1" for _, topic, _, place in about],
        }
    )
    verdicts = pd.DataFrame(
        [
            (key, criterion, JUDGE, repeat, score, "ok", title or f"answer {repeat} on {criterion}")
            for key, _, criterion, _ in about
            for repeat, score in enumerate((5, 4, 2))
        ],
        columns=["opportunity_id", "criterion", "judge", "repeat", "score", "outcome", "reason"],
    )
    used = sorted({topic for _, topic, *_ in about})
    evidence = pd.DataFrame(
        {
            "evidence_id": [f"{topic}#{number}" for topic in used for number in (1, 2)],
            "source": ["US7000001B2", title or "strategy.pdf"] * len(used),
            "kind": ["patent", "document"] * len(used),
            "page": pd.array([None, 4] * len(used), dtype="Int32"),
            "date": pd.Timestamp("2012-01-02").as_unit("s"),
            "text": title or "A coolant loop shared by both.",
        }
    )
    write_table(folder / "topic_names.parquet", name_table(topics, title))
    write_table(folder / "judged.parquet", summary)
    write_table(folder / "verdicts.parquet", verdicts.astype({"score": "Int8"}))
    write_table(folder / "evidence.parquet", evidence)
    write_json(
        folder / "judge.json",
        {
            "judge": JUDGE,
            "rubric": "default-1",
            "scale": [0, 5],
            "criteria": {"competitive_risk": "Competitive risk (5 is the lowest risk)"},
            "calls": 75,
            "tokens": 95_200,
            "alpha": 0.58,
            "notes": [],
        },
    )
