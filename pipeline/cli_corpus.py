"""``techconverge corpus ...``: what a stored corpus holds, and which of its firms' names may be one."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.config import Level

app = typer.Typer(name="corpus", help="Look at a corpus: what it holds, what to review.", no_args_is_help=True)

Corpus = Annotated[Path, typer.Argument(help="A corpus folder, made by `techconverge ingest`.")]


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
