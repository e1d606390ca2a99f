"""From source files to a corpus, with an account in which every row read is found again."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import schemas
from pipeline.corpus.families import Families, representatives, resolve_citations
from pipeline.corpus.names import normalise_parties
from pipeline.corpus.readers import FLAT, SourceTable, read_source
from pipeline.corpus.symbols import parse_symbols
from pipeline.corpus.timeline import Corpus, last_day
from pipeline.errors import CorpusError

_SHOWN = 200  # characters of an offending value that the quarantine keeps


@dataclasses.dataclass(frozen=True)
class Account:
    """What became of the rows read; refuses numbers that do not add up."""

    read: int
    kept: int
    merged_families: int
    exact_repeats: int
    quarantined: int

    def __post_init__(self) -> None:
        if self.read != self.kept + self.merged + self.quarantined:
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
class Ingested:
    """A corpus, what could not be used (schema ``Quarantine``), and where it all came from."""

    corpus: Corpus
    quarantine: pd.DataFrame
    account: Account
    sources: tuple[Source, ...]
    families: Families
    warnings: tuple[str, ...]


def ingest(paths: Sequence[Path], families: Families = "merge") -> Ingested:
    """Read source files into one corpus.

    Raises:
        CorpusError: when a file cannot be read, or no row of any can be used.
    """
    return ingest_tables([read_source(path) for path in paths], families)


def ingest_tables(tables: Sequence[SourceTable], families: Families = "merge") -> Ingested:
    """Make one corpus of flat tables.

    *Exact repeats* are dropped: rows of equal id and equal content, and rows that agree in all but an id that is a mere
    row number. An id is a publication number, which makes rows two documents whatever else they share, when it
    starts with its row's office code (at most two letters of kind after it) and a digit: US7155747 and JPH0712345 are;
    GA00000 of office FR is not. Where the office is lacking nothing tells the two apart, and every id counts as one.

    *Quarantined* are rows without an id, a valid date or a valid symbol of any scheme, and rows whose id a usable row
    of an earlier date (or of the same date, further up) has with other content. Symbols and values of a
    kept row that are invalid are quarantined by themselves; the row goes on without them.

    The knowledge date is ``date``. The filing date is ``app_date``, or ``date`` where ``date_kind`` says application.
    """
    rows = _stack(tables)
    repeats = _exact_repeats(rows)
    unique = rows[~repeats]
    symbols = _symbols(unique)
    reasons = _unusable(unique, symbols)
    reasons = _claimed_twice(unique, reasons)
    documents = unique[reasons == ""]
    ids = representatives(documents, families)
    patents = documents[documents["patent_id"] == ids].sort_values(["knowledge_date", "patent_id"], kind="stable")
    values, faults = _values(patents)
    parties, nameless = _parties(patents)
    patent_codes, invalid = _codes(patents, symbols)
    members = (
        documents[["patent_id", "knowledge_date", "office"]]
        .rename(columns={"patent_id": "member_id"})
        .assign(patent_id=ids)
        .sort_values(["knowledge_date", "member_id"], kind="stable")
    )
    quarantine = _quarantine(tables, rows, [_row_faults(unique, reasons), invalid, faults, nameless])
    account = Account(
        read=sum(table.rows for table in tables),
        kept=len(patents),
        merged_families=len(documents) - len(patents),
        exact_repeats=int(repeats.sum()),
        quarantined=sum(table.malformed for table in tables) + len(unique) - len(documents),
    )
    if not account.kept:
        raise CorpusError(f"no row of {_names(tables)} can be used: {_commonest(quarantine)}")
    corpus = Corpus(
        patents=_conform(values, schemas.Patents),
        patent_codes=_conform(patent_codes, schemas.PatentCodes),
        citations=_conform(_citations(patents, members), schemas.Citations),
        parties=_conform(parties, schemas.Parties),
        members=_conform(members, schemas.Members),
        cutoff=last_day(members),
    )
    return Ingested(
        corpus=corpus,
        quarantine=_conform(quarantine, schemas.Quarantine),
        account=account,
        sources=tuple(Source(table.name, table.format, table.sha256, table.rows) for table in tables),
        families=families,
        warnings=_warnings(tables, patents),
    )


def _warnings(tables: Sequence[SourceTable], patents: pd.DataFrame) -> tuple[str, ...]:
    ignored = [
        f"{table.name}: columns ignored: {', '.join(map(repr, table.ignored))}" for table in tables if table.ignored
    ]
    told = [f"{table.name}: {warning}" for table in tables for warning in table.warnings]
    filed = (patents["date_kind"].str.lower() == "application").mean()
    early = (
        f"dates: {filed:.0%} of the patents are dated by application, some 18 months before anyone could read them: a "
        "cutoff sees them too early, and the last two years of the data are incomplete, so outcomes there are too few"
    )
    return (*ignored, *told, early) if filed else (*ignored, *told)


def _stack(tables: Sequence[SourceTable]) -> pd.DataFrame:
    """All rows one under the other, with their source's number, their row number and parsed dates."""
    if not tables:
        raise CorpusError("no source file given: name at least one Parquet or CSV file")
    frames = [table.frame.assign(source=number, row=table.frame.index) for number, table in enumerate(tables)]
    rows = pd.concat(frames, ignore_index=True)
    return rows.assign(knowledge_date=_dates(rows["date"]), known_filing=_dates(rows["app_date"]))


