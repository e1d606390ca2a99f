"""What the firm's report says, gathered once for the page, the workbook and the Markdown."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from pipeline.report import words
from pipeline.report.firm.definitions import DEFINITIONS, DIMENSIONS, INDICATORS
from pipeline.report.firm.links import patent_url
from pipeline.report.firm.reading import Case, Reading, Row, read
from pipeline.report.firm.tables import OVERALL, FirmRun, known_pairs
from pipeline.report.render import evidence_tested
from pipeline.report.tables import CARDS, TABLE_ROWS, records
from pipeline.schemas import PAIR

BRIEFS = 3
PATENTS = 4  # a side that a card lists
HOLDERS = 6  # of a code that are named
HELD_CODES = 12  # whose holders are shown
PAIRS = 60  # in the appendix
PASSAGES = 6  # of evidence a card quotes
EXCERPT = 420  # letters of a passage
REASON = 260  # letters of a reason


@dataclasses.dataclass(frozen=True)
class Opportunity:
    """One opportunity as a card shows it. ``patents``: by side; ``scores`` and ``passages``: the judge's, if it judged;
    ``overall``: its mean; ``order``: what cards can be ordered by."""

    row: Row
    firm_topic: Row
    target_topic: Row
    reading: Reading
    patents: dict[str, list[Row]]
    partners: list[Row]
    scores: list[Row]
    passages: list[Row]
    overall: float | None
    order: dict[str, float | None]

    @property
    def anchor(self) -> str:
        return f"o{self.row['topic_rank']}"


def firm_content(run: FirmRun) -> dict[str, Any]:
    """Everything that the three formats show, by name."""
    task = run.run.record["config"]["task"]
    track = task.get("track", "new")
    cutoff = run.run.cutoff
    corpus = run.run.record.get("corpus", {})
    rows = _with_bounds(run)
    # the best of different pairs of codes: three faces of one pair would tell a manager one thing
    best = rows.drop_duplicates(PAIR).head(BRIEFS)
    carded = rows[(rows.index < CARDS) | rows.index.isin(best.index)]
    cards = _opportunities(run, carded, track)
    judge = _judge(run)
    shown = rows.head(TABLE_ROWS)
    overall = _overall(run)
    return {
        "record": run.run.record,
        "who": str(run.firm.get("name", "the firm")),
        "firm": run.firm,
        "firm_names": run.firm.get("names") or [run.firm.get("party_id") or run.firm.get("name", "")],
        "corpus": corpus,
        "simulated": bool(corpus.get("simulated")),
        "domain": _name(run.record.get("domain")),
        "strengthening": track == "strengthening",
        "verb": words.VERBS[track],
        "cutoff": cutoff,
        "until": cutoff + pd.DateOffset(years=int(task["horizon"])),
        "since": cutoff - pd.DateOffset(years=int(task["window"])),
        "units": f"{task['scheme'].upper()} {words.LEVELS[task['level']]}",
        "types": words.TYPES if track == "new" else words.TYPES_OF_LINKED,
        "total": len(rows),
        "pairs_refined": len(rows[PAIR].drop_duplicates()),
        "rows": [{**row, "overall": overall.get(row["opportunity_id"])} for row in records(shown)],
        "first": cards[0].row,
        "cards": cards,
        "best": [cards[place] for place in np.flatnonzero(carded.index.isin(best.index))],
        "target_codes": sorted(shown["target_code"].unique()),
        "gauge_scale": max(float(shown[["probability", "probability_high"]].max().max()), 1e-9),
        "any_interval": bool(shown["probability_low"].notna().any()),
        "judged": bool(len(run.judged)),
        "judge": judge,
        "naming": _naming(run),
        "notes": _notes(run),
        "titles": _titles(run),
        "topics": _topics(run, _shown_topics(run, shown)),
        "pairs": records(run.pairs.head(PAIRS)),
        "all_pairs": len(run.pairs),
        "held_codes": _held(run, rows["target_code"].drop_duplicates().tolist()),
        "definitions": DEFINITIONS,
        "dimensions": list(DIMENSIONS),
        "indicators": list(INDICATORS),
        **evidence_tested(run.run.metrics),
    }


def firm_codes(run: FirmRun) -> pd.DataFrame:
    """The run's table of codes with the patents of this firm, which need not be the one that the run was made for."""
    sides = [run.pairs[[f"code_{side}", f"share_{side}"]].set_axis(["code", "share"], axis=1) for side in "ab"]
    share = pd.concat(sides).drop_duplicates("code").set_index("code")["share"]
    codes = run.run.codes
    own = codes["patents"] * codes["code"].map(share)
    return codes.assign(firm_patents=own.round().fillna(0))


