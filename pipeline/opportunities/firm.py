"""One firm's view of the ranked pairs: what it holds, what lies near, and where it is placed to win.

Patents are counted whole: one shared by two firms counts once for each, and once overall.
"""

import dataclasses
import logging

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.corpus.names import near_matches, normalise_party
from pipeline.corpus.timeline import Corpus, Incidence
from pipeline.errors import FirmError
from pipeline.opportunities.holdings import holdings
from pipeline.schemas import PAIR, Opportunities, validate

log = logging.getLogger(__name__)

FEWEST_FIRMS = 20  # below it, shares of firms are too coarse to say which codes go together
LISTED = 8  # parties named in an error
TYPES = np.array(["I", "II", "III"])


@dataclasses.dataclass(frozen=True)
class Firm:
    """An assignee: its commonest spelling, its key in the parties table, and how many patents it has there."""

    name: str
    party_id: str
    patents: int


def find_firm(parties: pd.DataFrame, name: str) -> Firm:
    """The one assignee of that name, compared without case, punctuation and legal form.

    Raises:
        FirmError: when no assignee or several are meant, listing near matches with their patents; a part of a name is
            never taken for the name.
    """
    assignees = _assignees(parties)
    patents = assignees.groupby("party_id")["patent_id"].nunique()
    spelling = assignees.groupby("party_id")["name"]

    def told(party_ids: list[str]) -> str:
        return "; ".join(f"{_commonest(spelling.get_group(party))} ({patents[party]})" for party in party_ids[:LISTED])

    key = normalise_party(name)
    keys = sorted(patents.index, key=lambda party: (-patents[party], party))
    containing = [party for party in keys if key and key in party and key != party]
    if key in patents.index:
        if containing:
            log.info("firm %r is one assignee; others whose name holds it are not counted: %s", name, told(containing))
        return Firm(_commonest(spelling.get_group(key)), key, int(patents[key]))
    if len(containing) > 1:
        more = f" and {len(containing) - LISTED} more" if len(containing) > LISTED else ""
        raise FirmError(
            f"firm {name!r} is part of {len(containing)} names; give one in full (patents): {told(containing)}{more}"
        )
    near = told(list(dict.fromkeys(containing + near_matches(name, keys, LISTED))))
    hint = f"; near matches (patents): {near}" if near else ", nor anything like it"
    raise FirmError(f"firm {name!r} is not among the {len(patents)} assignees{hint}")


def firm_view(history: Corpus, firm: Firm, incidence: Incidence, predictions: pd.DataFrame) -> pd.DataFrame:
    """The firm's opportunities, best first (schema ``Opportunities``), from one cutoff's predictions.

    ``incidence`` is that of ``history``, at the level of the predictions. A firm holds a code with one patent or more.
    Its fit to a code is 1 where it holds it and the relatedness density elsewhere;
    ``firm_score = probability * sqrt(fit_a * fit_b)``: the chance that the pair converges, discounted by how far the
    firm stands from it. A type III pair keeps its probability; ties go by the firm-blind rank.

    Raises:
        FirmError: when the source has no assignees or the firm no patent up to the cutoff.
    """
    if (predictions["cutoff"] != history.cutoff).any():
        raise ValueError(f"predictions of another cutoff than the history's, {history.cutoff:%Y-%m-%d}")
    a, b = (pd.Index(incidence.codes).get_indexer(pd.Index(predictions[code])) for code in PAIR)
    if min(a.min(initial=0), b.min(initial=0)) < 0:
        raise ValueError("predictions of codes that the history does not have: incidence of another level?")
    portfolios, row = _portfolios(history, firm, incidence)
    advantage = revealed_advantage(portfolios, incidence.counts())
    own = advantage[[row]].toarray()[0]
    density = relatedness_density(_relatedness(advantage, incidence), own >= 1)
    holds = portfolios[[row]].toarray()[0] > 0
    fit = np.where(holds, 1.0, density)
    rta = own if holds.any() else np.full(len(own), np.nan)
    view = pd.DataFrame(
        {
            "code_a": predictions["code_a"].to_numpy(),
            "code_b": predictions["code_b"].to_numpy(),
            "type": TYPES[holds[a].astype(int) + holds[b]],
            "probability": predictions["probability"].to_numpy(),
            "rank": predictions["rank"].to_numpy(),
            "firm_score": predictions["probability"].to_numpy() * np.sqrt(fit[a] * fit[b]),
        }
    ).assign(
        **_of_both({"holds": holds, "rta": rta, "density": density}, a, b),
        **holdings(history, firm.party_id, incidence, a, b),
    )
    view = view.sort_values(["firm_score", "rank"], ascending=[False, True], kind="stable", ignore_index=True)
    view.insert(0, "firm_rank", np.arange(1, len(view) + 1))
    return validate(view, Opportunities, "opportunities")