def _dates(texts: pd.Series) -> pd.Series:
    """Calendar days of ISO dates; NaT for anything else, such as 0001-01-01 or 9999-12-31 put for an unknown day."""
    iso = texts.where(texts.str.fullmatch(r"(?:1[7-9]|2[01])[0-9]{2}-[0-9]{2}-[0-9]{2}"))
    return pd.to_datetime(iso, format="%Y-%m-%d", errors="coerce").astype("datetime64[s]")


def _exact_repeats(rows: pd.DataFrame) -> pd.Series:
    named = rows["patent_id"] != ""
    content = list(FLAT[1:])
    shared = rows[named & rows["patent_id"].duplicated(keep=False)]
    repeated = pd.Series(False, index=rows.index)
    repeated.loc[shared.index] = shared.duplicated(list(FLAT))
    numbered = rows[named & ~_publication_numbers(rows)]
    repeated.loc[numbered.index] |= numbered.duplicated(content)
    return repeated


def _publication_numbers(rows: pd.DataFrame) -> pd.Series:
    office = rows["patent_id"].str.extract(r"^([A-Z]{2})[A-Z]{0,2}[0-9]", expand=False)
    return (rows["office"] == "") | (office == rows["office"].str.upper()).fillna(False)


def _explode(texts: pd.Series) -> pd.DataFrame:
    """The non-empty entries of ``;``-joined lists: their position, and as index the label of their row."""
    lists = pc.split_pattern(pa.array(texts.to_numpy(), pa.large_string()), ";")
    parents = pc.list_parent_indices(lists).to_numpy()
    position = np.arange(len(parents)) - np.asarray(lists.offsets)[parents]
    value = pd.Series(lists.flatten(), dtype="str").str.strip()
    entries = pd.DataFrame({"position": position, "value": value.to_numpy()}).astype({"value": "str"})
    entries.index = texts.index[parents]
    return entries[(entries["value"] != "").to_numpy()]


def _symbols(rows: pd.DataFrame) -> pd.DataFrame:
    """All symbols of all rows; ``symbol`` is missing where the entry is none of its scheme."""
    tables = []
    for scheme in schemas.SCHEMES:
        entries = _explode(rows[scheme])
        tables.append(entries.assign(scheme=scheme, symbol=parse_symbols(entries["value"], scheme).astype("str")))
    return pd.concat(tables)


def _unusable(rows: pd.DataFrame, symbols: pd.DataFrame) -> pd.Series:
    """Why each row cannot be used; empty where it can."""
    coded = rows.index.isin(symbols.index[symbols["symbol"].notna()])
    reason = pd.Series("", index=rows.index, dtype="str")
    reason = reason.mask(~coded, "no valid IPC or CPC symbol")
    reason = reason.mask(
        rows["knowledge_date"].isna(), "date is not a day of 1700 to 2199 written YYYY-MM-DD or YYYYMMDD"
    )
    reason = reason.mask(rows["date"] == "", "no date")
    return reason.mask(rows["patent_id"] == "", "no patent_id")


def _claimed_twice(rows: pd.DataFrame, reasons: pd.Series) -> pd.Series:
    usable = rows[reasons == ""].sort_values("knowledge_date", kind="stable")  # the order of a file decides nothing
    later = usable.index[usable["patent_id"].duplicated()]
    return reasons.mask(reasons.index.isin(later), "another row has this patent_id with other content")


def _row_faults(rows: pd.DataFrame, reasons: pd.Series) -> pd.DataFrame:
    bad = rows[reasons != ""]
    why = reasons[reasons != ""]
    value = bad["date"].where(why.str.startswith("date"), "")
    value = value.mask(why.str.startswith("no valid"), bad["ipc"].str.cat(bad["cpc"], sep=";").str.strip(";"))
    return pd.DataFrame({"kind": "row", "reason": why, "value": value})


