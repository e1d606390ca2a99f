"""A background corpus as a small artefact: how often each code, and each two codes together, occur in every month.

Whole months are kept, never merged: so any cutoff on a month's end finds exactly the counts that the corpus itself
would give on that day, and nothing later, from a folder thousands of times smaller than the patents.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import scipy.sparse as sp

from pipeline import __version__, schemas
from pipeline.artifacts import (
    atomic_directory,
    locked,
    read_json,
    read_table,
    sha256_file,
    sha256_json,
    write_json,
    write_table,
)
from pipeline.corpus.store import load_corpus, load_manifest
from pipeline.corpus.timeline import Corpus, Incidence
from pipeline.errors import ArtifactError, CorpusError
from pipeline.schemas import SHARED_LEVELS

SCHEMA_VERSION = "background-1"  # not a corpus's number: either reader refuses the other's folder by it
_MANIFEST = "manifest.json"
_ENDS = {"a": "code_a", "b": "code_b"}  # a pair's columns in memory and on disk


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """What a background knew on one day: its codes by then in sorted order, and their counts.

    ``counts``: patents a code; ``joint``: patents a pair of codes (codes x codes, symmetric, the diagonal empty);
    ``patents``: patents with any code at all. Counts are float64, as from ``Incidence``.
    """

    codes: np.ndarray
    counts: np.ndarray
    joint: sp.csr_array
    patents: int


@dataclasses.dataclass(frozen=True)
class Summary:
    """Monthly counts of one corpus at one scheme and level, rows in order of time.

    ``months``: month (its last day), patents. ``activity``: month, code, patents. ``joint``: month, a, b, patents, each
    pair once. ``code``, ``a`` < ``b`` are positions in ``codes``, which are sorted. ``first_day``: of the first patent;
    ``last_day``: end of the last month that is whole.
    """

    scheme: str
    level: str
    first_day: pd.Timestamp
    last_day: pd.Timestamp
    codes: np.ndarray
    months: pd.DataFrame
    activity: pd.DataFrame
    joint: pd.DataFrame

    def until(self, cutoff: pd.Timestamp, since: pd.Timestamp | None = None) -> Snapshot:
        """Counts over the whole months of (since, cutoff], by default of all time up to the cutoff.

        The codes are those known at the cutoff, whatever the window, so that snapshots of one cutoff line up. A month
        that is not over on the cutoff does not count.
        """
        known = np.unique(_between(self.activity, None, cutoff)["code"])
        place = np.full(len(self.codes), -1)
        place[known] = np.arange(len(known))
        activity, joint = _between(self.activity, since, cutoff), _between(self.joint, since, cutoff)
        half = sp.csr_array(
            (joint["patents"].to_numpy(dtype=float), (place[joint["a"]], place[joint["b"]])),
            shape=(len(known), len(known)),
        )
        return Snapshot(
            codes=self.codes[known],
            counts=np.bincount(place[activity["code"]], weights=activity["patents"], minlength=len(known)),
            joint=sp.csr_array(half + half.T),
            patents=int(_between(self.months, since, cutoff)["patents"].sum()),
        )

    def keeping(self, kept: np.ndarray) -> "Summary":
        """Without the counts of some codes (``kept``: one bool a code); the numbers of patents stay."""
        activity, joint = self.activity, self.joint
        return dataclasses.replace(
            self, activity=activity[kept[activity["code"]]], joint=joint[kept[joint["a"]] & kept[joint["b"]]]
        )

    def counted_until(self, cutoff: pd.Timestamp) -> pd.Timestamp:
        """The day up to which ``until(cutoff)`` counts: the last whole month's end, or the end of the data."""
        return min(last_whole_month(cutoff), self.last_day)


def last_whole_month(day: pd.Timestamp) -> pd.Timestamp:
    """The end of the last month that is over on a day.

    >>> str(last_whole_month(pd.Timestamp("2012-02-29")))[:10], str(last_whole_month(pd.Timestamp("2012-02-28")))[:10]
    ('2012-02-29', '2012-01-31')
    """
    return pd.offsets.MonthEnd().rollback(day).as_unit("s")


