"""What each number of the firm's report is: its unit and definition, as a reader should see them."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Definition:
    """``of``: what it describes. ``high``: what a high value means for the firm; empty where neither end is better."""

    name: str
    of: str
    unit: str
    meaning: str
    high: str = ""


_RATIO = "ratio; 0: no change"
DIMENSIONS = {
    "novelty": "Novelty",
    "growth": "Growth",
    "influence": "Influence",
    "versatility": "Versatility",
}
DEFINITIONS = {
    "probability": Definition(
        "Probability",
        "pair of codes",
        "0 to 100 %",
        "The calibrated chance that the two codes share a first patent within the horizon, anybody's patent.",
        "likelier",
    ),
    "firm_rank": Definition(
        "Pair’s rank",
        "pair of codes",
        "place",
        "The place of the pair of codes in the firm's list: by probability, discounted by how far the firm stands from "
        "the codes that it does not hold.",
    ),
    "score": Definition(
        "Score",
        "opportunity",
        "no unit; compare within this report",
        "What the opportunities are ranked by: fusion times development, and by default times the pair's score for the "
        "firm (its probability, discounted by distance).",
        "ranked higher",
    ),
    "fusion": Definition(
        "Fusion",
        "opportunity",
        "0 to 1",
        "How near the texts of the two topics lie: (cosine of their mean text vectors + 1) / 2.",
        "easier to join",
    ),
    "firm_fit": Definition(
        "Firm fit",
        "opportunity",
        "0 to 1",
        "Geometric mean over the two topics of 1 where the firm has a patent in the topic, else of its relatedness "
        "density in the topic's code: how much of what other firms combine with the code this firm is strong in.",
        "nearer to the firm",
    ),
    "white_space": Definition(
        "White space",
        "opportunity",
        "0 to 100 %",
        "The share of the target topic's owned patents that its three largest other holders do not hold.",
        "less crowded",
    ),
    "partners": Definition(
        "Partners",
        "opportunity",
        "names",
        "Others with patents in the target topic, by their patents there times the likeness of their portfolio to the "
        "firm's (cosine over codes). Found in patents alone: nobody was asked.",
    ),
    "uniqueness": Definition(
        "Uniqueness",
        "topic: novelty",
        "0 to 1",
        "One less the mean nearness of its text vector to those of the other topics of its side.",
        "more of its own",
    ),
    "maturity": Definition(
        "Youth",
        "topic: novelty",
        "years",
        "Mean age of all patents of the corpus less that of the topic's patents.",
        "younger",
    ),
    "growth_patents": Definition(
        "Growth of patents",
        "topic: growth",
        _RATIO,
        "Patents of the last five years over those of the five years before, less one; in a history shorter than ten "
        "years, of its two halves.",
        "growing",
    ),
    "growth_inventors": Definition(
        "Growth of inventors", "topic: growth", _RATIO, "The same, of the inventors on these patents.", "growing"
    ),
    "citations_per_year": Definition(
        "Citations a year",
        "topic: influence",
        "citations per patent and year",
        "Citations received within the corpus up to the cutoff, over the mean age of the topic's patents.",
        "more cited",
    ),
    "family_size": Definition(
        "Family size",
        "topic: influence",
        "documents per patent",
        "Documents of a patent's family that were known at the cutoff.",
        "protected more widely",
    ),
    "codes_per_patent": Definition(
        "Symbols a patent", "topic: versatility", "symbols", "Classification symbols on a patent.", "broader"
    ),
    "functional_diversity": Definition(
        "Functional diversity",
        "topic: versatility",
        "effective number of functions",
        "How many functions (to cool, to store, to separate ...) the topic's texts name, each counted by its share.",
        "broader",
    ),
    "development": Definition(
        "Development",
        "topic",
        "0 to 10",
        "Sum of the four dimensions novelty, growth, influence and versatility, each 0 to 2.5: the mean of its two "
        "indicators, scaled from the least to the greatest among the topics of its side. A dimension that the source "
        "cannot tell counts as the mean of the others. An opportunity has the development of its target topic.",
        "more going on",
    ),
    "share": Definition(
        "Share",
        "firm and code",
        "0 to 100 %",
        "The firm's part of all patents of the code up to the cutoff.",
        "stronger",
    ),
    "recency": Definition(
        "Latest patent", "firm and code", "years", "From the firm's latest patent in the code to the cutoff."
    ),
    "inventor_overlap": Definition(
        "Inventor overlap",
        "firm and pair",
        "0 to 100 %",
        "Of the firm's inventors with patents in either code, those with patents in both.",
        "people to build on",
    ),
}
INDICATORS = tuple(key for key, given in DEFINITIONS.items() if given.of.startswith("topic: "))
