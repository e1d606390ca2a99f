"""From the rows of patents to the tables of values, codes, citations and parties; what cannot be used is handed back.

Faults have the columns kind, reason and value of ``schemas.Quarantine`` and the label of their row as index.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import schemas
from pipeline.corpus.dates import first_day, known_from
from pipeline.corpus.families import Standing, resolve_citations
from pipeline.corpus.languages import READ, languages
from pipeline.corpus.names import normalise_parties
from pipeline.corpus.symbols import parse_symbols
from pipeline.corpus.validity import UNKNOWN, SymbolList


def explode(texts: pd.Series) -> pd.DataFrame:
    """The non-empty entries of ``;``-joined lists: their position, and as index the label of their row."""
    lists = pc.split_pattern(pa.array(texts.to_numpy(), pa.large_string()), ";")
    parents = pc.list_parent_indices(lists).to_numpy()
    position = np.arange(len(parents)) - np.asarray(lists.offsets)[parents]
    value = pd.Series(lists.flatten(), dtype="str").str.strip()
    entries = pd.DataFrame({"position": position, "value": value.to_numpy()}).astype({"value": "str"})
    entries.index = texts.index[parents]
    return entries[(entries["value"] != "").to_numpy()]


def symbols_of(rows: pd.DataFrame, known: SymbolList | None) -> pd.DataFrame:
    """All symbols of all rows; ``symbol`` is missing, and ``fault`` says why, where the entry is none of its scheme.

    ``known``: the IPC's own list; without it every symbol of the right form is one.
    """
    tables = []
    for scheme in schemas.SCHEMES:
        entries = explode(rows[scheme])
        symbol = parse_symbols(entries["value"], scheme).astype("str")
        fault = pd.Series("", index=entries.index, dtype="str").mask(symbol.isna(), f"not a symbol of {scheme.upper()}")
        if known is not None and scheme == "ipc":
            unknown = symbol.notna() & ~known.has(symbol)
            symbol, fault = symbol.mask(unknown), fault.mask(unknown, UNKNOWN)
        tables.append(entries.assign(scheme=scheme, symbol=symbol, fault=fault))
    return pd.concat(tables)


def values(patents: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The patents table, and the values that had to be left out of it.

    A filing date that is a mere month or year stands for its end, but never lies after the knowledge date.
    """
    stated = patents["app_date"].mask(patents["app_fault"] != "", "")
    known = patents["knowledge_date"]
    end = known_from(stated)
    after = first_day(stated) > known
    filed = end.mask(after).mask((end > known) & ~after, known)
    digits = patents["claims_count"].str.fullmatch(r"[0-9]{1,9}")
    count = patents["claims_count"].where(digits)
    table = patents.assign(
        filing_date=filed.mask(filed.isna() & (patents["date_kind"] == "application"), known),
        claims_count=pd.to_numeric(count).astype("Int32"),
        language=languages(
            _beginnings(patents["title"]).str.cat(_beginnings(patents["abstract"]), sep=" ").str.strip()
        ),
    )
    faults = [
        _faults(patents["app_date"], patents["app_fault"] != "", "app_date " + patents["app_fault"]),
        _faults(patents["app_date"], after, "app_date lies after date"),
        _faults(patents["claims_count"], (patents["claims_count"] != "") & ~digits, "claims_count is not a number"),
    ]
    return table, pd.concat(faults)


def _beginnings(texts: pd.Series) -> pd.Series:
    return texts.str.slice(0, READ)  # all that is read for the language


def codes(patents: pd.DataFrame, symbols: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table of codes, IPC first, and the entries that are no symbols."""
    table = symbols[symbols.index.isin(patents.index)]
    table = table.assign(order=_order(patents, table), patent_id=patents["patent_id"].reindex(table.index))
    table = table.sort_values(["order", "scheme", "position"], ascending=[True, False, True], kind="stable")
    invalid = table[table["symbol"].isna()]
    valid = table[table["symbol"].notna()].drop_duplicates(["order", "scheme", "symbol"], ignore_index=True)
    valid = valid.assign(position=valid["position"].clip(upper=np.iinfo("int16").max))
    return valid, pd.DataFrame({"kind": "symbol", "reason": invalid["fault"], "value": invalid["value"]})


def citations(patents: pd.DataFrame, standing: Standing) -> pd.DataFrame:
    """The table of references, those to documents of the corpus pointing at the patent that stands for them."""
    tables = []
    for kind, column in (("patent", "cited_ids"), ("npl", "cited_npl")):
        entries = explode(patents[column]).rename(columns={"value": "cited"})
        tables.append(entries.assign(kind=kind))
    entries = pd.concat(tables)
    # the columns needed alone: a patent has thirty references, and its texts are long
    source = patents[["patent_id", "knowledge_date", "office"]].loc[entries.index]
    entries = entries.assign(
        citing=source["patent_id"],
        citing_date=source["knowledge_date"],
        citing_office=source["office"].mask(source["office"] == "", source["patent_id"].str.slice(0, 2)),
        order=_order(patents, entries),
    )
    entries = entries.sort_values(["order", "kind", "position"], ascending=[True, False, True], kind="stable")
    return resolve_citations(entries[["citing", "citing_date", "citing_office", "cited", "kind"]], standing)


def parties(patents: pd.DataFrame, aliases: Mapping[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table of parties, and the names without letter or digit; ``aliases``: see ``names.normalise_parties``."""
    tables = []
    for role in schemas.ROLES:
        entries = explode(patents[f"{role}s"]).rename(columns={"value": "name"})
        tables.append(entries.assign(role=role, party_id=normalise_parties(entries["name"], role, aliases)))
    entries = pd.concat(tables)
    entries = entries.assign(patent_id=patents["patent_id"].loc[entries.index], order=_order(patents, entries))
    entries = entries.sort_values(["order", "role", "position"], kind="stable")
    nameless = entries["party_id"] == ""
    named = entries[~nameless].drop_duplicates(["order", "role", "party_id"], ignore_index=True)
    return named, _faults(entries["name"], nameless, "a party's name holds no letter or digit")


def _order(patents: pd.DataFrame, entries: pd.DataFrame) -> pd.Series:
    """The place of each entry's patent among the patents."""
    return pd.Series(np.arange(len(patents)), index=patents.index).loc[entries.index]


def _faults(values: pd.Series, bad: pd.Series, reason: str | pd.Series) -> pd.DataFrame:
    why = reason if isinstance(reason, str) else reason[bad]
    return pd.DataFrame({"kind": "value", "reason": why, "value": values[bad]})
