"""The few faulty rows put into the simulated corpus, so that a newcomer sees the account of what was read at work."""

import numpy as np
import pandas as pd

EXACT_REPEATS = 4  # rows that stand in the table twice
NO_DATE = 2  # rows without a date
NO_SYMBOL = 2  # rows without any classification
BAD_SYMBOLS = ("F25X 1/00Z", "not a symbol", "0")  # each beside the sound symbols of one row
FAULTY_ROWS = EXACT_REPEATS + NO_DATE + NO_SYMBOL + len(BAD_SYMBOLS)


def with_faults(documents: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The documents with ``FAULTY_ROWS`` faulty ones added at the end, under ids of their own save the repeats."""
    rows = documents.iloc[rng.choice(len(documents), size=FAULTY_ROWS, replace=False)].reset_index(drop=True)
    fresh = np.arange(EXACT_REPEATS, FAULTY_ROWS)
    rows.loc[fresh, "patent_id"] = [f"SIM{len(documents) + number:07d}" for number in range(1, len(fresh) + 1)]
    rows.loc[fresh, "family_id"] = [f"SIMFAULT{number:04d}" for number in range(1, len(fresh) + 1)]
    dateless, unclassified, misspelt = np.split(fresh, [NO_DATE, NO_DATE + NO_SYMBOL])
    rows.loc[dateless, "date"] = ""
    rows.loc[unclassified, ["ipc", "cpc"]] = ""
    rows.loc[misspelt, "ipc"] = rows.loc[misspelt, "ipc"] + ";" + pd.Series(BAD_SYMBOLS, index=misspelt, dtype="str")
    return pd.concat([documents, rows], ignore_index=True)