def relatedness_warnings(history: Corpus) -> list[str]:
    """What to know of the densities: too few firms say nothing about which codes go together."""
    firms = _assignees(history.parties)["party_id"].nunique()
    if firms >= FEWEST_FIRMS:
        return []
    return [f"firm: only {firms} assignees, so nearness of codes is read from their joint patents, not from the firms"]


def revealed_advantage(portfolios: sp.csr_array, totals: np.ndarray) -> sp.csr_array:
    """The firm's share in the code over the code's share overall, where held (firms x codes).

    Shares are of memberships (a patent with three codes has three): the firm's, and ``totals``, those of all patents.
    """
    per_firm = np.asarray(portfolios.sum(axis=1)).ravel()
    entries = portfolios.tocoo()
    # whole numbers above and below: a firm exactly at the average has exactly 1
    values = entries.data * totals.sum() / (per_firm[entries.row] * totals[entries.col])
    return sp.csr_array((values, (entries.row, entries.col)), shape=portfolios.shape)


def proximity(advantage: sp.csr_array) -> sp.csr_array:
    """The lesser conditional probability that a firm with advantage (>= 1) in one code has it in the other.

    Codes x codes, symmetric, the diagonal empty. Hidalgo et al., The product space conditions the development of
    nations, Science 317 (2007).
    """
    strong = (advantage >= 1).astype(float).tocsr()
    joint = (strong.T @ strong).tocoo()
    firms = np.asarray(strong.sum(axis=0)).ravel()
    return _off_diagonal(joint, joint.data / np.maximum(firms[joint.row], firms[joint.col]))


def relatedness_density(phi: sp.csr_array, strong: np.ndarray) -> np.ndarray:
    """Share of each code's relatedness that lies with the codes a firm is strong in: sum_i phi_ij x_i / sum_i phi_ij.

    One value in [0, 1] a code; 0 where nothing is related. The code itself does not count.
    """
    around = np.asarray(phi.sum(axis=0)).ravel()
    near = np.asarray(phi.T @ strong.astype(float)).ravel()
    return np.divide(near, around, out=np.zeros_like(near), where=around > 0).clip(0, 1)


def _relatedness(advantage: sp.csr_array, incidence: Incidence) -> sp.csr_array:
    if advantage.shape[0] >= FEWEST_FIRMS:
        return proximity(advantage)
    joint = incidence.joint().tocoo()
    patents = incidence.counts()
    return _off_diagonal(joint, joint.data / np.sqrt(patents[joint.row] * patents[joint.col]))


def _off_diagonal(entries: sp.coo_array, values: np.ndarray) -> sp.csr_array:
    apart = entries.row != entries.col
    return sp.csr_array((values[apart], (entries.row[apart], entries.col[apart])), shape=entries.shape)


def _portfolios(history: Corpus, firm: Firm, incidence: Incidence) -> tuple[sp.csr_array, int]:
    """Patents of each assignee in each code (firms x codes), and the row of the firm."""
    owned = _assignees(history.parties)[["patent_id", "party_id"]].drop_duplicates()
    owner, party_ids = pd.factorize(owned["party_id"], sort=True)
    row = int(party_ids.get_indexer(pd.Index([firm.party_id]))[0])
    if row < 0:
        raise FirmError(f"firm {firm.name!r} has no patent up to {history.cutoff:%Y-%m-%d}: choose a later cutoff")
    patent = history.row_of(owned["patent_id"])
    shape = (len(party_ids), len(history.patents))
    ownership = sp.csr_array((np.ones(len(owned)), (owner, patent)), shape=shape)
    return sp.csr_array(ownership @ incidence.matrix), row


def _assignees(parties: pd.DataFrame) -> pd.DataFrame:
    assignees = parties[(parties["role"] == "assignee") & (parties["party_id"] != "")]
    if assignees.empty:
        raise FirmError("the source has no assignees, so there is no firm's view: leave the firm out or add assignees")
    return assignees


def _commonest(names: pd.Series) -> str:
    counts = names.value_counts()
    return min(counts.index[counts == counts.max()])


def _of_both(values: dict[str, np.ndarray], a: np.ndarray, b: np.ndarray) -> dict[str, np.ndarray]:
    return {f"{name}_{side}": value[at] for name, value in values.items() for side, at in (("a", a), ("b", b))}
