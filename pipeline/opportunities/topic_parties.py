"""Who stands where in topics: the firm's fit, the room that others leave, and who could be a partner."""

import functools

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.corpus.timeline import Corpus, Incidence
from pipeline.opportunities.firm import Firm
from pipeline.opportunities.topics import TopicModel

LEADERS = 3  # other assignees whose share of a topic leaves the less room
PARTNERS = 3  # named


class Parties:
    """The assignees of a history, and what they hold: ``owned`` (parties x patents, 0/1) and portfolios by code."""

    def __init__(self, history: Corpus, firm: Firm | None, incidence: Incidence) -> None:
        assignees = history.parties[history.parties["role"] == "assignee"]
        owner, self.keys = pd.factorize(assignees["party_id"], sort=True)
        shape = (len(self.keys), len(history.patents))
        owned = sp.csr_array((np.ones(len(owner)), (owner, history.row_of(assignees["patent_id"]))), shape=shape)
        owned.data[:] = 1.0  # an assignee named twice owns once
        self.owned = owned
        self.firm = int(self.keys.get_indexer(pd.Index([firm.party_id]))[0]) if firm else None
        self.names = assignees.groupby("party_id")["name"].agg(lambda names: names.value_counts().index[0])
        self.portfolios = sp.csr_array(owned @ incidence.matrix)

    def of_topics(self, table: pd.DataFrame, topics: TopicModel) -> dict[str, np.ndarray]:
        """Columns ``firm_fit``, ``white_space`` and ``partners`` for rows of topic pairs.

        *Firm fit*: geometric mean over the two topics of 1 where the firm has a patent in the topic, else of its
        relatedness density in the topic's code; null without a firm. *White space*: the share of the target topic's
        owned patents that the LEADERS largest other assignees do not hold; null without assignees. *Partners*: others
        with patents in the target topic, by patents there times the cosine of their portfolio over the codes with the
        firm's.
        """
        holds = (topics.table["firm_patents"] > 0).to_numpy()
        density = {
            side: np.where(table["code_a"] == table[f"{side}_code"], table["density_a"], table["density_b"])
            for side in ("firm", "target")
        }
        number = {side: table[f"{side}_number"].to_numpy(dtype=int) for side in ("firm", "target")}
        fit = [np.where(holds[number[side]], 1.0, density[side]) for side in ("firm", "target")]
        others = {topic: self._others(topics.rows[topic]) for topic in np.unique(number["target"])}
        return {
            "firm_fit": np.sqrt(fit[0] * fit[1]).clip(0, 1) if self.firm is not None else np.full(len(table), np.nan),
            "white_space": np.array([self._white_space(*others[topic]) for topic in number["target"]]),
            "partners": np.array([self._partners(others[topic][0]) for topic in number["target"]], dtype=object),
        }

    def _others(self, rows: np.ndarray) -> tuple[np.ndarray, int]:
        """Patents of each party in a topic, the firm's set to none, and how many of its patents have an owner."""
        inside = sp.csr_array(self.owned[:, rows])
        held: np.ndarray = np.asarray(inside.sum(axis=1)).ravel()
        if self.firm is not None:
            held[self.firm] = 0
        return held, int((np.asarray(inside.sum(axis=0)).ravel() > 0).sum())

    def _white_space(self, held: np.ndarray, owned: int) -> float:
        if not owned:
            return float("nan")
        return float(np.clip(1 - np.sort(held)[-LEADERS:].sum() / owned, 0, 1))

    def _partners(self, held: np.ndarray) -> str:
        worth = (held * self._nearness).round(9)
        best = np.lexsort((np.arange(len(worth)), -worth))[:PARTNERS]
        # a name's own semicolon would be taken for the border between two
        return ";".join(self.names[self.keys[party]].replace(";", ",") for party in best if worth[party] > 0)

    @functools.cached_property
    def _nearness(self) -> np.ndarray:
        """Cosine of each party's portfolio over the codes with the firm's; without a firm nobody is near."""
        if self.firm is None:
            return np.zeros(len(self.keys))
        portfolios = self.portfolios
        length = np.sqrt(np.asarray(portfolios.multiply(portfolios).sum(axis=1)).ravel())
        dot = np.asarray((portfolios @ portfolios[[self.firm]].T).toarray()).ravel()
        scale = length * length[self.firm]
        return np.divide(dot, scale, out=np.zeros_like(dot), where=scale > 0)