def _with_bounds(run: FirmRun) -> pd.DataFrame:
    """The opportunities with the interval of their pair's probability."""
    return run.opportunities.merge(run.run.bounds, on=PAIR, how="left", validate="many_to_one")


def _opportunities(run: FirmRun, rows: pd.DataFrame, track: str) -> list[Opportunity]:
    topics = {topic["topic_id"]: topic for topic in _topics(run, run.topics)}
    pairs = {(pair["code_a"], pair["code_b"]): pair for pair in records(known_pairs(run))}
    held = _by(run.competitors, "code")
    patents = _by(run.patents.sort_values(["topic_id", "place"]), "topic_id")
    titles = run.judge.get("criteria") or {}
    stated = run.judged[run.judged["criterion"] != OVERALL]
    judged = _by(
        stated.assign(title=[titles.get(name) or words.humanise(name) for name in stated["criterion"]]),
        "opportunity_id",
    )
    evidence = {passage["evidence_id"]: passage for passage in records(run.evidence)}
    until = run.run.cutoff + pd.DateOffset(years=int(run.run.record["config"]["task"]["horizon"]))
    linked = not run.run.record.get("corpus", {}).get("simulated")  # an invented number may be a real one's
    overall, reasons = _overall(run), _reasons(run)
    cards = []
    for row in records(rows):
        sides = {side: topics[row[f"{side}_topic"]] for side in ("firm", "target")}
        scores = judged.get(row["opportunity_id"], [])
        case = Case(
            row=row,
            firm_topic=sides["firm"],
            target_topic=sides["target"],
            pair=pairs[row["code_a"], row["code_b"]],
            holders=held.get(row["target_code"], []),
            scores=scores,
            verb=words.VERBS[track]["meet"],
            until=until,
            span=float(run.record.get("growth_years", 5)),
            top=_top(run),
        )
        passages, marks = _cited(scores, evidence, linked)
        cards.append(
            Opportunity(
                row=row,
                firm_topic=sides["firm"],
                target_topic=sides["target"],
                reading=read(case),
                patents={side: _patents(topic, patents, linked) for side, topic in sides.items()},
                partners=_partners(case),
                scores=[
                    _placed(score, marks, reasons.get((row["opportunity_id"], score["criterion"]), ""), _top(run))
                    for score in scores
                ],
                passages=passages,
                overall=overall.get(row["opportunity_id"]),
                order={
                    "rank": row["topic_rank"],
                    "probability": row["probability"],
                    "fit": row["firm_fit"],
                    "space": row["white_space"],
                    "growth": sides["target"]["growth_patents"],
                    "judged": overall.get(row["opportunity_id"]),
                },
            )
        )
    return cards


def _topics(run: FirmRun, table: pd.DataFrame) -> list[Row]:
    """Topics with who named them, their label by words, and a description; all empty where no model named them."""
    named = run.names.loc[run.names["named_by"] != "", ["topic_id", "words", "description", "named_by"]]
    names = {row["topic_id"]: row for row in records(named)}
    nobody = {"words": "", "description": "", "named_by": ""}
    return [{**nobody, **names.get(topic["topic_id"], {}), **topic} for topic in records(table)]


