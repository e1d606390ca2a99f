"""The language of title and abstract."""

import pandas as pd
import pytest
from cases import real_data
from factories import corpus_from

from pipeline.corpus.languages import languages


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("A method of cooling the blade of a turbine", "en"),
        ("Verfahren zur Kühlung der Schaufel einer Turbine", "de"),
        ("Procédé de refroidissement de la pale et dispositif pour le mettre en œuvre", "fr"),
        ("Procedimiento para la refrigeración de los álabes y dispositivo", "es"),
        ("一种涡轮叶片冷却方法", "zh"),
        ("タービン翼の冷却方法", "ja"),
        ("터빈 블레이드의 냉각 방법", "ko"),
        ("Способ охлаждения лопатки турбины", "other"),
        ("Heat pump", ""),
        ("", ""),
        ("A compound named 東芝 which is used in the method of claim 1 and for the device", "en"),
    ],
)
def test_a_language_shows_in_script_and_small_words(text: str, language: str) -> None:
    assert languages(pd.Series([text])).tolist() == [language]


def test_each_patent_has_its_own(tmp_path) -> None:
    rows = [
        {
            "patent_id": "US1",
            "date": "2010-01-05",
            "ipc": "F25B",
            "title": "Heat pump",
            "abstract": "A pump for the heat.",
        },
        {"patent_id": "DE2", "date": "2010-01-06", "ipc": "F25B", "title": "Vorrichtung mit einer Pumpe"},
        {"patent_id": "DE3", "date": "2010-01-07", "ipc": "F25B"},
    ]
    assert corpus_from(rows).patents["language"].tolist() == ["en", "de", ""]


def test_titles_of_a_german_office_are_told_from_english_ones() -> None:
    table = pd.read_parquet(real_data("corpora/pizza_patentscope.parquet"), columns=["title", "office"])
    found = languages(table["title"].fillna("").astype("str"))
    english = found[table["office"] == "US"]
    assert (english == "en").mean() > 0.7
    assert (english.isin(["de", "fr", "es"])).mean() < 0.005
