"""From a configuration to an encoder, and from a patent to its text."""

import pandas as pd
import pytest

from pipeline.config import EncoderConfig
from pipeline.encoders import load_encoder, patent_texts
from pipeline.errors import ConfigError


@pytest.mark.parametrize(
    ("title", "abstract", "claims", "text"),
    [
        ("Pizza oven", "It bakes.", "1. An oven.", "Pizza oven. It bakes. 1. An oven."),
        ("Pizza oven", "", "", "Pizza oven"),
        ("Pizza oven", "", "1. An oven.", "Pizza oven. 1. An oven."),
        ("", "It bakes.", "", "It bakes."),
        (" ", "", " ", ""),
    ],
)
def test_the_text_of_a_patent_is_what_it_has(title: str, abstract: str, claims: str, text: str) -> None:
    patents = pd.DataFrame({"title": [title], "abstract": [abstract], "claims": [claims]})
    assert patent_texts(patents) == [text]


def test_no_patents_have_no_texts() -> None:
    assert patent_texts(pd.DataFrame({"title": [], "abstract": [], "claims": []}, dtype="str")) == []


def test_a_mistyped_model_is_refused_before_anything_is_asked_of_the_network() -> None:
    with pytest.raises(ConfigError, match="'minillm' is neither minilm, hashing, a folder, nor a hub name"):
        load_encoder(EncoderConfig(model="minillm"))


def test_a_folder_without_safetensors_is_refused(tmp_path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(ConfigError, match="not all in safetensors"):
        load_encoder(EncoderConfig(model=str(tmp_path)))


def test_a_folder_that_is_no_model_is_a_clear_error(tmp_path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    encoder = load_encoder(EncoderConfig(model=str(tmp_path), dtype="float32"))
    with pytest.raises(ConfigError, match="cannot be loaded"):
        encoder.encode(["a text"])
