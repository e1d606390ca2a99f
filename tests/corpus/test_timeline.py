"""The only door to the past."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from factories import corpus_from

from pipeline.corpus.timeline import Corpus, years_before
from pipeline.errors import CutoffError


@pytest.fixture
def corpus() -> Corpus:
    return corpus_from(
        [
            {
                "patent_id": "US3",
                "date": "2012-03-01",
                "ipc": "G06F 3/00;H01L 21/02",
                "cited_ids": "US1",
                "inventors": "C",
            },
            {"patent_id": "US1", "date": "2010-01-05", "ipc": "F25B 41/20;G06F 3/00;F25B 1/00", "inventors": "A"},
            {"patent_id": "US2", "date": "2011-02-28", "ipc": "F25B;A", "cited_ids": "US1", "inventors": "B"},
        ]
    )


def test_patents_stand_in_the_order_in_which_they_became_known(corpus: Corpus) -> None:
    assert corpus.patents["patent_id"].tolist() == ["US1", "US2", "US3"]
    assert corpus.cutoff == pd.Timestamp("2012-03-31"), "the month of the last document is taken to be whole"


def test_a_history_holds_the_cutoff_day_itself_and_nothing_later(corpus: Corpus) -> None:
    history = corpus.as_of(pd.Timestamp("2011-02-28"))
    assert history.patents["patent_id"].tolist() == ["US1", "US2"]
    assert set(history.patent_codes["patent_id"]) == {"US1", "US2"}
    assert history.citations["citing"].tolist() == ["US2"]
    assert history.parties["name"].tolist() == ["A", "B"]
    assert history.members["member_id"].tolist() == ["US1", "US2"]
    assert len(corpus.as_of(pd.Timestamp("2011-02-27")).patents) == 1


def test_no_history_reaches_beyond_what_is_known(corpus: Corpus) -> None:
    with pytest.raises(CutoffError, match="2012-03-31"):
        corpus.as_of(pd.Timestamp("2012-04-01"))
    with pytest.raises(CutoffError, match="2010-12-31"):
        corpus.as_of(pd.Timestamp("2010-12-31")).as_of(pd.Timestamp("2011-02-28"))


def test_embeddings_are_cut_with_their_patents(corpus: Corpus) -> None:
    embedded = corpus.with_embeddings(np.arange(6, dtype=np.float32).reshape(3, 2))
    history = embedded.as_of(pd.Timestamp("2011-12-31"))
    assert history.embeddings is not None
    assert history.embeddings.tolist() == [[0, 1], [2, 3]]
    with pytest.raises(ValueError, match="2 vectors for 3 patents"):
        corpus.with_embeddings(np.zeros((2, 2), dtype=np.float32))


def test_a_window_is_open_at_its_start(corpus: Corpus) -> None:
    assert corpus.rows_since(pd.Timestamp("2010-01-05")) == slice(1, 3)
    assert corpus.rows_since(pd.Timestamp("2010-01-04")) == slice(0, 3)


def test_incidence_counts_a_code_once_a_patent_and_leaves_out_coarser_symbols(corpus: Corpus) -> None:
    incidence = corpus.incidence("ipc", "subclass")
    assert incidence.codes.tolist() == ["F25B", "G06F", "H01L"]
    assert incidence.matrix.toarray().tolist() == [[1, 1, 0], [1, 0, 0], [0, 1, 1]]
    assert corpus.incidence("ipc", "section").codes.tolist() == ["A", "F", "G", "H"]
    assert corpus.incidence("cpc", "subclass").codes.tolist() == []


def test_joint_counts_are_the_weights_of_the_projected_graph(corpus: Corpus) -> None:
    incidence = corpus.incidence("ipc", "section")
    bipartite = nx.Graph()
    for row, column in zip(*incidence.matrix.nonzero(), strict=True):
        bipartite.add_edge(("patent", int(row)), incidence.codes[column])
    graph = nx.bipartite.weighted_projected_graph(bipartite, incidence.codes.tolist())
    expected = nx.to_numpy_array(graph, nodelist=incidence.codes.tolist())
    assert incidence.joint().toarray().tolist() == expected.tolist()


def test_a_year_before_a_leap_day_is_the_28th() -> None:
    assert years_before(pd.Timestamp("2012-02-29"), 1) == pd.Timestamp("2011-02-28")