def _patents(topic: Row, known: dict[Any, list[Row]], linked: bool) -> list[Row]:
    """A topic's representatives, those of one title after the first last; by number alone where the run did not store
    their titles."""
    rows = known.get(topic["topic_id"]) or [
        {"patent_id": patent, "title": "", "party": "", "own": False, "knowledge_date": None}
        for patent in topic["representatives"].split(";")
        if patent
    ]
    first = {row["title"].casefold(): row["patent_id"] for row in reversed(rows) if row["title"]}
    rows = sorted(rows, key=lambda row: first.get(row["title"].casefold(), row["patent_id"]) != row["patent_id"])
    return [{**row, "url": patent_url(row["patent_id"]) if linked else None} for row in rows[:PATENTS]]


def _partners(case: Case) -> list[Row]:
    holders = {holder["name"]: holder for holder in case.holders}
    unknown = {"patents": None, "recent_patents": None}
    return [{"name": name, **{key: holders.get(name, unknown)[key] for key in unknown}} for name in case.partners]


def _cited(scores: list[Row], evidence: dict[str, Row], linked: bool) -> tuple[list[Row], dict[str, int]]:
    """The passages that the scores cite, the most cited first, and their numbers."""
    counted: dict[str, int] = {}
    for score in scores:
        for evidence_id in _ids(score):
            counted[evidence_id] = counted.get(evidence_id, 0) + 1
    chosen = sorted(counted, key=lambda evidence_id: (-counted[evidence_id], evidence_id))[:PASSAGES]
    unknown = {"source": "", "text": "", "page": None, "date": None}
    passages = []
    for evidence_id in chosen:
        passage = {**unknown, "source": evidence_id, **evidence.get(evidence_id, {})}
        url = patent_url(passage["source"]) if linked and passage.get("kind") == "patent" else None
        passages.append(
            passage | {"patent_id": passage["source"], "url": url, "text": words.shortened(passage["text"], EXCERPT)}
        )
    return passages, {evidence_id: number for number, evidence_id in enumerate(chosen, 1)}


def _placed(score: Row, marks: dict[str, int], reason: str, top: int) -> Row:
    """A score with its place on the scale in per cent, the numbers of what it cites, and a reason."""
    bottom = 0 if top == 5 else 1

    def place(value: float) -> float:
        return round(100 * min(max((value - bottom) / (top - bottom), 0), 1), 1)

    mean, spread = score["mean"], score["spread"]
    whisker = mean is not None and spread is not None
    low, high = (place(mean - spread), place(mean + spread)) if whisker else (None, None)
    name, _, note = score["title"].partition(" (")
    return {
        **score,
        "name": name,
        "note": note,
        "at": None if mean is None else place(mean),
        "low": low,
        "width": round(high - low, 1) if low is not None and high is not None else None,
        "cited": sorted(marks[evidence_id] for evidence_id in _ids(score) if evidence_id in marks),
        "reason": reason,
    }


def _ids(score: Row) -> list[str]:
    return [evidence_id.strip() for evidence_id in (score["evidence_ids"] or "").split(";") if evidence_id.strip()]


def _reasons(run: FirmRun) -> dict[tuple[str, str], str]:
    """For each opportunity and criterion the reason of the answer nearest to the mean, the first of several."""
    answered = run.verdicts[run.verdicts["outcome"] == "ok"].merge(
        run.judged[["opportunity_id", "criterion", "mean"]], on=["opportunity_id", "criterion"]
    )
    distance = (answered["score"].astype(float) - answered["mean"].astype(float)).abs()
    nearest = answered.assign(distance=distance).sort_values("distance", kind="stable")
    nearest = nearest.drop_duplicates(["opportunity_id", "criterion"])
    return {
        (row["opportunity_id"], row["criterion"]): words.shortened(row["reason"], REASON) for row in records(nearest)
    }


