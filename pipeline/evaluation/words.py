"""Feature names in plain words, for people who read a report."""

from pipeline.extensions import extension

_MEASURES = {
    "neighbours": "number of partner codes",
    "common_neighbours": "partner codes they share",
    "adamic_adar": "shared partners, rare ones counting more (Adamic-Adar)",
    "resource_allocation": "shared partners, rare ones counting most (resource allocation)",
    "salton": "share of partners in common (Salton)",
    "jaccard": "share of partners in common (Jaccard)",
    "hub_promoted": "share of the smaller code's partners in common",
    "hub_depressed": "share of the larger code's partners in common",
    "sorensen": "share of partners in common (Sørensen)",
    "leicht_holme_newman": "partners in common against chance (Leicht-Holme-Newman)",
    "preferential_attachment": "partners of one times partners of the other",
    "katz": "number of short paths between them (Katz)",
    "random_walk": "how often a random walk leads from one to the other",
    "local_path": "number of paths of two and three steps between them",
    "joint_patents": "patents that carry both",
    "joint_patents_added": "change in patents that carry both",
    "patents": "patents of the two codes",
    "patents_added": "change in patents of the two codes",
    "inventors": "inventors at work in the two codes",
    "applicants": "applicants at work in the two codes",
    "claims": "claims of their patents",
    "cited_patents": "patents cited by their patents",
    "cited_npl": "non-patent literature cited by their patents",
    "citing_patents": "citations their patents received",
    "family_members": "family members of their patents",
    "weighted_common_neighbours": "joint patents with shared partners",
    "ppmi_cosine": "likeness of their co-occurrence profiles",
    "low_rank": "affinity read from the overall pattern of co-occurrence",
    "item_based": "how often codes like one met the other",
    "activity_product": "patents of one times patents of the other",
    "linked": "whether any patent carries both",
    "lift": "patents that carry both, against chance",
    "npmi": "patents that carry both, against chance (normalised mutual information)",
    "ppmi": "meetings of the two, against chance (mutual information)",
    "joint_growth": "growth of patents that carry both",
    "domain_share": "share of this field in all their patents",
    "new_partners": "partner codes gained lately",
    "parent_lift": "affinity of the classes above them",
    "half_parent_lift": "affinity of each code with the class above the other",
    "half_parent_joint": "joint patents of each code with the class above the other",
    "same_parent": "whether both lie in one class",
    "cosine_drift": "how their texts approach each other lately",
    "intensity_cosine": "likeness of their topics",
    "coverage_cosine": "likeness of the topics they cover",
    "same_dominant": "whether they share a main topic",
    "complementarity": "how their topics complete each other",
    "support": "share of all patents that carry both",
    "confidence_max": "share of the smaller code's patents that carry both",
    "confidence_min": "share of the larger code's patents that carry both",
    "pmi": "meetings of the two against chance (mutual information)",
    "expected_joint": "joint patents that chance alone would give",
    "joint_zscore": "joint patents beyond chance",
    "parent_zscore": "joint patents of the classes above them, beyond chance",
    "reference_jaccard": "share of cited documents in common",
    "citation_cosine": "likeness of what they cite",
    "cocitation": "how often one patent cites both",
    "flow_sum": "citations between them, against chance",
    "flow_min": "citations both ways between them, against chance",
    "flow_asymmetry": "how one-sided the citations between them are",
    "code_citation_cosine": "likeness of the fields they cite",
    "reachability": "how often citations lead from one to the other over others",
    "originality": "breadth of the fields they cite",
    "generality": "breadth of the fields that cite them",
    "cycle_time": "age of the patents they cite",
    "npl_share": "share of non-patent literature among their references",
    "patents_growth": "growth of the patents of the two codes",
    "partners_growth": "growth of the number of partner codes",
    "recency": "how recent their patents are",
    "text_drift": "how their texts approach each other lately",
    "top_similarity": "likeness of their most similar patents' texts",
    "close_share": "share of their patents with near texts",
    "nearest_mean": "likeness of each patent's text to the nearest of the other code",
    "nearest_min": "likeness of each patent's text to the nearest of the other code, the less alike way",
    "mmd": "distance of their texts' distributions",
    "mmd_unbiased": "distance of their texts' distributions, whatever their number",
    "sliced_wasserstein": "distance of their texts' distributions (Wasserstein)",
    "topic_divergence": "distance of their topics",
    "title_similarity": "likeness of the codes' official titles",
}
_PARTIES = {"assignee": "assignees", "inventor": "inventors"}
_OF_PARTIES = {
    "shared": "{} at home in both codes",
    "shared_focus": "{} at home in both codes, specialised ones counting more",
    "jaccard": "share of {} in common",
    "cosine": "likeness of their {}",
    "entry_rate": "share of {} new to the codes lately",
    "concentration": "concentration of their patents on few {}",
}
_CHANGES = {
    "_rank_change": "change of rank by: ",
    "_change": "change in: ",
    "_acceleration": "acceleration of: ",
    "_drift": "recent rise of: ",
}
_DISTANCES = {
    "cosine": "likeness",
    "dot": "joint strength",
    "euclidean": "distance",
    "l1": "distance (L1)",
}
_SPACES = {"graph": "of their places in the network", "text": "of their patents' texts"}
_PLACES = {"background": ", in all of the background"}
_STATISTICS = {"mean": ", on average", "min": ", of the weaker one", "range": ", difference of the two"}


