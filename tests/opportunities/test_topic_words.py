"""What topics are called."""

import numpy as np
import pandas as pd

from pipeline.opportunities.topic_words import TERMS, label_of, topic_terms

TEXTS = pd.Series(
    [
        "Heat pipe for a battery. The heat pipe cools.",
        "Heat pipes and a battery",
        "A heat pipe in the battery housing",
        "Robot gripper for fruit",
        "The robot gripper, a novel system comprising a finger",
        "Robot gripper and battery",
    ]
)


def test_the_words_that_tell_a_topic_come_first() -> None:
    cooling, gripping = topic_terms(TEXTS, [np.arange(3), np.arange(3, 6)])
    assert cooling[0] == "heat pipe"
    assert gripping[0] == "robot gripper"
    assert "battery" not in gripping  # in one of three: a chance


def test_nothing_is_said_twice_nor_what_any_patent_says() -> None:
    for terms in topic_terms(TEXTS, [np.arange(3), np.arange(3, 6)]):
        words = [word for term in terms for word in term.split()]
        assert len(words) == len(set(words))
        assert "pipe battery" not in terms  # "a heat pipe for a battery": side by side only once words are dropped
        assert not {"novel", "system", "comprising", "the"} & set(words)
        assert len(terms) <= TERMS


def test_a_patent_may_be_in_two_topics_and_a_topic_of_one() -> None:
    both, one = topic_terms(TEXTS, [np.arange(6), np.array([3])])
    assert both and one == ["fruit", "robot gripper"]


def test_without_words_the_fallback_is_the_name() -> None:
    assert topic_terms(pd.Series(["the system", "a method"]), [np.arange(2)]) == [[]]
    assert topic_terms(pd.Series(["", ""]), [np.arange(2), np.arange(1)]) == [[], []]  # nor where there is no text
    assert label_of([], "Batteries") == "Batteries"
    assert label_of(["a", "b", "c", "d"], "Batteries") == "a, b, c"
