"""The firm's patents and those that citations link to them."""

import networkx as nx
import numpy as np
from factories import corpus_from
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.opportunities.selection import citation_neighbourhood, firm_patents


def chain(links: list[tuple[int, int]], patents: int) -> list[dict[str, object]]:
    """Patents 0..n-1 in the order of their dates; patent i cites those j of the links (i, j)."""
    return [
        {
            "patent_id": f"US{100 + i}",
            "date": f"2010-01-{i + 1:02d}",
            "ipc": "F25B",
            "title": f"thing {i}",
            "assignees": "Acme Inc." if i == 0 else "Other AG",
            "cited_ids": [f"US{100 + j}" for k, j in links if k == i],
        }
        for i in range(patents)
    ]


def test_two_orders_reach_the_citing_and_the_cited_and_theirs() -> None:
    corpus = corpus_from(chain([(1, 0), (2, 1), (3, 2), (4, 3)], 6))
    own = firm_patents(corpus, {"acme"})
    assert np.flatnonzero(own).tolist() == [0]
    assert np.flatnonzero(citation_neighbourhood(corpus, own, orders=1)).tolist() == [0, 1]
    assert np.flatnonzero(citation_neighbourhood(corpus, own)).tolist() == [0, 1, 2]


def test_no_citations_lead_nowhere_and_no_firm_has_nothing() -> None:
    corpus = corpus_from(chain([], 3))
    assert citation_neighbourhood(corpus, firm_patents(corpus, {"acme"})).tolist() == [True, False, False]
    assert not firm_patents(corpus, ()).any()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 7), st.integers(0, 6)).filter(lambda link: link[0] > link[1]), max_size=12))
def test_the_neighbourhood_is_that_of_the_graph(links: list[tuple[int, int]]) -> None:
    corpus = corpus_from(chain(links, 8))
    graph = nx.Graph(links)
    graph.add_nodes_from(range(8))
    within = nx.single_source_shortest_path_length(graph, 0, cutoff=2)
    assert set(np.flatnonzero(citation_neighbourhood(corpus, firm_patents(corpus, {"acme"})))) == set(within)