def _overall(run: FirmRun) -> dict[str, float]:
    """The judge's mean over its criteria of each opportunity."""
    stated = run.judged[run.judged["criterion"] == OVERALL]
    means = (
        stated.set_index("opportunity_id")["mean"]
        if len(stated)
        else run.judged.groupby("opportunity_id")["mean"].mean()
    )
    return {str(key): float(value) for key, value in means.dropna().items()}


def _top(run: FirmRun) -> int:
    """The highest score of the rubric: 5, or 10 for the published one."""
    stated = (run.judge.get("scale") or [0, 5])[-1]
    return 10 if stated > 5 or float(run.judged["mean"].max()) > 5 else 5


def _judge(run: FirmRun) -> dict[str, Any]:
    """The judge's record as the report words it; what it does not say is None."""
    record = run.judge
    return {
        "name": record.get("judge") or ", ".join(sorted(run.judged["judge"].unique())),
        "criteria": int((run.judged["criterion"].drop_duplicates() != OVERALL).sum()),
        "rubric": record.get("rubric"),
        "calls": record.get("calls"),
        "tokens": record.get("tokens"),
        "alpha": record.get("alpha"),
        "top": _top(run) if len(run.judged) else 5,
    }


def _naming(run: FirmRun) -> Row | None:
    """Who named how many of how many topics; None where no model was asked."""
    if run.names.empty:
        return None
    named = run.names.loc[run.names["named_by"] != "", "named_by"]
    by = named.iloc[0] if len(named) else str((run.judge.get("naming") or {}).get("named_by", "the model"))
    spent = (run.judge.get("naming") or {}).get("spent") or {}
    tokens = sum(spent.get(key, 0) for key in ("tokens_in", "tokens_out"))
    calls = spent.get("calls_in_all")
    return {"named": len(named), "topics": len(run.names), "named_by": by, "calls": calls, "tokens": tokens}


def _notes(run: FirmRun) -> list[str]:
    told = [*run.record.get("notes", []), *run.judge.get("notes", []), *run.run.record.get("warnings", [])]
    lacking = [
        f"report: the run folder has no {name}, so {what}"
        for table, name, what in (
            (run.patents, "topic_patents.parquet", "patents are listed by number alone"),
            (run.competitors, "competitors.parquet", "competitors are not shown"),
        )
        if table.empty
    ]
    return list(dict.fromkeys(str(note) for note in [*told, *lacking]))


def _titles(run: FirmRun) -> dict[str, str]:
    codes = run.run.codes
    return dict(zip(codes["code"], codes["title"].where(codes["title"] != "", codes["keywords"]), strict=True))


def _shown_topics(run: FirmRun, shown: pd.DataFrame) -> pd.DataFrame:
    used = pd.concat([shown["firm_topic"], shown["target_topic"]])
    return run.topics[run.topics["topic_id"].isin(used)].sort_values(["side", "code", "topic_id"])


def _held(run: FirmRun, codes: list[str]) -> list[dict[str, Any]]:
    """The holders of each target code: the first, the firm wherever it stands, and how many more there are."""
    shown = []
    held = _by(run.competitors, "code")
    for code in [code for code in codes if code in held][:HELD_CODES]:
        rows = [{**row, "place": place} for place, row in enumerate(held[code], 1)]
        first = rows[:HOLDERS] + [row for row in rows[HOLDERS:] if row["own"]]
        rest = [row for row in rows[HOLDERS:] if not row["own"]]
        shown.append(
            {
                "code": code,
                "first": first,
                "holders": sum(row["patents"] > 0 for row in rows),
                "most": max(max(row["share"] for row in rows), 1e-9),
                "others": len(rest),
                "other_patents": sum(row["patents"] for row in rest),
                "other_recent": sum(row["recent_patents"] for row in rest),
            }
        )
    return shown


def _name(about: Any) -> str:
    return str(about.get("name", "")) if isinstance(about, dict) else str(about or "")


def _by(table: pd.DataFrame, column: str) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in records(table):
        found.setdefault(row[column], []).append(row)
    return found
