"""The encoding benchmark: abstracts a second, beside the library's own ``encode`` in float32.

    .venv/bin/python benchmarks/encode.py [--texts 1500] [--model FOLDER] [--abstracts FILE.parquet]

Reads the abstracts of ``dpl_google`` from $TECHCONVERGE_REAL_DATA, or ../shared/data beside the project; where more
texts are asked for than there are, they come again with a number before them. Plain ``encode`` sorts what it is given
by length; to keep the order of arrival it is given 32 texts at a time, its own batch, and that is the arm compared
with. All arms run in one process on one device, plain ``encode`` with as many threads as torch chooses, each warmed up
by texts of its own. On a GPU the card's limit is measured too: the arithmetic of a bfloat16 matrix product, beside what
the model needs. Writes a dated table beside this file, one for each kind of device.
"""

import argparse
import datetime
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from sentence_transformers import SentenceTransformer

from pipeline.config import EncoderConfig
from pipeline.encoders.cache import EmbeddingCache, encode_cached
from pipeline.encoders.sentence import SHIPPED, _model_folder, load_sentence_encoder

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("TECHCONVERGE_REAL_DATA", HERE.parents[1] / "shared" / "data"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=1500)
    parser.add_argument("--model", default=SHIPPED)
    parser.add_argument("--abstracts", type=Path, default=DATA / "corpora" / "dpl_google.parquet")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    arguments = parser.parse_args()
    gpu = torch.cuda.is_available()
    texts = abstracts(arguments.abstracts, arguments.texts)
    config = EncoderConfig(model=arguments.model)
    texts = [text[: config.max_characters] for text in texts]
    threads = torch.get_num_threads()  # as torch finds them: ours leaves it one for each batch
    plain = SentenceTransformer(str(_model_folder(arguments.model)), local_files_only=True)
    tokens = sum(len(ids) for ids in plain.tokenizer(texts, truncation=True)["input_ids"])
    arms: dict[str, Callable[[list[str]], np.ndarray]] = {
        "plain `encode`, float32, order of arrival": lambda texts: np.vstack(
            [
                plain.encode(texts[start : start + 32], normalize_embeddings=True, show_progress_bar=False)
                for start in range(0, len(texts), 32)
            ]
        ),
        "plain `encode`, float32, all at once": lambda texts: plain.encode(
            texts, normalize_embeddings=True, show_progress_bar=False
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        for dtype in ("float32", "bfloat16"):
            encoder = load_sentence_encoder(config.model_copy(update={"dtype": dtype}), None)
            arms[f"ours, {dtype}"] = encoder.encode
        chosen = load_sentence_encoder(config, Path(folder))
        cache = EmbeddingCache(Path(folder))
        arms[f"ours, auto (took {chosen.dtype}), kept on disk"] = lambda texts: encode_cached(chosen, texts, cache)[0]
        rows, told, first = [], {}, None
        for name, encode in arms.items():
            torch.set_num_threads(threads if name.startswith("plain") else 1)
            encode([f"warm {text}" for text in texts[: max(len(texts) // 20, 64)]])
            clock = time.perf_counter()
            vectors = encode(texts)
            told[name] = len(texts) / (time.perf_counter() - clock)
            first = vectors if first is None else first
            cosine = float((vectors * first).sum(axis=1).min())
            rows.append(f"| {name} | {told[name]:,.0f} | {told[name] / next(iter(told.values())):.2f} | {cosine:.5f} |")
            print(rows[-1], flush=True)
    lines = [
        "# Encoding",
        "",
        f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}, torch {torch.__version__}, {os.cpu_count()} cores"
        f"{', ' + torch.cuda.get_device_name() if gpu else ', no GPU'}; load {os.getloadavg()[0]:.1f} when measured. "
        "Reproduce with `benchmarks/encode.py`.",
        "",
        f"{len(texts):,} abstracts of {arguments.abstracts.stem}, {tokens / len(texts):.0f} tokens each on average.",
        "",
        "| encoder | texts a second | times plain | least cosine to plain |",
        "|---|---|---|---|",
        *rows,
        "",
    ]
    if gpu:
        lines += limits(load_sentence_encoder(config.model_copy(update={"dtype": "bfloat16"}), None), texts, tokens)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / f"encode-{'gpu' if gpu else 'cpu'}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def abstracts(path: Path, count: int) -> list[str]:
    """Non-empty abstracts in the file's order, again and again until there are enough."""
    known = [text for text in pq.read_table(path, columns=["abstract"])["abstract"].to_pylist() if text]
    rounds = -(-count // len(known))
    return [f"{turn} {text}" if turn else text for turn in range(rounds) for text in known][:count]


def limits(encoder: object, texts: list[str], tokens: int) -> list[str]:
    """Where the time goes on a GPU, and what share of the card's arithmetic is used."""
    clock = time.perf_counter()
    ids = list(encoder._tokens(texts))
    cut = time.perf_counter() - clock
    batches = list(encoder._batches(ids))
    with torch.inference_mode():
        seconds = []
        for _ in range(2):
            torch.cuda.synchronize()
            clock = time.perf_counter()
            for batch in batches:
                encoder._forward(encoder._constant, batch)
            torch.cuda.synchronize()
            seconds.append(time.perf_counter() - clock)
        one = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
        for _ in range(3):
            one @ one
        torch.cuda.synchronize()
        clock = time.perf_counter()
        for _ in range(10):
            one @ one
        torch.cuda.synchronize()
        ceiling = 10 * 2 * 8192**3 / (time.perf_counter() - clock)
    weights = sum(
        p.numel() for name, p in encoder._model.named_parameters() if p.ndim == 2 and "embeddings" not in name
    )
    padded = sum(length * encoder.batch_size for *_, length in batches)
    floor = 2 * weights * tokens / ceiling
    return [
        f"Where the time goes, bfloat16: cutting into tokens {cut:.2f} s ({len(texts) / cut:,.0f} texts a second), "
        f"padding, copying and computing {seconds[-1]:.2f} s ({len(texts) / seconds[-1]:,.0f}). "
        f"Rows filled up and lengths rounded make {padded / tokens:.2f} times the tokens.",
        "",
        f"The card multiplies at {ceiling / 1e12:.0f} TFLOP/s in bfloat16 (8192 x 8192 x 8192); the model's "
        f"{weights / 1e6:.1f} million weights need {floor:.3f} s for these tokens there, attention left out: "
        f"computing reaches {floor / seconds[-1]:.1%} of that limit.",
    ]


if __name__ == "__main__":
    main()
