"""PatentsView's bulk tables of US grants (``g_patent`` and those that hang on it), joined part by part.

The knowledge date is the grant. IPC and CPC at issue are read where their tables are there; the current CPC only
where no table of symbols at issue is.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpus.readers.base import FLAT
from pipeline.corpus.readers.bulk.partition import (
    Partition,
    blank,
    column,
    lists,
    positions,
    singles,
    together,
    where,
    whole_numbers,
)
from pipeline.corpus.readers.bulk.tables import (
    Faults,
    TableFile,
    batches,
    line_faults,
    numbered,
    unpacked_size,
)
from pipeline.corpus.readers.documents.base import LONGEST_CLAIMS
from pipeline.corpus.readers.shards import Fault, Shard

_KEY = "patent_id"
_SYMBOL = r"^[A-HY][0-9]{2}[A-Z]"
# what tells a table by its header, and the columns read beside those where the table has them
HEADERS: dict[str, tuple[frozenset[str], tuple[str, ...]]] = {
    name: (frozenset((_KEY, *needs)), tuple(optional))
    for name, needs, optional in (
        ("g_patent", ("patent_date", "patent_title"), ("wipo_kind", "num_claims", "withdrawn")),
        ("g_application", ("filing_date", "application_id"), ()),
        ("g_patent_abstract", ("patent_abstract",), ()),
        ("g_claims", ("claim_sequence", "claim_text"), ()),
        ("g_ipc_at_issue", ("ipc_sequence", "section", "ipc_class", "subclass"), ("main_group", "subgroup")),
        (
            "g_cpc_at_issue",
            ("cpc_sequence", "cpc_version_indicator", "cpc_group"),
            ("cpc_section", "cpc_class", "cpc_subclass"),
        ),
        ("g_cpc_current", ("cpc_sequence", "cpc_group"), ("cpc_section", "cpc_class", "cpc_subclass")),
        ("g_us_patent_citation", ("citation_sequence", "citation_patent_id"), ("wipo_kind",)),
        ("g_us_application_citation", ("citation_sequence", "citation_document_number"), ("wipo_kind",)),
        ("g_foreign_citation", ("citation_sequence", "citation_application_id"), ("citation_country",)),
        ("g_other_reference", ("other_reference_sequence", "other_reference_text"), ()),
        (
            "g_assignee_disambiguated",
            ("assignee_sequence", "disambig_assignee_organization"),
            ("disambig_assignee_individual_name_last", "disambig_assignee_individual_name_first"),
        ),
        (
            "g_inventor_disambiguated",
            ("inventor_sequence", "disambig_inventor_name_last"),
            ("disambig_inventor_name_first",),
        ),
    )
}
_SEQUENCE = {
    "g_claims": "claim_sequence", "g_ipc_at_issue": "ipc_sequence", "g_cpc_at_issue": "cpc_sequence",
    "g_cpc_current": "cpc_sequence", "g_us_patent_citation": "citation_sequence",
    "g_us_application_citation": "citation_sequence", "g_foreign_citation": "citation_sequence",
    "g_other_reference": "other_reference_sequence", "g_assignee_disambiguated": "assignee_sequence",
    "g_inventor_disambiguated": "inventor_sequence",
}  # fmt: skip


def named(file: TableFile) -> str | None:
    """Which table a file holds."""
    columns = set(file.columns)
    return next((name for name, (needs, _) in HEADERS.items() if needs <= columns), None)


def warnings(names: Sequence[str]) -> list[str]:
    """What to know of a folder with these tables."""
    told = []
    if "g_ipc_at_issue" not in names and "g_cpc_at_issue" not in names:
        told.append(
            "only current CPC symbols (g_cpc_current), as of the day of the release: later re-classification is in "
            "them and flatters a test on the past; add g_ipc_at_issue"
        )
    if "g_us_patent_citation" not in names:
        told.append("no citations: g_us_patent_citation is not there")
    return told


def shards(files: dict[str, list[TableFile]], folder: Path, told: list[str], years: frozenset[str]) -> Iterator[Shard]:
    """All patents in shards, one a part, or those granted in some years.

    ``folder`` is for temporary files, ``told`` receives warnings.
    """
    used = {name: listed for name, listed in files.items() if name != "g_cpc_current" or "g_cpc_at_issue" not in files}
    partition = Partition(folder, sum(unpacked_size(listed) for listed in used.values()))
    faults = Faults()
    for name, listed in used.items():
        partition.write(name, _batches(name, listed, faults), _KEY)
    told += faults.warnings()
    yield line_faults(faults, {file.path for file in files["g_patent"]})
    orphans = dict.fromkeys(used, 0)
    for part in range(partition.parts):
        base = partition.read("g_patent", part)
        tables = {name: partition.read(name, part) for name in used if name != "g_patent"}
        for name, table in tables.items():
            if table is not None:
                orphans[name] += table.num_rows if base is None else _orphans(base, table)
        if base is not None:
            yield _joined(base, tables, years)
    lost = {name: count for name, count in orphans.items() if count}
    told += [f"{name}: {count:,} rows belong to patents that g_patent does not hold" for name, count in lost.items()]


def _batches(name: str, files: list[TableFile], faults: Faults) -> Iterator[pa.RecordBatch]:
    """The batches of a table's files; of ``g_patent`` with the row's number in the source."""
    needs, optional = HEADERS[name]
    columns = [*sorted(needs), *optional]
    if name == "g_patent":
        return numbered(files, columns, faults)
    return itertools.chain.from_iterable(batches(file, columns, faults) for file in files)


def _orphans(base: pa.Table, table: pa.Table) -> int:
    """Rows of a table whose patent is not there."""
    return int((positions(base[_KEY].combine_chunks(), table[_KEY].combine_chunks()) < 0).sum())


def _usable(base: pa.Table, years: frozenset[str]) -> tuple[pa.Table, tuple[Fault, ...]]:
    """The patents of the years asked for, without those withdrawn or given twice, which are faults."""
    if years:
        year = pc.utf8_slice_codeunits(base["patent_date"], 0, 4)
        base = base.filter(pc.is_in(year, value_set=pa.array(sorted(years), pa.large_string())))
    ids = base[_KEY].combine_chunks()
    twice = np.ones(len(ids), dtype=bool)
    twice[np.unique(pc.dictionary_encode(ids).indices.to_numpy(), return_index=True)[1]] = False
    withdrawn = pc.equal(base["withdrawn"], "1").to_numpy()
    faults = []
    for index in np.flatnonzero(twice | withdrawn):
        reason = "is withdrawn" if withdrawn[index] else "another row of g_patent has this patent_id"
        faults.append((int(base["row"][index].as_py()), f"US{ids[index].as_py()}", "row", reason, ""))
    return base.take(pa.array(np.flatnonzero(~(twice | withdrawn)))), tuple(faults)


def _joined(base: pa.Table, tables: dict[str, pa.Table | None], years: frozenset[str]) -> Shard:
    base, faults = _usable(base, years)
    ids, count = base[_KEY].combine_chunks(), base.num_rows
    owners = {name: positions(ids, table[_KEY].combine_chunks()) for name, table in tables.items() if table is not None}

    def listed(name: str, value: Callable[[pa.Table], pa.Array], separator: str = ";") -> pa.Array:
        table = tables.get(name)
        if table is None:
            return blank(count)
        order = whole_numbers(table[_SEQUENCE[name]].combine_chunks())
        return lists(count, owners[name], order, value(table), separator)

    def single(name: str, column: str) -> pa.Array:
        table = tables.get(name)
        return blank(count) if table is None else singles(count, owners[name], table[column].combine_chunks())

    own = together("US", ids, column(base, "wipo_kind"))
    us, applications, foreign = (listed(name, cited) for name, cited in _CITED.items())
    cited = together(us, ";", applications, ";", foreign)
    claims = listed("g_claims", lambda table: column(table, "claim_text"), "\n")
    rows = {
        "patent_id": own,
        "date": base["patent_date"].combine_chunks(),
        "title": base["patent_title"].combine_chunks(),
        "abstract": single("g_patent_abstract", "patent_abstract"),
        "claims": pc.utf8_slice_codeunits(claims, 0, LONGEST_CLAIMS),
        "ipc": listed("g_ipc_at_issue", _ipc),
        "cpc": listed("g_cpc_at_issue" if tables.get("g_cpc_at_issue") is not None else "g_cpc_current", _cpc),
        "assignees": listed("g_assignee_disambiguated", _assignee),
        "inventors": listed("g_inventor_disambiguated", _inventor),
        "cited_ids": pc.utf8_trim(pc.replace_substring_regex(cited, ";;+", ";"), ";"),
        "cited_npl": listed("g_other_reference", lambda table: column(table, "other_reference_text")),
        "claims_count": base["num_claims"].combine_chunks(),
        "app_date": single("g_application", "filing_date"),
        "office": blank(count, "US"),
        "date_kind": blank(count, "grant"),
    }  # fmt: skip
    flat = pa.table({name: rows.get(name, blank(count)) for name in FLAT})
    return Shard(flat, base["row"].combine_chunks(), faults)


def _ipc(table: pa.Table) -> pa.Array:
    stem = together(*(column(table, name) for name in ("section", "ipc_class", "subclass")))
    group, subgroup = column(table, "main_group"), column(table, "subgroup")
    whole = pc.and_(pc.not_equal(group, ""), pc.not_equal(subgroup, ""))
    return pc.if_else(whole, together(stem, " ", group, "/", subgroup), stem)


def _cpc(table: pa.Table) -> pa.Array:
    """The group, which some releases give whole (``A61K9/00``) and others without its subclass."""
    group = column(table, "cpc_group")
    stem = together(*(column(table, name) for name in ("cpc_section", "cpc_class", "cpc_subclass")))
    return pc.if_else(pc.match_substring_regex(group, _SYMBOL), group, together(stem, " ", group))


def _assignee(table: pa.Table) -> pa.Array:
    firm = column(table, "disambig_assignee_organization")
    names = (column(table, f"disambig_assignee_individual_name_{part}") for part in ("last", "first"))
    return pc.if_else(pc.not_equal(firm, ""), firm, _person(*names))


def _inventor(table: pa.Table) -> pa.Array:
    return _person(column(table, "disambig_inventor_name_last"), column(table, "disambig_inventor_name_first"))


def _person(last: pa.Array, first: pa.Array) -> pa.Array:
    both = pc.and_(pc.not_equal(last, ""), pc.not_equal(first, ""))
    return pc.if_else(both, together(last, ", ", first), together(last, first))


def _cited(country: pa.Array | str, number: pa.Array, kind: pa.Array | str) -> pa.Array:
    plain = pc.replace_substring_regex(number, r"[\s/;,-]", "")
    return where(pc.not_equal(plain, ""), together(country, plain, kind))


_CITED: dict[str, Callable[[pa.Table], pa.Array]] = {
    "g_us_patent_citation": lambda table: _cited("US", column(table, "citation_patent_id"), column(table, "wipo_kind")),
    "g_us_application_citation": lambda table: _cited(
        "US", column(table, "citation_document_number"), column(table, "wipo_kind")
    ),
    "g_foreign_citation": lambda table: _cited(
        column(table, "citation_country"), column(table, "citation_application_id"), ""
    ),
}
