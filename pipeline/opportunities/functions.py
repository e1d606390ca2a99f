"""What inventions do, as far as their words tell: an open substitute for the functions of a TRIZ database (method A7).

A function is one of the verbs below, in any of its English forms. They follow the functions on which effects databases
for inventive problem solving agree: acts upon a solid, a liquid, a gas, a field, energy or a signal.
"""

import re

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.feature_extraction.text import CountVectorizer

FUNCTIONS = (
    "absorb", "accumulate", "align", "amplify", "attach", "bend", "bond", "break", "bury", "charge", "clean",
    "coat", "collect", "compress", "concentrate", "condense", "connect", "constrain", "control", "convert", "cool",
    "crush", "cut", "damp", "decompose", "deposit", "detect", "dilute", "dissolve", "distribute", "drive", "dry",
    "eject", "emit", "encode", "erode", "evaporate", "expand", "extract", "extrude", "fill", "filter", "float",
    "focus", "freeze", "generate", "grind", "guide", "harden", "heat", "hold", "identify", "illuminate", "inject",
    "insulate", "join", "lift", "locate", "lubricate", "magnetize", "measure", "melt", "mix", "modulate", "mould",
    "move", "navigate", "orient", "oxidize", "pack", "polish", "predict", "press", "print", "protect", "pump",
    "purify", "reflect", "refract", "regulate", "release", "remove", "resist", "rotate", "scan", "seal", "sense",
    "separate", "shield", "sort", "spray", "stabilize", "sterilize", "store", "stretch", "support", "switch",
    "synchronize", "track", "transmit", "transport", "vibrate", "weld", "wind",
)  # fmt: skip
_IRREGULAR = {
    "break": ("broken", "broke", "breaking"),
    "cut": ("cutting",),
    "drive": ("driven", "driving"),
    "freeze": ("frozen", "freezing"),
    "grind": ("ground", "grinding"),
    "hold": ("held", "holding"),
    "wind": ("wound", "winding"),
}
_BRITISH = {"magnetize": "magnetise", "oxidize": "oxidise", "stabilize": "stabilise", "sterilize": "sterilise",
            "synchronize": "synchronise", "mould": "mold"}  # fmt: skip


def _forms(verb: str) -> set[str]:
    """The verb's usual forms: heat, heats, heated, heating."""
    if verb.endswith("e"):
        regular = {verb, verb + "s", verb + "d", verb[:-1] + "ing"}
    elif verb.endswith("y"):
        regular = {verb, verb[:-1] + "ies", verb[:-1] + "ied", verb + "ing"}
    elif re.search(r"[^aeiou][aeiou][bgmnpt]$", verb):
        regular = (
            {verb, verb + "s"}
            | {verb + end for end in ("ed", "ing")}
            | {verb + verb[-1] + end for end in ("ed", "ing")}
        )
    else:
        plural = "es" if verb.endswith(("s", "x", "ch", "sh")) else "s"
        regular = {verb, verb + plural, verb + "ed", verb + "ing"}
    return regular | set(_IRREGULAR.get(verb, ()))


_FORM_OF = {
    form: number
    for number, verb in enumerate(FUNCTIONS)
    for spelling in (verb, _BRITISH.get(verb, verb))
    for form in _forms(spelling)
}


def function_table(texts: pd.Series) -> sp.csr_array:
    """Which functions each text names (texts x FUNCTIONS, 0/1)."""
    forms = list(_FORM_OF)
    counter = CountVectorizer(vocabulary=forms, binary=True, token_pattern=r"(?u)\b[a-zA-Z]+\b")
    counted = sp.csr_array(counter.transform(texts), dtype=float)
    column = np.array([_FORM_OF[form] for form in forms])
    merge = sp.csr_array((np.ones(len(forms)), (np.arange(len(forms)), column)), shape=(len(forms), len(FUNCTIONS)))
    named = sp.csr_array(counted @ merge)
    named.data[:] = 1.0
    return named


def functional_diversity(named: sp.csr_array) -> float:
    """The effective number of functions of a set of texts: exp of the Shannon entropy of how many texts name each
    (Hill, Diversity and evenness, Ecology 54, 1973); 0 where none is named."""
    count = np.asarray(named.sum(axis=0)).ravel()
    share = count[count > 0] / max(count.sum(), 1)
    return float(np.exp(-(share * np.log(share)).sum())) if len(share) else 0.0
