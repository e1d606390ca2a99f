"""PATSTAT Global: a row a publication (``tls211``), with what its application says, joined part by part.

The knowledge date is that of the publication. The IPC and CPC are those of the edition's day. Three joins need other
keys than the application: names by person, cited numbers and the citing application by publication.
"""

import functools
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
from pipeline.corpus.readers.shards import Shard

_UNKNOWN_DAY = "9999-12-31"
# what tells a table by its header, and the columns read beside those
HEADERS: dict[str, tuple[frozenset[str], tuple[str, ...]]] = {
    name: (frozenset(needs), tuple(optional))
    for name, needs, optional in (
        ("tls201", ("appln_id", "appln_auth", "appln_filing_date"), ("docdb_family_id",)),
        ("tls202", ("appln_id", "appln_title"), ()),
        ("tls203", ("appln_id", "appln_abstract"), ()),
        ("tls206", ("person_id", "person_name"), ()),
        ("tls207", ("person_id", "appln_id", "applt_seq_nr", "invt_seq_nr"), ()),
        ("tls209", ("appln_id", "ipc_class_symbol"), ("ipc_position",)),
        (
            "tls211",
            ("pat_publn_id", "publn_auth", "publn_nr", "publn_kind", "appln_id", "publn_date"),
            ("publn_first_grant", "publn_claims"),
        ),
        ("tls212", ("pat_publn_id", "citn_id", "cited_pat_publn_id"), ("cited_npl_publn_id",)),
        ("tls224", ("appln_id", "cpc_class_symbol"), ()),
    )
}
_BY_APPLICATION = ("tls201", "tls202", "tls203", "tls209", "tls211", "tls224")


def named(file: TableFile) -> str | None:
    """Which table a file holds."""
    columns = set(file.columns)
    return next((name for name, (needs, _) in HEADERS.items() if needs <= columns), None)


def warnings(names: Sequence[str]) -> list[str]:
    """What to know of a folder with these tables."""
    told = [
        "IPC and CPC symbols are those of the edition's day: later re-classification is in them, and flatters a test "
        "on the past"
    ]
    missing = [name for name in HEADERS if name not in names]
    return [*told, f"without {', '.join(missing)}: what they hold is empty"] if missing else told


def shards(files: dict[str, list[TableFile]], folder: Path, told: list[str], years: frozenset[str]) -> Iterator[Shard]:
    """All publications in shards, one a part; ``folder`` is for temporary files, ``told`` receives warnings.

    ``years`` are not asked of PATSTAT, which is never fetched.
    """
    faults = Faults()
    partition = Partition(folder, sum(unpacked_size(listed) for listed in files.values()))
    for name in _BY_APPLICATION:
        if name in files:
            partition.write(name, _batches(name, files[name], faults), "appln_id")
    if "tls206" in files and "tls207" in files:
        partition.write("parties", _named_parties(partition, files, faults), "appln_id")
    if "tls212" in files:
        partition.write("cited", _located(partition, _numbered_citations(partition, files, faults)), "appln_id")
    told += faults.warnings()
    yield line_faults(faults, {file.path for file in files["tls211"]})
    for part in range(partition.parts):
        base = partition.read("tls211", part)
        if base is not None:
            yield _joined(base, functools.partial(partition.read, part=part))


def _batches(name: str, files: list[TableFile], faults: Faults) -> Iterator[pa.RecordBatch]:
    """The batches of a table's files; of ``tls211`` with the row's number in the source."""
    needs, optional = HEADERS[name]
    columns = [*sorted(needs), *optional]
    if name == "tls211":
        return numbered(files, columns, faults)
    return itertools.chain.from_iterable(batches(file, columns, faults) for file in files)


def _named_parties(partition: Partition, files: dict[str, list[TableFile]], faults: Faults) -> Iterator[pa.RecordBatch]:
    """``tls207`` with the names of ``tls206``."""
    for name in ("tls206", "tls207"):
        partition.write(name, _batches(name, files[name], faults), "person_id")
    for part in range(partition.parts):
        people, parties = partition.read("tls206", part), partition.read("tls207", part)
        if people is not None and parties is not None:
            found = positions(column(people, "person_id"), column(parties, "person_id"))
            named_so = column(people, "person_name").take(pa.array(found, mask=found < 0))
            table = parties.append_column("name", pc.fill_null(named_so, "")).select(
                ["appln_id", "applt_seq_nr", "invt_seq_nr", "name"]
            )
            yield from table.to_batches()
    for name in ("tls206", "tls207"):
        partition.remove(name)