def summarise(corpus: Corpus, scheme: str, level: str) -> Summary:
    """Count the codes of a corpus month by month; a last month that the corpus does not know whole is left out.

    Raises:
        CorpusError: when no patent of its whole months carries a code of that scheme at that level.
    """
    last = last_whole_month(corpus.cutoff)
    # every symbol counts, also one of the future: which of them are in force is the cutoff's to say
    incidence = dataclasses.replace(corpus, entry_dates=None).incidence(scheme, level)
    dates = corpus.patents["knowledge_date"]
    coded = np.asarray(incidence.matrix.sum(axis=1)).ravel() > 0
    known = dates[coded & (dates <= last)]
    if known.empty:
        raise CorpusError(
            f"the background has no {scheme} code at level {level} in a whole month up to {corpus.cutoff:%Y-%m-%d}: "
            "take the other --scheme or a coarser --level"
        )
    ends = pd.date_range(known.iloc[0], last, freq="ME")
    months, activity, joint = _monthly(incidence, dates, ends)
    used, code = np.unique(activity["code"], return_inverse=True)
    return Summary(
        scheme=scheme,
        level=level,
        first_day=known.iloc[0].as_unit("s"),
        last_day=last,
        codes=incidence.codes[used],
        months=months,
        activity=activity.assign(code=code.astype(np.int32)),
        joint=joint.assign(**{end: np.searchsorted(used, joint[end]).astype(np.int32) for end in ("a", "b")}),
    )


def _monthly(incidence: Incidence, dates: pd.Series, ends: pd.DatetimeIndex) -> tuple[pd.DataFrame, ...]:
    """The three tables of a summary, codes by their positions in the incidence."""
    edges = [0, *dates.searchsorted(ends, side="right").tolist()]
    months, activity, joint = [], [], []
    for month, rows in zip(ends, map(slice, edges[:-1], edges[1:]), strict=True):
        counts = incidence.counts(rows)
        (present,) = counts.nonzero()
        half = sp.triu(incidence.joint(rows), k=1).tocoo()
        coded = np.count_nonzero(incidence.matrix[rows].sum(axis=1))
        months.append(_table(month, patents=np.array([coded] if coded else [])))
        activity.append(_table(month, code=present, patents=counts[present]))
        joint.append(_table(month, a=half.row, b=half.col, patents=half.data))
    return tuple(pd.concat(tables, ignore_index=True) for tables in (months, activity, joint))


def _table(month: pd.Timestamp, **columns: np.ndarray) -> pd.DataFrame:
    whole = {name: values.astype(np.int32) for name, values in columns.items()}
    size = len(whole["patents"])
    return pd.DataFrame({"month": np.full(size, month.to_datetime64(), dtype="datetime64[ns]"), **whole})


def _between(table: pd.DataFrame, since: pd.Timestamp | None, cutoff: pd.Timestamp) -> pd.DataFrame:
    first = 0 if since is None else int(table["month"].searchsorted(since, side="right"))
    return table.iloc[first : int(table["month"].searchsorted(cutoff, side="right"))]


def _schema(**columns: pa.Column) -> pa.DataFrameSchema:
    in_order = pa.Check(lambda table: table["month"].is_monotonic_increasing, error="rows must be sorted by month")
    days = {"month": pa.Column("datetime64[ns]", pa.Check(lambda day: day.dt.is_month_end, error="a month's last day"))}
    counts = {"patents": pa.Column("int32", pa.Check.ge(1))}
    return pa.DataFrameSchema(days | columns | counts, checks=in_order, strict=True, coerce=True, ordered=True)


TABLES = {
    "months": _schema(),
    "activity": _schema(code=pa.Column("category")),
    "joint": _schema(code_a=pa.Column("category"), code_b=pa.Column("category")),
}


def save_summary(summary: Summary, folder: Path, source: str) -> dict[str, Any]:
    """Write a summary folder, replacing an older one whole, and return its manifest.

    ``source``: content hash of the corpus that was summarised. The tables name codes, not positions.

    Raises:
        ArtifactError: when ``folder`` is something else than a stored result or cannot be written.
    """
    codes, activity, joint = summary.codes, summary.activity, summary.joint
    tables = {
        "months": summary.months,
        "activity": activity.assign(code=_named(codes, activity["code"])),
        "joint": joint.assign(**{end: _named(codes, joint[end]) for end in _ENDS}).rename(columns=_ENDS),
    }
    what = {
        "scheme": summary.scheme,
        "level": summary.level,
        "first_day": f"{summary.first_day:%Y-%m-%d}",
        "last_day": f"{summary.last_day:%Y-%m-%d}",
        "source": source,
    }
    with locked(folder), atomic_directory(folder, _MANIFEST, [f"{name}.parquet" for name in TABLES]) as temporary:
        for name, table in tables.items():
            write_table(temporary / f"{name}.parquet", table, what)
        hashes = {name: sha256_file(temporary / f"{name}.parquet") for name in TABLES}
        manifest = {
            "schema_version": SCHEMA_VERSION,
            "techconverge": __version__,
            **what,
            "patents": int(summary.months["patents"].sum()),
            "codes": len(codes),
            "tables": {name: {"rows": len(tables[name]), "sha256": hashes[name]} for name in TABLES},
            "content_hash": _content_hash(what, hashes),
        }
        write_json(temporary / _MANIFEST, manifest)
    return manifest