def in_words(feature: str) -> str:
    """A feature ``block__measure__param__lag`` as a phrase.

    >>> in_words("bibliometric__patents_min__w3__lag0")
    'patents of the two codes, of the weaker one, in the last 3 years'
    """
    block, measure, param, lag = feature.split("__")
    return _measure(block, measure) + _PLACES.get(block, "") + _period(param, int(lag.removeprefix("lag")))


def _measure(block: str, measure: str) -> str:
    if block in _SPACES and measure in _DISTANCES:
        return f"{_DISTANCES[measure]} {_SPACES[block]}"
    if extension("block", block):
        return measure.replace("_", " ")
    if measure in _MEASURES:
        return _MEASURES[measure]
    if block == "people":
        return _of_people(measure)
    for ending, words in _CHANGES.items():
        if measure.endswith(ending):
            return words + _MEASURES[measure.removesuffix(ending)]
    stem, _, statistic = measure.rpartition("_")
    return _MEASURES[stem] + _STATISTICS[statistic]


def _of_people(measure: str) -> str:
    role, _, name = measure.partition("_")
    stem, _, statistic = name.rpartition("_")
    words, ending = (_OF_PARTIES[stem], _STATISTICS[statistic]) if statistic in _STATISTICS else (_OF_PARTIES[name], "")
    return words.format(_PARTIES[role]) + ending


def _period(param: str, lag: int) -> str:
    if param == "all":
        return ""
    if param == "decayed":
        return ", recent patents counting more"
    years = int(param.removeprefix("w"))
    last = "in the last year" if years == 1 else f"in the last {years} years"
    return f", {last}" if lag == 0 else f", in the {years} years before"


def standing(share: float) -> str:
    """Where a value stands among the candidates, from its rank share in (0, 1).

    >>> standing(0.995), standing(0.03), standing(0.5)
    ('top 0.5 % of candidates', 'lowest 3 % of candidates', 'middle of the candidates')
    """
    if share >= 0.75:
        return f"top {_percent(1 - share)} of candidates"
    if share <= 0.25:
        return f"lowest {_percent(share)} of candidates"
    return "middle of the candidates"


def _percent(share: float) -> str:
    percent = 100 * share
    return "0.1 %" if percent <= 0.1 else f"{percent:.1f} %" if percent < 1 else f"{percent:.0f} %"
