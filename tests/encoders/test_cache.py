"""The store of vectors: each text is encoded once, whatever happens in between."""

import logging
import multiprocessing
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.encoders import EmbeddingCache, EncodingReport, encode_cached
from pipeline.encoders.hashing import HashingEncoder
from pipeline.errors import ArtifactError

ENCODER = HashingEncoder(max_characters=50)
TEXTS = ["pizza oven", "", "baking stone", "pizza oven", "  "]


class Interrupted(HashingEncoder):
    """An encoder whose power goes off after some calls."""

    def __init__(self, calls: int) -> None:
        super().__init__(max_characters=50)
        self.calls = calls

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.calls -= 1
        if self.calls < 0:
            raise KeyboardInterrupt
        return super().encode(texts)


def numbered(count: int) -> list[str]:
    return [f"text number{i}" for i in range(count)]


def shards(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.npy"))


def test_each_different_text_is_encoded_once_and_never_again(tmp_path: Path) -> None:
    first, report = encode_cached(ENCODER, TEXTS, EmbeddingCache(tmp_path))
    assert report == EncodingReport(total=5, unique=2, encoded=2, from_cache=0)
    np.testing.assert_array_equal(first, ENCODER.encode(TEXTS))
    second, report = encode_cached(Interrupted(calls=0), TEXTS, EmbeddingCache(tmp_path))
    assert report == EncodingReport(total=5, unique=2, encoded=0, from_cache=2)
    assert first.tobytes() == second.tobytes()


@given(batches=st.lists(st.lists(st.sampled_from([*numbered(8), "", " x "]), max_size=8), max_size=5))
def test_the_cache_changes_no_vector(tmp_path_factory, batches: list[list[str]]) -> None:
    store = EmbeddingCache(tmp_path_factory.mktemp("cache"))
    seen: set[str] = set()
    for texts in batches:
        vectors, report = encode_cached(ENCODER, texts, store)
        np.testing.assert_array_equal(vectors, ENCODER.encode(texts))
        new = {text.strip() for text in texts if text.strip()} - seen
        assert report.encoded == len(new)
        assert report.encoded + report.from_cache == report.unique
        seen |= new


def test_texts_alike_up_to_the_limit_are_one_text(tmp_path: Path) -> None:
    vectors, report = encode_cached(ENCODER, ["oven " * 10 + "pizza", "oven " * 10 + "drug"], EmbeddingCache(tmp_path))
    assert report.unique == 1
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_encoders_do_not_share_vectors(tmp_path: Path) -> None:
    other = HashingEncoder(max_characters=50)
    other.identity = "hashing-other"
    encode_cached(ENCODER, TEXTS, EmbeddingCache(tmp_path))
    assert encode_cached(other, TEXTS, EmbeddingCache(tmp_path))[1].encoded == 2


@pytest.mark.parametrize("texts", [[], ["", " "]])
def test_nothing_to_encode_writes_nothing(tmp_path: Path, texts: list[str]) -> None:
    vectors, report = encode_cached(ENCODER, texts, EmbeddingCache(tmp_path / "new"))
    assert vectors.shape == (len(texts), 256)
    assert not vectors.any()
    assert (report.unique, report.encoded) == (0, 0)
    assert not (tmp_path / "new").exists()


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HashingEncoder, "chunk", 10)
    with pytest.raises(KeyboardInterrupt):
        encode_cached(Interrupted(calls=2), numbered(35), EmbeddingCache(tmp_path))
    told: list[tuple[int, int]] = []
    vectors, report = encode_cached(
        ENCODER, numbered(35), EmbeddingCache(tmp_path), lambda done, total: told.append((done, total))
    )
    assert (report.encoded, report.from_cache) == (15, 20)
    assert told == [(20, 35), (30, 35), (35, 35)]
    np.testing.assert_array_equal(vectors, ENCODER.encode(numbered(35)))


@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied", "foreign"])
def test_a_damaged_shard_is_noticed_and_encoded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    monkeypatch.setattr(HashingEncoder, "chunk", 10)
    whole, _ = encode_cached(ENCODER, numbered(20), EmbeddingCache(tmp_path))
    victim = shards(tmp_path)[0]
    data = victim.read_bytes()
    middle = len(data) // 2
    victim.write_bytes(
        {
            "truncated": data[:middle],
            "flipped": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
            "emptied": b"",
            "foreign": b"cos\nsystem\n(S'echo pickled'\ntR.",
        }[damage]
    )
    with caplog.at_level(logging.WARNING):
        again, report = encode_cached(ENCODER, numbered(20), EmbeddingCache(tmp_path))
    assert report.encoded == 10
    assert f"{victim} is damaged" in caplog.text
    np.testing.assert_array_equal(again, whole)
    assert encode_cached(ENCODER, numbered(20), EmbeddingCache(tmp_path))[1].encoded == 0


def _fill(folder: Path, start: int) -> None:
    HashingEncoder.chunk = 5
    for _ in range(3):
        encode_cached(ENCODER, numbered(60)[start : start + 40], EmbeddingCache(folder))


def test_processes_may_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_fill, args=(tmp_path, start)) for start in (0, 10, 20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    vectors, report = encode_cached(Interrupted(calls=0), numbered(60), EmbeddingCache(tmp_path))
    assert report.from_cache == 60
    np.testing.assert_array_equal(vectors, ENCODER.encode(numbered(60)))
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".npy"}  # no temporary file is left


def test_vectors_that_are_no_numbers_are_not_stored(tmp_path: Path) -> None:
    class Overflowing(HashingEncoder):
        def encode(self, texts: Sequence[str]) -> np.ndarray:
            return super().encode(texts) * np.float32(np.nan)

    with pytest.raises(ArtifactError, match="no numbers"):
        encode_cached(Overflowing(max_characters=50), TEXTS, EmbeddingCache(tmp_path))
    assert not shards(tmp_path)


def test_a_cache_below_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match="cannot write "):
        encode_cached(ENCODER, TEXTS, EmbeddingCache(tmp_path / "file"))
