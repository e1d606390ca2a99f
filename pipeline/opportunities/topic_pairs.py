"""Topic-level opportunities (method A7): the topics of a pair's two sides put together, as the firm stands to them."""

import dataclasses
from typing import Literal

import numpy as np
import pandas as pd
import scipy.sparse as sp
from pydantic import Field

from pipeline.config import Stage, TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.errors import NotEnoughDataError
from pipeline.opportunities.domain import Domain
from pipeline.opportunities.firm import Firm
from pipeline.opportunities.selection import citation_neighbourhood, firm_patents
from pipeline.opportunities.topic_parties import Parties
from pipeline.opportunities.topics import Side, TopicModel, find_topics
from pipeline.schemas import PAIR, TopicOpportunities, validate


class TopicConfig(Stage):
    """How pairs of codes become topic-level opportunities."""

    top_pairs: int = Field(20, ge=1, description="pairs at the head of the firm's list that are refined to topics")
    most_topics: int = Field(6, ge=1, description="topics a side at most")
    choice: Literal["stability", "elbow"] = Field("stability", description="how the number of topics is chosen")
    firm_side: Literal["neighbourhood", "firm", "corpus"] = Field(
        "neighbourhood",
        description="patents of the firm's side: the firm's and those within two citations, its own, or all",
    )
    ranked_by: Literal["chance", "fusion"] = Field(
        "chance", description="chance: fusion x development x the pair's firm score; fusion: the first two alone (A7)"
    )


REFERENCE = {"choice": "elbow", "ranked_by": "fusion"}  # the published method's way


@dataclasses.dataclass(frozen=True)
class TopicStage:
    """Topics, the opportunities made of them (schema ``TopicOpportunities``), and notes for the reader."""

    topics: TopicModel
    opportunities: pd.DataFrame
    notes: tuple[str, ...]


def topic_opportunities(
    history: Corpus,
    firm: Firm | None,
    view: pd.DataFrame,
    task: TaskConfig,
    config: TopicConfig,
    seed: int,
    domain: Domain | None = None,
) -> TopicStage:
    """Refine the head of a list of pairs to topics.

    ``history``: cut at the list's cutoff, with embeddings where there is text. ``view``: the firm's list (schema
    ``Opportunities``), or ``blind_view`` where there is no firm: then all patents of a code stand for either side.
    With a domain only pairs whose target code lies in it are refined, and the target side is made of its patents.

    Raises:
        NotEnoughDataError: when no pair of the list has its target code in the domain.
    """
    incidence = history.incidence(task.scheme, task.level)
    own = firm_patents(history, {firm.party_id} if firm else ())
    everything = np.ones(len(own), dtype=bool)
    in_domain = domain.patents(history, task.scheme) if domain else everything
    pairs = sided(view, _targets(incidence.codes, incidence.matrix, in_domain, domain, task.scheme))
    if pairs.empty:
        raise NotEnoughDataError("no pair of the list has a target code in the domain: widen its codes or its query")
    pairs = pairs.head(config.top_pairs)
    chosen = {"firm": _firm_side(history, own, config.firm_side if firm else "corpus"), "target": in_domain}
    sides = [
        Side(side, code, chosen[side])
        for side in ("firm", "target")
        for code in pairs[f"{side}_code"].drop_duplicates()
    ]
    topics = find_topics(history, incidence, sides, own, task.scheme, config.most_topics, config.choice, seed)
    table = _put_together(pairs, topics)
    table = table.assign(**Parties(history, firm, incidence).of_topics(table, topics))
    score = table["fusion"].fillna(0.5) * table["development"]
    table = table.assign(score=score * table["firm_score"] if config.ranked_by == "chance" else score)
    table = table.sort_values(["score", "firm_rank", "firm_topic", "target_topic"], ascending=[False, True, True, True])
    table = table.assign(
        topic_rank=np.arange(1, len(table) + 1),
        opportunity_id=table["firm_topic"] + " x " + table["target_topic"],
    )
    columns = list(TopicOpportunities.to_schema().columns)
    checked = validate(table[columns].reset_index(drop=True), TopicOpportunities, "topic opportunities")
    return TopicStage(topics, checked, (*topics.notes, *_notes(history, checked, pairs)))


