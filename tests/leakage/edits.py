"""Random edits of what a corpus holds after a day: what a later export could say, and what none ever would."""

import dataclasses

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from pipeline.corpus.readers import SourceTable, flat_table

NEVER_SEEN = ("F99Z 1/00", "H99Z 2/00")
DAYS = 9000  # after the day up to which edited rows are dated


@dataclasses.dataclass(frozen=True)
class Edits:
    """Shares of the later rows that are touched, and numbers of later rows that are put in before all others.

    ``new``: patents with codes never seen. ``members``: later publications of families known before. ``entered``:
    documents that known patents cite and the corpus lacked, as members of known families. ``claimed``: rows with the
    id of a known patent.
    """

    seed: int
    deleted: float
    rewritten: float
    recoded: float
    redated: float
    reassigned: float
    citing: float
    new: int
    members: int
    entered: int
    claimed: int


_SHARES = st.sampled_from((0.0, 0.1, 0.5, 1.0))
_NUMBERS = st.sampled_from((0, 1, 30))
EDITS = st.builds(
    Edits,
    seed=st.integers(0, 2**16),
    **dict.fromkeys(("deleted", "rewritten", "recoded", "redated", "reassigned", "citing"), _SHARES),
    **dict.fromkeys(("new", "members", "entered", "claimed"), _NUMBERS),
)
NOTHING = Edits(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
EVERYTHING = Edits(5, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5, 30, 30, 30, 30)


def edited(rows: SourceTable, day: pd.Timestamp, edits: Edits) -> SourceTable:
    """The source with its rows after the day edited; not a letter of the others changes, nor their order."""
    rng = np.random.default_rng(edits.seed)
    later = pd.to_datetime(rows.frame["date"], format="%Y-%m-%d", errors="coerce") > day
    known, after = rows.frame[~later], rows.frame[later]
    after = after[rng.random(len(after)) >= edits.deleted]
    invent = _Inventor(known, day, rng)
    for share, columns in (
        (edits.rewritten, ("title", "abstract", "claims", "cited_npl", "claims_count", "app_date", "office")),
        (edits.recoded, ("ipc", "cpc")),
        (edits.redated, ("date",)),
        (edits.reassigned, ("assignees", "inventors")),
        (edits.citing, ("cited_ids",)),
    ):
        touched = rng.random(len(after)) < share
        drawn = invent.rows(len(after)).set_axis(after.index)
        after = after.assign(**{column: after[column].mask(touched, drawn[column]) for column in columns})
    cited = known["cited_ids"].str.split(";").explode().str.strip()
    lacking = cited[(cited != "") & ~cited.isin(known["patent_id"])]
    added = [
        invent.rows(edits.new),
        invent.rows(edits.members, families=known["family_id"]),
        invent.rows(edits.entered if len(lacking) else 0, ids=lacking, families=known["family_id"]),
        invent.rows(edits.claimed, ids=known["patent_id"]),
    ]
    frame = pd.concat([*added, known, after])
    return dataclasses.replace(rows, frame=frame.set_axis(pd.RangeIndex(1, len(frame) + 1)))


class _Inventor:
    """Makes up rows dated after the day, from what is known and from nothing."""

    def __init__(self, known: pd.DataFrame, day: pd.Timestamp, rng: np.random.Generator) -> None:
        self._known, self._day, self._rng = known, day, rng
        self._made = 0
        self._symbols = {name: [*self._words(name), *NEVER_SEEN] for name in ("ipc", "cpc")}
        self._names = {name: [*self._words(name), "Nobody Ltd", "A. Nobody"] for name in ("assignees", "inventors")}

    def rows(self, count: int, ids: pd.Series | None = None, families: pd.Series | None = None) -> pd.DataFrame:
        fresh = [f"ZZ{self._made + number}" for number in range(count)]
        self._made += count
        texts = {
            "patent_id": fresh if ids is None else self._rng.choice(ids.unique(), count),
            "date": [f"{self._day + pd.Timedelta(days=int(d)):%Y-%m-%d}" for d in self._rng.integers(1, DAYS, count)],
            "app_date": f"{self._day - pd.Timedelta(days=400):%Y-%m-%d}",
            "title": self._rng.choice(["", "a claim on everything", "battery " * 50], count),
            "abstract": self._rng.choice(["", "cooling neural tractor"], count),
            "claims": self._rng.choice(["", "1. A thing."], count),
            "claims_count": self._rng.choice(["", "0", "9999"], count),
            "office": self._rng.choice(["", "EP", "US"], count),
            "cited_npl": self._rng.choice(["", "Nobody: Nothing, 1999"], count),
            "cited_ids": self._lists([*self._known["patent_id"], *fresh], count),
            "family_id": "" if families is None else self._rng.choice(families, count),
        }
        texts |= {name: self._lists(pool, count) for name, pool in (self._symbols | self._names).items()}
        return flat_table(pd.DataFrame(texts, index=range(count)).astype("str"))

    def _words(self, column: str) -> list[str]:
        words = self._known[column].str.split(";").explode().str.strip()
        return sorted(set(words) - {""})

    def _lists(self, pool: list[str], count: int) -> list[str]:
        sizes = self._rng.integers(1, 8, count)
        return [";".join(self._rng.choice(np.array(pool, dtype=object), size)) for size in sizes]
