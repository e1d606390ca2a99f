"""What several folders of tests share."""

import os
import tempfile
from collections.abc import Iterator

import pandas as pd
import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

from pipeline.corpus.ingest import ingest_tables
from pipeline.corpus.readers import SourceTable, flat_table
from pipeline.corpus.timeline import Corpus
from pipeline.sample.generator import generate, source_label

_SEED = 3

# where Prefect has its data is settled when it is imported: each process of tests has its own, and none the project's
_HOME = tempfile.TemporaryDirectory(prefix="techconverge-prefect-", ignore_cleanup_errors=True)
os.environ["PREFECT_HOME"] = _HOME.name

LONGEST = ("test_docs.py", "test_fault_sweep.py")  # minutes each

settings.register_profile("untimed", deadline=None)  # a test asserts no time
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: of two processes one would be left alone with them at the end."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Sums in one order, as in a run."""
    with threadpool_limits(1):
        yield


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
