"""What several folders of tests share."""

import pandas as pd
import pytest

from pipeline.corpus.ingest import ingest_tables
from pipeline.corpus.readers import SourceTable, flat_table
from pipeline.corpus.timeline import Corpus
from pipeline.sample.generator import generate, source_label

_SEED = 3


@pytest.fixture(scope="session")
def sample_rows() -> SourceTable:
    """About 1,500 simulated documents of 2005 to 2019 as flat rows, before ingest."""
    frame = flat_table(generate(_SEED, 1500))
    return SourceTable(
        frame=frame.set_axis(pd.RangeIndex(1, len(frame) + 1)), format="simulated", name=source_label(_SEED)
    )


@pytest.fixture(scope="session")
def sample_corpus(sample_rows: SourceTable) -> Corpus:
    """The simulated documents, ingested."""
    return ingest_tables([sample_rows]).corpus
