"""Commands that make things of patents: corpora, their summaries, tables and prior rankers."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.corpus import tell_ingested
from pipeline.cli.options import Background, Config, Corpus, Out, progress_log
from pipeline.config import Level, Scheme

app = typer.Typer()


@app.command()
def ingest(
    out: Out,
    files: Annotated[
        list[Path] | None, typer.Argument(help="Exports and tables of patents, recognised by their content.")
    ] = None,
    families: Annotated[
        Literal["merge", "keep"] | None,
        typer.Option(help="merge: an invention counts once; keep: every document counts [merge]."),
    ] = None,
    append: Annotated[bool, typer.Option("--append", help="Add the files to the corpus that stands at --out.")] = False,
    aliases: Annotated[
        Path | None, typer.Option(help="YAML or CSV of names that are one firm's: name and group.")
    ] = None,
    symbol_list: Annotated[
        Path | None, typer.Option(help="WIPO's CSV inventory of IPC symbols; others are set aside.")
    ] = None,
    format: Annotated[str | None, typer.Option(help="Take the files for this format, whatever they look like.")] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="YAML file that says which column is which; see propose-mapping.")
    ] = None,
) -> None:
    """Read what databases export, or a table of your own, into a corpus folder, or add it to one."""
    from pipeline.corpus.aliases import NO_ALIASES, read_aliases
    from pipeline.corpus.grow import append as grow
    from pipeline.corpus.grow import create
    from pipeline.corpus.ingest import Cleaning
    from pipeline.corpus.validity import read_symbol_list

    if not files and not append:
        raise typer.BadParameter("name at least one file of patents")
    groups = None if aliases is None else read_aliases(aliases)
    symbols = None if symbol_list is None else read_symbol_list(symbol_list)
    progress = progress_log("ingest")
    if append:
        grown = grow(files or [], out, progress, families, groups, symbols, format, mapping)
        for name in grown.known:
            typer.echo(f"note: {name} is in the corpus already")
        if not grown.changed:
            typer.echo(f"{out}: nothing changed")
            return
        manifest = grown.manifest
    else:
        cleaning = Cleaning(families or "merge", groups or NO_ALIASES, symbols)
        manifest = create(files or [], out, cleaning, progress, format, mapping)
    tell_ingested(manifest, out)


@app.command(name="propose-mapping")
def propose_mapping(
    file: Annotated[Path, typer.Argument(help="A table of patents of no known format: CSV, Excel, Parquet, JSON.")],
    out: Annotated[Path, typer.Option("--out", help="YAML file to write; look it through, then ingest --mapping.")],
) -> None:
    """Propose which column is which, from headers and contents, and say how sure that is and why."""
    from pipeline.corpus.readers.propose import propose, write_proposal

    proposal = propose(file)
    write_proposal(proposal, out)
    for line in proposal.told():
        typer.echo(line)
    typer.echo(f"{out}: look it through, then `techconverge ingest {file} --mapping {out} --out CORPUS`")


@app.command()
def summarise(
    corpus: Corpus,
    out: Out,
    level: Annotated[Level, typer.Option(help="IPC/CPC level of the codes.")] = "subclass",
    scheme: Annotated[Scheme, typer.Option(help="Classification.")] = "ipc",
) -> None:
    """Count the codes of a corpus month by month: a small folder that serves as --background at any cutoff."""
    from pipeline.background.summary import save_summary
    from pipeline.background.summary import summarise as count
    from pipeline.corpus.store import load_corpus, load_manifest

    progress = progress_log("summarise")
    progress(f"reading {corpus}")
    patents = load_corpus(corpus)
    progress("counting")
    manifest = save_summary(count(patents, scheme, level), out, load_manifest(corpus)["content_hash"])
    typer.echo(
        f"{out}: {manifest['patents']:,} patents, {manifest['codes']:,} codes, "
        f"from {manifest['first_day']} to {manifest['last_day']}"
    )


@app.command(name="entry-dates")
def entry_dates(
    inventory: Annotated[Path, typer.Argument(help="WIPO's CSV inventory of IPC ever used symbols.")],
    out: Annotated[Path, typer.Option("--out", help="CSV file to write; name it in a config as task.entry_dates.")],
) -> None:
    """Make a whole table of when codes came into force; without it a shipped one of the newer codes is used."""
    from pipeline.corpus.entry_dates import refreshed, write_entry_dates

    table = refreshed(inventory)
    write_entry_dates(table, out)
    typer.echo(f"{out}: {len(table):,} codes, the latest in force from {table['in_force'].max():%Y-%m-%d}")


@app.command(name="train-prior")
def train_prior(
    corpora: Annotated[list[Path], typer.Argument(help="Corpus folders; leave out those it will be tested on.")],
    out: Annotated[Path, typer.Option("--out", help="JSON file to write; name it in a config as prior_ranker.")],
    background: Background = None,
    config: Config = None,
) -> None:
    """Learn from several corpora what pairs about to converge look like, for corpora that have little past."""
    from pipeline.run_config import load_config
    from pipeline.train_prior import train_prior as train

    progress = progress_log("train-prior")
    ranker = train(corpora, background, load_config(config, {}), progress)
    ranker.save(out)
    positives = sum(corpus["positives"] for corpus in ranker.card["corpora"])
    typer.echo(f"{out}: learnt from {positives:,} new links of {len(corpora)} corpora")


@app.command()
def sample(
    out: Out,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulation.")] = 7,
    patents: Annotated[int, typer.Option(help="About how many documents.")] = 6000,
) -> None:
    """Make the simulated corpus of the demo: no real patent is in it."""
    from pipeline.corpus.store import save_corpus
    from pipeline.sample.corpus import simulated_corpus

    save_corpus(simulated_corpus(seed, patents), out, simulated=True)
    typer.echo(f"{out}: a simulated corpus, no real patents")
