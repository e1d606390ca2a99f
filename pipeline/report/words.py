"""Numbers, dates and names as a reader sees them. Nothing here knows of files or HTML."""

import re
from typing import Any

import pandas as pd

SPACE = "\u00a0"  # no-break: a number stays with its unit
MISSING = "–"

SECTIONS = {
    "A": "Human necessities",
    "B": "Operations, transport",
    "C": "Chemistry, metallurgy",
    "D": "Textiles, paper",
    "E": "Construction",
    "F": "Mechanics, heat",
    "G": "Physics, computing",
    "H": "Electricity",
    "Y": "Emerging, cross-sectional",
}
TYPES = {
    "I": ("New ground", "the firm holds neither code"),
    "II": ("Extension", "the firm holds one code, the other is new to it"),
    "III": ("Combination", "the firm holds both codes but has not joined them"),
}
TYPES_OF_LINKED = TYPES | {"III": ("Combination", "the firm holds both codes")}
VERBS = {  # what a pair of the track does when the forecast comes true: they, it, it did
    "new": {"meet": "meet", "meets": "meets", "met": "met"},
    "strengthening": {"meet": "strengthen", "meets": "strengthens", "met": "strengthened"},
}
TRACKS = {"new": "new links", "strengthening": "strengthening of existing links"}
LEVELS = {
    "section": "sections",
    "class": "classes",
    "subclass": "subclasses",
    "maingroup": "main groups",
    "subgroup": "subgroups",
}
MODELS = {
    "model": "This forecast",
    "reference": "Published recipe",
    "activity_product": "Activity product",
    "degree_product": "Degree product",
    "common_neighbours": "Common neighbours",
    "weighted_common_neighbours": "Weighted common neighbours",
    "adamic_adar": "Adamic-Adar",
    "adamic_adar_recent": "Adamic-Adar, recent",
    "resource_allocation": "Resource allocation",
    "resource_allocation_recent": "Resource allocation, recent",
    "katz": "Katz",
    "text_cosine": "Text similarity",
    "pmi": "PMI",
    "joint_patents": "Joint patents so far",
    "joint_patents_recent": "Joint patents, recent",
    "joint_growth": "Growth of joint patents, recent",
    "node2vec_logistic": "node2vec + logistic",
    "logistic_all": "Logistic regression, all features",
    "lightgbm_cooccurrence": "LightGBM, plain co-occurrence",
    "lightgbm_all": "LightGBM, all features",
}
METRICS = {  # in the order shown
    "average_precision": "Average precision",
    "lift": "Lift",
    "roc_auc": "ROC-AUC",
    "precision": "Precision",
    "recall": "Recall",
    "ndcg": "nDCG",
    "vcmpr": "Per-code hit rate",
    "ks": "KS",
    "cost": "Cost",
    "brier": "Brier",
    "log_loss": "Log loss",
    "ece": "ECE",
}

# C0/C1 controls and the invisible characters that reorder or hide text; tab and line ends become spaces
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)


def clean(text: str) -> str:
    """Drop characters that cannot be seen but change how the text around them is shown.

    >>> clean("safe\\u202egpj.exe")
    'safegpj.exe'
    """
    return _UNSEEN.sub("", text)


def percent(share: float | None) -> str:
    """A share as a percentage with the digits it deserves; never a false 0 % or 100 %.

    >>> [percent(share).replace(SPACE, " ") for share in (0.123, 0.0123, 0.0001, 0.999)]
    ['12 %', '1.2 %', '< 0.1 %', '> 99 %']
    """
    if share is None or pd.isna(share):
        return MISSING
    if share in (0, 1):
        return f"{share * 100:.0f}{SPACE}%"
    if share < 0.0005:
        return f"<{SPACE}0.1{SPACE}%"
    if share > 0.995:
        return f">{SPACE}99{SPACE}%"
    return f"{share * 100:.{1 if share < 0.0995 else 0}f}{SPACE}%"


def interval(low: float | None, high: float | None) -> str:
    """Two shares as a range, or nothing when there is none.

    >>> interval(0.082, 0.31).replace(SPACE, " "), interval(0.0001, 0.01).replace(SPACE, " ")
    ('8.2–31 %', '< 0.1 % to 1.0 %')
    """
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return ""
    bottom, top = percent(low), percent(high)
    if not bottom[0].isdigit() or not top[0].isdigit():
        return f"{bottom} to {top}"
    return f"{bottom.removesuffix(SPACE + '%')}–{top}"


def score(value: float | None) -> str:
    """Three decimals without the leading zero.

    >>> score(0.0584), score(1.0), score(-0.25)
    ('.058', '1.000', '−.250')
    """
    if value is None or pd.isna(value):
        return MISSING
    sign = "−" if value < 0 else ""
    return sign + f"{abs(value):.3f}".removeprefix("0")


def signed(value: float | None) -> str:
    """A gain or loss, with two decimals and its sign.

    >>> signed(1.994), signed(-0.5), signed(0.001)
    ('+1.99', '−0.50', '0.00')
    """
    if value is None or pd.isna(value):
        return MISSING
    text = f"{abs(value):.2f}"
    return text if float(text) == 0 else f"{'−' if value < 0 else '+'}{text}"


