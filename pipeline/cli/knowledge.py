"""``techconverge knowledge``: what may be cited to a judge, kept in a folder beside the corpus."""

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import Corpus, progress_log
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.corpus.timeline import Corpus as Timeline
    from pipeline.knowledge.store import Manifest
    from pipeline.knowledge.update import Account

app = typer.Typer(help="The knowledge base: patents and a firm's documents, to be found again and cited.")

BaseOption = Annotated[
    Path | None, typer.Option("--base", help="The knowledge base; by default a folder `knowledge` beside the corpus.")
]


@app.command()
def add(
    corpus: Corpus,
    documents: Annotated[
        list[Path] | None, typer.Argument(help="Documents of the firm: txt, md, html, pdf, docx.")
    ] = None,
    firm: Annotated[
        str | None, typer.Option(help="The firm whose documents these are, or its YAML file; no other sees them.")
    ] = None,
    date: Annotated[
        datetime.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="When documents that state no date themselves were known."),
    ] = None,
    base: BaseOption = None,
    encoder: Annotated[
        str | None, typer.Option(help="minilm, hashing, or a model's name or path; by default the base's, else minilm.")
    ] = None,
) -> None:
    """Add the patents of a corpus and documents of a firm; only what is new or has changed is done."""
    import pandas as pd

    from pipeline.config import EncoderConfig
    from pipeline.corpus.store import load_corpus, load_manifest
    from pipeline.knowledge.store import MANIFEST
    from pipeline.knowledge.store import load_manifest as load_base
    from pipeline.knowledge.update import add as add_to
    from pipeline.knowledge.update import open_encoding
    from pipeline.parts import cache_folder

    if documents and firm is None:
        raise ConfigError("documents belong to a firm: give --firm NAME")
    progress = progress_log("knowledge")
    folder = _base(corpus, base)
    progress(f"reading {corpus}")
    patents = load_corpus(corpus)
    key = _party(patents, firm) if firm else ""
    held = load_base(folder).encoder if (folder / MANIFEST).exists() else EncoderConfig()
    asked = EncoderConfig(model=encoder) if encoder and encoder != held.model else held
    day = pd.Timestamp(date).as_unit("s") if date else None
    content_hash = load_manifest(corpus)["content_hash"]
    encoding = open_encoding(asked, cache_folder())
    account = add_to(folder, patents, content_hash, documents or [], key, day, encoding, progress)
    _tell(account)
    _sum(folder, account.manifest)


@app.command()
def remove(
    corpus: Corpus,
    names: Annotated[list[str], typer.Argument(help="Names of documents, as `knowledge list` shows them.")],
    firm: Annotated[str, typer.Option(help="The firm whose documents these are, or its YAML file.")],
    base: BaseOption = None,
) -> None:
    """Remove documents of a firm."""
    from pipeline.knowledge.update import remove as remove_from
    from pipeline.opportunities.firm_names import read_firm

    folder = _base(corpus, base)
    manifest = remove_from(folder, names, read_firm(firm).key, progress_log("knowledge"))
    typer.echo(f"removed {len(set(names)):,}")
    _sum(folder, manifest)


@app.command(name="list")
def list_documents(
    corpus: Corpus,
    firm: Annotated[str | None, typer.Option(help="Only this firm's documents.")] = None,
    base: BaseOption = None,
) -> None:
    """List the documents, a line each: name, firm, date and where it is from, pages, chunks."""
    from pipeline.knowledge.store import load_manifest
    from pipeline.opportunities.firm_names import read_firm

    folder = _base(corpus, base)
    manifest = load_manifest(folder)
    key = read_firm(firm).key if firm else None
    for document in manifest.documents:
        if key in (None, document.firm):
            dated = f"{document.date} ({document.dated_by})" if document.date else "no date"
            words = (document.source, document.firm, dated, f"{document.pages:,} pages", f"{document.chunks:,} chunks")
            typer.echo("\t".join(words))
    _sum(folder, manifest)


def _base(corpus: Path, base: Path | None) -> Path:
    return base or corpus.absolute().parent / "knowledge"


def _party(corpus: "Timeline", given: str) -> str:
    """The firm's key: it must be among the corpus's assignees, where there are any."""
    from pipeline.opportunities.firm_names import match_firm, read_firm

    firm = read_firm(given)
    if (corpus.parties["role"] == "assignee").any():
        match_firm(corpus, firm)
    else:
        typer.echo(f"note: the corpus has no assignees, so {firm.name!r} is taken as it is")
    return firm.key


def _tell(account: "Account") -> None:
    """The account: everything given in one place, then what to know of it."""
    patents = account.patents
    total = patents.added + patents.replaced + patents.unchanged + patents.without_text
    typer.echo(
        f"patents {total:,} = added {patents.added:,} + replaced {patents.replaced:,} + unchanged "
        f"{patents.unchanged:,} + without text {patents.without_text:,}; no longer in the corpus: {patents.removed:,}"
    )
    if account.documents:
        count = {kind: 0 for kind in ("added", "replaced", "unchanged", "refused")}
        for document in account.documents:
            count[document.outcome] += 1
        parts = " + ".join(f"{kind} {number:,}" for kind, number in count.items())
        typer.echo(f"documents {len(account.documents):,} = {parts}")
    for document in account.documents:
        if document.note:
            typer.echo(f"{'refused' if document.outcome == 'refused' else 'note'}: {document.name} {document.note}")
    if account.encoded_anew:
        typer.echo(f"note: another encoder than before: {account.encoded_anew:,} chunks were encoded anew")


def _sum(folder: Path, manifest: "Manifest") -> None:
    typer.echo(
        f"{folder}: {manifest.chunks:,} chunks of {manifest.patents:,} patents "
        f"and {len(manifest.documents):,} documents"
    )
