"""The digest of a watch: what changed, how past forecasts fare, whether the data drift; a page and a short text."""

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.corpus.timeline import Corpus
from pipeline.report import words
from pipeline.report.firm.markdown import write_markdown
from pipeline.report.page import environment, write_page
from pipeline.report.tables import records
from pipeline.schemas import CHANGES, PAIR
from pipeline.watch.forecasts import HEAD, Forecast
from pipeline.watch.track_record import FIRST

PAGE, TEXT = "digest.html", "digest.md"
SHOWN = 25  # changes of a kind on the page
SHORT = 5  # and in the text
LISTED = 10  # first pairs of the list
FORECASTS = 12  # past forecasts in the track record
TRACKED = 20  # pairs at the head of a list whose hits are shown
assert TRACKED in FIRST

KINDS = {  # heading, and what it means
    "realised": ("Realised", "pairs of a past forecast that have now {met}"),
    "new": ("New", f"among the first {HEAD} now, and no candidate before"),
    "risen": ("Risen", f"among the first {HEAD} now, to half of the place before or better and by ten places or more"),
    "fallen": ("Fallen", f"among the first {HEAD} before, to twice that place or worse and by ten places or more"),
    "expired": ("Expired", f"among the first {HEAD}, and over without having {{met}}"),
}
REASONS = {
    "": "",
    "candidate_now": "a candidate only now",
    "into_head": f"came into the first {HEAD}",
    "within_head": "",
    "out_of_head": f"no longer among the first {HEAD}",
    "horizon_over": "the horizon of the first forecast that had it at the head has ended",
    "met_before": "no candidate any more: patents added since show that its codes had met before",
    "met_too_little": "no candidate any more: its codes met, on fewer patents than count",
    "no_candidate": "no candidate any more: the corpus no longer has enough patents on one of its codes",
    "topics_apart": "its codes have {met}, in other topics",
    "not_refined": "its pair of codes is no longer among those refined to topics",
    "topic_gone": "one of its topics was not found again",
}
MEASURES = {
    "patents_a_month": "Patents a month",
    "codes_a_patent": "Codes on a patent that has any",
    "new_code_share": "Codes never seen before, of those on a patent",
    "without_code": "Patents without a code",
    "without_title": "Patents without a title",
    "without_abstract": "Patents without an abstract",
}
_SHARES = ("new_code_share", "without_code", "without_title", "without_abstract")


@dataclasses.dataclass(frozen=True)
class Digest:
    """What a digest is made of.

    ``record``: the new run's. ``since``: the cutoff of the last run; None at the first. ``tables``: changes,
    track_record and drift, by name. ``notes``: what the watch has to say of itself.
    """

    run: Path
    record: dict[str, Any]
    since: pd.Timestamp | None
    cutoff: pd.Timestamp
    after: Forecast
    corpus: Corpus
    tables: dict[str, pd.DataFrame]
    notes: list[str]


def write_digest(digest: Digest, folder: Path) -> str:
    """Write ``digest.html`` and ``digest.md``; return the whole in a line. The same content gives the same bytes."""
    content = digest_content(digest)
    write_page(folder / PAGE, environment(), "watch.html", ["report.css", "watch.css"], [], content)
    write_markdown(folder / TEXT, content, "watch.md")
    return str(content["said"])


def digest_content(digest: Digest) -> dict[str, Any]:
    """What the templates show."""
    changes, task = digest.tables["changes"], digest.record["config"]["task"]
    verb = words.VERBS[task["track"]]
    pairs, topics = (changes[changes["scope"] == scope] for scope in ("pair", "topic"))
    drifted = _drift(digest.tables["drift"])
    counts = {kind: int((pairs["kind"] == kind).sum()) for kind in CHANGES}
    in_head = int((pairs[pairs["kind"] == "realised"]["forecast_place"] <= HEAD).sum())
    flagged = sum(row["flagged"] for row in drifted)
    who = (digest.record.get("firm") or {}).get("name")
    told = [f"{counts['realised']} realised ({in_head} of them foreseen among the first {HEAD})"]
    told += [f"{counts[kind]} {kind}" for kind in CHANGES[1:]]
    told += [f"{flagged} {'measure' if flagged == 1 else 'measures'} of the data off"] if flagged else []
    until = f"{digest.cutoff:%Y-%m-%d}"
    head = f"{who}, {until}" if who else until
    return {
        "said": f"{head}: {', '.join(told)}" if digest.since is not None else f"{head}: the first run of the watch",
        "who": who,
        "simulated": bool(digest.record["corpus"]["simulated"]),
        "corpus": digest.record["corpus"]["path"],
        "run": digest.run.name,
        "version": digest.record["techconverge"],
        "since": digest.since,
        "cutoff": digest.cutoff,
        "until": digest.after.until,
        "horizon": task["horizon"],
        "units": f"{task['scheme'].upper()} {words.LEVELS[task['level']]}",
        "verb": verb,
        "head": HEAD,
        "short": SHORT,
        "counts": counts,
        "in_head": in_head,
        "kinds": [_kind(kind, pairs, digest.corpus, verb) for kind in CHANGES],
        "of_topics": [_kind(kind, topics, digest.corpus, verb) for kind in CHANGES] if len(topics) else [],
        "listed": _listed(digest, pairs),
        "record": _record(digest.tables["track_record"]),
        "tracked": TRACKED,
        "drift": drifted,
        "flagged": flagged,
        "notes": digest.notes,
        "warnings": list(digest.record["warnings"]),
    }


