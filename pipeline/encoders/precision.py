"""Which number format an encoder computes in: bfloat16 where this processor gains from it and the vectors agree."""

import logging
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from pipeline.artifacts import read_json, sha256_json, write_json

Dtype = Literal["float32", "bfloat16"]
EncodeProbes = Callable[[Dtype], np.ndarray]

GAIN = 1.3  # times faster that bfloat16 must be to be worth its rounding
AGREEMENT = 0.999  # cosine that every probe's two vectors must reach
REPEATS = 2
PROBES = [
    "Oven",
    "Method and apparatus for baking pizza",
    "A heat pump comprising a compressor, a condenser, an expansion valve and an evaporator arranged in a closed loop.",
    "Vorrichtung zum Kühlen von Batteriezellen in einem Fahrzeug",
    "A computer-implemented method of training a neural network, wherein a first set of images is labelled by a user "
    "and a second set is labelled by the network, the method further comprising comparing the two sets of labels.",
    "Pharmaceutical composition containing a monoclonal antibody against interleukin 6 and a stabiliser",
    "电池热管理系统",
    "An aircraft wing with a blended winglet, wherein the winglet is movable between a stowed and a deployed position.",
]

log = logging.getLogger(__name__)


def remembered_dtype(model_hash: str, device: str, encode_probes: EncodeProbes, folder: Path | None) -> Dtype:
    """The format chosen for a model on this processor: read if it was measured before, else measured and stored.

    Vectors depend on the format, so one machine must not choose twice: the first decision stored is the one obeyed.
    """
    if folder is None:
        return "float32"
    processor = _processor(device)
    path = folder / "dtype" / f"{sha256_json([model_hash, processor])[:32]}.json"
    if not path.exists():
        measured = {"model": model_hash, "processor": processor, **_measure(encode_probes)}
        if not path.exists():  # another process may have decided meanwhile
            write_json(path, measured)
    decision = read_json(path)
    log.info("encoder computes in %s on %s (measured once: %s)", decision["dtype"], processor, path)
    chosen: Dtype = "bfloat16" if decision["dtype"] == "bfloat16" else "float32"
    return chosen


def _measure(encode_probes: EncodeProbes) -> dict[str, object]:
    plain, short = encode_probes("float32"), encode_probes("bfloat16")  # and warms both up
    cosine = float((plain * short).sum(axis=1).min())
    seconds: dict[Dtype, float] = {"float32": np.inf, "bfloat16": np.inf}
    for _ in range(REPEATS):
        for dtype in seconds:
            started = time.perf_counter()
            encode_probes(dtype)
            seconds[dtype] = min(seconds[dtype], time.perf_counter() - started)
    gain = seconds["float32"] / seconds["bfloat16"]
    chosen = "bfloat16" if gain >= GAIN and cosine >= AGREEMENT else "float32"
    return {"dtype": chosen, "gain": round(gain, 2), "least_cosine": round(cosine, 6)}


def _processor(device: str) -> str:
    if device == "cuda":
        import torch

        return str(torch.cuda.get_device_name())
    table = Path("/proc/cpuinfo")
    lines = table.read_text(encoding="utf-8").splitlines() if table.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    # a name as bare as "AMD EPYC" covers several generations: the instruction sets tell them apart
    abilities = sorted({line.partition(":")[2].strip() for line in lines if line.startswith(("flags", "Features"))})
    return f"{platform.machine()} {(names or [platform.processor()])[0]} {sha256_json(abilities)[:8]}"
