"""The planted convergences: which pairs of technologies link, why, and from when (see ``pipeline.sample``)."""

import dataclasses
from collections.abc import Callable

import numpy as np

from pipeline.sample.vocabulary import proximity

MECHANISMS = ("outset", "closure", "citation", "drift", "firm", "noise")
LEAD_STEPS = 5  # half-years in which citation or drift builds up before joint patents appear
FADING = 0.85  # what is left of the lead each half-year after the start: by then the joint patents speak
OUTSET_STEPS = 6  # half-years over which the links of the outset appear
# links begun per 1,000 documents of the corpus (a pair that is drawn twice counts once)
LINKS = {"outset": 55.0, "closure": 82.0, "citation": 45.0, "drift": 45.0, "firm": 27.0, "noise": 14.0}
MIN_PATENTS = 2  # a code needs this many before a mechanism other than the outset takes it


@dataclasses.dataclass(frozen=True)
class Link:
    """A pair of technologies (positions, a < b), its mechanism, and the steps of its first sign and of its start."""

    a: int
    b: int
    mechanism: str
    sign: int
    start: int
    firm: int = -1  # the firm that makes the first joint patent, when the mechanism is ``firm``

    def strength(self, step: int) -> float:
        """How strong the lead is at a step: it builds up from 0 before the sign to 1 at the start, then fades."""
        built = np.clip((step - self.sign + 1) / LEAD_STEPS, 0.0, 1.0)
        return float(built * FADING ** max(step - self.start, 0))


@dataclasses.dataclass
class State:
    """What the mechanisms see at a step: all of it is the past, except the activity expected now."""

    step: int
    activity: np.ndarray  # technologies
    patents: np.ndarray  # technologies
    joint: np.ndarray  # technologies x technologies
    holdings: np.ndarray  # firms x technologies
    taken: np.ndarray  # technologies x technologies: pairs linked or chosen already (and the diagonal)


def new_links(state: State, counts: dict[str, int], rng: np.random.Generator) -> list[Link]:
    """Links that begin at this step: ``counts`` a mechanism. Marks their pairs as taken."""
    links: list[Link] = []
    for mechanism in MECHANISMS:
        weights = _WEIGHTS[mechanism](state)
        if mechanism != "outset":
            weights = weights * np.outer(state.patents >= MIN_PATENTS, state.patents >= MIN_PATENTS)
        weights = np.triu(weights * ~state.taken, k=1).ravel()
        drawn = min(counts.get(mechanism, 0), int((weights > 0).sum()))
        if drawn == 0:
            continue
        for cell in rng.choice(len(weights), size=drawn, replace=False, p=weights / weights.sum()):
            a, b = divmod(int(cell), len(state.patents))
            state.taken[a, b] = state.taken[b, a] = True
            lead = LEAD_STEPS if mechanism in ("citation", "drift") else 0
            firm = int(state.holdings[:, [a, b]].min(axis=1).argmax()) if mechanism == "firm" else -1
            links.append(Link(a, b, mechanism, sign=state.step, start=state.step + lead, firm=firm))
    return links


def adamic_adar(joint: np.ndarray) -> np.ndarray:
    """Sum of 1 / log degree over common neighbours, for all pairs."""
    linked = (joint > 0).astype(float)
    degree = linked.sum(axis=1)
    # rounded, so that the order in which a machine sums never changes a draw
    return np.round((linked / np.log(np.maximum(degree, 2.0))) @ linked, 9)


def _shared_holdings(state: State) -> np.ndarray:
    held = np.where(state.holdings >= MIN_PATENTS, state.holdings, 0.0)
    return np.minimum(held[:, :, None], held[:, None, :]).sum(axis=0)


def _active_and_near(state: State) -> np.ndarray:
    return np.sqrt(np.outer(state.activity, state.activity)) * (0.02 + proximity())


_WEIGHTS: dict[str, Callable[[State], np.ndarray]] = {
    "outset": lambda state: np.sqrt(np.outer(state.activity, state.activity)) * proximity() ** 2,
    "closure": lambda state: adamic_adar(state.joint) ** 2,
    "citation": _active_and_near,
    "drift": _active_and_near,
    "firm": _shared_holdings,
    "noise": lambda state: np.ones_like(state.joint),
}
