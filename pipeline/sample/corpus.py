"""The simulated corpus as ingested: it comes in through the same door as real patents."""

import pandas as pd

from pipeline.corpus.ingest import Ingested, ingest_tables
from pipeline.corpus.readers import SourceTable, flat_table
from pipeline.sample.generator import generate, source_label


def simulated_corpus(seed: int, patents: int) -> Ingested:
    """Generate and ingest about ``patents`` simulated documents; the source's name says that they are simulated."""
    frame = generate(seed, patents)
    frame = flat_table(frame).set_axis(pd.RangeIndex(1, len(frame) + 1))
    return ingest_tables([SourceTable(frame=frame, format="simulated", name=source_label(seed))])
