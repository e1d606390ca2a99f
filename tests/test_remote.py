"""What is handed to other processes: named rather than sent, and the same bytes; or refused."""

import pickle
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runs import FEW_BLOCKS, asked, stored

from pipeline import forecast, forecast_in_blocks
from pipeline.artifacts import sha256_files
from pipeline.corpus.readers import SourceTable
from pipeline.encoders.cache import EmbeddingCache, encode_cached
from pipeline.encoders.hashing import HashingEncoder
from pipeline.errors import ArtifactError
from pipeline.pairs import candidates
from pipeline.parts import PartRequest, check_same, compute_part
from pipeline.run_request import part_requests


class Sent:
    """A mapper that sends what it is given through bytes, as to another process, and notes how many."""

    def __init__(self) -> None:
        self.bytes: list[int] = []

    def __call__(self, function: Callable[[Any], Any], items: Iterable[Any], /) -> Iterator[Any]:
        for item in items:
            sent = pickle.dumps((function, item))
            self.bytes.append(len(sent))
            there, what = pickle.loads(sent)
            yield pickle.loads(pickle.dumps(there(what)))


def silent(message: str) -> None:
    pass


@pytest.fixture(scope="module")
def part(sample_rows: SourceTable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PartRequest]:
    """A forecast's part, of a stored corpus."""
    folder = tmp_path_factory.mktemp("remote")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TECHCONVERGE_CACHE", str(folder / "cache"))
        corpus = stored(sample_rows, folder / "corpus")
        few = {"members": ["logistic/none"], "training_origins": 1}
        request = asked("forecast", corpus, "2014-12-31", features=FEW_BLOCKS, ensemble=few, task={"level": "class"})
        yield part_requests(request)[-1]


def tables(folder: Path) -> dict[str, str]:
    return {name: digest for name, digest in sha256_files(folder).items() if name != "part.json"}


@pytest.mark.slow
def test_origins_computed_elsewhere_give_the_same_bytes(part: PartRequest, tmp_path: Path) -> None:
    compute_part(part, tmp_path / "here", silent)
    sent = Sent()
    compute_part(part, tmp_path / "there", silent, sent)
    assert tables(tmp_path / "here") == tables(tmp_path / "there")
    assert len(sent.bytes) == 2 and max(sent.bytes) < 10_000  # an origin to learn from and one to validate


@pytest.mark.slow
def test_blocks_scored_elsewhere_give_the_same_bytes(
    part: PartRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast, "BLOCK", 0)
    monkeypatch.setattr(candidates, "BLOCK", 400)
    monkeypatch.setattr(forecast_in_blocks, "SAMPLE", 800)
    monkeypatch.setattr(forecast_in_blocks, "HEAD", 50)
    compute_part(part, tmp_path / "here", silent)
    sent = Sent()
    compute_part(part, tmp_path / "there", silent, sent)
    assert tables(tmp_path / "here") == tables(tmp_path / "there")
    assert "whole_list.parquet" in tables(tmp_path / "there")
    assert len(sent.bytes) > 4  # two origins and several blocks


def test_texts_encoded_elsewhere_are_kept_in_order(tmp_path: Path) -> None:
    texts = [f"a text of number {number}" for number in range(1200)]
    encoder, sent = HashingEncoder(1000), Sent()
    here, _ = encode_cached(encoder, texts, EmbeddingCache(tmp_path / "here"))
    there, report = encode_cached(encoder, texts, EmbeddingCache(tmp_path / "there"), None, sent)
    np.testing.assert_array_equal(here, there)
    assert report.encoded == 1200 and len(sent.bytes) == -(-1200 // encoder.chunk)


def test_a_process_of_another_version_refuses(part: PartRequest) -> None:
    check_same(part, part.key())
    with pytest.raises(ArtifactError, match="install the same everywhere"):
        check_same(part, "0" * 64)


def test_a_process_that_sees_other_data_refuses(part: PartRequest, sample_rows: SourceTable, tmp_path: Path) -> None:
    half = SourceTable(frame=sample_rows.frame.iloc[:700], format=sample_rows.format, name=sample_rows.name)
    other = part.model_copy(update={"corpus": stored(half, tmp_path / "corpus")})
    assert other.key() == part.key()  # the same folder as far as its name goes
    with pytest.raises(ArtifactError, match="one share"):
        check_same(other, part.key())
