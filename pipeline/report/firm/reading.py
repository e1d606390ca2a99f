"""What the numbers of one opportunity say to a manager: why now, what the firm brings, what is against it, what next.

Every sentence rests on a number of the tables; none is an opinion. Texts are plain: whoever shows them escapes them.
"""

import dataclasses
from typing import Any

import pandas as pd

from pipeline.report import words

Row = dict[str, Any]

STEADY = 0.1  # growth or decline below it is not worth a sentence
YOUNG = 1.0  # years
FEW_PATENTS = 10  # below it a topic is thin evidence
CROWDED, ROOMY = 0.5, 0.7  # white space
FAR = 0.3  # firm fit below it
UNLIKE = 0.6  # fusion below it: the texts have next to nothing in common
LEADER = 0.15  # share of a code from which a holder is named
WEAK = 0.4  # of the highest score: a judge's mean up to which a criterion is a risk
NAMED = 3


@dataclasses.dataclass(frozen=True)
class Reading:
    """One opportunity in sentences. ``why``: why now; ``brings``: what the firm has; ``steps``: what to do next."""

    why: list[str]
    brings: list[str]
    risks: list[str]
    steps: list[str]


@dataclasses.dataclass(frozen=True)
class Case:
    """What is known of one opportunity. ``firm_topic`` and ``target_topic``: rows of ``Topics``; ``pair``: of
    ``Opportunities``; ``holders``: of ``Competitors``, of the target code; ``scores``: of the judge's summary, each
    with the ``title`` of its criterion; ``top``: their highest value; ``span``: years that growth looks back over."""

    row: Row
    firm_topic: Row
    target_topic: Row
    pair: Row
    holders: list[Row]
    scores: list[Row]
    verb: str  # meet or strengthen
    until: pd.Timestamp
    span: float
    top: int

    @property
    def partners(self) -> list[str]:
        return [name for name in self.row["partners"].split(";") if name.strip()]

    def of_firm(self, name: str, side: str) -> Any:
        """A value that the pair has for each code, of the code on one side."""
        return self.pair[f"{name}_{'a' if self.pair['code_a'] == self.row[f'{side}_code'] else 'b'}"]

    def leaders(self) -> list[Row]:
        """The other holders of the target code that matter most."""
        return [holder for holder in self.holders if not holder["own"] and holder["share"] >= LEADER][:NAMED]


def read(case: Case) -> Reading:
    """Put one opportunity into sentences."""
    return Reading(_why(case), _brings(case), _risks(case), _steps(case))


def _why(case: Case) -> list[str]:
    row, topic = case.row, case.target_topic
    said = [
        f"{row['firm_code']} and {row['target_code']} are forecast to {case.verb} by {words.day(case.until)} with a "
        f"probability of {words.percent(row['probability'])}."
    ]
    for name, who in (("growth_patents", "Patents"), ("growth_inventors", "Inventors")):
        if (grown := topic[name]) is not None and grown >= STEADY:
            said.append(
                f"{who} on the target topic {_risen(grown)} in the last {_years(case)}, against as many before."
            )
    if topic["maturity"] >= YOUNG:
        said.append(f"Patents on the target topic are {topic['maturity']:.1f} years younger than all on average.")
    if (space := row["white_space"]) is not None and space >= ROOMY:
        said.append(
            f"The target topic is open: its three largest other holders leave {words.percent(space)} of it to others."
        )
    return said


def _brings(case: Case) -> list[str]:
    row, topic = case.row, case.firm_topic
    share, recency = (case.of_firm(name, "firm") for name in ("share", "recency"))
    said = []
    if own := topic["firm_patents"]:
        said.append(f"{words.patents(own)} of its own of the {words.count(topic['patents'])} of the topic on its side.")
    if share:
        latest = f", the latest {words.ago(recency)}" if recency is not None else ""
        said.append(f"{words.percent(share)} of all patents in {row['firm_code']}{latest}.")
    if case.target_topic["firm_patents"]:
        said.append(f"{words.patents(case.target_topic['firm_patents'])} of its own on the target topic already.")
    elif held := case.of_firm("share", "target"):
        said.append(f"{words.percent(held)} of all patents in {row['target_code']}, though none on this topic.")
    if overlap := case.pair["inventor_overlap"]:
        said.append(f"Inventors at home in both codes: {words.percent(overlap)} of those with patents in either.")
    return said or ["No patent of its own on either side."]