def load_summary(folder: Path) -> Summary:
    """Read a summary folder back.

    Raises:
        CorpusError: when ``folder`` is no summary, or one of another schema version.
        ArtifactError: when a table is missing, damaged, or not what the manifest or its schema says.
    """
    manifest = load_summary_manifest(folder)
    tables = {name: _load_table(folder, name, manifest["tables"][name]["sha256"]) for name in TABLES}
    activity, joint = tables["activity"], tables["joint"].rename(columns={name: end for end, name in _ENDS.items()})
    codes = np.unique(activity["code"].cat.categories.to_numpy(dtype=str))
    return Summary(
        scheme=manifest["scheme"],
        level=manifest["level"],
        first_day=pd.Timestamp(manifest["first_day"]).as_unit("s"),
        last_day=pd.Timestamp(manifest["last_day"]).as_unit("s"),
        codes=codes,
        months=tables["months"],
        activity=activity.assign(code=_position(codes, activity["code"])),
        joint=joint.assign(a=_position(codes, joint["a"]), b=_position(codes, joint["b"])),
    )


def load_summary_manifest(folder: Path) -> dict[str, Any]:
    """Read what a summary folder says of itself; raises as ``load_summary`` does."""
    how = f"make one with `techconverge summarise CORPUS --out {folder}`"
    if not (folder / _MANIFEST).is_file():
        raise CorpusError(f"{folder} is not a background summary: {how}")
    manifest = read_json(folder / _MANIFEST)
    version = manifest.get("schema_version") if isinstance(manifest, dict) else None
    if version != SCHEMA_VERSION:
        raise CorpusError(f"{folder} has schema version {version}, a background summary has {SCHEMA_VERSION}: {how}")
    try:
        what = {name: manifest[name] for name in ("scheme", "level", "first_day", "last_day", "source")}
        hashes = {name: manifest["tables"][name]["sha256"] for name in TABLES}
    except (KeyError, TypeError) as error:
        raise ArtifactError(f"{folder / _MANIFEST} is damaged: it does not describe every table") from error
    if manifest.get("content_hash") != _content_hash(what, hashes):
        raise ArtifactError(f"{folder / _MANIFEST} is damaged: its content hash is not that of what it describes")
    return manifest


def load_background(folder: Path, scheme: str, level: str) -> Summary:
    """The summary in a folder, or, when it is a corpus folder, the summary of that corpus.

    Raises:
        CorpusError: when it is neither, or a summary at another level, or has no such codes; or when it is of the other
            scheme and the level is one where IPC and CPC differ.
    """
    if not _is_summary(folder):
        corpus = load_corpus(folder)
        present = set(corpus.patent_codes["scheme"])
        counted = scheme if scheme in present or level not in SHARED_LEVELS or not present else min(present)
        return summarise(corpus, counted, level)
    summary = load_summary(folder)
    if summary.level != level or (summary.scheme != scheme and level not in SHARED_LEVELS):
        raise CorpusError(
            f"{folder} counts {summary.scheme} codes at level {summary.level}, the run asks for {scheme} at {level}: "
            f"`techconverge summarise CORPUS --out {folder}-{scheme}-{level} --scheme {scheme} --level {level}`"
        )
    return summary


def background_hash(folder: Path) -> str:
    """Content hash of a background, a summary or a corpus; raises as ``load_background`` does."""
    return str((load_summary_manifest if _is_summary(folder) else load_manifest)(folder)["content_hash"])


def _is_summary(folder: Path) -> bool:
    manifest = read_json(folder / _MANIFEST) if (folder / _MANIFEST).is_file() else None
    return isinstance(manifest, dict) and manifest.get("schema_version") == SCHEMA_VERSION


def _load_table(folder: Path, name: str, expected: str) -> pd.DataFrame:
    file = folder / f"{name}.parquet"
    if not file.is_file():
        raise ArtifactError(f"{file} is missing: summarise the corpus again")
    if sha256_file(file) != expected:
        raise ArtifactError(f"{file} is damaged: it is not what the manifest describes; summarise the corpus again")
    return schemas.validate(read_table(file), TABLES[name], f"{name} of {folder}")


def _content_hash(what: dict[str, str], hashes: dict[str, str]) -> str:
    return sha256_json(what | {"tables": hashes})


def _named(codes: np.ndarray, position: pd.Series) -> pd.Categorical:
    return pd.Categorical.from_codes(position.to_numpy(), categories=pd.Index(codes))


def _position(codes: np.ndarray, named: pd.Series) -> np.ndarray:
    return named.cat.set_categories(codes).cat.codes.to_numpy(dtype=np.int32)
