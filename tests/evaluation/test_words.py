"""Every feature a model can use has plain words."""

import dataclasses

import pandas as pd
import pytest

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.encoders.base import patent_texts
from pipeline.encoders.hashing import HashingEncoder
from pipeline.evaluation.words import in_words, standing
from pipeline.features.build import build_features
from pipeline.pairs.candidates import candidate_pairs


@pytest.mark.parametrize(
    ("track", "level", "window"), [("new", "subclass", 3), ("new", "class", 1), ("strengthening", "class", 2)]
)
def test_every_column_has_words_of_its_own(sample_corpus: Corpus, track: str, level: str, window: int) -> None:
    task = TaskConfig(track=track, level=level, window=window)  # type: ignore[arg-type]
    notes = pd.DataFrame({"citing": sample_corpus.patents["patent_id"].iloc[:5], "cited": "a book", "kind": "npl"})
    notes = notes.assign(cited_key=notes["cited"])
    citations = pd.concat([sample_corpus.citations, notes.astype(sample_corpus.citations.dtypes)], ignore_index=True)
    corpus = dataclasses.replace(sample_corpus, citations=citations).with_embeddings(
        HashingEncoder(300).encode(patent_texts(sample_corpus.patents))
    )
    history = corpus.as_of(pd.Timestamp("2010-12-31").as_unit("s"))
    columns = build_features(history, candidate_pairs(history, task).pairs, task, seed=1).columns.columns
    assert any("cited_npl" in name for name in columns)
    words = {name: in_words(name) for name in columns}
    assert all(text and "_" not in text for text in words.values())


def test_an_unknown_feature_is_an_error_not_a_guess() -> None:
    with pytest.raises(KeyError):
        in_words("network__unheard_of__all__lag0")


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ("graph__cosine__all__lag0", "likeness of their places in the network"),
        ("text__l1__w3__lag0", "distance (L1) of their patents' texts, in the last 3 years"),
        ("network__neighbours_min__w3__lag3", "number of partner codes, of the weaker one, in the 3 years before"),
        (
            "cooccurrence__item_based__decayed__lag0",
            "how often codes like one met the other, recent patents counting more",
        ),
        ("bibliometric__joint_patents__w1__lag0", "patents that carry both, in the last year"),
    ],
)
def test_words(feature: str, words: str) -> None:
    assert in_words(feature) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.9999, "top 0.1 % of candidates"),
        (0.8, "top 20 % of candidates"),
        (0.74, "middle of the candidates"),
        (0.26, "middle of the candidates"),
        (0.005, "lowest 0.5 % of candidates"),
    ],
)
def test_standing(share: float, words: str) -> None:
    assert standing(share) == words
