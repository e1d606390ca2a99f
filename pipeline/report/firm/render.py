"""Write the firm's report of a run folder in the formats asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import ArtifactError, ConfigError
from pipeline.report.firm.content import firm_codes, firm_content
from pipeline.report.firm.figures import NARROW, WIDE, matrix, portfolio, radar
from pipeline.report.firm.markdown import write_markdown
from pipeline.report.firm.tables import FirmRun, load_firm_run
from pipeline.report.firm.workbook import write_workbook
from pipeline.report.page import environment, write_page
from pipeline.report.tables import CARDS

FORMATS = ("html", "xlsx", "md")
NAME = "firm-report"
_ORDERS = {
    "probability": "probability",
    "fit": "firm fit",
    "space": "white space",
    "growth": "growth of the target topic",
}


def render_firm_report(folder: Path, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write ``firm-report.html``, ``.xlsx`` and ``.md``, those asked for, into a firm's folder.

    They are made of its files and its run's alone. The same folder gives the same bytes.

    Raises:
        ArtifactError: a table is missing or damaged.
        ConfigError: a format there is not.
    """
    if unknown := [name for name in formats if name not in FORMATS]:
        raise ConfigError(f"no format {unknown[0]!r}: choose among {', '.join(FORMATS)}, joined by commas")
    run = load_firm_run(folder)
    try:
        content = firm_content(run)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ArtifactError(f"{folder}: a record is not as this program writes it ({error!r})") from error
    written = []
    for name in dict.fromkeys(formats):
        path = folder / f"{NAME}.{name}"
        if name == "html":
            _write_html(path, run, content)
        elif name == "xlsx":
            write_workbook(path, run, content)
        else:
            write_markdown(path, content)
        written.append(path)
    return written


def _write_html(path: Path, run: FirmRun, content: dict[str, Any]) -> None:
    drawings = {card.anchor: radar({"firm": card.firm_topic, "target": card.target_topic}) for card in content["cards"]}
    top = content["judge"]["top"]
    context = {
        **content,
        "radars": drawings,
        "matrices": [matrix(run.opportunities.head(CARDS), sheet) for sheet in (WIDE, NARROW)],
        "portfolios": [portfolio(run.opportunities, firm_codes(run), wide) for wide in (True, False)],
        "orders": _ORDERS | ({"judged": "judge’s mean"} if content["judged"] else {}),
        "scale_low": 0 if top == 5 else 1,
        "scale_top": top,
        "linked": any(patent["url"] for card in content["cards"] for side in card.patents.values() for patent in side),
    }
    write_page(path, environment(), "firm.html", ["report.css", "firm.css"], ["report.js"], context)
