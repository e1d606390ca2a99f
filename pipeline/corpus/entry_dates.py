"""When a symbol came into force (method B10): a code that did not exist at a cutoff could not be forecast from it.

Exports are often classified as of the export day, so that patents of 2010 carry G06V, which came into force in 2022.
The shipped table (``entry_dates.csv``) lists by hand what the IPC has gained since 2006: every new class and subclass,
and main groups and subgroups of note. ``refreshed`` makes a whole one of WIPO's inventory of symbols.

The CPC follows the IPC down to the subclass, not below: many of its groups are older than the same group of the IPC.
Its section Y stands in the table; of Y02C and Y02E (2010) and of Y02B, Y02T and Y04S (2012) only the year is known,
and 1 January stands for it. Not covered: CPC groups, and CPC subclasses that the IPC lacks outside Y02, Y04 and Y10.
"""

from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.artifacts import atomic_path
from pipeline.corpus.symbols import parse_symbol, parse_symbols, roll_up
from pipeline.errors import CorpusError
from pipeline.schemas import LEVELS, SCHEMES, SHARED_LEVELS

COLUMNS = ("symbol", "scheme", "in_force")
# of a code, or of a pair: in force well before the cutoff (or always) / only within its window / only after it
STATUSES = ("ok", "entered", "not_in_force")
_NEVER = pd.Timestamp("2262-01-01").as_unit("s")
_SAMPLES = 3  # offending values an error quotes


def load_entry_dates(path: Path | None = None) -> pd.DataFrame:
    """The shipped table, or the user's own: canonical ``symbol``, ``scheme`` and ``in_force`` (datetime64[s]).

    Raises:
        CorpusError: ``path`` cannot be read or is no such table; all faults are named.
    """
    if path is not None:
        return _read_table(path)
    with as_file(files("pipeline.corpus").joinpath("entry_dates.csv")) as shipped:
        return _read_table(shipped)