def _kind(kind: str, changes: pd.DataFrame, corpus: Corpus, verb: dict[str, str]) -> dict[str, Any]:
    rows = changes[changes["kind"] == kind]
    heading, meaning = KINDS[kind]
    return {
        "name": kind,
        "heading": heading,
        "meaning": meaning.format(met=verb["met"]),
        "number": len(rows),
        "rows": [
            row | {"why": REASONS[row["reason"]].format(met=verb["met"]), "by": _patents(row["patents"], corpus)}
            for row in records(rows.head(SHOWN))
        ],
        "left": max(len(rows) - SHOWN, 0),
    }


def _patents(ids: str, corpus: Corpus) -> list[dict[str, Any]]:
    """The patents that made a pair converge, with what a reader needs to recognise them."""
    named = [name for name in ids.split(";") if name]
    rows = corpus.row_of(pd.Series(named, dtype="str"))
    parties = corpus.parties[(corpus.parties["role"] == "assignee") & corpus.parties["patent_id"].isin(named)]
    party = parties.drop_duplicates("patent_id").set_index("patent_id")["name"]
    patents = corpus.patents
    return [
        {
            "patent_id": name,
            "title": patents["title"].iloc[row],
            "party": party.get(name, ""),
            "known": patents["knowledge_date"].iloc[row],
        }
        for name, row in zip(named, rows, strict=True)
    ]


def _listed(digest: Digest, pairs: pd.DataFrame) -> list[dict[str, Any]]:
    """The first of the list as it is now, with the change each has undergone."""
    table = digest.after.pairs.assign(place=digest.after.listed).sort_values("place").head(LISTED)
    moved = pairs[pairs["place_after"].notna() & pairs["kind"].isin(("new", "risen", "fallen"))]
    table = table.merge(moved[[*PAIR, "kind", "place_before"]], on=PAIR, how="left")
    title = pd.read_parquet(digest.run / "codes.parquet", columns=["code", "title"]).set_index("code")["title"]
    titled = table.assign(**{f"title_{side}": table[f"code_{side}"].map(title).fillna("") for side in "ab"})
    return records(titled)


def _record(table: pd.DataFrame) -> dict[str, Any]:
    """The track record by forecast, and calibration over those whose horizon is complete."""
    firm = (table["listed"] == "firm").any()
    first = table[(table["group"] == "first") & (table["k"] == TRACKED)]
    shown = first[first["listed"] == ("firm" if firm else "all")]
    whole = table[table["group"] == "all"]
    both = shown.merge(whole, on="cutoff", suffixes=("", "_all"), validate="one_to_one").tail(FORECASTS)
    bins = table[table["group"] == "probability"].groupby(["low", "high"])[["pairs", "expected", "converged"]].sum()
    return {
        "firm": bool(firm),
        "forecasts": records(both),
        "left": max(len(shown) - FORECASTS, 0),
        "complete": int(whole["complete"].sum()),
        "bins": records(bins.reset_index()),
    }


def _drift(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The measures in words, those that are off first."""
    rows: list[dict[str, Any]] = []
    for row in records(table.sort_values("flagged", ascending=False, kind="stable")):
        shown = words.percent if row["measure"] in _SHARES else words.one_decimal
        values = {key: shown(row[key]) for key in ("recent", "usual", "low", "high")}
        rows.append(row | values | {"name": MEASURES[row["measure"]], "comparable": row["low"] is not None})
    return rows
