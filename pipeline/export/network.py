"""The convergence network for other programs: GraphML, GEXF, and VOSviewer's map and network files."""

import html
import re
from collections.abc import Mapping
from typing import Any

import networkx as nx
import pandas as pd

from pipeline.corpus.titles import title_of
from pipeline.report.words import SECTIONS, clean
from pipeline.schemas import PAIR

FORECASTS = 500  # of the ranked list, that become links
_NOT_XML = re.compile("[\ufffe\uffff]")


def convergence_network(codes: pd.DataFrame, links: pd.DataFrame, ranked: pd.DataFrame, seed: int) -> nx.Graph:
    """Codes as nodes, existing and forecast links as edges, with what the run knows of them.

    A node has ``title``, ``section``, ``patents``, ``recent_patents``, ``firm_patents`` (where the code was a
    candidate) and ``community`` (from 1, the largest first; Louvain on the existing links by joint patents). An edge
    has ``kind``: ``existing``, with ``joint`` patents; ``forecast``, with ``probability`` and ``rank``; or
    ``strengthening``, which is both. ``weight`` is ``joint`` where there is one, else the probability.
    """
    graph: nx.Graph = nx.Graph()
    about = codes.drop_duplicates("code").set_index("code")
    names = [*about.index, *links[PAIR].to_numpy().ravel(), *ranked[PAIR].to_numpy().ravel()]
    for code in sorted(set(map(str, names))):
        graph.add_node(code, label=_text(code), **_of_code(code, about))
    for a, b, joint in links[[*PAIR, "joint"]].itertuples(index=False, name=None):
        graph.add_edge(str(a), str(b), kind="existing", joint=int(joint), weight=float(joint))
    place = "firm_rank" if "firm_rank" in ranked else "rank"
    for row in ranked.sort_values(place, kind="stable").head(FORECASTS).to_dict("records"):
        a, b = str(row["code_a"]), str(row["code_b"])
        known = graph.get_edge_data(a, b, {})
        graph.add_edge(a, b, **{"weight": float(row["probability"]), **known, **_of_forecast(row, bool(known))})
    nx.set_node_attributes(graph, _communities(graph, seed), "community")
    return graph


def _of_code(code: str, about: pd.DataFrame) -> dict[str, Any]:
    known: Mapping[Any, Any] = about.loc[code].to_dict() if code in about.index else {}
    told = {"title": _text(str(known.get("title") or title_of(code))), "section": SECTIONS.get(code[:1], "")}
    counts = {name: int(known[name]) for name in ("patents", "recent_patents", "firm_patents") if name in known}
    return told | counts


def _of_forecast(row: Mapping[Any, Any], linked: bool) -> dict[str, Any]:
    told = {"kind": "strengthening" if linked else "forecast", "probability": float(row["probability"])}
    told |= {"rank": int(row["rank"])}
    return told | ({"firm_rank": int(row["firm_rank"]), "firm_type": str(row["type"])} if "firm_rank" in row else {})


def _communities(graph: nx.Graph, seed: int) -> dict[str, int]:
    """The community of every code, numbered from 1 by falling size, then by first code; a lone code has its own."""
    existing: nx.Graph = nx.Graph()
    existing.add_nodes_from(graph)
    existing.add_weighted_edges_from((a, b, joint) for a, b, joint in graph.edges(data="joint") if joint)
    found = sorted(nx.community.louvain_communities(existing, seed=seed), key=lambda part: (-len(part), min(part)))
    return {code: number for number, part in enumerate(found, start=1) for code in part}


def graphml(graph: nx.Graph) -> str:
    """The network as a GraphML document (yEd, Cytoscape, igraph)."""
    return "\n".join(nx.generate_graphml(graph, named_key_ids=True)) + "\n"


def gexf(graph: nx.Graph) -> str:
    """The network as a GEXF 1.2 document (Gephi), without the day it was written, so that bytes depend on content."""
    text = "\n".join(nx.generate_gexf(graph, version="1.2draft"))
    return re.sub(r' lastmodifieddate="[^"]*"', "", text) + "\n"


def vosviewer(graph: nx.Graph) -> dict[str, str]:
    """VOSviewer's files by name: one map of the codes, one network of the existing links by joint patents, and one of
    the forecast links by probability; both networks go with the map."""
    number = {code: place for place, code in enumerate(graph, start=1)}
    header = ["id", "label", "description", "cluster", "weight<Patents>", "weight<Links>", "score<Firm patents>"]
    rows = [header]
    for code, about in graph.nodes(data=True):
        # a description may hold HTML, so the title, which may be anyone's, is escaped
        description = f"{html.escape(code)}: {html.escape(about['title'])}"
        counts = (about.get("patents", 0), graph.degree(code), about.get("firm_patents", 0))
        cluster = min(about["community"], 1000)  # as many as VOSviewer knows
        rows.append([str(number[code]), _quoted(code), _quoted(description), str(cluster), *map(str, counts)])
    networks = {
        name: [
            [str(number[a]), str(number[b]), f"{strength:.6g}"]
            for a, b, strength in graph.edges(data=attribute)
            if strength is not None
        ]
        for name, attribute in (("existing", "joint"), ("forecast", "probability"))
    }
    files = {"vosviewer_map.txt": rows, **{f"vosviewer_{name}.txt": part for name, part in networks.items()}}
    return {name: "".join("\t".join(row) + "\n" for row in part) for name, part in files.items()}


def _quoted(text: str) -> str:
    """One field: tabs and line ends would break the table, and a comma or semicolon asks for quotes."""
    return '"' + re.sub(r"\s+", " ", _text(text)).replace('"', "'") + '"'


def _text(text: str) -> str:
    return _NOT_XML.sub("", clean(text))