def write_entry_dates(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, sorted by scheme and symbol: the same table gives the same bytes."""
    ordered = table.sort_values(["scheme", "symbol"], kind="stable")
    with atomic_path(path) as temporary:
        ordered.to_csv(temporary, columns=list(COLUMNS), index=False, date_format="%Y-%m-%d", lineterminator="\n")


def refreshed(inventory: Path) -> pd.DataFrame:
    """A whole table: every IPC symbol of WIPO's inventory, and the shipped rows of the CPC, which it lacks.

    Raises:
        CorpusError: see ``read_inventory``.
    """
    shipped = load_entry_dates()
    return pd.concat([shipped[shipped["scheme"] != "ipc"], read_inventory(inventory)[list(COLUMNS)]], ignore_index=True)


def read_inventory(path: Path) -> pd.DataFrame:
    """WIPO's "inventory of IPC ever used symbols" as a table of entry dates.

    The file has no header; a line is ``F25B0041200000;20210101;-``: symbol (WIPO ST.8), entry, end or ``-``. A symbol
    is as old as the oldest below it; classes and sections, which the file lacks, are so too. ``ended``: the last day of
    a symbol's last line, NaT while it, or one below it, is in force.

    Raises:
        CorpusError: ``path`` cannot be read or has lines of another form.
    """
    lines = _read_csv(path, sep=";", header=None)
    if lines.shape[1] != 3 or lines.empty:
        raise CorpusError(f"{path}: not WIPO's inventory of IPC symbols: lines like F25B0041200000;20210101;- expected")
    symbol = parse_symbols(lines[0], "ipc")
    day = _days(lines[1], "%Y%m%d")
    wrong = symbol.isna() | day.isna()
    if wrong.any():
        sample = ", ".join(lines[wrong].head(_SAMPLES).agg(";".join, axis=1))
        raise CorpusError(f"{path}: {wrong.sum():,} lines hold no IPC symbol and entry date (e.g. {sample})")
    end = _days(lines[2], "%Y%m%d").fillna(_NEVER)
    below = pd.concat(
        [pd.DataFrame({"symbol": roll_up(symbol, level), "in_force": day, "ended": end}) for level in LEVELS]
    )
    found = below.dropna().groupby("symbol").agg({"in_force": "min", "ended": "max"}).reset_index()
    ended = found["ended"].mask(found["ended"] == _NEVER)
    return found.assign(symbol=found["symbol"].astype("str"), scheme="ipc", ended=ended)


def entered(codes: np.ndarray, scheme: str, level: str, table: pd.DataFrame) -> np.ndarray:
    """The day from which each code existed, datetime64[s]; NaT where the table knows nothing: it always existed.

    A code has its own date, else that of its nearest ancestor in the table; a new group does not make its subclass new.
    But no code with a date is younger than what stands below it: a parent exists wherever one of its children does.
    """
    names = pd.Series(codes, dtype=str)
    day = pd.Series(pd.NaT, index=names.index, dtype="datetime64[s]")
    known = {str(name): rows.set_index("symbol")["in_force"] for name, rows in table.groupby("scheme")}
    for step in reversed(LEVELS[: LEVELS.index(level) + 1]):
        ancestors = roll_up(names, step)
        for source in (scheme, "ipc") if step in SHARED_LEVELS else (scheme,):
            if source in known:
                day = day.fillna(ancestors.map(known[source]))
    if scheme in known:
        oldest = known[scheme].groupby(roll_up(known[scheme].index.to_series(), level)).min().reindex(names)
        day = day.mask(oldest.to_numpy() < day.to_numpy(), oldest.to_numpy())
    return day.to_numpy(dtype="datetime64[s]")


def entry_status(in_force: np.ndarray, start: pd.Timestamp, cutoff: pd.Timestamp) -> np.ndarray:
    """One of ``STATUSES`` for each day of entry; the window is (start, cutoff], NaT is ``ok``."""
    day = pd.Series(in_force)
    after, within = day > cutoff, (day > start) & (day <= cutoff)
    return np.select([after.to_numpy(), within.to_numpy()], [STATUSES[2], STATUSES[1]], STATUSES[0])


def tag_pairs(
    in_force: np.ndarray, a: np.ndarray, b: np.ndarray, start: pd.Timestamp, cutoff: pd.Timestamp
) -> np.ndarray:
    """One of ``STATUSES`` for each pair of codes: that of its younger code.

    ``in_force``: see ``entered``, one day a code; ``a`` and ``b`` index it, one of each a pair.
    """
    return entry_status(np.fmax(in_force[a], in_force[b]), start, cutoff)


def _read_table(path: Path) -> pd.DataFrame:
    raw = _read_csv(path, sep=",", header=0)
    if tuple(raw.columns) != COLUMNS:
        raise CorpusError(f"{path}: columns {', '.join(map(str, raw.columns))}; expected {', '.join(COLUMNS)}")
    day = _days(raw["in_force"], "%Y-%m-%d")
    canonical = [
        scheme in SCHEMES and parse_symbol(symbol, scheme) == symbol
        for symbol, scheme in zip(raw["symbol"], raw["scheme"], strict=True)
    ]
    wrong = {
        "not a symbol of its scheme in the form F25B 41/20": ~np.array(canonical, dtype=bool),
        "no date YYYY-MM-DD": day.isna().to_numpy(),
        "given twice": raw.duplicated(["symbol", "scheme"]).to_numpy(),
    }
    faults = [
        f"{what} (e.g. {', '.join(raw[rows].head(_SAMPLES).agg(','.join, axis=1))})"
        for what, rows in wrong.items()
        if rows.any()
    ]
    if faults:
        raise CorpusError(f"{path}: not a table of entry dates: {'; '.join(faults)}")
    return raw.assign(in_force=day)


def _read_csv(path: Path, sep: str, header: int | None) -> pd.DataFrame:
    try:
        return pd.read_csv(path, sep=sep, header=header, dtype=str, keep_default_na=False, encoding="utf-8")
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # pandas' parser errors, and bytes that are no UTF-8
        raise CorpusError(f"{path} is no CSV table: {str(error).strip()}") from error


def _days(texts: pd.Series, form: str) -> pd.Series:
    return pd.to_datetime(texts, format=form, errors="coerce").astype("datetime64[s]")
