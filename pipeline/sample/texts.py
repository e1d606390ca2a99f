"""Titles, abstracts and claims of the simulated inventions: plain sentences filled from the words of technologies."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from pipeline.sample.vocabulary import Technology, technologies

OTHER_CODES = 0.45  # share of the words that come from the further codes of an invention
BORROWED = 0.35  # words borrowed from each drift partner at full strength, over those of its own
MOST_BORROWED = 0.7  # and from all of them together
TITLE_WORDS = (5, 12)
SLOTS = 40  # random numbers set aside for the text of one invention

_QUALITIES = ("compact", "modular", "low noise", "lightweight", "improved", "self adjusting", "high efficiency",
              "low cost", "compact modular", "robust", "two stage", "space saving")  # fmt: skip
_JOINTS = ("is connected to", "is arranged next to", "is mounted on", "surrounds", "is held by", "acts on",
           "is coupled to", "is aligned with")  # fmt: skip
_EFFECTS = ("less energy is needed", "assembly becomes easier", "wear is reduced", "the service life is extended",
            "fewer parts are required", "losses are kept small", "the response becomes faster",
            "faults are detected early", "the outcome is more uniform", "maintenance is simplified")  # fmt: skip
_DRAWBACKS = ("adding weight", "additional cost", "taking up more space", "a complex control", "a loss of safety",
              "a change of the production line")  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Text:
    """The words of one invention."""

    title: str
    abstract: str
    claims: str


def write(codes: list[int], partners: Sequence[tuple[int, float]], rng: np.random.Generator) -> Text:
    """Write about an invention of these technologies (the main one first).

    ``partners``: technologies whose words the main one borrows, with strengths between 0 and 1 (see ``drift``).
    """
    all_technologies = technologies()
    draws = iter(rng.random(SLOTS).tolist())
    sources = [codes[0], *codes[1:], *(partner for partner, _ in partners)]
    others = OTHER_CODES if len(codes) > 1 else 0.0
    shares = [1.0 - others, *[others / max(len(codes) - 1, 1)] * (len(codes) - 1)]
    strengths = np.array([BORROWED * strength for _, strength in partners])
    mix = np.cumsum([*shares, *strengths * min(1.0, MOST_BORROWED / max(strengths.sum(), BORROWED))]).tolist()

    def source() -> Technology:
        point = next(draws) * mix[-1]
        return all_technologies[sources[next(i for i, edge in enumerate(mix) if point <= edge)]]

    def pick(options: Sequence[str]) -> str:
        return options[int(next(draws) * len(options))]

    main = all_technologies[codes[0]]
    thing, purpose = pick(main.things), pick(main.purposes)
    parts: list[str] = []
    while len(parts) < 4:
        parts.append(pick([part for part in source().parts if part not in parts]))
    guest = source()
    use, use_purpose = pick([other for other in guest.things if other != thing]), pick(guest.purposes)
    title = _title(thing, parts[0], parts[1], use, purpose, pick)
    joint, other_joint, effect = pick(_JOINTS), pick(_JOINTS), pick(_EFFECTS)
    listed = f"{article(parts[0])}, {article(parts[1])} and {article(parts[2])}"
    opening = pick(
        (
            f"The invention relates to {article(thing)} for {purpose}.",
            f"{capital(article(thing))} for {purpose} is proposed.",
            f"Disclosed is {article(thing)}, in particular for {purpose}.",
        )
    )
    closing = pick(
        (
            f"As a result, {effect} without {pick(_DRAWBACKS)}.",
            f"In this way {effect}, and {pick(_DRAWBACKS)} is avoided.",
        )
    )
    abstract = " ".join(
        (
            opening,
            f"The {thing} comprises {listed}.",
            f"The {parts[0]} {joint} the {parts[1]}, while the {parts[2]} {other_joint} {article(parts[3])}.",
            f"When {purpose}, the {parts[0]} works together with the {parts[3]}.",
            f"The arrangement can be combined with {article(use)}, for example for {use_purpose}.",
            closing,
        )
    )
    claims = (
        f"1. {capital(article(thing))} for {purpose}, comprising {listed}, "
        f"wherein the {parts[0]} {joint} the {parts[1]}. "
        f"2. The {thing} of claim 1, wherein the {parts[2]} {other_joint} {article(parts[3])}. "
        f"3. Use of the {thing} of claim 1 or 2 with {article(use)} for {use_purpose}."
    )
    return Text(title, abstract, claims)


def article(noun: str) -> str:
    """The noun with its indefinite article."""
    vowel = noun[0] in "aeiou" and not noun.startswith(("use", "uni"))
    return f"{'an' if vowel else 'a'} {noun}"


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[0].upper() + text[1:]


def _title(thing: str, part: str, other: str, use: str, purpose: str, pick: Callable[[Sequence[str]], str]) -> str:
    quality = pick(_QUALITIES)
    titles = (
        f"{thing} with {part} for {article(use)}",
        f"{quality} {thing} with {part} for {article(use)}",
        f"{thing} and method for {purpose}",
        f"method for {purpose} using {article(part)}",
        f"{quality} {thing} comprising {article(part)} and {article(other)}",
        f"arrangement of {article(part)} in {article(thing)}",
        f"{thing} having {article(part)} for {purpose}",
    )
    fewest, most = TITLE_WORDS
    return capital(pick([title for title in titles if fewest <= len(title.split()) <= most]))