def _values(patents: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The patents table, and the values that had to be left out of it."""
    filed, stated = patents["known_filing"], patents["app_date"] != ""
    after = filed > patents["knowledge_date"]
    digits = patents["claims_count"].str.fullmatch(r"[0-9]{1,9}")
    count = patents["claims_count"].where(digits)
    of_application = patents["date_kind"].str.lower() == "application"
    table = patents.assign(
        filing_date=filed.mask(after).mask((filed.isna() | after) & of_application, patents["knowledge_date"]),
        claims_count=pd.to_numeric(count).astype("Int32"),
    )
    faults = [
        _value_faults(
            patents["app_date"],
            stated & filed.isna(),
            "app_date is not a day of 1700 to 2199 written YYYY-MM-DD or YYYYMMDD",
        ),
        _value_faults(patents["app_date"], after, "app_date lies after date"),
        _value_faults(
            patents["claims_count"], (patents["claims_count"] != "") & ~digits, "claims_count is not a number"
        ),
    ]
    return table, pd.concat(faults)


def _value_faults(values: pd.Series, bad: pd.Series, reason: str) -> pd.DataFrame:
    return pd.DataFrame({"kind": "value", "reason": reason, "value": values[bad]})


def _codes(patents: pd.DataFrame, symbols: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    order = pd.Series(np.arange(len(patents)), index=patents.index)
    table = symbols[symbols.index.isin(patents.index)]
    table = table.assign(order=order.reindex(table.index), patent_id=patents["patent_id"].reindex(table.index))
    table = table.sort_values(["order", "scheme", "position"], ascending=[True, False, True], kind="stable")
    invalid = table[table["symbol"].isna()]
    reasons = "not a symbol of " + invalid["scheme"].str.upper()
    valid = table[table["symbol"].notna()].drop_duplicates(["order", "scheme", "symbol"], ignore_index=True)
    valid = valid.assign(position=valid["position"].clip(upper=np.iinfo("int16").max))
    return valid, pd.DataFrame({"kind": "symbol", "reason": reasons, "value": invalid["value"]})


def _citations(patents: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    tables = []
    for kind, column in (("patent", "cited_ids"), ("npl", "cited_npl")):
        entries = _explode(patents[column]).rename(columns={"value": "cited"})
        tables.append(entries.assign(kind=kind))
    entries = pd.concat(tables)
    source = patents.loc[entries.index]
    order = pd.Series(np.arange(len(patents)), index=patents.index)
    entries = entries.assign(
        citing=source["patent_id"], citing_date=source["knowledge_date"], order=order.loc[entries.index]
    )
    entries = entries.sort_values(["order", "kind", "position"], ascending=[True, False, True], kind="stable")
    return resolve_citations(entries[["citing", "citing_date", "cited", "kind"]], members)


def _parties(patents: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    tables = []
    for role in schemas.ROLES:
        entries = _explode(patents[f"{role}s"]).rename(columns={"value": "name"})
        tables.append(entries.assign(role=role, party_id=normalise_parties(entries["name"], role)))
    entries = pd.concat(tables)
    entries = entries.assign(
        patent_id=patents["patent_id"].loc[entries.index],
        order=pd.Series(np.arange(len(patents)), index=patents.index).loc[entries.index],
    )
    entries = entries.sort_values(["order", "role", "position"], kind="stable")
    nameless = entries[entries["party_id"] == ""]
    faults = pd.DataFrame(
        {"kind": "value", "reason": "a party's name holds no letter or digit", "value": nameless["name"]}
    )
    named = entries[entries["party_id"] != ""].drop_duplicates(["order", "role", "party_id"], ignore_index=True)
    return named, faults


def _quarantine(tables: Sequence[SourceTable], rows: pd.DataFrame, faults: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All faults in the order of the sources' rows, those of the readers included."""
    own = pd.concat(faults)
    places = rows.loc[own.index, ["source", "row", "patent_id"]]
    read = [table.faults.assign(source=number) for number, table in enumerate(tables) if len(table.faults)]
    found = pd.concat([places.assign(**own), *read])
    found = found.sort_values(["source", "row"], kind="stable", ignore_index=True)
    names = dict(enumerate(table.name for table in tables))
    found = found.assign(source=found["source"].map(names), value=found["value"].str.slice(0, _SHOWN))
    return found


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
