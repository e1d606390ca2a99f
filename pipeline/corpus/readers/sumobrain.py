"""Sumobrain (FreePatentsOnline) result lists: US classes only, hence refused."""

from collections.abc import Sequence

from pipeline.corpus.readers.base import Layout


def _recognises(header: Sequence[str]) -> bool:
    return {"document number", "document type", "primary class", "other class"} <= set(header)


SUMOBRAIN = Layout(
    "sumobrain",
    _recognises,
    refusal=(
        "is a Sumobrain export, which carries US classes but no IPC or CPC symbols: look its document numbers up in "
        "another source (Lens, Patentscope, BigQuery) and ingest that"
    ),
)