def _numbered_citations(
    partition: Partition, files: dict[str, list[TableFile]], faults: Faults
) -> Iterator[pa.RecordBatch]:
    """``tls212`` with the numbers of the cited publications: citing publication, order, cited, kind of citation."""
    partition.write("publn", _batches("tls211", files["tls211"], Faults()), "pat_publn_id")
    partition.write("tls212", _batches("tls212", files["tls212"], faults), "cited_pat_publn_id")
    for part in range(partition.parts):
        citations = partition.read("tls212", part)
        if citations is not None:
            publications = partition.read("publn", part)
            cited = blank(citations.num_rows)
            if publications is not None:
                found = positions(column(publications, "pat_publn_id"), column(citations, "cited_pat_publn_id"))
                cited = pc.fill_null(_publication(publications).take(pa.array(found, mask=found < 0)), "")
            literature = pc.replace_substring_regex(column(citations, "cited_npl_publn_id"), "^0$", "")
            yield from pa.table(
                {
                    "pat_publn_id": column(citations, "pat_publn_id"),
                    "citn_id": column(citations, "citn_id"),
                    "cited": cited,
                    "npl": where(pc.not_equal(literature, ""), together("NPL ", literature)),
                }
            ).to_batches()
    partition.remove("tls212")


def _located(partition: Partition, citations: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Citations with the application of the citing publication."""
    partition.write("citing", citations, "pat_publn_id")
    for part in range(partition.parts):
        table, publications = partition.read("citing", part), partition.read("publn", part)
        if table is not None and publications is not None:
            found = positions(column(publications, "pat_publn_id"), column(table, "pat_publn_id"))
            application = column(publications, "appln_id").take(pa.array(found, mask=found < 0))
            yield from table.append_column("appln_id", application).filter(pc.is_valid(application)).to_batches()
    for name in ("citing", "publn"):
        partition.remove(name)


def _publication(table: pa.Table) -> pa.Array:
    parts = (
        pc.replace_substring_regex(column(table, f"publn_{part}"), r"[\s;]", "") for part in ("auth", "nr", "kind")
    )
    return together(*parts)


def _joined(base: pa.Table, read: Callable[[str], pa.Table | None]) -> Shard:
    count = base.num_rows
    own = column(base, "appln_id")
    applications = pc.unique(own)
    place = positions(applications, own)  # of each publication's application

    def of_application(name: str, field: str) -> pa.Array:
        table = read(name)
        if table is None:
            return blank(count)
        values = singles(len(applications), positions(applications, column(table, "appln_id")), column(table, field))
        return values.take(pa.array(place))

    def listed(name: str, field: str, order: str, first: str = "") -> pa.Array:
        table = read(name)
        if table is None:
            return blank(count)
        owner = positions(applications, column(table, "appln_id"))
        ranks = whole_numbers(column(table, order)) if order else np.arange(table.num_rows)
        if first:
            ranks = ranks + np.where(pc.equal(column(table, first), "F").to_numpy(zero_copy_only=False), 0, len(ranks))
        if name == "parties":
            owner = np.where(ranks > 0, owner, -1)
        return lists(len(applications), owner, ranks, column(table, field)).take(pa.array(place))

    def cited(field: str) -> pa.Array:
        table = read("cited")
        if table is None:
            return blank(count)
        owner = positions(column(base, "pat_publn_id"), column(table, "pat_publn_id"))
        return lists(count, owner, whole_numbers(column(table, "citn_id")), column(table, field))

    rows = {
        "patent_id": _publication(base),
        "date": column(base, "publn_date"),
        "date_kind": pc.if_else(pc.equal(column(base, "publn_first_grant"), "Y"), "grant", "publication"),
        "office": column(base, "publn_auth"),
        "app_date": pc.replace_substring(of_application("tls201", "appln_filing_date"), _UNKNOWN_DAY, ""),
        "family_id": pc.replace_substring_regex(of_application("tls201", "docdb_family_id"), "^0$", ""),
        "title": of_application("tls202", "appln_title"),
        "abstract": of_application("tls203", "appln_abstract"),
        "ipc": listed("tls209", "ipc_class_symbol", "", first="ipc_position"),
        "cpc": listed("tls224", "cpc_class_symbol", ""),
        "assignees": listed("parties", "name", "applt_seq_nr"),
        "inventors": listed("parties", "name", "invt_seq_nr"),
        "cited_ids": cited("cited"),
        "cited_npl": cited("npl"),
        "claims_count": pc.replace_substring_regex(column(base, "publn_claims"), "^0$", ""),
    }
    flat = pa.table({name: rows.get(name, blank(count)).cast(pa.large_string()) for name in FLAT})
    return Shard(flat, base["row"].combine_chunks())
