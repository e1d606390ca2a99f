"""Functions that texts name."""

import numpy as np
import pandas as pd
import pytest

from pipeline.opportunities.functions import FUNCTIONS, function_table, functional_diversity


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("A plate cools and is cooled by cooling", {"cool"}),
        ("pumped, stored and mixing", {"pump", "store", "mix"}),
        ("dried; drying; carried", {"dry"}),
        ("frozen or driven", {"freeze", "drive"}),
        ("magnetised magnets", {"magnetize"}),
        ("coolant, heater, storage", set()),  # things, not functions
        ("", set()),
    ],
)
def test_any_form_of_a_verb_names_its_function(text: str, named: set[str]) -> None:
    table = function_table(pd.Series([text]))
    assert {FUNCTIONS[number] for number in table.indices} == named


def test_diversity_is_the_effective_number_of_functions() -> None:
    texts = pd.Series(["heat cool", "heat cool", "nothing"])
    assert functional_diversity(function_table(texts)) == pytest.approx(2.0)  # two, equally often
    uneven = function_table(pd.Series(["heat", "heat", "heat cool"]))
    share = np.array([3, 1]) / 4
    assert functional_diversity(uneven) == pytest.approx(np.exp(-(share * np.log(share)).sum()))
    assert functional_diversity(function_table(pd.Series(["", "thing"]))) == 0.0