def _risks(case: Case) -> list[str]:
    row, topic = case.row, case.target_topic
    misses = round(100 * (1 - row["probability"]))
    said = [f"About {misses} in 100 pairs of codes forecast like this one do not {case.verb} in time."]
    if (space := row["white_space"]) is not None and space < CROWDED:
        said.append(f"Crowded: three other holders have {words.percent(1 - space)} of the target topic’s patents.")
    if case.leaders():
        told = _listed([f"{holder['name']} ({words.percent(holder['share'])})" for holder in case.leaders()])
        said.append(f"Strong others in {row['target_code']}: {told}.")
    if row["firm_fit"] < FAR:
        said.append(f"Far from what the firm does: fit {words.score(row['firm_fit'])} of 1.")
    if (fusion := row["fusion"]) is not None and fusion < UNLIKE:
        said.append(f"The two topics are described in different words (fusion {words.score(fusion)}).")
    thin = min((topic, case.firm_topic), key=lambda each: each["patents"])
    if thin["patents"] < FEW_PATENTS:
        side = "target" if thin is topic else "firm’s"
        said.append(f"Thin evidence: the {side} topic rests on {words.patents(thin['patents'])}.")
    if (grown := topic["growth_patents"]) is not None and grown <= -STEADY:
        said.append(f"Patents on the target topic fell by {words.percent(-grown)} in the last {_years(case)}.")
    for score in case.scores:
        if score["abstained"]:
            said.append(f"The judge could not settle on: {score['title']}.")
        elif score["mean"] is not None and score["mean"] <= WEAK * case.top:
            said.append(f"Judged weak on: {score['title']}, {score['mean']:.1f} of {case.top}.")
    return said


def _steps(case: Case) -> list[str]:
    row = case.row
    partners, leaders = case.partners[:NAMED], case.leaders()
    target, firm_code = row["target_code"], row["firm_code"]
    if row["type"] == "III":
        overlap = case.pair["inventor_overlap"]
        first = (
            f"Start inside: ask the inventors who work in both {firm_code} and {target} what a joint product would be."
            if overlap
            else f"Start inside: the firm holds both codes, so bring inventors of {firm_code} and {target} together."
        )
        said = [first, *([f"For what is missing, talk to {_listed(partners, end='.')}"] if partners else [])]
    elif partners:
        firm = "The firm holds neither code: before" if row["type"] == "I" else "Before"
        said = [f"{firm} building up {target}, talk to {_listed(partners)}, who hold patents there."]
    else:
        said = [f"No partner stands near the firm in {target}: decide whether to build it up or to leave it."]
    said.append(f"Read the patents listed here on both sides, and note what problem “{row['target_label']}” solves.")
    if leaders:
        told = _listed([f"{holder['name']} ({words.patents(holder['patents'])})" for holder in leaders])
        said.append(f"Have freedom to operate checked in {target} against {told}.")
    if (space := row["white_space"]) is not None and space >= ROOMY:
        said.append("File early where the reading finds a gap: nobody dominates the target topic yet.")
    return said


def _years(case: Case) -> str:
    return "five years" if case.span == 5 else f"{case.span:.1f} years"


def _risen(growth: float) -> str:
    if growth < 1:
        return f"rose by {words.percent(growth)}"
    return f"rose {1 + growth:.{1 if growth < 9 else 0}f}-fold"


def _listed(names: list[str], end: str = "") -> str:
    told = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return told if end and told.endswith(end) else told + end  # after "Inc." a sentence has ended
