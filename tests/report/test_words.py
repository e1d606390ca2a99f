"""Numbers as a reader sees them."""

import doctest

import pytest

from pipeline.report import figures, words
from pipeline.report.words import SPACE


@pytest.mark.parametrize("module", [words, figures])
def test_the_examples_in_the_docstrings_hold(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.00049, "< 0.1 %"),
        (0.0995, "10 %"),
        (0.0994, "9.9 %"),
        (0.9951, "> 99 %"),
        (1, "100 %"),
        (None, "–"),
    ],
)
def test_a_percentage_is_never_a_false_zero_or_hundred(share, text):
    assert words.percent(share).replace(SPACE, " ") == text


@pytest.mark.parametrize(
    ("function", "value", "text"),
    [
        (words.score, 0.0584, ".058"),
        (words.score, float("nan"), "–"),
        (words.times, 9.68, "9.7×"),
        (words.count, 1234567, "1,234,567"),
        (words.day, "2012-12-31", "31 December 2012"),
        (words.day, "", "–"),
        (words.day, None, "–"),
        (words.duration, 3.2, "3.2 s"),
        (words.duration, 59.97, "1 min 0 s"),
        (words.model_name, "my_new_baseline", "My new baseline"),
    ],
)
def test_values_are_written_for_people(function, value, text):
    assert function(value).replace(SPACE, " ") == text


def test_a_metric_tells_the_depth_it_is_measured_at():
    assert words.metric_name("precision", 100).replace(SPACE, " ") == "Precision @ 100"
    assert words.metric_name("cost", 2).replace(SPACE, " ") == "Cost, θ = 2"


def test_characters_that_reorder_or_hide_text_are_dropped():
    assert words.clean("a\u202eb\u2066c\x00d\u200be\ufefff") == "abcdef"
    assert words.clean("שלום عربي – 日本語\ttab") == "שלום عربي – 日本語\ttab"
