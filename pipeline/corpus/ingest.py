"""From source files to a corpus, with an account in which every row read is found again."""

import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import schemas
from pipeline.corpus import entries
from pipeline.corpus.aliases import NO_ALIASES, Aliases
from pipeline.corpus.families import BY_PRIORITY, Families, Standing, representatives
from pipeline.corpus.readers import SourceTable, read_source
from pipeline.corpus.rows import SHOWN, corrected, exact_repeats, history, stack, unusable
from pipeline.corpus.spill import Ordered, rows_at_once
from pipeline.corpus.timeline import Corpus, last_day
from pipeline.corpus.validity import SymbolList
from pipeline.errors import CorpusError

_OF_PATENTS = (  # what is held of the rows that become patents
    "patent_id", "knowledge_date", "date_kind", "date_precision", "app_date", "app_fault", "family_id", "office",
)  # fmt: skip
_NAMED = 40  # columns of a source that are named when they are ignored


@dataclasses.dataclass(frozen=True)
class Account:
    """What became of the rows read; refuses numbers that do not add up."""

    read: int
    kept: int
    merged_families: int
    exact_repeats: int
    quarantined: int
    replaced: int = 0  # by a later file's correction

    def __post_init__(self) -> None:
        if self.read != self.kept + self.merged + self.replaced + self.quarantined:
            raise AssertionError(f"rows do not add up: {self}")

    @property
    def merged(self) -> int:
        """Rows that another row stands for."""
        return self.merged_families + self.exact_repeats


@dataclasses.dataclass(frozen=True)
class Source:
    """One file that went in."""

    name: str
    format: str
    sha256: str
    rows: int


@dataclasses.dataclass(frozen=True)
class Cleaning:
    """How rows become a corpus; ``symbol_list``: without it every IPC symbol of the right form counts."""

    families: Families = "merge"
    aliases: Aliases = NO_ALIASES
    symbol_list: SymbolList | None = None


