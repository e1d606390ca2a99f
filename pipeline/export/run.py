"""Write a run folder's tables, network and figures into a folder, in the formats asked for."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from pipeline import __version__
from pipeline.artifacts import (
    atomic_directory,
    atomic_path,
    locked,
    read_json,
    read_table,
    sha256_file,
    write_json,
    write_table,
)
from pipeline.errors import ArtifactError, ConfigError
from pipeline.export.network import FORECASTS, convergence_network, gexf, graphml, vosviewer
from pipeline.export.tables import run_tables, write_xlsx
from pipeline.report.drawings import drawings
from pipeline.report.tables import Run, load_run
from pipeline.spreadsheets import write_csv

Format = Literal["csv", "xlsx", "parquet", "graphml", "gexf", "vosviewer", "svg"]
FORMATS: tuple[Format, ...] = get_args(Format)
RECORD = "export.json"


def export_run(run: Path, out: Path, formats: Sequence[str] = FORMATS) -> dict[str, Any]:
    """Write ``out`` whole, or nothing; the record of what is in it (``export.json``).

    Tables lie in the folder of their format, the network in ``network``, figures and their data in ``figures``.

    Raises:
        ArtifactError: ``run`` is no run, or ``out`` holds something else.
        ConfigError: a format that is not known.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise ConfigError(f"no format {', '.join(unknown)}: choose from {', '.join(FORMATS)}")
    loaded = load_run(run)
    if out.absolute().resolve() == run.absolute().resolve():
        raise ArtifactError(f"{out} is the run itself: choose another --out")
    notes: list[str] = []
    with locked(out), atomic_directory(out, RECORD, _earlier(out)) as folder:
        rows = dict(_write_tables(run, loaded, folder, formats, notes))
        _write_network(run, loaded, folder, formats, notes)
        if "svg" in formats:
            _write_figures(loaded, folder / "figures")
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        record = {
            "techconverge": __version__,
            "run": run.name,
            "formats": [name for name in FORMATS if name in formats],
            "rows": rows,
            "notes": notes,
            "files": {path.relative_to(folder).as_posix(): sha256_file(path) for path in files},
        }
        write_json(folder / RECORD, record)
    return record


def _earlier(out: Path) -> list[str]:
    """What an earlier export wrote into the folder, which may be replaced."""
    if not (out / RECORD).is_file():
        return []
    told = read_json(out / RECORD)
    files = told.get("files", {}) if isinstance(told, dict) else {}
    found = [path.relative_to(out).as_posix() for path in sorted(out.rglob("*")) if path.is_file()]
    if foreign := [name for name in found if name not in files and name != RECORD]:
        raise ArtifactError(f"{out} also holds {foreign[0]}, which would be lost: move it, or choose another --out")
    return sorted({str(name).partition("/")[0] for name in files})


def _write_tables(
    run: Path, loaded: Run, folder: Path, formats: Sequence[str], notes: list[str]
) -> Iterator[tuple[str, int]]:
    if not {"csv", "xlsx", "parquet"} & set(formats):
        return
    for name, table in run_tables(run, loaded.metrics).items():
        if "parquet" in formats:
            stored, path = run / f"{name}.parquet", folder / "parquet" / f"{name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            if stored.exists():
                shutil.copyfile(stored, path)
            else:
                write_table(path, table)
        if "csv" in formats:
            write_csv(table, folder / "csv" / f"{name}.csv")
        if "xlsx" in formats and (cut := write_xlsx(table, folder / "xlsx" / f"{name}.xlsx", Path(name).name)):
            notes.append(f"{name}.xlsx: {cut} texts are longer than a cell holds and were cut")
        yield name, len(table)


def _write_network(run: Path, loaded: Run, folder: Path, formats: Sequence[str], notes: list[str]) -> None:
    wanted = {"graphml", "gexf", "vosviewer"} & set(formats)
    if not wanted:
        return
    seed = int(loaded.record["config"].get("seed", 0))
    ranked = _ranked(run, loaded)
    graph = convergence_network(loaded.codes, loaded.links, ranked, seed)
    texts = vosviewer(graph) if "vosviewer" in wanted else {}
    texts |= {"convergence.graphml": graphml(graph)} if "graphml" in wanted else {}
    texts |= {"convergence.gexf": gexf(graph)} if "gexf" in wanted else {}
    for name, text in texts.items():
        with atomic_path(folder / "network" / name) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    notes.append(
        f"network: the strongest {len(loaded.links):,} existing links, as the run keeps them, and the first "
        f"{min(FORECASTS, len(ranked)):,} of {len(ranked):,} forecast pairs"
    )


def _ranked(run: Path, loaded: Run) -> pd.DataFrame:
    """The whole ranked list of the last cutoff, for the firm where the run has one."""
    firm = run / "opportunities.parquet"
    if firm.exists():
        return read_table(firm)
    predictions = read_table(run / "predictions.parquet")
    return predictions[predictions["cutoff"] == loaded.cutoff]


def _write_figures(loaded: Run, folder: Path) -> None:
    for drawing in drawings(loaded):
        with atomic_path(folder / f"{drawing.name}.svg") as temporary:
            temporary.write_text(drawing.svg, encoding="utf-8", newline="\n")
        for name, table in drawing.data.items():
            write_csv(table, folder / f"{drawing.name}{f'_{name}' if name else ''}.csv")