def sided(view: pd.DataFrame, targets: dict[str, bool]) -> pd.DataFrame:
    """The firm's list with ``firm_code`` and ``target_code``, those pairs left out whose target code is none.

    The firm's side is the code that it holds; where it holds both or neither, the one that is no target code; where
    that does not tell either, the one it is stronger in (share, then relatedness density, then the first).
    """
    a, b = view["code_a"], view["code_b"]
    target_a, target_b = a.map(targets), b.map(targets)
    stronger_a = (view["share_a"] > view["share_b"]) | (
        (view["share_a"] == view["share_b"]) & (view["density_a"] >= view["density_b"])
    )
    a_is_firms = np.select(
        [view["holds_a"] != view["holds_b"], target_a != target_b], [view["holds_a"], target_b], stronger_a
    ).astype(bool)
    table = view.assign(firm_code=a.where(a_is_firms, b), target_code=b.where(a_is_firms, a))
    return table[table["target_code"].map(targets).to_numpy(dtype=bool)].reset_index(drop=True)


def blind_view(predictions: pd.DataFrame) -> pd.DataFrame:
    """The ranked pairs of one cutoff as the list of nobody in particular: no types, no holdings."""
    ranked = predictions.sort_values("rank", ignore_index=True)[[*PAIR, "probability", "rank"]]
    nothing = {f"{name}_{side}": 0.0 for name in ("share", "density") for side in "ab"}
    return ranked.assign(
        **nothing, holds_a=False, holds_b=False, type="", firm_rank=ranked["rank"], firm_score=ranked["probability"]
    )


def _targets(
    codes: np.ndarray, matrix: sp.csr_array, in_domain: np.ndarray, domain: Domain | None, scheme: str
) -> dict[str, bool]:
    if domain is None:
        return dict.fromkeys(codes.tolist(), True)
    patents = np.asarray(matrix.sum(axis=0)).ravel()
    carried = np.asarray(matrix[np.flatnonzero(in_domain)].sum(axis=0)).ravel()
    chosen = domain.target_codes(codes, scheme, patents, carried)
    return dict(zip(codes.tolist(), chosen.tolist(), strict=True))


def _firm_side(history: Corpus, own: np.ndarray, which: str) -> np.ndarray:
    if which == "corpus":
        return np.ones(len(own), dtype=bool)
    return citation_neighbourhood(history, own) if which == "neighbourhood" else own


def _put_together(pairs: pd.DataFrame, topics: TopicModel) -> pd.DataFrame:
    """Every topic of the firm's side with every topic of the target side, pair by pair."""
    known = topics.table.assign(number=np.arange(len(topics.table)))
    of = {side: known[known["side"] == side] for side in ("firm", "target")}
    told = ["code", "topic_id", "label", "number", "development"]
    kept = [
        *PAIR,
        "firm_code",
        "target_code",
        "type",
        "probability",
        "firm_rank",
        "firm_score",
        "density_a",
        "density_b",
    ]
    table = pairs[kept]
    for side in ("firm", "target"):
        names = {"code": f"{side}_code", "topic_id": f"{side}_topic", "label": f"{side}_label"}
        right = of[side][told].rename(
            columns=names | {"number": f"{side}_number", "development": f"{side}_development"}
        )
        table = table.merge(right, on=f"{side}_code", how="inner")
    left, right = (topics.centres[table[f"{side}_number"].to_numpy(dtype=int)] for side in ("firm", "target"))
    told_of = (np.abs(left).sum(axis=1) > 0) & (np.abs(right).sum(axis=1) > 0)
    cosine = (left * right).sum(axis=1)
    return table.assign(
        fusion=np.where(told_of, ((cosine + 1) / 2).clip(0, 1), np.nan), development=table["target_development"]
    )


def _notes(history: Corpus, table: pd.DataFrame, pairs: pd.DataFrame) -> list[str]:
    notes = []
    if history.embeddings is None:
        notes.append("topics: no titles or abstracts, so each side is one topic and nothing tells how near two lie")
    made = len(table[PAIR].drop_duplicates())
    if made < len(pairs):
        notes.append(f"topics: {len(pairs) - made} of {len(pairs)} pairs have a side without a patent and are left out")
    return notes
