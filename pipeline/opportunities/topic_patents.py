"""The patents that stand for a topic, as a reader meets them."""

from collections.abc import Sequence

import pandas as pd

from pipeline.corpus.timeline import Corpus
from pipeline.schemas import TopicPatents, validate


def topic_patents(history: Corpus, firm_party_ids: Sequence[str], topics: pd.DataFrame) -> pd.DataFrame:
    """Title, date and first assignee of every topic's representatives (schema ``TopicPatents``), in their order.

    Raises:
        ValueError: a representative that the history does not have.
    """
    named = topics[["topic_id"]].assign(patent_id=topics["representatives"].str.split(";")).explode("patent_id")
    named = named[named["patent_id"].str.strip() != ""].reset_index(drop=True)
    row = history.row_of(named["patent_id"])
    if (row < 0).any():
        raise ValueError(f"representatives that the history does not have: {list(named['patent_id'][row < 0][:3])}")
    assignees = history.parties[history.parties["role"] == "assignee"]
    party = assignees.drop_duplicates("patent_id").set_index("patent_id")["name"]
    own = set(assignees.loc[assignees["party_id"].isin(firm_party_ids), "patent_id"])
    about = history.patents[["knowledge_date", "title"]].iloc[row].reset_index(drop=True)
    table = named.assign(
        place=named.groupby("topic_id").cumcount() + 1,
        knowledge_date=about["knowledge_date"],
        title=about["title"],
        party=party.reindex(named["patent_id"], fill_value="").to_numpy(),
        own=named["patent_id"].isin(own),
    )
    return validate(table[list(TopicPatents.to_schema().columns)], TopicPatents, "topic patents")
