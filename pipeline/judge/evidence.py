"""The passages a judge is shown for each opportunity and criterion, and the two controls that tell what they are
worth."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from pipeline.schemas import ShownEvidence, empty, validate

# (query, number of passages) -> passages, best first: evidence_id, source, kind, page, date, text, score
Retrieve = Callable[[str, int], pd.DataFrame]
Arms = dict[str, pd.DataFrame]

WITH_RETRIEVAL = "judge"
WITHOUT_RETRIEVAL = "judge_without_retrieval"
SHUFFLED_RETRIEVAL = "judge_shuffled_retrieval"
SIDES = ("firm", "target")


def gather(
    opportunities: pd.DataFrame,
    topics: pd.DataFrame,
    retrieve: Retrieve,
    k: int,
    cutoff: pd.Timestamp,
    questions: Mapping[str, str],
) -> pd.DataFrame:
    """Retrieve up to ``k`` passages for each opportunity and criterion (schema ``ShownEvidence``).

    ``questions``: what is asked, by criterion (``Rubric.questions``); it follows the words of the two topics in the
    query. An empty one leaves these alone.

    Raises:
        ValueError: when a passage is dated after the cutoff: retrieval must see the past only.
    """
    words = topics.set_index("topic_id")[["label", "terms"]].agg("; ".join, axis=1)
    found = [empty(ShownEvidence)]
    asked = opportunities[["opportunity_id", "firm_topic", "target_topic"]] if k else opportunities.iloc[:0]
    for opportunity_id, *sides in asked.to_numpy().tolist():
        for criterion, question in questions.items():
            query = "; ".join(filter(None, [*(words[side] for side in sides), question]))
            passages = retrieve(query, k).head(k)
            if not passages.empty:
                found.append(passages.assign(opportunity_id=opportunity_id, criterion=criterion))
    evidence = pd.concat(found, ignore_index=True)[list(ShownEvidence.to_schema().columns)]
    late = evidence.loc[evidence["date"] > cutoff, "evidence_id"]
    if not late.empty:
        raise ValueError(f"retrieval gave {len(late)} passages dated after {cutoff:%Y-%m-%d}, as {late.iloc[0]}")
    return validate(evidence, ShownEvidence, "evidence")


def shuffled(evidence: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The same passages, each opportunity shown those that another one has for the same criterion."""
    owners = evidence["opportunity_id"].unique()
    if len(owners) < 2:
        raise ValueError("passages of one opportunity alone cannot be shuffled")
    order = np.random.default_rng(seed).permutation(owners)
    taker = dict(zip(order, np.roll(order, 1), strict=True))  # one cycle: nobody keeps its own
    moved = evidence.assign(opportunity_id=evidence["opportunity_id"].map(taker))
    return validate(moved.reset_index(drop=True), ShownEvidence, "shuffled evidence")


def arms(evidence: pd.DataFrame, seed: int) -> Arms:
    """The evidence as retrieved, and the controls: none, and that of other opportunities (where there are two)."""
    controls = {WITH_RETRIEVAL: evidence, WITHOUT_RETRIEVAL: evidence.iloc[:0]}
    if evidence["opportunity_id"].nunique() > 1:
        controls[SHUFFLED_RETRIEVAL] = shuffled(evidence, seed)
    return controls
