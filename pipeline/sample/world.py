"""The simulation: half-year by half-year, which inventions are made, with which codes, by whom, citing what."""

import dataclasses

import numpy as np

from pipeline.sample.firms import Firms, found_firms
from pipeline.sample.mechanisms import LINKS, MECHANISMS, OUTSET_STEPS, Link, State, new_links
from pipeline.sample.vocabulary import proximity, technologies

FIRST_YEAR, YEARS = 2005, 15
STEPS = 2 * YEARS
GROWTH = 2.2  # inventions in the last step over those in the first
CODES_A_PATENT = (0.40, 0.35, 0.18, 0.07)  # shares of patents with 1, 2, 3, 4 subclasses
ACTIVITY_SPREAD = 1.2  # sigma of the log-normal activity of technologies: a heavy tail
MOST_PLANNED = 0.7  # at most this share of a step's inventions serves the first joint patents of links
REPEATS = 0.3  # further joint patents of a link that come beside the first, on average
CITED_INSIDE, CITED_OUTSIDE = 2.6, 0.8  # citations a patent, on average
SELF_FLOW, NEAR_FLOW, LINK_FLOW = 1.0, 0.4, 0.25  # citations to the own, near and flow-linked technologies
RECENCY = 0.6  # below 1 late documents are cited more
JOINT_FILING, NO_FIRM = 0.05, 0.03  # shares of inventions with two firms, and with none


@dataclasses.dataclass(frozen=True)
class Invention:
    """One invention: its step, its technologies (positions, the main one first), people and citations."""

    step: int
    codes: list[int]
    firms: list[str]
    inventors: list[str]
    cites: list[int]  # inventions of earlier steps, by position
    cites_outside: int


@dataclasses.dataclass(frozen=True)
class World:
    """What a simulation leaves: the inventions in order of step, and every link with its cause."""

    inventions: list[Invention]
    links: list[Link]


def simulate(rng: np.random.Generator, inventions: int, documents: int) -> World:
    """Simulate so many inventions; the number of documents of the whole corpus sets the number of links."""
    size = len(technologies())
    firms = found_firms(rng)
    activity = _activity(rng)
    taken = np.eye(size, dtype=bool)
    joint = np.zeros((size, size))
    patents = np.zeros(size)
    appeal = np.zeros((size, size))  # how readily an open link is used again
    urns: list[list[int]] = [[] for _ in range(size)]  # documents to cite: once at birth, once a citation
    world = World([], [])
    queue: list[Link] = []
    for step, count in enumerate(_per_step(np.geomspace(1.0, GROWTH, STEPS), inventions)):
        firms.expand(rng)
        state = State(step, activity[step], patents, joint, firms.holdings, taken)
        world.links.extend(new_links(state, _link_counts(step, documents), rng))
        opened = [link for link in world.links if link.start == step]
        for link in opened:
            appeal[link.a, link.b] = appeal[link.b, link.a] = rng.lognormal(0.0, 1.0)
        repeats = rng.poisson(REPEATS, size=len(opened))
        queue += opened + [link for link, extra in zip(opened, repeats, strict=True) for _ in range(extra)]
        planned, queue = queue[: int(MOST_PLANNED * count)], queue[int(MOST_PLANNED * count) :]
        mains = rng.choice(size, size=count - len(planned), p=activity[step] / activity[step].sum())
        starts = [[link.a, link.b] for link in planned] + [[int(main)] for main in mains]
        doers = [link.firm for link in planned] + [-1] * len(mains)
        pull = appeal * np.sqrt(activity[step])
        made = [_invent(step, codes, doer, firms, pull, rng) for codes, doer in zip(starts, doers, strict=True)]
        made = [made[position] for position in rng.permutation(count)]
        flows = np.cumsum(_flows(world.links, step, activity[step]), axis=1)
        first = len(world.inventions)
        for invention in made:
            cited = _cite(invention.codes[0], flows, urns, rng)
            world.inventions.append(dataclasses.replace(invention, cites=cited))
            patents[invention.codes] += 1
            joint[np.ix_(invention.codes, invention.codes)] += 1
        for number, invention in enumerate(world.inventions[first:], start=first):
            urns[invention.codes[0]].append(number)
            for cited_number in invention.cites:
                urns[world.inventions[cited_number].codes[0]].append(cited_number)
        np.fill_diagonal(joint, 0.0)
    return world