def times(value: float | None) -> str:
    """A multiple: ``9.7×``."""
    return MISSING if value is None or pd.isna(value) else f"{value:.1f}×" if value < 100 else f"{value:,.0f}×"


def count(value: Any) -> str:
    """A whole number with separators of thousands."""
    return MISSING if value is None or pd.isna(value) else f"{int(value):,}"


def amount(value: float) -> str:
    """An expected number of things: a decimal while it is small."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value >= 0.05 else f"<{SPACE}0.1"


def duration(seconds: float) -> str:
    """Seconds for a reader.

    >>> duration(0.04), duration(75.2).replace(SPACE, " ")
    ('< 0.1\\xa0s', '1 min 15 s')
    """
    if seconds < 0.05:
        return f"< 0.1{SPACE}s"
    if seconds < 59.95:
        return f"{seconds:.1f}{SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}{SPACE}min {rest}{SPACE}s"


def patents(number: int) -> str:
    """A number of patents: ``1 patent``."""
    return f"{count(number)}{SPACE}{'patent' if number == 1 else 'patents'}"


def one_decimal(value: float | None) -> str:
    """A number with one decimal."""
    return MISSING if value is None or pd.isna(value) else f"{value:.1f}"


def three(value: float) -> str:
    """A number with three digits that count: a score may be large or small.

    >>> three(4.2381), three(0.04567), three(12.34)
    ('4.24', '0.0457', '12.3')
    """
    return f"{value:#.3g}" if value < 100 else f"{value:,.0f}"


def indicator(value: float | None, name: str) -> str:
    """An indicator of a topic in its own unit.

    >>> [indicator(grown, "growth_patents").replace(SPACE, " ") for grown in (0.85, 3, 12, -1)]
    ['+85 %', '+300 %', '+12.0×', '−100 %']
    >>> indicator(-2.04, "maturity")
    '−2.0'
    """
    if value is None or pd.isna(value):
        return MISSING
    sign = "−" if value < 0 else "+"
    if name.startswith("growth_"):
        size = percent(abs(value)) if abs(value) < 0.995 else _grown(abs(value))
        return size if value == 0 else sign + size
    if name == "uniqueness":
        return score(value)
    if name == "maturity":
        return one_decimal(abs(value)) if abs(value) < 0.05 else sign + one_decimal(abs(value))
    return f"{value:.2f}"


def _grown(growth: float) -> str:
    return f"{100 * growth:.0f}{SPACE}%" if growth < 10 else times(growth)


def shortened(text: str, letters: int) -> str:
    """The beginning of a text, cut between words, with an ellipsis where something is left out.

    >>> shortened("heat exchangers of aluminium", 20)
    'heat exchangers of …'
    """
    joined = " ".join(text.split())
    if len(joined) <= letters:
        return joined
    head, space, _ = joined[:letters].rpartition(" ")
    return f"{head} …" if space and len(head) > letters // 2 else f"{joined[: letters - 1]}…"


def ago(years: float | None) -> str:
    """How long before the cutoff.

    >>> [ago(years).replace(SPACE, " ") for years in (0.02, 0.4, 2.46)]
    ['within the last month', '5 months ago', '2.5 years ago']
    """
    if years is None or pd.isna(years):
        return MISSING
    if years < 1 / 12:
        return "within the last month"
    months = round(12 * years)
    if months < 12:
        return f"{months}{SPACE}{'month' if months == 1 else 'months'} ago"
    return f"{years:.1f}{SPACE}years ago"


def day(value: Any) -> str:
    """A date written out; an empty or unreadable one is a dash."""
    stamp = pd.to_datetime(value, errors="coerce")
    return MISSING if pd.isna(stamp) else f"{stamp.day}{SPACE}{stamp:%B}{SPACE}{stamp.year}"


def model_name(model: str) -> str:
    """The name of a model or baseline."""
    return MODELS.get(model) or humanise(model)


def modality_name(modality: str) -> str:
    """The name of a kind of evidence."""
    return {"cooccurrence": "Co-occurrence", "graph": "Graph vectors"}.get(modality) or humanise(modality)


def metric_name(metric: str, k: int | None) -> str:
    """The name of a metric, with the depth it is measured at."""
    name = METRICS.get(metric) or humanise(metric)
    if k is None:
        return name
    return f"{name}, θ{SPACE}={SPACE}{k}" if metric == "cost" else f"{name}{SPACE}@{SPACE}{k}"


def metric_value(metric: str, value: float | None) -> str:
    """A metric's value in its own unit."""
    return times(value) if metric == "lift" else score(value)


def humanise(name: str) -> str:
    """``text_cosine`` -> ``Text cosine``, ``ipc`` -> ``IPC``."""
    words = name.replace("__", " ").replace("_", " ").strip()
    if words in ("ipc", "cpc", "npl"):
        return words.upper()
    return words[:1].upper() + words[1:]
