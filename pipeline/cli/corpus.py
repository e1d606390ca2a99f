"""``techconverge corpus ...``: what a stored corpus holds, and which of its firms' names may be one."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.options import Corpus
from pipeline.config import Level

app = typer.Typer(name="corpus", help="Look at a corpus: what it holds, what to review.", no_args_is_help=True)


@app.command()
def describe(
    corpus: Corpus,
    level: Annotated[Level, typer.Option(help="IPC/CPC level of the codes listed.")] = "subclass",
    html: Annotated[Path | None, typer.Option(help="HTML file to write, with plots; it loads nothing.")] = None,
) -> None:
    """Say what is in a corpus: the account, years, fields, codes, firms, and what would mislead a forecast."""
    from rich.console import Console

    from pipeline.corpus.describe import describe as described
    from pipeline.corpus.store import load_corpus, load_manifest, load_quarantine
    from pipeline.report.corpus_page import write_corpus_page
    from pipeline.report.corpus_text import print_description

    manifest = load_manifest(corpus)
    description = described(load_corpus(corpus), manifest, load_quarantine(corpus), level)
    print_description(description, Console(highlight=False))
    if html is not None:
        write_corpus_page(description, manifest, corpus.absolute().name, html)
        typer.echo(f"page: {html}")


@app.command(name="similar-names")
def similar_names(
    corpus: Corpus,
    out: Annotated[Path, typer.Option("--out", help="CSV file to write, for review.")],
    min_score: Annotated[float, typer.Option(min=50, max=100, help="Likeness from which names are proposed.")] = 90,
) -> None:
    """Propose assignees that may be one firm; write yes under accept and give the file to ingest as --aliases."""
    from pipeline.artifacts import atomic_path
    from pipeline.corpus.similar import COLUMNS, for_spreadsheets
    from pipeline.corpus.similar import similar_names as proposals
    from pipeline.corpus.store import load_corpus

    found = proposals(load_corpus(corpus).parties, min_score)
    with atomic_path(out) as temporary:
        for_spreadsheets(found).to_csv(
            temporary, columns=list(COLUMNS), index=False, encoding="utf-8-sig", lineterminator="\n"
        )
    typer.echo(f"{out}: {len(found):,} pairs of names to review; nothing was merged")


def tell_ingested(manifest: dict[str, Any], out: Path) -> None:
    """Print the account of a corpus just written, its warnings and its span."""
    account = manifest["account"]
    merged = account["merged_families"] + account["exact_repeats"]
    replaced = f"+ replaced by corrections {account['replaced']:,} " if account["replaced"] else ""
    typer.echo(
        f"read {account['read']:,} = kept {account['kept']:,} + merged {merged:,} "
        f"(families {account['merged_families']:,}, exact repeats {account['exact_repeats']:,}) "
        f"{replaced}+ quarantined {account['quarantined']:,}"
    )
    for warning in manifest["warnings"]:
        typer.echo(f"note: {warning}")
    typer.echo(f"{out}: patents from {manifest['first_knowledge_date']} to {manifest['last_knowledge_date']}")
