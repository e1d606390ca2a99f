"""Which symbols the IPC has or had, by WIPO's inventory: what is no symbol at all, and what was not in force."""

import dataclasses
from pathlib import Path

import pandas as pd

from pipeline.artifacts import sha256_file
from pipeline.corpus.entry_dates import read_inventory

UNKNOWN = "no such symbol in the IPC, by the list given"


@dataclasses.dataclass(frozen=True)
class SymbolList:
    """WIPO's inventory of every symbol ever used; ``table``: symbol, in_force and ended (NaT: in force today)."""

    name: str
    sha256: str
    table: pd.DataFrame

    def has(self, symbols: pd.Series) -> pd.Series:
        """Which canonical symbols are of the IPC, today or once."""
        return symbols.isin(self.table["symbol"])

    def out_of_force(self, codes: pd.DataFrame, known: pd.Series) -> dict[str, int]:
        """How many IPC entries of ``codes`` (symbol, scheme) were not yet (``before``) or no more (``after``) in force.

        ``known``: the knowledge date of each entry's patent, in the same order.
        """
        days = self.table.set_index("symbol")[["in_force", "ended"]].reindex(codes["symbol"])
        ipc = codes["scheme"].to_numpy() == "ipc"
        day = known.to_numpy()
        return {
            "before": int((ipc & (days["in_force"].to_numpy() > day)).sum()),
            "after": int((ipc & (days["ended"].to_numpy() < day)).sum()),
        }


def read_symbol_list(path: Path) -> SymbolList:
    """Read WIPO's "inventory of IPC ever used symbols" (CSV).

    Raises:
        CorpusError: see ``entry_dates.read_inventory``.
    """
    return SymbolList(path.name, sha256_file(path), read_inventory(path)[["symbol", "in_force", "ended"]])
