"""The report's figures as SVG files of their own, each with the numbers that it draws."""

import base64
import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import escape

from pipeline.report.figures import WIDE, network_map
from pipeline.report.page import environment
from pipeline.report.render import evidence_tested, ranking_context
from pipeline.report.tables import Run, metric_frame
from pipeline.report.words import VERBS
from pipeline.schemas import PAIR


@dataclasses.dataclass(frozen=True)
class Drawing:
    """One figure: ``svg``, a whole document, and its ``data``, a table or several by name."""

    name: str
    title: str
    svg: str
    data: dict[str, pd.DataFrame]

    def _repr_html_(self) -> str:
        # as an image: the style of one figure must not reach the rest of the page, nor run what a text might hold
        image = base64.b64encode(self.svg.encode()).decode()
        return f'<img alt="{escape(self.title)}" style="max-width:100%" src="data:image/svg+xml;base64,{image}">'


def drawings(run: Run) -> list[Drawing]:
    """Every figure of a run's report: the map, what was tested, and two of each pair that has a card of its own.

    A figure that the run has no numbers for is left out.
    """
    tested = evidence_tested(run.metrics)["tested"] or {}
    made = [_map(run), _baselines(run, tested), _calibration(run, tested)]
    cards = ranking_context(run)["cards"]
    for card in cards:
        made += [_evidence(card), _soon(card)]
    return [drawing for drawing in made if drawing is not None]


def drawing_of_pair(run: Run, code_a: str, code_b: str) -> list[Drawing]:
    """The figures of one pair, with the numbers the run keeps of it, whether it has a card or not."""
    rows = run.ranked[(run.ranked["code_a"] == code_a) & (run.ranked["code_b"] == code_b)]
    if rows.empty:
        return []
    one = dataclasses.replace(run, ranked=rows.reset_index(drop=True))
    card = ranking_context(one)["cards"][0]
    return [drawing for drawing in (_evidence(card), _soon(card)) if drawing is not None]


def _map(run: Run) -> Drawing | None:
    drawn = network_map(run.ranked, run.links, run.codes, WIDE, int(run.record["config"].get("seed", 0)))
    if drawn is None:
        return None
    nodes = pd.DataFrame(drawn.nodes).merge(run.codes.drop_duplicates("code").drop(columns="title"), on="code")
    lines = [
        pd.DataFrame({"kind": kind, "code_a": [line["pair"][0]], "code_b": [line["pair"][1]], name: [line[name]]})
        for kind, name, of_kind in (
            ("existing", "joint", drawn.links),
            ("forecast", "probability", drawn.forecasts[::-1]),
        )
        for line in of_kind
    ]
    return Drawing(
        name="map",
        title="The convergence network: codes, existing links and forecast links",
        svg=_svg("map", drawn, bool(run.record.get("firm")), size=(drawn.size.width, drawn.size.height)),
        data={"nodes": nodes.drop(columns=["r", "section"]), "lines": pd.concat(lines, ignore_index=True)},
    )


def _baselines(run: Run, tested: Mapping[str, Any]) -> Drawing | None:
    plot = tested.get("plot")
    if plot is None:
        return None
    table = metric_frame(run.metrics)
    scores = table[(table["cutoff"] == tested["main"]) & (table["metric"] == "average_precision")]
    data = scores.drop_duplicates("model").sort_values(["value", "model"], ascending=[False, True], ignore_index=True)
    return Drawing(
        name="baselines",
        title="Average precision of the forecast and of every baseline, with intervals",
        svg=_svg("baselines", plot, size=(760, 26 * len(plot.rows) + 34)),
        data={"": data[["model", "cutoff", "value", "low", "high", "ahead_low", "ahead_high"]]},
    )


def _calibration(run: Run, tested: Mapping[str, Any]) -> Drawing | None:
    plot = tested.get("calibration")
    if plot is None:
        return None
    data = pd.DataFrame(plot.points)[["forecast", "observed", "low", "high", "count"]]
    size = (plot.side + 82, plot.side + 60)
    return Drawing(
        name="calibration",
        title="Share that came true against the probability forecast",
        svg=_svg("calibration", plot, size=size, verb=VERBS[run.record["config"]["task"].get("track", "new")]),
        data={"": data},
    )


def _evidence(card: Mapping[str, Any]) -> Drawing | None:
    if not card["evidence"]:
        return None
    columns = {"name": "evidence", "adds": "adds", "attention": "attention"}
    data = pd.DataFrame([dataclasses.asdict(kind) for kind in card["evidence"]])[list(columns)].rename(columns=columns)
    return Drawing(
        name=f"evidence_{_pair_name(card)}",
        title=f"What each kind of evidence adds to {card['code_a']} × {card['code_b']}",
        svg=_svg("evidence", card["evidence"], card, size=(560, 24 * len(card["evidence"]) + 44)),
        data={"": data},
    )


def _soon(card: Mapping[str, Any]) -> Drawing | None:
    if not card["timing"]:
        return None
    return Drawing(
        name=f"soon_{_pair_name(card)}",
        title=f"How soon {card['code_a']} × {card['code_b']} may meet",
        svg=_svg("soon", card["timing"], size=(320, 206)),
        data={"": pd.DataFrame(card["timing"].steps)},
    )


def _pair_name(card: Mapping[str, Any]) -> str:
    """A file's name that no code, whatever it holds, can lead out of its folder."""
    a, b = (re.sub("[^A-Za-z0-9]+", "-", str(card[name]))[:24].strip("-") for name in PAIR)
    return f"{int(card['place']):03d}_{a}_{b}"


def _svg(macro: str, *arguments: Any, size: tuple[int, int], **context: Any) -> str:
    templates = environment()
    loader = templates.loader
    assert loader is not None
    style = loader.get_source(templates, "drawing.css")[0]
    drawn = str(getattr(templates.get_template("drawings.svg").make_module(context), macro)(*arguments))
    # the report's own macros draw for HTML: a document needs the namespace, and XML has neither this space's name nor
    # the two characters
    drawn = _NOT_XML.sub("", drawn[drawn.index("<svg ") : drawn.rindex("</svg>")]).replace("&nbsp;", "&#160;")
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" '
    head, _, body = drawn.replace("<svg ", opening, 1).partition(">")
    return f"{head}><style>\n{style}</style>{body}</svg>\n"


_NOT_XML = re.compile("[\ufffe\uffff]")