def drift_partners(links: list[Link], step: int) -> dict[int, list[tuple[int, float]]]:
    """Per technology the technologies whose words it borrows at a step, and how strongly (0 to 1)."""
    partners: dict[int, list[tuple[int, float]]] = {}
    for link in links:
        if link.mechanism == "drift" and link.sign <= step:
            partners.setdefault(link.a, []).append((link.b, link.strength(step)))
            partners.setdefault(link.b, []).append((link.a, link.strength(step)))
    return partners


def _activity(rng: np.random.Generator) -> np.ndarray:
    """Expected share of patents (steps x technologies): a heavy tail, and fields that rise, burst or die."""
    time = np.linspace(0.0, 1.0, STEPS)[:, None]
    base = rng.lognormal(0.0, ACTIVITY_SPREAD, size=len(technologies()))
    middle = rng.uniform(0.3, 0.7, size=len(technologies()))
    rise = 1.0 / (1.0 + np.exp(-(time - middle) * 8.0))
    burst = 1.0 / (1.0 + np.exp(-(time - middle) * 25.0))
    courses = {
        "steady": np.ones_like(rise), "grow": 0.4 + 1.6 * rise, "burst": 0.1 + 4.0 * burst, "decline": 2.0 - 1.8 * rise
    }  # fmt: skip
    course = np.column_stack([courses[t.trend][:, position] for position, t in enumerate(technologies())])
    return base * course


def _per_step(weights: np.ndarray, total: int) -> list[int]:
    edges = np.rint(np.concatenate([[0.0], np.cumsum(weights)]) / weights.sum() * total).astype(int)
    return [int(count) for count in np.diff(edges)]


def _link_counts(step: int, documents: int) -> dict[str, int]:
    counts = {}
    for mechanism in MECHANISMS:
        steps = range(OUTSET_STEPS) if mechanism == "outset" else range(1, STEPS)
        if step in steps:
            counts[mechanism] = _per_step(np.ones(len(steps)), round(LINKS[mechanism] * documents / 1000))[
                step - steps.start
            ]
    return counts


def _invent(
    step: int, codes: list[int], doer: int, firms: Firms, pull: np.ndarray, rng: np.random.Generator
) -> Invention:
    wanted = 1 + int(np.searchsorted(np.cumsum(CODES_A_PATENT), rng.random()))
    codes = [codes[position] for position in rng.permutation(len(codes))]
    while len(codes) < wanted:
        # a further code must be linked with every code already there, so that each pair has a link of its own
        fit = pull[codes].prod(axis=0) ** (1.0 / len(codes))
        fit[codes] = 0.0
        if not fit.any():
            break
        total = np.cumsum(fit)
        codes.append(int(np.searchsorted(total, rng.random() * total[-1], side="right")))
    firm = doer if doer >= 0 else firms.choose(codes, rng)
    firms.holdings[firm, codes] += 1
    owners = [firm] if doer >= 0 or rng.random() >= NO_FIRM else []
    if owners and rng.random() < JOINT_FILING:
        owners = list(dict.fromkeys([firm, firms.choose(codes, rng)]))
    return Invention(
        step=step,
        codes=codes,
        firms=[firms.names[owner] for owner in owners],
        inventors=firms.team(firm, codes, rng),
        cites=[],
        cites_outside=int(rng.poisson(CITED_OUTSIDE)),
    )


def _flows(links: list[Link], step: int, activity: np.ndarray) -> np.ndarray:
    """Share of a technology's citations (row) that goes to each technology (column) at a step."""
    near = proximity() ** 2 * activity
    flows = SELF_FLOW * np.eye(len(activity)) + NEAR_FLOW * near / near.sum(axis=1, keepdims=True)
    for link in links:
        if link.mechanism == "citation" and link.sign <= step:
            flows[link.a, link.b] += LINK_FLOW * link.strength(step)
            flows[link.b, link.a] += LINK_FLOW * link.strength(step)
    return flows / flows.sum(axis=1, keepdims=True)


def _cite(main: int, flows: np.ndarray, urns: list[list[int]], rng: np.random.Generator) -> list[int]:
    wanted = rng.poisson(CITED_INSIDE)
    cited = []
    for target, place in zip(np.searchsorted(flows[main], rng.random(wanted)), rng.random(wanted), strict=True):
        urn = urns[min(int(target), len(urns) - 1)]
        if urn:  # drawing from the urn is preferential attachment: cited documents lie in it more than once
            cited.append(urn[int(len(urn) * place**RECENCY)])
    return sorted(set(cited))
