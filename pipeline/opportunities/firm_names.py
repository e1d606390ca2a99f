"""A firm that goes by several names: a file of them, which assignees they match, and the firm as one party."""

import dataclasses
from pathlib import Path

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rapidfuzz import fuzz

from pipeline.corpus.names import near_matches, normalise_party
from pipeline.corpus.timeline import Corpus
from pipeline.errors import ConfigError, FirmError
from pipeline.opportunities.firm import Firm, find_firm

PROPOSED = 5  # near matches that the review shows of a name
TOLD = 8  # names told to the user


class FirmFile(BaseModel):
    """What a firm file says (YAML): the name to show, and the names of the firm and its subsidiaries as assignees."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    names: tuple[str, ...] = Field(min_length=1)

    @property
    def key(self) -> str:
        """What the firm's documents are kept under: its name as a party id."""
        return normalise_party(self.name)


def is_firm_file(given: str) -> bool:
    """Whether what was given for a firm is a firm file (it ends in .yaml or .yml), and no assignee's name."""
    return given.lower().endswith((".yaml", ".yml"))


def read_firm(given: str) -> FirmFile:
    """A firm file where ``given`` names one, else the one name itself.

    Raises:
        ConfigError: when the file is missing or not a firm file.
    """
    if not is_firm_file(given):
        return FirmFile(name=given, names=(given,))
    try:
        return FirmFile.model_validate(yaml.safe_load(Path(given).read_text("utf-8")))
    except OSError as error:
        raise ConfigError(f"{given} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValidationError) as error:
        said = " ".join(str(error).split())[:200]
        raise ConfigError(f"{given} is not a firm file (name: ..., names: [...]): {said}") from error


@dataclasses.dataclass(frozen=True)
class MatchedFirm:
    """A firm found in a corpus: itself, the corpus in which all its names are one party, and the review.

    ``keys``: the party ids that were made one, and the firm file's own key. ``review``: one row a name given and
    assignee, columns given, assignee, party_id, patents, likeness (0 to 100), taken; only names that are equal without
    case, punctuation and legal form are taken, like ones are shown.
    """

    firm: Firm
    corpus: Corpus
    keys: frozenset[str]
    review: pd.DataFrame

    def told(self) -> list[str]:
        """For the user: which names were taken, and which like ones were not."""
        by_patents = self.review.drop_duplicates("party_id").sort_values("patents", ascending=False, kind="stable")
        parts = dict(tuple(by_patents[by_patents["party_id"] != ""].groupby("taken")))
        lines = []
        for taken, words in ((True, "names taken"), (False, "like them, not taken")):
            if taken in parts:
                names = [f"{row.assignee} ({row.patents:,})" for row in parts[taken].head(TOLD).itertuples()]
                lines.append(f"{words} (patents): {'; '.join(names)}")
        return lines


def match_firm(corpus: Corpus, firm: FirmFile) -> MatchedFirm:
    """Find a firm's names among the assignees and make them one.

    Raises:
        FirmError: when the only name matches no assignee, or none of several does.
    """
    if len(firm.names) == 1:
        found = find_firm(corpus.parties, firm.names[0])
        review = _review(corpus.parties, firm, {found.party_id})
        return MatchedFirm(found, corpus, frozenset({found.party_id, firm.key}), review)
    assignees = corpus.parties[corpus.parties["role"] == "assignee"]
    keys = {normalise_party(name) for name in firm.names} & set(assignees["party_id"])
    if not keys:
        raise FirmError(
            f"none of the {len(firm.names)} names of {firm.name!r} is an assignee: see them with `corpus describe`"
        )
    key = min(keys, key=lambda k: (-(assignees["party_id"] == k).sum(), k))
    merged = (corpus.parties["role"] == "assignee") & corpus.parties["party_id"].isin(keys)
    parties = corpus.parties.assign(party_id=corpus.parties["party_id"].mask(merged, key))
    patents = int(parties.loc[merged, "patent_id"].nunique())
    review = _review(corpus.parties, firm, keys)
    corpus = dataclasses.replace(corpus, parties=parties)
    return MatchedFirm(Firm(firm.name, key, patents), corpus, frozenset({*keys, firm.key}), review)


def _review(parties: pd.DataFrame, firm: FirmFile, taken: set[str]) -> pd.DataFrame:
    assignees = parties[parties["role"] == "assignee"]
    patents = assignees.groupby("party_id")["patent_id"].nunique()
    spelling = assignees.groupby("party_id")["name"].agg(lambda names: names.value_counts().index[0])
    keys = patents.index.tolist()
    rows = []
    for given in firm.names:
        own = normalise_party(given)
        near = [key for key in near_matches(given, keys, PROPOSED + 1) if key != own][:PROPOSED]
        for key in [*([own] if own in patents.index else []), *near]:
            rows.append((given, spelling[key], key, int(patents[key]), round(fuzz.WRatio(own, key)), key in taken))
        if own not in patents.index:
            rows.append((given, "", "", 0, 0, False))
    return pd.DataFrame(rows, columns=["given", "assignee", "party_id", "patents", "likeness", "taken"])
