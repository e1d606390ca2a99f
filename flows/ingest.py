"""The flow that makes a corpus of exports, or adds those to it that are new."""

import glob
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from prefect import flow, get_run_logger

from flows.cluster import mapper_at
from flows.page import show_files, show_table
from flows.storage import at_hand
from flows.tasks import HOUR, MINUTE, Reference, file_hashes, once, reference, stage
from pipeline.artifacts import sha256_json
from pipeline.corpus.aliases import NO_ALIASES, read_aliases
from pipeline.corpus.grow import append as grow
from pipeline.corpus.grow import create
from pipeline.corpus.ingest import Cleaning
from pipeline.corpus.store import load_manifest
from pipeline.errors import CorpusError
from pipeline.mapping import in_turn
from pipeline.parts import code_hash, versions

CORPUS = ("manifest.json", "*.parquet")


@flow(name="ingest", flow_run_name="ingest-{corpus}", persist_result=False)
def ingest(
    sources: list[str],
    corpus: str = "corpus",
    append: bool = True,
    families: Literal["merge", "keep"] | None = None,
    aliases: str | None = None,
    mapping: str | None = None,
    cluster: str | None = None,
) -> str:
    """Read what databases export into a corpus folder, or add to it what is new; returns the folder.

    Args:
        sources: Exports of patents, or patterns of their names such as exports/*.csv; those that a pattern finds are
            read in the order of their names, and a later one's corrections count.
        corpus: The corpus folder.
        append: Add to the corpus what it has not got yet; where there is none it is made. If not: made anew.
        families: merge, an invention counts once, or keep, every document counts. Left out: as the corpus has it, at
            first merge.
        aliases: YAML or CSV file of names that are one firm's.
        mapping: YAML file that says which column is which.
        cluster: The address of a Dask scheduler whose workers read the files. Left out: this machine.
    """
    with at_hand(corpus, aliases, mapping, *sources) as (corpus, aliases, mapping, *sources):
        files = _found(sources)
        settings = {"append": append, "families": families, "aliases": aliases, "mapping": mapping}
        hashes = file_hashes(*files, aliases, mapping)
        key = sha256_json([hashes, settings, str(Path(corpus).absolute()), code_hash(), versions()])
        made = once(read_sources, key, [str(file) for file in files], corpus, settings, cluster)
        show_corpus(made["path"])
        return made["path"]


def _found(sources: list[str]) -> list[Path]:
    files: list[Path] = []
    for source in sources:
        found = [source] if Path(source).exists() else sorted(glob.glob(source))  # noqa: PTH207 - a Path takes no absolute pattern
        if not found:
            raise CorpusError(f"{source}: there is no such file, and none that the pattern finds")
        files += [Path(name) for name in found]
    return files


@stage("ingest", "ingest-{corpus}", 12 * HOUR, reused=True)
def read_sources(
    key: str, files: list[str], corpus: str, settings: dict[str, Any], cluster: str | None = None
) -> Reference:
    """Make the corpus, or add to it; a file that it has already is left out."""
    paths, out, log = [Path(name) for name in files], Path(corpus), get_run_logger().info
    groups = read_aliases(Path(settings["aliases"])) if settings["aliases"] else None
    mapping = Path(settings["mapping"]) if settings["mapping"] else None
    with mapper_at(cluster) as mapper:
        how: dict[str, Any] = {"mapping": mapping, "mapper": mapper or in_turn}
        if settings["append"] and (out / "manifest.json").exists():
            grown = grow(paths, out, log, settings["families"], groups, **how)
            log(f"in the corpus already: {', '.join(grown.known) or 'none'}")
        else:
            create(paths, out, Cleaning(settings["families"] or "merge", groups or NO_ALIASES), log, **how)
    return reference(out, *CORPUS)


@stage("show-corpus", "show-{corpus}", 10 * MINUTE)
def show_corpus(corpus: str) -> None:
    """Put the account, the warnings and the corpus's place on Prefect's page."""
    manifest = load_manifest(Path(corpus))
    account = pd.DataFrame({"rows": manifest["account"].keys(), "number": manifest["account"].values()})
    show_table("account", account, "Every row read is in one of them: read = all the others together")
    title = f"Patents from {manifest['first_knowledge_date']} to {manifest['last_knowledge_date']}"
    show_files("corpus", title, [Path(corpus)], manifest["warnings"])
