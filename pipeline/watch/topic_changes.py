"""What changed among a firm's topic opportunities. Topics are found anew in every run, so they are first recognised: a
topic is that of before with which it shares more than half of the patents, of those known before, that either has.
"""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.artifacts import read_table
from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.errors import ArtifactError
from pipeline.evaluation.realised import realised_in
from pipeline.opportunities.topics import TopicModel
from pipeline.report.firm.tables import TOPIC_OPPORTUNITIES, find_firm_folder
from pipeline.schemas import PAIR, TopicOpportunities, Topics, validate
from pipeline.watch.forecasts import HEAD
from pipeline.watch.pair_changes import change_table, moves

ALIKE = 0.5  # share of patents that two topics must share more than, to be one: no topic is so alike to two
_TOPICS = ["firm_topic", "target_topic"]


@dataclasses.dataclass(frozen=True)
class FirmTopics:
    """A firm's topic opportunities in a run: schemas ``TopicOpportunities`` and ``Topics``, and topic_id, patent_id."""

    opportunities: pd.DataFrame
    topics: pd.DataFrame
    members: pd.DataFrame


def read_topics(run: Path, firm: str | None) -> FirmTopics | None:
    """A firm's topic opportunities; None where the run was not refined for it.

    Raises:
        ArtifactError: a table is missing or damaged.
    """
    folder = topics_folder(run, firm)
    if folder is None:
        return None
    return FirmTopics(
        validate(read_table(folder / TOPIC_OPPORTUNITIES), TopicOpportunities, str(folder)),
        validate(read_table(folder / "topics.parquet"), Topics, str(folder)),
        read_table(folder / "topic_members.parquet", ["topic_id", "patent_id"]),
    )


def topics_folder(run: Path, firm: str | None) -> Path | None:
    """Where a firm's topic opportunities stand in a run, if they do."""
    try:
        return find_firm_folder(run, firm) if firm else None
    except ArtifactError:
        return None


def topic_changes(
    before: FirmTopics, after: FirmTopics, realised: pd.DataFrame, later: Corpus, cutoff: pd.Timestamp, task: TaskConfig
) -> pd.DataFrame:
    """The changes of topic opportunities (schema ``Changes``); moves as in ``pair_changes``.

    ``realised``: the changes of pairs that are. ``later``: the grown corpus up to the new cutoff, with the text vectors
    of the run; ``cutoff``: the earlier one.

    - realised: the codes converged since, by a patent whose text is nearest to these two of their topics.
    - expired: it was within the head and is on the list no more: its codes converged in other topics
      (``topics_apart``), its pair is no longer refined (``not_refined``), a topic is not found again (``topic_gone``).
    """
    both = _both(before, after, set(later.as_of(cutoff).patents["patent_id"]))
    came = _came(before, realised, later, cutoff, task)
    met = both.merge(came, on=["code_a", "code_b", *_TOPICS], how="left")
    hit = met["patents"].notna()
    apart = met.merge(realised[PAIR].drop_duplicates(), on=PAIR, how="left", indicator="of_pair")["of_pair"] == "both"
    gone = met[(met["place_before"] <= HEAD).fillna(False) & met["place_after"].isna() & ~hit]
    refined = pd.MultiIndex.from_frame(after.opportunities[PAIR])
    kept = pd.MultiIndex.from_frame(gone[PAIR]).isin(refined)
    reason = np.select([apart[gone.index], ~kept], ["topics_apart", "not_refined"], "topic_gone")
    return change_table(
        pd.concat(
            [
                met[hit].assign(kind="realised", reason=""),
                moves(met[~hit]),
                gone.assign(kind="expired", reason=reason),
            ],
            ignore_index=True,
        )
        .drop(columns=_TOPICS)
        .rename(columns={"firm_label": "firm_topic", "target_label": "target_topic"})
        .assign(scope="topic")
    )


def recognised(before: FirmTopics, after: FirmTopics, known: set[str]) -> dict[str, str]:
    """The topics of ``after`` that are topics of ``before``, by id; ``known``: the patents known before."""
    side = {
        name: of.members[of.members["patent_id"].isin(known)].merge(
            of.topics[["topic_id", "side", "code"]], on="topic_id"
        )
        for name, of in (("before", before), ("after", after))
    }
    sizes = {name: table.groupby("topic_id").size() for name, table in side.items()}
    shared = side["before"].merge(side["after"], on=["side", "code", "patent_id"], suffixes=("_before", "_after"))
    pairs = shared.groupby(["topic_id_before", "topic_id_after"]).size().reset_index(name="shared")
    either = (
        pairs["topic_id_before"].map(sizes["before"]) + pairs["topic_id_after"].map(sizes["after"]) - pairs["shared"]
    )
    alike = pairs[pairs["shared"] > ALIKE * either]
    return dict(zip(alike["topic_id_after"], alike["topic_id_before"], strict=True))


def _both(before: FirmTopics, after: FirmTopics, known: set[str]) -> pd.DataFrame:
    """Opportunities of either run in one row: by the topics' ids of before where they are recognised."""
    same = recognised(before, after, known)
    columns = [*PAIR, *_TOPICS, "firm_label", "target_label", "topic_rank", "probability"]
    was, now = before.opportunities[columns], after.opportunities[columns]
    now = now.assign(**{name: now[name].map(lambda topic: same.get(topic, f"new {topic}")) for name in _TOPICS})
    both = was.merge(now, on=[*PAIR, *_TOPICS], how="outer", suffixes=("_before", "_after"), validate="one_to_one")
    labels = {name: both[f"{name}_after"].fillna(both[f"{name}_before"]) for name in ("firm_label", "target_label")}
    places = {f"place_{name}": both[f"topic_rank_{name}"].astype("Int64") for name in ("before", "after")}
    return both[[*PAIR, *_TOPICS, "probability_before", "probability_after"]].assign(**labels, **places)


def _came(
    before: FirmTopics, realised: pd.DataFrame, later: Corpus, cutoff: pd.Timestamp, task: TaskConfig
) -> pd.DataFrame:
    """The opportunities of before that were realised: its key, and what the change of its pair says of it."""
    told = ["forecast_cutoff", "converged_on", "patents"]
    asked = before.opportunities.merge(realised[[*PAIR, *told]], on=PAIR)
    if asked.empty:
        return asked[[*PAIR, *_TOPICS, *told]]
    rows = [
        later.row_of(before.members["patent_id"][before.members["topic_id"] == topic])
        for topic in before.topics["topic_id"]
    ]
    model = TopicModel(before.topics, rows, np.stack([_centre(later.embeddings, of) for of in rows]), ())
    count = realised_in(later, asked, model, cutoff, task)
    return asked.loc[count > 0, [*PAIR, *_TOPICS, *told]]


def _centre(vectors: np.ndarray | None, rows: np.ndarray) -> np.ndarray:
    """The mean direction of the texts of a topic's patents, those that the corpus still has."""
    if vectors is None:
        return np.zeros(1)
    mean = vectors[rows[rows >= 0]].sum(axis=0, dtype=np.float64)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12))