@dataclasses.dataclass(frozen=True)
class Ingested:
    """A corpus, what could not be used (schema ``Quarantine``), what was corrected (``History``), and all it came from.

    ``notes``: numbers beside the account: values mended (``mended``), IPC codes out of force (``out_of_force``).
    """

    corpus: Corpus
    quarantine: pd.DataFrame
    history: pd.DataFrame
    account: Account
    tables: tuple[SourceTable, ...]
    cleaning: Cleaning
    warnings: tuple[str, ...]
    notes: dict[str, dict[str, int]]

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files, in the order in which they came in."""
        return _sources(self.tables)

    @property
    def members(self) -> pd.DataFrame:
        """The corpus's table of that name."""
        return self.corpus.members

    def pieces(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """The corpus's tables by name, each whole."""
        for name in ("members", "patents", "patent_codes", "citations", "parties"):
            yield name, getattr(self.corpus, name)
        yield "quarantine", self.quarantine
        yield "history", self.history


def ingest(
    paths: Sequence[Path], families: Families = "merge", format: str | None = None, mapping: Path | None = None
) -> Ingested:
    """Read source files into one corpus, each as its content says, or all in one format or by one mapping file.

    Raises:
        CorpusError: when a file cannot be read, or no row of any can be used.
        ConfigError: when there is no such format, or the mapping file is wrong.
    """
    return ingest_tables([read_source(path, format, mapping) for path in paths], families)


def ingest_tables(
    tables: Sequence[SourceTable], families: Families = "merge", cleaning: Cleaning | None = None
) -> Ingested:
    """Make one corpus of flat tables in memory, as ``Assembly`` says; ``cleaning`` goes before ``families``.

    Raises:
        CorpusError: when no row can be used.
    """
    how = cleaning or Cleaning(families)
    with tempfile.TemporaryDirectory(prefix="techconverge-") as scratch:
        made = Assembly(tables, how, Path(scratch))
        pieces: dict[str, list[pd.DataFrame]] = {}
        for name, piece in made.pieces():
            pieces.setdefault(name, []).append(piece)
    whole = {name: pd.concat(parts, ignore_index=True) for name, parts in pieces.items()}
    return Ingested(
        corpus=Corpus(
            patents=whole["patents"],
            patent_codes=whole["patent_codes"],
            citations=whole["citations"],
            parties=whole["parties"],
            members=made.members,
            cutoff=last_day(made.members),
        ),
        quarantine=whole["quarantine"],
        history=whole["history"],
        account=made.account,
        tables=made.tables,
        cleaning=how,
        warnings=made.warnings,
        notes=made.notes,
    )


class Assembly:
    """Flat tables on their way to a corpus: what becomes of each row is decided; the tables then come in pieces.

    *Exact repeats* are dropped: rows of equal id and equal content, and rows that agree in all but an id that is a mere
    row number. An id is a publication number, which makes rows two documents whatever else they share, when it
    starts with its row's office code (at most two letters of kind after it) and a digit: US7155747 and JPH0712345 are;
    GA00000 of office FR is not. Where the office is lacking nothing tells the two apart, and every id counts as one.

    *Quarantined* are rows without an id, a valid date or a valid symbol of any scheme, and rows whose id a usable row
    of an earlier date (or of the same date, further up) has with other content. Symbols and values of a
    kept row that are invalid are quarantined by themselves; the row goes on without them.

    *Replaced* are rows that a row of a later file corrects (see ``rows.corrected``); the history says what it changed.

    The knowledge date is ``date``, at the end of its month or year where the source says no more. The filing date is
    ``app_date``, or ``date`` where ``date_kind`` says application.

    ``account``: what became of the rows; ``members``: the table of that name. ``scratch``: a folder for
    temporary files.

    Raises:
        CorpusError: when no row can be used.
    """

    def __init__(self, tables: Sequence[SourceTable], cleaning: Cleaning, scratch: Path) -> None:
        self.tables, self.cleaning, self._scratch = tuple(tables), cleaning, scratch
        stacked = stack(tables, cleaning.symbol_list)
        rows, self._texts = stacked.rows, stacked.texts
        repeats = exact_repeats(rows, self._texts)
        unique = rows[~repeats]
        reasons, self._replacements = corrected(unique, unusable(unique))
        usable = unique[reasons == ""]
        documents = usable[~usable.index.isin(self._replacements["before"])]
        ids = representatives(documents, cleaning.families)
        patents = documents.loc[documents["patent_id"] == ids, list(_OF_PATENTS)]
        self._patents = patents.sort_values(["knowledge_date", "patent_id"], kind="stable")
        self._row_faults = _row_faults(unique, reasons, stacked.uncoded)
        self._places = rows[["source", "row", "patent_id"]]
        self._corrections = rows.loc[np.unique(self._replacements.to_numpy())]  # and what they replace
        self.account = Account(
            read=sum(table.rows for table in tables),
            kept=len(self._patents),
            merged_families=len(documents) - len(self._patents),
            exact_repeats=int(repeats.sum()),
            quarantined=sum(table.malformed for table in tables) + len(unique) - len(usable),
            replaced=len(self._replacements),
        )
        if not self.account.kept:
            raise CorpusError(f"no row of {_names(tables)} can be used: {_commonest(self._quarantine([]))}")
        members = (
            documents[["patent_id", "knowledge_date", "office"]]
            .rename(columns={"patent_id": "member_id"})
            .assign(patent_id=ids)
            .sort_values(["knowledge_date", "member_id"], kind="stable")
        )
        self.members = _conform(members, schemas.Members)
        self._doubtful = stacked.doubtful[stacked.doubtful.index.isin(self._patents.index)]
        self.notes: dict[str, dict[str, int]] = {"mended": stacked.mended}
        if cleaning.symbol_list is not None:
            self.notes["out_of_force"] = {}

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files, in the order in which they came in."""
        return _sources(self.tables)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of the corpus, a line each; whole when the last piece has been taken."""
        return _warnings(self.tables, self._patents, len(self._doubtful), self.notes)

    def pieces(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """The corpus's tables by name, each in one piece or several; all that is said of a patent is in one.

        They can be taken once. ``notes`` and ``warnings`` grow by what is found on the way.
        """
        yield "members", self.members
        rows = len(self._places)
        at_once = rows_at_once(self._texts.size, rows)
        patents = Ordered(self._scratch, self._patents.index.to_numpy(), rows, at_once)
        for texts in self._texts:
            patents.add(texts)
        standing = Standing(self.members)
        invalid, faults, nameless = [], [], []
        told = 0
        for texts in patents:
            piece = pd.concat([self._patents.iloc[told : told + len(texts)], texts], axis="columns")
            told += len(texts)
            values, bad = entries.values(piece)
            faults.append(bad)
            parties, bad = entries.parties(piece, self.cleaning.aliases.keys)
            nameless.append(bad)
            codes, bad = entries.codes(piece, entries.symbols_of(piece, self.cleaning.symbol_list))
            invalid.append(bad)
            self._note(codes, piece)
            yield "patents", _conform(values, schemas.Patents)
            yield "patent_codes", _conform(codes, schemas.PatentCodes)
            yield "citations", _conform(entries.citations(piece, standing), schemas.Citations)
            yield "parties", _conform(parties, schemas.Parties)
        found = self._quarantine([*invalid, *faults, *nameless, self._doubtful])
        yield "quarantine", _conform(found, schemas.Quarantine)
        names = [table.name for table in self.tables]
        changed = history(self._corrections, self._texts, self._replacements, names)
        yield "history", _conform(changed, schemas.History)

    def _note(self, codes: pd.DataFrame, patents: pd.DataFrame) -> None:
        """Count the codes out of force."""
        if self.cleaning.symbol_list is not None:
            known = patents.set_index("patent_id")["knowledge_date"].loc[codes["patent_id"]]
            for when, count in self.cleaning.symbol_list.out_of_force(codes, known).items():
                self.notes["out_of_force"][when] = self.notes["out_of_force"].get(when, 0) + count

    def _quarantine(self, faults: Sequence[pd.DataFrame]) -> pd.DataFrame:
        """All faults in the order of the sources' rows, those of the readers and of whole rows included."""
        own = pd.concat([self._row_faults, *faults])
        places = self._places.loc[own.index]
        read = [table.faults.assign(source=number) for number, table in enumerate(self.tables) if len(table.faults)]
        found = pd.concat([places.assign(**own), *read])
        found = found.sort_values(["source", "row"], kind="stable", ignore_index=True)
        names = dict(enumerate(table.name for table in self.tables))
        return found.assign(source=found["source"].map(names), value=found["value"].str.slice(0, SHOWN))


def _warnings(
    tables: Sequence[SourceTable], patents: pd.DataFrame, doubtful: int, notes: dict[str, dict[str, int]]
) -> tuple[str, ...]:
    warnings = [f"{table.name}: {warning}" for table in tables for warning in table.warnings]
    warnings += [f"{table.name}: columns ignored: {_listed(table.ignored)}" for table in tables if table.ignored]
    for kind in ("application", "priority"):
        share = (patents["date_kind"] == kind).mean()
        if share:
            warnings.append(
                f"dates: {share:.0%} of the patents are dated by {kind}, some 18 months before anyone could read them: "
                "a cutoff sees them too early, and the last two years of the data are incomplete, so outcomes there "
                "are too few"
            )
    coarse = (patents["date_precision"] != schemas.PRECISIONS[0]).mean()
    if coarse:
        warnings.append(f"dates: {coarse:.1%} of the patents have only a month or year: they count as known at its end")
    made = patents["family_id"].str.startswith(BY_PRIORITY).mean()
    if made:
        warnings.append(
            f"families: those of {made:.0%} of the patents are made of their priorities, since the source names none: "
            "documents of exactly the same priorities are one family"
        )
    if notes["mended"]:
        told = ", ".join(f"{count:,} of {name}" for name, count in notes["mended"].items())
        warnings.append(f"encodings: mended {told}, whose bytes had been read in the wrong encoding")
    if doubtful:
        warnings.append(f"encodings: {doubtful:,} texts look wrongly decoded and are kept as they are")
    for when, count in notes.get("out_of_force", {}).items():
        if count:
            what = "before they came into force" if when == "before" else "after they went out of force"
            warnings.append(f"codes: {count:,} IPC entries stand on patents {what}, by the list of symbols given")
    return tuple(warnings)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:_NAMED]))
    return shown + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")


def _row_faults(rows: pd.DataFrame, reasons: pd.Series, uncoded: pd.Series) -> pd.DataFrame:
    bad = rows[reasons != ""]
    why = reasons[reasons != ""]
    value = bad["date"].where(why.str.startswith("date"), "")
    value = value.mask(why.str.startswith("no valid"), uncoded.reindex(bad.index))
    return pd.DataFrame({"kind": "row", "reason": why, "value": value})


def _sources(tables: Sequence[SourceTable]) -> tuple[Source, ...]:
    return tuple(Source(table.name, table.format, table.sha256, table.rows) for table in tables)


def _conform(table: pd.DataFrame, schema: type[schemas.Table]) -> pd.DataFrame:
    columns = list(schema.to_schema().columns)
    return schemas.validate(table[columns].reset_index(drop=True), schema, schema.__name__)


def _names(tables: Sequence[SourceTable]) -> str:
    return ", ".join(table.name for table in tables)


def _commonest(quarantine: pd.DataFrame) -> str:
    rows = quarantine[quarantine["kind"] == "row"]
    if rows.empty:
        return "there is none"
    counts = rows["reason"].value_counts()
    return f"{counts.iloc[0]} of {len(rows)} rows: {counts.index[0]}"
